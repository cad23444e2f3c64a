"""Inputs that two HTTP readers could understand differently, through the running program."""

import json
import pathlib

import pytest

from gateway import KEY
from wire import Closed, Raw

INPUTS = json.loads((pathlib.Path(__file__).parent / "data" / "hostile_http.json").read_text())
WITH_KEY = b"Host: x\r\nContent-Type: application/json\r\nAuthorization: Bearer %s\r\n" % KEY.encode()
REFUSALS = (400, 413, 431, 501, 505)


def test_the_list_is_whole():
    assert len(INPUTS) >= 73
    assert {i["verdict"] for i in INPUTS} == {"accept", "refuse", "either"}


@pytest.mark.parametrize("way", ["whole", "byte by byte"])
@pytest.mark.parametrize("case", INPUTS, ids=lambda c: c["name"])
def test_verdict(gw, case, way):
    # With a key, since without one a request is refused (401) before its body is looked at.
    data = case["bytes_latin1"].encode("latin-1").replace(b"Host: x\r\n", WITH_KEY, 1)
    with gw.raw(timeout=5) as raw:
        if way == "whole":
            raw.send(data)
        else:
            raw.send_slowly(data)
        # Only our own side is closed: what a gateway makes of the end of file is not the question,
        # so nothing is half-closed before the verdict.
        if case["name"] == "bare LF everywhere":
            # No reader that waits for CRLF CRLF can answer before the header timeout; it must not
            # take it for a request.
            raw.half_close()
        try:
            answer = raw.answer()
        except (Closed, ConnectionResetError):
            answer = None
        if case["verdict"] == "refuse":
            # One answer, of the framing's own, and the close: the bytes behind are nobody's request.
            if answer is not None:
                assert answer.status in REFUSALS, (answer.status, answer.body)
                assert answer.json()["error"]["message"]
                assert raw.read_all() == b"", "a refusal must be the last thing on its connection"
        else:
            # The body "hello" is not JSON: it was framed well, so the answer is about its meaning, and
            # the connection lives.
            if case["verdict"] == "accept":
                assert answer is not None and answer.status == 400, answer and (answer.status, answer.body)
                assert "JSON" in answer.json()["error"]["message"]
                assert not raw.closed_within(0.1)


@pytest.mark.parametrize("line", [b"GET /v1/models HTTP/2.0", b"GET /v1/models HTTP/3.0"])
def test_another_version_of_http_is_the_callers_fault(gw, line):
    with gw.raw(timeout=5) as raw:
        raw.send(line + b"\r\nHost: x\r\n\r\n")
        answer = raw.answer()
    assert answer.status == 505
    error = answer.json()["error"]
    assert (error["code"], error["type"]) == ("http_version_not_supported", "invalid_request_error")


def test_refused_head_does_not_reach_the_upstream(gw, fake):
    """Nothing of it was ever sent on: no body there is a request for a model."""
    assert not [r for r in fake.records() if r.body in (b"hello", b"hellohello", b"5\r\nhello")]


SMUGGLED = b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("head", [
    b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(SMUGGLED), b"Transfer-Encoding : chunked\r\n",
    b"Transfer-Encoding: xchunked\r\n", b"Transfer-Encoding: chunked, chunked\r\n"])
def test_no_second_request_out_of_a_body(gw, head):
    with gw.raw(timeout=5) as raw:
        raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n0\r\n\r\n" + SMUGGLED)
        data = raw.read_all()
    assert data.count(b"HTTP/1.1 ") == 1, data
    assert int(data.split(b" ", 2)[1]) in REFUSALS


def test_answers_that_could_be_understood_differently(gw, fake):
    """The same strictness towards the provider: nothing ambiguous is passed on as a good answer."""
    body = b'{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"ok"},"finish_reason":"stop"}]}'
    heads = {
        "two-lengths": b"Content-Length: %d\r\nContent-Length: 5\r\n" % len(body),
        "length-and-chunked": b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % len(body),
        "odd-coding": b"Transfer-Encoding: gzip, chunked\r\n",
        "folded": b"X-A: b\r\n c\r\nContent-Length: %d\r\n" % len(body),
        "nul": b"X-A: a\0b\r\nContent-Length: %d\r\n" % len(body),
    }
    for name, head in heads.items():
        async def handler(answer, head=head):
            await answer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n" + head + b"\r\n" + body)
            await answer.sleep(0.3)
            answer.close()

        fake.on(f"bad-{name}", handler)
        answer = gw.chat(f"fake/bad-{name}")
        assert answer.status_code == 502, (name, answer.status_code, answer.text)


def test_a_response_head_without_end_is_bounded(gw, fake):
    async def endless_head(answer):
        await answer.write(b"HTTP/1.1 200 OK\r\n")
        for i in range(2000):
            await answer.write(b"X-%d: %s\r\n" % (i, b"y" * 1000))
        await answer.sleep(1)

    fake.on("endless-head", endless_head)
    before = gw.rss()
    assert gw.chat("fake/endless-head").status_code == 502
    assert gw.rss() - before < 8 << 20


def test_many_idle_connections_are_held(gw):
    """500 open connections that say nothing; others are served."""
    open_ones = [Raw(gw.listen) for _ in range(500)]
    assert gw.chat("echo").status_code == 200
    for raw in open_ones:
        raw.close()


def test_garbage_of_every_kind(gw):
    for data in (b"\0" * 5000, b"\xff" * 5000, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET", b"\r\n" * 5000,
                 b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"A" * 100_000):
        with gw.raw(timeout=15) as raw:
            try:
                raw.send(data)
                raw.half_close()
                answer = raw.read_all()
            except (BrokenPipeError, ConnectionResetError, OSError):
                continue
            assert answer == b"" or int(answer.split(b" ", 2)[1]) in REFUSALS + (408,), answer[:100]
    assert gw.chat("echo").status_code == 200
