"""Provider vertex: tokens of a service account and of the metadata server, Gemini and Claude, errors."""

import json

import anthropic
import openai
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from google import genai
from google.genai import errors, types
from google.oauth2 import service_account

import fake_anthropic
import fake_gemini
from conftest import make_client, running
from fake_vertex import API_KEY, LOCATION, PEM, PROJECT, SCOPE, FakeVertex
from gateway import KEY, assert_error, run, wait_until
from test_anthropic import CITY, OPENAI_TOOL, PNG, TOOL, anthropic_client
from test_gemini import WEATHER, google_client

_elliptic = ec.generate_private_key(ec.SECP256R1())
ELLIPTIC = _elliptic.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                   serialization.NoEncryption()).decode()
PUBLIC = _elliptic.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
HELLO = [{"role": "user", "content": "hello"}]
CLAUDE, GEMINI = "claude-sonnet-4-5@20250929", "gemini-echo"
ANY_PORT = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]


@pytest.fixture(scope="module")
def vertex():
    upstream = FakeVertex().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


@pytest.fixture(scope="module")
def key_path(vertex, session_folder):
    path = session_folder / "vertex-key.json"
    path.write_text(json.dumps(vertex.key_file()))
    return path


def settings(vertex, **more) -> dict:
    return {"providers": {"vertex": {"kind": "vertex", "base_url": vertex.url, "location": LOCATION, **more}}}


@pytest.fixture(scope="module")
def gateway(vertex, key_path, session_folder):
    made = settings(vertex, credentials_file=str(key_path))
    made["policies"] = [{"name": "all", "pass_through": ["vertex"]}]
    with running(session_folder / "vertex", made) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(gateway):
    with make_client(gateway) as made:
        yield made


@pytest.fixture(scope="module")
def claude(gateway):
    return anthropic_client(gateway.url)


@pytest.fixture(scope="module")
def google(gateway):
    with google_client(gateway.url) as made:
        yield made


# --- the fake itself, by the clients that people use without a gateway; then the same by pass-through


def credentials(vertex):
    return service_account.Credentials.from_service_account_info(vertex.key_file(), scopes=[SCOPE])


class Fixed(service_account.credentials.Credentials):
    """The gateway's key, where the client would have a token."""

    def __init__(self):
        super().__init__()
        self.token = KEY

    def refresh(self, request):
        raise AssertionError("the token does not expire")


@pytest.fixture(params=["direct", "pass-through"])
def way(request, vertex, gateway):
    direct = request.param == "direct"
    return (vertex.url, credentials(vertex)) if direct else (gateway.url + "/providers/vertex", Fixed())


def googles_own(address, who):
    return genai.Client(vertexai=True, project=PROJECT, location=LOCATION, credentials=who,
                        http_options=types.HttpOptions(base_url=address))


def test_googles_client(way):
    with googles_own(*way) as client:
        assert client.models.generate_content(model=GEMINI, contents="hello").text == "You said: hello"
        pieces = list(client.models.generate_content_stream(model=GEMINI, contents="hello"))
        assert "".join(p.text or "" for p in pieces) == "You said: hello"
        assert client.models.count_tokens(model=GEMINI, contents="hello").total_tokens == 31
        for model in ("text-embedding-005", "gemini-embedding-001"):
            for texts in (["a"], ["a", "b"]):
                answer = client.models.embed_content(model=model, contents=texts,
                                                     config={"output_dimensionality": 3})
                assert [len(e.values) for e in answer.embeddings] == [3] * len(texts), (model, texts)
        with pytest.raises(errors.ClientError) as refused:
            client.models.generate_content(model="gemini-missing", contents="hello")
        assert refused.value.status == "NOT_FOUND"


def test_anthropics_client(way):
    address, who = way
    with anthropic.AnthropicVertex(project_id=PROJECT, region=LOCATION, credentials=who, max_retries=0,
                                   base_url=address + "/v1") as client:
        whole = client.messages.create(model=CLAUDE, max_tokens=500, messages=HELLO)
        assert whole.content[0].text == "You said: hello"
        with client.messages.stream(model=CLAUDE, max_tokens=500, tools=[TOOL], messages=HELLO) as stream:
            final = stream.get_final_message()
        assert final.content[0].input == CITY
        assert client.messages.count_tokens(model=CLAUDE, messages=HELLO).input_tokens == 1
        with pytest.raises(anthropic.RateLimitError):
            client.messages.create(model="claude-quota", max_tokens=500, messages=HELLO)


def test_the_fake_refuses_a_wrong_signature(vertex):
    other = credentials(vertex).with_claims({"aud": "https://elsewhere.example"})
    with googles_own(vertex.url, other) as client:
        with pytest.raises(Exception, match="invalid_grant"):
            client.models.generate_content(model=GEMINI, contents="hello")


# --- Google's client, both publishers


def test_gemini_by_googles_client(google, vertex, mark):
    answer = google.models.generate_content(model="vertex/" + GEMINI, contents=f"hello {mark}")
    assert answer.text == f"You said: hello {mark}"
    assert answer.usage_metadata.prompt_token_count == 7
    record = vertex.one(mark)
    assert record.target == (f"/v1beta1/projects/{PROJECT}/locations/{LOCATION}/publishers/google/models/"
                             f"{GEMINI}:generateContent")
    assert record.header("authorization").startswith("Bearer ya29.")
    assert KEY not in record.raw_head.decode()
    pieces = list(google.models.generate_content_stream(model="vertex/" + GEMINI, contents="hello"))
    assert "".join(p.text or "" for p in pieces) == "You said: hello"
    assert pieces[-1].candidates[0].finish_reason == types.FinishReason.STOP


def test_gemini_by_googles_client_tools(google):
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[WEATHER])],
                                         automatic_function_calling={"disable": True})
    question = types.Content(role="user", parts=[types.Part(text="weather?")])
    first = google.models.generate_content(model="vertex/" + GEMINI, contents=[question], config=config)
    assert first.function_calls[0].args["city"] == CITY["city"]
    result = types.Part.from_function_response(name="weather", response={"output": "sunny"})
    second = google.models.generate_content(model="vertex/" + GEMINI, config=config, contents=[
        question, first.candidates[0].content, types.Content(role="user", parts=[result])])
    assert second.text == "You said: weather?"


def test_bytes_that_nobody_touched(gateway, vertex, mark):
    body = json.dumps({"contents": [{"parts": [{"text": mark}], "role": "user"}], "unknownMember": [1.50]},
                      indent=3).encode()
    gateway.post(f"/v1beta/models/vertex/{GEMINI}:generateContent", content=body)
    assert vertex.one(mark).body == body


def test_a_content_without_a_role_is_the_users(gateway, vertex, mark):
    """The Gemini API takes it so; Vertex AI refuses it."""
    asked = {"contents": [{"parts": [{"text": mark}]}]}
    path = f"/v1beta/models/vertex/{GEMINI}"
    answer = gateway.post(path + ":generateContent", asked)
    assert answer.status_code == 200, answer.text
    assert vertex.one(mark).json["contents"] == [{"role": "user", "parts": [{"text": mark}]}]
    for body in (asked, {"generateContentRequest": {"model": f"models/vertex/{GEMINI}", **asked}}):
        answer = gateway.post(path + ":countTokens", body)
        assert (answer.status_code, answer.json()["totalTokens"]) == (200, 31), answer.text


def test_counting_by_googles_client(google, gateway):
    assert google.models.count_tokens(model="vertex/" + GEMINI, contents="hello").total_tokens == 31
    wrapped = {"generateContentRequest": {
        "model": "models/vertex/" + GEMINI, "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "contents": [{"role": "user", "parts": [{"text": "hello"}]}]}}
    answer = gateway.post(f"/v1beta/models/vertex/{GEMINI}:countTokens", wrapped)
    assert answer.json()["totalTokens"] == 32, answer.text


def test_claude_by_googles_client(google, vertex, mark):
    pieces = list(google.models.generate_content_stream(model="vertex/" + CLAUDE, contents=f"hello {mark}"))
    assert "".join(p.text or "" for p in pieces) == f"You said: hello {mark}"
    assert vertex.one(mark).target.endswith(":streamRawPredict")


# --- Anthropic's client, both publishers


def test_claude_by_anthropics_client(claude, vertex, mark):
    answer = claude.messages.create(model="vertex/" + CLAUDE, max_tokens=500, system="Be brief.",
                                    messages=[{"role": "user", "content": mark}])
    assert answer.content[0].text == f"You said: {mark}"
    record = vertex.one(mark)
    assert "/publishers/anthropic/models/claude-sonnet-4-5" in record.target
    assert record.json["anthropic_version"] == "vertex-2023-10-16"
    assert record.target.endswith(":rawPredict")
    assert record.header("x-api-key") is None
    assert record.header("authorization").startswith("Bearer ya29.")
    assert claude.messages.count_tokens(model="vertex/" + CLAUDE, messages=HELLO).input_tokens == 1


def test_betas_of_anthropics_client(claude, vertex, mark):
    """They are header fields here as there. A count needs none, and is refused for one that is not known yet."""
    asked = {"model": "vertex/" + CLAUDE, "messages": [{"role": "user", "content": mark}],
             "betas": ["context-1m-2025-08-07"]}
    claude.beta.messages.create(max_tokens=500, **asked)
    assert claude.beta.messages.count_tokens(**asked).input_tokens == 1
    said, counted = vertex.records(mark)
    assert said.header("anthropic-beta") == "context-1m-2025-08-07"
    assert "betas" not in said.json and "anthropic_beta" not in said.json
    assert counted.header("anthropic-beta") is None
    assert said.json["anthropic_version"] == counted.json["anthropic_version"] == "vertex-2023-10-16"


def test_claude_by_anthropics_client_thinks_and_calls(claude):
    asked = {"model": "vertex/" + CLAUDE, "max_tokens": 2000, "tools": [TOOL],
             "thinking": {"type": "enabled", "budget_tokens": 1024}}
    with claude.messages.stream(messages=HELLO, **asked) as stream:
        first = stream.get_final_message()
    assert [b.type for b in first.content] == ["thinking", "tool_use"]
    second = claude.messages.create(**asked, messages=[*HELLO, first.to_param(), {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": first.content[1].id, "content": "sunny"}]}])
    assert second.stop_reason == "end_turn"


def test_gemini_by_anthropics_client(claude):
    with claude.messages.stream(model="vertex/" + GEMINI, max_tokens=500, messages=HELLO) as stream:
        assert "".join(stream.text_stream) == "You said: hello"


# --- OpenAI's client, both publishers


@pytest.mark.parametrize("model", [CLAUDE, GEMINI])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_chat(client, gateway, mark, model, stream):
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": mark}]
    if stream:
        chunks = list(client.chat.completions.create(model="vertex/" + model, messages=messages, stream=True,
                                                     stream_options={"include_usage": True}))
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        usage = chunks[-1].usage
    else:
        answer = client.chat.completions.create(model="vertex/" + model, messages=messages)
        text, usage = answer.choices[0].message.content, answer.usage
    assert text == f"You said: {mark}"
    assert usage.prompt_tokens > 0 and usage.completion_tokens > 0
    assert gateway.usage_of(model="vertex/" + model)["estimated_requests"] == 0


@pytest.mark.parametrize("model", [CLAUDE, GEMINI])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_tools(client, model, stream):
    asked = {"model": "vertex/" + model, "tools": [OPENAI_TOOL]}
    if stream:
        with client.chat.completions.stream(messages=HELLO, **asked) as events:
            message = events.get_final_completion().choices[0].message if [*events] else None
    else:
        message = client.chat.completions.create(messages=HELLO, **asked).choices[0].message
    call = message.tool_calls[0]
    assert json.loads(call.function.arguments)["city"] == CITY["city"]
    said = {"role": "assistant", "tool_calls": [
        {"id": call.id, "type": "function",
         "function": {"name": "weather", "arguments": call.function.arguments}}]}
    again = client.chat.completions.create(messages=[*HELLO, said, {
        "role": "tool", "tool_call_id": call.id, "content": "sunny"}], **asked)
    assert again.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("model", [CLAUDE, GEMINI])
def test_images_and_schemas(client, vertex, mark, model):
    schema = {"type": "object", "properties": {"answer": {"type": "string"}},
              "required": ["answer"], "additionalProperties": False}
    answer = client.chat.completions.create(
        model="vertex/" + model,
        response_format={"type": "json_schema",
                         "json_schema": {"name": "a", "schema": schema, "strict": True}},
        messages=[{"role": "user", "content": [
            {"type": "text", "text": mark},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}}]}])
    assert json.loads(answer.choices[0].message.content) == {"answer": f"You said: {mark}"}
    assert PNG in vertex.one(mark).body.decode()


def test_the_responses_api(client):
    for model in (CLAUDE, GEMINI):
        assert client.responses.create(model="vertex/" + model, input="hello").output_text == "You said: hello"


@pytest.mark.parametrize("model, tokens", [("text-embedding-005", 4), ("gemini-embedding-001", 5)])
@pytest.mark.parametrize("texts", [["a"], ["a", "b"]])
def test_embeddings(client, google, model, tokens, texts):
    answer = client.embeddings.create(model="vertex/" + model, input=texts, dimensions=3)
    assert [e.embedding for e in answer.data] == [[0.25 * (i + 1)] * 3 for i, _ in enumerate(texts)]
    assert answer.usage.prompt_tokens == tokens * len(texts)
    answer = google.models.embed_content(model="vertex/" + model, contents=texts,
                                         config={"output_dimensionality": 3})
    assert [e.values for e in answer.embeddings] == [[0.25 * (i + 1)] * 3 for i, _ in enumerate(texts)]


@pytest.mark.parametrize("model, field", [("text-embedding-005", "task_type"),
                                          ("gemini-embedding-001", "taskType")])
def test_what_an_embedding_is_for(google, vertex, mark, model, field):
    google.models.embed_content(model="vertex/" + model, contents=[mark], config={
        "task_type": "RETRIEVAL_DOCUMENT", "title": "A title"})
    body = vertex.one(mark).json
    told = body["instances"][0] if "instances" in body else body["embedContentConfig"]
    assert (told[field], told["title"]) == ("RETRIEVAL_DOCUMENT", "A title")


def test_claude_embeds_nothing(gateway):
    answer = gateway.post("/v1/embeddings", {"model": "vertex/" + CLAUDE, "input": "a"})
    assert_error(answer, 400, "operation_not_supported")


def test_a_tuned_model(client, vertex, mark):
    client.chat.completions.create(model="vertex/endpoints/123", messages=[{"role": "user", "content": mark}])
    assert f"/locations/{LOCATION}/endpoints/123:generateContent" in vertex.one(mark).target


# --- errors


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model, status, code", [
    ("claude-quota", 429, "rate_limit_exceeded"), ("gemini-quota", 429, "rate_limit_exceeded"),
    ("claude-denied", 502, "upstream_auth"), ("gemini-missing", 404, "model_not_found"),
    ("claude-missing", 404, "model_not_found"), ("claude-overloaded", 503, None),
    ("claude-too-long", 400, "context_length_exceeded"), ("claude-busy", 429, None)])
def test_errors(gateway, model, status, code, stream):
    answer = gateway.chat("vertex/" + model, stream=stream)
    assert_error(answer, status, code)
    assert PROJECT not in answer.text and LOCATION not in answer.text
    if model.endswith("quota"):
        assert answer.headers["retry-after"] == "21"


def test_errors_in_each_clients_form(claude, google):
    with pytest.raises(anthropic.RateLimitError) as limited:
        claude.messages.create(model="vertex/claude-quota", max_tokens=5, messages=HELLO)
    assert limited.value.body["error"]["type"] == "rate_limit_error"
    with pytest.raises(errors.ClientError) as missing:
        google.models.generate_content(model="vertex/gemini-missing", contents="x")
    assert (missing.value.code, missing.value.status) == (404, "NOT_FOUND")


@pytest.mark.parametrize("model", ["claude-cut", "claude-fails-late", "gemini-cut"])
def test_a_stream_that_breaks_off(gateway, model):
    streamed = gateway.chat_stream("vertex/" + model, "a b c d")
    assert streamed.errors and not streamed.done
    if model == "gemini-cut":  # and those that fail before any content
        for early in ("claude-fails-early", "gemini-fails-first"):
            assert_error(gateway.chat("vertex/" + early, stream=True), 503)


# --- other credentials


def test_an_api_key(make_gateway, vertex, mark):
    gateway = make_gateway(settings(vertex, api_key=API_KEY))
    assert gateway.chat("vertex/" + GEMINI, mark).status_code == 200
    assert vertex.one(mark).target == f"/v1beta1/publishers/google/models/{GEMINI}:generateContent"


def test_the_environment_gives_the_provider(make_gateway, key_path):
    # Its address is Google's own: that it is there is what can be shown.
    gateway = make_gateway(None, args=[*ANY_PORT, "--data", "data"], env={
        "GOOGLE_APPLICATION_CREDENTIALS": str(key_path), "GOOGLE_CLOUD_LOCATION": LOCATION})
    wait_until(lambda: "vertex: Vertex AI" in gateway.said())


# --- settings


def check(make_gateway, made: dict) -> str:
    checked = run("check", "--config", str(make_gateway(made, start=False).config_path))
    assert checked.returncode == 1
    return checked.stdout + checked.stderr


def broken_files(vertex):
    key = vertex.key_file()
    return {
        "absent": (None, "cannot be opened: No such file or directory"),
        "text": ("nothing", "is no JSON object"),
        "user": (json.dumps({"type": "authorized_user", "client_id": "x"}), 'is of type "authorized_user"'),
        "no-email": (json.dumps({k: v for k, v in key.items() if k != "client_email"}),
                     'has no "client_email"'),
        "elliptic": (json.dumps({**key, "private_key": ELLIPTIC}), "has a private_key that"),
        "public": (json.dumps({**key, "private_key": PUBLIC}), "has a private_key that is no private key"),
        "cut-key": (json.dumps({**key, "private_key": PEM[:200]}), "has a private_key that is no private key"),
        "bad-uri": (json.dumps({**key, "token_uri": "ftp://x"}), "has a token_uri that is"),
    }


@pytest.mark.parametrize("name", ["absent", "text", "user", "no-email", "cut-key", "bad-uri"])
def test_a_key_file_that_cannot_be_used(make_gateway, vertex, session_folder, name):
    content, words = broken_files(vertex)[name]
    path = session_folder / f"broken-{name}.json"
    if content is not None:
        path.write_text(content)
    said = check(make_gateway, settings(vertex, credentials_file=str(path)))
    assert words in said and str(path) in said
    assert PEM.splitlines()[1] not in said


@pytest.mark.parametrize("more, words", [
    ({"metadata": True}, "project is missing"),
    ({"metadata": True, "api_key": "k"}, "only one of api_key, credentials_file and metadata"),
    ({"location": "Europe West"}, "must be `global` or a location"),
    ({"project": "a/b"}, "must be the id or the number of a project"),
])
def test_settings_that_cannot_be(make_gateway, vertex, more, words):
    assert words in check(make_gateway, settings(vertex, **more))
