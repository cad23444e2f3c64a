"""Asks the same questions three times: always the cloud, always the local model, and routed. Prints what was right
and what it cost; ends with 0 only if what the README promises holds.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import time
import urllib.request

import openai

from desk import ask

admin = sys.argv[1]
here = pathlib.Path(__file__).parent
QUESTIONS = json.loads((here / "questions.json").read_text())
FITTED = here.parents[1] / "bench" / "complexity" / "questions.jsonl"
HOUR_PRICE = 0.04  # of causeway.yaml


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def usage() -> dict:
    request = urllib.request.Request(f"{admin}/api/usage?by=model,provider",
                                     headers={"authorization": f"Bearer {os.environ['OPERATOR_KEY']}"})
    return json.load(urllib.request.urlopen(request, timeout=10))


def machine_cost() -> float:
    """What the local model's machine has cost until now, used or not."""
    return sum(row["busy_cost"] + row["idle_cost"] for row in usage()["hosted"] if row["provider"] == "local")


def cloud_cost(model: str) -> float:
    return sum(row["cost_micros"] / 1e6 for row in usage()["usage"]
               if row["model"] == model and row["provider"] == "cloud")


class Round:
    """All questions, each as often as it is asked, sent to one model."""

    def __init__(self, model: str):
        self.model, self.requests, self.right, self.local = model, 0, 0, 0
        self.wrong_here: list[str] = []  # of the local model
        before, began = machine_cost(), time.monotonic()
        with openai.OpenAI(max_retries=0, timeout=120) as client:
            for question in QUESTIONS:
                for _ in range(question["times"]):
                    self.count(question, *ask(model, question["ask"], client))
        self.seconds = time.monotonic() - began
        self.cloud = cloud_cost(model)
        self.machine = machine_cost() - before if model != "always-cloud" else 0.0  # it needs none

    def count(self, question: dict, target: str, answer: str):
        self.requests += 1
        good = re.search(question["right"], answer, re.IGNORECASE) is not None
        self.right += good
        self.local += target.startswith("local/")
        if target.startswith("local/") and not good and question["ask"] not in self.wrong_here:
            self.wrong_here.append(question["ask"])

    @property
    def total(self) -> float:
        return self.cloud + self.machine

    def line(self) -> str:
        return (f"{self.model:14}{self.requests:9}{self.local / self.requests:8.2f}{self.right / self.requests:8.3f}"
                f"{self.cloud:10.4f}{self.machine:10.4f}{self.total:10.4f}{self.seconds:9.0f}")


texts = {json.loads(line).get("text") for line in FITTED.read_text().splitlines()}
expect("no question is one that the router was fitted to", not texts & {one["ask"] for one in QUESTIONS})

cloud, local, routed = Round("always-cloud"), Round("always-local"), Round("desk")
print("\nmodel          requests   local   right   cloud $ machine $   total $  seconds")
for one in (cloud, local, routed):
    print(one.line())
saved = 1 - routed.total / cloud.total
a_request = (cloud.cloud - routed.cloud) / routed.requests
print(f"\nsaved: {saved:.0%}, the machine's hours included, used or not. It pays from "
      f"{HOUR_PRICE / a_request:.0f} such requests an hour; the cloud's bill alone is {1 - routed.cloud / cloud.cloud:.0%} less.")
print("the local model was wrong at: " + "; ".join(routed.wrong_here) + "\n")

expect("the cloud answers everything right", cloud.right == cloud.requests, cloud.right)
expect("the local model alone does not do", local.right < 0.8 * local.requests, local.right)
expect("at least a third of the requests stay here", routed.local >= routed.requests / 3, routed.local)
expect("of 100 answers at least 85 are as right as the cloud's", routed.right >= 0.85 * cloud.right, routed.right)
expect("it costs less than always asking the cloud", routed.total < cloud.total, (routed.total, cloud.total))
hosted = [row for row in usage()["hosted"] if row["provider"] == "local"]
expect("causeway usage shows the machine's idle time and its price", hosted and hosted[0]["idle_cost"] > 0, hosted)
