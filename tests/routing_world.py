"""What the tests of routing share: three providers, one model, and how its requests are shared among them."""

import concurrent.futures
import time

import pytest

from fake_provider import by_path, openai_error
from fake_upstream import Fake
from gateway import UPSTREAM_KEY, chat_body

OTHER = "sk-other-0123456789abcdefghijklmnopqrst"


@pytest.fixture
def three():
    fakes = [Fake().start() for _ in range(3)]
    yield fakes
    for fake in fakes:
        fake.stop()


def settings(fakes, model: dict, **more) -> dict:
    """Providers one, two, three, of which `model` uses PROVIDER/m."""
    providers = {name: {"kind": "openai", "base_url": fake.base_url, "api_key": UPSTREAM_KEY}
                 for name, fake in zip(("one", "two", "three"), fakes)}
    return {"providers": providers, "models": {"m": {"targets": [f"{name}/m" for name in providers], **model}},
            **more}


def after(seconds: float):
    async def handler(answer):
        await answer.sleep(seconds)
        await by_path(answer)
    return handler


def saying(status: int, headers: dict | None = None, code: str | None = None):
    async def handler(answer):
        await answer.json(status, openai_error("not now", code=code), headers)
    return handler


def shares(fakes) -> list[int]:
    """How many chats each has got."""
    return [sum(record.method == "POST" for record in fake.records()) for fake in fakes]


def ask_all(gateway, count: int, at_once: int = 8, model: str = "m", **more) -> list[int]:
    """Statuses of so many chats."""
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        return [answer.status_code for answer in
                pool.map(lambda number: gateway.chat(model, f"question {number}", **more), range(count))]


def explain(gateway, model: str = "m", body: dict | None = None, **more) -> dict:
    answer = gateway.admin_call("POST", "/api/playground",
                                {"explain": True, "body": body or chat_body(model), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


def state(gateway, target: str) -> str:
    return next(t["state"] for t in explain(gateway)["targets"] if t["target"] == target)


def until_shares(gateway, fakes, count: int, well, seconds: float = 40, **more):
    """Chats, so many at a time, until the shares of `count` are well. Times are learnt: one answer that this machine
    holds up may decide where the next ones go, but not for ever."""
    end = time.monotonic() + seconds
    while True:
        before = shares(fakes)
        assert set(ask_all(gateway, count, **more)) == {200}
        got = [new - old for new, old in zip(shares(fakes), before)]
        if well(got):
            return
        assert time.monotonic() < end, got


def waiting(gateway) -> int:
    """How many wait for the quota of the first target."""
    quota = explain(gateway)["targets"][0]["quota"]
    return quota["waiting"] if quota else 0  # before the first request nothing is known of it


def ahead(records, began: float, rate: float) -> float:
    """By how many the requests at a provider were, at most, ahead of so many a second since then."""
    times = sorted(record.at for record in records if record.method == "POST" and record.at >= began)
    return max(count - rate * (at - began) for count, at in enumerate(times, 1))
