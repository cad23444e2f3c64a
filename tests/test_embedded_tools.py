"""Tools and JSON on the embedded model, whose chat template knows no tools: the real engine, the
official clients. The model is too weak to choose well; what is tested is the form."""

import json

import anthropic
import openai
import pytest
from google import genai
from google.genai import types

from conftest import make_client, running
from gateway import KEY
from test_embedded import embedded_config, user

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

SCHEMA = {"type": "object", "additionalProperties": False, "required": ["city", "unit"],
          "properties": {"city": {"$ref": "#/$defs/city"}, "unit": {"enum": ["celsius", "fahrenheit"]}},
          "$defs": {"city": {"type": "string", "minLength": 1, "maxLength": 20}}}
PLAIN = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "The weather of a city now",
                                            "parameters": SCHEMA}}
TIME = {"type": "function", "function": {"name": "get_time", "description": "The time now"}}
NESTED = {"type": "object", "additionalProperties": False, "required": ["title", "people"], "properties": {
    "title": {"type": "string", "maxLength": 20},
    "people": {"type": "array", "minItems": 1, "maxItems": 2, "items": {
        "type": "object", "additionalProperties": False, "required": ["name", "age"],
        "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}}}}}}
QUESTION = user("What is the weather in Paris?")


@pytest.fixture(scope="module")
def local(session_folder):
    with running(session_folder / "embedded-tools", embedded_config()) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(local):
    return make_client(local, timeout=120)


@pytest.fixture(scope="module")
def claude(local):
    return anthropic.Anthropic(base_url=local.url, api_key=KEY, max_retries=0, timeout=120)


@pytest.fixture(scope="module")
def google(local):
    return genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=local.url, timeout=120_000))


def ask(client, messages=QUESTION, **more):
    return client.chat.completions.create(model="fast", messages=messages, temperature=0,
                                          **{"max_tokens": 400, "tools": [WEATHER, TIME]} | more)


def check(call):
    """A call of one of the two tools, as its schema wants it."""
    arguments = json.loads(call.function.arguments)
    assert call.id and call.type == "function"
    if call.function.name == "get_time":
        assert isinstance(arguments, dict)
    else:
        assert call.function.name == "get_weather"
        assert set(arguments) == {"city", "unit"} and arguments["unit"] in ("celsius", "fahrenheit")
        assert 1 <= len(arguments["city"]) <= 20


def test_required(client):
    choice = ask(client, tool_choice="required").choices[0]
    assert choice.finish_reason == "tool_calls"
    assert not choice.message.content
    assert choice.message.tool_calls
    for call in choice.message.tool_calls:
        check(call)
    assert len({call.id for call in choice.message.tool_calls}) == len(choice.message.tool_calls)


def test_named_and_only_one(client):
    choice = ask(client, parallel_tool_calls=False,
                 tool_choice={"type": "function", "function": {"name": "get_weather"}}).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert [call.function.name for call in choice.message.tool_calls] == ["get_weather"]
    check(choice.message.tool_calls[0])


def test_unknown_name_is_refused(client):
    with pytest.raises(openai.BadRequestError) as error:
        ask(client, tool_choice={"type": "function", "function": {"name": "nosuch"}})
    assert error.value.param == "tool_choice"


@pytest.mark.parametrize("question", ["What is the weather in Paris?", "Hello!", "Write a poem."])
def test_auto_is_a_call_or_an_answer(client, question):
    choice = ask(client, user(question)).choices[0]
    if choice.finish_reason == "tool_calls":
        for call in choice.message.tool_calls:
            check(call)
    else:
        assert choice.message.tool_calls is None and choice.message.content
        assert "{\"answer\"" not in choice.message.content


def test_none_is_an_answer(client):
    choice = ask(client, user("What is the capital of France?"), tool_choice="none").choices[0]
    assert choice.finish_reason == "stop" and choice.message.tool_calls is None
    assert "Paris" in choice.message.content


def test_stream(client):
    calls, reasons, contents, usage = {}, [], "", None
    for event in ask(client, tool_choice="required", stream=True, stream_options={"include_usage": True}):
        usage = event.usage or usage
        for choice in event.choices:
            contents += choice.delta.content or ""
            reasons += [choice.finish_reason] if choice.finish_reason else []
            for piece in choice.delta.tool_calls or []:
                call = calls.setdefault(piece.index, {"id": piece.id, "name": piece.function.name, "arguments": ""})
                call["arguments"] += piece.function.arguments or ""
    assert reasons == ["tool_calls"] and contents == ""
    assert calls and all(call["id"] and call["name"] in ("get_weather", "get_time") for call in calls.values())
    assert all(isinstance(json.loads(call["arguments"]), dict) for call in calls.values())
    assert usage.prompt_tokens > 50 and usage.completion_tokens > 5


def test_two_rounds(client):
    """What the tool said reaches the model: the fact is nowhere else."""
    first = ask(client, tool_choice={"type": "function", "function": {"name": "get_weather"}},
                parallel_tool_calls=False).choices[0].message
    history = [*QUESTION, first,
               {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "It is raining in Paris, 11 degrees."}]
    for more in ({"tool_choice": "none"}, {"tools": openai.NOT_GIVEN}):
        choice = ask(client, history, **more).choices[0]
        assert choice.finish_reason in ("stop", "length") and not choice.message.tool_calls
        assert "rain" in choice.message.content or "11" in choice.message.content
    again = ask(client, history).choices[0]
    assert again.finish_reason in ("stop", "tool_calls", "length")


def test_cut_is_never_half_a_call(client):
    for limit in range(2, 40, 6):
        choice = ask(client, tool_choice="required", max_tokens=limit).choices[0]
        assert choice.finish_reason == "length"
        assert not choice.message.content
        for call in choice.message.tool_calls or []:
            check(call)


def test_tools_and_a_schema(client):
    choice = ask(client, user("Tell me of two people."), response_format={
        "type": "json_schema", "json_schema": {"name": "people", "schema": NESTED}}).choices[0]
    if choice.finish_reason == "stop":
        check_people(choice.message.content)
    else:
        assert choice.finish_reason == "tool_calls" and choice.message.tool_calls


def check_people(text):
    value = json.loads(text)
    assert set(value) == {"title", "people"} and 1 <= len(value["people"]) <= 2
    assert all(set(p) == {"name", "age"} and isinstance(p["age"], int) for p in value["people"])


def test_nested_schema(client):
    answer = client.chat.completions.create(
        model="fast", temperature=0, max_tokens=300, messages=user("Invent a family."),
        response_format={"type": "json_schema", "json_schema": {"name": "people", "strict": True, "schema": NESTED}})
    assert answer.choices[0].finish_reason == "stop"
    check_people(answer.choices[0].message.content)


def test_anthropic(claude):
    tool = {"name": "get_weather", "description": "The weather of a city", "input_schema": PLAIN}
    more = {"model": "fast", "max_tokens": 400, "tools": [tool],
            "tool_choice": {"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True}}
    answer = claude.messages.create(messages=QUESTION, **more)
    assert answer.stop_reason == "tool_use"
    call = answer.content[0]
    assert (call.type, call.name) == ("tool_use", "get_weather") and isinstance(call.input["city"], str)
    with claude.messages.stream(messages=QUESTION, **more) as stream:
        final = stream.get_final_message()
    assert final.stop_reason == "tool_use" and final.content[0].input == call.input
    history = [*QUESTION, {"role": "assistant", "content": answer.content}, {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": call.id, "content": "It is raining in Paris, 11 degrees."}]}]
    told = claude.messages.create(messages=history, **more | {"tool_choice": {"type": "none"}})
    assert "rain" in told.content[0].text or "11" in told.content[0].text


def test_google(google):
    tool = types.Tool(function_declarations=[types.FunctionDeclaration(
        name="get_weather", description="The weather of a city", parameters_json_schema=PLAIN)])
    config = types.GenerateContentConfig(
        tools=[tool], temperature=0, max_output_tokens=400,
        automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True),
        tool_config=types.ToolConfig(function_calling_config=types.FunctionCallingConfig(mode="ANY")))
    answer = google.models.generate_content(model="fast", contents=QUESTION[0]["content"], config=config)
    assert answer.function_calls[0].name == "get_weather"
    assert isinstance(answer.function_calls[0].args["city"], str)


def test_google_schema(google):
    answer = google.models.generate_content(
        model="fast", contents="Invent a family.", config=types.GenerateContentConfig(
            temperature=0, max_output_tokens=300, response_mime_type="application/json", response_json_schema=NESTED))
    check_people(answer.text)


def test_anthropic_schema(claude):
    answer = claude.messages.create(
        model="fast", max_tokens=300, messages=user("Invent a family."),
        output_config={"format": {"type": "json_schema", "schema": NESTED}})
    check_people(answer.content[0].text)


# --- counts of tokens are the ones that usage tells afterwards


@pytest.mark.parametrize("more", [
    {}, {"system": "Du bist höflich."},
    {"tools": [{"name": "get_weather", "description": "The weather", "input_schema": PLAIN}]},
])
@pytest.mark.parametrize("text", ["hello", "Zürich  \n\n 日本 😀 " * 30])
def test_count_anthropic(claude, text, more):
    raw = claude.messages.with_raw_response.count_tokens(model="fast", messages=user(text), **more)
    assert raw.headers["x-causeway-token-count"] == "exact"
    usage = claude.messages.create(model="fast", max_tokens=40, messages=user(text), **more).usage
    assert raw.parse().input_tokens == usage.input_tokens + (usage.cache_read_input_tokens or 0)


def test_count_google(google, local):
    for text in ("hello", "a longer text with " + "many words " * 40):
        counted = google.models.count_tokens(model="fast", contents=text).total_tokens
        usage = google.models.generate_content(
            model="fast", contents=text, config=types.GenerateContentConfig(max_output_tokens=5)).usage_metadata
        assert counted == usage.prompt_token_count
        whole = local.post("/v1beta/models/fast:countTokens", {"generateContentRequest": {
            "model": "models/fast", "contents": [{"role": "user", "parts": [{"text": text}]}]}}).json()
        assert whole["totalTokens"] == counted
