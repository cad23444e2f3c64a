"""How much anybody may have: requests, tokens, requests at once and money, kept to the last one."""

import asyncio
import datetime
import itertools
import json
import threading
import time

import anthropic
import httpx
import openai
import pytest
from google.genai import errors as google_errors

from conftest import make_client, running
from fake_gemini import FakeGemini
from fake_provider import chat_chunks, chat_completion
from gateway import KEY, UPSTREAM_KEY, assert_error, chat_body, run, wait_until
from test_anthropic import anthropic_client
from test_gemini import google_client

OTHER = "sk-test-other-0123456789abcdefghijklmno"


@pytest.fixture(scope="module")
def google():
    upstream = FakeGemini().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


def policy(model: str, *limits: dict) -> dict:
    return {"name": model, "match": {"models": [model]}, "limits": list(limits)}


def settings_of(config, fake, google) -> dict:
    settings = config()
    settings["server"] = {"trusted_proxies": ["127.0.0.1"]}
    settings["providers"] |= {
        "claude": {"kind": "anthropic", "base_url": fake.url, "api_key": UPSTREAM_KEY},
        "google": {"kind": "gemini", "base_url": google.base_url, "api_key": UPSTREAM_KEY}}
    settings["models"] |= {name: {"targets": ["fake/echo"]} for name in (
        "hundred", "tokens", "burst", "address", "pair", "budget", "unpriced", "small", "soft", "again", "soft-budget")}
    settings["models"] |= {"together": {"targets": ["fake/limits-slow"]}, "never": {"targets": ["fake/limits-never"]}, "cut": {"targets": ["fake/limits-stream"]},
                           "claude": {"targets": ["claude/claude-sonnet-4-5"]},
                           "gemini": {"targets": ["google/gemini-2.5-flash"]}}
    settings["prices"] = {"models": {"fake/echo": {"input": 1000, "output": 1000}}}
    settings["keys"] = [{"name": "test", "secret": KEY, "models": ["*"], "tenant": "acme"},
                        {"name": "other", "secret": OTHER, "models": ["*"], "tenant": "globex"}]
    user, key = {"per": "user", "window": "1m"}, {"per": "key", "window": "1m"}
    settings["policies"] += [
        policy("hundred", {**user, "requests": 100}),
        policy("again", {**user, "requests": 20}),
        policy("tokens", {**key, "tokens": 400}),
        policy("burst", {**key, "requests": 120, "burst": 3}),
        policy("together", {"per": "key", "concurrent": 3}),
        policy("address", {"per": "address", "requests": 2, "window": "1m"}),
        policy("pair", {"per": ["tenant", "model"], "requests": 3, "window": "1m"},
               {"per": "all", "requests": 5, "window": "1m", "name": "the house"}),
        policy("budget", {"per": "tenant", "money": 1, "each": "month", "time_zone": "Europe/Berlin"}),
        policy("unpriced", {"per": "tenant", "money": 1, "each": "day", "unpriced": "refuse"}),
        policy("small", {**key, "tokens": 50}),
        policy("cut", {**user, "tokens": 1000}), policy("never", {**user, "tokens": 5000}),
        policy("soft", {**user, "requests": 4, "soft": 0.5}),
        policy("soft-budget", {"per": "user", "requests": 4, "each": "day", "soft": 0.5, "name": "daily four"}),
        policy("claude", {**user, "requests": 2}), policy("gemini", {**user, "requests": 2})]
    return settings


@pytest.fixture(scope="module")
def gate(config, fake, google, session_folder):
    with running(session_folder / "rate-limits", settings_of(config, fake, google)) as gateway:
        yield gateway


def flood(gate, model: str, user: str, count: int, so_many: int = 0, then=None) -> list[httpx.Response]:
    """So many at once, over as many connections as the machine lets one have. When `so_many` are answered, `then()`."""
    async def all_of_them():
        limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
        async with httpx.AsyncClient(limits=limits, timeout=60) as client:
            body = {"model": model, "user": user, "messages": [{"role": "user", "content": "hi"}]}
            headers = {"authorization": f"Bearer {KEY}"}
            asked = [asyncio.ensure_future(client.post(f"{gate.url}/v1/chat/completions", json=body, headers=headers))
                     for _ in range(count)]
            if then:
                for one in itertools.islice(asyncio.as_completed(asked), so_many):
                    await one
                then()
            return await asyncio.gather(*asked)
    return asyncio.run(all_of_them())


def codes(answers) -> dict:
    counted: dict = {}
    for answer in answers:
        counted[answer.status_code] = counted.get(answer.status_code, 0) + 1
    return counted


def test_a_hundred_of_a_thousand_pass(gate, mark):
    """At the first use of a user that nobody has seen, all at once."""
    answers = flood(gate, "hundred", mark, 1000)
    assert codes(answers) == {200: 100, 429: 900}
    refused = next(answer for answer in answers if answer.status_code == 429)
    error = refused.json()["error"]
    assert error["code"] == "rate_limit_exceeded" and "100 requests per user in 1m" in error["message"]
    assert mark not in refused.text
    assert 50 <= int(refused.headers["retry-after"]) <= 61
    assert refused.headers["x-ratelimit-limit-requests"] == "100"
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    passed = [answer for answer in answers if answer.status_code == 200]
    left = sorted(int(answer.headers["x-ratelimit-remaining-requests"]) for answer in passed)
    assert left == list(range(100)), "each one is told what was left behind it"
    assert codes(flood(gate, "hundred", mark + "-other", 10)) == {200: 10}, "nobody else is refused"


def test_it_holds_over_a_reload_and_a_new_amount_counts_on(make_gateway, config, fake, google, mark):
    settings = settings_of(config, fake, google)
    gateway = make_gateway(settings)
    assert codes(flood(gateway, "again", mark, 15)) == {200: 15}
    settings["policies"] = [{**one, "limits": [{"per": "user", "window": "1m", "requests": 30}]}
                            if one["name"] == "again" else one for one in settings["policies"]]
    gateway.write_config(settings)
    answer = gateway.admin_call("POST", "/api/reload")
    assert answer.status_code == 200, answer.text
    assert codes(flood(gateway, "again", mark, 40)) == {200: 15, 429: 25}
    row, = gateway.admin_call("GET", f"/api/limits?subject={mark}").json()["limits"]
    assert (row["limit"], row["policy"], row["used"], row["most"]) == ("30 requests per user in 1m", "again", 30, 30)


def test_official_clients_see_their_own_rate_limit_error(gate, mark):
    with make_client(gate, max_retries=0) as client:
        def chat():
            return client.chat.completions.with_raw_response.create(
                model="address", messages=[{"role": "user", "content": "hi"}])
        assert [chat().status_code for _ in range(2)] == [200, 200]
        with pytest.raises(openai.RateLimitError) as caught:
            chat()
        assert caught.value.code == "rate_limit_exceeded"
    claude = anthropic_client(gate.url)
    def message():
        return claude.messages.with_raw_response.create(
            model="claude", max_tokens=20, metadata={"user_id": mark},
            messages=[{"role": "user", "content": "hi"}])
    heads = [message().headers for _ in range(2)]
    assert [head["anthropic-ratelimit-requests-remaining"] for head in heads] == ["1", "0"]
    assert heads[0]["anthropic-ratelimit-requests-reset"].endswith("Z")
    with pytest.raises(anthropic.RateLimitError):
        message()
    gemini = google_client(gate.url)
    for _ in range(2):
        assert gemini.models.generate_content(model="gemini", contents="hi").text
    with pytest.raises(google_errors.ClientError) as refused:
        gemini.models.generate_content(model="gemini", contents="hi")
    assert refused.value.code == 429 and refused.value.status == "RESOURCE_EXHAUSTED"


def test_heads_are_those_of_the_ietf_too(gate, mark):
    answer = gate.chat("soft", "hi", user=mark)
    assert answer.headers["ratelimit-policy"] == '"4 requests per user in 1m";q=4;w=60'
    name, left, resets = answer.headers["ratelimit"].split(";")
    assert name == '"4 requests per user in 1m"' and left == "r=3" and 55 <= int(resets[2:]) <= 61


def test_a_budget_that_is_nearly_spent_is_an_alert(gate, mark):
    def alerts():
        return [alert for alert in gate.admin_call("GET", "/api/alerts").json()["active"]
                if alert["rule"] == "budget_nearly_spent"]

    assert gate.chat("soft-budget", "hi", user=mark).status_code == 200
    time.sleep(2.5)  # rules are looked at every two seconds
    assert not alerts()
    for _ in range(2):
        assert gate.chat("soft-budget", "hi", user=mark).status_code == 200
    wait_until(alerts, "the alert")
    alert, = alerts()
    assert alert["group"] == f"budget daily four of {mark}"
    tomorrow = (datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT00:00:00Z")
    assert alert["summary"] == f'Budget "daily four" of {mark} is nearly spent; it is new at {tomorrow}'
    assert alert["summary"] in gate.cli("alerts").stdout


def test_users_are_counted_within_their_tenant(gate, mark):
    for _ in range(4):
        assert gate.chat("soft", "hi", user=mark).status_code == 200
    assert gate.chat("soft", "hi", user=mark).status_code == 429
    body = {"model": "soft", "user": mark, "messages": [{"role": "user", "content": "hi"}]}
    assert gate.post("/v1/chat/completions", body, key=OTHER).status_code == 200  # of another tenant


def test_a_limit_without_a_name_is_its_policys_own(gate, mark):
    for _ in range(2):
        assert gate.chat("claude", "hi", user=mark).status_code == 200
    assert gate.chat("claude", "hi", user=mark).status_code == 429
    assert gate.chat("gemini", "hi", user=mark).status_code == 200  # the same words in another policy
    rows = gate.admin_call("GET", f"/api/limits?subject={mark}").json()["limits"]
    assert {(row["policy"], row["used"]) for row in rows} == {("claude", 2), ("gemini", 1)}


def test_what_is_larger_than_a_budget_is_told_so(gate):
    answer = gate.chat("budget", "hi", max_tokens=1_000_000)
    error = assert_error(answer, 429, "request_above_limit")
    assert "max_tokens" in error["message"] and "retry-after" not in answer.headers


def test_a_refusal_says_whether_less_would_do(gate):
    while int(gate.chat("tokens", "word " * 30, key=OTHER, max_tokens=10).headers["x-ratelimit-remaining-tokens"]) > 340:
        pass
    refused = gate.chat("tokens", "hi", key=OTHER, max_tokens=350)
    assert "ask for less" in assert_error(refused, 429, "rate_limit_exceeded")["message"]
    assert int(refused.headers["x-ratelimit-remaining-tokens"]) > 200
    assert gate.chat("tokens", "hi", key=OTHER, max_tokens=100).status_code == 200


def test_of_two_limits_of_tokens_the_larger_is_reserved(gate):
    for body in ({"max_completion_tokens": 5000, "max_tokens": 1}, {"max_tokens": 1, "max_completion_tokens": 5000}):
        answer = gate.chat("tokens", "hi", **body)
        assert_error(answer, 429, "request_above_limit")


def test_a_user_is_not_a_key_of_that_name(gate):
    for _ in range(5):
        gate.chat("soft", "hi", user="key config:other")
    body = {"model": "soft", "messages": [{"role": "user", "content": "hi"}]}
    assert gate.post("/v1/chat/completions", body, key=OTHER).status_code == 200


def test_names_do_nothing_to_a_terminal(gate):
    name = "\x1b[2Jfake\r\nrow \x9b31m"
    assert gate.chat("soft", "hi", user=name).status_code == 200
    shown = gate.cli("limits", "--subject", "fake").stdout
    assert "?[2Jfake??row ?31m" in shown and "\x1b" not in shown and "\x9b" not in shown


def test_who_leaves_before_the_answer_has_used_the_prompt(gate, fake, mark):
    started = threading.Event()

    async def never(answer):
        started.set()
        await answer.sleep(20)
    fake.on("limits-never", never)
    with gate.raw() as raw:
        raw.send(gate.request_bytes(chat_body("never", "word " * 400, user=mark, max_tokens=50)))
        assert started.wait(20)
    def used():
        rows = gate.admin_call("GET", f"/api/limits?subject={mark}").json()["limits"]
        return rows and rows[0]["reserved"] == 0 and rows[0]["used"]
    wait_until(used, "it is settled")
    assert 300 < used() < 800


def test_who_may_not_have_one_more_has_none_left(gate):
    answers = (gate.chat("burst", "hi", key=OTHER) for _ in range(100))  # three at once, and two a second
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.headers["x-ratelimit-remaining-requests"] == "0"
    assert "r=0" in refused.headers["ratelimit"]


def test_tokens_are_reserved_and_settled(gate, fake, mark):
    first = gate.chat("tokens", "hi", max_tokens=300)
    assert first.status_code == 200
    # 300 were reserved, a few were used: the next one has room again.
    used = first.json()["usage"]["total_tokens"]
    second = gate.chat("tokens", "hi", max_tokens=300)
    assert second.status_code == 200, second.text
    rows = gate.admin_call("GET", "/api/limits?limit=400 tokens per key in 1m&subject=config:test").json()["limits"]
    assert rows[0]["used"] == used + second.json()["usage"]["total_tokens"] and rows[0]["reserved"] == 0
    assert int(second.headers["x-ratelimit-remaining-tokens"]) < 100
    too_large = gate.chat("tokens", "hi", max_tokens=500)
    assert too_large.status_code == 429 and too_large.json()["error"]["code"] == "request_above_limit"
    assert too_large.headers["x-should-retry"] == "false"


def test_a_stream_that_is_cut_gives_back_what_it_did_not_use(gate, fake, mark):
    async def slowly(answer):
        await answer.stream_head()
        for event in chat_chunks(answer.request)[:3]:
            await answer.event(event)
        await answer.sleep(30)
    fake.on("limits-stream", slowly)
    body = {"model": "cut", "user": mark, "stream": True, "max_tokens": 900,
            "messages": [{"role": "user", "content": "hello there"}]}
    for _ in range(5):  # reserved they would be 4,500 of 1,000
        with httpx.stream("POST", f"{gate.url}/v1/chat/completions", json=body, timeout=10,
                          headers={"authorization": f"Bearer {KEY}"}) as answer:
            assert answer.status_code == 200
            next(answer.iter_bytes())
        def given_back():
            rows = gate.admin_call("GET", f"/api/limits?subject={mark}").json()["limits"]
            return rows[0]["reserved"] == 0 and rows[0]
        row = wait_until(given_back)
        assert 0 < row["used"] < 200, "estimated, since the provider told nothing"


def test_so_many_at_once(gate, fake, mark):
    others_refused = threading.Event()

    async def slowly(answer):
        end = time.monotonic() + 20
        while not others_refused.is_set() and time.monotonic() < end:
            await answer.sleep(0.02)
        await answer.json(200, chat_completion(answer.request))
    fake.on("limits-slow", slowly)
    answers = flood(gate, "together", mark, 12, so_many=9, then=others_refused.set)
    assert codes(answers) == {200: 3, 429: 9}
    assert "at the same time" in next(a for a in answers if a.status_code == 429).json()["error"]["message"]
    # A place is given back behind the answer.
    wait_until(lambda: codes(flood(gate, "together", mark, 3)) == {200: 3}, "they have ended")


def test_a_burst_and_then_one_after_the_other(gate, mark):
    began = time.monotonic()
    answers = [gate.chat("burst", "hi") for _ in range(5)]
    took = time.monotonic() - began
    passed = codes(answers)[200]
    assert 3 <= passed <= 3 + int(took / 0.5) + 1
    if passed < 5:
        time.sleep(0.6)
        assert gate.chat("burst", "hi").status_code == 200


def test_addresses_behind_a_trusted_proxy(gate, mark):
    def ask(address: str) -> int:
        return gate.chat("address", "hi", headers={"x-forwarded-for": address}).status_code
    assert [ask("203.0.113.7") for _ in range(3)] == [200, 200, 429]
    assert ask("203.0.113.8") == 200
    assert [ask("2001:db8:1:2::5"), ask("2001:db8:1:2::6"), ask("2001:db8:1:2::7")] == [200, 200, 429], "one network"
    assert ask("6.6.6.6, 203.0.113.7") == 429, "what a caller writes in front counts for nothing"


def test_several_limits_and_combinations(gate, mark):
    assert [gate.chat("pair", "hi").status_code for _ in range(4)] == [200, 200, 200, 429]
    answers = [gate.chat("pair", "hi", key=OTHER) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert '"the house"' in answers[-1].json()["error"]["message"]


def test_what_is_refused_otherwise_uses_nothing_up(gate, mark):
    for _ in range(3):
        assert gate.post("/v1/chat/completions", {"model": "hundred", "user": mark, "messages": []}).status_code == 400
    answer = gate.chat("hundred", "hi", user=mark)
    assert answer.headers["x-ratelimit-remaining-requests"] == "99"


def test_money_to_the_micro_unit_over_kill(make_gateway, config, fake, google, mark):
    gateway = make_gateway(settings_of(config, fake, google))
    spent, refused, stop = [], [], threading.Event()

    def spend():
        while not stop.is_set() and not refused:
            try:
                answer = gateway.chat("budget", "word " * 10, max_tokens=20)
            except httpx.HTTPError:
                return
            (spent if answer.status_code == 200 else refused).append(answer)

    threads = [threading.Thread(target=spend) for _ in range(4)]
    [thread.start() for thread in threads]
    wait_until(lambda: len(spent) >= 5, timeout=20)
    gateway.process.kill()
    gateway.wait()
    stop.set()
    [thread.join() for thread in threads]
    gateway.start()
    told = sum(round(float(answer.headers["x-causeway-cost"]) * 1e6) for answer in spent)
    stop.clear()
    answer = gateway.chat("budget", "one more", max_tokens=5)
    spent.append(answer)

    def ledger():
        rows = gateway.admin_call("GET", "/api/usage?by=tenant&model=budget").json()["usage"]
        return round(rows[0]["cost"] * 1e6) if rows else 0
    def budget():
        rows = gateway.admin_call("GET", "/api/limits?subject=acme").json()["limits"]
        return next(row for row in rows if row["amount"] == "money")
    wait_until(lambda: ledger() == round(budget()["used"] * 1e6))
    assert ledger() >= told, "what a caller has was counted before"
    assert budget()["reserved"] == 0
    while answer.status_code == 200:
        answer = gateway.chat("budget", "word " * 100, max_tokens=50)
    error = answer.json()["error"]
    assert answer.status_code == 429 and error["code"] == "insufficient_quota"
    assert "1 money per tenant each month" in error["message"] and answer.headers["x-should-retry"] == "false"
    assert budget()["used"] <= 1, "no answer came to more than was reserved for it"
    assert gateway.chat("budget", "hi", key=OTHER).status_code == 200


def test_a_model_without_a_price(gate, mark):
    settings_free = gate.chat("unpriced", "hi")
    assert settings_free.status_code == 200, "echo has a price"


def test_who_is_near_the_end(gate, mark):
    for _ in range(3):
        gate.chat("soft", "hi", user=mark)
    shown = gate.cli("limits", "--subject", mark)
    assert shown.returncode == 0 and "75 %" in shown.stdout and mark in shown.stdout
    assert "No row matches" in gate.cli("limits", "--subject", "nobody-" + mark).stdout
    near = gate.admin_call("GET", f"/api/limits?near=0.8&subject={mark}").json()
    assert near["limits"] == [] and near["complete"] is True
    wait_until(lambda: "limits: near the end" in gate.stderr() and mark in gate.stderr())
    assert gate.admin_call("GET", "/api/limits?near=2").status_code == 400
    assert gate.admin_call("GET", "/api/limits?nir=1").status_code == 400
    assert gate.metrics().value("causeway_limits_refused_total", limit="100 requests per user in 1m") >= 900


def test_one_name_is_one_limit(tmp_path):
    file = tmp_path / "causeway.yaml"
    def check(most: int):
        limits = [{"name": "house", "per": "all", "requests": requests, "window": "1m"} for requests in (3, most)]
        file.write_text(json.dumps({"policies": [{"name": "x", "limits": limits[:1]}, {"name": "y", "limits": limits[1:]}]}))
        return run("check", str(file))
    assert check(3).returncode == 0
    done = check(4)
    assert done.returncode != 0 and '"house"' in done.stdout + done.stderr


def test_more_limits_than_are_looked_at_are_told(tmp_path):
    """None of them is left out in silence."""
    file = tmp_path / "causeway.yaml"
    def check(count: int):
        limits = [{"requests": 5 + i, "window": "1m"} for i in range(count)]
        file.write_text(json.dumps({"policies": [{"name": "x", "limits": limits}]}))
        return run("check", str(file))
    assert check(12).returncode == 0
    done = check(13)
    assert done.returncode != 0 and "12" in done.stdout + done.stderr


@pytest.mark.parametrize("limit, words", [
    ({"requests": 5}, "window"), ({"requests": 5, "tokens": 5, "window": "1m"}, "one of"),
    ({"requests": 5, "window": "1m", "each": "day"}, "window"), ({"requests": 5, "window": "2h"}, "1h"),
    ({"concurrent": 5, "window": "1m"}, "no window"), ({"tokens": 5, "window": "1m", "burst": 2}, "burst"),
    ({"money": 0, "each": "day"}, "money"), ({"money": 1, "each": "day", "time_zone": "Mars/Base"}, "IANA"),
    ({"requests": 5, "window": "1m", "per": "planet"}, "planet")])
def test_wrong_settings_are_told(tmp_path, limit, words):
    file = tmp_path / "causeway.yaml"
    file.write_text(json.dumps({"policies": [{"name": "x", "limits": [limit]}]}))
    done = run("check", str(file))
    assert done.returncode != 0 and words in done.stdout + done.stderr
