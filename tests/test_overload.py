"""A model that is asked more than it can do: who waits, who is refused, and how the others fare."""

import asyncio
import math
import os
import time

import httpx
import pytest

from conftest import running
from fake_provider import chat_completion
from fake_upstream import Fake
from gateway import KEY, UPSTREAM_KEY

FLOOD = "sk-test-flood-0123456789abcdefghijklmno"
LOW = "sk-test-lowly-0123456789abcdefghijklmno"
CAPACITY, SERVICE = 8, 0.2
# How long each part is looked at; by hand longer.
SECONDS = float(os.environ.get("CAUSEWAY_OVERLOAD_SECONDS", "6"))


@pytest.fixture
def server():
    """Works on eight requests at once; further ones wait, however many they are."""
    fake = Fake().start()
    room = asyncio.Semaphore(CAPACITY)
    fake.done = 0

    async def work(answer):
        async with room:
            await asyncio.sleep(SERVICE)
        fake.done += 1
        await answer.json(200, chat_completion(answer.record.json))

    fake.on("eight", work)
    yield fake
    fake.stop()


@pytest.fixture
def gate(server, session_folder):
    settings = {
        "providers": {"fake": {"kind": "openai", "base_url": server.base_url, "api_key": UPSTREAM_KEY}},
        "models": {"eight": {"targets": ["fake/eight"]}},
        "keys": [{"name": "steady", "secret": KEY, "models": ["*"], "tenant": "steady"},
                 {"name": "flood", "secret": FLOOD, "models": ["*"], "tenant": "flood"},
                 {"name": "low", "secret": LOW, "models": ["*"], "tenant": "low"}],
        "policies": [{"name": "low", "match": {"tenants": ["low"]}, "priority": "low"},
                     {"name": "all", "overload": {"on": True, "least": 2, "wait": "2s", "slower": 1.1}}]}
    with running(session_folder / f"overload-{time.monotonic_ns()}", settings) as gateway:
        yield gateway


async def one(client, key):
    body = {"model": "eight", "messages": [{"role": "user", "content": "a question"}]}
    begin = time.monotonic()
    answer = await client.post("/v1/chat/completions", json=body, headers={"authorization": f"Bearer {key}"})
    return time.monotonic() - begin, answer


async def steadily(client, key, seconds):
    """Two at a time; how long each took."""
    took = []

    async def caller():
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            time_taken, answer = await one(client, key)
            assert answer.status_code == 200, answer.text
            took.append(time_taken)
            await asyncio.sleep(0.02)

    await asyncio.gather(caller(), caller())
    return took


async def flood(client, key, ended: asyncio.Event, answers):
    async def caller():
        while not ended.is_set():
            time_taken, answer = await one(client, key)
            answers.append((time_taken, answer))
            if answer.status_code == 503:
                await asyncio.sleep(0.5)  # less than it was told

    await asyncio.gather(*(caller() for _ in range(200)))


def p99(times):
    return sorted(times)[math.ceil(0.99 * len(times)) - 1]


def client_of(gate):
    return httpx.AsyncClient(base_url=gate.url, timeout=60,
                             limits=httpx.Limits(max_connections=300, max_keepalive_connections=300))


def test_a_flood_does_not_slow_the_others_down(gate, server):
    async def scene():
        async with client_of(gate) as quiet, client_of(gate) as loud:
            before = await steadily(quiet, KEY, SECONDS)
            ended, answers = asyncio.Event(), []
            flooding = asyncio.create_task(flood(loud, FLOOD, ended, answers))
            await asyncio.sleep(5)  # the model's capacity is learnt
            done, begin = server.done, time.monotonic()
            during = await steadily(quiet, KEY, SECONDS)
            rate = (server.done - done) / (time.monotonic() - begin)
            ended.set()
            await flooding
            return before, during, answers, rate

    before, during, answers, rate = asyncio.run(scene())
    refused = [answer for _, answer in answers if answer.status_code == 503]
    print(f"p99 alone {1000 * p99(before):.0f} ms, during the flood {1000 * p99(during):.0f} ms "
          f"({p99(during) / p99(before):.2f}); {rate:.1f} answers a second of {CAPACITY / SERVICE:.0f}; "
          f"flood: {len(answers)} answers, {len(refused)} refused, slowest {max(t for t, _ in answers):.1f} s")
    assert {answer.status_code for _, answer in answers} <= {200, 503}
    assert refused
    for answer in refused:
        assert answer.json()["error"]["code"] == "overloaded"
        assert 1 <= int(answer.headers["retry-after"]) <= 60
    if p99(before) > 1.25 * SERVICE:
        pytest.skip(f"too busy here to measure: {1000 * p99(before):.0f} ms alone, the model takes 200")
    # Deadlines are kept to a second, and what was let through has to be answered.
    assert max(took for took, _ in answers) < 2 + 1 + 200 / CAPACITY * SERVICE + 1
    # 1.2 by hand, with longer runs; a busy machine's own delays are in it here.
    assert p99(during) <= 1.5 * p99(before)
    assert rate >= 0.9 * CAPACITY / SERVICE


def test_low_priority_waits_behind_normal(gate):
    async def scene():
        async with client_of(gate) as loud, client_of(gate) as lowly:
            ended, normal, low = asyncio.Event(), [], []
            running_floods = [asyncio.create_task(flood(loud, FLOOD, ended, normal))]
            await asyncio.sleep(4)
            normal.clear()
            low_ended = asyncio.Event()
            running_floods.append(asyncio.create_task(flood(lowly, LOW, low_ended, low)))
            await asyncio.sleep(3)
            low_ended.set()
            ended.set()
            await asyncio.gather(*running_floods)
            return normal, low

    normal, low = asyncio.run(scene())
    served = [sum(answer.status_code == 200 for _, answer in answers) for answers in (normal, low)]
    print(f"answered: {served[0]} of normal priority, {served[1]} of low")
    assert served[0] > 2 * served[1]


def test_who_leaves_leaves_the_queue(gate):
    async def scene():
        async with client_of(gate) as loud, client_of(gate) as leaving:
            ended, answers = asyncio.Event(), []
            flooding = asyncio.create_task(flood(loud, FLOOD, ended, answers))
            await asyncio.sleep(3)
            tries = [asyncio.create_task(one(leaving, KEY)) for _ in range(20)]
            await asyncio.sleep(0.05)
            for each in tries:
                each.cancel()
            ended.set()
            await flooding

    asyncio.run(scene())
    end = time.monotonic() + 10
    while gate.metrics().value("causeway_overload_waiting", model="eight") and time.monotonic() < end:
        time.sleep(0.1)
    assert gate.metrics().value("causeway_overload_waiting", model="eight") == 0
    assert httpx.post(f"{gate.url}/v1/chat/completions", timeout=30, headers={"authorization": f"Bearer {KEY}"},
                      json={"model": "eight", "messages": [{"role": "user", "content": "hi"}]}).status_code == 200
