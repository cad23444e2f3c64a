"""Gemini's dialect: by Google's official client, towards any target; and a Gemini target, by the
official clients of OpenAI and Google."""

import base64
import json

import pytest
from google import genai
from google.genai import errors, types

import fake_gemini
from conftest import make_client, running
from fake_gemini import FakeGemini
from gateway import KEY, UPSTREAM_KEY, assert_error, wait_until

WEATHER = types.FunctionDeclaration(
    name="weather", description="The weather of a city",
    parameters=types.Schema(type="OBJECT", properties={"city": types.Schema(type="STRING")},
                            required=["city"]))
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}
         for name in ("weather", "time")]


def google_client(address: str, key: str = KEY, **options) -> genai.Client:
    """The official client as it comes, with nothing set but address and key."""
    return genai.Client(api_key=key, vertexai=False, http_options=types.HttpOptions(
        base_url=address, retry_options=types.HttpRetryOptions(attempts=1), **options))


@pytest.fixture(scope="module")
def google():
    upstream = FakeGemini().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


@pytest.fixture(scope="module")
def settings(google, config):
    def make():
        made = config()
        made["providers"]["google"] = {"kind": "gemini", "base_url": google.base_url,
                                       "api_key": UPSTREAM_KEY}
        made["models"]["first-google"] = {"targets": ["google/gemini-down", "fake/echo"]}
        made["models"]["first-fails"] = {"targets": ["google/gemini-fails-first", "fake/echo"]}
        return made
    return make


@pytest.fixture(scope="module")
def gate(settings, session_folder):
    with running(session_folder / "gemini", settings()) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def google_side(gate):
    with google_client(gate.url) as made:
        yield made


@pytest.fixture(scope="module")
def openai_side(gate):
    with make_client(gate) as made:
        yield made


@pytest.fixture(params=["direct", "gateway"])
def either(request, google, gate):
    """The fake itself, which the official client must accept, and the same by way of the gateway."""
    direct = request.param == "direct"
    address = f"http://{google.host}:{google.port}" if direct else gate.url
    with google_client(address) as made:
        made.prefix = "" if direct else "google/"
        yield made


# --- Google's client, a Gemini target


def test_whole(either):
    answer = either.models.generate_content(model=either.prefix + "gemini-echo", contents="hello")
    assert answer.text == "You said: hello"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.prompt_token_count == 7
    assert answer.model_version == "gemini-echo-001"


def test_stream(either):
    pieces = list(either.models.generate_content_stream(
        model=either.prefix + "gemini-echo", contents="hello"))
    assert "".join(p.text or "" for p in pieces) == "You said: hello"
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_tools_in_two_turns(either):
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[WEATHER])],
                                         automatic_function_calling={"disable": True})
    model = either.prefix + "gemini-echo"
    question = types.Content(role="user", parts=[types.Part(text="weather?")])
    first = either.models.generate_content(model=model, contents=[question], config=config)
    call = first.function_calls[0]
    assert (call.name, call.args["city"]) == ("weather", 'Zürich "old"')
    part = first.candidates[0].content.parts[0]
    assert part.thought_signature == base64.b64decode(fake_gemini.SIGNATURE)
    answered = types.Part.from_function_response(name="weather", response={"output": "sunny"})
    second = either.models.generate_content(
        model=model, config=config,
        contents=[question, first.candidates[0].content, types.Content(role="user", parts=[answered])])
    assert second.text == "You said: weather?"


def test_a_blocked_prompt(either):
    answer = either.models.generate_content(model=either.prefix + "gemini-blocked", contents="x")
    assert answer.prompt_feedback.block_reason == types.BlockedReason.PROHIBITED_CONTENT


def test_counting_and_embedding(either):
    assert either.models.count_tokens(
        model=either.prefix + "gemini-echo", contents="hello").total_tokens == 31
    answer = either.models.embed_content(model=either.prefix + "gemini-embed", contents=[
        types.Content(parts=[types.Part(text=text)]) for text in ("a", "b")])
    assert [e.values for e in answer.embeddings] == [[0.25, -0.5], [0.5, -0.5]]


def test_errors(either):
    with pytest.raises(errors.ClientError) as refused:
        either.models.generate_content(model=either.prefix + "gemini-minute", contents="x")
    assert refused.value.code == 429
    assert refused.value.status == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_bytes_that_nobody_touched_leave_as_they_came(gate, google, mark, version):
    body = json.dumps({"contents": [{"parts": [{"text": mark}], "role": "user"}], "unknownMember": [1.50],
                       "generation_config": {"temperature": 0.70}}, indent=3).encode()
    answer = gate.post(f"/{version}/models/google/gemini-echo:generateContent", content=body)
    record = google.one(mark)
    assert record.body == body
    assert record.target == "/v1beta/models/gemini-echo:generateContent"
    assert record.header("x-goog-api-key") == UPSTREAM_KEY
    assert KEY not in record.raw_head.decode()
    expected = json.dumps(fake_gemini.whole("gemini-echo", json.loads(body)), indent=2).encode()
    assert answer.content == expected
    assert answer.headers["x-causeway-provider"] == "google"


def test_a_stream_that_nobody_touched(gate, google, mark):
    body = {"contents": [{"parts": [{"text": mark}]}]}
    answer = gate.post("/v1beta/models/google/gemini-echo:streamGenerateContent?alt=sse", body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.content == fake_gemini.sse(fake_gemini.events_of("gemini-echo", body))
    assert google.one(mark).target.endswith(":streamGenerateContent?alt=sse")


def test_a_stream_as_a_list_is_not_served(gate):
    answer = gate.post("/v1beta/models/google/gemini-echo:streamGenerateContent",
                       {"contents": [{"parts": [{"text": "x"}]}]})
    assert answer.status_code == 501
    error = answer.json()["error"]
    assert error["status"] == "UNIMPLEMENTED"
    assert "alt=sse" in error["message"]


def test_the_key_in_the_query_is_never_logged(gate, google, mark):
    body = {"contents": [{"parts": [{"text": mark}]}]}
    path = "/v1beta/models/google/gemini-echo:generateContent"
    answer = gate.post(f"{path}?key={KEY}", body, key=None)
    assert answer.status_code == 200
    assert KEY not in google.one(mark).raw_head.decode()
    assert gate.log_of(answer.headers["x-request-id"])["path"] == path
    assert KEY not in gate.said()
    assert gate.post(f"{path}?key=wrong", body, key=None).json()["error"]["status"] == "UNAUTHENTICATED"
    assert gate.post(f"/v1/chat/completions?key={KEY}", {}, key=None).status_code == 401


def test_the_list_of_models(gate):
    listed = gate.get("/v1beta/models").json()["models"]
    assert "models/echo" in [model["name"] for model in listed]
    for version in ({"api_version": "v1beta"}, {"api_version": "v1"}, {}):
        with google_client(gate.url, **version) as client:
            assert "models/echo" in [model.name for model in client.models.list()]
            assert client.models.get(model="echo").name == "models/echo"
    assert gate.get("/v1/models").json()["object"] == "list", "under /v1 it is OpenAI's"
    for path in ("/v1/models", "/v1/models/echo"):
        answer = gate.get(f"{path}?key={KEY}", key=None)
        assert answer.status_code == 200, "but for Google's clients, which may send the key so"
        assert "models/echo" in answer.text
    assert gate.get("/v1/models?key=wrong", key=None).json()["error"]["status"] == "UNAUTHENTICATED"


def test_the_names_of_a_providers_models(make_gateway, google):
    gateway = make_gateway({"providers": {"google": {
        "kind": "gemini", "base_url": google.base_url, "api_key": UPSTREAM_KEY}}})
    names = wait_until(lambda: [m["id"] for m in gateway.get("/v1/models").json()["data"]], "models")
    assert "gemini-echo" in names
    assert gateway.chat("gemini-echo").json()["choices"][0]["message"]["content"] == "You said: hello"


# --- Google's client, an OpenAI target


def test_google_client_openai_target(google_side, fake, mark):
    answer = google_side.models.generate_content(
        model="echo", contents=f"hello {mark}", config=types.GenerateContentConfig(
            system_instruction="Be brief.", temperature=0.5, max_output_tokens=50, seed=3,
            stop_sequences=["END"], safety_settings=[types.SafetySetting(
                category="HARM_CATEGORY_HARASSMENT", threshold="BLOCK_NONE")]))
    assert answer.text == f"You said: hello {mark}"
    assert answer.candidates[0].finish_reason == types.FinishReason.STOP
    assert answer.usage_metadata.total_token_count > 0
    body = fake.one(mark).json
    assert body["model"] == "echo"
    assert body["messages"] == [{"role": "system", "content": "Be brief."},
                                {"role": "user", "content": f"hello {mark}"}]
    assert (body["temperature"], body["max_tokens"], body["seed"], body["stop"]) == (0.5, 50, 3, ["END"])


def test_google_client_openai_target_streams(google_side):
    pieces = list(google_side.models.generate_content_stream(model="echo", contents="hello"))
    assert "".join(p.text or "" for p in pieces) == "You said: hello"
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP
    assert pieces[-1].usage_metadata.candidates_token_count > 0


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_google_client_openai_target_tools(google_side, fake, mark, stream):
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[WEATHER])],
                                         automatic_function_calling={"disable": True})
    question = types.Content(role="user", parts=[types.Part(text=f"weather? {mark}")])
    ask = google_side.models.generate_content_stream if stream else google_side.models.generate_content
    answer = ask(model="echo", contents=[question], config=config)
    parts = [part for piece in (answer if stream else [answer])
             for part in (piece.candidates[0].content.parts or [])]
    calls = [part.function_call for part in parts if part.function_call]
    assert [(c.name, c.args) for c in calls] == [("weather", {"city": 'Zürich "old"'})]
    schema = fake.records(mark)[0].json["tools"][0]["function"]["parameters"]
    assert schema == {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    said = types.Content(role="model", parts=parts)
    result = types.Content(role="user", parts=[types.Part(function_response=types.FunctionResponse(
        id=calls[0].id, name="weather", response={"degrees": 20}))])
    second = google_side.models.generate_content(
        model="echo", contents=[question, said, result], config=config)
    assert second.text == f"You said: weather? {mark}"
    tool = fake.records(mark)[1].json["messages"][-1]
    assert tool["role"] == "tool"
    assert json.loads(tool["content"]) == {"degrees": 20}
    assert tool["tool_call_id"] == fake.records(mark)[1].json["messages"][1]["tool_calls"][0]["id"]


def test_google_client_openai_target_schema(google_side, fake, mark):
    google_side.models.generate_content(
        model="echo", contents=mark, config=types.GenerateContentConfig(
            response_mime_type="application/json",
            response_schema={"type": "OBJECT", "properties": {"a": {"type": "INTEGER"}}}))
    schema = fake.one(mark).json["response_format"]["json_schema"]["schema"]
    assert schema == {"type": "object", "properties": {"a": {"type": "integer"}}}


def test_google_client_openai_target_embeddings(google_side):
    answer = google_side.models.embed_content(
        model="embed", contents=["a", "b"], config=types.EmbedContentConfig(output_dimensionality=4))
    assert [len(e.values) for e in answer.embeddings] == [4, 4]


def test_google_client_openai_target_counting(google_side, gate):
    assert 10 < google_side.models.count_tokens(model="echo", contents="hello " * 20).total_tokens < 100


def test_what_only_google_knows_is_refused(gate):
    contents = [{"parts": [{"text": "x"}]}]
    answer = gate.post("/v1beta/models/echo:generateContent",
                       {"contents": contents, "tools": [{"googleSearch": {"x": 1}}]})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    assert "tools.googleSearch" in error["message"]
    hinted = gate.post("/v1beta/models/echo:generateContent",
                       {"contents": contents, "labels": {"a": "b"}})
    assert hinted.headers["x-causeway-dropped"] == "labels"


def test_errors_in_googles_form(gate, google_side):
    with pytest.raises(errors.ClientError) as unknown:
        google_side.models.generate_content(model="no-such", contents="x")
    assert (unknown.value.code, unknown.value.status) == (404, "NOT_FOUND")
    with google_client(gate.url, key="wrong") as stranger:
        with pytest.raises(errors.ClientError) as refused:
            stranger.models.generate_content(model="echo", contents="x")
    assert (refused.value.code, refused.value.status) == (401, "UNAUTHENTICATED")
    with pytest.raises(errors.ClientError) as limited:
        google_side.models.generate_content(model="fake/s429", contents="x")
    details = limited.value.details["error"]["details"]
    assert [d["retryDelay"] for d in details if "retryDelay" in d], details


def test_a_cut_stream_is_an_error_for_googles_client(google_side):
    for model in ("fake/cut-mid-stream", "google/gemini-cut", "google/gemini-fails"):
        with pytest.raises(errors.APIError):
            for piece in google_side.models.generate_content_stream(model=model, contents="a b c"):
                assert piece.candidates[0].finish_reason is None


def test_a_heartbeat_that_googles_client_understands(make_gateway, settings, google):
    made = settings()
    made["policies"] = [{"name": "everyone", "heartbeat": "300ms"}]
    gateway = make_gateway(made)

    async def slow(answer):
        await answer.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        await answer.sleep(1.2)
        for event in fake_gemini.events_of("gemini-slow", answer.request):
            await answer.chunk(fake_gemini.sse([event]))
        await answer.last_chunk()

    google.on("gemini-slow", slow)
    with google_client(gateway.url) as client:
        pieces = list(client.models.generate_content_stream(model="google/gemini-slow", contents="hi"))
    assert any(not piece.candidates for piece in pieces), "no heartbeat"
    assert "".join(p.text or "" for p in pieces if p.candidates) == "You said: hi"


# --- OpenAI's client, a Gemini target


def test_openai_client_whole(openai_side, gate, google, mark):
    raw = openai_side.chat.completions.with_raw_response.create(
        model="google/gemini-thinks", temperature=0.5, max_tokens=60, stop=["END"], seed=3,
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": mark}])
    answer = raw.parse()
    message = answer.choices[0].message
    assert message.content == f"You said: {mark}"
    assert message.reasoning_content == "Let me see."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.completion_tokens_details.reasoning_tokens == 3
    assert answer.usage.completion_tokens == answer.usage.total_tokens - answer.usage.prompt_tokens
    assert answer.id == "resp-1"
    body = google.one(mark).json
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["contents"] == [{"role": "user", "parts": [{"text": mark}]}]
    assert body["generationConfig"] == {"maxOutputTokens": 60, "temperature": 0.5, "seed": 3,
                                        "stopSequences": ["END"]}
    row = gate.usage_of(model="google/gemini-thinks")
    assert row["reasoning_tokens"] >= 3


def test_openai_client_stream(openai_side):
    text, reasons, usage = "", [], None
    for event in openai_side.chat.completions.create(
            model="google/gemini-echo", messages=[{"role": "user", "content": "hello"}], stream=True,
            stream_options={"include_usage": True}):
        usage = event.usage or usage
        for choice in event.choices:
            text += choice.delta.content or ""
            reasons.append(choice.finish_reason)
    assert text == "You said: hello"
    assert [r for r in reasons if r] == ["stop"]
    assert usage.prompt_tokens == 7


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_openai_client_parallel_tools(openai_side, google, mark, stream):
    messages = [{"role": "user", "content": f"both? {mark}"}]
    if stream:
        with openai_side.chat.completions.stream(
                model="google/gemini-echo", messages=messages, tools=TOOLS) as events:
            choice = events.get_final_completion().choices[0] if [*events] else None
    else:
        choice = openai_side.chat.completions.create(
            model="google/gemini-echo", messages=messages, tools=TOOLS).choices[0]
    assert choice.finish_reason == "tool_calls"
    calls = choice.message.tool_calls
    assert [call.function.name for call in calls] == ["weather", "time"]
    assert [json.loads(call.function.arguments)["n"] for call in calls] == [0, 1]
    assert len({call.id for call in calls}) == 2
    sent = choice.message.model_dump(exclude_none=True)
    for call in sent["tool_calls"]:
        call["function"].pop("parsed_arguments", None)
        call.pop("index", None)
    sent.pop("parsed", None)
    results = [{"role": "tool", "tool_call_id": call.id, "content": f"r{i}"}
               for i, call in enumerate(calls)]
    second = openai_side.chat.completions.create(
        model="google/gemini-echo", messages=[*messages, sent, *results], tools=TOOLS)
    assert second.choices[0].message.content == f"You said: both? {mark}"
    contents = google.records(mark)[1].json["contents"]
    assert [c["role"] for c in contents] == ["user", "model", "user"]
    assert contents[1]["parts"][0]["functionCall"]["args"] == {"city": 'Zürich "old"', "n": 0}
    assert contents[1]["parts"][0]["thoughtSignature"] == fake_gemini.SIGNATURE
    assert [p["functionResponse"] for p in contents[2]["parts"]] == [
        {"name": "weather", "response": {"output": "r0"}},
        {"name": "time", "response": {"output": "r1"}}]


def test_openai_client_images_and_schema(openai_side, google, mark):
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}}
    answer = openai_side.chat.completions.create(
        model="google/gemini-echo",
        response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": schema}},
        messages=[{"role": "user", "content": [
            {"type": "text", "text": mark},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"type": "image_url", "image_url": {"url": "https://x.example/a.webp"}}]}])
    assert json.loads(answer.choices[0].message.content) == {"answer": f"You said: {mark}"}
    body = google.one(mark).json
    assert body["contents"][0]["parts"] == [
        {"text": mark}, {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
        {"fileData": {"mimeType": "image/webp", "fileUri": "https://x.example/a.webp"}}]
    assert body["generationConfig"] == {"responseMimeType": "application/json",
                                        "responseJsonSchema": schema}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model, status, code", [
    ("gemini-minute", 429, "rate_limit_exceeded"), ("gemini-day", 429, "insufficient_quota"),
    ("gemini-down", (502, 503), None), ("gemini-bad", 400, None), ("gemini-key", (502, 503), None),
    ("no-such-path-of-it", 404, None)])
def test_openai_client_errors(gate, google, model, status, code, stream):
    if model == "no-such-path-of-it":
        async def unknown(answer):
            await answer.json(404, fake_gemini.google_error(404, "NOT_FOUND", "no such model"))
        google.on(model, unknown)
    answer = gate.chat(f"google/{model}", stream=stream)
    assert_error(answer, status, code)
    assert UPSTREAM_KEY not in answer.text
    if model == "gemini-minute":
        assert answer.headers["retry-after"] == "55"


def test_openai_client_blocked_prompt(gate):
    answer = gate.chat("google/gemini-blocked").json()
    assert answer["choices"][0]["finish_reason"] == "content_filter"
    streamed = gate.chat_stream("google/gemini-blocked")
    assert streamed.done
    assert streamed.finish_reasons == ["content_filter"]


def test_an_empty_answer_is_no_success(gate):
    assert_error(gate.chat("google/gemini-empty"), 502)
    assert_error(gate.chat("google/gemini-empty", stream=True), 502)


@pytest.mark.parametrize("model", ["gemini-cut", "gemini-fails"])
def test_openai_client_stream_that_breaks_off(gate, model):
    streamed = gate.chat_stream(f"google/{model}", "a b c")
    assert streamed.text.startswith("You")
    assert streamed.errors and not streamed.done


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_another_target_answers_before_the_first_content(gate, stream):
    for model in ("first-google", "first-fails") if stream else ("first-google",):
        answer = gate.chat(model, stream=stream)
        assert answer.status_code == 200
        assert answer.headers["x-causeway-provider"] == "fake"


def test_openai_client_embeddings(openai_side, google, mark):
    whole = openai_side.embeddings.create(model="google/gemini-embed", input=[mark, "b"], dimensions=2)
    assert [e.embedding for e in whole.data] == [[0.25, -0.5], [0.5, -0.5]], "base64, by default"
    floats = openai_side.embeddings.create(model="google/gemini-embed", input="c", encoding_format="float")
    assert floats.data[0].embedding == [0.25, -0.5]
    requests = google.one(mark).json["requests"]
    assert requests[0] == {"model": "models/gemini-embed", "content": {"parts": [{"text": mark}]},
                           "outputDimensionality": 2}


def test_hints_are_left_out_and_named(gate):
    answer = gate.chat("google/gemini-echo", metadata={"a": "b"}, user="u")
    assert answer.status_code == 200
    assert set(answer.headers["x-causeway-dropped"].split(", ")) == {"metadata", "user"}


def test_token_ids_are_known_to_openai_only(gate):
    answer = gate.post("/v1/embeddings", {"model": "google/gemini-embed", "input": [[1, 2]]})
    assert assert_error(answer, 400)["param"] == "input"


def test_what_gemini_cannot_say_is_refused(gate):
    answer = gate.chat("google/gemini-echo", logit_bias={"5": 1})
    assert assert_error(answer, 400)["param"] == "logit_bias"
    answer = gate.post("/v1/completions", {"model": "google/gemini-echo", "prompt": "x"})
    assert_error(answer, 400)


@pytest.mark.parametrize("variable", ["GEMINI_API_KEY", "GOOGLE_API_KEY"])
def test_the_key_in_the_environment(make_gateway, variable):
    gateway = make_gateway(None, env={variable: UPSTREAM_KEY, "HTTPS_PROXY": "http://127.0.0.1:9"},
                           args=["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
    told = "gemini: Gemini's API at generativelanguage.googleapis.com:443"
    wait_until(lambda: told in gateway.stderr(), "the greeting")
    assert UPSTREAM_KEY not in gateway.said()
