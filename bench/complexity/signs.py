"""Asks the program's own code (bench/micro/complexity_signs.cpp) what it sees of questions."""

import json
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build(preset_folder="release-bench"):
    folder = ROOT / "build" / preset_folder
    quiet = {"cwd": ROOT, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["cmake", "--preset", "release", "-B", folder, "-DCAUSEWAY_BENCH=ON", "-DCAUSEWAY_TESTS=OFF"], **quiet)
    subprocess.run(["cmake", "--build", folder, "--target", "causeway_complexity"], **quiet)
    return folder / "bench" / "micro" / "causeway_complexity"


def shape(question):
    """What the gateway would know of it."""
    before = question.get("before", [])
    return {"text": question["text"], "turns": 1 + (len(before) + 1) // 2,
            "bytes": sum(len(one.encode()) for one in [*before, question["text"]]),
            "tools": question.get("tools", False), "schema": question.get("schema", False)}


def ask(program, questions):
    """The usual threshold, the signs' names, and of every question its score and its signs."""
    lines = "".join(json.dumps(shape(question)) + "\n" for question in questions)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    head, *rows = done.stdout.splitlines()
    threshold, *names = head.split()
    numbers = [[float(number) for number in row.split()] for row in rows]
    return float(threshold), names, [row[0] for row in numbers], [row[1:] for row in numbers]


def speed(program):
    return subprocess.run([program, "--speed"], capture_output=True, text=True, check=True).stdout
