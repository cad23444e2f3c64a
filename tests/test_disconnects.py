"""The client goes away: the provider's work stops with it, at every stage."""

import asyncio
import socket
import time

import pytest

from gateway import chat_body, wait_until

SOON = 10.0  # seconds in which the upstream must see it; it would go on for a minute, or for ever


def assert_upstream_closed(record, since: float):
    assert record.peer_closed.wait(SOON + 1), "the provider goes on working for nobody"
    assert record.peer_closed_at - since < SOON


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_gone_before_the_first_byte(gw, fake, mark, how, stream):
    raw = gw.raw()
    raw.send(gw.request_bytes(chat_body("fake/never", mark, stream=stream)))
    record = fake.one(mark)
    time.sleep(0.05)
    assert record.peer_closed_at is None
    gone = time.monotonic()
    getattr(raw, how)()
    assert_upstream_closed(record, gone)


@pytest.mark.parametrize("how", ["close", "reset"])
@pytest.mark.parametrize("model", ["endless", "words-then-never"])
def test_gone_mid_stream(gw, fake, mark, how, model):
    raw = gw.raw()
    raw.send(gw.request_bytes(chat_body(f"fake/{model}", mark, stream=True)))
    raw.read_until(b'"content": "')
    record = fake.one(mark)
    assert record.peer_closed_at is None
    gone = time.monotonic()
    getattr(raw, how)()
    assert_upstream_closed(record, gone)


def test_gone_while_the_request_is_sent(gw, fake, mark):
    """Half a body, then gone: the provider never hears of it, and nothing is left over."""
    raw = gw.raw()
    raw.send(gw.request_bytes(chat_body("echo", mark + "x" * 100_000))[:50_000])
    raw.close()
    time.sleep(0.2)
    assert fake.records(mark) == []
    assert gw.chat("echo").status_code == 200


def test_half_closed_client(gw, fake, mark):
    """A client that has closed its sending side. End of file counts as gone (cancelled, logged) or as
    'I have no more requests' (answered); never a request that hangs or a call that goes on."""
    raw = gw.raw()
    raw.send(gw.request_bytes(chat_body("fake/slow-first-byte", mark)))
    record = fake.one(mark)
    raw.half_close()
    data = raw.read_all()
    if data:
        assert data.startswith(b"HTTP/1.1 200 ") and b"You said" in data
    else:
        assert record.peer_closed.wait(SOON)


def test_gone_before_fallback(config, make_gateway, fake, mark):
    """Whoever has left needs no second target."""
    async def slow_failure(answer):
        for _ in range(250):  # 5 s: the gateway is to hear first that its caller has left
            if answer.peer_gone:
                return
            await asyncio.sleep(0.02)
        await answer.json(500, {"error": {"message": "x", "type": "server_error", "param": None, "code": None}})

    fake.on("slow-failure", slow_failure)
    settings = config()
    settings["models"]["two"] = {"strategy": "fallback", "targets": ["fake/slow-failure", "fake/echo"]}
    gateway = make_gateway(settings)
    raw = gateway.raw()
    raw.send(gateway.request_bytes(chat_body("two", mark)))
    record = fake.one(mark)
    gone = time.monotonic()
    raw.close()
    assert_upstream_closed(record, gone)
    time.sleep(0.5)
    assert len(fake.records(mark)) == 1


def test_it_is_logged_and_counted_as_such(gw, fake, mark):
    raw = gw.raw()
    raw.send(gw.request_bytes(chat_body("fake/never", mark), headers={"x-request-id": mark}))
    fake.one(mark)
    raw.close()
    line = gw.log_of(mark)
    assert line["status"] == 499
    assert line["error"] == "cancelled"


def test_many_at_once(gw, fake, mark):
    """200 streams, all hung up at the same time."""
    open_ones = []
    for _ in range(200):
        raw = gw.raw(timeout=20)
        raw.send(gw.request_bytes(chat_body("fake/endless", mark, stream=True)))
        open_ones.append(raw)
    for raw in open_ones:
        raw.read_until(b'"word ')
    for raw in open_ones:
        raw.close()
    records = fake.records(mark)
    assert len(records) == 200
    wait_until(lambda: all(r.peer_closed.is_set() for r in records), "all cancelled", timeout=20)
    assert gw.chat("echo").status_code == 200


def test_drain_policy_finishes_the_call(config, make_gateway, fake, mark):
    """By policy the answer is read to its end, so that the bill is the provider's own."""
    settings = config()
    settings["policies"] = [{"name": "everyone", "disconnect": "drain"}]
    gateway = make_gateway(settings)
    raw = gateway.raw()
    raw.send(gateway.request_bytes(chat_body("fake/slow-stream", f"{mark} b c d e", stream=True)))
    raw.read_until(b'"content": "')
    raw.close()
    record = fake.one(mark)
    assert record.finished.wait(20)
    assert record.peer_closed_at is None
    row = wait_until(lambda: gateway.usage_of(model="fake/slow-stream"), "usage of the drained stream")
    assert row["output_tokens"] == record.usage["completion_tokens"]
    assert row["estimated_requests"] == 0


def test_provider_waits_for_a_client_that_is_slow_but_there(gw, fake, mark):
    """Slow is not gone."""
    raw = gw.raw(timeout=20)
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.send(gw.request_bytes(chat_body("fake/slow-stream", mark + " b c d e f", stream=True)))
    time.sleep(1)
    answer = raw.answer()
    raw.close()
    assert answer.body.rstrip().endswith(b"data: [DONE]")
