"""The playground, sending a recorded request again, and test cases: as an operator does it on the admin port."""

import json
import threading
import time

import httpx
import pytest

from conftest import make_client, running
from gateway import ADMIN_KEY, KEY, NO_TLS, UPSTREAM_KEY, wait_until
from test_traces import READER, files_with

NAME, EMAIL = "Ottoline Brackenbury", "o.bracken@clinic.example"


def settings(config) -> dict:
    value = config()
    value["providers"]["claude"] = {"kind": "anthropic", "base_url": value["providers"]["fake"]["base_url"][:-3],
                                    "api_key": UPSTREAM_KEY}
    value["models"]["plain"] = {"targets": ["fake/echo"]}
    value["models"]["masked"] = {"targets": ["fake/echo"]}
    value["models"]["other"] = {"targets": ["fake/long"]}
    value["models"]["broken"] = {"targets": ["fake/s503"]}
    value["models"]["translated"] = {"targets": ["claude/echo"]}
    value["keys"] = [{"name": "test", "secret": KEY, "models": ["*"]},
                     {"name": "reader", "secret": READER, "kind": "admin_read_only"}]
    kept = {"contents": "on"}
    value["policies"] = [
        {"name": "nurses", "match": {"roles": ["nurse"]}, "pii": {"action": "mask"}, "traces": kept},
        {"name": "masked", "match": {"models": ["masked"]}, "pii": {"action": "mask"}, "traces": kept},
        {"name": "others", "traces": kept},
    ]
    return value


@pytest.fixture(scope="module")
def gw(config, session_folder):
    with running(session_folder / "playground", settings(config)) as gateway:
        yield gateway


def events_of(text: str) -> list[tuple[str, dict]]:
    events = []
    for block in text.strip().split("\n\n"):
        name, data = block.split("\n", 1)
        events.append((name.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return events


def play(gw, value: dict, status: int = 200, **options):
    """The pieces of the answer joined, and the last event."""
    answer = gw.admin_call("POST", "/api/playground", value, **options)
    assert answer.status_code == status, answer.text
    if status != 200:
        return None, answer.json()["error"]
    assert answer.headers["content-type"] == "text/event-stream"
    events = events_of(answer.text)
    assert all(name == "piece" for name, _ in events[:-1])
    return "".join(data["data"] for _, data in events[:-1]), events[-1]


def chat(model: str, text: str, **more) -> dict:
    return {"body": {"model": model, "messages": [{"role": "user", "content": text}], **more}}


def said(body: str) -> str:
    return json.loads(body)["choices"][0]["message"]["content"]


def streamed(body: str) -> str:
    events = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]
    return "".join(c["delta"].get("content") or "" for e in events for c in e["choices"])


def test_an_answer_and_what_the_provider_got(gw):
    body, (name, done) = play(gw, chat("plain", "Grüße an alle"))
    assert name == "done" and done["status"] == 200
    assert "Grüße an alle" in said(body)
    assert done["fields"]["x-request-id"] == done["request_id"]
    assert done["sent"]["provider"] == "fake" and done["sent"]["model"] == "echo"
    assert json.loads(done["sent"]["body"])["messages"][0]["content"] == "Grüße an alle"


def test_a_stream_comes_in_pieces(gw):
    answer = gw.admin_call("POST", "/api/playground", chat("fake/slow-stream", "eins zwei drei", stream=True))
    events = events_of(answer.text)
    assert len([1 for name, _ in events if name == "piece"]) > 2
    body = "".join(data["data"] for name, data in events if name == "piece")
    assert "eins zwei drei" in streamed(body) and body.rstrip().endswith("data: [DONE]")


def test_what_a_policy_hides_is_hidden_from_the_provider_only(gw):
    text = f"I am {NAME}, {EMAIL}"
    body, (_, done) = play(gw, chat("masked", text))
    assert EMAIL in said(body)
    assert EMAIL not in done["sent"]["body"] and "[EMAIL" in done["sent"]["body"]
    assert EMAIL not in done["sent"]["answer"] and "[EMAIL" in done["sent"]["answer"], "before it is put back"
    # The roles that are given decide which policy applies.
    _, (_, done) = play(gw, chat("plain", text))
    assert EMAIL in done["sent"]["body"]
    _, (_, done) = play(gw, {**chat("plain", text), "tenant": "clinic", "roles": ["nurse"]})
    assert EMAIL not in done["sent"]["body"]


def test_another_dialect_shows_the_translated_body(gw):
    _, (name, done) = play(gw, chat("translated", "hello"))
    assert name == "done", done
    assert json.loads(done["sent"]["body"])["max_tokens"] > 0, "as Anthropic's API wants it"


def test_errors(gw):
    _, (name, error) = play(gw, chat("broken", "x"))
    assert name == "error" and error["status"] == 503 and error["request_id"] and error["message"]
    assert error["sent"]["provider"] == "fake"
    _, (name, error) = play(gw, chat("nobody", "x"))
    assert name == "error" and error["code"] == "model_not_found" and error["sent"]["body"] == ""
    for bad in ({}, {"body": "x"}, {"path": "/api/keys", "body": {}}, {"path": 3, "body": {}},
                {"body": {}, "roles": "nurse"}, {"trace": "x", "body": {}}, {"trace": 7}):
        _, error = play(gw, bad, status=400)
        assert error["code"] == "playground", (bad, error)
    _, (name, error) = play(gw, {"path": "/v1/nothing", "body": {}})
    assert name == "error" and error["status"] == 404
    _, error = play(gw, chat("plain", "x"), status=403, key=READER)
    assert error["code"] == "read_only_key"


def test_it_is_accounted_for(gw):
    _, (_, done) = play(gw, chat("plain", "count me"))
    trace = gw.admin_call("GET", f"/api/traces/{done['request_id']}").json()
    assert trace["key_id"] == "console" and trace["status"] == 200
    wait_until(lambda: any(row["key_id"] == row["key"] == "console" for row in gw.usage_rows()), "usage of the console")


def test_who_leaves_ends_the_call(gw):
    before = gw.admin_call("GET", "/api/status").json()["running_requests"]
    body = chat("fake/words-then-never", "x", stream=True)
    with httpx.Client(timeout=20, verify=NO_TLS, trust_env=False) as client:
        with client.stream("POST", f"http://{gw.admin}/api/playground", json=body,
                           headers={"authorization": f"Bearer {ADMIN_KEY}"}) as answer:
            pieces = answer.iter_bytes()  # one that nobody holds closes the connection
            next(pieces)
            assert gw.admin_call("GET", "/api/status").json()["running_requests"] == before + 1
    wait_until(lambda: gw.admin_call("GET", "/api/status").json()["running_requests"] == before, "the end of it")


def test_there_is_a_bound(gw):
    body = chat("fake/words-then-never", "x", stream=True)
    opened = []
    with httpx.Client(timeout=20, verify=NO_TLS, trust_env=False) as client:
        try:
            for _ in range(16):
                opened.append(client.send(client.build_request(
                    "POST", f"http://{gw.admin}/api/playground", json=body,
                    headers={"authorization": f"Bearer {ADMIN_KEY}"}), stream=True))
            assert {a.status_code for a in opened} == {200}
            _, error = play(gw, chat("plain", "x"), status=503)
            assert error["code"] == "playground_busy"
        finally:
            for answer in opened:
                answer.close()
    wait_until(lambda: gw.admin_call("POST", "/api/playground", chat("plain", "x")).status_code == 200, "room again")


def ask(gw, model: str, text: str, **more) -> str:
    with make_client(gw) as client:
        raw = client.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": text}], **more)
        gw.at_rest()
        return raw.headers["x-request-id"]


def test_replay(gw):
    trace = ask(gw, "masked", f"write to {EMAIL}", temperature=0.25)
    body, (name, done) = play(gw, {"trace": trace})
    assert name == "done" and "[EMAIL" in said(body) and EMAIL not in said(body)
    sent = json.loads(done["sent"]["body"])
    assert sent["temperature"] == 0.25 and sent["messages"][0]["content"].startswith("write to [EMAIL")
    # Another model, another provider, and streamed.
    body, (_, done) = play(gw, {"trace": trace, "model": "translated", "stream": True})
    assert done["sent"]["provider"] == "claude" and "[EMAIL" in streamed(body)
    _, error = play(gw, {"trace": "req_none"}, status=404)
    assert error["code"] == "trace_not_found"


def test_replay_of_each_dialect(gw):
    header = {"x-goog-api-key": KEY}
    requests = [
        ("/v1/messages", {"model": "plain", "max_tokens": 50, "messages": [{"role": "user", "content": "wie war's?"}]}),
        ("/v1/responses", {"model": "plain", "input": "wie war's?"}),
        ("/v1beta/models/plain:generateContent", {"contents": [{"role": "user", "parts": [{"text": "wie war's?"}]}]}),
        ("/v1beta/models/plain:streamGenerateContent?alt=sse",
         {"contents": [{"role": "user", "parts": [{"text": "wie war's?"}]}]}),
    ]
    for path, value in requests:
        answer = gw.post(path, value, headers=header)
        assert answer.status_code == 200, answer.text
        body, (name, done) = play(gw, {"trace": answer.headers["x-request-id"]})
        assert name == "done" and "war's?" in body, (path, body)
        if "stream" not in path:
            ran = gw.cli("replay", answer.headers["x-request-id"])
            assert "war's?" in ran.stdout and "{" not in ran.stdout, ran.stdout
        body, (name, done) = play(gw, {"trace": answer.headers["x-request-id"], "model": "translated"})
        assert name == "done" and done["sent"]["provider"] == "claude" and "war's?" in body, (path, body)


def test_test_cases(gw):
    trace = ask(gw, "masked", "the zymurgist's remark")
    made = gw.admin_call("POST", "/api/test-cases", {"trace": trace, "note": "quite flibbertigibbet"})
    assert made.status_code == 201, made.text
    case = made.json()
    assert case["trace"] == trace and case["model"] == "masked" and case["made_by"]
    again = gw.admin_call("POST", "/api/test-cases", {"trace": trace})
    assert again.status_code == 409 and again.json()["error"]["code"] == "test_case_exists"
    rows = gw.admin_call("GET", "/api/test-cases").json()["test_cases"]
    assert rows[0]["id"] == case["id"] and rows[0]["note"] == "quite flibbertigibbet"
    full = gw.admin_call("GET", f"/api/test-cases/{case['id']}").json()
    assert "zymurgist" in full["contents"]["request"] and "zymurgist" in full["contents"]["answer"][0]["text"]
    for path in ("/api/test-cases", f"/api/test-cases/{case['id']}"):
        seen = gw.admin_call("GET", path, key=READER)
        assert seen.status_code == 200 and "zymurgist" not in seen.text and "flibber" not in seen.text
    assert gw.admin_call("DELETE", f"/api/test-cases/{case['id']}", key=READER).status_code == 403
    assert not files_with(gw.folder, "zymurgist", "flibbertigibbet")
    assert gw.admin_call("DELETE", f"/api/test-cases/{case['id']}").status_code == 200
    assert gw.admin_call("GET", f"/api/test-cases/{case['id']}").json()["error"]["code"] == "test_case_not_found"
    assert gw.admin_call("POST", "/api/playground", {"trace": case["id"]}).status_code == 404
    for bad in ({}, {"trace": 3}, {"trace": trace, "note": "x" * 2001}):
        assert gw.admin_call("POST", "/api/test-cases", bad).json()["error"]["code"] == "test_case"


def test_verbs(gw):
    trace = ask(gw, "plain", "again, please")
    ran = gw.cli("replay", trace)
    assert ran.returncode == 0 and "again, please" in ran.stdout and "{" not in ran.stdout, ran.stderr
    ran = gw.cli("replay", trace, "--model", "translated", "--json")
    assert json.loads(ran.stdout)["done"]["sent"]["provider"] == "claude"
    ran = gw.cli("replay", "req_none")
    assert ran.returncode == 1 and "No trace" in ran.stderr
    assert gw.cli("test-cases", "add", trace, "--note", "why so").returncode == 0
    listed = gw.cli("test-cases")
    assert "why so" in listed.stdout and trace in listed.stdout
    case = json.loads(gw.cli("test-cases", "--json").stdout)["test_cases"][0]["id"]
    assert "again, please" in gw.cli("test-cases", "show", case).stdout
    assert gw.cli("test-cases", "remove", case).returncode == 0
    assert gw.cli("test-cases", "remove", case).returncode == 1


def test_a_case_outlives_the_program(config, session_folder):
    value = settings(config)
    value.setdefault("server", {})["drain"] = "1s"
    with running(session_folder / "cases", value) as first:
        trace = ask(first, "plain", "stay with me")
        case = first.admin_call("POST", "/api/test-cases", {"trace": trace}).json()["id"]
        # One that is being answered when the program ends holds nothing up, and is told.
        ends = []
        asking = threading.Thread(
            target=lambda: ends.append(play(first, chat("fake/words-then-never", "x", stream=True))))
        asking.start()
        wait_until(lambda: first.admin_call("GET", "/api/status").json()["running_requests"] > 0, "it to run")
        began = time.monotonic()
        first.stop()
        asking.join(10)
        assert time.monotonic() - began < 15
        body, (name, _) = ends[0]
        assert "one" in body and name == "error"
        first.start()
        # A case can be asked again when its trace has gone.
        for path in (first.data / "traces").iterdir():
            path.unlink()
        body, (name, _) = play(first, {"trace": case})
        assert name == "done" and "stay with me" in said(body)
        assert "stay with me" in first.admin_call("GET", f"/api/test-cases/{case}").json()["contents"]["request"]


def test_a_recorded_request_stays_with_its_tenant(gw):
    trace = ask(gw, "plain", "of this tenant")
    _, error = play(gw, {"trace": trace, "tenant": "another"}, status=400)
    assert error["code"] == "playground" and error["param"] == "tenant"
    body, (name, done) = play(gw, {"trace": trace, "tenant": "default"})
    assert name == "done"
    assert gw.admin_call("GET", f"/api/traces/{done['request_id']}").json()["tenant"] == "default"


def test_names_and_ids_have_bounds(gw):
    for bad in ({"tenant": "x" * 129}, {"user": "a\r\nb"}, {"roles": ["r"] * 65}, {"roles": ["r" * 200]}):
        assert play(gw, {**chat("plain", "x"), **bad}, status=400)[1]["code"] == "playground", bad
    assert play(gw, {"trace": ""}, status=400)[1]["code"] == "playground"
    assert gw.admin_call("POST", "/api/test-cases", {"trace": ""}).json()["error"]["code"] == "trace_not_found"
