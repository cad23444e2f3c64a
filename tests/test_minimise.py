"""A request carries no more of a conversation than its answer needs: what the provider has received,
by the official clients of each dialect."""

import json

import httpx
import pytest
from google.genai import types

import long_conversations
from conftest import make_client, running
from fake_gemini import FakeGemini
from gateway import KEY, UPSTREAM_KEY, run, wait_until
from test_anthropic import anthropic_client
from test_gemini import google_client

SHARE = 0.25  # of a conversation's tokens that its request may have, in the measurement below
STEP = 50     # its budgets are rounded down to so many tokens
STRIP_ALL = ["signatures", "quoted_replies", "tracking_links", "base64", "repeated_text"]
TOOL = {"type": "function", "function": {"name": "parcel", "parameters": {"type": "object"}}}


@pytest.fixture(scope="module")
def google():
    upstream = FakeGemini().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


@pytest.fixture(scope="module")
def gate(config, fake, google, session_folder):
    settings = config()
    settings["providers"] |= {
        "claude": {"kind": "anthropic", "base_url": fake.url, "api_key": UPSTREAM_KEY},
        "google": {"kind": "gemini", "base_url": google.base_url, "api_key": UPSTREAM_KEY}}
    targets = {"openai": "fake/echo", "claude": "claude/claude-sonnet-4-5", "gemini": "google/gemini-2.5-flash"}
    for dialect, target in targets.items():
        settings["models"] |= {f"{kind}-{dialect}": {"targets": [target]}
                               for kind in ("few", "tokens", "strip", "fields")}
    settings["prices"] = {"models": {"fake/echo": {"input": 1, "output": 1}}}
    settings["policies"] = [
        {"name": "few", "match": {"models": ["few-*"]}, "minimise": {"max_messages": 5, "keep_last": 1}},
        {"name": "tokens", "match": {"models": ["tokens-*"]}, "minimise": {"max_tokens": 160, "keep_last": 1}},
        {"name": "strip", "match": {"models": ["strip-*"]}, "minimise": {"strip": STRIP_ALL}},
        {"name": "fields", "match": {"models": ["fields-*"]},
         "minimise": {"json_fields": ["order.id", "items.sku"]}}]
    with running(session_folder / "minimise", settings) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(gate):
    with make_client(gate) as made:
        yield made


def talk(mark: str) -> list[dict]:
    """Of the parcel at the beginning, of other things then; with calls of tools in both."""
    def called(number: int, result: str) -> list[dict]:
        return [{"role": "assistant", "content": None, "tool_calls": [
                    {"id": f"call_{number}", "type": "function", "function": {"name": "parcel", "arguments": "{}"}}]},
                {"role": "tool", "tool_call_id": f"call_{number}", "content": result}]
    return [{"role": "user", "content": "Where is the parcel for Ingrid?"}, *called(1, "It waits in Bergen."),
            {"role": "assistant", "content": "Ingrid's parcel waits in Bergen."},
            {"role": "user", "content": "What is there for lunch?"}, *called(2, "lentil soup"),
            {"role": "assistant", "content": "Soup."},
            {"role": "user", "content": "Tell me a joke."}, {"role": "assistant", "content": "Not today."},
            {"role": "user", "content": f"Can the parcel in Bergen be sent on? {mark}"}]


def sent(upstream, mark: str) -> dict:
    return json.loads(upstream.one(mark).body)


def test_openai_messages_by_relevance(client, fake, mark):
    told = client.chat.completions.with_raw_response.create(model="few-openai", messages=talk(mark), tools=[TOOL])
    messages = sent(fake, mark)["messages"]
    whole = talk(mark)
    assert messages == [*whole[:4], whole[-1]], "the pair of call and result is there, and in its order"
    assert int(told.headers["x-causeway-tokens-saved"]) > 20


def test_openai_streams_tell_it_too(client, fake, mark):
    with client.chat.completions.with_streaming_response.create(model="few-openai", messages=talk(mark),
                                                                stream=True) as answer:
        assert int(answer.headers["x-causeway-tokens-saved"]) > 20
    assert len(sent(fake, mark)["messages"]) == 5


def test_responses_items(client, fake, mark):
    items = [{"role": "user", "content": "Where is the parcel for Ingrid?"},
             {"type": "function_call", "call_id": "c1", "name": "parcel", "arguments": "{}"},
             {"type": "function_call_output", "call_id": "c1", "output": "It waits in Bergen."},
             {"role": "assistant", "content": "Ingrid's parcel waits in Bergen."},
             {"role": "user", "content": "What is there for lunch?"}, {"role": "assistant", "content": "Soup."},
             {"role": "user", "content": f"Can the parcel in Bergen be sent on? {mark}"}]
    client.responses.create(model="few-openai", input=items, store=False)
    body = fake.one(mark).body.decode()
    assert "call_id" in body or "tool_call_id" in body
    assert "Bergen." in body and "lunch" not in body and "Soup" not in body


def test_anthropic_messages_by_relevance(gate, fake, mark):
    whole = [{"role": "user", "content": "Where is the parcel for Ingrid?"},
             {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "parcel", "input": {}}]},
             {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1",
                                           "content": "It waits in Bergen."}]},
             {"role": "assistant", "content": "Ingrid's parcel waits in Bergen."},
             {"role": "user", "content": "What is there for lunch?"}, {"role": "assistant", "content": "Soup."},
             {"role": "user", "content": f"Can the parcel in Bergen be sent on? {mark}"}]
    answer = anthropic_client(gate.url).messages.with_raw_response.create(
        model="few-claude", max_tokens=50, messages=whole, system="Be brief.",
        tools=[{"name": "parcel", "input_schema": {"type": "object"}}])
    body = sent(fake, mark)
    assert body["messages"] == [*whole[:4], whole[-1]] and body["system"] == "Be brief."
    assert int(answer.headers["x-causeway-tokens-saved"]) > 5


def test_gemini_contents_by_relevance(gate, google, mark):
    def said(role: str, *parts: types.Part) -> types.Content:
        return types.Content(role=role, parts=list(parts))
    text = types.Part.from_text
    whole = [said("user", text(text="Where is the parcel for Ingrid?")),
             said("model", types.Part.from_function_call(name="parcel", args={"who": "Ingrid"})),
             said("user", types.Part.from_function_response(name="parcel", response={"place": "Bergen"})),
             said("model", text(text="Ingrid's parcel waits in Bergen.")),
             said("user", text(text="What is there for lunch?")), said("model", text(text="Soup.")),
             said("user", text(text=f"Can the parcel in Bergen be sent on? {mark}"))]
    with google_client(gate.url) as google_side:
        google_side.models.generate_content(model="few-gemini", contents=whole)
    contents = sent(google, mark)["contents"]
    assert [c["role"] for c in contents] == ["user", "model", "user", "model", "user"]
    assert "functionCall" in contents[1]["parts"][0] and "functionResponse" in contents[2]["parts"][0]
    assert "lunch" not in json.dumps(contents)


def test_of_a_thread_of_mails_two_messages_are_sent(client, fake, mark):
    mails = ["The invoice for the telescope is INV-771.", "Lunch on Friday?", "The lift is broken again.",
             "Who has the key of the cellar?", f"What was the number of the telescope's invoice? {mark}"]
    client.chat.completions.create(model="tokens-openai", messages=[
        {"role": "user", "content": f"{mail}\n\n" + "Words about nothing at all. " * 8} for mail in mails])
    messages = sent(fake, mark)["messages"]
    assert len(messages) == 2 and "INV-771" in messages[0]["content"] and mark in messages[1]["content"]


MAIL = ("Hello,\n\nplease see https://shop.example/o/7?utm_source=mail&item=3 and the log below.\n\n{blob}\n\n"
        "Best regards,\nAnn Example\n\nOn Tue, 3 Mar 2026 at 10:00, Bob <bob@example.com> wrote:\n"
        "> How is it going?\n")
LEFT = "Hello,\n\nplease see https://shop.example/o/7?item=3 and the log below.\n\n[base64, 3 kB]"


@pytest.fixture
def mail():
    blob = "".join(f"aB3/xY{i % 10}z" for i in range(500))
    return MAIL.format(blob=blob)


def test_mail_is_stripped_and_pictures_are_not(client, fake, mark, mail):
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "iVBOR0a/" * 100}}
    terms = "These terms apply to every order of every customer, whoever and wherever they may be, always."
    client.chat.completions.create(model="strip-openai", messages=[
        {"role": "system", "content": mail},
        {"role": "user", "content": [{"type": "text", "text": mail}, picture]},
        {"role": "assistant", "content": mail},
        {"role": "user", "content": f"One\n\n{terms}"}, {"role": "user", "content": f"Two\n\n{terms}"},
        {"role": "user", "content": f"What now? {mark}"}])
    messages = sent(fake, mark)["messages"]
    assert messages[0]["content"] == messages[2]["content"] == mail, "of users and tools only"
    assert messages[1]["content"] == [{"type": "text", "text": LEFT}, picture]
    assert messages[3]["content"] == f"One\n\n{terms}" and messages[4]["content"].strip() == "Two"


def test_mail_in_a_tool_result_of_each_dialect(gate, fake, google, mark, mail):
    anthropic_client(gate.url).messages.create(model="strip-claude", max_tokens=50, messages=[
        {"role": "user", "content": f"Read my mail {mark}-a"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "mail", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": mail}]}],
        tools=[{"name": "mail", "input_schema": {"type": "object"}}])
    assert sent(fake, f"{mark}-a")["messages"][2]["content"][0]["content"] == LEFT
    with google_client(gate.url) as google_side:
        google_side.models.generate_content(model="strip-gemini", contents=[
            types.Content(role="user", parts=[types.Part.from_text(text=f"Read my mail {mark}-g")]),
            types.Content(role="model", parts=[types.Part.from_function_call(name="mail", args={})]),
            types.Content(role="user", parts=[types.Part.from_function_response(
                name="mail", response={"mail": mail})])])
    assert sent(google, f"{mark}-g")["contents"][2]["parts"][0]["functionResponse"]["response"] == {"mail": LEFT}


def test_json_documents_keep_listed_fields(client, fake, mark):
    document = {"order": {"id": 12345678901234567890, "iban": "DE00"}, "items": [{"sku": "a", "price": 1.5}], "x": 1}
    client.chat.completions.create(model="fields-openai", messages=[
        {"role": "user", "content": json.dumps(document)}, {"role": "user", "content": f"{{{mark}}}"}])
    messages = sent(fake, mark)["messages"]
    assert json.loads(messages[0]["content"]) == {"order": {"id": 12345678901234567890}, "items": [{"sku": "a"}]}
    assert messages[1]["content"] == f"{{{mark}}}", "no document"


def test_without_a_policy_nothing_changes(client, fake, mark):
    body = json.dumps({"model": "echo", "messages": talk(mark)}).encode()
    answer = client.chat.completions.with_raw_response.create(model="echo", messages=talk(mark))
    assert "x-causeway-tokens-saved" not in answer.headers
    assert sent(fake, mark)["messages"] == json.loads(body)["messages"]


def test_tokens_saved_are_counted_everywhere(gate, client):
    before = (gate.usage_of(model="tokens-openai") or {}).get("tokens_saved", 0)
    gate.at_rest()
    counted = gate.metrics().value("causeway_tokens_saved_total", gen_ai_request_model="tokens-openai")
    answer = client.chat.completions.with_raw_response.create(model="tokens-openai", messages=[
        *({"role": "user", "content": f"Number {i}: " + "words " * 60} for i in range(6)),
        {"role": "user", "content": "What was number 3?"}])
    saved = int(answer.headers["x-causeway-tokens-saved"])
    assert saved > 200
    assert gate.log_of(answer.headers["x-request-id"])["tokens_saved"] == saved
    wait_until(lambda: gate.usage_of(model="tokens-openai")["tokens_saved"] == before + saved)
    gate.at_rest()
    assert gate.metrics().value("causeway_tokens_saved_total", gen_ai_request_model="tokens-openai") == counted + saved
    table = gate.cli("usage", "--by", "model").stdout.splitlines()
    column = table[0].split().index("MINIMISED")
    assert next(line.split()[column] for line in table if line.startswith("tokens-openai")) == str(before + saved)


@pytest.mark.parametrize("settings, problem", [
    ({"max_tokens": 0}, "max_tokens"), ({"strip": ["everything"]}, "quoted_replies"),
    ({"json_fields": ["a..b"]}, "items.*.price"), ({"recency": 2}, "recency")])
def test_settings_that_cannot_be(make_gateway, config, settings, problem):
    gateway = make_gateway(config() | {"policies": [{"name": "p", "minimise": settings}]}, start=False)
    answer = run("check", "--config", str(gateway.config_path))
    assert answer.returncode != 0 and problem in answer.stdout + answer.stderr


# --- whether the answer survives


@pytest.fixture(scope="module")
def asked():
    return long_conversations.conversations()


def budget_of(messages: list[dict]) -> int:
    return int(long_conversations.tokens(messages) * SHARE) // STEP * STEP


@pytest.fixture(scope="module")
def measured(asked, config, session_folder):
    settings = config()
    budgets = sorted({budget_of(one.messages) for one in asked})
    settings["models"] |= {f"budget-{n}": {"targets": ["fake/echo"]} for n in budgets}
    settings["policies"] = [{"name": f"budget-{n}", "match": {"models": [f"budget-{n}"]},
                             "minimise": {"max_tokens": n}} for n in budgets]
    with running(session_folder / "minimise-measured", settings) as gateway:
        yield gateway


def test_the_message_with_the_answer_survives(asked, measured, fake, mark, capsys):
    survived, recent, lost = 0, 0, []
    with httpx.Client() as http:
        for number, one in enumerate(asked):
            budget = budget_of(one.messages)
            messages = [*one.messages[:-1],
                        {"role": "user", "content": f"{one.messages[-1]['content']} {mark}x{number}x"}]
            answer = http.post(f"{measured.base_url}/chat/completions", timeout=30,
                               headers={"authorization": f"Bearer {KEY}"},
                               # Requests with tools teach the gateway nothing about tokens: it goes on
                               # to take four bytes for one, as tokens() does.
                               json={"model": f"budget-{budget}", "messages": messages, "tools": [TOOL]})
            assert answer.status_code == 200, answer.text
            arrived = json.loads(fake.one(f"{mark}x{number}x").body)["messages"]
            assert long_conversations.tokens(arrived) <= budget
            assert arrived[0]["role"] == "system" and arrived[-1] == messages[-1]
            rest = iter(messages)
            assert all(message in rest for message in arrived), "as they were, in their order"
            calls = {c["id"] for m in arrived for c in m.get("tool_calls", [])}
            assert calls == {m["tool_call_id"] for m in arrived if m["role"] == "tool"}
            if any(m["content"] == one.fact for m in arrived):
                survived += 1
            else:
                lost.append(f"{one.language}: {one.fact} | {one.messages[-1]['content']}")
            recent += any(m["content"] == one.fact for m in long_conversations.last_that_fit(one.messages, budget))
    with capsys.disabled():
        print(f"\nanswer kept in {survived} of {len(asked)} conversations ({100 * survived / len(asked):.1f} %) with "
              f"{SHARE:.0%} of their tokens; the last messages that fit would keep it in {recent}")
        print("".join(f"  lost: {one}\n" for one in lost), end="")
    assert len(asked) >= 100 and survived >= 0.95 * len(asked)
    assert recent <= 0.05 * len(asked)
