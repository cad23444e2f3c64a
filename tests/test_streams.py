"""Streams: every event arrives when it is made, whole, and nothing piles up."""

import json
import pathlib
import socket
import time

import pytest

from conftest import running
from fake_faults import delta
from gateway import chat_body, wait_until
from wire import parse_sse


@pytest.mark.parametrize("model", ["dribble-bytes", "dribble-chunks", "one-write"])
def test_split_anywhere(gw, model):
    """The upstream's stream in single bytes, or all in one: the same events come out."""
    text = "caf\u00e9 \U0001f600 and \"quotes\" \\ \n\nnew line data: x"
    answer = gw.chat_stream(f"fake/{model}", text, stream_options={"include_usage": True}, timeout=30)
    assert answer.text == "You said: " + text
    assert answer.done and not answer.errors
    assert answer.finish_reasons == ["stop"]
    assert len(answer.usages) == 1
    plain = gw.chat_stream("echo", text, stream_options={"include_usage": True})
    strip = lambda events: [e.get("choices") for e in events]
    assert strip(answer.events) == strip(plain.events)


def test_dribbled_whole_answer(gw):
    answer = gw.chat("fake/dribble-bytes", "a b c", timeout=30)
    assert answer.json()["choices"][0]["message"]["content"] == "You said: a b c"


def test_request_byte_by_byte(gw):
    with gw.raw() as raw:
        raw.send_slowly(gw.request_bytes(chat_body("echo", "hi", stream=True)))
        answer = raw.answer()
    assert answer.status == 200 and answer.body.rstrip().endswith(b"data: [DONE]")


def test_every_event_at_once(gw, fake, mark):
    """An event leaves when it has come: no buffer waits for more."""
    gates = []

    async def gated(answer):
        await answer.stream_head()
        for i in range(5):
            while len(gates) <= i:
                await answer.sleep(0.005)
            await answer.event(delta(f"w{i} "))
        await answer.event(delta(None, "stop"))
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("gated", gated)
    with gw.raw(timeout=20) as raw:
        raw.send(gw.request_bytes(chat_body("fake/gated", mark, stream=True)))
        for i in range(5):
            gates.append(1)
            raw.read_until(f'"w{i} "'.encode())  # times out if it waits for its successor
        raw.read_until(b"[DONE]")


def test_head_of_a_stream(gw):
    """Answer headers of a stream."""
    answer = gw.chat_stream("echo")
    assert answer.header("content-type").startswith("text/event-stream")
    assert answer.header("transfer-encoding") == "chunked"
    assert answer.header("content-length") is None
    assert "no-" in (answer.header("cache-control") or "no-cache")  # if set, then so that proxies do not hold it
    assert answer.complete


NOTHING = {
    "/v1/chat/completions": [{"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [],
                              "usage": {"prompt_tokens": 5, "completion_tokens": 0, "total_tokens": 5}}, "[DONE]"],
    "/v1/completions": ["[DONE]"],
    "/v1/messages": [{"type": "message_start", "message": {"id": "m", "type": "message", "role": "assistant",
                                                           "model": "m", "content": []}},
                     {"type": "message_stop"}],
    "/v1/responses": [{"type": "response.created", "sequence_number": 0, "response": {"id": "r", "output": []}},
                      {"type": "response.completed", "sequence_number": 1,
                       "response": {"id": "r", "status": "completed", "output": []}}],
}
HELLO = [{"role": "user", "content": "hi"}]
ASKED = {
    "/v1/chat/completions": {"stream": True, "messages": HELLO},
    "/v1/completions": {"stream": True, "prompt": "hi"},
    "/v1/messages": {"stream": True, "messages": HELLO, "max_tokens": 9},
    "/v1/responses": {"stream": True, "input": "hi"},
}


@pytest.mark.parametrize("path", NOTHING)
def test_a_stream_with_nothing_in_it_is_no_success(make_gateway, config, fake, path):
    settings = config()
    settings["providers"]["native"] = {"kind": "openai", "base_url": fake.base_url, "api_key": "k",
                                       "responses": True}
    settings["providers"]["claude"] = {"kind": "anthropic", "base_url": fake.url, "api_key": "k"}
    provider = {"/v1/messages": "claude", "/v1/responses": "native"}.get(path, "fake")
    settings["models"]["next"] = {"targets": [f"{provider}/nothing", "fake/echo"]}
    gateway = make_gateway(settings)

    async def nothing(answer):
        await answer.stream_head()
        for event in NOTHING[path]:
            await answer.event(event)
        await answer.last_chunk()

    fake.on("nothing", nothing)
    answer = gateway.post(path, {"model": f"{provider}/nothing", **ASKED[path]})
    assert answer.status_code == 502, answer.text
    assert answer.json()["error"]["code"] == "unexpected_answer"
    assert "nothing in it" in answer.json()["error"]["message"]
    answer = gateway.post(path, {"model": "next", **ASKED[path]})
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-causeway-provider"] == "fake"


def test_a_model_that_says_nothing_has_answered(gw, fake):
    async def silent(answer):
        await answer.stream_head()
        await answer.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("silent", silent)
    streamed = gw.chat_stream("fake/silent")
    assert streamed.done and streamed.finish_reasons == ["stop"] and streamed.text == ""
    for path, last in (("/v1/responses", "response.completed"), ("/v1/messages", "message_stop")):
        answer = gw.post(path, {"model": "fake/silent", **ASKED[path]})
        assert answer.status_code == 200, answer.text
        assert f"event: {last}" in answer.text


def test_usage_is_asked_for_and_withheld(gw, fake, mark):
    answer = gw.chat_stream("echo", mark)
    assert fake.one(mark).json["stream_options"]["include_usage"] is True
    assert answer.done
    assert all(not e.get("usage") for e in answer.events)
    assert all(e["choices"] for e in answer.events), "the extra event must not reach who did not ask"


def test_usage_is_given_to_who_asks(gw):
    answer = gw.chat_stream("echo", "a b", stream_options={"include_usage": True})
    assert len(answer.usages) == 1
    assert answer.usages[0]["prompt_tokens"] == 2
    assert answer.events[-1]["choices"] == [] and answer.done


def test_usage_false_is_as_not_asked(gw):
    answer = gw.chat_stream("echo", stream_options={"include_usage": False})
    assert answer.done and answer.usages == []
    assert all(e["choices"] for e in answer.events)


def test_client_that_did_not_ask_still_gets_all_content_events(gw):
    asked = gw.chat_stream("echo", "x y", stream_options={"include_usage": True})
    plain = gw.chat_stream("echo", "x y")
    assert [e["choices"] for e in plain.events] == [e["choices"] for e in asked.events if e["choices"]]


def test_tool_calls_and_choices_interleaved(gw, fake, mark):
    """Deltas of several choices and tool calls keep their order and their bytes."""
    events = []
    for i in range(4):
        for choice in (1, 0):
            events.append({"choices": [{"index": choice, "delta": {"tool_calls": [
                {"index": i % 2, "function": {"arguments": f'{{"{i}":"\\u00e9'}}]}, "finish_reason": None}]})
    events += [{"choices": [{"index": c, "delta": {}, "finish_reason": "tool_calls"}]} for c in (0, 1)]

    async def interleaved(answer):
        await answer.stream_head()
        for event in events:
            await answer.event(event)
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("interleaved", interleaved)
    answer = gw.chat_stream("fake/interleaved", mark)
    assert answer.events == events and answer.done


def test_unknown_fields_and_reasons_pass(gw, fake):
    """What a provider adds (reasoning text, a new finish reason) reaches the client as it is."""
    events = [{"choices": [{"index": 0, "delta": {"reasoning_content": "hm", "x": 1}, "finish_reason": None}], "new": []},
              {"choices": [{"index": 0, "delta": {"content": "ok"}, "finish_reason": None}]},
              {"choices": [{"index": 0, "delta": {}, "finish_reason": "brand_new_reason"}]}]

    async def newer(answer):
        await answer.stream_head()
        for event in events:
            await answer.event(event)
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("newer", newer)
    answer = gw.chat_stream("fake/newer")
    assert answer.events == events and answer.done


def test_large_event(gw, fake):
    """One event of 1 MB (an image, a long tool argument)."""
    async def large(answer):
        await answer.stream_head()
        await answer.event(delta("x" * 1_000_000))
        await answer.event(delta(None, "stop"))
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("large-event", large)
    answer = gw.chat_stream("fake/large-event")
    assert len(answer.text) == 1_000_000 and answer.done


@pytest.fixture(scope="module")
def beating(config, session_folder):
    settings = config()
    settings["policies"] = [{"name": "everyone", "heartbeat": "300ms"}]
    with running(session_folder / "beating", settings) as gateway:
        yield gateway


def test_heartbeat_in_silence(beating):
    """Comments while the model thinks, before the first event and between events; clients skip them."""
    with beating.raw() as raw:
        raw.send(beating.request_bytes(chat_body("fake/silence", stream=True)))
        raw.head()
        first = next(raw.pieces())
        assert first.startswith(b":") and first.endswith(b"\n\n"), "it came before the model's own first byte"
        body = first + b"".join(raw.pieces())
    before, _, after = body.partition(b'" three"')
    assert before.count(b"\n:") + before.startswith(b":") >= 2
    assert after.count(b"\n:") >= 2
    events = parse_sse(body)
    assert events[-1] == "[DONE]"
    text = "".join(json.loads(e)["choices"][0]["delta"].get("content") or "" for e in events[:-1])
    assert text == "one two three four"


def test_no_heartbeat_in_a_brisk_stream(beating):
    start = time.monotonic()
    answer = beating.chat_stream("echo")
    # The machine may have been busy for a whole beat.
    assert answer.comments == [] or time.monotonic() - start >= 0.3


def test_no_heartbeat_in_whole_answers(beating):
    answer = beating.chat("fake/slow-first-byte", "a")
    assert answer.json()["choices"][0]["message"]["content"] == "You said: a"
    assert answer.content.startswith(b"{")


def test_error_after_a_heartbeat_goes_in_band(beating, fake):
    async def slow_500(answer):
        await answer.sleep(0.8)  # three times
        await answer.json(500, {"error": {"message": "x", "type": "server_error", "param": None, "code": None}})

    fake.on("slow-500", slow_500)
    answer = beating.chat_stream("fake/slow-500")
    assert answer.status == 200
    assert len(answer.errors) == 1 and not answer.done


def test_no_heartbeat_by_default_for_a_short_wait(gw):
    """15 s of silence, not earlier: until then a status can still be told."""
    answer = gw.chat_stream("fake/slow-first-byte")
    assert answer.comments == [] and answer.done


def test_slow_reader_holds_the_upstream_back(gw, fake, mark):
    """A client that does not read: the provider is stopped by TCP, and memory stays flat."""
    before = gw.rss()
    raw = gw.raw(timeout=60)
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    raw.send(gw.request_bytes(chat_body("fake/flood", mark, stream=True)))
    record = fake.one(mark)

    def settled():
        sent = record.sent
        time.sleep(0.4)
        return sent > 0 and record.sent == sent

    wait_until(settled, "the upstream stops")
    # What the kernel's buffers may hold at the most, on both sides, and a little.
    most = sum(int(pathlib.Path(f"/proc/sys/net/ipv4/tcp_{way}").read_text().split()[2]) * times
               for way, times in (("rmem", 1), ("wmem", 2))) + (4 << 20)
    assert record.sent < max(most, 32 << 20), "that much was taken from the provider without a reader"
    assert gw.rss() - before < 16 << 20
    # It goes on as soon as somebody reads.
    stopped_at = record.sent
    for _ in range(200):
        raw._more()
        raw.buffer = b""
    wait_until(lambda: record.sent > stopped_at, "the upstream goes on")
    raw.close()
    assert record.peer_closed.wait(20)


def test_many_slow_readers(gw, fake, mark):
    """Fifty of them together cost what their buffers cost, and others are served meanwhile."""
    before = gw.rss()
    open_ones = []
    for _ in range(50):
        raw = gw.raw(timeout=20)
        raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        raw.send(gw.request_bytes(chat_body("fake/flood", mark, stream=True)))
        open_ones.append(raw)
    wait_until(lambda: len(fake.records(mark)) == 50, "all have begun", timeout=20)
    start = time.monotonic()
    assert gw.chat("echo").status_code == 200
    assert time.monotonic() - start < 5
    assert gw.rss() - before < 50 * (1 << 20)
    for raw in open_ones:
        raw.close()
    wait_until(lambda: all(r.peer_closed.is_set() for r in fake.records(mark)), "all cancelled")
