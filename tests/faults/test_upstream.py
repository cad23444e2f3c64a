"""A provider that answers too early, never, too much or too slowly, or ends in the middle of a chunk."""

import asyncio
import json
import os
import signal
import threading
import time

import pytest

from fake_provider import chat_completion
from gateway import assert_error, chat_body
from wire import Closed, StreamedAnswer

PATIENCE = {"name": "impatient", "match": {"models": ["fake/*"]},
            "timeouts": {"first_byte": "1500ms", "idle": "1s", "total": "4s"}}
GIGABYTE = 1 << 30


@pytest.fixture(scope="module")
def gw(config, session_folder):
    from conftest import running
    with running(session_folder / "upstream-faults", {**config(), "policies": [PATIENCE]}) as gateway:
        yield gateway


@pytest.fixture(scope="module", autouse=True)
def faults(fake):
    async def one_byte_a_second(answer):
        await answer.stream_head()
        for byte in b"data: {\"id\"":
            await answer.chunk(bytes([byte]))
            await answer.sleep(1)

    async def one_body_byte_a_second(answer):
        payload = json.dumps(chat_completion(answer.request)).encode()
        await answer.head(200, {"content-type": "application/json", "content-length": len(payload)})
        for at in range(len(payload)):
            await answer.write(payload[at:at + 1])
            await answer.sleep(1)

    async def gigabyte(answer):
        """1 GB with a length; stops when nobody reads any more."""
        await answer.head(200, {"content-type": "application/json", "content-length": GIGABYTE})
        for _ in range(GIGABYTE >> 16):
            await answer.write(b" " * (1 << 16))

    async def gigabyte_of_events(answer):
        await answer.stream_head()
        event = b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "x" * 65000},
                                                     "finish_reason": None}]}).encode() + b"\n\n"
        framed = b"%x\r\n%s\r\n" % (len(event), event)
        for _ in range(GIGABYTE // len(framed)):
            await answer.write(framed)

    async def one_endless_event(answer):
        await answer.stream_head()
        await answer.chunk(b"data: ")
        for _ in range(GIGABYTE >> 16):
            await answer.chunk(b"x" * (1 << 16))

    for name, handler in (("one-byte-a-second", one_byte_a_second), ("one-body-byte-a-second", one_body_byte_a_second),
                          ("gigabyte", gigabyte), ("gigabyte-of-events", gigabyte_of_events),
                          ("one-endless-event", one_endless_event)):
        fake.on(name, handler)


@pytest.fixture(autouse=True)
def serves_on(gw):
    yield
    assert gw.chat("echo").status_code == 200


class Early:
    """A server that answers a request whose body it has not read, and then reads it or not."""

    def __init__(self, status: int, close: bool):
        self.status, self.close = status, close
        self.loop = asyncio.new_event_loop()
        started = threading.Event()

        async def main():
            self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
            self.port = self.server.sockets[0].getsockname()[1]
            started.set()

        def run():
            self.loop.run_until_complete(main())
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()
        started.wait(5)

    async def serve(self, reader, writer):
        body = json.dumps({"error": {"message": "too busy", "type": "server_error", "code": None, "param": None}}
                          if self.status != 200 else chat_completion({"model": "m", "messages": [
                              {"role": "user", "content": "early"}]})).encode()
        try:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n%s" % (
                self.status, len(body), b"Connection: close\r\n" if self.close else b"", body))
            await writer.drain()
            if not self.close:
                await asyncio.sleep(3)  # and never reads on
            writer.close()
        except (OSError, asyncio.IncompleteReadError):
            pass

    def stop(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(5)
        self.loop.close()


@pytest.mark.parametrize("size", [10, 8 << 20], ids=["small", "8 MB"])
@pytest.mark.parametrize("close", [True, False], ids=["closes", "stays"])
@pytest.mark.parametrize("status", [200, 429, 503])
def test_answers_before_it_has_read(config, make_gateway, status, close, size):
    """What it said counts, however much of the request is still to be sent."""
    early = Early(status, close)
    settings = config()
    settings["providers"]["early"] = {"kind": "openai", "base_url": f"http://127.0.0.1:{early.port}/v1"}
    settings["policies"] = [{"name": "p", "retries": "off", "timeouts": {"first_byte": "3s", "idle": "3s", "total": "8s"}}]
    gateway = make_gateway(settings)
    start = time.monotonic()
    answer = gateway.chat("early/m", "x" * size)
    assert time.monotonic() - start < 6
    # Where it closes with bytes of ours unread, the kernel resets the connection, and what it said can be lost
    # on the way: then the answer is a 502, in time.
    lossy = close and size > 1 << 20
    if status == 200:
        assert answer.status_code == 200 or lossy and answer.status_code == 502
    else:
        assert_error(answer, {429: (429, 502) if lossy else (429,), 503: (502, 503)}[status])
    assert gateway.chat("echo").status_code == 200
    early.stop()


def test_never_answers(gw):
    start = time.monotonic()
    assert_error(gw.chat("fake/never"), (502, 504))
    assert 1.2 < time.monotonic() - start < 3


@pytest.mark.parametrize("model", ["head-then-never", "words-then-never"])
def test_falls_silent(gw, model):
    start = time.monotonic()
    answer = gw.chat_stream(f"fake/{model}")
    assert time.monotonic() - start < 4
    if model == "words-then-never":
        assert answer.errors and not answer.done and answer.text == "one two three"
    else:
        assert answer.status in (502, 504)


def test_one_byte_a_second(gw):
    """Each byte comes within the idle timeout; the total ends it all the same."""
    start = time.monotonic()
    assert_error(gw.chat("fake/one-body-byte-a-second"), (502, 504))
    answer = gw.chat("fake/one-byte-a-second", stream=True)
    assert_error(answer, (502, 504))
    assert time.monotonic() - start < 11


def test_closes_in_the_middle_of_a_chunk(gw):
    answer = gw.chat_stream("fake/cut-mid-chunk")
    assert answer.text == "one two three" and len(answer.errors) == 1 and not answer.done


@pytest.mark.parametrize("stream", [False, True])
def test_a_reset_that_comes_with_the_bytes_before_it(gw, fake, stream):
    """Half of an answer and the reset wait together when the gateway, which stood still, looks again."""
    async def half_and_a_reset(answer):
        process = gw.process.pid
        os.kill(process, signal.SIGSTOP)
        try:
            if stream:
                await answer.stream_head()
                await answer.chunk(b"data: {\"half")
            else:
                await answer.head(200, {"content-type": "application/json", "content-length": 1000})
                await answer.write(b"{\"half")
            answer.reset()
            await answer.sleep(0.1)
        finally:
            os.kill(process, signal.SIGCONT)

    fake.on("half-and-a-reset", half_and_a_reset)
    answer = gw.post("/v1/chat/completions", chat_body("fake/half-and-a-reset", stream=stream))
    assert_error(answer, 502, "upstream_broken")  # and no 504 when the patience with a silent one has ended


@pytest.mark.parametrize("model", ["gigabyte", "one-endless-event"])
def test_a_gigabyte_is_not_taken(gw, fake, mark, model):
    """Over server.limits.answer: an error, the call is closed, and memory stays what it was."""
    before = gw.rss()
    answer = gw.chat(f"fake/{model}", mark, stream=model != "gigabyte", timeout=30)
    assert_error(answer, (502, 504))
    record = fake.one(mark)
    assert record.peer_closed.wait(5)
    assert record.sent < 160 << 20
    assert gw.rss() - before < 96 << 20  # the answer's limit is 32 MiB


def test_a_gigabyte_of_events_takes_no_memory(gw, fake, mark):
    """A stream has no limit but its caller's patience: 4 s here, passed on as it comes."""
    before, most = gw.rss(), 0
    with gw.raw(timeout=30) as raw:
        raw.send(gw.request_bytes(chat_body("fake/gigabyte-of-events", mark, stream=True)))
        raw.head()
        try:
            for count, piece in enumerate(raw.pieces()):
                if count % 200 == 0:
                    most = max(most, gw.rss())
        except Closed:
            pass
    assert most - before < 64 << 20
    assert fake.one(mark).finished.wait(5)
