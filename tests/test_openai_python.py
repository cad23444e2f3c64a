"""The official Python client works unmodified."""

import asyncio
import struct

import openai
import pydantic
import pytest

from conftest import make_client
from fake_faults import RATE
from fake_provider import by_path, vector
from gateway import KEY

TOOL = {"type": "function", "function": {
    "name": "weather", "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}


def user(text):
    return [{"role": "user", "content": text}]


def test_chat(client, mark):
    answer = client.chat.completions.create(model="echo", messages=user(f"hello {mark}"))
    assert answer.choices[0].message.content == f"You said: hello {mark}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.object == "chat.completion"
    assert answer.usage.prompt_tokens == 2
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer._request_id  # x-request-id of the gateway


def test_chat_stream(client, mark):
    text, reasons, ids = "", [], set()
    with client.chat.completions.create(model="echo", messages=user(f"hello {mark}"), stream=True) as stream:
        for event in stream:
            ids.add(event.id)
            assert event.usage is None  # it was not asked for
            for choice in event.choices:
                text += choice.delta.content or ""
                if choice.finish_reason:
                    reasons.append(choice.finish_reason)
    assert text == f"You said: hello {mark}"
    assert reasons == ["stop"]
    assert len(ids) == 1


def test_stream_with_usage(client):
    events = list(client.chat.completions.create(
        model="echo", messages=user("one two three"), stream=True, stream_options={"include_usage": True}))
    assert events[-1].choices == []
    assert events[-1].usage.prompt_tokens == 3
    assert events[-1].usage.completion_tokens == 5
    assert all(e.usage is None for e in events[:-1])


def test_stream_helper(client):
    """The client's own accumulator is stricter than a loop: it must end with a whole completion."""
    with client.chat.completions.stream(model="echo", messages=user("hello")) as stream:
        for _ in stream:
            pass
        final = stream.get_final_completion()
    assert final.choices[0].message.content == "You said: hello"
    assert final.choices[0].finish_reason == "stop"


def test_several_choices(client):
    answer = client.chat.completions.create(model="echo", messages=user("hi"), n=3)
    assert [c.index for c in answer.choices] == [0, 1, 2]
    texts = ["", "", ""]
    for event in client.chat.completions.create(model="echo", messages=user("hi"), n=3, stream=True):
        for choice in event.choices:
            texts[choice.index] += choice.delta.content or ""
    assert texts == ["You said: hi"] * 3


def test_logprobs(client):
    answer = client.chat.completions.create(model="echo", messages=user("hi"), logprobs=True, top_logprobs=1)
    assert answer.choices[0].logprobs.content[0].token == "You"
    assert answer.choices[0].logprobs.content[0].top_logprobs[0].logprob == -0.25
    events = client.chat.completions.create(model="echo", messages=user("hi"), logprobs=True, stream=True)
    tokens = [t.token for e in events for c in e.choices if c.logprobs for t in c.logprobs.content]
    assert tokens == ["You", "said:", "hi"]


def test_tool_round(client):
    messages = user("What is the weather in Zürich?")
    answer = client.chat.completions.create(model="echo", messages=messages, tools=[TOOL])
    call = answer.choices[0].message.tool_calls[0]
    assert answer.choices[0].finish_reason == "tool_calls"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Zürich \\"old\\""}')
    messages += [answer.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
    answer = client.chat.completions.create(model="echo", messages=messages, tools=[TOOL])
    assert answer.choices[0].finish_reason == "stop"
    assert answer.choices[0].message.content.startswith("You said: What is the weather")


def test_tool_call_streamed(client):
    name, arguments, ids, reasons = "", "", [], []
    for event in client.chat.completions.create(model="echo", messages=user("weather?"), tools=[TOOL],
                                                tool_choice="auto", stream=True):
        for choice in event.choices:
            reasons += [choice.finish_reason] if choice.finish_reason else []
            for call in choice.delta.tool_calls or []:
                ids += [call.id] if call.id else []
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    assert (name, arguments) == ("weather", '{"city": "Zürich \\"old\\""}')
    assert ids == ["call_1"] and reasons == ["tool_calls"]


def test_every_documented_field_arrives(client, fake, mark):
    fields = dict(
        messages=[{"role": "developer", "content": "be short"}, {"role": "system", "content": "be kind"},
                  {"role": "user", "name": "ann", "content": [
                      {"type": "text", "text": mark},
                      {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo=", "detail": "low"}}]}],
        temperature=0.5, top_p=0.9, frequency_penalty=0.1, presence_penalty=-0.1, seed=7, stop=["END"],
        max_completion_tokens=100, logit_bias={"50256": -100}, logprobs=True, top_logprobs=2, n=1,
        parallel_tool_calls=False, tools=[TOOL], tool_choice="none", user="u1", safety_identifier="s1",
        prompt_cache_key="c1", metadata={"a": "b"}, store=False, service_tier="auto", reasoning_effort="low",
        verbosity="low", modalities=["text"], prediction={"type": "content", "content": "guess"},
        response_format={"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {
            "type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"],
            "additionalProperties": False}}})
    client.chat.completions.create(model="echo", extra_body={"unknown_to_all": {"x": [1, None]}}, **fields)
    sent = fake.one(mark).json
    assert sent == {"model": "echo", "unknown_to_all": {"x": [1, None]}, **fields}


def test_structured_output_parsed(client):
    class Reply(pydantic.BaseModel):
        answer: str

    answer = client.chat.completions.parse(model="echo", messages=user("hi"), response_format=Reply)
    assert answer.choices[0].message.parsed == Reply(answer="You said: hi")


def test_completions_with_suffix(client, fake, mark):
    answer = client.completions.create(model="echo", prompt=f"once {mark}", suffix=" the end", max_tokens=20)
    assert answer.choices[0].text == " and then the end"
    assert answer.object == "text_completion"
    assert fake.one(mark).json["suffix"] == " the end"


def test_completions_stream(client):
    events = list(client.completions.create(model="echo", prompt=["a", "b"], stream=True,
                                            stream_options={"include_usage": True}))
    texts = {0: "", 1: ""}
    for event in events:
        for choice in event.choices:
            texts[choice.index] += choice.text
    assert texts[0] == texts[1] == "  and then"
    assert events[-1].usage.prompt_tokens == 2


def test_embeddings_default_is_base64_and_exact(client, fake, mark):
    answer = client.embeddings.create(model="embed", input=[mark, "b c"])
    assert fake.one(mark).json["encoding_format"] == "base64"  # what the client asks for by itself
    assert [d.index for d in answer.data] == [0, 1]
    for item in answer.data:
        want = list(struct.unpack("<8f", struct.pack("<8f", *vector(item.index + 1, 8))))
        assert item.embedding == want
    assert answer.usage.prompt_tokens == 3


def test_embeddings_float_dimensions_tokens(client):
    answer = client.embeddings.create(model="embed", input="a", encoding_format="float", dimensions=3)
    assert answer.data[0].embedding == vector(1, 3)
    answer = client.embeddings.create(model="embed", input=[[1, 2, 3], [4]], encoding_format="float")
    assert len(answer.data) == 2


def test_models_list_and_retrieve(client):
    ids = [m.id for m in client.models.list()]
    assert {"echo", "embed", "org/deep/model"} <= set(ids)
    assert len(ids) == len(set(ids))
    model = client.models.retrieve("echo")
    assert (model.id, model.object) == ("echo", "model")
    assert isinstance(model.created, int) and model.owned_by


def test_model_with_slashes(client, gw):
    assert client.models.retrieve("org/deep/model").id == "org/deep/model"
    for path in ("/v1/models/org/deep/model", "/v1/models/org%2Fdeep%2Fmodel"):
        answer = gw.get(path)
        assert answer.status_code == 200, (path, answer.text)
        assert answer.json()["id"] == "org/deep/model"
    answer = client.chat.completions.create(model="org/deep/model", messages=user("hi"))
    assert answer.choices[0].message.content == "You said: hi"


def test_model_of_a_provider_by_its_full_name(client, fake, mark):
    client.chat.completions.create(model="fake/echo", messages=user(mark))
    assert fake.one(mark).json["model"] == "echo"


# --- error classes


def test_wrong_key(gw):
    with pytest.raises(openai.AuthenticationError) as error:
        make_client(gw, "sk-wrong").chat.completions.create(model="echo", messages=user("hi"))
    assert error.value.code == "invalid_api_key"
    assert error.value.request_id


def test_unknown_model(client):
    with pytest.raises(openai.NotFoundError) as error:
        client.chat.completions.create(model="ecko", messages=user("hi"))
    assert error.value.code == "model_not_found"
    assert "echo" in error.value.message  # the nearest name
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("ecko")


def test_bad_request(client):
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model="echo", messages="not a list")
    assert error.value.param == "messages"


def test_bad_request_of_the_provider(client):
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model="fake/s400", messages=user("hi"), temperature=9)
    assert "temperature" in error.value.message
    assert (error.value.code, error.value.param) == ("invalid_value", "temperature")


def test_model_not_allowed(gw):
    key = gw.make_key(models=["embed"])["key"]
    with pytest.raises(openai.PermissionDeniedError) as error:
        make_client(gw, key).chat.completions.create(model="echo", messages=user("hi"))
    assert "echo" in error.value.message
    assert [m.id for m in make_client(gw, key).models.list()] == ["embed"]


def test_rate_limit_error(client):
    with pytest.raises(openai.RateLimitError) as error:
        client.chat.completions.create(model="fake/s429", messages=user("hi"))
    assert error.value.code == "rate_limit_exceeded"
    assert error.value.response.headers["retry-after"] == "7"


def test_server_error(client):
    with pytest.raises(openai.InternalServerError):
        client.chat.completions.create(model="fake/s500", messages=user("hi"))


def test_error_in_the_stream(client):
    text = ""
    with pytest.raises(openai.APIError) as error:
        for event in client.chat.completions.create(model="fake/cut-mid-stream", messages=user("hi"), stream=True):
            text += event.choices[0].delta.content or ""
    assert text == "one two three"
    assert error.value.message


def test_client_retries_what_may_be_retried(gw, fake, mark):
    """The official client obeys retry-after-ms and tries again; the gateway must not stand in its way."""
    tries = []

    async def twice_busy(answer):
        tries.append(1)
        if len(tries) <= 2:
            return await answer.json(429, RATE, {"retry-after-ms": "30"})
        await by_path(answer)

    fake.on("twice-busy", twice_busy)
    answer = make_client(gw, max_retries=2).chat.completions.create(
        model="fake/twice-busy", messages=user(mark))
    assert answer.choices[0].message.content == f"You said: {mark}"
    assert len(tries) == 3


def test_raw_response_headers(client):
    raw = client.chat.completions.with_raw_response.create(model="echo", messages=user("hi"))
    assert raw.headers["x-request-id"] and raw.headers["x-request-id"] != "req_of_the_provider"
    assert raw.headers["x-causeway-provider"] == "fake"
    assert raw.headers["x-causeway-model"]
    assert raw.parse().choices[0].message.content == "You said: hi"


def test_async_client_many_at_once(gw):
    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=gw.base_url, api_key=KEY, max_retries=0) as client:
            async def one(i):
                text = ""
                stream = await client.chat.completions.create(model="echo", messages=user(f"n{i}"), stream=True)
                async for event in stream:
                    text += event.choices[0].delta.content or "" if event.choices else ""
                return text
            return await asyncio.gather(*(one(i) for i in range(50)))

    assert asyncio.run(all_of_them()) == [f"You said: n{i}" for i in range(50)]
