"""Anthropic's dialect and provider, by the official clients of both worlds."""

import copy
import json

import anthropic
import openai
import pytest

import fake_anthropic
from conftest import make_client, running
from gateway import KEY, UPSTREAM_KEY, plain_http, wait_until

TOOL = {"name": "weather", "description": "The weather of a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}
OPENAI_TOOL = {"type": "function", "function": {"name": "weather", "description": "The weather of a city",
                                                "parameters": TOOL["input_schema"]}}
PNG = "iVBORw0KGgo="
CITY = {"city": 'Zürich "old"'}


@pytest.fixture(scope="module")
def claude_config(config, fake):
    settings = config()
    settings["providers"]["claude"] = {"kind": "anthropic", "base_url": fake.url, "api_key": UPSTREAM_KEY}
    for name in ("cut-early", "dropped-early", "fails-early", "overloaded", "busy", "broke", "no-key", "fails-late"):
        settings["models"][f"safe-{name}"] = {"strategy": "fallback",
                                              "targets": [f"claude/claude-{name}", "fake/echo"]}
    settings["models"]["sonnet"] = {"targets": ["claude/claude-sonnet-4-5"]}
    return settings


@pytest.fixture(scope="module")
def gw(claude_config, session_folder):
    with running(session_folder / "anthropic", copy.deepcopy(claude_config)) as gateway:
        yield gateway


def anthropic_client(url: str, key: str = KEY) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=url, api_key=key, max_retries=0, timeout=30)


@pytest.fixture(scope="module")
def claude(gw):
    return anthropic_client(gw.url)


@pytest.fixture(scope="module")
def client(gw):
    with make_client(gw) as made:
        yield made


def ask(claude, model: str, text: str, **more):
    return claude.messages.create(model=model, max_tokens=500, messages=[{"role": "user", "content": text}],
                                  **more)


# --- the fake itself, by the official client and without the program


def test_the_official_client_accepts_the_fake(fake):
    direct = anthropic_client(fake.url)
    whole = ask(direct, "claude-sonnet-4-5", "hello there")
    assert whole.content[0].text == "You said: hello there"
    with direct.messages.stream(model="claude-sonnet-4-5", max_tokens=500, tools=[TOOL],
                                thinking={"type": "enabled", "budget_tokens": 1024},
                                messages=[{"role": "user", "content": "twice, hidden"}]) as stream:
        final = stream.get_final_message()
    assert [b.type for b in final.content] == ["thinking", "redacted_thinking", "tool_use", "tool_use"]
    assert final.content[2].input == CITY
    assert final.content[0].signature == fake_anthropic.signature(fake_anthropic.THOUGHT)
    history = [{"role": "user", "content": "twice, hidden"}, final.to_param(),
               {"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"toolu_{i}",
                                             "content": "sunny"} for i in (0, 1)]}]
    again = direct.messages.create(model="claude-sonnet-4-5", max_tokens=500, tools=[TOOL], messages=history)
    assert again.stop_reason == "end_turn"
    history[1]["content"][0].signature = "forged"
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature`"):
        direct.messages.create(model="claude-sonnet-4-5", max_tokens=500, messages=history)
    assert direct.messages.count_tokens(model="m", messages=[{"role": "user", "content": "a b c"}]).input_tokens == 3
    assert [m.id for m in direct.models.list()] == fake_anthropic.MODELS


# --- Anthropic's client, a target of OpenAI's dialect


@pytest.mark.parametrize("path", ["", "/anthropic"])
def test_whole(gw, mark, path):
    answer = ask(anthropic_client(gw.url + path), "echo", f"hello {mark}", system="Be brief.")
    assert answer.type == "message"
    assert answer.role == "assistant"
    assert answer.content[0].text == f"You said: hello {mark}"
    assert answer.stop_reason == "end_turn"
    assert answer.usage.input_tokens == 4
    assert answer.usage.output_tokens > 0


def test_stream_has_named_events_in_order(claude, mark):
    types = [e.type for e in ask(claude, "echo", f"hello {mark}", stream=True)]
    assert types[:2] == ["message_start", "content_block_start"]
    assert set(types[2:-3]) == {"content_block_delta"}
    assert types[-3:] == ["content_block_stop", "message_delta", "message_stop"]
    with claude.messages.stream(model="echo", max_tokens=500,
                                messages=[{"role": "user", "content": f"hello {mark}"}]) as stream:
        assert "".join(stream.text_stream) == f"You said: hello {mark}"
        final = stream.get_final_message()
    assert final.stop_reason == "end_turn"
    assert final.usage.output_tokens > 0


@pytest.mark.parametrize("streamed", [False, True])
def test_tools(claude, streamed):
    with claude.messages.stream(model="echo", max_tokens=500, tools=[TOOL],
                                messages=[{"role": "user", "content": "weather?"}]) as stream:
        first = stream.get_final_message()
    if not streamed:
        first = ask(claude, "echo", "weather?", tools=[TOOL])
    assert first.stop_reason == "tool_use"
    call = first.content[-1]
    assert (call.type, call.name, call.input) == ("tool_use", "weather", CITY)
    second = claude.messages.create(model="echo", max_tokens=500, tools=[TOOL], messages=[
        {"role": "user", "content": "weather?"}, first.to_param(),
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "sunny"}]}])
    assert second.content[0].text == "You said: weather?"


def test_what_an_openai_target_gets(claude, fake, mark):
    claude.messages.create(
        model="echo", max_tokens=50, system=[{"type": "text", "text": "Be brief."}], tools=[TOOL],
        tool_choice={"type": "any", "disable_parallel_tool_use": True}, stop_sequences=["END"],
        metadata={"user_id": "u1"}, messages=[{"role": "user", "content": [
            {"type": "text", "text": mark, "cache_control": {"type": "ephemeral"}},
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
            {"type": "document", "title": "a.pdf",
             "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}}]}])
    body = fake.one(mark).json
    assert body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [
            {"type": "text", "text": mark},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
            {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}]}]
    assert body["max_tokens"] == 50
    assert body["stop"] == ["END"]
    assert body["user"] == "u1"
    assert body["tool_choice"] == "required"
    assert body["parallel_tool_calls"] is False


def test_what_no_other_dialect_has_is_refused(claude):
    with pytest.raises(anthropic.BadRequestError) as refused:
        ask(claude, "echo", "x", tools=[{"type": "web_search_20250305", "name": "web_search"}])
    assert refused.value.body["error"]["param"] == "tools"


def test_errors_have_anthropics_form(claude, gw):
    with pytest.raises(anthropic.NotFoundError) as missing:
        ask(claude, "no-such-model", "x")
    body = missing.value.body
    assert body["type"] == "error"
    assert body["error"]["type"] == "not_found_error"
    assert body["request_id"] == missing.value.request_id  # the header request-id
    with pytest.raises(anthropic.AuthenticationError) as no_key:
        ask(anthropic_client(gw.url, "sk-wrong"), "echo", "x")
    assert no_key.value.body["error"]["type"] == "authentication_error"
    answer = gw.post("/v1/messages", {"model": "echo", "messages": [{"role": "user", "content": "x"}]})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == '"max_tokens" is missing'
    assert answer.headers["request-id"] == answer.headers["x-request-id"]


def test_models_of_each_dialect(claude, client, gw):
    mine = list(claude.models.list())
    assert {m.type for m in mine} == {"model"}
    assert {m.id for m in mine} >= {"echo", "sonnet"}
    assert {m.id for m in client.models.list()} == {m.id for m in mine}
    assert claude.models.retrieve("echo").id == "echo"
    with pytest.raises(anthropic.NotFoundError):
        claude.models.retrieve("nothing")
    prefixed = plain_http("GET", gw.url + "/anthropic/v1/models", headers={"x-api-key": KEY})
    assert "has_more" in prefixed.json()
    assert "data" in plain_http("GET", gw.url + "/v1/models", headers={"x-api-key": KEY}).json()


def test_models_of_the_provider_are_listed(claude, fake):
    wait_until(lambda: {f"claude/{m}" for m in fake_anthropic.MODELS} <= {m.id for m in claude.models.list()})


def test_counting_tokens(claude):
    question = [{"role": "user", "content": "a b c"}]
    told = claude.messages.with_raw_response.count_tokens(model="sonnet", messages=question)
    assert told.parse().input_tokens == 3
    assert "x-causeway-token-count" not in told.headers
    guessed = claude.messages.with_raw_response.count_tokens(model="echo", messages=question)
    assert guessed.parse().input_tokens > 0
    assert guessed.headers["x-causeway-token-count"] == "estimated"


# --- Anthropic's client, a target of Anthropic's dialect: bytes unchanged


def test_same_dialect_passes_bytes_as_they_came(gw, fake, mark):
    body = (b'{ "max_tokens":50,"model":"claude/claude-sonnet-4-5",\n "messages" : [{"content":"hello '
            + mark.encode() + b'","role":"user"}], "service_tier":"auto"}')
    answer = gw.post("/v1/messages", content=body, headers={
        "anthropic-version": "2026-10-21", "anthropic-beta": "context-1m", "x-unknown": "no"})
    record = fake.one(mark)
    assert record.body == body.replace(b"claude/claude-sonnet-4-5", b"claude-sonnet-4-5")
    assert record.all("anthropic-version") == ["2026-10-21"]
    assert record.header("anthropic-beta") == "context-1m"
    assert record.header("x-api-key") == UPSTREAM_KEY
    assert record.header("authorization") is None
    assert record.header("x-unknown") is None
    assert answer.content == json.dumps(fake_anthropic.message_of(record.json)).encode()
    assert answer.headers["request-id"] == answer.headers["x-request-id"] != "req_of_anthropic"
    assert "anthropic-organization-id" not in answer.headers
    assert "anthropic-ratelimit-requests-remaining" not in answer.headers


def test_same_dialect_stream_passes_as_it_came(gw, fake, mark):
    answer = gw.post("/v1/messages", {"model": "sonnet", "max_tokens": 50, "stream": True, "thinking": {
        "type": "enabled", "budget_tokens": 1024}, "messages": [{"role": "user", "content": f"hidden {mark}"}]})
    record = fake.one(mark)
    sent = b"".join(fake_anthropic.wire_of(e) for e in fake_anthropic.events_of(
        fake_anthropic.message_of(record.json)))
    got, sent_events = answer.content.split(b"\n\n"), sent.split(b"\n\n")
    assert got[:-3] == sent_events[:-3]
    end = json.loads(got[-3].split(b"data: ")[1])  # only the cost is added to the usage
    end["usage"].pop("cost", None)
    assert end == json.loads(sent_events[-3].split(b"data: ")[1])
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert record.header("anthropic-version") == "2023-06-01"


def test_signatures_and_results_go_back_unchanged(claude):
    history = [{"role": "user", "content": "weather, hidden"}]
    more = dict(model="sonnet", max_tokens=2000, tools=[TOOL],
                thinking={"type": "enabled", "budget_tokens": 1024})
    with claude.messages.stream(messages=history, **more) as stream:
        first = stream.get_final_message()
    assert [b.type for b in first.content] == ["thinking", "redacted_thinking", "tool_use"]
    history += [first.to_param(), {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": first.content[-1].id, "content": "sunny"}]}]
    second = claude.messages.create(messages=history, **more)
    assert second.stop_reason == "end_turn"


@pytest.mark.parametrize("model, status, kind", [
    ("claude-busy", 429, "rate_limit_error"), ("claude-overloaded", 503, "overloaded_error"),
    ("claude-no-key", 502, "api_error"), ("claude-too-long", 400, "invalid_request_error")])
def test_errors_of_the_provider(claude, model, status, kind):
    with pytest.raises(anthropic.APIStatusError) as failed:
        ask(claude, f"claude/{model}", "x")
    assert failed.value.status_code == status
    assert failed.value.body["error"]["type"] == kind
    assert "organization" not in failed.value.body["error"]["message"]
    assert failed.value.response.headers.get("retry-after") == ("7" if status == 429 else None)


@pytest.mark.parametrize("model, code", [("claude-cut", "upstream_cut"), ("claude-dropped", "upstream_broken"),
                                         ("claude-fails-late", "overloaded")])
def test_a_cut_stream_ends_in_an_error(claude, model, code):
    seen = []
    with pytest.raises(anthropic.APIStatusError) as cut:
        for event in ask(claude, f"claude/{model}", "one two three", stream=True):
            seen.append(event.type)
    assert seen.count("content_block_delta") == 2
    assert cut.value.body["error"]["code"] == code


# --- OpenAI's client, a target of Anthropic's dialect


def say(client, model: str, text, **more):
    messages = text if isinstance(text, list) else [{"role": "user", "content": text}]
    return client.chat.completions.create(model=model, messages=messages, **more)


def test_openai_whole(client, mark):
    answer = say(client, "sonnet", f"hello {mark}")
    assert answer.choices[0].message.content == f"You said: hello {mark}"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.prompt_tokens == 2 + 3 + 2  # with what was read from and written to the cache
    assert answer.usage.prompt_tokens_details.cached_tokens == 3
    assert answer.model == "claude-sonnet-4-5"


def test_openai_stream(client, mark):
    chunks = list(say(client, "sonnet", f"hello {mark}", stream=True, stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == f"You said: hello {mark}"
    assert chunks[-1].usage.completion_tokens > 0
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == "stop"


@pytest.mark.parametrize("streamed", [False, True])
def test_openai_tools(client, fake, mark, streamed):
    history = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": f"twice {mark}"}]
    if streamed:
        with client.chat.completions.stream(model="sonnet", messages=history, tools=[OPENAI_TOOL]) as stream:
            message = stream.get_final_completion().choices[0].message
    else:
        message = say(client, "sonnet", history, tools=[OPENAI_TOOL]).choices[0].message
    assert [json.loads(c.function.arguments) for c in message.tool_calls] == [CITY, {"city": "Bern"}]
    calls = [{"id": c.id, "type": "function", "function": {"name": c.function.name,
                                                           "arguments": c.function.arguments}}
             for c in message.tool_calls]
    history += [{"role": "assistant", "content": None, "tool_calls": calls},
                *({"role": "tool", "tool_call_id": c["id"], "content": "sunny"} for c in calls),
                {"role": "user", "content": "so?"}]
    answer = say(client, "sonnet", history, tools=[OPENAI_TOOL])
    assert answer.choices[0].message.content == "You said: so?"
    body = fake.records(mark)[-1].json
    assert body["system"] == "Be brief."
    assert [m["role"] for m in body["messages"]] == ["user", "assistant", "user"]
    assert [b["type"] for b in body["messages"][2]["content"]] == ["tool_result", "tool_result", "text"]


def test_openai_images_and_documents(client, fake, mark):
    say(client, "sonnet", [{"role": "user", "content": [
        {"type": "text", "text": mark}, {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"}}]}])
    assert fake.one(mark).json["messages"][0]["content"][1:] == [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}},
        {"type": "document", "title": "a.pdf",
         "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"}}]


@pytest.mark.parametrize("streamed", [False, True])
def test_openai_thinking_with_signatures(client, fake, mark, streamed):
    question = [{"role": "user", "content": f"hidden {mark}"}]
    if streamed:
        details, thought, text = [], "", ""
        for chunk in say(client, "sonnet", question, reasoning_effort="low", stream=True):
            delta = chunk.choices[0].delta if chunk.choices else None
            details += getattr(delta, "reasoning_details", None) or []
            thought += getattr(delta, "reasoning_content", None) or ""
            text += (delta and delta.content) or ""
    else:
        message = say(client, "sonnet", question, reasoning_effort="low").choices[0].message
        details, thought, text = message.reasoning_details, message.reasoning_content, message.content
    assert thought == fake_anthropic.THOUGHT
    assert [d["type"] for d in details] == ["reasoning.text", "reasoning.encrypted"]
    say(client, "sonnet", question + [{"role": "assistant", "content": text, "reasoning_details": details},
                                      {"role": "user", "content": "and?"}], reasoning_effort="low")
    body = fake.records(mark)[-1].json  # whose signatures the fake has checked
    assert [b["type"] for b in body["messages"][1]["content"]] == ["thinking", "redacted_thinking", "text"]
    assert body["thinking"] == {"type": "enabled", "budget_tokens": 2048}
    assert body["max_tokens"] == 16384 + 2048


@pytest.mark.parametrize("streamed", [False, True])
def test_responses_thinking_with_signatures(client, fake, mark, streamed):
    tool = {"type": "function", "name": "weather", "parameters": TOOL["input_schema"]}
    asked = {"model": "sonnet", "reasoning": {"effort": "low"}, "tools": [tool], "store": False,
             "include": ["reasoning.encrypted_content"]}
    question = [{"role": "user", "content": f"hidden {mark}"}]
    if streamed:
        with client.responses.stream(input=question, **asked) as events:
            done = [e.item.encrypted_content for e in events
                    if e.type == "response.output_item.done" and e.item.type == "reasoning"]
            first = events.get_final_response()
        assert done == [item.encrypted_content for item in first.output[:2]]
    else:
        first = client.responses.create(input=question, **asked)
    assert [item.type for item in first.output] == ["reasoning", "reasoning", "function_call"]
    assert first.output[0].summary[0].text == fake_anthropic.THOUGHT
    result = {"type": "function_call_output", "call_id": first.output[2].call_id, "output": "sunny"}
    second = client.responses.create(input=[*question, *[o.to_dict() for o in first.output], result], **asked)
    assert second.status == "completed", second
    body = fake.records(mark)[-1].json  # whose signatures the fake has checked
    thought, hidden, call = body["messages"][1]["content"]
    assert thought == {"type": "thinking", "thinking": fake_anthropic.THOUGHT,
                       "signature": fake_anthropic.signature(fake_anthropic.THOUGHT)}
    assert hidden == {"type": "redacted_thinking", "data": fake_anthropic.HIDDEN}
    assert call["type"] == "tool_use"


def test_openai_json_schema(client, fake, mark):
    schema = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"],
              "additionalProperties": False}
    answer = say(client, "sonnet", mark, response_format={
        "type": "json_schema", "json_schema": {"name": "a", "strict": True, "schema": schema}})
    assert json.loads(answer.choices[0].message.content) == {"answer": f"You said: {mark}"}
    assert fake.one(mark).json["output_config"] == {"format": {"type": "json_schema", "schema": schema}}


@pytest.mark.parametrize("model, reason", [("claude-pause", "pause_turn"), ("claude-odd-stop", "solar_flare"),
                                           ("claude-refusal", "content_filter")])
def test_openai_odd_stop_reasons_stay_visible(client, model, reason):
    assert say(client, f"claude/{model}", "x").choices[0].finish_reason == reason
    chunks = list(say(client, f"claude/{model}", "x", stream=True))
    assert [c.choices[0].finish_reason for c in chunks if c.choices][-1] == reason


def test_openai_says_what_was_left_out(client):
    raw = client.chat.completions.with_raw_response.create(
        model="claude/claude-opus-4-8", temperature=0.5, seed=3, messages=[{"role": "user", "content": "x"}])
    assert raw.headers["x-causeway-dropped"] == "temperature, seed"
    with pytest.raises(openai.BadRequestError) as refused:
        say(client, "sonnet", "x", n=2)
    assert refused.value.param == "n"


def test_openai_waits_until_the_limit_is_reset(client):
    with pytest.raises(openai.RateLimitError) as busy:
        say(client, "claude/claude-used-up", "x")
    assert busy.value.response.headers["retry-after"] == "40"


def test_openai_errors_of_the_provider(client):
    with pytest.raises(openai.RateLimitError) as busy:
        say(client, "claude/claude-busy", "x")
    assert busy.value.response.headers["retry-after"] == "7"
    with pytest.raises(openai.InternalServerError) as full:
        say(client, "claude/claude-overloaded", "x")
    assert full.value.status_code == 503
    with pytest.raises(openai.BadRequestError) as too_long:
        say(client, "claude/claude-too-long", "x")
    assert too_long.value.code == "context_length_exceeded"


@pytest.mark.parametrize("model, code", [("claude-cut", "upstream_cut"), ("claude-dropped", "upstream_broken"),
                                         ("claude-fails-late", "overloaded")])
def test_openai_stream_that_fails_behind_content(client, model, code):
    text = ""
    with pytest.raises(openai.APIError) as failed:
        for chunk in say(client, f"claude/{model}", "one two three", stream=True):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
    assert text == "You said:"
    assert failed.value.code == code


@pytest.mark.parametrize("model, streamed", [
    *((m, True) for m in ("cut-early", "dropped-early", "fails-early")),
    *((m, s) for m in ("overloaded", "busy", "broke", "no-key") for s in (False, True))])
def test_another_dialect_takes_over_before_the_first_content(client, claude, model, streamed, mark):
    if streamed:
        chunks = say(client, f"safe-{model}", f"hello {mark}", stream=True)
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        with claude.messages.stream(model=f"safe-{model}", max_tokens=50,
                                    messages=[{"role": "user", "content": f"hello {mark}"}]) as stream:
            assert "".join(stream.text_stream) == f"You said: hello {mark}"
    else:
        text = say(client, f"safe-{model}", f"hello {mark}").choices[0].message.content
        assert ask(claude, f"safe-{model}", f"hello {mark}").content[0].text == text
    assert text == f"You said: hello {mark}"


def test_tokens_are_counted_the_same_for_both(claude, client, gw, mark):
    lines = []
    for streamed in (False, True):
        mine = claude.messages.with_raw_response.create(
            model="sonnet", max_tokens=500, stream=streamed, messages=[{"role": "user", "content": mark}])
        lines.append(gw.log_of(read(mine)))
        theirs = client.chat.completions.with_raw_response.create(
            model="sonnet", stream=streamed, messages=[{"role": "user", "content": mark}])
        lines.append(gw.log_of(read(theirs)))
    counted = {tuple(line[k] for k in ("input_tokens", "output_tokens", "usage_source", "provider"))
               for line in lines}
    assert len(counted) == 1
    assert counted.pop()[2:] == ("reported", "claude")


def read(raw) -> str:
    """Reads an answer to its end; its id."""
    raw.http_response.read()
    return raw.headers["x-request-id"]


def test_default_configuration(make_gateway, fake):
    gateway = make_gateway(None, env={"ANTHROPIC_API_KEY": UPSTREAM_KEY, "ANTHROPIC_BASE_URL": fake.url},
                           args=["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"])
    wait_until(lambda: "anthropic: Anthropic's API at 127.0.0.1" in gateway.said())
