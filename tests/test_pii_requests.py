"""The policy section `pii`: stand-ins on the way out, the real words on the way back. What each provider
saw is in its fake's records; what else is kept (log, data folder) is searched for the real words."""

import json

import anthropic
import openai
import pytest
from google.genai import types

from conftest import running
from fake_gemini import FakeGemini
from fake_upstream import Fake
from gateway import KEY, UPSTREAM_KEY, run
from test_anthropic import anthropic_client
from test_gemini import google_client

NAME, EMAIL, CARD, PHONE = "Xanthippe Quillfeather", "x.quill@hospital.example", "4111 1111 1111 1111", "+49 30 901820"
SECRETS = [NAME, "Quillfeather", EMAIL, CARD, CARD.replace(" ", ""), PHONE]
TEXT = f"My name is {NAME}, write to {EMAIL} or call {PHONE}; my card is {CARD}."
MASKED = "My name is [PATIENT_NAME], write to [EMAIL] or call [PHONE]; my card is [CARD]."
OTHER_KEYS = {"blind": "sk-test-blind-0123456789abcdefghijklmn", "friend": "sk-test-friend-0123456789abcdefghijkl"}


@pytest.fixture(scope="module")
def inside():
    upstream = Fake().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


@pytest.fixture(scope="module")
def gemini():
    upstream = FakeGemini().start()
    yield upstream
    upstream.stop()


def settings(fake, inside, gemini) -> dict:
    outside = {"base_url": fake.base_url, "api_key": UPSTREAM_KEY}
    key = {"models": ["*"]}
    names = {"person": "PATIENT_NAME"}
    return {
        "providers": {"outside": {"kind": "openai", **outside},
                      "claude": {"kind": "anthropic", "base_url": fake.url, "api_key": UPSTREAM_KEY},
                      "gemini": {"kind": "gemini", "base_url": gemini.base_url, "api_key": UPSTREAM_KEY},
                      "inside": {"kind": "openai", "base_url": inside.base_url, "zone": "internal"}},
        "models": {"in-then-out": {"targets": ["inside/s503", "outside/echo"]},
                   "out-then-in": {"targets": ["outside/s503", "inside/echo"]},
                   "claude-sonnet-4-5": {"targets": ["claude/claude-sonnet-4-5"]},
                   "strict-out": {"targets": ["outside/echo"]},
                   "strict": {"targets": ["outside/echo", "inside/echo"]},
                   "strip-echo": {"targets": ["outside/echo"]},
                   "short-echo": {"targets": ["outside/echo"]},
                   "pass-echo": {"targets": ["outside/echo"]},
                   "report-echo": {"targets": ["outside/echo"]},
                   "off-echo": {"targets": ["outside/echo"]},
                   "other-echo": {"targets": ["outside/echo"]},
                   "urls-echo": {"targets": ["outside/echo"]}},
        "keys": [{"name": "test", "secret": KEY, **key},
                 *({"name": name, "secret": secret, "roles": [name], **key} for name, secret in OTHER_KEYS.items())],
        "policies": [
            {"name": "blind", "match": {"roles": ["blind"]}, "pii": {"names": names, "restore": False}},
            {"name": "strict", "match": {"models": ["strict*"]}, "pii": {"kinds": {"card": "block"}}},
            {"name": "short", "match": {"models": ["short-*"]}, "minimise": {"max_messages": 1, "keep_last": 1}},
            {"name": "strip", "match": {"models": ["strip-*"]}, "pii": {"unread": "strip"}},
            {"name": "pass", "match": {"models": ["pass-*"]}, "pii": {"unread": "pass"}},
            {"name": "report", "match": {"models": ["report-*"]}, "pii": "report"},
            {"name": "off", "match": {"models": ["off-*"]}, "pii": "off"},
            {"name": "other", "match": {"models": ["other-*"]}, "pii": {"action": "pseudonym"}},
            {"name": "urls", "match": {"models": ["urls-*"]}, "pii": {"restore_in_urls": True}},
            {"name": "all", "pii": {"names": names}, "pass_through": ["outside", "inside"]},
        ],
    }


@pytest.fixture(scope="module")
def gateway(fake, inside, gemini, session_folder):
    with running(session_folder / "pii", settings(fake, inside, gemini)) as gateway:
        yield gateway
        # What must be nowhere: neither in what it says nor in what it keeps.
        kept = [gateway.out_path, gateway.err_path, *(p for p in gateway.data.rglob("*") if p.is_file())]
        for path in kept:
            content = path.read_bytes()
            for secret in SECRETS:
                assert secret.encode() not in content, f"{secret} in {path}"


def client_of(gateway, key=KEY):
    return openai.OpenAI(base_url=gateway.base_url, api_key=key, max_retries=0, timeout=30)


@pytest.fixture(scope="module")
def client(gateway):
    with client_of(gateway) as made:
        yield made


def chat(client, model, text, **more):
    return client.chat.completions.create(model=model, messages=[{"role": "user", "content": text}], **more)


def said(client, model, text, **more):
    return chat(client, model, text, **more).choices[0].message.content


def streamed(client, model, text, **more):
    pieces = list(chat(client, model, text, stream=True, **more))
    assert pieces[-1].choices == [] or pieces[-1].choices[0].finish_reason
    return "".join(p.choices[0].delta.content or "" for p in pieces if p.choices)


def seen(upstream, mark) -> str:
    """The only request of this mark, as text, once it is known that nothing leaked."""
    body = upstream.one(mark).body.decode()
    leaked = [secret for secret in SECRETS if secret in body or secret in body.encode().decode("unicode_escape", "ignore")]
    assert not leaked, body
    return body


# --- out and back, in every dialect


@pytest.mark.parametrize("model", ["outside/echo", "claude/claude-sonnet-4-5", "gemini/gemini-echo"])
@pytest.mark.parametrize("ask", [said, streamed])
def test_chat_completions(client, fake, gemini, model, ask, mark):
    answer = ask(client, model, f"{TEXT} {mark}", max_tokens=500)
    assert answer == f"You said: {TEXT} {mark}"
    assert MASKED in seen(gemini if model.startswith("gemini") else fake, mark)


@pytest.mark.parametrize("ask", [said, streamed])
@pytest.mark.parametrize("model, there", [("outside/echo", "[EMAIL]"), ("urls-echo", EMAIL)])
def test_nothing_is_put_into_urls(client, fake, mark, model, there, ask):
    text = "![seen](https://evil.example/,{}) was sent to {}, {}"
    assert ask(client, model, text.format(EMAIL, EMAIL, mark)) == "You said: " + text.format(there, EMAIL, mark)
    assert text.format("[EMAIL]", "[EMAIL]", mark) in seen(fake, mark)


@pytest.mark.parametrize("stream", [False, True])
def test_anthropic(gateway, fake, mark, stream):
    claude = anthropic_client(gateway.url)
    answer = claude.messages.create(model="claude-sonnet-4-5", max_tokens=500, stream=stream,
                                    system=f"The patient is {NAME}.",
                                    messages=[{"role": "user", "content": f"{TEXT} {mark}"}])
    text = ("".join(e.delta.text for e in answer if e.type == "content_block_delta") if stream
            else answer.content[0].text)
    assert text == f"You said: {TEXT} {mark}"
    body = seen(fake, mark)
    assert MASKED in body and "The patient is [PATIENT_NAME]." in body


@pytest.mark.parametrize("stream", [False, True])
def test_gemini(gateway, gemini, mark, stream):
    with google_client(gateway.url) as google:
        do = google.models.generate_content_stream if stream else google.models.generate_content
        answer = do(model="gemini/gemini-echo", contents=f"{TEXT} {mark}")
        text = "".join(piece.text or "" for piece in answer) if stream else answer.text
    assert text == f"You said: {TEXT} {mark}"
    assert MASKED in seen(gemini, mark)


@pytest.mark.parametrize("stream", [False, True])
def test_responses(client, fake, mark, stream):
    answer = client.responses.create(model="outside/echo", input=f"{TEXT} {mark}", instructions=f"For {NAME}",
                                     stream=stream)
    if stream:
        events = list(answer)
        deltas = "".join(e.delta for e in events if e.type == "response.output_text.delta")
        done = [e.text for e in events if e.type == "response.output_text.done"]
        assert done == [deltas]
        text = events[-1].response.output_text
        assert deltas == text
    else:
        text = answer.output_text
    assert text == f"You said: {TEXT} {mark}"
    assert "For [PATIENT_NAME]" in seen(fake, mark)


def test_streams_cut_at_every_byte(client, fake, mark):
    from fake_provider import chat_chunks

    async def letters(answer):
        await answer.stream_head()
        for event in chat_chunks(answer.request):
            text = event["choices"][0]["delta"].get("content") if event["choices"] else None
            for letter in text or [None]:
                if letter is not None:
                    event["choices"][0]["delta"]["content"] = letter
                await answer.event(event)
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("letters", letters)
    assert streamed(client, "outside/letters", f"{TEXT} {mark}") == f"You said: {TEXT} {mark}"
    assert MASKED in seen(fake, mark)


def test_bent_by_the_model_and_left_hanging(client, fake, mark):
    async def bent(answer):
        await answer.stream_head()
        for piece in ["Dear [patient", " name]'s family: [EMA", "IL, and PATIENT_", "NAME] [CARD", ""]:
            await answer.event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                                "choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
        await answer.event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                            "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("bent", bent)
    assert streamed(client, "outside/bent", f"{TEXT} {mark}") == \
        f"Dear {NAME}'s family: {EMAIL}, and {NAME} {CARD}"


# --- everywhere


def test_tool_calls_and_results(client, fake, mark):
    arguments = {"to": EMAIL, "note": f'for "{NAME}"\n', "card": 4111111111111111, mark: True}
    messages = [{"role": "user", "content": "send it"},
                {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "send", "arguments": json.dumps(arguments)}}]},
                {"role": "tool", "tool_call_id": "c1", "content": json.dumps({"sent_to": EMAIL, "to_name": NAME})}]
    client.chat.completions.create(model="outside/echo", messages=messages)
    body = json.loads(seen(fake, mark))
    assert json.loads(body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {
        "to": "[EMAIL]", "note": 'for "[PATIENT_NAME]"\n', "card": "[CARD]", mark: True}
    assert json.loads(body["messages"][2]["content"]) == {"sent_to": "[EMAIL]", "to_name": "[PATIENT_NAME]"}


def test_tool_calls_of_anthropic(gateway, fake, mark):
    given = {"patient_name": NAME, "to": [EMAIL], "card": 4111111111111111, "n": 3, "mark": mark}
    anthropic_client(gateway.url).messages.create(model="claude-sonnet-4-5", max_tokens=500, messages=[
        {"role": "user", "content": "send it"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "send", "input": given}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": f"Sent to {NAME}"}]}],
        tools=[{"name": "send", "input_schema": {"type": "object"}}])
    messages = json.loads(seen(fake, mark))["messages"]
    assert messages[1]["content"][0]["input"] == {
        "patient_name": "[PATIENT_NAME]", "to": ["[EMAIL]"], "card": "[CARD]", "n": 3, "mark": mark}
    assert "Sent to [PATIENT_NAME]" in json.dumps(messages[2])


@pytest.mark.parametrize("stream", [False, True])
def test_tool_calls_of_the_answer(client, fake, mark, stream):
    made = json.dumps({"to": "[EMAIL]", "name": "[PATIENT_NAME]"})

    async def call(answer):
        function = {"name": "send", "arguments": made}
        if not stream:
            return await answer.json(200, {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
                {"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": None, "tool_calls": [
                    {"id": "c", "type": "function", "function": function}]}}]})
        await answer.stream_head()
        for piece in ["", *made]:
            delta = {"tool_calls": [{"index": 0, "id": "c", "type": "function", "function": {"name": "send", "arguments": piece}}]}
            await answer.event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                                "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
        await answer.event({"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m",
                            "choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
        await answer.event("[DONE]")
        await answer.last_chunk()

    fake.on("calls", call)
    # [PATIENT_NAME] and [EMAIL] go out; the arguments that come back have them in JSON.
    text = f"Mr John Smith has {EMAIL} {mark}"
    answer = chat(client, "outside/calls", text, stream=stream)
    if stream:
        arguments = "".join(t.function.arguments for p in answer for c in p.choices for t in c.delta.tool_calls or [])
    else:
        arguments = answer.choices[0].message.tool_calls[0].function.arguments
    assert json.loads(arguments) == {"to": EMAIL, "name": "John Smith"}


def test_ids_metadata_and_unknown_fields(client, fake, mark):
    client.chat.completions.create(
        model="outside/echo", messages=[{"role": "user", "content": mark, "name": "x"}], user=EMAIL,
        metadata={"patient_name": NAME, "mail": EMAIL},
        extra_body={"x_unknown": {"deep": [{"mail": EMAIL, "card": 4111111111111111}]}})
    body = json.loads(seen(fake, mark))
    assert body["user"] == "EMAIL"
    assert body["metadata"] == {"patient_name": "[PATIENT_NAME]", "mail": "[EMAIL]"}
    assert body["x_unknown"]["deep"] == [{"mail": "[EMAIL]", "card": "[CARD]"}]


def test_embeddings(client, fake, mark):
    client.embeddings.create(model="outside/text-embedding-fake", input=[f"{TEXT} {mark}", EMAIL])
    assert json.loads(seen(fake, mark))["input"] == [f"{MASKED} {mark}", "[EMAIL]"]
    with pytest.raises(openai.BadRequestError) as refused:
        client.embeddings.create(model="outside/text-embedding-fake", input=[[1, 2, 3]])
    assert refused.value.code == "pii_unread"


@pytest.mark.parametrize("hidden", [
    "x.quill\u200b@hospital.example", "ｘ.quill@hospital.example", "x.quill@hospit\u0430l.example",
    "4111-1111-1111-1111", "４１１１ １１１１ １１１１ １１１１", "4111\u00a01111\u00a01111\u00a01111",
])
def test_disguises_hide_nothing(client, fake, mark, hidden):
    assert said(client, "outside/echo", f"It is {hidden} {mark}") == f"You said: It is {hidden} {mark}"
    assert hidden not in json.loads(seen(fake, mark))["messages"][0]["content"]


@pytest.mark.parametrize("text", [
    "[Mr John Smith](https://x.example)", "[SSN: 078-05-1121 A]", "{ Mr John Smith, SSN 078-05-1121, 12 Oak Street",
])
def test_brackets_and_braces_hide_nothing(client, fake, mark, text):
    assert said(client, "outside/echo", f"{text} {mark}") == f"You said: {text} {mark}"
    body = fake.one(mark).body.decode()
    assert not [words for words in ("John Smith", "078-05-1121", "Oak Street") if words in body], body


# --- zones, blocks, what cannot be read


def test_inside_sees_the_words_outside_does_not(client, fake, inside, mark):
    assert said(client, "in-then-out", f"{TEXT} {mark}") == f"You said: {TEXT} {mark}"
    assert TEXT in inside.one(mark).body.decode()
    assert MASKED in seen(fake, mark)


def test_the_other_way_round(client, fake, inside, mark):
    assert streamed(client, "out-then-in", f"{TEXT} [EMAIL] {mark}") == f"You said: {TEXT} [EMAIL] {mark}"
    assert TEXT in inside.one(mark).body.decode()
    assert "write to [EMAIL_2]" in seen(fake, mark)


def test_what_is_blocked_stays_in_the_house(client, fake, inside, mark):
    with pytest.raises(openai.BadRequestError) as refused:
        said(client, "strict-out", f"{TEXT} {mark}")
    error = refused.value
    assert error.code == "pii_blocked" and "card" in error.message and "4111" not in error.message
    assert said(client, "strict", f"{TEXT} {mark}") == f"You said: {TEXT} {mark}"
    assert not fake.records(mark) and len(inside.records(mark)) == 1
    assert said(client, "strict-out", f"Only {EMAIL} {mark}") == f"You said: Only {EMAIL} {mark}"


def test_what_cannot_be_read(client, fake, inside, mark):
    picture = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,iVBORw0KGgo{mark}"}}
    content = [{"type": "text", "text": f"Who is it? {EMAIL}"}, picture]
    with pytest.raises(openai.BadRequestError) as refused:
        said(client, "outside/echo", content)
    assert refused.value.code == "pii_unread" and not fake.records(mark)
    assert said(client, "inside/echo", content)
    said(client, "pass-echo", content)
    assert picture["image_url"]["url"] in fake.one(mark).body.decode()
    said(client, "strip-echo", [*content, {"type": "text", "text": "stripped-" + mark}])
    body = json.loads(fake.one("stripped-" + mark).body)
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "Who is it? [EMAIL]"}, {"type": "text", "text": "[left out]"},
        {"type": "text", "text": "stripped-" + mark}]


def test_what_is_not_sent_need_not_be_read(client, fake, mark):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    answer = client.chat.completions.create(model="short-echo", messages=[
        {"role": "user", "content": [picture]}, {"role": "assistant", "content": "A cat."},
        {"role": "user", "content": f"Write to {EMAIL} {mark}"}])
    assert answer.choices[0].message.content == f"You said: Write to {EMAIL} {mark}"
    assert json.loads(seen(fake, mark))["messages"] == [{"role": "user", "content": f"Write to [EMAIL] {mark}"}]


def test_documents_of_anthropic(gateway, fake, mark):
    claude = anthropic_client(gateway.url)

    def ask(source, more=()):
        return claude.messages.create(model="claude-sonnet-4-5", max_tokens=500, messages=[{"role": "user", "content": [
            {"type": "document", "title": f"Letter of {NAME}", "source": source}, {"type": "text", "text": mark}, *more]}])

    ask({"type": "text", "media_type": "text/plain", "data": TEXT})
    body = seen(fake, mark)
    assert MASKED in body and json.loads(body)["messages"][0]["content"][0]["title"] == "Letter of PATIENT_NAME"
    with pytest.raises(anthropic.BadRequestError, match="cannot be searched"):
        ask({"type": "base64", "media_type": "application/pdf", "data": "JVBERi0xLjQ="})


def test_a_providers_own_path_is_not_searched(gateway, fake, mark):
    for provider, status in [("outside", 400), ("inside", 200)]:
        answer = gateway.post(f"/providers/{provider}/chat/completions",
                              {"model": "echo", "messages": [{"role": "user", "content": mark}]})
        assert answer.status_code == status, answer.text
    assert not fake.records(mark)


# --- who may see what


def test_a_reader_who_may_not_see(gateway, fake, mark):
    with client_of(gateway, OTHER_KEYS["blind"]) as blind:
        for ask in (said, streamed):
            assert ask(blind, "outside/echo", f"{TEXT} {mark}") == f"You said: {MASKED} {mark}"


def test_a_conversation_belongs_to_its_owner(gateway, client, fake, mark):
    named = {"extra_headers": {"x-causeway-conversation": f"c-{mark}"}}
    assert said(client, "outside/echo", f"First joe@example.com {mark}-1", **named).startswith("You said: First joe")
    # Another value, and a stand-in that the application has kept from before.
    answer = said(client, "outside/echo", f"Then ann@example.com, not [EMAIL] {mark}-2", **named)
    assert answer == f"You said: Then ann@example.com, not joe@example.com {mark}-2"
    assert f"Then [EMAIL_2], not [EMAIL] {mark}-2" in fake.one(f"{mark}-2").body.decode()
    # The same name by another key is another conversation.
    with client_of(gateway, OTHER_KEYS["friend"]) as friend:
        assert said(friend, "outside/echo", f"[EMAIL] {mark}-3", **named) == f"You said: [EMAIL] {mark}-3"
    # And without a name each request stands alone.
    assert said(client, "outside/echo", f"[EMAIL] {mark}-4") == f"You said: [EMAIL] {mark}-4"
    with pytest.raises(openai.BadRequestError):
        said(client, "outside/echo", "x", extra_headers={"x-causeway-conversation": "c" * 201})


def test_text_like_a_stand_in(client, fake, mark):
    text = f"[EMAIL] is a placeholder of mine, {EMAIL} is not {mark}"
    assert said(client, "outside/echo", text) == f"You said: {text}"
    assert f"[EMAIL] is a placeholder of mine, [EMAIL_2] is not {mark}" in seen(fake, mark)


def test_report_and_off(client, fake, mark):
    for model in ("report-echo", "off-echo"):
        assert said(client, model, f"{TEXT} {mark}-{model}") == f"You said: {TEXT} {mark}-{model}"
        assert TEXT in fake.one(f"{mark}-{model}").body.decode()


def test_pseudonyms(client, fake, mark):
    text = f"Mr John Smith, {EMAIL}, card {CARD} {mark}"
    assert streamed(client, "other-echo", text) == f"You said: {text}"
    body = seen(fake, mark)
    assert "John Smith" not in body and "@example." in body and "[" not in json.loads(body)["messages"][0]["content"]


def test_thoughts_come_back_as_they_were_signed(gateway, fake, mark):
    claude = anthropic_client(gateway.url)
    first = claude.messages.create(model="claude-sonnet-4-5", max_tokens=4000, messages=[{"role": "user", "content": f"{TEXT} {mark}-1"}],
                                   thinking={"type": "enabled", "budget_tokens": 1024})
    assert first.content[0].type == "thinking"
    claude.messages.create(model="claude-sonnet-4-5", max_tokens=4000, thinking={"type": "enabled", "budget_tokens": 1024}, messages=[
        {"role": "user", "content": f"{TEXT} {mark}-2"}, {"role": "assistant", "content": first.content},
        {"role": "user", "content": "go on"}])  # the fake checks the signature
    assert first.content[0].signature in fake.one(f"{mark}-2").body.decode()


# --- counting, settings


def test_findings_are_counted(client, gateway, mark):
    def count(name, **labels):
        gateway.at_rest()
        return gateway.metrics().value(name, **labels) or 0

    before = count("causeway_pii_findings_total", kind="email", action="mask")
    back = count("causeway_pii_restored_total")
    said(client, "outside/echo", f"{EMAIL} {mark}")
    assert count("causeway_pii_findings_total", kind="email", action="mask") == before + 1
    assert count("causeway_pii_restored_total") == back + 1


@pytest.mark.parametrize("pii, words", [
    ({"kinds": {"emial": "mask"}}, ["emial", "no kind of personal data"]),
    ({"names": {"email": "e-mail"}}, ["must be capital letters"]),
    ({"patterns": {"bad": "a("}}, ["bad"]),
    ({"action": "hide"}, ["action", "mask"]),
    ({"regions": ["XX"]}, ["XX"]),
])
def test_wrong_settings_are_named(make_gateway, tmp_path, pii, words):
    path = tmp_path / "causeway.yaml"
    path.write_text(json.dumps({"policies": [{"name": "p", "pii": pii}]}, indent=1))
    checked = run("check", "--config", str(path))
    assert checked.returncode != 0
    for word in words:
        assert word in checked.stderr + checked.stdout
