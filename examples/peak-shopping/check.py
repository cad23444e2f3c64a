"""What must be seen to work, asked of what runs. Ends with 0 only if all of it does."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
import time
import urllib.parse
import urllib.request

from shoppers import Shoppers

admin, work = sys.argv[1], pathlib.Path(sys.argv[2])
PLACES = {urllib.parse.urlsplit((work / f"{name}.url").read_text().strip()).netloc: name
          for name in ("one", "two", "three", "four")}


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        shoppers.leave()
        sys.exit(1)


def members() -> dict[str, dict]:
    """Calls and state of each engine that the gateway knows."""
    request = urllib.request.Request(admin + "/api/providers",
                                     headers={"authorization": f"Bearer {os.environ['OPERATOR_KEY']}"})
    provider, = json.load(urllib.request.urlopen(request, timeout=10))["providers"]
    return {PLACES[member["name"]]: member for member in provider["members"]}


def calls() -> dict[str, int]:
    return {name: sum(target["calls"] for target in member["targets"]) for name, member in members().items()}


def shares(what: str, seconds: float) -> dict[str, float]:
    """Who gets which part of the requests of the next so many seconds."""
    before, answers = calls(), shoppers.answers
    time.sleep(seconds)
    within(20, lambda: shoppers.answers > answers)  # on a busy machine one takes seconds
    now = {name: count - before.get(name, 0) for name, count in calls().items()}
    total = sum(now.values())
    print(f"     {what}, {seconds:g} s: " + ", ".join(f"{name} {count} ({count / max(1, total):.0%})" for name, count in now.items())
          + f"; {shoppers.answers - answers} answers", flush=True)
    expect(f"{what}: no shopper has seen an error", not shoppers.errors and shoppers.answers > answers, shoppers.errors[:3])
    return {name: count / max(1, total) for name, count in now.items()}


def within(seconds: float, what) -> bool:
    end = time.monotonic() + seconds
    while not (so := what()) and time.monotonic() < end:
        time.sleep(0.1)
    return bool(so)


shoppers = Shoppers(6)
expect("three engines answer", within(30, lambda: set(calls()) == {"one", "two", "three"} and min(calls().values()) > 2), members())
expect("each gets its part", within(30, lambda: min(shares("all are well", 6).values()) > 0.1))

(work / "delay").write_text("1500")
time.sleep(6)  # what is usual is learnt from answers
expect("the slow one gets little", within(30, lambda: shares("two is slow", 8)["two"] < 0.2))

expect("until now not even a stream was cut", not shoppers.cut, shoppers.cut)
at_three = sum(target["in_flight"] for target in members()["three"]["targets"])
os.kill(int((work / "three.pid").read_text()), signal.SIGKILL)
dying = shares("three is killed with what it had to do", 2)
expect("cut, and told so, are at most the streams that it was in the middle of",
       len(shoppers.cut) <= max(at_three, 1) + 1, (at_three, shoppers.cut))
print(f"     at three when it was killed: {at_three}; of these, streams whose text had begun: {len(shoppers.cut)}")
cut = len(shoppers.cut)
dead = shares("three is dead", 5)
expect("the dead one gets nothing", dead["three"] == 0, dead)
print(f"     three: {[(t['state'], t['why']) for t in members()['three']['targets']]}, well: {members()['three']['well']}")

with open(work / "new", "w") as file:
    file.write("".join((work / f"{name}.url").read_text() for name in ("one", "two", "four")))
(work / "new").rename(work / "replicas.txt")
expect("a new one stands in the file: it is known", within(15, lambda: set(members()) == {"one", "two", "four"}), members())
shares("four is new", 3)
expect("it takes its part", within(30, lambda: shares("and some seconds later", 4)["four"] > 0.15))

(work / "delay").write_text("0")
expect("two is well again: it gets a part again", within(30, lambda: shares("two is well again", 3)["two"] > 0.15))
shoppers.leave()
times = sorted(shoppers.seconds)
expect("of all these answers not one was an error", not shoppers.errors and len(shoppers.cut) == cut,
       (shoppers.errors, shoppers.cut))
print(f"     {shoppers.answers} answers, half within {times[len(times) // 2]:.2f} s, 99 % within "
      f"{times[int(len(times) * 0.99)]:.2f} s, all within {times[-1]:.2f} s")
