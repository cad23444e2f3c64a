"""Tokens and money: what the provider reported is what the totals say, and nothing confirmed is lost."""

import concurrent.futures
import json
import re
import time

import pytest

from conftest import make_client
from fake_provider import chat_completion
from gateway import chat_body, wait_until

PRICES = {"models": {"echo": {"input": "2.00", "output": "8.00"}}}  # per million tokens
ASK = [{"role": "user", "content": "a b c"}]


def settled(gw, requests, **match):
    """The row once it counts that many requests; /api/usage only confirms what is durable."""
    def look():
        row = gw.usage_of(**match)
        return row if row and row["requests"] >= requests else None
    row = wait_until(look, f"{requests} requests of {match}", timeout=20)
    assert row["requests"] == requests, row
    return row


def test_totals_are_what_was_reported(config, make_gateway, fake, mark):
    gw = make_gateway(config())
    key = gw.make_key(name="shop", tenant="acme")
    client = make_client(gw, key["key"])
    for i in range(5):
        client.chat.completions.create(model="echo", messages=[{"role": "user", "content": f"{mark} " + "w " * i}])
        list(client.chat.completions.create(model="echo", stream=True,
                                            messages=[{"role": "user", "content": f"{mark} " + "s " * i}]))
    client.embeddings.create(model="embed", input=[mark, "two words"])
    client.completions.create(model="org/deep/model", prompt=mark)
    records = fake.records(mark)
    assert len(records) == 12
    for model, path, count in (("echo", "/v1/chat/completions", 10), ("embed", "/v1/embeddings", 1),
                               ("org/deep/model", "/v1/completions", 1)):
        row = settled(gw, count, model=model, key="shop")
        reported = [r.usage for r in records if r.target == path]
        assert row["input_tokens"] == sum(u["prompt_tokens"] for u in reported), model
        assert row["output_tokens"] == sum(u.get("completion_tokens", 0) for u in reported), model
        assert row["estimated_requests"] == 0
        assert row["tenant"] == "acme" and row["key_id"] == key["id"]
        assert row["day"] == time.strftime("%Y-%m-%d", time.gmtime())


def test_kinds_of_tokens(config, make_gateway, fake):
    """Cached and reasoning tokens are part of what OpenAI sums up; each is counted once."""
    async def detailed(answer):
        usage = {"prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150,
                 "prompt_tokens_details": {"cached_tokens": 60, "audio_tokens": 0},
                 "completion_tokens_details": {"reasoning_tokens": 30, "audio_tokens": 0}}
        await answer.json(200, {**chat_completion(answer.request), "usage": usage})

    fake.on("detailed", detailed)
    gw = make_gateway(config())
    assert gw.chat("fake/detailed").status_code == 200
    row = settled(gw, 1, model="fake/detailed")
    assert row["input_tokens"] == 100 and row["cache_read_tokens"] == 60
    assert row["output_tokens"] == 50 and row["reasoning_tokens"] == 30


def test_cost(config, make_gateway, fake, mark):
    """Exact to the micro-unit, in integers."""
    settings = config()
    settings["prices"] = PRICES
    gw = make_gateway(settings)
    answer = gw.chat("echo", mark + " b c")
    usage = answer.json()["usage"]
    row = settled(gw, 1, model="echo")
    micros = usage["prompt_tokens"] * 2 + usage["completion_tokens"] * 8
    assert round(float(row["cost"]) * 1_000_000) == micros
    line = gw.log_of(answer.headers["x-request-id"])
    assert round(float(line["cost"]) * 1_000_000) == micros


def test_cost_in_the_head_and_in_the_usage_of_a_stream(config, make_gateway):
    """Told with the answer itself; the official client finds the further member and minds it not."""
    settings = config()
    settings["prices"] = PRICES
    gw = make_gateway(settings)
    with make_client(gw) as client:
        raw = client.chat.completions.with_raw_response.create(model="echo", messages=ASK)
        usage = raw.parse().usage
        assert round(float(raw.headers["x-causeway-cost"]) * 1_000_000) \
            == usage.prompt_tokens * 2 + usage.completion_tokens * 8
        assert 0 < float(raw.headers["x-causeway-overhead-ms"]) < 1000
        assert not hasattr(usage, "cost")  # bytes that nobody touched
        *before, last = client.chat.completions.create(
            model="echo", messages=ASK, stream=True, stream_options={"include_usage": True})
        assert all(event.usage is None for event in before)
        micros = last.usage.prompt_tokens * 2 + last.usage.completion_tokens * 8
        assert round(last.usage.cost * 1_000_000) == micros
        plain = list(client.chat.completions.create(model="echo", messages=ASK, stream=True))
        assert all(event.usage is None for event in plain)
    wanted = gw.chat_stream("echo", "a b c", stream_options={"include_usage": True})
    assert list(wanted.usages[0])[0] == "cost"


def test_unpriced_is_absent_not_zero(config, make_gateway):
    gw = make_gateway(config())
    answer = gw.chat("echo")
    row = settled(gw, 1, model="echo")
    assert row.get("cost") is None
    assert "x-causeway-cost" not in answer.headers
    assert "cost" not in gw.chat_stream("echo", stream_options={"include_usage": True}).usages[0]
    assert gw.log_of(answer.headers["x-request-id"]).get("cost") is None


def test_catalogue_prices_known_models(config, make_gateway, fake):
    """A model of the public price list costs something without any setting."""
    settings = config()
    settings["providers"]["openai"] = settings["providers"].pop("fake")
    settings["models"] = {"smart": {"targets": ["openai/gpt-4.1"]}}
    gw = make_gateway(settings)
    assert gw.chat("smart").status_code == 200
    assert float(settled(gw, 1, model="smart")["cost"]) > 0


def test_cut_stream_is_accounted_and_marked_estimated(config, make_gateway, fake, mark):
    """The client hangs up before the usage comes: tokens are estimated, never zero, and say so."""
    gw = make_gateway(config())
    raw = gw.raw()
    raw.send(gw.request_bytes(chat_body("fake/endless", f"{mark} three words", stream=True)))
    for _ in range(10):
        raw.read_until(b'"word "')
    raw.close()
    row = settled(gw, 1, model="fake/endless")
    assert row["estimated_requests"] == 1
    assert row["input_tokens"] >= 2 and row["output_tokens"] >= 5


def test_upstream_cut_is_accounted_and_marked_estimated(config, make_gateway):
    gw = make_gateway(config())
    gw.chat_stream("fake/cut-mid-stream", "a b c")
    row = settled(gw, 1, model="fake/cut-mid-stream")
    assert row["estimated_requests"] == 1 and row["output_tokens"] >= 1


def test_provider_that_reports_nothing_is_estimated(config, make_gateway):
    gw = make_gateway(config())
    assert gw.chat("fake/no-usage", "a b c").status_code == 200
    assert gw.chat_stream("fake/no-usage", "a b c").done
    row = settled(gw, 2, model="fake/no-usage")
    assert row["estimated_requests"] == 2
    assert row["input_tokens"] > 0 and row["output_tokens"] > 0


def test_reported_zero_is_zero(config, make_gateway, fake):
    async def zero(answer):
        await answer.json(200, {**chat_completion(answer.request), "usage": {
            "prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}})

    fake.on("zero", zero)
    gw = make_gateway(config())
    gw.chat("fake/zero")
    row = settled(gw, 1, model="fake/zero")
    assert (row["input_tokens"], row["output_tokens"], row["estimated_requests"]) == (0, 0, 0)


def test_failures_cost_nothing(config, make_gateway):
    """Refused by us or failed at the provider: no tokens."""
    gw = make_gateway(config())
    for model in ("fake/s500", "fake/s429", "fake/garbage", "no-such"):
        gw.chat(model)
    gw.chat("echo", key="sk-wrong")
    gw.chat("echo")
    settled(gw, 1, model="echo")
    assert sum(r["input_tokens"] + r["output_tokens"] for r in gw.usage_rows() if r["model"] != "echo") == 0


def test_fallback_counts_once_at_the_target_that_answered(config, make_gateway, fake, mark):
    settings = config()
    settings["models"]["two"] = {"strategy": "fallback", "targets": ["fake/s500", "fake/echo"]}
    gw = make_gateway(settings)
    gw.chat("two", mark + " b")
    row = settled(gw, 1, model="two")
    assert row["input_tokens"] == 2


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_nothing_confirmed_is_lost(config, make_gateway, fake, mark, end):
    """What /api/usage has shown is there after kill -9; after SIGTERM everything is."""
    gw = make_gateway(config())
    for i in range(30):
        assert gw.chat("echo", mark).status_code == 200
    if end == "kill":
        before = settled(gw, 30, model="echo")
    else:
        before = None
    getattr(gw, end)()
    gw.start()
    after = settled(gw, 30, model="echo")
    if before:
        assert after == before
    assert after["input_tokens"] == 30


def test_kill_in_the_middle_of_load_loses_nothing_confirmed(config, make_gateway, fake, mark):
    """Five kills while requests run: each time at least what was shown, never more than was sent."""
    gw = make_gateway(config())
    sent = 0
    for _ in range(5):
        for _ in range(20):
            assert gw.chat("echo", mark).status_code == 200
            sent += 1
        row = gw.usage_of(model="echo")
        shown = row["requests"] if row else 0
        gw.kill()
        gw.start()
        row = wait_until(lambda: gw.usage_of(model="echo"), "usage after the kill")
        assert shown <= row["requests"] <= sent
    # A killed process loses nothing: its journal is memory that the kernel keeps.
    assert settled(gw, sent, model="echo")["input_tokens"] == sent


def test_usage_verb(config, make_gateway):
    gw = make_gateway(config())
    gw.chat("echo", "a b")
    row = settled(gw, 1, model="echo")
    out = gw.cli("usage", "--json")
    assert out.returncode == 0, out.stderr
    rows = json.loads(out.stdout)["usage"]
    assert [r for r in rows if r["model"] == "echo"] == [row]
    table = gw.cli("usage").stdout
    assert "echo" in table and "test" in table
    assert "STORED" not in table and "MINIMISED" not in table, "nothing was"
    assert "SPARED-TOKENS" in gw.cli("usage", "--help").stdout


def test_usage_table_shows_what_stored_answers_spared(config, make_gateway):
    value = config()
    value["policies"] = [{"name": "all", "cache": "on"}]
    value["prices"] = {"currency": "EUR", "models": {"echo": {"input": 1000, "output": 1000}}}
    gw = make_gateway(value)
    first, again = gw.chat("echo", "a b"), gw.chat("echo", "a b")
    assert again.headers["x-causeway-cache"] == "exact"
    row = settled(gw, 2, model="echo")
    head, line = (re.split(r"\s{2,}", line.strip()) for line in
                  gw.cli("usage", "--by", "model").stdout.splitlines()[:2])
    shown = dict(zip(head, line))
    tokens = first.json()["usage"]["total_tokens"]
    assert shown["STORED"] == "1" and shown["SPARED-TOKENS"] == str(tokens) == str(row["cached_tokens"]), shown
    assert float(shown["SPARED-COST"]) == row["cost_saved"] == float(first.headers["x-causeway-cost"]) > 0
    assert float(shown["COST EUR"]) == row["cost"]
    assert len("  ".join(head)) < 100 and "CACHED" not in head and "SAVED" not in head


def test_usage_shows_soon(config, make_gateway):
    """Folded once a second: a finished request shows within two."""
    gw = make_gateway(config())
    gw.chat("echo")
    start = time.monotonic()
    settled(gw, 1, model="echo")
    assert time.monotonic() - start < 8  # two, on a free machine


def test_concurrent_requests_add_up(config, make_gateway, fake, mark):
    gw = make_gateway(config())
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda i: gw.chat("echo", f"{mark} {i}"), range(200)))
    assert all(a.status_code == 200 for a in answers)
    row = settled(gw, 200, model="echo")
    assert row["input_tokens"] == sum(r.usage["prompt_tokens"] for r in fake.records(mark)) == 400
