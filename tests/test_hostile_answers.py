"""What a hostile or broken provider says, as a client of the Responses API hears it; and what callers
may not do with a provider's own paths."""

import json
import time

import pytest

from gateway import UPSTREAM_KEY
from conftest import running
from wire import parse_sse


def chunk(delta, **more):
    return {"id": "c1", "object": "chat.completion.chunk", "created": 1, "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": None, **more}]}


def streaming(*events):
    """A handler that says these events."""
    async def handler(answer):
        await answer.stream_head()
        for event in events:
            await (answer.chunk(event) if isinstance(event, bytes) else answer.event(event))
        await answer.last_chunk()
    return handler


def ask(gw, body):
    with gw.raw(timeout=20) as raw:
        raw.send(gw.request_bytes(body, path="/v1/responses"))
        return raw.answer()


def heard(gw, fake, name, *events):
    fake.on(name, streaming(*events))
    return ask(gw, {"model": f"fake/{name}", "input": "hello", "stream": True})


@pytest.mark.parametrize("line", ["\n", "\r\n"])
def test_a_request_of_several_lines_is_told_again_in_one(gw, line):
    tool = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
    body = {"model": "echo", "input": "hello", "stream": True, "metadata": {"a": "b"}, "tools": [tool]}
    answer = ask(gw, json.dumps(body, indent=2).replace("\n", line).encode())
    assert answer.status == 200, answer.body
    events = [json.loads(data) for data in parse_sse(answer.body)]
    assert events[-1]["type"] == "response.completed"
    assert events[-1]["response"]["metadata"] == {"a": "b"}
    assert events[0]["response"]["tools"] == [tool]


def test_annotations_of_several_lines(gw, fake):
    answer = heard(gw, fake, "annotated", chunk({"content": "A"}),
                   b'data: {"choices":[{"index":0,"delta":{"annotations":[{"a":\ndata: 1}]}}]}\n\n',
                   chunk({}, finish_reason="stop"), "[DONE]")
    assert answer.status == 200, answer.body
    last = json.loads(parse_sse(answer.body)[-1])
    assert last["response"]["output"][0]["content"][0]["annotations"] == [{"a": 1}]


def test_annotations_that_are_not_json(gw, fake):
    """The provider's event is not JSON where no reader must look: ours must be, or there is none."""
    broken = b'data: {"choices":[{"index":0,"delta":{"annotations":[{"a": nope, "b": [1 2]}]}}]}\n\n'
    answer = heard(gw, fake, "not-annotated", broken, chunk({"content": "A"}),
                   chunk({}, finish_reason="stop"), "[DONE]")
    assert answer.status == 502, answer.body
    assert answer.json()["error"]["code"] == "upstream_broken"

    async def late(handler):
        await handler.stream_head()
        await handler.event(chunk({"content": "A"}))
        await handler.sleep(0.1)  # what came before goes out by itself
        await handler.chunk(broken)
        await handler.last_chunk()

    fake.on("not-annotated-late", late)
    answer = ask(gw, {"model": "fake/not-annotated-late", "input": "hello", "stream": True})
    events = [json.loads(data) for data in parse_sse(answer.body)]
    assert events[-1]["type"] in ("error", "response.failed"), events[-1]

    async def whole(handler):
        text = b'{"id":"c","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant",' \
               b'"content":"A","annotations":[{"a": nope}]}}]}'
        await handler.body(200, text)

    fake.on("whole-not-annotated", whole)
    answer = ask(gw, {"model": "fake/whole-not-annotated", "input": "hello"})
    assert answer.status == 502, answer.body


@pytest.mark.parametrize("said", [[], [{}], [{"id": "x", "choices": []}], [{"choices": None}],
                                  [{"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 0}}]],
                         ids=["nothing", "empty", "no choice", "null", "usage"])
def test_an_answer_without_a_choice_is_no_success(gw, fake, said):
    answer = heard(gw, fake, "choiceless", *said, "[DONE]")
    assert b"response.completed" not in answer.body
    assert answer.status == 502, (answer.status, answer.body)


@pytest.mark.parametrize("index", [-1, 65536, 10**30])
def test_an_impossible_choice_is_not_mixed_into_another(gw, fake, index):
    answer = heard(gw, fake, "far-choice", chunk({"content": "mine"}), chunk({"content": "other"}, index=index),
                   chunk({}, finish_reason="stop"), "[DONE]")
    assert b"other" not in answer.body


def test_calls_without_end_are_refused_soon(gw, fake):
    calls = b",".join(b'{"id":"%d","function":{}}' % i for i in range(200_000))
    body = (b'{"id":"x","choices":[{"index":0,"message":{"role":"assistant","tool_calls":[' + calls +
            b']},"finish_reason":"tool_calls"}]}')

    async def handler(answer):
        await answer.body(200, body)

    fake.on("endless-calls", handler)
    begun = time.monotonic()
    answer = ask(gw, {"model": "fake/endless-calls", "input": "hello"})
    assert answer.status == 502, (answer.status, answer.body[:200])
    assert time.monotonic() - begun < 10


@pytest.fixture(scope="module")
def team_gw(config, session_folder):
    settings = config()
    settings["providers"]["fake"] |= {"organization": "org-ours", "headers": {"X-Team": "ours"}}
    settings["policies"] = [{"name": "all", "pass_through": ["fake"]}]
    with running(session_folder / "team", settings) as gateway:
        yield gateway


def test_the_callers_fields_do_not_stand_beside_the_operators(team_gw, fake, mark):
    fields = {"X-Team": "evil", "OpenAI-Organization": "org-evil", "OpenAI-Beta": "mine"}
    assert team_gw.post("/providers/fake/chat/completions", {"model": "echo", "messages": [
        {"role": "user", "content": mark}]}, headers=fields).status_code == 200
    seen = [(name.lower(), value) for name, value in fake.one(mark).headers]
    assert [v for n, v in seen if n == "x-team"] == ["ours"]
    assert [v for n, v in seen if n == "openai-organization"] == ["org-ours"]
    assert ("openai-beta", "mine") in seen
    assert ("authorization", f"Bearer {UPSTREAM_KEY}") in seen


def test_fields_that_a_connection_names_end_there(team_gw, fake, mark):
    async def handler(answer):
        await answer.body(200, b"{}", headers={"connection": "x-hop, close", "x-hop": "1", "x-other": "2",
                                               "x-causeway-cost": "0.5"})

    fake.on("hop", handler)
    answer = team_gw.post("/providers/fake/chat/completions", {"model": "hop", "messages": [], "mark": mark},
                          headers={"Connection": "X-Hop, X-Last", "X-Hop": "1", "X-Last": "2", "X-Stay": "3"})
    assert answer.status_code == 200
    sent = {name.lower() for name, _ in fake.one(mark).headers}
    assert "x-hop" not in sent and "x-last" not in sent and "x-stay" in sent
    assert "x-hop" not in answer.headers and answer.headers["x-other"] == "2"
    assert "x-causeway-cost" not in answer.headers


def test_a_translated_stream_without_end_is_cut(gw, fake):
    """The Responses API tells each text once more at its end, so it must be kept: within bounds."""
    async def handler(answer):
        await answer.stream_head()
        for _ in range(2000):
            await answer.event(chunk({"content": "y" * 60_000}))

    fake.on("endless-text", handler)
    answer = ask(gw, {"model": "fake/endless-text", "input": "endless", "stream": True})
    assert b"event: error" in answer.body[-2000:]
    assert b"answer_too_large" in answer.body[-2000:]
    assert fake.one('"endless-text"').sent < 60 << 20
