"""Recorded exchanges: what stands in them, who may see what was said, and that no word of it is on the disk."""

import json
import os
import pathlib
import re
import signal
import subprocess
import threading
import time

import anthropic
import openai
import pytest

from conftest import make_client, running
from fake_upstream import Fake
from gateway import KEY, UPSTREAM_KEY, assert_error, binary, chat_body, clean_environment, wait_until
from test_anthropic import anthropic_client

READER = "admin-read-0123456789abcdefghijklmnopqrs"
NAME, EMAIL = "Xanthippe Quillfeather", "x.quill@hospital.example"
WORDS = "the quicksilver bluebird sings"


def settings(config) -> dict:
    value = config()
    value["providers"]["claude"] = {"kind": "anthropic", "base_url": value["providers"]["fake"]["base_url"][:-3],
                                    "api_key": UPSTREAM_KEY}
    value["models"]["claude-sonnet-4-5"] = {"targets": ["claude/claude-sonnet-4-5"]}
    value["models"]["falls-back"] = {"targets": ["fake/s503", "fake/echo"]}
    for name in ("kept-echo", "hidden-echo", "off-echo", "rare-echo", "errors-echo"):
        value["models"][name] = {"targets": ["fake/echo"]}
    value["models"]["blocked-echo"] = {"targets": ["fake/echo"]}
    value["models"]["errors-s503"] = {"targets": ["fake/s503"]}
    value["keys"] = [{"name": "test", "secret": KEY, "models": ["*"]},
                     {"name": "reader", "secret": READER, "kind": "admin_read_only"}]
    kept = {"contents": "on"}
    value["policies"] = [
        {"name": "hidden", "match": {"models": ["hidden-*"]}, "pii": {"action": "mask"}, "traces": kept},
        {"name": "blocked", "match": {"models": ["blocked-*"]}, "pii": "block", "traces": kept},
        {"name": "off", "match": {"models": ["off-*"]}, "traces": "off"},
        {"name": "rare", "match": {"models": ["rare-*"]}, "traces": {**kept, "sample": "0%"}},
        {"name": "errors", "match": {"models": ["errors-*"]},
         "traces": {**kept, "sample": "0%", "always": ["errors"]}},
        {"name": "keep", "match": {"models": ["kept-*", "claude-*", "falls-*", "fake/*"]}, "traces": kept},
    ]
    return value


@pytest.fixture(scope="module")
def traced(config, session_folder):
    with running(session_folder / "traced", settings(config)) as gateway:
        yield gateway


def listed(gw, as_key=None, **query) -> list[dict]:
    gw.at_rest()
    path = "/api/traces?" + "&".join(f"{k}={v}" for k, v in query.items())
    answer = gw.admin_call("GET", path, **({"key": as_key} if as_key else {}))
    assert answer.status_code == 200, answer.text
    assert answer.json()["complete"] is True
    return answer.json()["traces"]


def shown(gw, request_id, **options) -> dict:
    gw.at_rest()
    answer = gw.admin_call("GET", f"/api/traces/{request_id}", **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def ask(gw, model, text, **more):
    """With the official client, and recorded; gives the request's id and the answer's text."""
    with make_client(gw) as client:
        raw = client.chat.completions.with_raw_response.create(
            model=model, messages=[{"role": "user", "content": text}], **more)
        gw.at_rest()
        return raw.headers["x-request-id"], raw.parse().choices[0].message.content


def files_with(folder: pathlib.Path, *words: str) -> list[str]:
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            found += [f"{path}: {word}" for word in words if word.encode() in content]
    return found


def test_what_another_target_answered_is_found(traced):
    request_id, _ = ask(traced, "falls-back", "the first target fails")
    plain, _ = ask(traced, "kept-echo", "the first target answers")
    for pattern in ("*", "fake/*", "fake/s503"):
        found = {trace["request_id"] for trace in listed(traced, failed_target=pattern)}
        assert request_id in found and plain not in found, pattern
    assert listed(traced, failed_target="fake/echo") == [], "tried, and well"
    shown_here = traced.cli("traces", "--failed-target", "*", "--limit", "1000")
    assert request_id in shown_here.stdout and plain not in shown_here.stdout, shown_here.stderr


def test_one_record_says_all(traced):
    request_id, _ = ask(traced, "falls-back", "hello there")
    trace = shown(traced, request_id)
    assert trace["status"] == 200 and trace["error"] is None and trace["model"] == "falls-back"
    assert trace["key"] == "test" and trace["tenant"] == "default" and trace["dialect"] == "openai"
    assert [(a["target"], a["end"], a["error"]) for a in trace["attempts"]][1] == ("fake/echo", "answered", None)
    assert trace["attempts"][1]["answering_model"].startswith("echo"), "as the answer says"
    first = trace["attempts"][0]
    assert first["target"] == "fake/s503" and first["end"] == "failed" and first["status"] == 503 and first["error"]
    stages = [s["stage"] for s in trace["stages"]]
    assert [one for one in stages if not one.startswith("anomalies")][:3] == ["admit", "identify", "resolve"] and "choose" in stages
    assert all(s["ns"] >= 0 for s in trace["stages"])
    assert trace["input_tokens"] > 0 and trace["total_us"] > 0 and trace["config_version"] >= 1 and trace["program"]
    assert trace["policy"] == "keep" and trace["stop"] == "done"
    refused = traced.chat("nobody-has-this")
    trace = shown(traced, refused.headers["x-request-id"])
    assert trace["status"] == 404 and trace["code"] == "model_not_found"
    assert any(s["ended"] for s in trace["stages"])


def test_a_slow_caller_is_told_from_a_slow_provider(traced):
    request = traced.request_bytes(chat_body("echo"))
    with traced.raw() as raw:
        raw.send(request[:-5])
        time.sleep(0.5)
        raw.send(request[-5:])
        trace = shown(traced, raw.answer().header("x-request-id"))
    assert 450_000 < trace["caller_us"] < trace["total_us"]
    assert trace["upstream_us"] < 400_000
    assert shown(traced, traced.chat("echo").headers["x-request-id"])["caller_us"] < 400_000


def test_filters(traced):
    ids = [ask(traced, "kept-echo", f"filter {i}")[0] for i in range(3)]
    refused = traced.chat("fake/s400", "x").headers["x-request-id"]
    of = lambda **query: [t["request_id"] for t in listed(traced, **query)]
    assert of(model="kept-echo", limit=3) == ids[::-1]
    assert of(model="kept-*", limit=1) == ids[-1:]
    assert of(id=ids[0]) == ids[:1]
    assert of(status="400", limit=1) == [refused] and of(errors=1, limit=1) == [refused]
    assert refused in of(target="fake/s400") and refused in of(error="*")
    assert of(key="test", tenant="default", policy="keep", dialect="openai", operation="chat", limit=1)
    assert of(key="nobody") == [] and of(user="nobody") == [] and of(min_cost=1000) == []
    assert set(ids) <= set(of(since="10m", limit=1000)) and of(until="10m") == []
    assert of(since="2026-01-01", until="2026-01-02T00:00:00Z") == []
    assert of(min_ms=60000) == []
    trace_id = shown(traced, ids[0])["trace_id"]
    assert of(id=trace_id) == ids[:1]


def test_pages(traced):
    for i in range(5):
        ask(traced, "kept-echo", f"page {i}")
    path, pages = "/api/traces?limit=2", []
    whole = [t["request_id"] for t in listed(traced, limit=1000)]
    cursor = ""
    while len(pages) < len(whole):
        answer = traced.admin_call("GET", path + cursor).json()
        pages += [t["request_id"] for t in answer["traces"]]
        if answer["next"] is None:
            break
        cursor = f"&cursor={answer['next']}"
    assert pages == whole


def test_what_cannot_be_asked(traced):
    for query in ("nothing=1", "since=yesterday", "limit=x", "min_ms=-1", "min_cost=x", "cursor=x"):
        assert traced.admin_call("GET", f"/api/traces?{query}").status_code == 400, query
    assert traced.admin_call("GET", "/api/traces/tail?wait=1h").status_code == 400
    assert traced.admin_call("GET", "/api/traces/no-such-request").json()["error"]["code"] == "trace_not_found"
    assert traced.admin_call("GET", "/api/traces", key=KEY).status_code == 401


def test_contents(traced):
    request_id, said = ask(traced, "kept-echo", WORDS + " \u00fcber \"alles\"")
    contents = shown(traced, request_id)["contents"]
    sent = json.loads(contents["request"])
    assert sent["messages"] == [{"role": "user", "content": WORDS + " \u00fcber \"alles\""}]
    assert sent["model"] == "echo"  # as the provider got it
    assert [p["text"] for p in contents["answer"]] == [said]
    for words in ("quicksilver%20bluebird", "QUICKSILVER", "%C3%BCber%20%22alles%22"):
        assert request_id in [t["request_id"] for t in listed(traced, contains=words)], words
    assert listed(traced, contains="nobody-said-this") == []
    assert request_id in [t["request_id"] for t in listed(traced, contains="bluebird", model="kept-*")]
    assert listed(traced, contains="bluebird", model="errors-*") == []


def test_contents_of_streams_are_whole_and_change_nothing(traced):
    whole = traced.chat_stream("kept-echo", WORDS)
    plain = traced.chat_stream("off-echo", WORDS)
    assert whole.text == plain.text and len(whole.events) == len(plain.events)
    newest = listed(traced, model="kept-echo", limit=1)[0]
    assert newest["stream"] is True
    contents = shown(traced, newest["request_id"])["contents"]
    assert "".join(p["text"] for p in contents["answer"]) == whole.text


def test_contents_of_a_translated_request(traced):
    with anthropic_client(traced.url, KEY) as client:
        answer = client.messages.create(model="kept-echo", max_tokens=50,
                                        messages=[{"role": "user", "content": WORDS}])
    contents = shown(traced, listed(traced, model="kept-echo", limit=1)[0]["request_id"])["contents"]
    assert WORDS in contents["request"]
    assert contents["answer"][0]["text"] == answer.content[0].text


def test_contents_of_a_dialect_that_says_all_twice(traced):
    """Streams of the Responses API repeat each text at its end; it is kept once."""
    with make_client(traced) as client:
        with client.responses.stream(model="kept-echo", input=WORDS) as stream:
            said = stream.get_final_response().output_text
    contents = shown(traced, listed(traced, model="kept-echo", limit=1)[0]["request_id"])["contents"]
    assert WORDS in contents["request"] and said
    assert [p["text"] for p in contents["answer"] if p["channel"] == "content"] == [said]


def test_contents_have_calls_of_tools(traced):
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    for stream in (False, True):
        send = traced.chat_stream if stream else traced.chat
        send("fake/tools", "what is the weather?", tools=[tool])
        contents = shown(traced, listed(traced, model="fake/tools", limit=1)[0]["request_id"])["contents"]
        [call] = [p for p in contents["answer"] if p["channel"] == "tool_arguments"]
        assert call["tool"] == "get_weather" and json.loads(call["text"])


def test_no_contents_unless_a_policy_says_so(traced):
    request_id = traced.chat("echo", WORDS).headers["x-request-id"]
    trace = shown(traced, request_id)
    assert trace["has_contents"] is False and "contents" not in trace


def test_the_caller_may_say_no(traced):
    request_id, _ = ask(traced, "kept-echo", WORDS, store=False)
    assert shown(traced, request_id)["has_contents"] is False


def test_read_only_keys_see_no_words(traced):
    request_id, _ = ask(traced, "kept-echo", WORDS)
    trace = shown(traced, request_id, key=READER)
    assert trace["has_contents"] is True and "contents" not in trace
    assert WORDS not in json.dumps(listed(traced, as_key=READER, limit=1000))
    answer = traced.admin_call("GET", "/api/traces?contains=bluebird", key=READER)
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "read_only_key"
    answer = traced.admin_call("GET", "/api/traces/tail?contains=bluebird", key=READER)
    assert answer.status_code == 403


def test_what_a_policy_hides_is_in_no_trace(traced, fake):
    text = f"I am {NAME}, write to {EMAIL} about the {WORDS}"
    for stream in (False, True):
        if stream:
            answer = traced.chat_stream("hidden-echo", text)
            request_id, said = answer.header("x-request-id"), answer.text
        else:
            request_id, said = ask(traced, "hidden-echo", text)
        assert NAME in said and EMAIL in said  # the caller has the real words again
        trace = shown(traced, request_id)
        contents = json.dumps(trace["contents"])
        assert "bluebird" in contents and "[EMAIL]" in contents
        assert "Quillfeather" not in contents and EMAIL not in contents
        assert "[EMAIL]" in "".join(p["text"] for p in trace["contents"]["answer"])
        found = {(f["stage"], f["kind"], f["action"]): f["count"] for f in trace["found"]}
        assert found[("pii", "email", "mask")] == 1 and found[("pii", "person", "mask")] >= 1
        assert request_id in [t["request_id"] for t in listed(traced, found="email")]
    assert listed(traced, contains="Quillfeather") == []


def test_what_was_refused_is_not_kept(traced):
    answer = traced.chat("blocked-echo", f"write to {EMAIL}")
    assert answer.status_code == 400
    trace = shown(traced, answer.headers["x-request-id"])
    assert trace["code"] == "pii_blocked" and trace["has_contents"] is False
    assert trace["attempts"][0]["code"] == "pii_blocked"
    assert listed(traced, contains="hospital.example") == []


def test_sampling(traced):
    off, rare = (traced.chat(m, WORDS).headers["x-request-id"] for m in ("off-echo", "rare-echo"))
    good = traced.chat("errors-echo", WORDS).headers["x-request-id"]
    bad = traced.chat("errors-s503", WORDS).headers["x-request-id"]
    traced.at_rest()
    for request_id in (off, rare, good):
        assert traced.admin_call("GET", f"/api/traces/{request_id}").status_code == 404
    trace = shown(traced, bad)
    assert trace["error"] and WORDS in trace["contents"]["request"]


def test_a_share_is_sampled_by_the_trace_id(config, make_gateway):
    value = config()
    value["policies"] = [{"name": "some", "traces": {"sample": "25%"}}]
    gw = make_gateway(value)
    for i in range(40):
        for end in ("00000001", "ffffffff"):
            parent = f"00-{i + 1:024x}{end}-00f067aa0ba902b7-01"
            gw.chat("echo", headers={"traceparent": parent})
    ids = [t["trace_id"] for t in listed(gw, limit=1000)]
    assert len(ids) == 40 and all(i.endswith("00000001") for i in ids)


def test_tail(traced):
    traced.at_rest()
    begin = traced.admin_call("GET", "/api/traces/tail").json()
    assert begin["traces"] == []
    start = time.monotonic()
    request_id, _ = ask(traced, "kept-echo", "for the tail")
    answer = traced.admin_call("GET", f"/api/traces/tail?wait=10s&after={begin['after']}").json()
    assert [t["request_id"] for t in answer["traces"]] == [request_id]
    assert time.monotonic() - start < 5
    start = time.monotonic()
    empty = traced.admin_call("GET", f"/api/traces/tail?wait=1s&after={answer['after']}").json()
    assert empty["traces"] == [] and 0.9 < time.monotonic() - start < 5


def test_verb(traced):
    request_id, _ = ask(traced, "kept-echo", WORDS)
    table = traced.cli("traces", "--model", "kept-*", "--limit", "1")
    assert table.returncode == 0 and request_id in table.stdout and "REQUEST" in table.stdout, table.stderr
    found = json.loads(traced.cli("traces", "--contains", "bluebird", "--json").stdout)
    assert request_id in [t["request_id"] for t in found["traces"]]
    one = traced.cli("traces", "show", request_id)
    assert one.returncode == 0 and WORDS in one.stdout and "identify" in one.stdout, one.stderr
    assert re.search(r"^  total +\d+\.\d{3} ms$", one.stdout, re.MULTILINE) and "_us" not in one.stdout, one.stdout
    assert json.loads(traced.cli("traces", "show", request_id, "--json").stdout)["request_id"] == request_id
    assert traced.cli("traces", "show", "nothing").returncode == 1
    assert traced.cli("traces", "--no-such").returncode == 2


def test_verb_follows(traced):
    follower = subprocess.Popen([str(binary()), "traces", "--tail", "--json", "--data", str(traced.data)],
                                stdout=subprocess.PIPE, text=True, env=clean_environment())
    asked, seen = [], threading.Event()

    def ask_on():  # until it knows where to begin
        while not seen.wait(0.3):
            asked.append(ask(traced, "kept-echo", "for the follower")[0])

    asking = threading.Thread(target=ask_on)
    asking.start()
    try:
        line = follower.stdout.readline()
    finally:
        seen.set()
        asking.join()
        follower.terminate()
        follower.wait(10)
    assert json.loads(line)["request_id"] in asked, "nothing that was there before"


def test_no_word_is_on_the_disk(config, make_gateway):
    gw = make_gateway(settings(config))
    ask(gw, "kept-echo", WORDS)
    ask(gw, "hidden-echo", f"write to {EMAIL} about the {WORDS}")
    gw.chat_stream("kept-echo", WORDS)
    assert len(listed(gw, contains="bluebird")) == 3
    looked_for = ("quicksilver", "bluebird", "hospital.example")
    assert files_with(gw.data / "traces", "kept-echo")  # the search can find something
    assert files_with(gw.data, *looked_for) == []
    gw.stop()
    assert files_with(gw.data, *looked_for) == []
    for path in (gw.data / "traces").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    gw.start()
    assert len(listed(gw, contains="bluebird")) == 3


def test_what_waits_at_the_end_is_written(config, make_gateway):
    gw = make_gateway(settings(config))
    request_id = gw.chat("kept-echo", "last words").headers["x-request-id"]
    gw.stop()
    gw.start()
    assert shown(gw, request_id)["contents"]


def test_killed(config, make_gateway):
    """What is in an answer of the list is on the disk; the last batch may be lost, and no more."""
    gw = make_gateway(settings(config))
    ids = [ask(gw, "kept-echo", f"number {i}")[0] for i in range(10)]
    assert len(listed(gw, model="kept-echo")) == 10
    last, _ = ask(gw, "kept-echo", "and one more")
    time.sleep(0.5)
    gw.kill()
    gw.start()
    left = [t["request_id"] for t in listed(gw, model="kept-echo")]
    assert left in ([last, *ids[::-1]], ids[::-1])
    assert shown(gw, ids[0])["contents"]["request"]


def test_a_torn_file_does_not_stop_the_start(config, make_gateway):
    gw = make_gateway(settings(config))
    ask(gw, "kept-echo", "before")
    assert listed(gw)
    gw.stop()
    [path] = (gw.data / "traces").glob("*.db")
    with open(path, "r+b") as file:
        file.truncate(6000)
    gw.start()
    request_id, _ = ask(gw, "kept-echo", "after")
    assert request_id in [t["request_id"] for t in listed(gw)]
    assert list((gw.data / "traces").glob("*.damaged"))
    assert "put aside" in gw.stderr()
    assert gw.metrics().value("causeway_traces_damaged_total") == 1


def test_retention(config, make_gateway):
    value = settings(config)
    value["traces"] = {"keep": "60s", "max_size": "1MiB"}
    gw = make_gateway(value)
    text = os.urandom(60_000).hex()
    ids = [ask(gw, "kept-echo", f"{i} {text}")[0] for i in range(30)]  # some 7 MiB with the answers
    def small():
        listed(gw, limit=1)
        return sum(p.stat().st_size for p in (gw.data / "traces").iterdir()) <= 1 << 20
    wait_until(small, "the oldest go", timeout=40, every=0.5)
    left = [t["request_id"] for t in listed(gw, limit=1000)]
    assert left == ids[::-1][:len(left)] and len(left) < 30
    assert gw.metrics().value("causeway_traces_bytes") <= 1 << 20


def test_metrics(traced):
    traced.at_rest()
    before = traced.metrics().value("causeway_traces_recorded_total")
    ask(traced, "kept-echo", "counted")
    listed(traced, limit=1)
    metrics = traced.metrics()
    assert metrics.value("causeway_traces_recorded_total") == before + 1
    assert metrics.value("causeway_traces_dropped_total", what="trace", reason="disk") == 0
    assert metrics.value("causeway_traces_bytes") >= 0


def test_settings_that_cannot_be(config, make_gateway, tmp_path):
    for wrong, says in (({"sample": "10"}, "0% to 100%"), ({"sample": "101%"}, "0% to 100%"),
                        ({"contents": "yes"}, "contents"), ({"always": ["some"]}, "some")):
        value = config()
        value["policies"] = [{"name": "p", "traces": wrong}]
        gw = make_gateway(value, start=False)
        done = subprocess.run([str(binary()), "check", str(gw.config_path)], capture_output=True, text=True,
                              env=clean_environment())
        assert done.returncode != 0 and says in done.stderr + done.stdout, done


def test_a_busy_gateway_records_a_part(config, make_gateway):
    """So many a second of those that went well, and as many of those that failed; the rest is counted."""
    settings = config()
    settings["traces"] = {"per_second": 3}  # a busy machine, too, asks more often
    gw = make_gateway(settings)
    begun = time.monotonic()
    for i in range(300):
        gw.chat("echo")
        if i % 3 == 0:
            gw.chat("fake/s500")
    seconds = int(time.monotonic() - begun) + 2

    def counted():
        metrics = gw.metrics()
        recorded = metrics.value("causeway_traces_recorded_total")
        dropped = metrics.value("causeway_traces_dropped_total", what="trace", reason="per_second")
        return recorded + dropped == 400 and (recorded, dropped)
    recorded, dropped = wait_until(counted, "all are counted", timeout=20)
    assert dropped > 0 and recorded <= 2 * 3 * seconds
    bad = gw.admin_call("GET", "/api/traces?errors=1&limit=1000").json()["traces"]
    good = gw.admin_call("GET", "/api/traces?limit=1000").json()["traces"]
    assert len(good) > len(bad) > 0
