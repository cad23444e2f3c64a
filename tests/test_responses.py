"""The Responses API, by the official client: translated to chat completions, and passed on."""

import copy
import json

import openai
import pytest

from conftest import make_client
from gateway import UPSTREAM_KEY, assert_error

TOOL = {"type": "function", "name": "weather", "description": "The weather of a city", "strict": True,
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}},
                       "required": ["city"], "additionalProperties": False}}


def test_whole(client, mark):
    answer = client.responses.create(model="echo", input=f"hello {mark}", instructions="Be brief.")
    assert answer.output_text == f"You said: hello {mark}"
    assert answer.status == "completed"
    assert answer.object == "response"
    assert answer.store is False
    assert answer.instructions == "Be brief."
    assert answer.usage.input_tokens == 4  # the instructions and the question
    assert answer.usage.total_tokens == answer.usage.input_tokens + answer.usage.output_tokens


def test_stream(client, mark):
    types, numbers, text = [], [], ""
    for event in client.responses.create(model="echo", input=f"hello {mark}", stream=True):
        types.append(event.type)
        numbers.append(event.sequence_number)
        if event.type == "response.output_text.delta":
            text += event.delta
    assert text == f"You said: hello {mark}"
    assert numbers == list(range(len(numbers)))
    assert types[:4] == ["response.created", "response.in_progress", "response.output_item.added",
                         "response.content_part.added"]
    assert types[-4:] == ["response.output_text.done", "response.content_part.done",
                          "response.output_item.done", "response.completed"]
    assert event.response.output_text == text
    assert event.response.usage.output_tokens > 0


@pytest.mark.parametrize("members, field", [
    ({"temperature": "hot"}, "temperature"), ({"tools": "weather"}, "tools"),
    ({"reasoning": "high"}, "reasoning"), ({"input": [{"role": "user", "content": 5}]}, "input[0].content"),
    ({"input": [{"role": "user", "content": [{"type": "input_text", "text": 5}]}]}, "input[0].content[0].text")])
def test_what_is_of_a_wrong_type_is_refused(gw, members, field):
    answer = gw.post("/v1/responses", {"model": "echo", "input": "hello", **members})
    error = assert_error(answer, 400)
    assert error["param"] == field
    assert "must be" in error["message"]


def test_counts(client, gw):
    """Of the same body as a request, or of instructions alone."""
    short = client.responses.input_tokens.count(model="echo", input="hello")
    assert short.object == "response.input_tokens"
    long = client.responses.input_tokens.count(model="echo", input="hello " * 50, instructions="Be brief.",
                                               tools=[TOOL])
    assert 0 < short.input_tokens < long.input_tokens
    for body in ({"instructions": "Be brief."}, {"input": "hello", "stream": True, "max_output_tokens": 9}):
        answer = gw.post("/v1/responses/input_tokens", {"model": "echo", **body})
        assert answer.status_code == 200 and answer.json()["input_tokens"] > 0, answer.text
        assert answer.headers["x-causeway-token-count"] == "estimated"
    assert_error(gw.post("/v1/responses/input_tokens", {"input": "hello"}), 400)
    assert_error(gw.post("/v1/responses/input_tokens", {"model": "echo", "input": "hello", "conversation": "c"}), 501)
    assert_error(gw.post("/v1/responses/input_tokens", {"model": "echo", "input": 5}), 400)


def test_stream_helper(client):
    with client.responses.stream(model="echo", input="hello") as stream:
        final = stream.get_final_response()
    assert final.output_text == "You said: hello"


def test_tools(client):
    first = client.responses.create(model="echo", input="weather?", tools=[TOOL])
    call = first.output[-1]
    assert call.type == "function_call"
    assert call.name == "weather"
    assert json.loads(call.arguments) == {"city": 'Zürich "old"'}
    history = [{"role": "user", "content": "weather?"}, *[item.to_dict() for item in first.output],
               {"type": "function_call_output", "call_id": call.call_id, "output": "sunny"}]
    second = client.responses.create(model="echo", input=history, tools=[TOOL])
    assert second.output_text == "You said: weather?"


def test_tools_in_a_stream(client):
    events = list(client.responses.create(model="echo", input="weather?", tools=[TOOL], stream=True))
    pieces = "".join(e.delta for e in events if e.type == "response.function_call_arguments.delta")
    assert json.loads(pieces) == {"city": 'Zürich "old"'}
    assert [e.arguments for e in events if e.type == "response.function_call_arguments.done"] == [pieces]
    assert events[-1].response.output[-1].arguments == pieces


def test_what_the_target_gets(client, fake, mark):
    client.responses.create(
        model="echo", instructions="Be brief.", max_output_tokens=50, temperature=0.5,
        text={"format": {"type": "json_schema", "name": "answer", "strict": True,
                         "schema": {"type": "object"}}},
        input=[{"role": "user", "content": [
            {"type": "input_text", "text": mark},
            {"type": "input_image", "image_url": "data:image/png;base64,QUJD", "detail": "low"}]}])
    body = fake.one(mark).json
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": mark},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}}]}]
    assert body["max_tokens"] == 50
    assert body["temperature"] == 0.5
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}


def test_too_long_is_incomplete(client):
    answer = client.responses.create(model="echo", input="one two three four", max_output_tokens=2)
    assert answer.status == "incomplete"
    assert answer.incomplete_details.reason == "max_output_tokens"


@pytest.mark.parametrize("field, value", [
    ("previous_response_id", "resp_1"), ("conversation", "conv_1"), ("background", True)])
def test_what_needs_a_store_is_refused(client, field, value):
    with pytest.raises(openai.APIStatusError) as refused:
        client.responses.create(model="echo", input="hello", **{field: value})
    assert refused.value.status_code == 501
    assert refused.value.param == field


def test_clients_do_not_ask_again_for_what_is_not_served(gw, mark):
    """Both retry every 5xx that does not say otherwise."""
    asked = []
    with make_client(gw, max_retries=2) as client:
        client._client.event_hooks["response"].append(lambda answer: asked.append(answer.status_code))
        with pytest.raises(openai.APIStatusError) as refused:
            client.responses.create(model="echo", input=mark, background=True)
    assert refused.value.response.headers["x-should-retry"] == "false"
    assert asked == [501]
    with gw.raw() as raw:
        raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: br\r\n\r\n")
        answer = raw.answer()
    assert (answer.status, answer.header("x-should-retry")) == (501, "false")


def test_a_field_that_only_openai_knows(gw):
    body = {"model": "echo", "input": "hello", "tools": [{"type": "web_search"}]}
    error = assert_error(gw.post("/v1/responses", body), 400)
    assert error["param"] == "tools"
    hinted = gw.post("/v1/responses", {"model": "echo", "input": "hello", "store": True})
    assert hinted.status_code == 200
    assert hinted.headers["x-causeway-dropped"] == "store"


def test_a_cut_stream_ends_with_an_error(make_gateway, config, fake):
    gateway = make_gateway(config())
    with make_client(gateway) as client:
        with pytest.raises(openai.APIError):
            for event in client.responses.create(model="cut-mid-stream", input="hello", stream=True):
                assert event.type != "response.completed"


@pytest.fixture(scope="module")
def passing(gw, config, session_folder):
    """A gateway in front of the gateway: its provider has the Responses API itself."""
    from conftest import running
    settings = copy.deepcopy(config())
    settings["providers"]["native"] = {"kind": "openai", "base_url": gw.base_url, "api_key": "sk-test",
                                       "responses": True}
    from gateway import KEY
    settings["providers"]["native"]["api_key"] = KEY
    settings["models"]["native"] = {"targets": ["native/echo"]}
    with running(session_folder / "passing", settings) as gateway:
        yield gateway


def test_a_server_that_has_it_gets_it_as_it_came(passing, mark):
    with make_client(passing) as client:
        answer = client.responses.create(model="native", input=f"hello {mark}")
        assert answer.output_text == f"You said: hello {mark}"
        types = [e.type for e in client.responses.create(model="native", input="hello", stream=True)]
    assert types[0] == "response.created" and types[-1] == "response.completed"
    row = passing.usage_of(model="native")
    assert row and row["input_tokens"] > 0
