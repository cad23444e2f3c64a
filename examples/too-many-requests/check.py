"""What must be seen to work, asked of what runs. Ends with 0 only if all of it does."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import threading
import time
import urllib.request

import openai

from burst import Burst

admin, work = sys.argv[1], pathlib.Path(sys.argv[2])
# Requests that were on their way when the provider said 429 to another one come in all the same.
ON_THEIR_WAY = 0.8
KEYS = {os.environ["FIRST_KEY_1"]: "key-1", os.environ["FIRST_KEY_2"]: "key-2"}
client = openai.OpenAI(max_retries=0, timeout=60)


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def got(path: str) -> str:
    request = urllib.request.Request(admin + path, headers={"authorization": f"Bearer {os.environ['OPERATOR_KEY']}"})
    return urllib.request.urlopen(request, timeout=10).read().decode()


def first() -> dict:
    return next(p for p in json.loads(got("/api/providers"))["providers"] if p["name"] == "first")


def log(provider: str) -> list[dict]:
    lines = (json.loads(line) for line in (work / f"{provider}.log").read_text().splitlines())
    return [line for line in lines if provider == "second" or line["key"] in KEYS]


class Watch:
    """Whether the admin port shows a key that rests, looked at while something runs."""

    def __init__(self):
        self.seen, self.ended = set(), threading.Event()
        self.thread = threading.Thread(target=self.look)

    def look(self):
        while not self.ended.wait(0.1):
            self.seen |= {(member["name"], target["state"], target["why"]) for member in first()["members"]
                          for target in member["targets"] if target["state"] != "closed"}

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()


def came_too_early(lines: list[dict]) -> list[tuple[str, float]]:
    """Requests of a key that came while the provider had asked it to stay away: which, and how long after it said so."""
    early, told, until = [], {}, {}
    for line in lines:
        key, at = KEYS[line["key"]], line["at"]
        if at < until.get(key, 0):
            early.append((key, at - told[key]))
        else:
            told.pop(key, None)
        if line["status"] == 429:
            told.setdefault(key, at)
            until[key] = max(until.get(key, 0), at + line["wait"])
    return early


def holds_to_retry_after(lines: list[dict]):
    refused = [line for line in lines if line["status"] == 429]
    early = came_too_early(lines)
    expect("the provider did refuse, with each of the keys",
           {KEYS[line["key"]] for line in refused} == {"key-1", "key-2"}, len(refused))
    late = [one for one in early if one[1] > ON_THEIR_WAY]
    expect("no request came with a key that rests, but those already on their way", not late, late)
    print(f"     {len(lines)} requests, {len(refused)} refused; {len(early)} on their way when the key's first was refused, "
          f"the last {max((after for _, after in early), default=0) * 1000:.0f} ms later; rests of 1 to 3 s")


# What it is like without Causeway: the same burst, with a key of its own.
alone = Burst(openai.OpenAI(base_url=os.environ["FIRST_URL"], api_key="alone", max_retries=0), "small", 100)
print(f"     without Causeway: {alone.line()}")
expect("the provider alone refuses most of it", alone.counts.get("error 429", 0) > 50, alone.counts)

with Watch() as watch:
    over = Burst(client, "shop", 100)
print(f"     {over.line()}")
expect("too much goes to the second: no caller sees an error", set(over.counts) == {"first", "second"}, over.counts)
expect("the first does what it can", over.counts["first"] >= 30, over.counts)
expect("meanwhile the admin port shows that both keys rest, and why",
       {("key-1", "open", "rate_limit_exceeded"), ("key-2", "open", "rate_limit_exceeded")} <= watch.seen, watch.seen)
holds_to_retry_after(log("first"))

time.sleep(4)
before, others = len(log("first")), len(log("second"))
waiting = Burst(client, "desk", 100)
print(f"     {waiting.line()}")
expect("where there is no second one they wait: no caller sees an error", waiting.counts == {"first": 100}, waiting.counts)
expect("and none was answered elsewhere", len(log("second")) == others)
holds_to_retry_after(log("first")[before:])

refused = sum(line["status"] == 429 for line in log("first"))
counted = sum(float(line.rsplit(" ", 1)[1]) for line in got("/metrics").splitlines()
              if re.match(r'causeway_attempts_total\{.*causeway_provider="first".*error_type="rate_limited"', line))
expect("the metrics count each 429 of the provider", counted == refused, (counted, refused))


end = time.monotonic() + 30
while first()["last_hour"]["errors"] != refused and time.monotonic() < end:
    time.sleep(0.5)  # the history takes a sample every few seconds
expect("the dashboard shows them by class", first()["last_hour"]["errors_by_class"] == {"rate_limited": refused}, first())
overview = json.loads(got("/api/overview?window=15m"))
failed = {provider["provider"]: provider["errors"] for provider in overview["providers"]}
expect("by provider", failed == {"first": refused, "second": 0}, overview)
expect("and not one error of a caller", overview["totals"]["requests"] == 200 and overview["totals"]["errors"] == 0,
       overview["totals"])
print(f"     first: {first()['last_hour']}, of 200 callers {overview['totals']['errors']} errors")
