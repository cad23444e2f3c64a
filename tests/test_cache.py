"""Answers that are kept and given again: what the provider is asked, and what each caller gets."""

import asyncio
import json
import time

import httpx
import pytest

from conftest import make_client, running
from fake_gemini import FakeGemini
from fake_provider import chat_completion
from gateway import KEY, UPSTREAM_KEY, run, wait_until
from test_anthropic import anthropic_client
from test_gemini import google_client

OTHER = "sk-test-other-0123456789abcdefghijklmno"
TEENY = "sk-test-teeny-0123456789abcdefghijklmno"


@pytest.fixture(scope="module")
def google():
    upstream = FakeGemini().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


@pytest.fixture(scope="module")
def gate(config, fake, google, session_folder):
    settings = config()
    settings["providers"] |= {
        "claude": {"kind": "anthropic", "base_url": fake.url, "api_key": UPSTREAM_KEY},
        "google": {"kind": "gemini", "base_url": google.base_url, "api_key": UPSTREAM_KEY}}
    settings["models"] |= {
        "kept": {"targets": ["fake/echo"]}, "short": {"targets": ["fake/echo"]},
        "own": {"targets": ["fake/echo"]}, "tools": {"targets": ["fake/echo"]},
        "masked": {"targets": ["fake/echo"]}, "slow": {"targets": ["fake/cache-slow"]},
        "vectors": {"targets": ["fake/text-embedding-fake"]}, "meant": {"targets": ["fake/echo"]},
        "topics": {"targets": ["fake/cache-topics"]}, "meant-masked": {"targets": ["fake/echo"]},
        "reported": {"targets": ["fake/echo"]}, "never": {"targets": ["fake/echo"]},
        "claude": {"targets": ["claude/claude-sonnet-4-5"]}, "gemini": {"targets": ["google/gemini-2.5-flash"]}}
    settings["prices"] = {"models": {"fake/echo": {"input": 10, "output": 20}}}
    settings["keys"] = [
        {"name": "test", "secret": KEY, "models": ["*"], "tenant": "acme"},
        {"name": "colleague", "secret": OTHER, "models": ["*"], "tenant": "acme"},
        {"name": "stranger", "secret": TEENY, "models": ["*"], "tenant": "globex"}]
    settings["policies"] = [
        {"name": "short", "match": {"models": ["short"]}, "cache": {"on": True, "ttl": "3s"}},
        {"name": "own", "match": {"models": ["own"]}, "cache": {"on": True, "scope": "user"}},
        {"name": "masked", "match": {"models": ["masked"]}, "pii": "mask", "cache": "on"},
        {"name": "reported", "match": {"models": ["reported"]}, "pii": "report", "cache": "on"},
        {"name": "meant", "match": {"models": ["meant"]},
         "cache": {"on": True, "meaning": {"model": "topics", "threshold": 0.9}}},
        {"name": "meant-masked", "match": {"models": ["meant-masked"]}, "pii": "mask",
         "cache": {"on": True, "meaning": {"model": "topics", "threshold": 0.9}}},
        {"name": "never", "match": {"models": ["never"]}, "cache": "off"},
        {"name": "all", "cache": "on"}]
    with running(session_folder / "cache", settings) as gateway:
        yield gateway


def ask(gate, model: str, text: str, key: str = KEY, headers: dict | None = None, **more) -> httpx.Response:
    body = {"model": model, "messages": [{"role": "user", "content": text}], **more}
    return post(gate, body, {"authorization": f"Bearer {key}", **(headers or {})})


def post(gate, body: dict, headers: dict) -> httpx.Response:
    """`verify`: it is plain http; else each call reads all certificates there are, which takes 20 ms of CPU."""
    return httpx.post(f"{gate.url}/v1/chat/completions", json=body, timeout=30, verify=False, headers=headers)


def said(answer: httpx.Response) -> str:
    assert answer.status_code == 200, answer.text
    return answer.headers["x-causeway-cache"]


def usage(gate, model: str) -> dict:
    rows = gate.admin_call("GET", f"/api/usage?by=model&model={model}").json()["usage"]
    return rows[0] if rows else {}


def test_the_same_question_is_asked_once(gate, fake, mark):
    first, again = ask(gate, "kept", mark), ask(gate, "kept", mark)
    assert said(first) == "miss" and said(again) == "exact"
    assert again.content == first.content
    assert int(again.headers["age"]) <= 2
    assert float(again.headers["x-causeway-cost"]) == 0
    assert float(first.headers["x-causeway-cost"]) > 0
    assert again.headers["x-causeway-provider"] == "fake"
    assert len(fake.records(mark)) == 1
    assert again.headers["x-request-id"] != first.headers["x-request-id"]


def test_official_clients_get_streams_as_streams(gate, fake, mark):
    with make_client(gate) as client:
        def stream():
            pieces = list(client.chat.completions.create(
                model="kept", stream=True, stream_options={"include_usage": True},
                messages=[{"role": "user", "content": f"a few words {mark}"}]))
            return [piece.model_dump() for piece in pieces]
        first, again = stream(), stream()
    assert len(first) > 3 and [p["choices"] for p in again] == [p["choices"] for p in first]
    assert again[-1]["usage"]["completion_tokens"] == first[-1]["usage"]["completion_tokens"]
    assert again[-1]["usage"]["cost"] == 0
    assert len(fake.records(mark)) == 1


def test_in_every_dialect(gate, fake, google, mark):
    client = anthropic_client(gate.url)
    def message():
        return client.messages.create(model="claude", max_tokens=50,
                                      messages=[{"role": "user", "content": mark}])
    assert message().content == message().content
    assert len(fake.records(mark)) == 1
    client = google_client(gate.url)
    def generated(stream: bool):
        call = client.models.generate_content_stream if stream else client.models.generate_content
        answer = call(model="gemini", contents=f"gemini {mark} {stream}")
        return "".join(piece.text or "" for piece in answer) if stream else answer.text
    for stream in (False, True):
        assert generated(stream) == generated(stream)
        assert len(google.records(f"gemini {mark} {stream}")) == 1


def test_translated_answers(gate, fake, mark):
    """The application speaks OpenAI's dialect, the provider Anthropic's."""
    first, again = (ask(gate, "claude", f"translated {mark}", max_tokens=50) for _ in range(2))
    assert [said(first), said(again)] == ["miss", "exact"]
    assert again.json()["choices"] == first.json()["choices"]
    assert len(fake.records(f"translated {mark}")) == 1


def test_embeddings(gate, fake, mark):
    with make_client(gate) as client:
        vectors = [client.embeddings.create(model="vectors", input=[mark, "b"]).data[0].embedding
                   for _ in range(2)]
    assert vectors[0] == vectors[1]
    assert len(fake.records(mark)) == 1


def test_another_tenant_never_gets_it(gate, fake, mark):
    assert said(ask(gate, "kept", mark)) == "miss"
    assert said(ask(gate, "kept", mark, key=OTHER)) == "exact", "a colleague of the same tenant does"
    assert said(ask(gate, "kept", mark, key=TEENY)) == "miss"
    assert len(fake.records(mark)) == 2


def test_a_user_of_its_own_scope_never_gets_anothers(gate, fake, mark):
    assert said(ask(gate, "own", mark, user="ann")) == "miss"
    assert said(ask(gate, "own", mark, user="ann")) == "exact"
    assert said(ask(gate, "own", mark, user="bob")) == "miss"
    assert said(ask(gate, "own", mark)) == "miss"
    assert len(fake.records(mark)) == 3


def test_cache_control_is_obeyed(gate, fake, mark):
    def control(value):
        return ask(gate, "kept", mark, headers={"cache-control": value})
    refused = control("only-if-cached")
    assert refused.status_code == 504 and refused.json()["error"]["code"] == "not_cached"
    for both in ("no-cache, only-if-cached", "only-if-cached, no-store"):
        refused = control(both)
        assert refused.status_code == 504 and refused.json()["error"]["code"] == "not_cached", both
    hot = ask(gate, "kept", mark, headers={"cache-control": "only-if-cached"}, temperature=1.9)
    assert hot.status_code == 504, "nothing is kept of these"
    assert not fake.records(mark)
    assert "x-causeway-cache" not in control("no-store").headers
    assert said(ask(gate, "kept", mark)) == "miss", "no-store kept nothing"
    assert said(control("no-cache")) == "miss"
    assert said(control("only-if-cached")) == "exact"
    time.sleep(1.1)
    assert said(control("max-age=1")) == "miss", "it was older"
    assert said(control("max-age=100")) == "exact"
    assert len(fake.records(mark)) == 4


def test_a_stale_answer_is_asked_again(gate, fake, mark):
    assert said(ask(gate, "short", mark)) == "miss"
    made = time.monotonic()
    assert said(ask(gate, "short", mark)) == "exact"
    time.sleep(made + 3.1 - time.monotonic())
    assert said(ask(gate, "short", mark)) == "miss"


def test_what_is_not_kept(gate, fake, mark):
    hot = [ask(gate, "kept", mark, temperature=1.5) for _ in range(2)]
    assert not any("x-causeway-cache" in answer.headers for answer in hot)
    assert "x-causeway-cache" not in ask(gate, "never", mark).headers
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    called = [ask(gate, "tools", f"tools {mark}", tools=tools, tool_choice="required") for _ in range(2)]
    assert [answer.json()["choices"][0]["finish_reason"] for answer in called] == ["tool_calls"] * 2
    assert [said(answer) for answer in called] == ["miss"] * 2


def test_personal_data_is_restored_for_each_reader(gate, fake, mark):
    """Masked, two customers ask the same; each gets the own address back, from one answer that is kept."""
    first = ask(gate, "masked", f"repeat {mark}: ann.lee@example.com")
    again = ask(gate, "masked", f"repeat {mark}: bob.roy@example.org", key=OTHER)
    assert [said(first), said(again)] == ["miss", "exact"]
    content = again.json()["choices"][0]["message"]["content"]
    assert "bob.roy@example.org" in content and "ann.lee" not in again.text
    assert "ann.lee@example.com" in first.json()["choices"][0]["message"]["content"]
    assert len(fake.records(mark)) == 1


def test_personal_data_that_goes_on_in_clear_is_not_kept(gate, fake, mark):
    answers = [ask(gate, "reported", f"repeat {mark}: ann.lee@example.com") for _ in range(2)]
    assert not any("x-causeway-cache" in answer.headers for answer in answers)
    assert len(fake.records(mark)) == 2
    assert said(ask(gate, "reported", f"nothing in it {mark}")) == "miss"


@pytest.fixture(scope="module")
def topics(fake):
    """An embedding model to which all that is about one thing is the same, whatever is said of it."""
    things = ["refund", "delivery", "password", "invoice"]

    async def embed(answer):
        inputs = answer.request["input"]
        rows = []
        for i, text in enumerate([inputs] if isinstance(inputs, str) else inputs):
            vector = [0.01] * 8
            for at, thing in enumerate(things):
                vector[at] = 1.0 if thing in text.lower() else 0.01
            rows.append({"object": "embedding", "index": i, "embedding": vector})
        await answer.json(200, {"object": "list", "data": rows, "model": "topics",
                                "usage": {"prompt_tokens": 3, "total_tokens": 3}})
    fake.on("cache-topics", embed)


def test_the_same_in_other_words(gate, fake, topics, mark):
    first = ask(gate, "meant", "How do I get a refund for my order?")
    again = ask(gate, "meant", "How can I get a refund for my order please?")
    assert [said(first), said(again)] == ["miss", "meaning"]
    assert again.content == first.content
    assert said(ask(gate, "meant", "How can I get a refund for my order please?")) == "exact"
    assert said(ask(gate, "meant", "How do I get a delivery for my order?")) == "miss"
    stats = gate.admin_call("GET", "/api/cache").json()
    assert stats["by_meaning"] >= 1 and stats["questions"] >= 2


@pytest.mark.parametrize("one, other", [
    ("How do I enable the password check?", "How do I disable the password check?"),
    ("Can I pay the invoice within 14 days?", "Can I pay the invoice within 30 days?"),
    ("Why was my delivery late?", "When was my delivery late?"),
    ("Is the refund free in Germany?", "Is the refund free in France?"),
    ("Is the invoice sent by post?", "Is the invoice not sent by post?")])
def test_what_only_looks_alike_is_asked_anew(gate, topics, one, other):
    """To the embedding model they are the same; the second gate tells them apart."""
    assert said(ask(gate, "meant", one)) in ("miss", "exact")
    assert said(ask(gate, "meant", other)) == "miss"


def test_meaning_counts_only_where_all_else_is_the_same(gate, topics, mark):
    system = {"role": "system", "content": f"You are of {mark}."}
    other = {"role": "system", "content": f"You are of {mark}, too."}
    def asked(question, *before, key=KEY, **more):
        body = {"model": "meant", "messages": [*before, {"role": "user", "content": question}], **more}
        return said(post(gate, body, {"authorization": f"Bearer {key}"}))
    assert asked("How do I reset my password?", system) == "miss"
    assert asked("How can I reset my password?", system) == "meaning"
    assert asked("How can I reset my password please?", other) == "miss"
    assert asked("How can I reset my password please?", system, key=TEENY) == "miss", "another tenant"
    assert asked("How can I reset my password please?", system, temperature=0.3) == "miss"
    tools = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    assert asked("How can I reset my password please?", system, tools=tools, tool_choice="none") == "miss"


def test_personal_questions_have_answers_of_their_own(gate, topics, mark):
    def asked(question):
        return said(ask(gate, "meant-masked", question))
    assert asked(f"How do I get the invoice sent to ann{mark}@example.com?") == "miss"
    assert asked(f"How can I get the invoice sent to ann{mark}@example.com?") == "miss"


def test_without_the_embedding_model_it_is_asked_as_it_is(gate, fake, mark):
    async def broken(answer):
        await answer.json(500, {"error": {"message": "no", "type": "server_error"}})
    fake.on("cache-topics", broken)
    assert said(ask(gate, "meant", f"Where is my delivery {mark}?")) == "miss"
    assert said(ask(gate, "meant", f"Where is my delivery {mark}?")) == "exact"


def test_identical_requests_in_flight_share_one_call(gate, fake, mark):
    async def slowly(answer):
        await answer.sleep(0.3)
        await answer.json(200, chat_completion(answer.request))
    fake.on("cache-slow", slowly)

    async def flood() -> list[httpx.Response]:
        limits = httpx.Limits(max_connections=50)
        async with httpx.AsyncClient(limits=limits, timeout=30) as client:
            body = {"model": "slow", "messages": [{"role": "user", "content": mark}]}
            return await asyncio.gather(*(client.post(
                f"{gate.url}/v1/chat/completions", json=body,
                headers={"authorization": f"Bearer {KEY}"}) for _ in range(40)))
    answers = asyncio.run(flood())
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert len(fake.records(mark)) == 1
    assert sorted(said(answer) for answer in answers) == ["exact"] * 39 + ["miss"]


def test_usage_tells_what_was_saved(gate, fake, mark):
    before = usage(gate, "kept")
    first = ask(gate, "kept", f"the price of things {mark}")
    wait_until(lambda: usage(gate, "kept").get("requests", 0) > before.get("requests", 0))
    asked = usage(gate, "kept")
    again = ask(gate, "kept", f"the price of things {mark}")
    assert [said(first), said(again)] == ["miss", "exact"]
    wait_until(lambda: usage(gate, "kept")["requests"] == asked["requests"] + 1)
    after = usage(gate, "kept")
    tokens = first.json()["usage"]["total_tokens"]
    assert after["cached_requests"] == asked["cached_requests"] + 1
    assert after["cached_tokens"] == asked["cached_tokens"] + tokens
    assert after["input_tokens"] == asked["input_tokens"] and after["cost"] == asked["cost"]
    saved = round(after["cost_saved"] - asked.get("cost_saved", 0), 6)
    assert saved == float(first.headers["x-causeway-cost"]) > 0
    assert gate.metrics().value("causeway_stored_answers_total", gen_ai_request_model="kept", source="exact") > 0
    assert gate.metrics().value("causeway_stored_cost_micros_total", gen_ai_request_model="kept") > 0


def test_verbs_and_clearing(gate, fake, mark):
    ask(gate, "kept", mark), ask(gate, "kept", mark, key=TEENY)
    shown = gate.cli("cache", "stats")
    assert "hits of" in shown.stdout and "memory" in shown.stdout and "disk" in shown.stdout
    now = gate.admin_call("GET", "/api/cache").json()
    found, all_ = now["hits"] + now["by_meaning"], now["hits"] + now["by_meaning"] + now["misses"]
    assert f"{found} hits of {all_} (" in shown.stdout, shown.stdout
    assert f"by the same words: {now['hits']}, " in shown.stdout, shown.stdout
    assert f"by meaning: {now['by_meaning']}" in shown.stdout, shown.stdout
    assert 0 < now["memory"]["bytes"] < 1024 * 1024 and " KiB " in shown.stdout, shown.stdout
    cleared = gate.cli("cache", "clear", "--tenant", "acme", "--model", "kept")
    assert cleared.returncode == 0 and "taken out" in cleared.stdout
    assert said(ask(gate, "kept", mark)) == "miss"
    assert said(ask(gate, "kept", mark, key=TEENY)) == "exact"
    reply = gate.admin_call("DELETE", "/api/cache?modle=x")
    assert reply.status_code == 400 and "modle" in reply.text


def test_answers_outlive_a_restart_and_stand_nowhere_in_clear(make_gateway, config, fake, mark):
    settings = config()
    settings["policies"] = [{"name": "all", "cache": "on"}]
    gateway = make_gateway(settings)
    secret = f"secretword{mark}"
    first = ask(gateway, "echo", secret)
    assert said(first) == "miss"
    def kept():
        return gateway.admin_call("GET", "/api/cache").json()["disk"]["entries"]
    wait_until(kept)
    gateway.process.kill()
    gateway.wait()
    for file in gateway.data.rglob("*"):
        if file.is_file():
            assert secret.encode() not in file.read_bytes(), file
    gateway.start()
    again = ask(gateway, "echo", secret)
    assert said(again) == "exact" and again.content == first.content
    assert len(fake.records(mark)) == 1


def test_a_broken_file_is_thrown_away(make_gateway, config, mark):
    settings = config()
    settings["policies"] = [{"name": "all", "cache": "on"}]
    gateway = make_gateway(settings)
    gateway.stop()
    (gateway.data / "cache.db").write_bytes(b"this is no database" * 1000)
    gateway.start()
    assert said(ask(gateway, "echo", mark)) == "miss"
    assert said(ask(gateway, "echo", mark)) == "exact"


def test_wrong_settings_are_told(make_gateway, config, tmp_path):
    file = tmp_path / "causeway.yaml"
    file.write_text(json.dumps({"policies": [{"name": "x", "cache": {"on": True, "ttl": "0s", "scop": "user"}}],
                                "cache": {"memory": "1KiB"}}))
    done = run("check", str(file))
    assert done.returncode != 0
    for word in ("scop", "scope", "ttl", "memory"):
        assert word in done.stderr + done.stdout
