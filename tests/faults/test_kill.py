"""kill -9 of the gateway in the middle of answers: what was confirmed is in the ledger."""

import random
import time

import pytest

from faults.rig import EMBEDDED, STORY, Callers, alive, assert_store_is_clean, engines, needs_engine, totals
from gateway import chat_body, wait_until

KILLS = 20


def completed_upstream(fake, prefix: str) -> dict[str, dict]:
    """The fake upstream's own count: model → usage of each answer that it has written to its end."""
    return {r.json["model"]: r.usage for r in fake.records(f'"{prefix}-') if r.finished.is_set() and r.usage}


def mid_answer(gw, model: str, **more):
    """A stream of which some words have come and more are to come."""
    raw = gw.raw(timeout=60)
    raw.send(gw.request_bytes(chat_body(model, "Tell me a very long story.", stream=True, **more)))
    assert b" 200 " in raw.head()
    for _ in range(2):
        raw.read_until(b'"content"')
    return raw


@needs_engine
@pytest.mark.timeout(240)
def test_twenty_kills_in_the_middle_of_answers(config, make_gateway, fake):
    """Each answer is a model of its own name, so each has a row of its own in the ledger.

    Lower bound: every answer that a caller has whole. Upper bound: every answer that the provider wrote to
    its end. Between the two are at most the answers that were on their way to their callers."""
    chance = random.Random(20)
    settings = config()
    settings["providers"]["local"] = EMBEDDED
    settings["models"]["fast"] = {"targets": ["local/default"]}
    gw = make_gateway(settings)
    on_their_way = confirmed = 0
    for kill in range(KILLS):
        prefix = f"kill{kill}"
        held = [mid_answer(gw, "fast", **STORY), mid_answer(gw, "fake/endless")]
        children = engines(gw)
        assert len(children) == 1
        key = gw.make_key(name=prefix)  # each round has its own, so that its rows can be asked for
        with Callers(gw, prefix, key=key["key"]) as callers:
            time.sleep(0.2 + chance.random() * 0.2)
            gw.kill()
        for raw in held:
            raw.close()
        wait_until(lambda: not any(alive(pid) for pid in children), "no engine survives", timeout=5)
        wait_until(lambda: all(r.finished.is_set() for r in fake.records(f'"{prefix}-')), "the fake is idle")
        gw.start()
        assert_store_is_clean(gw)
        settled = {m.removeprefix("fake/"): row for m, row in totals(gw, key=key["id"]).items()}
        upstream = completed_upstream(fake, prefix)
        assert not callers.odd
        lost = set(callers.confirmed) - set(settled)
        assert not lost, f"kill {kill}: {len(lost)} confirmed answers are not in the ledger: {lost}"
        assert set(settled) <= set(upstream)
        for model, row in settled.items():
            assert (row["requests"], row["estimated_requests"]) == (1, 0)
            assert row["input_tokens"] == upstream[model]["prompt_tokens"]
            assert row["output_tokens"] == upstream[model]["completion_tokens"]
        confirmed += len(callers.confirmed)
        on_their_way += len(upstream) - len(callers.confirmed)
        assert len(upstream) - len(callers.confirmed) <= callers.count
    assert confirmed > KILLS * 20
    print(f"{KILLS} kills: {confirmed} confirmed answers, none lost; {on_their_way} were on their way")


def test_equal_when_nothing_is_on_its_way(config, make_gateway, fake):
    """With only unfinished answers running at the kill, ledger and provider agree to the token."""
    gw = make_gateway(config())
    with Callers(gw, "equal") as callers:
        wait_until(lambda: len(callers.confirmed) >= 100, "a hundred answers")
    held = [mid_answer(gw, "fake/endless") for _ in range(5)]
    gw.kill()
    for raw in held:
        raw.close()
    gw.start()
    settled = {m.removeprefix("fake/"): row for m, row in totals(gw).items()}
    upstream = completed_upstream(fake, "equal")
    assert set(settled) == set(upstream) == set(callers.confirmed)
    assert sum(r["input_tokens"] for r in settled.values()) == sum(u["prompt_tokens"] for u in upstream.values())
    assert sum(r["output_tokens"] for r in settled.values()) == sum(
        u["completion_tokens"] for u in upstream.values())
