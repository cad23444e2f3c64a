"""Questions that staff has answered: given without a model, by the clients of every dialect."""

import json
import time

import pytest

from conftest import make_client, running
from faq_world import (ANSWER, OTHER_KEY, PLAIN_KEY, QUESTION, add, asked, calls, embed_words, entries, remove_all,
                       settings)
from gateway import assert_error, chat_body, wait_until
from test_anthropic import anthropic_client
from test_gemini import google_client


@pytest.fixture(scope="module", autouse=True)
def words(fake):
    fake.on("embed-words", embed_words)


@pytest.fixture(scope="module")
def gw(config, session_folder):
    with running(session_folder / "faq", settings(config)) as gateway:
        yield gateway


@pytest.fixture(autouse=True)
def nothing_there(request):
    """Each test begins without entries."""
    if "gw" in request.fixturenames:
        remove_all(request.getfixturevalue("gw"))


# --- answers without a model

@pytest.mark.parametrize("question", [
    QUESTION, "how do i reset my password", "  How do I\n reset my   PASSWORD ?!", "“How do I reset my password?”",
    "Ｈow do I reset my password？"])
def test_exactly_but_for_case_space_and_punctuation(gw, fake, question):
    entry = add(gw)
    before = calls(fake)
    reply = gw.chat("echo", question)
    assert reply.json()["choices"][0]["message"]["content"] == ANSWER
    assert reply.json()["choices"][0]["finish_reason"] == "stop"
    assert reply.headers["x-causeway-cache"] == "faq" and reply.headers["x-causeway-faq"] == entry["id"]
    assert float(reply.headers["x-causeway-cost"]) == 0
    assert calls(fake) == before, "no model is asked"


def test_what_is_there_already_is_not_added_again(gw):
    there = add(gw, QUESTION, ANSWER, language="en", valid_from="2026-01-01")

    def again(question=QUESTION, **more):
        return gw.admin_call("POST", "/api/faq", {"questions": [question], "answer": "another", **more})
    for question in (QUESTION, "how do i reset my PASSWORD"):
        reply = again(question, language="EN")
        assert reply.status_code == 409 and reply.json()["error"]["code"] == "faq_exists", reply.text
        assert f"causeway faq remove {there['id']}" in reply.json()["error"]["message"]
    told = gw.cli("faq", "add", "Another?", QUESTION, "--answer", "x", "--language", "en")
    assert told.returncode == 1 and there["id"] in told.stderr, told.stderr
    assert again(valid_until="2020-01-01", language="en").status_code == 201, "held before"
    assert again(enabled=False, language="en").status_code == 201
    assert again(language="de").status_code == 201
    assert again(tenant="acme", language="en").status_code == 201
    assert again(models=["talk"], language="en").status_code == 201
    assert again(models=["talk"], language="en").status_code == 409


def test_other_questions_are_the_models(gw, fake):
    add(gw)
    for question in (QUESTION + " And my name?", "How do I not reset my password?", "How do I reset my password 2?"):
        text, ours = asked(gw, question)
        assert not ours and ANSWER not in text


def test_every_wording(gw):
    add(gw, QUESTION, ANSWER, "Wie setze ich mein Passwort zurück?", "I forgot my password!")
    assert asked(gw, "wie setze ich mein PASSWORT zurück")[1]
    assert asked(gw, "I forgot my password")[1]


def test_by_openais_client_streamed_and_not(gw, fake):
    add(gw)
    before = calls(fake)
    with make_client(gw) as client:
        messages = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": QUESTION}]
        whole = client.chat.completions.create(model="echo", messages=messages)
        assert whole.choices[0].message.content == ANSWER and whole.choices[0].finish_reason == "stop"
        assert whole.usage.total_tokens == 0 and whole.model == "echo"
        pieces = list(client.chat.completions.create(model="echo", messages=messages, stream=True,
                                                     stream_options={"include_usage": True}))
        assert "".join(p.choices[0].delta.content or "" for p in pieces if p.choices) == ANSWER
        assert [p.choices[0].finish_reason for p in pieces if p.choices][-1] == "stop"
        assert pieces[-1].usage.total_tokens == 0
        parts = [{"type": "text", "text": "How do I reset"}, {"type": "text", "text": "my password?"}]
        of_parts = client.chat.completions.create(model="echo", messages=[{"role": "user", "content": parts}])
        assert of_parts.choices[0].message.content == ANSWER
        response = client.responses.create(model="echo", input=QUESTION, instructions="Be kind.")
        assert response.output_text == ANSWER and response.status == "completed"
        with client.responses.stream(model="echo", input=[{"role": "user", "content": QUESTION}]) as stream:
            assert stream.get_final_response().output_text == ANSWER
    assert calls(fake) == before


def test_by_anthropics_client_streamed_and_not(gw, fake):
    add(gw)
    before = calls(fake)
    client = anthropic_client(gw.url)
    question = {"model": "echo", "max_tokens": 100, "system": "Be kind.",
                "messages": [{"role": "user", "content": QUESTION}]}
    whole = client.messages.create(**question)
    assert whole.content[0].text == ANSWER and whole.stop_reason == "end_turn"
    assert whole.usage.input_tokens == whole.usage.output_tokens == 0
    with client.messages.stream(**question) as stream:
        final = stream.get_final_message()
    assert final.content[0].text == ANSWER and final.stop_reason == "end_turn"
    assert calls(fake) == before


def test_by_googles_client_streamed_and_not(gw, fake):
    add(gw)
    before = calls(fake)
    with google_client(gw.url) as client:
        whole = client.models.generate_content(model="echo", contents=QUESTION)
        assert whole.text == ANSWER and whole.candidates[0].finish_reason == "STOP"
        pieces = list(client.models.generate_content_stream(model="echo", contents=QUESTION))
    assert "".join(p.text or "" for p in pieces) == ANSWER
    assert calls(fake) == before


def test_what_wants_more_than_words_goes_to_a_model(gw):
    add(gw)
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
    image = [{"type": "text", "text": QUESTION},
             {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"},
             {"role": "user", "content": QUESTION}]
    assert asked(gw, QUESTION)[1]
    assert asked(gw, QUESTION, response_format={"type": "text"})[1]
    for more in ({"tools": [tool]}, {"response_format": {"type": "json_object"}}, {"n": 2},
                 {"messages": [{"role": "user", "content": image}]}, {"messages": turns},
                 {"messages": [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": "Open"}]}):
        reply = gw.post("/v1/chat/completions", {**chat_body("echo", QUESTION), **more})
        assert reply.status_code == 200, reply.text
        assert "x-causeway-cache" not in reply.headers, more
    later = gw.post("/v1/chat/completions", {"model": "talk", "messages": turns})
    assert later.headers["x-causeway-cache"] == "faq", "the policy takes later questions too"
    cut = gw.post("/v1/chat/completions", {"model": "talk", "messages": turns[:2]})
    assert "x-causeway-cache" not in cut.headers


def test_a_policy_decides(gw):
    add(gw)
    assert asked(gw, QUESTION)[1]
    assert not asked(gw, QUESTION, key=PLAIN_KEY)[1]


def test_who_may_not_use_the_model_gets_no_answer(gw):
    add(gw)
    key = gw.make_key(models=["other"])["key"]
    assert_error(gw.chat("echo", QUESTION, key=key), (403, 404))
    assert gw.chat("no-such-model", QUESTION).status_code == 404


def test_ground(gw, fake, mark):
    entry = add(gw, f"Where is {mark}?", f"In the cellar of {mark}.")
    for path, body in (("/v1/chat/completions", chat_body("ground", f"where is {mark}")),
                       ("/v1/responses", {"model": "ground", "input": f"where is {mark}"}),
                       ("/v1/responses", {"model": "ground", "input": f"where is {mark}", "instructions": "Kind."}),
                       ("/v1/messages", {"model": "ground", "max_tokens": 9,
                                         "messages": [{"role": "user", "content": f"where is {mark}"}]})):
        reply = gw.post(path, body)
        assert reply.status_code == 200, reply.text
        assert "x-causeway-cache" not in reply.headers
        assert reply.headers["x-causeway-faq"] == entry["id"]
        sent = fake.records()[-1]
        assert f"In the cellar of {mark}." in json.dumps(sent.json, ensure_ascii=False), sent.json
        assert sent.json["messages"][0]["role"] == "system"
    streamed = gw.chat_stream("ground", f"where is {mark}")
    assert streamed.answer.status == 200
    gw.chat("ground", f"where is not {mark}")
    assert "cellar" not in json.dumps(fake.records()[-1].json)


def test_ground_by_meaning(gw, fake, mark):
    near = add(gw, "how long is the parcel on its way", "Three days.")
    other = add(gw, "when is the shop open", "At nine.")
    add(gw, "how long is the parcel on its way then", "Four days.", tenant="globex")
    wait_until(lambda: gw.metrics().value("causeway_faq_vectors") == 3, "vectors of all wordings")

    def told(question: str, **more):
        reply = gw.chat("near", question, **more)
        assert reply.status_code == 200, reply.text
        return reply.headers.get("x-causeway-faq"), json.dumps(fake.records()[-1].json)

    ids, sent = told("hello, how long is the parcel on its way")
    assert ids == near["id"] and "Three days." in sent and "At nine." not in sent
    assert "Four days." not in sent, "another tenant's"
    assert told("how long is the parcel on its way now")[0] == near["id"]
    assert told("something else altogether")[0] is None
    assert told("so when is the shop open")[0] == other["id"]
    key = gw.make_key(models=["near"], tenant="acme")
    assert told("so when is the shop open", key=key["key"])[0] == other["id"], "the vector needs no right of its own"

    began = time.monotonic()
    assert told("so when is the shop open slow")[0] is None
    assert time.monotonic() - began < 2.9, "the model waits for no vector that does not come"

    changed = gw.admin_call("PATCH", f"/api/faq/{other['id']}", {"version": 1, "questions": ["where do you stand"]})
    assert changed.status_code == 200
    assert told("so when is the shop open")[0] is None, "what was changed is not found by its old words"
    wait_until(lambda: told("tell me where do you stand")[0] == other["id"], "the new words")


def test_by_meaning(gw, fake):
    """The fake's vectors see words only: near is also what means the opposite, which the program must see."""
    entry = add(gw, "how long is the parcel of 5 kg on its way to me", "Three days.")
    wait_until(lambda: gw.metrics().value("causeway_faq_vectors") == 1, "vectors of all wordings")
    was, before = gw.metrics().value("causeway_faq_answers_total", how="meaning"), calls(fake)
    reply = gw.chat("means", "how long is my parcel of 5 kg on its way to me")
    assert reply.json()["choices"][0]["message"]["content"] == "Three days." and calls(fake) == before
    assert reply.headers["x-causeway-cache"] == "faq" and reply.headers["x-causeway-faq"] == entry["id"]
    assert 0.8 <= float(reply.headers["x-causeway-similarity"]) < 1
    streamed = gw.chat_stream("means", "so how long is the parcel of 5 kg on its way to me")
    assert streamed.answer.status == 200 and streamed.answer.header("x-causeway-cache") == "faq"
    assert gw.metrics().value("causeway_faq_answers_total", how="meaning") == was + 2
    for other in ("how long is the parcel of 50 kg on its way to me", "how long is the parcel of 5 kg not on its way to me",
                  "how long is the parcel of 5 kg on its way to Peru", "when is the parcel of 5 kg on its way to me",
                  "what does it cost"):
        assert not asked(gw, other, "means")[1], other
    assert not asked(gw, "how long is my parcel of 5 kg on its way to me", "echo")[1], "exactly only"


# --- for whom, when

def test_one_tenants_answer_is_not_anothers(gw):
    add(gw, "Who leads us?", "Ada.", tenant="acme")
    add(gw, "Who leads us?", "Grace.", tenant="globex")
    add(gw, "Where are we?", "At the sea.", tenant="globex")
    assert asked(gw, "Who leads us?") == ("Ada.", True)
    assert asked(gw, "Who leads us?", key=OTHER_KEY) == ("Grace.", True)
    text, ours = asked(gw, "Where are we?")
    assert not ours and "sea" not in text
    assert asked(gw, "Where are we?", key=OTHER_KEY) == ("At the sea.", True)
    assert {row["tenant"] for row in entries(gw, tenant="acme")} == {"acme"}


def test_only_while_it_holds(gw):
    day = time.strftime("%Y-%m-%d", time.gmtime())
    add(gw, "past", "x", valid_until="2020-12-31")
    add(gw, "to come", "x", valid_from="2199-01-01")
    add(gw, "now", "x", valid_from=day, valid_until=day)
    off = add(gw, "off", "x", enabled=False)
    assert {row["questions"][0]: row["state"] for row in entries(gw)} == {
        "past": "expired", "to come": "future", "now": "valid", "off": "disabled"}
    assert [asked(gw, question)[1] for question in ("past", "to come", "now", "off")] == [False, False, True, False]
    assert [row["questions"][0] for row in entries(gw, valid_on="2020-12-31")] == ["past"]
    reply = gw.admin_call("PATCH", f"/api/faq/{off['id']}", {"version": 1, "enabled": True})
    assert reply.json()["state"] == "valid" and asked(gw, "off")[1]


def test_an_answer_that_expires_is_not_given_again(gw):
    until = int(time.time()) + 4
    add(gw, "how long", "not long", valid_until=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until)))
    assert asked(gw, "how long")[1]
    time.sleep(until + 0.1 - time.time())
    assert not asked(gw, "how long")[1]


def test_models_and_languages(gw):
    add(gw, "which", "this", models=["ec*"])
    add(gw, "welche", "diese", language="de-AT")
    add(gw, "quelle", "celle-ci", language="fr")
    assert asked(gw, "which")[1] and not asked(gw, "which", "talk")[1]
    assert asked(gw, "welche", "german")[1] and not asked(gw, "quelle", "german")[1]
    assert asked(gw, "quelle")[1]


# --- what is counted

def test_the_vectors_are_asked_for_as_the_key_faq(gw):
    add(gw, "Where do vectors come from?")

    def row():
        rows = gw.admin_call("GET", "/api/usage?by=key,tenant,model&model=vectors&key=faq").json()["usage"]
        return rows[0] if rows else None
    found = wait_until(row, "usage of the vectors", 10)
    assert (found["key"], found["tenant"]) == ("faq", "default"), found
    lines = [line.split() for line in gw.cli("usage", "--by", "key,model").stdout.splitlines()]
    assert ["faq", "vectors"] in [line[:2] for line in lines], lines


def test_metrics_and_usage(gw):
    add(gw)
    was = gw.metrics().value("causeway_faq_answers_total", how="exact")
    key = gw.make_key(models=["*"])
    for _ in range(3):
        assert asked(gw, QUESTION, key=key["key"])[1]
    now = gw.metrics()
    assert now.value("causeway_faq_answers_total", how="exact") == was + 3
    assert now.value("causeway_faq_entries", state="valid") == 1
    none = now.value("causeway_faq_answers_total", how="none")
    assert not asked(gw, "something else")[1]
    assert gw.metrics().value("causeway_faq_answers_total", how="none") == none + 1
    rows = [row for row in gw.usage_rows() if row["key"] == key["id"] or row.get("key_id") == key["id"]]
    assert [(row["requests"], row["input_tokens"], row["output_tokens"], row["cached_requests"]) for row in rows] == [
        (3, 0, 0, 3)]
    assert rows[0]["cached_tokens"] > 3 * 10, "what the model would have said"
    assert now.value("causeway_stored_answers_total", source="faq") >= 3
