"""Escalation by confidence: the first target's answer is given where its model was sure of it. What attempts used
whose answer nobody got is in the ledger."""

import json
import re

import openai
import pytest

from fake_provider import by_path, chat_chunks, chat_completion, chat_usage, last_user_text
from gateway import KEY, chat_model_file, run, wait_until
from routing_world import explain, saying, settings, shares, three  # noqa: F401

ESCALATE = {"escalate": {"below": 0.5}}


def doubtful(value: dict, body: dict) -> dict:
    """The fake's tokens are probable; of a question with "doubt" in it they are not."""
    return json.loads(json.dumps(value).replace("-0.25", "-2.0")) if "doubt" in last_user_text(body) else value


async def local(answer):
    body = answer.request
    if not body.get("stream"):
        return await answer.json(200, doubtful(chat_completion(body), body))
    await answer.stream_head()
    for event in chat_chunks(body):
        await answer.event(doubtful(event, body))
        await answer.sleep(0.02)
    await answer.event("[DONE]")
    await answer.last_chunk()


@pytest.fixture
def gate(three, make_gateway):
    three[0].on("m", local)
    return make_gateway(settings(three[:2], ESCALATE, prices={"models": {
        "one/m": {"input": 1, "output": 1}, "two/m": {"input": 10, "output": 10}}}))


def trace_of(gateway, answer) -> dict:
    path = f"/api/traces/{answer.headers['x-request-id']}"
    return wait_until(lambda: (t := gateway.admin_call("GET", path).json()).get("attempts") and t, "a trace")


def test_a_sure_answer_stays_and_a_doubtful_one_is_thrown_away(gate, three):
    sure = gate.chat("m", "a plain question")
    assert sure.status_code == 200 and shares(three[:2]) == [1, 0]
    assert sure.headers["x-causeway-provider"] == "one" and sure.headers["x-causeway-confidence"] == "0.779"
    assert "x-causeway-escalated" not in sure.headers
    assert sure.json()["choices"][0]["logprobs"] is None, "nobody asked for them"
    asked = json.loads(three[0].records()[-1].body)
    assert asked["logprobs"] is True and asked["top_logprobs"] == 1

    doubt = gate.chat("m", "a question of doubt")
    assert doubt.status_code == 200 and shares(three[:2]) == [2, 1]
    assert doubt.headers["x-causeway-provider"] == "two" and doubt.headers["x-causeway-confidence"] == "0.135"
    assert doubt.headers["x-causeway-escalated"] == "one/m" and doubt.headers["x-causeway-attempts"] == "2"
    assert "logprobs" not in json.loads(three[1].records()[-1].body)

    trace = trace_of(gate, doubt)
    assert trace["targets"] == ["one/m", "two/m"] and trace["confidence"] == 0.135
    assert [(a["target"], a["end"], a.get("code"), a["error"]) for a in trace["attempts"]] == [
        ("one/m", "unsure", "unsure_answer", None), ("two/m", "answered", None, None)]
    assert all(a["input_tokens"] > 0 and a["output_tokens"] > 0 for a in trace["attempts"])
    assert gate.log_of(doubt.headers["x-request-id"])["failed"] == "one/m unsure_answer"
    metrics = gate.metrics()
    assert 'causeway_judged_answers_total{gen_ai_request_model="m",verdict="kept"} 1' in metrics.text
    assert 'causeway_judged_answers_total{gen_ai_request_model="m",verdict="thrown_away"} 1' in metrics.text
    assert 'error_type="unsure"' in metrics.text


def test_a_target_that_was_unsure_is_found_and_shown_in_traces(gate):
    sure, doubt = (gate.chat("m", text) for text in ("a plain question", "a question of doubt"))
    gate.at_rest()
    found = gate.cli("traces", "--failed-target", "one/*").stdout
    assert doubt.headers["x-request-id"] in found and sure.headers["x-request-id"] not in found, found
    shown = gate.cli("traces", "show", doubt.headers["x-request-id"]).stdout
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    assert lines.index("target one/m") + 1 == lines.index("target two/m"), "in the order chosen"
    assert "confidence 0.135" in lines, shown
    attempts = [line for line in lines if line.startswith("attempt ")]
    assert len(attempts) == 2 and all(re.search(r" \d+\.\d{3} ms \d+ \+ 6 tokens$", line) for line in attempts), shown


def test_who_is_unsure_makes_no_errors(gate):
    """An operator sees a provider that is well: its answers were thrown away, and none of its tries has failed."""
    for _ in range(3):
        assert gate.chat("m", "a question of doubt").headers["x-causeway-escalated"] == "one/m"

    def tried():
        return {row["provider"]: row for row in
                gate.admin_call("GET", "/api/overview?window=15m").json()["providers"]}
    rows = wait_until(lambda: (all_ := tried()).get("one", {}).get("attempts") == 3 and all_, "sampled", timeout=15)
    assert rows["one"]["errors"] == 0 and rows["two"]["errors"] == 0
    one = next(p for p in gate.admin_call("GET", "/api/providers").json()["providers"] if p["name"] == "one")
    assert one["state"] == "ok" and one["last_hour"] == {"attempts": 3, "errors": 0, "errors_by_class": {}}
    said = next(line.split() for line in gate.cli("providers").stdout.splitlines() if line.startswith("one "))
    assert said[3:6] == ["ok", "3", "0"], said
    assert re.search(r"^one +3 +0$", gate.cli("overview").stdout, re.MULTILINE)


def test_both_attempts_are_in_the_ledger(gate):
    answer = gate.chat("m", "a question of doubt")
    used = chat_usage({"messages": [{"content": "a question of doubt"}]}, 6)
    rows = {row["provider"]: row for row in
            gate.admin_call("GET", "/api/usage?by=provider").json()["usage"]}
    assert {name: row["requests"] for name, row in rows.items()} == {"one": 0, "two": 1}
    for name in ("one", "two"):
        assert rows[name]["input_tokens"] == used["prompt_tokens"] and rows[name]["output_tokens"] == 6
    assert (rows["one"]["lost_attempts"], rows["one"]["lost_tokens"]) == (1, used["prompt_tokens"] + 6)
    assert (rows["two"]["lost_attempts"], rows["two"]["lost_tokens"]) == (0, 0)
    assert rows["one"]["cost_micros"] == 10 and rows["two"]["cost_micros"] == 100
    assert float(answer.headers["x-causeway-cost"]) == 0.00011, "all that the request has cost"
    said = gate.cli("usage", "--by", "provider").stdout
    assert "LOST-TOKENS" in said, said


def test_limits_count_what_was_thrown_away(three, make_gateway):
    three[0].on("m", local)
    limits = [{"per": "key", "tokens": 100_000, "window": "10m", "name": "tokens"},
              {"per": "key", "money": 1, "each": "month", "name": "money"}]
    gateway = make_gateway(settings(
        three[:2], ESCALATE, policies=[{"name": "all", "limits": limits, "cache": "on"}],
        prices={"models": {"one/m": {"input": 1, "output": 1}, "two/m": {"input": 10, "output": 10}}}))

    def used() -> dict:
        rows = gateway.admin_call("GET", "/api/limits").json()["limits"]
        return {row["limit"]: row["used"] for row in rows}

    tokens = sum(chat_usage({"messages": [{"content": "a question of doubt"}]}, 6)[name]
                 for name in ("prompt_tokens", "completion_tokens"))
    assert gateway.chat("m", "a question of doubt").headers["x-causeway-cost"] == "0.00011"
    assert used() == {"tokens": 2 * tokens, "money": 0.00011}
    again = gateway.chat("m", "a question of doubt")  # what two said is there; one is asked once more
    assert shares(three[:2]) == [2, 1] and again.headers["x-causeway-cost"] == "0.00001"
    assert used() == {"tokens": 3 * tokens, "money": 0.00012}
    spent = sum(row["cost_micros"] for row in gateway.admin_call("GET", "/api/usage").json()["usage"])
    assert spent == 120, "the ledger and the budget agree"


def test_who_asks_for_probabilities_has_them(gate):
    answer = gate.chat("m", "a plain question", logprobs=True).json()
    assert answer["choices"][0]["logprobs"]["content"][0]["logprob"] == -0.25


def test_streams_are_held_back_until_they_are_judged(gate, three):
    client = openai.OpenAI(base_url=gate.base_url, api_key=KEY, max_retries=0)
    for text, where in (("a plain question", "one"), ("a question of doubt", "two")):
        with client.chat.completions.with_streaming_response.create(
                model="m", stream=True, messages=[{"role": "user", "content": text}]) as raw:
            assert raw.headers["x-causeway-provider"] == where
            chunks = list(raw.parse())
        assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == f"You said: {text}"
        assert all(c.choices[0].logprobs is None for c in chunks if c.choices)
    assert shares(three[:2]) == [2, 1]
    rows = {row["provider"]: row for row in
            wait_until(lambda: gate.admin_call("GET", "/api/usage?by=provider").json()["usage"])}
    assert rows["one"]["lost_attempts"] == 1 and rows["one"]["estimated_requests"] == 0, "its usage was told"


def test_the_first_tokens_decide_and_the_rest_is_not_waited_for(three, make_gateway):
    three[0].on("m", local)
    gate = make_gateway(settings(three[:2], {"escalate": {"below": 0.5, "tokens": 2}}))
    long = "a question of doubt " + "and more " * 100  # 4 s of words at the first target
    streamed = gate.chat_stream("m", long)
    assert streamed.done and streamed.header("x-causeway-escalated") == "one/m"
    rows = {row["provider"]: row for row in gate.admin_call("GET", "/api/usage?by=provider").json()["usage"]}
    assert rows["one"]["output_tokens"] == 2, "counted: the provider had told nothing yet"
    assert rows["one"]["lost_tokens"] == rows["one"]["input_tokens"] + 2


def test_where_nobody_else_answers_an_unsure_answer_is_better_than_none(three, make_gateway):
    three[0].on("m", local)
    three[1].on("m", saying(503))
    gate = make_gateway(settings(three[:2], ESCALATE, policies=[{"name": "p", "retries": {"attempts": 0}}]))
    answer = gate.chat("m", "a question of doubt")
    assert answer.status_code == 200 and answer.headers["x-causeway-provider"] == "one"
    assert "x-causeway-escalated" not in answer.headers, "it is its own answer after all"
    assert [a["end"] for a in trace_of(gate, answer)["attempts"]] == ["unsure", "failed", "answered"]


def test_a_rule_has_an_escalation_of_its_own_and_one_that_keeps_data_in_has_none(three, make_gateway):
    three[0].on("m", local)
    gate = make_gateway(settings(three[:2], {**ESCALATE, "rules": [
        {"name": "inside", "when": {"data": ["medical"]}, "targets": ["one/m"]},
        {"name": "gold", "when": {"metadata": {"plan": "gold"}}, "targets": ["one/m", "two/m"],
         "escalate": {"below": 0.9}}]}))
    inside = gate.post("/v1/chat/completions", {"model": "m", "messages": [
        {"role": "user", "content": "a question of doubt"}]}, headers={"x-causeway-data": "medical"})
    assert inside.headers["x-causeway-provider"] == "one" and shares(three[:2]) == [1, 0]
    assert "logprobs" not in json.loads(three[0].records()[-1].body)
    gold = gate.chat("m", "a plain question", metadata={"plan": "gold"})
    assert gold.headers["x-causeway-escalated"] == "one/m"
    assert explain(gate)["escalate"] == {"below": 0.5, "tokens": 0}
    said = gate.cli("route", "explain", "m").stdout
    assert "confidence is 0.5 or more" in said, said


def test_what_will_not_be_judged_is_said_beforehand(three, make_gateway, tmp_path):
    config = settings(three[:2], {**ESCALATE, "without": {"one/m": ["vision"]}})
    config["providers"]["one"]["responses"] = True
    gate = make_gateway(config)
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    tools = {**body, "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]}
    picture = {**body, "messages": [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]}
    assert "not_judged" not in explain(gate, body=body)["escalate"]
    assert "with tools" in explain(gate, body=tools)["escalate"]["not_judged"]
    assert explain(gate, body=picture)["escalate"]["not_judged"] == "two/m is asked before one/m"
    embeddings = explain(gate, body={"model": "m", "input": "hi"}, path="/v1/embeddings")
    assert "chats" in embeddings["escalate"]["not_judged"]
    responses = explain(gate, body={"model": "m", "input": "hi"}, path="/v1/responses")
    assert "tells no probabilities" in responses["escalate"]["not_judged"]
    file = tmp_path / "tools.json"
    file.write_text(json.dumps(tools))
    said = gate.cli("route", "explain", "--file", str(file)).stdout
    assert "Not judged: with tools" in said and "confidence is" not in said, said


def rule(when: dict) -> dict:
    return {"rules": [{"name": "some", "when": when, "targets": ["one/m", "two/m"], **ESCALATE}]}


@pytest.mark.parametrize("model,says", [
    ({"strategy": "least_busy", **ESCALATE}, "strategy: fallback"),
    ({"targets": ["one/m"], **ESCALATE}, "second target"),
    ({"targets": ["one/m", "one/m"], **ESCALATE}, "second target"),
    ({"targets": ["claude/c", "two/m"], **ESCALATE}, "tells its tokens' probabilities"),
    ({"escalate": {"below": 2}}, "below"),
    ({"escalate": {"tokens": 16}}, '"below" is missing'),
    ({"escalate": {}}, '"below" is missing'),
    ({"weights": {"one/m": 0}, **ESCALATE}, "only as a fallback"),
    ({"targets": ["cloud/text-embedding-3-small", "two/m"], **ESCALATE}, "makes embeddings"),
    ({"targets": ["local/minilm", "two/m"], **ESCALATE}, "makes embeddings"),
    (rule({"operations": ["embeddings"]}), "without chats"),
    (rule({"needs": ["tools"]}), "needs: tools"),
    ({"rules": [{"name": "records", "when": {"data": ["medical"]}, "targets": ["one/m", "two/m"], **ESCALATE}]},
     "keeps data in the house"),
])
def test_settings_that_cannot_be(three, tmp_path, model, says):
    file = tmp_path / "causeway.yaml"
    config = settings(three[:2], model)
    config["providers"] |= {"claude": {"kind": "anthropic", "api_key": "sk-ant-0123456789"},
                            "cloud": {"kind": "openai", "api_key": "sk-0123456789"}, "local": {"kind": "embedded"}}
    file.write_text(json.dumps(config))
    checked = run("check", str(file))
    assert checked.returncode != 0 and says in checked.stdout + checked.stderr, checked.stdout + checked.stderr


@pytest.mark.skipif(chat_model_file() is None, reason="needs the embedded model")
def test_the_embedded_model_says_how_sure_it_is(three, make_gateway):
    config = settings(three[:1], {"targets": ["local/default", "one/m"], "escalate": {"below": 0.99, "tokens": 8}})
    config["providers"]["local"] = {"kind": "embedded"}
    gate = make_gateway(config)
    answer = gate.chat("m", "Is it so?", temperature=0, max_tokens=20)
    assert answer.status_code == 200 and answer.headers["x-causeway-escalated"] == "local/default"
    assert 0 < float(answer.headers["x-causeway-confidence"]) < 0.99
    streamed = gate.chat_stream("m", "Is it so?", temperature=0, max_tokens=20)
    assert streamed.header("x-causeway-escalated") == "local/default"


# --- attempts that failed when tokens had been made


def test_an_attempt_that_broke_off_is_in_the_ledger(three, make_gateway):
    async def says_nothing(answer):
        value = chat_completion(answer.request)
        await answer.json(200, {**value, "choices": []})
    three[0].on("m", says_nothing)
    three[1].on("m", by_path)
    gate = make_gateway(settings(three[:2], {}))
    assert gate.chat("m", "one two three").status_code == 200
    rows = {row["provider"]: row for row in gate.admin_call("GET", "/api/usage?by=provider").json()["usage"]}
    assert rows["one"]["lost_attempts"] == 1 and rows["one"]["input_tokens"] == 3
    assert rows["two"]["requests"] == 1 and rows["two"]["lost_attempts"] == 0
