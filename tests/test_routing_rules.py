"""Where requests go by what they hold, say and need; and how that is explained."""

import json

import pytest

from gateway import chat_body, run, wait_until
from routing_world import ask_all, explain, saying, settings, shares, three  # noqa: F401

HOSPITAL = {"targets": ["two/m"], "rules": [
    {"name": "records", "when": {"data": ["medical"]}, "targets": ["one/m"]},
    {"name": "numbers", "when": {"found": ["medical_record", "national_id"]}, "targets": ["one/m"]},
    {"name": "german", "when": {"metadata": {"country": "de*"}}, "targets": ["three/m"]},
]}
LOOK = [{"name": "look", "pii": {"action": "report"}}]


@pytest.mark.parametrize("where, headers, more", [
    ("one", {"x-causeway-data": "finance, Medical"}, {}),
    ("one", [("x-causeway-data", "finance"), ("x-causeway-data", "medical")], {}),
    ("one", {"x-causeway-data": 'hr; "medical"'}, {}),
    ("one", {}, {"metadata": {"data": "medical"}}),
    ("one", {}, {"metadata": {"data": ["hr", "medical"]}}),
    ("one", {}, {"metadata": "unreadable"}),
    ("three", {}, {"metadata": {"country": "de-AT"}}),
    ("two", {"x-causeway-data": "finance"}, {"metadata": {"country": "fr"}}),
])
def test_what_the_application_names_decides(three, make_gateway, where, headers, more):
    gateway = make_gateway(settings(three, HOSPITAL, policies=LOOK))
    answer = gateway.post("/v1/chat/completions", chat_body("m", **more), headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-causeway-provider"] == where
    assert sum(shares(three)) == 1


def test_records_that_are_found_stay_in_the_house_and_fail_closed(three, make_gateway):
    gateway = make_gateway(settings(three, HOSPITAL, policies=LOOK))
    record = "Please summarise: Jane Roe, MRN: 84721930, SSN 219-09-9999, admitted yesterday."
    assert gateway.chat("m", record).headers["x-causeway-provider"] == "one"
    assert gateway.chat("m", "What is a fever?").headers["x-causeway-provider"] == "two"
    three[0].stop_listening()
    answer = gateway.chat("m", record)
    assert answer.status_code in (502, 503)
    assert gateway.chat("m", "What is a fever?").status_code == 200
    for fake in three[1:]:
        assert not fake.records("84721930") and not fake.records("219-09")


def test_where_nobody_looked_the_rule_holds(three, make_gateway):
    """A policy without pii, and content that pii cannot read: not known to be free of records."""
    other = [{"name": "other", "match": {"keys": ["nobody"]}, "pii": "report"}]
    gateway = make_gateway(settings(three, HOSPITAL, policies=other))
    assert gateway.chat("m", "What is a fever?").headers["x-causeway-provider"] == "one"
    config = settings(three, HOSPITAL, policies=LOOK)
    config["providers"]["one"]["zone"] = "internal"
    looking = make_gateway(config)
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    body = chat_body("m")
    body["messages"] = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]}]
    assert looking.post("/v1/chat/completions", body).headers["x-causeway-provider"] == "one"


@pytest.mark.parametrize("when, more, holds", [
    ({"roles": ["doctor"]}, {"roles": ["doctor"]}, True),
    ({"roles": ["doctor"]}, {"roles": ["clerk"]}, False),
    ({"tenants": ["acme*"]}, {"tenant": "acme-eu"}, True),
    ({"tenants": ["acme*"]}, {"tenant": "other"}, False),
    ({"tokens_over": 1000}, {"text": "word " * 2000}, True),
    ({"tokens_over": 1000}, {"text": "word"}, False),
    ({"tokens_under": 100}, {"text": "word"}, True),
    ({"needs": ["tools"]}, {"tools": True}, True),
    ({"needs": ["tools"]}, {}, False),
    ({"needs": "schema"}, {"schema": True}, True),
    ({"operations": ["embeddings"]}, {}, False),
    ({"operations": ["chat"]}, {}, True),
    ({}, {}, True),
])
def test_conditions(three, make_gateway, when, more, holds):
    gateway = make_gateway(settings(three, {"targets": ["one/m"], "rules": [
        {"name": "rule", "when": when, "targets": ["two/m"]}]}))
    body = chat_body("m", more.pop("text", "hello"))
    if more.pop("tools", False):
        body["tools"] = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]
    if more.pop("schema", False):
        body["response_format"] = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    decision = explain(gateway, body=body, **more)
    assert decision["rule"] == ("rule" if holds else None)
    assert [t["target"] for t in decision["targets"]] == (["two/m"] if holds else ["one/m"])
    assert sum(shares(three)) == 0, "nothing is sent"


def test_who_needs_what_a_target_cannot_do_goes_to_the_others(three, make_gateway):
    gateway = make_gateway(settings(three[:2], {"without": {"one/m": ["vision", "tools"]}}))
    body = chat_body("m")
    assert explain(gateway, body=body)["targets"][0]["target"] == "one/m"
    body["messages"] = [{"role": "user", "content": [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]}]
    targets = explain(gateway, body=body)["targets"]
    assert [t["target"] for t in targets] == ["two/m", "one/m"]
    assert targets[1]["lacks"] == ["vision"]


# --- seen afterwards


def test_the_verb_explains(three, make_gateway):
    three[0].on("m", saying(429, {"retry-after": "60"}))
    gateway = make_gateway(settings(three, {**HOSPITAL, "targets": ["one/m", "two/m"]}, policies=LOOK))
    assert gateway.chat("m").status_code == 200
    said = gateway.cli("route", "explain", "m", "--prompt", "hello")
    assert said.returncode == 0, said.stderr
    assert "No rule holds." in said.stdout and "rests" in said.stdout and "rate_limit" in said.stdout, said.stdout
    assert said.stdout.index("two/m") < said.stdout.index("one/m")
    said = gateway.cli("route", "explain", "m", "--data-class", "medical", "--json")
    assert json.loads(said.stdout)["rule"] == "records"
    said = gateway.cli("route", "explain", "nothing")
    assert said.returncode == 1 and "does not exist" in said.stderr
    assert gateway.cli("route", "explain").returncode == 2


def test_the_trace_names_the_rule_and_what_was_left_alone(three, make_gateway):
    three[0].on("m", saying(500))
    gateway = make_gateway(settings(three[:2], {"rules": [
        {"name": "all", "when": {}, "targets": ["one/m", "two/m"]}]}, breaker={"rest": "1m"}))
    ask_all(gateway, 12)
    # Both rest, or none is left: the order says two/m first now, so its trace has one attempt.
    answer = gateway.chat("m")
    trace = wait_until(lambda: gateway.admin_call(
        "GET", f"/api/traces/{answer.headers['x-request-id']}").json().get("rule") and gateway.admin_call(
        "GET", f"/api/traces/{answer.headers['x-request-id']}").json())
    assert trace["rule"] == "all"
    assert [a["target"] for a in trace["attempts"]] == ["two/m"]


def test_a_rule_by_what_is_found_needs_a_policy_that_looks_for_it(three, make_gateway, tmp_path):
    rule = {"rules": [{"name": "x", "when": {"found": "card"}, "targets": ["one/m"]}]}
    for pii, code, said in (({"action": "report", "kinds": {"card": "off"}}, 1, 'the policy "p" does not look for card'),
                            ("report", 0, "expose: []"), ("off", 1, "no policy looks")):
        file = tmp_path / "c.yaml"
        file.write_text(json.dumps(settings(three, rule, policies=[{"name": "p", "pii": pii}])))
        checked = run("check", "--config", str(file))
        assert checked.returncode == code, checked.stdout + checked.stderr
        assert said in checked.stdout + checked.stderr


@pytest.mark.parametrize("wrong, said", [
    ({"strategy": "quickest"}, "fastest"),
    ({"rules": [{"name": "x", "targets": ["one/m"]}]}, "when"),
    ({"rules": [{"name": "x", "when": {"role": "y"}, "targets": ["one/m"]}]}, "roles"),
    ({"rules": [{"name": "x", "when": {}, "targets": ["nobody/m"]}]}, "no provider"),
    ({"rules": [{"name": "x", "when": {"found": "medical_records"}, "targets": ["one/m"]}]}, "medical_record"),
    ({"rules": [{"name": "x", "when": {"easy_below": 0.1}, "targets": ["one/m"]}]}, "complexity"),
    ({"rules": [{"name": "x", "when": {"operations": "chats"}, "targets": ["one/m"]}]}, '"chat"'),
    ({"rules": [{"name": "x", "when": {"tokens_over": 100, "tokens_under": 50}, "targets": ["one/m"]}]}, "no prompt"),
    ({"rules": [{"name": "x", "when": {}, "targets": []}]}, "has no targets"),
    ({"rules": 2 * [{"name": "x", "when": {}, "targets": ["one/m"]}]}, "already"),
    ({"targets": []}, "has no targets"),
    ({"context": {"other/m": 10}}, "not a target"),
    ({"without": {"one/m": ["sight"]}}, "vision"),
])
def test_a_wrong_configuration_is_told_with_what_mends_it(three, make_gateway, tmp_path, wrong, said):
    file = tmp_path / "c.yaml"
    file.write_text(json.dumps(settings(three, wrong)))
    checked = run("check", "--config", str(file))
    assert checked.returncode == 1 and said in checked.stdout + checked.stderr, checked.stdout + checked.stderr
