"""A model with one healthy target among seven, while the others have all their bad days at once, in mixed
order and under load: no caller sees an error, none waits for more than one timeout, and what reaches the
providers is hardly more than what arrived."""

import collections
import random
import threading
import time

import pytest

import fake_faults
from fake_provider import by_path, openai_error
from fake_upstream import Fake
from gateway import UPSTREAM_KEY, chat_body
from wire import StreamedAnswer

from .rig import FULL

pytestmark = pytest.mark.timeout(300)

CALLERS = 8
SECONDS = 120 if FULL else 25
TIMEOUT = 3  # of the first byte, and of silence behind it
SLOW = 0.8     # 20 times what an answer takes


async def usual(answer):
    await answer.sleep(0.04)
    await by_path(answer)


async def slow(answer):
    await answer.sleep(SLOW)
    await by_path(answer)


def saying(status: int, headers: dict | None = None, **more):
    async def handler(answer):
        await answer.json(status, openai_error("not now", **more), headers)
    return handler


def in_streams(handler, otherwise):
    """What only a stream can do wrong."""
    async def chosen(answer):
        await (handler if answer.request.get("stream") else otherwise)(answer)
    return chosen


# What one of the six is at a time.
TROUBLES = {
    "429 with a wait": saying(429, {"retry-after": "1"}, code="rate_limit_exceeded"),
    "429": saying(429, code="rate_limit_exceeded"),
    "529": saying(529),
    "500": saying(500),
    "503": saying(503, {"retry-after": "1"}),
    "expired token": saying(401, code="invalid_api_key"),
    "never answers": fake_faults.never,
    "head, then nothing": fake_faults.head_then_never,
    "closed without an answer": fake_faults.no_answer,
    "reset": fake_faults.reset,
    "no JSON": fake_faults.not_json,
    "half a body": in_streams(saying(500), fake_faults.cut_body),
    "an event that is an error": in_streams(fake_faults.error_first, saying(500)),
    "20 times slower": slow,
    # After the first words, which cannot be taken back: the policy has the next one go on.
    "half a stream": in_streams(fake_faults.cut_mid_stream, saying(500)),
    "half a chunk": in_streams(fake_faults.cut_mid_chunk, saying(500)),
    "a malformed event": in_streams(fake_faults.bad_event, saying(500)),
    "words, then nothing": in_streams(fake_faults.words_then_never, saying(500)),
}


def settings(fakes) -> dict:
    provider = {"kind": "openai", "api_key": UPSTREAM_KEY,
                "timeouts": {"connect": "1s", "first_byte": f"{TIMEOUT}s", "idle": f"{TIMEOUT}s", "total": "60s"}}
    providers = {f"p{number}": {**provider, "base_url": fake.base_url} for number, fake in enumerate(fakes)}
    providers["unknown"] = {**provider, "base_url": "http://no-such-host.invalid/v1"}  # its name is not found
    return {"providers": providers,
            "models": {"m": {"strategy": "least_busy", "targets": [f"{name}/m" for name in providers]}},
            "breaker": {"rest": "1s", "longest_rest": "4s"},
            "policies": [{"name": "all", "retries": {"continue": True}}]}


class Days:
    """Six of the fakes get well and ill again; the seventh stays well. One of them is away at times."""

    def __init__(self, fakes, seed: int):
        self.fakes, self.random = fakes, random.Random(seed)
        self.had = collections.Counter()
        self.stop = threading.Event()
        self.away = None
        for fake in fakes:
            fake.on("m", usual)

    def run(self):
        names = list(TROUBLES) + ["away"]
        self.random.shuffle(names)
        turn = 0
        while not self.stop.wait(0.6):
            which = self.random.randrange(len(self.fakes) - 1)
            if self.random.random() < 0.3:
                self.fakes[which].on("m", usual)
                continue
            name = names[turn % len(names)]
            turn += 1
            self.had[name] += 1
            if name != "away":
                self.fakes[which].on("m", TROUBLES[name])
            elif self.away is None:
                self.away = self.fakes[which]
                self.away.stop_listening()

    def __enter__(self):
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def __exit__(self, *reason):
        self.stop.set()
        self.thread.join()


@pytest.fixture
def fakes():
    seven = [Fake().start() for _ in range(7)]
    yield seven
    for fake in seven:
        fake.stop()


def whole(gateway, text):
    answer = gateway.chat("m", text, timeout=60)
    if answer.status_code != 200:
        return f"{answer.status_code} {answer.text[:300]}"
    return None if answer.json()["choices"][0]["message"]["content"] else "empty"


def streamed(gateway, text):
    answer = gateway.chat_stream("m", text, timeout=60)
    return None if answer.status == 200 and answer.done else f"{answer.status} {answer.text!r}"


def load(gateway, kinds, seconds: float, enough=lambda: True) -> tuple[list, list]:
    """What went wrong, and how long each took. Goes on until it is enough, for a minute at most."""
    wrong, took = [], []

    def caller(number: int):
        end, count = time.monotonic() + seconds, number
        while time.monotonic() < end or (not enough() and time.monotonic() < end + 60):
            count += 1
            began = time.monotonic()
            problem = kinds[count % len(kinds)](gateway, f"question {number} {count}")
            took.append(time.monotonic() - began)
            if problem:
                wrong.append(problem)

    threads = [threading.Thread(target=caller, args=(number,)) for number in range(CALLERS)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    return wrong, sorted(took)


def calls_of(fakes) -> int:
    return sum(record.method == "POST" for fake in fakes for record in fake.records())


def test_mixed_troubles_under_load(fakes, make_gateway):
    gateway = make_gateway(settings(fakes))
    with Days(fakes, 7) as days:
        wrong, took = load(gateway, (whole, streamed), SECONDS, lambda: len(days.had) == len(TROUBLES) + 1)
    calls = calls_of(fakes)
    print(f"{len(took)} requests, {calls} calls ({calls / len(took):.2f}), {days.had.total()} troubles of "
          f"{len(days.had)} kinds, p50 {took[len(took) // 2] * 1000:.0f} ms, "
          f"p99 {took[len(took) * 99 // 100] * 1000:.0f} ms, longest {took[-1]:.1f} s")
    assert not wrong, (len(wrong), wrong[:5])
    assert len(took) > 200
    assert len(days.had) == len(TROUBLES) + 1, "each had its day"
    # When this machine stands still, all callers may wait for longer once.
    assert took[-1 - CALLERS] < 2 * TIMEOUT, "one timeout and one slow answer at most"
    assert calls <= len(took) + 12 * days.had.total(), "no storm: a few for each trouble, however many ask"


def test_all_but_one_hang_at_once(fakes, make_gateway):
    """Who waits in vain for one goes to the one that answers next, not to each of the others."""
    for fake in fakes:
        fake.on("m", usual)
    gateway = make_gateway(settings(fakes))
    assert load(gateway, (whole, streamed), 1)[0] == []
    for fake in fakes[:-1]:
        fake.on("m", fake_faults.never)
    wrong, took = load(gateway, (whole, streamed), 4 * TIMEOUT)
    assert not wrong, wrong[:5]
    # Where all callers hang at once, one that nobody has asked since looks as well as the one that answers: a few
    # may wait for two. Who asked each in turn would have nearly all wait for several, and up to six.
    assert TIMEOUT < took[-1] < 4 * TIMEOUT, took[-9:]
    assert took[-1 - CALLERS // 2] < 2 * TIMEOUT, took[-9:]
