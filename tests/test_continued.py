"""A stream that is cut behind its first words goes on with the next target, in each dialect, to each client."""

import json

import anthropic
import openai
import pytest

import fake_anthropic
import fake_gemini
import fake_provider
from conftest import running
from fake_gemini import FakeGemini
from fake_upstream import Fake
from gateway import KEY, UPSTREAM_KEY, chat_body, run, wait_until
from test_gemini import google_client

SAID = "one two three four five six seven eight"
WORDS = SAID.split(" ")
KINDS = ("openai", "anthropic", "gemini")
CUTS = {"behind-one-word": (1, False), "in-the-middle": (4, False), "within-an-event": (4, True),
        "behind-the-last": (len(WORDS), False)}
ASKED = "Your answer above was cut off."


def pieces(text: str) -> list[str]:
    return [word if at == 0 else " " + word for at, word in enumerate(text.split(" "))]


def events(kind: str, body: dict, texts: list[str], model: str) -> tuple[list[bytes], list[bytes]]:
    """An answer of these pieces, as each API streams it: up to its last word, and its end."""
    if kind == "gemini":
        chunks = [fake_gemini.sse([fake_gemini.chunk(model, [{"text": text}])]) for text in texts]
        return chunks, [fake_gemini.sse([fake_gemini.chunk(model, [], "STOP", fake_gemini.usage_of(texts))])]
    if kind == "anthropic":
        message = {"id": f"msg_{model}", "type": "message", "role": "assistant", "model": model,
                   "content": [{"type": "text", "text": "".join(texts)}], "stop_reason": "end_turn",
                   "stop_sequence": None, "usage": {"input_tokens": 7, "output_tokens": len(texts)}}
        all_events = [fake_anthropic.wire_of(event) for event in fake_anthropic.events_of(message)]
        return all_events[:-3], all_events[-3:]
    base = {"id": f"chatcmpl-{model}", "object": "chat.completion.chunk", "created": 1, "model": model}
    chunks = [{**base, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in texts]
    chunks[0]["choices"][0]["delta"]["role"] = "assistant"
    end = [{**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    if body.get("stream_options"):
        end.append({**base, "choices": [], "usage": {
            "prompt_tokens": 7, "completion_tokens": len(texts), "total_tokens": 7 + len(texts)}})
    wire = fake_provider.events_bytes([*chunks, *end]).split(b"\n\n")[:-1]
    wire = [event + b"\n\n" for event in wire]
    return wire[:len(texts)], wire[len(texts):]


def kind_of(answer) -> str:
    path = answer.record.target
    return "gemini" if "GenerateContent" in path else "anthropic" if "messages" in path else "openai"


def cut_after(words: int, within: bool):
    async def handler(answer):
        kind = kind_of(answer)
        begun, end = events(kind, answer.request, pieces(SAID), "cut")
        more = 2 + (words > 0) if kind == "anthropic" else 0  # its message, its block, a ping
        send, rest = begun[:words + more], (begun + end)[words + more:]
        await answer.stream_head()
        for event in send:
            await answer.chunk(event)
        await answer.sleep(0.05)
        if within:
            await answer.write(b"fff\r\n" + rest[0][:len(rest[0]) // 2])
        answer.close()
    return handler


def conversation(kind: str, body: dict) -> list[tuple[str, str]]:
    """Roles and words, whatever the API."""
    if kind == "gemini":
        return [(c["role"], "".join(p["text"] for p in c["parts"])) for c in body["contents"]]
    return [(m["role"], m["content"] if isinstance(m["content"], str)
             else "".join(b["text"] for b in m["content"])) for m in body["messages"]]


async def says_the_rest(answer):
    """As a model does that was asked to: from the last words on, which it says once more."""
    kind = kind_of(answer)
    said = conversation(kind, answer.request)
    role, words = said[-1] if said[-1][0] in ("assistant", "model") else said[-2]
    assert role in ("assistant", "model") and SAID.startswith(words), said
    answer.record.usage = {"asked": said[-1][1].startswith(ASKED)}
    if answer.record.usage["asked"]:
        words = words.rsplit(" ", 2)[0] if words.count(" ") > 1 else ""
    rest = SAID[len(words):].lstrip() if not words else SAID[len(words):]
    begun, end = events(kind, answer.request, pieces(rest), "rest")
    await answer.stream_head()
    for event in begun + end:
        await answer.chunk(event)
    await answer.last_chunk()


@pytest.fixture(scope="module")
def fakes():
    plain, google = Fake().start(), FakeGemini().start()
    for fake in (plain, google):
        for name, (words, within) in CUTS.items():
            fake.on(f"cut-{name}", cut_after(words, within))
        fake.on("rest", says_the_rest)
    yield plain, google
    for fake in (plain, google):
        fake.stop()
        assert not fake.failures, fake.failures


def settings(fakes) -> dict:
    plain, google = fakes
    providers = {"openai": {"kind": "openai", "base_url": plain.base_url, "api_key": UPSTREAM_KEY},
                 "anthropic": {"kind": "anthropic", "base_url": plain.url, "api_key": UPSTREAM_KEY},
                 "gemini": {"kind": "gemini", "base_url": google.base_url, "api_key": UPSTREAM_KEY},
                 "prefills": {"kind": "anthropic", "base_url": plain.url, "api_key": UPSTREAM_KEY}}
    models = {f"{first}-{second}-{cut}": {"targets": [f"{first}/cut-{cut}", f"{second}/rest"]}
              for first in KINDS for second in (*KINDS, "prefills") for cut in CUTS}
    models["nobody"] = {"targets": ["openai/cut-in-the-middle", "openai/s500"]}
    return {"providers": providers, "models": models, "breaker": "off",
            "policies": [{"name": "off", "match": {"models": ["*-off"]}, "retries": {"attempts": 0}},
                         {"name": "everyone", "retries": {"attempts": 0, "continue": True,
                                                            "prefill": "prefills/*"}}]}


@pytest.fixture(scope="module")
def gate(fakes, session_folder):
    with running(session_folder / "continued", settings(fakes)) as gateway:
        yield gateway


def by_openai(gate, model: str) -> tuple[str, str, int]:
    with openai.OpenAI(base_url=gate.base_url, api_key=KEY, max_retries=0) as client:
        stream = client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": "count"}], stream=True,
            stream_options={"include_usage": True})
        chunks = list(stream)
    assert len({chunk.id for chunk in chunks}) == 1, "one answer"
    reasons = [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason]
    assert reasons == ["stop"] and sum(bool(chunk.usage) for chunk in chunks) == 1
    assert sum(c.delta.role is not None for chunk in chunks for c in chunk.choices) <= 1
    text = "".join(c.delta.content or "" for chunk in chunks for c in chunk.choices)
    return text, reasons[0], chunks[-1].usage.completion_tokens


def by_anthropic(gate, model: str) -> tuple[str, str, int]:
    with anthropic.Anthropic(base_url=gate.url, api_key=KEY, max_retries=0) as client:
        with client.messages.stream(model=model, max_tokens=500,
                                    messages=[{"role": "user", "content": "count"}]) as stream:
            kinds = [(event.type, getattr(event, "index", None)) for event in stream]
            message = stream.get_final_message()
    assert [kind for kind, _ in kinds].count("message_start") == 1
    begun = [index for kind, index in kinds if kind == "content_block_start"]
    ended = [index for kind, index in kinds if kind == "content_block_stop"]
    assert begun == ended == list(range(len(begun))), kinds
    text = "".join(block.text for block in message.content)
    return text, message.stop_reason, message.usage.output_tokens


def by_google(gate, model: str) -> tuple[str, str, int]:
    with google_client(gate.url) as client:
        chunks = list(client.models.generate_content_stream(model=model, contents="count"))
    assert len({chunk.response_id for chunk in chunks}) == 1
    reasons = [c.finish_reason.name for chunk in chunks for c in chunk.candidates or [] if c.finish_reason]
    assert len(reasons) == 1
    text = "".join(p.text or "" for chunk in chunks for c in chunk.candidates or []
                   for p in (c.content and c.content.parts) or [])
    usages = [chunk.usage_metadata.candidates_token_count for chunk in chunks if chunk.usage_metadata]
    return text, reasons[0], usages[-1]


CLIENTS = {"openai": by_openai, "anthropic": by_anthropic, "gemini": by_google}
REASONS = {"openai": "stop", "anthropic": "end_turn", "gemini": "STOP"}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("first", KINDS)
@pytest.mark.parametrize("client", CLIENTS)
def test_each_client_sees_one_answer(gate, client, first, cut):
    second = KINDS[(KINDS.index(first) + 1) % 3]
    text, reason, output = CLIENTS[client](gate, f"{first}-{second}-{cut}")
    assert text == SAID
    assert reason == REASONS[client]
    assert output > len(WORDS) // 2, "what both have said"


@pytest.mark.parametrize("kind", KINDS)
def test_also_within_one_dialect(gate, kind):
    assert CLIENTS[kind](gate, f"{kind}-{kind}-in-the-middle")[0] == SAID


@pytest.mark.parametrize("client", CLIENTS)
def test_a_model_that_goes_on_by_itself_is_not_told_to(gate, fakes, client):
    before = len(fakes[0].records())
    assert CLIENTS[client](gate, "openai-prefills-in-the-middle")[0] == SAID
    asked = [record for record in fakes[0].records()[before:] if record.json["model"] == "rest"]
    assert [record.usage["asked"] for record in asked] == [False]
    assert conversation("anthropic", asked[0].json)[-1] == ("assistant", "one two three four")


def limit_of(record) -> int:
    body = record.json
    return body["generationConfig"]["maxOutputTokens"] if "contents" in body else body["max_tokens"]


@pytest.mark.parametrize("second", KINDS)
@pytest.mark.parametrize("client", ["openai", "gemini"])
def test_the_limit_is_lowered_by_what_was_said(gate, fakes, client, second):
    model, fake = f"openai-{second}-in-the-middle", fakes[second == "gemini"]
    before = len(fake.records())
    if client == "openai":
        assert gate.chat_stream(model, "count", max_tokens=100).text == SAID
    else:
        with google_client(gate.url) as caller:
            list(caller.models.generate_content_stream(model=model, contents="count",
                                                       config={"max_output_tokens": 100}))
    rest = fake.records()[before:][-1]
    assert 80 < limit_of(rest) < 100, rest.json


@pytest.mark.parametrize("second", KINDS)
def test_the_trace_names_the_model_of_each_attempt(gate, second):
    answer = gate.chat_stream(f"openai-{second}-in-the-middle", "count")
    path = f"/api/traces/{answer.header('x-request-id')}"
    wait_until(lambda: gate.admin_call("GET", path).status_code == 200, "the trace is written")
    attempts = gate.admin_call("GET", path).json()["attempts"]
    assert [attempt["answering_model"] for attempt in attempts] == ["cut", "rest-001" if second == "gemini" else "rest"]


def test_what_happened_is_seen(gate):
    answer = gate.chat_stream("openai-gemini-in-the-middle", "count")
    assert answer.done and answer.text == SAID and not answer.errors
    line = gate.log_of(answer.header("x-request-id"))
    assert (line["status"], line["attempts"]) == (200, 2)


def test_without_another_the_error_is_in_the_stream(gate):
    answer = gate.chat_stream("nobody", "count")
    assert answer.text == "one two three four" and len(answer.errors) == 1 and not answer.done


def test_only_where_the_policy_says_so(fakes, make_gateway):
    made = settings(fakes)
    made["policies"] = [{"name": "everyone", "retries": {"attempts": 0}}]
    answer = make_gateway(made).chat_stream("openai-openai-in-the-middle", "count")
    assert answer.text == "one two three four" and len(answer.errors) == 1 and not answer.done


def test_data_by_a_schema_is_not_put_together(gate):
    body = chat_body("openai-openai-in-the-middle", "count", stream=True, response_format={"type": "json_object"})
    with gate.raw() as raw:
        raw.send(gate.request_bytes(body))
        assert b'"error"' in raw.answer().body


def personal(fakes, make_gateway, words: list[str], question: str, **model):
    """An answer with these words that is cut, under `pii: mask`; and what the second target got."""
    seen = []

    async def first(answer):
        said = conversation("openai", answer.request)[-1][1].split(" ")[-1]
        begun, _ = events("openai", answer.request, [word.replace("IT", said) for word in words], "cut")
        await answer.stream_head()
        for event in begun:
            await answer.chunk(event)
        await answer.sleep(0.05)
        answer.close()

    async def rest(answer):
        seen.append(json.dumps(answer.request))
        begun, end = events("openai", answer.request, [" and ", "wait."], "rest")
        await answer.stream_head()
        for event in begun + end:
            await answer.chunk(event)
        await answer.last_chunk()

    fakes[0].on("pii-first", first)
    fakes[0].on("pii-rest", rest)
    made = settings(fakes)
    made["models"]["personal"] = {"targets": ["openai/pii-first", "openai/pii-rest"], **model}
    made["policies"][-1]["pii"] = "mask"
    return make_gateway(made).chat_stream("personal", question), seen


MAIL = "anna.mueller@example.com"


def test_what_was_put_back_reaches_no_other_provider(fakes, make_gateway):
    """The caller has got the real word, among others that may hide it from a second search."""
    answer, seen = personal(fakes, make_gateway, ["Write ", "to x", "IT", "x now"], f"My address is {MAIL}")
    assert answer.text.startswith(f"Write to x{MAIL}x now") and not answer.done
    assert seen == []


def test_what_a_model_says_of_itself_goes_on_as_a_stand_in(fakes, make_gateway):
    answer, seen = personal(fakes, make_gateway, ["Write ", f"to {MAIL}", " now"], "Whom shall I write to?")
    assert answer.text == f"Write to {MAIL} now and wait." and answer.done
    assert len(seen) == 1 and MAIL not in seen[0] and "Write to [EMAIL] now" in seen[0]


def test_what_a_rule_would_keep_inside_is_not_continued(fakes, make_gateway):
    answer, seen = personal(
        fakes, make_gateway, ["Write ", f"to {MAIL}", " now"], "Whom shall I write to?",
        rules=[{"name": "inside", "when": {"found": ["email"]}, "targets": ["openai/pii-first"]}])
    assert answer.text.startswith(f"Write to {MAIL}") and not answer.done
    assert seen == []


def test_prefill_alone_does_nothing_and_is_refused(tmp_path):
    file = tmp_path / "causeway.yaml"
    for retries, right in (({"prefill": "a/*"}, False), ({"prefill": "a/*", "continue": True}, True)):
        file.write_text(json.dumps({"providers": {"a": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}},
                                    "policies": [{"name": "p", "retries": retries}]}))
        checked = run("check", str(file))
        assert (checked.returncode == 0) == right and ("without `continue: true`" in checked.stderr) != right, checked
