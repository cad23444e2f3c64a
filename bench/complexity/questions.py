"""The labelled questions (questions.jsonl) and the half that each belongs to. README.md says how labels were got."""

import hashlib
import json
import re
from pathlib import Path

FILE = Path(__file__).with_name("questions.jsonl")


def read():
    lines = FILE.read_text(encoding="utf-8").splitlines()
    return [question for question in map(json.loads, lines) if "text" in question]


def write(questions):
    head = FILE.read_text(encoding="utf-8").splitlines()[0]
    lines = [head] + [json.dumps(question, ensure_ascii=False) for question in questions]
    FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")


def half_of(text):
    """By a hash, so that nobody chooses."""
    return "tune" if hashlib.sha256(text.encode()).digest()[0] < 128 else "measure"


def right(question, answer):
    """Whether this answers it. Without `accept` nothing a small model says is taken for an answer."""
    if question.get("reject") and re.search(question["reject"], answer, re.IGNORECASE):
        return False
    return bool(question.get("accept")) and bool(re.search(question["accept"], answer, re.IGNORECASE))
