"""Provider bedrock: OpenAI's client in front, Converse behind; signatures, event streams, errors."""

import base64
import json

import anthropic
import boto3
import botocore.config
import botocore.exceptions
import openai
import pytest

from conftest import make_client, running
from fake_bedrock import API_KEY, KEY_ID, REGION, SECRET, SESSION, SIGNATURE, FakeBedrock
from gateway import KEY, assert_error, run, wait_until

TOOLS = [{"type": "function", "function": {
    "name": "weather", "description": "The weather of a city", "parameters": {
        "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}},
    {"type": "function", "function": {"name": "now"}}]
HELLO = [{"role": "user", "content": "hello"}]
PIXEL = "data:image/png;base64," + base64.b64encode(b"\x89PNG").decode()
CLAUDE = "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"


@pytest.fixture(scope="module")
def bedrock():
    upstream = FakeBedrock().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


def settings(bedrock, **more) -> dict:
    more = more or {"access_key_id": KEY_ID, "secret_access_key": SECRET, "session_token": SESSION}
    return {"providers": {"aws": {"kind": "bedrock", "region": REGION, "base_url": bedrock.endpoint, **more}}}


@pytest.fixture(scope="module")
def gateway(bedrock, session_folder):
    with running(session_folder / "bedrock", settings(bedrock)) as made:
        yield made


@pytest.fixture(scope="module")
def client(gateway):
    with make_client(gateway) as made:
        yield made


def official(bedrock, session=SESSION):
    return boto3.client("bedrock-runtime", region_name=REGION, endpoint_url=bedrock.endpoint,
                        aws_access_key_id=KEY_ID, aws_secret_access_key=SECRET, aws_session_token=session,
                        config=botocore.config.Config(retries={"total_max_attempts": 1}))


@pytest.mark.parametrize("session", [SESSION, None])
def test_the_official_client_takes_the_fake_for_bedrock(bedrock, session):
    aws = official(bedrock, session)
    question = [{"role": "user", "content": [{"text": "hello"}]}]
    tools = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": {"json": {"type": "object"}}}}]}
    for model in (CLAUDE, "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-v1:0"):
        whole = aws.converse(modelId=model, messages=question)
        assert whole["output"]["message"]["content"] == [{"text": "You said: hello"}]
    events = list(aws.converse_stream(modelId=CLAUDE, messages=question, toolConfig=tools)["stream"])
    pieces = [e["contentBlockDelta"]["delta"]["toolUse"]["input"] for e in events
              if "toolUse" in e.get("contentBlockDelta", {}).get("delta", {})]
    assert json.loads("".join(pieces)) == {"city": 'Zürich "old"'}
    assert events[-1]["metadata"]["usage"]["outputTokens"] == 5
    with pytest.raises(aws.exceptions.ThrottlingException):
        aws.converse(modelId="fake.throttled", messages=question)
    with pytest.raises(botocore.exceptions.EventStreamError) as broken:
        list(aws.converse_stream(modelId="fake.breaks-late", messages=question)["stream"])
    assert broken.value.response["Error"]["Code"] == "modelStreamErrorException"


def test_chat(client, gateway, bedrock, mark):
    answer = client.chat.completions.create(
        model="aws/" + CLAUDE, max_tokens=50, temperature=0.5, stop="END",
        messages=[{"role": "system", "content": "Be brief."}, {"role": "user", "content": mark}])
    assert answer.choices[0].message.content == f"You said: {mark}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 3 and answer.usage.completion_tokens == 5
    record = bedrock.one(mark)
    assert record.target == "/model/eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse"
    assert record.json == {
        "messages": [{"role": "user", "content": [{"text": mark}]}], "system": [{"text": "Be brief."}],
        "inferenceConfig": {"maxTokens": 50, "temperature": 0.5, "stopSequences": ["END"]}}
    log = wait_until(gateway.access_log)[-1]
    assert log["provider"] == "aws" and log["usage_source"] == "reported"


@pytest.mark.parametrize("name", ["whole", "pieces"])
def test_stream(client, name, mark):
    chunks = list(client.chat.completions.create(
        model=f"aws/fake.{name}", messages=[{"role": "user", "content": f"hello {mark}"}], stream=True,
        stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == f"You said: hello {mark}"
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"
    assert chunks[-1].usage.completion_tokens == 5


@pytest.mark.parametrize("stream", [False, True])
def test_tools(client, stream):
    if stream:
        with client.chat.completions.stream(model="aws/fake.m", messages=HELLO, tools=TOOLS) as events:
            message = events.until_done().get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(model="aws/fake.m", messages=HELLO,
                                                 tools=TOOLS).choices[0].message
    assert [c.function.name for c in message.tool_calls] == ["weather", "now"]
    assert json.loads(message.tool_calls[0].function.arguments) == {"city": 'Zürich "old"'}
    assert json.loads(message.tool_calls[1].function.arguments) == {}
    assert message.content == "I shall look."
    calls = [{"id": c.id, "type": "function",
              "function": {"name": c.function.name, "arguments": c.function.arguments}}
             for c in message.tool_calls]
    again = client.chat.completions.create(model="aws/fake.m", tools=TOOLS, messages=[
        *HELLO, {"role": "assistant", "content": message.content, "tool_calls": calls},
        {"role": "tool", "tool_call_id": calls[0]["id"], "content": "sunny"},
        {"role": "tool", "tool_call_id": calls[1]["id"], "content": "noon"}])
    assert again.choices[0].message.content == "You said: sunny noon"


def test_calls_in_the_history_without_tools(client):
    call = {"id": "c", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    answer = client.chat.completions.create(model="aws/fake.m", messages=[
        *HELLO, {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "sunny"}])
    assert answer.choices[0].message.content == "You said: sunny"


def test_images_and_documents(client, bedrock, mark):
    pdf = "data:application/pdf;base64," + base64.b64encode(b"%PDF").decode()
    client.chat.completions.create(model="aws/fake.m", messages=[{"role": "user", "content": [
        {"type": "text", "text": mark}, {"type": "image_url", "image_url": {"url": PIXEL}},
        {"type": "file", "file": {"file_data": pdf, "filename": "my_report.v2.pdf"}}]}])
    content = bedrock.one(mark).json["messages"][0]["content"]
    assert content[1] == {"image": {"format": "png", "source": {"bytes": PIXEL.split(",")[1]}}}
    assert content[2]["document"]["name"] == "my-report-v2-pdf"


@pytest.mark.parametrize("stream", [False, True])
def test_reasoning(gateway, stream):
    body = {"model": "aws/" + CLAUDE, "reasoning_effort": "low", "messages": HELLO, "stream": stream}
    answer = gateway.post("/v1/chat/completions", body)
    assert answer.status_code == 200, answer.text
    assert "Let me see." in answer.text and SIGNATURE in answer.text
    if stream:
        return
    message = answer.json()["choices"][0]["message"]
    assert message["reasoning_content"] == "Let me see."
    again = gateway.post("/v1/chat/completions", {**body, "messages": [
        *HELLO, message, {"role": "user", "content": "go on"}]})
    assert again.status_code == 200, again.text


def test_reasoning_comes_back_signed(gateway, bedrock, mark):
    body = {"model": "aws/" + CLAUDE, "reasoning_effort": "low", "messages": HELLO}
    message = gateway.post("/v1/chat/completions", body).json()["choices"][0]["message"]
    gateway.post("/v1/chat/completions",
                 {**body, "messages": [*HELLO, message, {"role": "user", "content": mark}]})
    assert bedrock.one(mark).json["messages"][1]["content"][0] == {
        "reasoningContent": {"reasoningText": {"text": "Let me see.", "signature": SIGNATURE}}}


@pytest.mark.parametrize("name, reason", [("long", "length"), ("guarded", "content_filter"),
                                          ("odd", "something_new")])
@pytest.mark.parametrize("stream", [False, True])
def test_why_it_stopped(gateway, name, reason, stream):
    answer = gateway.post("/v1/chat/completions",
                          {"model": "aws/fake." + name, "messages": HELLO, "stream": stream})
    assert f'"finish_reason":"{reason}"' in answer.text.replace(" ", "")


@pytest.mark.parametrize("name, status, code", [
    ("throttled", 429, "rate_limit_exceeded"), ("throttled-400", 429, "rate_limit_exceeded"),
    ("spent", 429, "insufficient_quota"), ("invalid", 400, "invalid_request"),
    ("too-long", 400, "context_length_exceeded"), ("denied", 502, "upstream_auth"),
    ("missing", 404, "not_found"), ("not-ready", 503, "overloaded"), ("timed-out", 504, "timeout"),
    ("model-error", 502, "upstream_error"), ("down", 503, "overloaded"), ("internal", 502, "upstream_error")])
@pytest.mark.parametrize("stream", [False, True])
def test_errors(gateway, name, status, code, stream):
    answer = gateway.post("/v1/chat/completions",
                          {"model": "aws/fake." + name, "messages": HELLO, "stream": stream})
    error = assert_error(answer, status, code)
    assert "arn:" not in error["message"]


def test_an_exception_before_any_content_is_a_plain_error(gateway):
    answer = gateway.post("/v1/chat/completions",
                          {"model": "aws/fake.breaks-early", "messages": HELLO, "stream": True})
    assert_error(answer, 429, "rate_limit_exceeded")


@pytest.mark.parametrize("name, code", [("breaks-late", "upstream_error"), ("cut", "upstream_cut"), ("dropped", "upstream_broken"),
                                        ("damaged", "upstream_broken")])
def test_a_stream_that_breaks(client, name, code):
    with pytest.raises(openai.APIError) as broken:
        list(client.chat.completions.create(model="aws/fake." + name, messages=HELLO, stream=True))
    assert broken.value.code == code


def test_a_stream_without_usage_is_complete_all_the_same(client):
    chunks = list(client.chat.completions.create(model="aws/fake.no-metadata", messages=HELLO, stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "You said: hello"


def test_a_fallback_before_any_content(make_gateway, bedrock, config):
    both = config()
    both["providers"]["aws"] = settings(bedrock)["providers"]["aws"]
    both["models"]["safe"] = {"targets": ["aws/fake.breaks-early", "fake/echo"]}
    gateway = make_gateway(both)
    answer = gateway.chat_stream("safe")
    assert answer.text == "You said: hello"


def test_what_cannot_be_said(gateway):
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    error = assert_error(gateway.post("/v1/chat/completions", {
        "model": "aws/fake.m", "messages": [{"role": "user", "content": [image]}]}), 400, "unsupported_field")
    assert error["param"] == "messages"
    error = assert_error(gateway.chat("aws/fake.m", logit_bias={"5": 1}), 400, "unsupported_field")
    assert error["param"] == "logit_bias"
    hinted = gateway.chat("aws/fake.m", seed=5)
    assert hinted.status_code == 200 and hinted.headers["x-causeway-dropped"] == "seed"


def test_a_schema_for_the_answer(client, bedrock, mark):
    client.chat.completions.create(
        model="aws/fake.m", messages=[{"role": "user", "content": mark}],
        response_format={"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}})
    structure = bedrock.one(mark).json["outputConfig"]["textFormat"]["structure"]["jsonSchema"]
    assert json.loads(structure["schema"]) == {"type": "object"}


@pytest.mark.parametrize("stream", [False, True])
def test_anthropics_client(gateway, bedrock, stream, mark):
    """Signed thoughts, calls and their results come and go unchanged."""
    ask = {"model": "aws/" + CLAUDE, "max_tokens": 8000, "thinking": {"type": "enabled", "budget_tokens": 2000},
           "tools": [{"name": "weather", "input_schema": {"type": "object"}}]}
    question = {"role": "user", "content": "weather?"}
    with anthropic.Anthropic(base_url=gateway.url, api_key=KEY, max_retries=0) as client:
        if stream:
            with client.messages.stream(messages=[question], **ask) as events:
                answer = events.get_final_message()
        else:
            answer = client.messages.create(messages=[question], **ask)
        thought, text, call = answer.content
        assert (thought.thinking, thought.signature) == ("Let me see.", SIGNATURE)
        assert text.text == "I shall look." and call.input == {"city": 'Zürich "old"'}
        assert answer.stop_reason == "tool_use" and answer.usage.output_tokens == 5
        result = {"role": "user", "content": [
            {"type": "tool_result", "tool_use_id": call.id, "content": mark, "is_error": True}]}
        history = [question, {"role": "assistant", "content": answer.content}, result]
        assert client.messages.create(messages=history, **ask).content[-1].text == f"You said: {mark}"
    sent = bedrock.one(mark).json
    assert sent["messages"][1]["content"][0]["reasoningContent"]["reasoningText"]["signature"] == SIGNATURE
    assert sent["messages"][2]["content"][0]["toolResult"]["status"] == "error"
    assert sent["additionalModelRequestFields"]["thinking"] == {"type": "enabled", "budget_tokens": 2000}


def test_caching_is_asked_for_and_counted(gateway, bedrock, mark):
    with anthropic.Anthropic(base_url=gateway.url, api_key=KEY, max_retries=0) as client:
        answer = client.messages.create(
            model="aws/" + CLAUDE, max_tokens=50, messages=[{"role": "user", "content": mark}],
            system=[{"type": "text", "text": "long", "cache_control": {"type": "ephemeral"}}])
    assert bedrock.one(mark).json["system"] == [{"text": "long"}, {"cachePoint": {"type": "default"}}]
    assert answer.usage.cache_read_input_tokens == 7 and answer.usage.input_tokens == 2


def test_the_responses_api(client):
    assert client.responses.create(model="aws/fake.m", input="hello").output_text == "You said: hello"


def test_embeddings_are_not_served(gateway):
    assert gateway.post("/v1/embeddings", {"model": "aws/fake.m", "input": "x"}).status_code in (400, 404, 501)


def test_usage_is_settled(gateway):
    gateway.chat("aws/fake.settled")
    row = wait_until(lambda: gateway.usage_of(model="aws/fake.settled"))
    assert row["output_tokens"] == 5 and row["estimated_requests"] == 0


def test_an_api_key(make_gateway, bedrock, mark):
    gateway = make_gateway(settings(bedrock, api_key=API_KEY))
    assert gateway.chat("aws/fake.m", mark).status_code == 200
    record = bedrock.one(mark)
    assert record.header("x-amz-date") is None


@pytest.mark.parametrize("env", [
    {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET},
    {"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SESSION},
    {"AWS_BEARER_TOKEN_BEDROCK": API_KEY}])
def test_credentials_of_the_environment(make_gateway, bedrock, env):
    gateway = make_gateway({"providers": {"aws": {"kind": "bedrock", "base_url": bedrock.endpoint}}},
                           env={**env, "AWS_REGION": REGION})
    assert gateway.chat("aws/fake.m").status_code == 200


@pytest.mark.parametrize("more", [{"access_key_id": KEY_ID, "secret_access_key": "wrong"},
                                  {"access_key_id": "other", "secret_access_key": SECRET},
                                  {"api_key": "wrong"}])
def test_wrong_credentials(make_gateway, bedrock, more):
    gateway = make_gateway(settings(bedrock, **more))
    assert_error(gateway.chat("aws/fake.m"), 502, "upstream_auth")


def test_the_environment_gives_the_provider(make_gateway):
    options = {"args": ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data"]}
    gateway = make_gateway(None, env={"AWS_BEARER_TOKEN_BEDROCK": "x", "AWS_REGION": REGION}, **options)
    wait_until(lambda: "bedrock: Amazon Bedrock" in gateway.said())
    alone = make_gateway(None, env={"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y"}, **options)
    wait_until(lambda: "is ready" in alone.said())
    assert "Amazon Bedrock" not in alone.said()


@pytest.mark.parametrize("more, words", [
    ({"access_key_id": "a"}, "belong together"),
    ({"access_key_id": "a", "secret_access_key": "b", "api_key": "c"}, "only one of api_key"),
    ({"region": "EU Central", "api_key": "a"}, "must be a region"),
    ({"headers": {}}, "credentials are missing"),
])
def test_settings_that_cannot_be(make_gateway, bedrock, more, words):
    gateway = make_gateway(settings(bedrock, **more), start=False)
    checked = run("check", "--config", str(gateway.config_path))
    assert checked.returncode == 1
    assert words in checked.stdout + checked.stderr
