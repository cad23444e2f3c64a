"""What must be seen to work, asked of what runs. Ends with 0 only if all of it does."""

from __future__ import annotations

import json
import os
import pathlib
import re
import sys
import time
import urllib.request

admin, work = sys.argv[1], pathlib.Path(sys.argv[2])


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def got(path: str) -> str:
    request = urllib.request.Request(admin + path, headers={"authorization": f"Bearer {os.environ['OPERATOR_KEY']}"})
    return urllib.request.urlopen(request, timeout=10).read().decode()


def alerts() -> dict:
    return json.loads(got("/api/alerts"))


def asked() -> dict[str, int]:
    """How many requests each provider has got until now."""
    counts = {"north": 0, "south": 0}
    for line in got("/metrics").splitlines():
        if found := re.match(r'causeway_attempts_total\{.*causeway_provider="(\w+)".* (\d+)$', line):
            counts[found[1]] += int(found[2])
    return counts


def norths_share(seconds: float) -> float:
    """Of all requests in the next so many seconds."""
    before = asked()
    time.sleep(seconds)
    got_now = {name: count - before[name] for name, count in asked().items()}
    expect("the shop asks all the time", sum(got_now.values()) >= 5 * seconds, got_now)
    share = got_now["north"] / sum(got_now.values())
    print(f"     {seconds:g} s: north {got_now['north']}, south {got_now['south']} ({share:.0%} at north)")
    return share


def told() -> list[dict]:
    return [json.loads(line) for line in (work / "ops.out").read_text().splitlines()]


def within(seconds: float, what):
    """What `what()` gives as soon as it is something, and after how long."""
    began = time.monotonic()
    while time.monotonic() - began < seconds:
        if seen := what():
            return seen, time.monotonic() - began
        time.sleep(0.2)
    return None, seconds


def state() -> str:
    return next(rule["state"] for rule in alerts()["rules"] if rule["name"] == "slow_answers")


def make(provider: str, **settings):
    replacement = work / "settings.new"
    replacement.write_text(json.dumps(settings))
    replacement.rename(work / f"{provider}.json")


expect("the rule has something to look at", within(20, lambda: state() == "ok")[0])
time.sleep(6)  # what is usual must be known
expect("while all is well both are asked alike", 0.3 < norths_share(6) < 0.7)
expect("and nobody is told", not told() and not alerts()["active"], alerts()["active"])

make("north", first_ms=100, token_ms=200)
message, after = within(30, lambda: next(iter(told()), None))
expect("one provider gets slow: somebody is told within 30 s", message, alerts())
print(f"     after {after:.1f} s: {message['title']}")
alert = message["alerts"][0]
causes = {(cause["kind"], cause["name"]): cause for cause in alert["cause"]}
expect("the message names the provider", ("provider", "north") in causes, alert)
expect("and only that one", len(message["alerts"]) == 1 and ("provider", "south") not in causes, message)
expect("it says what part of the time has grown", ("latency_part", "generation") in causes, alert)
print(f"     {causes['latency_part', 'generation']['text']}")
expect("and what to do", "Fail over" in alert["advice"], alert["advice"])

expect("the traffic is somewhere else", norths_share(6) < 0.15)

make("north", first_ms=100, token_ms=15)
_, after = within(60, lambda: norths_share(2) > 0.3)
print(f"     back after {after:.0f} s")
expect("it is well again: it gets its half back", 0.3 < norths_share(6) < 0.7)
over, after = within(60, lambda: next((m for m in told() if m["status"] == "ended"), None))
expect("all clear", over and over["alerts"][0]["id"] == alert["id"], told())
print(f"     {over['title']}")
expect("nothing fires any more", not alerts()["active"], alerts()["active"])
expect("two messages, no more", len(told()) == 2, told())
expect("no request failed", json.loads(got("/api/overview?window=15m"))["totals"]["errors"] == 0)
