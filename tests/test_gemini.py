"""Gemini's dialect: Google's own client to any target, and any client to Gemini."""

import json

import openai
import pytest
from google import genai
from google.genai import errors, types

from conftest import make_client, running
from fake_gemini import KEY as UPSTREAM, FakeGemini
from gateway import KEY, assert_error

WEATHER = {"name": "weather", "description": "The weather of a city",
           "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]}}
OPENAI_TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
                for name in ("weather", "clock")]


@pytest.fixture(scope="module")
def google():
    with FakeGemini() as fake:
        yield fake


@pytest.fixture(scope="module")
def gem_gw(config, session_folder, google):
    settings = config()
    settings["providers"]["google"] = {"kind": "gemini", "base_url": google.url + "/v1beta", "api_key": UPSTREAM}
    for name in ("echo", "limited", "bad", "blocked", "empty", "cut"):
        settings["models"]["g-" + name] = {"targets": ["google/" + name]}
    settings["models"]["g-then-openai"] = {"targets": ["google/cut", "fake/echo"]}
    with running(session_folder / "gemini", settings) as gateway:
        yield gateway


def google_client(url: str, key: str, **options) -> genai.Client:
    return genai.Client(api_key=key, http_options=types.HttpOptions(base_url=url, timeout=30_000, **options))


@pytest.fixture(params=["direct", "same dialect", "to OpenAI"])
def by_google(request, gem_gw, google):
    """Google's client: at the fake itself, through the gateway to it, and to an OpenAI target. (client, model)"""
    if request.param == "direct":
        return google_client(google.url, UPSTREAM), "echo"
    return google_client(gem_gw.url, KEY), "g-echo" if request.param == "same dialect" else "echo"


def test_generate(by_google, mark):
    client, model = by_google
    answer = client.models.generate_content(model=model, contents=f"hello {mark}")
    assert answer.text == f"You said: hello {mark}"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.prompt_token_count > 0
    assert answer.usage_metadata.total_token_count > answer.usage_metadata.prompt_token_count


def test_stream(by_google, mark):
    client, model = by_google
    pieces = list(client.models.generate_content_stream(model=model, contents=f"hello {mark}"))
    assert "".join(piece.text or "" for piece in pieces) == f"You said: hello {mark}"
    assert len(pieces) > 1
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert pieces[-1].usage_metadata.candidates_token_count > 0


def test_tools(by_google):
    client, model = by_google
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[WEATHER])],
                                         automatic_function_calling={"disable": True})
    question = types.Content(role="user", parts=[types.Part(text="weather?")])
    first = client.models.generate_content(model=model, contents=[question], config=config)
    call = first.function_calls[0]
    assert call.name == "weather"
    assert call.args["city"] == 'Zürich "old"'
    result = types.Part(function_response=types.FunctionResponse(
        id=call.id, name=call.name, response={"output": "sunny"}))
    second = client.models.generate_content(
        model=model, config=config,
        contents=[question, first.candidates[0].content, types.Content(role="user", parts=[result])])
    assert second.text == "You said: weather?"


def test_structured_output(by_google, mark):
    client, model = by_google
    answer = client.models.generate_content(
        model=model, contents=mark,
        config=types.GenerateContentConfig(response_mime_type="application/json",
                                           response_schema={"type": "OBJECT"}))
    assert json.loads(answer.text) == {"answer": f"You said: {mark}"}


def test_count_tokens(by_google):
    client, model = by_google
    counted = client.models.count_tokens(model=model, contents="How many tokens are there in this?")
    assert 5 < counted.total_tokens < 60


def test_models(gem_gw):
    client = google_client(gem_gw.url, KEY, api_version="v1beta")  # the list under /v1 is OpenAI's
    names = [model.name for model in client.models.list()]
    assert "models/g-echo" in names and "models/echo" in names


def test_errors_in_googles_form(gem_gw):
    known, stranger = google_client(gem_gw.url, KEY), google_client(gem_gw.url, "wrong")
    with pytest.raises(errors.ClientError) as refused:
        known.models.generate_content(model="nosuch", contents="x")
    assert refused.value.code == 404
    assert refused.value.status == "NOT_FOUND"
    with pytest.raises(errors.ClientError) as unknown:
        stranger.models.generate_content(model="g-echo", contents="x")
    assert unknown.value.code == 401


def test_same_dialect_leaves_the_bytes_alone(gem_gw, google, mark):
    body = '{"contents" : [{"parts":[{"text":"%s"}], "role":"user"}],  "own":{"x":1.50}}' % mark
    answer = gem_gw.raw()
    with answer as raw:
        raw.send(gem_gw.request_bytes(body.encode(), path="/v1beta/models/g-echo:generateContent"))
        assert raw.answer().status == 200
    path, headers, seen, _ = google.one(mark)
    assert path == "/v1beta/models/echo:generateContent"
    assert seen.decode() == body
    assert KEY not in str(headers)


def test_the_older_paths(gem_gw):
    answer = gem_gw.post("/v1/models/g-echo:generateContent",
                         {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]})
    assert answer.json()["candidates"][0]["content"]["parts"][0]["text"] == "You said: hi"
    assert gem_gw.get("/v1/models").json()["object"] == "list"


def test_a_stream_without_sse_is_refused(gem_gw):
    answer = gem_gw.post("/v1beta/models/g-echo:streamGenerateContent", {"contents": [{"parts": [{"text": "x"}]}]})
    assert answer.status_code == 501
    assert "alt=sse" in answer.json()["error"]["message"]


# OpenAI's client to Gemini.


@pytest.fixture
def by_openai(gem_gw):
    with make_client(gem_gw) as client:
        yield client


def ask(client, model, text="hello", **more):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **more)


def test_openai_client(by_openai, google, mark):
    answer = by_openai.chat.completions.create(
        model="g-echo", max_tokens=50, temperature=0.5, stop=["END"], seed=4, messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": [
                {"type": "text", "text": mark},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}}]}])
    assert answer.choices[0].message.content == f"You said: {mark}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 12
    assert answer.usage.prompt_tokens_details.cached_tokens == 2
    assert answer.usage.completion_tokens == 8  # the thoughts are paid for
    assert answer.usage.completion_tokens_details.reasoning_tokens == 3
    _, _, _, body = google.one(mark)
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["contents"] == [{"role": "user", "parts": [
        {"text": mark}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}]}]
    assert body["generationConfig"] == {"maxOutputTokens": 50, "temperature": 0.5, "seed": 4,
                                        "stopSequences": ["END"]}


def test_openai_stream(by_openai, mark):
    events = list(ask(by_openai, "g-echo", f"hello {mark}", stream=True, stream_options={"include_usage": True}))
    text = "".join(e.choices[0].delta.content or "" for e in events if e.choices)
    assert text == f"You said: hello {mark}"
    assert events[-1].usage.completion_tokens == 8
    assert [e.choices[0].finish_reason for e in events if e.choices][-1] == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_parallel_tools(by_openai, google, mark, stream):
    if stream:
        with by_openai.chat.completions.stream(model="g-echo", tools=OPENAI_TOOLS,
                                               messages=[{"role": "user", "content": "weather?"}]) as events:
            message = events.get_final_completion().choices[0].message
    else:
        answer = ask(by_openai, "g-echo", "weather?", tools=OPENAI_TOOLS)
        assert answer.choices[0].finish_reason == "tool_calls"
        message = answer.choices[0].message
    assert [call.function.name for call in message.tool_calls] == ["weather", "clock"]
    assert json.loads(message.tool_calls[1].function.arguments) == {"city": 'Zürich "old"', "n": 1}
    history = [{"role": "user", "content": mark}, message.to_dict(),
               *[{"role": "tool", "tool_call_id": call.id, "content": "done"} for call in message.tool_calls]]
    for call in history[1]["tool_calls"]:
        call.pop("index", None)
        call["function"].pop("parsed_arguments", None)
    by_openai.chat.completions.create(model="g-echo", messages=history, tools=OPENAI_TOOLS)
    _, _, _, body = google.one(mark)
    calls, results = body["contents"][1]["parts"], body["contents"][2]["parts"]
    assert calls[0]["thoughtSignature"] == "c2lnbmVk", "what Gemini signed comes back to it"
    assert [part["functionCall"]["name"] for part in calls] == ["weather", "clock"]
    assert [part["functionResponse"]["name"] for part in results] == ["weather", "clock"]


def test_limits_are_told(gem_gw):
    answer = gem_gw.chat("g-limited")
    assert_error(answer, 429)
    assert answer.headers["retry-after"] == "7"


def test_a_refusal_is_the_callers_to_read(gem_gw):
    assert "Unsupported part." in assert_error(gem_gw.chat("g-bad"), 400)["message"]


def test_a_blocked_prompt_is_no_empty_success(by_openai):
    assert ask(by_openai, "g-blocked").choices[0].finish_reason == "content_filter"
    events = list(ask(by_openai, "g-blocked", stream=True))
    assert events[-1].choices[0].finish_reason == "content_filter"


def test_an_answer_of_another_shape(gem_gw):
    assert assert_error(gem_gw.chat("g-empty"), 502)["code"] == "unexpected_answer"


def test_a_cut_stream_is_an_error(by_openai):
    with pytest.raises(openai.APIError):
        list(ask(by_openai, "g-cut", stream=True))


def test_fields_that_gemini_does_not_know(gem_gw):
    error = assert_error(gem_gw.chat("g-echo", logit_bias={"5": 1}), 400)
    assert error["param"] == "logit_bias"
    answer = gem_gw.chat("g-echo", metadata={"a": "b"}, user="u")
    assert answer.status_code == 200
    assert set(answer.headers["x-causeway-dropped"].split(", ")) == {"metadata", "user"}


def test_the_key_stays_secret(gem_gw):
    gem_gw.chat("g-bad")
    assert UPSTREAM not in gem_gw.output()
