"""What becomes of those who send slowly: in time they are told so, and nobody else is cut."""

import json
import threading
import time

import pytest

from gateway import chat_body
from wire import Raw

MIN_RATE = 1024  # bytes a second that a body must average after the first 10 s


def told_and_closed(raw: Raw):
    """The 408 in the dialect's own form, then the close."""
    answer = raw.answer()
    assert answer.status == 408, (answer.status, answer.body)
    assert answer.complete
    assert answer.header("connection") == "close"
    error = answer.json()["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "request_timeout"), error
    assert "slow" in error["message"]
    assert answer.header("x-request-id")
    assert raw.read_all() == b"", "nothing may follow on this connection"
    return answer


@pytest.fixture(scope="module")
def impatient(config, session_folder):
    from conftest import running
    with running(session_folder / "impatient", {**config(), "server": {"timeouts": {"body": "1s"}}}) as gateway:
        yield gateway


@pytest.mark.parametrize("size", [2_000, 2_000_000], ids=["small", "large"])
def test_a_silent_body_is_told(impatient, size):
    """In place behind the head, and in memory of its own."""
    request = impatient.request_bytes(chat_body("echo", "x" * size))
    with impatient.raw() as raw:
        began = time.monotonic()
        raw.send(request[:-500])
        answer = told_and_closed(raw)
        assert 0.5 < time.monotonic() - began < 5
    line = impatient.log_of(answer.header("x-request-id"))
    assert line["status"] == 408, line


def test_a_silent_chunked_body_is_told(impatient):
    head = impatient.request_bytes(b"", headers={"Transfer-Encoding": "chunked"})
    head = head.replace(b"Content-Length: 0\r\n", b"")
    with impatient.raw() as raw:
        raw.send(head + b"5\r\n{\"mod\r\n")
        told_and_closed(raw)


def test_what_is_still_sent_does_not_destroy_the_answer(impatient):
    """The rest is read away for a while: a reset would take the 408 from the client's hands."""
    request = impatient.request_bytes(chat_body("echo", "x" * 400_000))
    with impatient.raw() as raw:
        raw.send(request[:100_000])
        time.sleep(2.5)
        raw.send(request[100_000:200_000])
        told_and_closed(raw)


def test_no_more_is_waited_for_bodies_that_nobody_reads(gw):
    """A refusal that needs no body comes at once, and not when the time for it is over: 30 s."""
    request = gw.request_bytes(chat_body("echo", "x" * 2_000), key="sk-wrong")
    with gw.raw() as raw:
        began = time.monotonic()
        raw.send(request[:-500])
        assert raw.answer().status == 401
        assert time.monotonic() - began < 10


class Sender(threading.Thread):
    """Sends a whole chat request at so many bytes a second, and keeps what it is answered."""

    def __init__(self, gateway, rate: int, seconds: float):
        super().__init__(daemon=True)
        self.raw, self.rate = gateway.raw(timeout=30), rate
        body = json.dumps(chat_body("echo", "x" * int(rate * seconds))).encode()
        self.request = gateway.request_bytes(body)
        self.sent_for, self.answer, self.problem = 0.0, None, None

    def run(self):
        began = time.monotonic()
        head = self.request.index(b"\r\n\r\n") + 4
        at = 0
        self.raw.socket.settimeout(0.1)
        try:
            while at < len(self.request):
                due = head + int((time.monotonic() - began) * self.rate)
                self.raw.socket.sendall(self.request[at:due])
                at = max(at, due)
                try:
                    self.raw.buffer += self.raw.socket.recv(65536)
                    break
                except TimeoutError:
                    continue
            self.sent_for = time.monotonic() - began
            self.raw.socket.settimeout(30)
            self.answer = self.raw.answer()
        except Exception as problem:  # shown by the test
            self.problem = problem


@pytest.mark.timeout(120)
def test_the_least_rate_of_a_body(gw):
    """A sender that never pauses for long is cut for its rate; one just above it is served."""
    slow = Sender(gw, MIN_RATE // 2, 60)
    just_fast_enough = Sender(gw, MIN_RATE * 5 // 4, 15)
    for sender in (slow, just_fast_enough):
        sender.start()
    for sender in (slow, just_fast_enough):
        sender.join(60)
        assert sender.problem is None, sender.problem
    assert 9 < slow.sent_for < 20, slow.sent_for
    assert slow.answer.status == 408, slow.answer.body
    assert slow.answer.json()["error"]["code"] == "request_timeout"
    assert just_fast_enough.sent_for > 13, "it was to last longer than the grace"
    assert just_fast_enough.answer.status == 200, just_fast_enough.answer.body
