"""Whatever a provider does, the application gets a status that is true, in the form it knows."""

import json
import socket
import time

import pytest

from conftest import running
from fake_provider import by_path
from gateway import UPSTREAM_KEY, assert_error, chat_body

# fault → status, code (None: any). 499 and 500 would mean that we broke.
BEFORE_CONTENT = {
    "s400": (400, "invalid_value"),
    "s400-context": (400, "context_length_exceeded"),
    "s401": ((502, 503), None),  # our key at the provider is wrong: not the caller's fault
    "s403": ((502, 503), None),
    "s404": (404, None),
    "s422": ((400, 422), None),
    "s429": (429, "rate_limit_exceeded"),
    "s429-ms": (429, "rate_limit_exceeded"),
    "s429-quota": (429, "insufficient_quota"),
    "s500": ((502, 503), None),
    "s503": ((502, 503), None),
    "s529": ((502, 503), None),
    "s302": (502, None),  # a redirect is never followed: it could lead anywhere
    "garbage": (502, None),
    "no-answer": (502, None),
    "reset": (502, None),
    "gzipped": (502, None),
}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", BEFORE_CONTENT)
def test_before_the_first_content(gw, fault, stream):
    status, code = BEFORE_CONTENT[fault]
    answer = gw.chat(f"fake/{fault}", stream=stream)
    error = assert_error(answer, status, code)
    text = answer.text
    assert UPSTREAM_KEY not in text and "sk-upst" not in text
    assert "127.0.0.1" not in text, "the provider's address is not the caller's business"
    assert gw.log_of(answer.headers["x-request-id"])["status"] == answer.status_code
    assert error["type"]


@pytest.mark.parametrize("fault", ["not-json", "bad-json", "cut-body", "half-closed"])
def test_whole_answer_that_is_none(gw, fault):
    answer = gw.chat(f"fake/{fault}")
    assert_error(answer, 502)
    assert "secret-of-the-provider" not in answer.text


def test_html_instead_of_a_stream(gw):
    answer = gw.chat("fake/not-json", stream=True)
    assert_error(answer, 502)


def test_error_as_first_event_is_an_error_answer(gw):
    """Nothing has gone out yet, so the status can still be true."""
    assert_error(gw.chat("fake/error-first", stream=True), (502, 503))


@pytest.mark.parametrize("fault, words", [
    ("s401", "did not take the gateway's key (status 401)"),
    ("s429", "rate limit is reached (status 429)"),
    ("s429-quota", "account there is used up (status 429)"),
    ("s500", "answered with an error (status 500)"),
])
def test_the_message_says_whose_matter_it_is(gw, fault, words):
    answer = gw.chat(f"fake/{fault}")
    assert words in assert_error(answer, answer.status_code)["message"]


IN_STREAM = ["cut-mid-stream", "cut-mid-chunk", "reset-mid-stream", "ended-early", "error-event", "bad-event"]


@pytest.mark.parametrize("fault", IN_STREAM)
def test_after_content_an_error_event_and_no_done(gw, fault):
    answer = gw.chat_stream(f"fake/{fault}")
    assert answer.status == 200
    assert answer.text == "one two three"
    assert len(answer.errors) == 1, answer.raw
    assert {"message", "type", "param", "code"} <= set(answer.errors[0])
    assert "[DONE]" not in answer.data, "a cut answer must not look complete"
    assert "error" in answer.events[-1], "nothing follows the error"
    assert answer.finish_reasons == []
    line = gw.log_of(answer.header("x-request-id"))
    assert line["error"], "counted as a failure although the status was 200"


def test_missing_done_with_a_finish_reason(gw):
    """Complete in every other respect: some servers leave [DONE] out. Either they are believed, with
    the [DONE] written, or not; a client must not be left without either."""
    answer = gw.chat_stream("fake/missing-done")
    assert answer.text == "one two three"
    assert answer.done != bool(answer.errors)


def test_connection_is_usable_after_an_error_in_the_stream(gw):
    """An error event ends the answer in good order; the next request is served (here or anew)."""
    with gw.raw() as raw:
        raw.send(gw.request_bytes(chat_body("fake/cut-mid-stream", stream=True)))
        answer = raw.answer()
        if answer.complete and (answer.header("connection") or "").lower() != "close":
            raw.send(gw.request_bytes(chat_body("echo")))
            assert raw.answer().status == 200
    assert gw.chat("echo").status_code == 200


@pytest.mark.parametrize("model", ["until-close", "continue-first", "sse-crlf", "one-write"])
def test_odd_but_legal_streams(gw, model):
    answer = gw.chat_stream(f"fake/{model}", "a b c")
    assert answer.text == "You said: a b c"
    assert answer.done and not answer.errors
    assert answer.finish_reasons == ["stop"]


def test_retry_hints(gw):
    answer = gw.chat("fake/s429")
    assert answer.headers["retry-after"] == "7"
    answer = gw.chat("fake/s429-ms")
    assert int(answer.headers["retry-after"]) == 2 or answer.headers["retry-after-ms"] == "1500"
    answer = gw.chat("fake/s503")
    assert answer.headers["retry-after"] == "3"


def test_only_retryable_errors_tell_the_client_to_retry(gw):
    """The official clients obey x-should-retry and retry every 5xx and 429 otherwise."""
    assert gw.chat("fake/s429-quota").headers.get("x-should-retry") != "true"
    assert "retry-after" not in gw.chat("fake/s400").headers


def test_huge_answer_is_bounded(gw):
    """100 MB where an answer is expected: refused, and memory does not follow."""
    before = gw.rss()
    answer = gw.chat("fake/huge", timeout=30)
    assert_error(answer, 502)
    assert gw.rss() - before < 64 << 20
    assert gw.chat("echo").status_code == 200


def test_dead_address(config, make_gateway):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        settings = config()
        settings["providers"]["dead"] = {"kind": "openai", "base_url": f"http://127.0.0.1:{port}/v1", "api_key": "k"}
        settings["providers"]["nowhere"] = {"kind": "openai", "base_url": "http://no-such-host.invalid/v1", "api_key": "k"}
        gateway = make_gateway(settings)
        assert_error(gateway.chat("dead/x"), (502, 503))
        assert_error(gateway.chat("nowhere/x"), (502, 503))
        assert gateway.chat("echo").status_code == 200


def test_https_to_a_plain_server(config, make_gateway, fake):
    settings = config()
    settings["providers"]["tls"] = {"kind": "openai", "base_url": f"https://127.0.0.1:{fake.port}/v1", "api_key": "k",
                                    "timeouts": {"connect": "1s"}}
    gateway = make_gateway(settings)
    assert_error(gateway.chat("tls/x"), (502, 503, 504))


# --- time


@pytest.fixture(scope="module")
def impatient(config, session_folder):
    settings = config()
    settings["policies"] = [
        {"name": "first", "match": {"models": ["fake/never", "fake/slow-first-byte"]},
         "timeouts": {"first_byte": "500ms"}},
        # The fake may be slow with its head, too.
        {"name": "between", "match": {"models": ["fake/head-then-never", "fake/words-then-never"]},
         "timeouts": {"idle": "700ms"}},
        {"name": "once", "retries": "off"},
        {"name": "whole", "match": {"models": ["fake/endless"]}, "timeouts": {"total": "1s"}},
    ]
    with running(session_folder / "impatient", settings) as gateway:
        yield gateway


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("model", ["never", "slow-first-byte"])
def test_first_byte_timeout(impatient, fake, mark, model, stream):
    start = time.monotonic()
    answer = impatient.chat(f"fake/{model}", mark, stream=stream)
    took = time.monotonic() - start
    assert_error(answer, 504)
    assert 0.4 < took < 20
    assert fake.one(mark).peer_closed.wait(10), "the call goes on although nobody waits for it"


def test_idle_timeout_before_content(impatient, fake, mark):
    answer = impatient.chat("fake/head-then-never", mark, stream=True)
    assert_error(answer, 504)
    assert fake.one(mark).peer_closed.wait(10)


def test_idle_timeout_mid_stream(impatient, fake, mark):
    answer = impatient.chat_stream("fake/words-then-never", mark)
    assert answer.text == "one two three"
    assert len(answer.errors) == 1 and not answer.done
    assert fake.one(mark).peer_closed.wait(10)


def test_total_timeout(impatient, fake, mark):
    start = time.monotonic()
    answer = impatient.chat_stream("fake/endless", mark)
    assert 0.8 < time.monotonic() - start < 20
    assert len(answer.errors) == 1 and not answer.done
    assert fake.one(mark).peer_closed.wait(10)


# --- fallback


@pytest.fixture(scope="module")
def falling(config, session_folder):
    """For each fault a model that falls back from it to a healthy target."""
    settings = config()
    for fault in [*BEFORE_CONTENT, *IN_STREAM, "not-json", "cut-body", "never", "head-then-never", "error-first"]:
        settings["models"][f"after-{fault}"] = {"strategy": "fallback",
                                                "targets": [f"fake/{fault}", "fake/echo"]}
    settings["models"]["all-bad"] = {"strategy": "fallback", "targets": ["fake/s500", "fake/s429", "fake/no-answer"]}
    # Only where the first target is silent: the healthy one has the same timeouts, and may be slow for once.
    settings["policies"] = [
        {"name": "silent", "match": {"models": ["after-never", "after-head-then-never"]}, "retries": "off",
         "timeouts": {"first_byte": "1500ms", "idle": "1500ms"}},
        {"name": "everyone", "retries": "off"}]
    with running(session_folder / "falling", settings) as gateway:
        yield gateway


MOVES_ON = ["s401", "s403", "s429", "s429-quota", "s500", "s503", "s529", "garbage", "no-answer", "reset",
            "gzipped", "never"]


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", MOVES_ON)
def test_moves_on_to_the_next_target(falling, fake, mark, fault, stream):
    if stream:
        answer = falling.chat_stream(f"after-{fault}", mark)
        assert answer.status == 200 and answer.done and not answer.errors
        text, request_id = answer.text, answer.header("x-request-id")
    else:
        answer = falling.chat(f"after-{fault}", mark)
        assert answer.status_code == 200, answer.text
        text, request_id = answer.json()["choices"][0]["message"]["content"], answer.headers["x-request-id"]
    assert text == f"You said: {mark}"
    records = fake.records(mark)
    assert [r.json["model"] for r in records] == [fault, "echo"], "one try at each, in order"
    line = falling.log_of(request_id)
    assert line["status"] == 200 and line["attempts"] == 2


@pytest.mark.parametrize("fault", ["not-json", "cut-body"])
def test_moves_on_from_a_broken_whole_answer(falling, mark, fault):
    answer = falling.chat(f"after-{fault}", mark)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == f"You said: {mark}"


@pytest.mark.parametrize("fault", ["head-then-never", "error-first"])
def test_moves_on_from_a_stream_without_content(falling, mark, fault):
    answer = falling.chat_stream(f"after-{fault}", mark)
    assert answer.done and answer.text == f"You said: {mark}"


@pytest.mark.parametrize("fault", ["s400", "s422"])
def test_does_not_repeat_a_request_that_is_wrong(falling, fake, mark, fault):
    assert falling.chat(f"after-{fault}", mark).status_code in (400, 422)
    assert len(fake.records(mark)) == 1


@pytest.mark.parametrize("fault", IN_STREAM)
def test_never_moves_on_after_content(falling, fake, mark, fault):
    answer = falling.chat_stream(f"after-{fault}", mark)
    assert answer.text == "one two three" and answer.errors and not answer.done
    assert len(fake.records(mark)) == 1


def test_when_all_fail_the_last_error_is_told(falling, fake, mark):
    answer = falling.chat("all-bad", mark)
    assert_error(answer, (429, 502, 503))
    assert len(fake.records(mark)) == 3


def test_single_target_is_not_tried_twice(gw, fake, mark):
    """Only the attempt loop sends again, and it has no other target here."""
    gw.chat("fake/s500", mark)
    gw.chat("fake/no-answer", mark)
    assert len(fake.records(mark)) == 2


def test_stale_pooled_connection(config, make_gateway, fake, mark):
    """A provider that closes idle connections between two requests: the caller does not notice."""
    async def once(answer):
        await by_path(answer)
        answer.close()  # after a complete keep-alive answer

    fake.on("closes-after", once)
    gateway = make_gateway(config())
    for i in range(10):
        assert gateway.chat("fake/closes-after", mark).status_code == 200
        time.sleep(0.02)


def test_answers_do_not_mix_after_a_broken_one(gw, fake):
    """Bytes behind an answer (a second answer that nobody asked for) poison no other request."""
    async def two_answers(answer):
        body = json.dumps({"id": "x", "object": "chat.completion", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "first"}, "finish_reason": "stop"}]}).encode()
        one = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        await answer.write(one + one.replace(b"first", b"smugg"))

    fake.on("two-answers", two_answers)
    for i in range(10):
        answer = gw.chat("fake/two-answers")
        assert answer.status_code in (200, 502)
        assert "smugg" not in answer.text
        answer = gw.chat("echo", f"n{i}")
        assert answer.json()["choices"][0]["message"]["content"] == f"You said: n{i}"
