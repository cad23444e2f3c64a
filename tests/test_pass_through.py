"""/providers/NAME/…: a provider's own paths under its credentials; moderations."""

import pytest

from conftest import running
from gateway import KEY, UPSTREAM_KEY, assert_error


@pytest.fixture(scope="module")
def open_gw(config, session_folder):
    settings = config()
    settings["policies"] = [{"name": "all", "pass_through": ["fake"]}]
    with running(session_folder / "pass-through", settings) as gateway:
        yield gateway


def test_off_unless_a_policy_says_so(gw):
    error = assert_error(gw.post("/providers/fake/chat/completions", {"model": "echo"}), 403)
    assert error["code"] == "pass_through_off"
    assert "pass_through" in error["message"]


def test_the_body_leaves_as_it_came(open_gw, fake, mark):
    body = {"model": "echo", "messages": [{"role": "user", "content": mark}], "own": [1.50, None]}
    answer = open_gw.post("/providers/fake/chat/completions?x=1", body,
                          headers={"X-Custom": "yes", "Cookie": "c=1"})
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == f"You said: {mark}"
    seen = fake.one(mark)
    assert seen.target == "/v1/chat/completions?x=1"
    assert seen.json["own"] == [1.5, None]
    fields = {name.lower(): value for name, value in seen.headers}
    assert fields["authorization"] == f"Bearer {UPSTREAM_KEY}"
    assert fields["x-custom"] == "yes"
    assert "cookie" not in fields
    assert KEY not in str(seen.headers)


@pytest.mark.parametrize("query, kept", [
    (f"key={KEY}", ""), (f"x=1&key={KEY}&y=a%20b", "?x=1&y=a%20b"), (f"k%65y={KEY}", ""),
    (f"KEY={KEY}&api_key={KEY}&access_token={KEY}&x", "?x"), (f"key={KEY}&key={KEY}", ""), ("keys=1", "?keys=1")])
def test_the_callers_key_in_the_query_stays_here(open_gw, fake, mark, query, kept):
    answer = open_gw.post(f"/providers/fake/chat/completions?{query}",
                          {"model": "echo", "messages": [{"role": "user", "content": mark}]})
    assert answer.status_code == 200
    record = fake.one(mark)
    assert record.target == "/v1/chat/completions" + kept
    assert KEY not in record.raw_head.decode()


def test_streams_and_errors_pass_as_they_are(open_gw, mark):
    body = {"model": "echo", "stream": True, "messages": [{"role": "user", "content": mark}]}
    answer = open_gw.post("/providers/fake/chat/completions", body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.rstrip().endswith("data: [DONE]")
    missing = open_gw.post("/providers/fake/nowhere", {"model": "echo"})
    assert missing.status_code == 404
    assert "x-request-id" in missing.headers


def test_another_method(open_gw):
    answer = open_gw.get("/providers/fake/models")
    assert answer.status_code == 200
    assert answer.json()["object"] == "list"


def test_options_is_a_method_like_others(open_gw, fake, mark):
    with open_gw.raw() as raw:
        raw.send(open_gw.request_bytes(b"", path=f"/providers/fake/models?{mark}", method="OPTIONS"))
        answer = raw.answer()
    assert answer.header("x-causeway-provider") == "fake", "it is the provider that said so"
    assert [r for r in fake.records() if mark in r.target][0].method == "OPTIONS"


def test_the_time_of_the_provider_is_none_of_ours(open_gw, mark):
    body = {"model": "slow-stream", "stream": True, "messages": [{"role": "user", "content": f"{mark} " * 30}]}
    answer = open_gw.post("/providers/fake/chat/completions", body)
    line = open_gw.log_of(answer.headers["x-request-id"])
    assert line["total_ms"] >= 1400
    assert line["overhead_ms"] < 500


def test_it_is_logged_and_counted(open_gw):
    answer = open_gw.get("/providers/fake/models")
    line = open_gw.log_of(answer.headers["x-request-id"])
    assert line["operation"] == "pass_through"
    assert line["provider"] == "fake"
    assert line["path"] == "/providers/fake/models"
    assert line["key_id"]
    assert open_gw.usage_of(model="fake/*")["requests"] >= 1


@pytest.mark.parametrize("path", ["/providers/fake/../admin", "/providers/fake/a/%2e%2e/b",
                                  "/providers/fake/%2E/b", "/providers/fake/a/..%2fb"])
def test_no_way_out_of_the_providers_paths(open_gw, path):
    with open_gw.raw() as raw:
        raw.send(open_gw.request_bytes({}, path=path))
        assert raw.answer().status == 400


def test_who_may(open_gw):
    assert_error(open_gw.get("/providers/fake/models", key=None), 401)
    narrow = open_gw.make_key(name="narrow", models=["echo"])
    error = assert_error(open_gw.get("/providers/fake/models", key=narrow["key"]), 403)
    assert error["code"] == "model_not_allowed"
    assert assert_error(open_gw.get("/providers/nobody/models"), 404)["code"] == "provider_not_found"


def test_moderations(client, fake, mark):
    answer = client.moderations.create(model="echo", input=f"hello {mark}")
    assert answer.results[0].flagged is False
    assert fake.one(mark).target == "/v1/moderations"
