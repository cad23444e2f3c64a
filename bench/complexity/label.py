"""Asks the embedded model every question that has a checkable answer and no label yet, and writes down what it said
and whether that was right: the labels of questions.jsonl. And every question that has none yet for its confidence.
Temperature 0, 48 tokens, one thread of the engine.
"""

import json
import math
import os
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

from .questions import half_of, read, right, write

CONFIG = """\
server: {{ listen: 127.0.0.1:0, admin: 127.0.0.1:0, data: {home}/data }}
providers:
  local: {{ kind: embedded }}
models:
  small: {{ targets: [ local/default ] }}
keys:
  - {{ name: labels, secret: "${{LABELS_KEY}}", models: [ small ] }}
"""
KEY = "for-the-labels-0123456789abcdef"
TOKENS = 48
FIRST = 16  # tokens, by which confidence is told early


def ask(address, question):
    texts = [*question.get("before", []), question["text"]]  # user and assistant in turn
    messages = [{"role": "assistant" if i % 2 else "user", "content": text} for i, text in enumerate(texts)]
    asked = {"model": "small", "messages": messages, "temperature": 0, "max_tokens": TOKENS,
             "logprobs": True, "top_logprobs": 1}
    request = urllib.request.Request(f"http://{address}/v1/chat/completions", json.dumps(asked).encode(),
                                     {"content-type": "application/json", "authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request, timeout=180) as reply:
        choice = json.load(reply)["choices"][0]
    tokens = ((choice.get("logprobs") or {}).get("content")) or []
    return choice["message"]["content"], [max(token["logprob"], -100) for token in tokens]


def confidence(logprobs):
    """The geometric mean of the tokens' probabilities, as the gateway has it."""
    return round(math.exp(sum(logprobs) / len(logprobs)), 3) if logprobs else 1.0


def label(program):
    questions = read()
    new = [question for question in questions if "label" not in question or "confidence" not in question]
    with tempfile.TemporaryDirectory() as home:
        config, ready = Path(home, "causeway.yaml"), Path(home, "ready.json")
        config.write_text(CONFIG.format(home=home))
        gateway = subprocess.Popen([program, "serve", "--config", config, "--ready-file", ready],
                                   env={**os.environ, "LABELS_KEY": KEY}, stdout=subprocess.DEVNULL)
        try:
            while not ready.exists() or not ready.stat().st_size:
                if gateway.poll() is not None:
                    raise SystemExit("the gateway did not start")
                time.sleep(0.1)
            address = json.loads(ready.read_text())["listen"]
            for number, question in enumerate(new):
                _label_one(question, address)
                if number % 50 == 49:
                    print(f"{number + 1} of {len(new)}", flush=True)
        finally:
            gateway.terminate()
            gateway.wait(30)
    write(questions)


def _label_one(question, address):
    question["half"] = half_of(question["text"])
    said, logprobs = ask(address, question)
    question["confidence"] = [confidence(logprobs), confidence(logprobs[:FIRST])]
    if not question.get("accept"):
        question["label"], question["from"] = "hard", "rule"
        return
    question["said"] = said[:160]
    question["label"], question["from"] = "easy" if right(question, said) else "hard", "model"
