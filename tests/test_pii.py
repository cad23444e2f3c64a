"""What a text gives away, by the verb and by the admin port."""

import json

from gateway import run

TEXT = "Ask Frau Erika Müller, müller@exаmple.com, card 4111\u200b1111\u200b1111\u200b1111."  # a Cyrillic а


def scan(text, *options):
    done = run("pii", "scan", "-", *options, input=text)
    assert done.returncode == 0, done.stderr
    return done.stdout


def pieces(text, findings):
    data = text.encode()
    return {one["kind"]: data[one["begin"]:one["end"]].decode() for one in findings}


def test_spans_are_bytes_of_the_text():
    found = pieces(TEXT, json.loads(scan(TEXT, "--json"))["findings"])
    assert found == {"person": "Erika Müller", "email": "müller@exаmple.com",
                     "card": "4111\u200b1111\u200b1111\u200b1111"}


def test_table_for_people():
    table = scan("Call +44 20 7946 0958\nor write to jo@example.com")
    assert "1:6" in table and "phone.international" in table
    assert "2:13" in table and "jo@example.com" in table
    assert scan("nothing here") == "Nothing found.\n"


def test_only_the_kinds_asked_for():
    assert set(pieces(TEXT, json.loads(scan(TEXT, "--json", "--kinds", "email"))["findings"])) == {"email"}
    wrong = run("pii", "scan", "--kinds", "mail", "/dev/null")
    assert wrong.returncode == 2 and "no kind" in wrong.stderr


def test_route(gw):
    answer = gw.admin_call("POST", "/api/pii/scan", {"text": TEXT})
    assert answer.status_code == 200
    assert set(pieces(TEXT, answer.json()["findings"])) == {"person", "email", "card"}
    assert {"begin", "end", "kind", "confidence", "rule"} == set(answer.json()["findings"][0])
    only = gw.admin_call("POST", "/api/pii/scan", {"text": TEXT, "kinds": ["card"]}).json()["findings"]
    assert [one["rule"] for one in only] == ["card.number"]


def test_route_refuses(gw):
    for body in ({}, {"text": 3}, {"text": "a", "kinds": ["mail"]}, {"text": "a", "kinds": "email"}):
        answer = gw.admin_call("POST", "/api/pii/scan", body)
        assert answer.status_code == 400, body
        assert answer.json()["error"]["code"] == "pii_scan"
