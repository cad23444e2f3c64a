"""Answers that nobody reads: what the gateway holds of them all is taken from the budget that request bodies
are taken from (server.limits.buffered), and everybody else is served."""

import contextlib
import socket
import time

import pytest

from faults.rig import fake_process, sanitized
from gateway import chat_body, wait_until
from wire import Raw

BUDGET = 64 << 20
CALLERS = 200
SLACK = 64 << 20  # one answer in work, what small streams need, what the allocator has not given back


@pytest.fixture(scope="module")
def upstream():
    """Its events and answers have several megabytes; in a process of its own, since it has much to send."""
    with fake_process() as url:
        yield url.removesuffix("/v1")


@pytest.fixture
def gw(config, make_gateway, upstream):
    settings = config()
    settings["providers"]["claude"] = {"kind": "anthropic", "base_url": upstream, "api_key": "k"}
    settings["providers"]["gpt"] = {"kind": "openai", "base_url": f"{upstream}/v1", "api_key": "k"}
    settings["server"] = {"threads": 1, "limits": {"buffered": f"{BUDGET >> 20}MiB"},
                          "timeouts": {"write": "20s"}, "drain": "1s"}
    settings["log"] = {"access": "off"}
    return make_gateway(settings)


CASES = {  # path, model, whether it streams
    "translated-stream": ("/v1/chat/completions", "claude/huge-events", True),
    "stream-that-is-said-again": ("/v1/responses", "claude/huge-events", True),
    "stream": ("/v1/chat/completions", "gpt/huge-events", True),
    "translated-answer": ("/v1/chat/completions", "claude/huge-events", False),
    "answer": ("/v1/chat/completions", "gpt/huge-events", False),
}


def question(path: str, model: str, stream: bool) -> dict:
    if path == "/v1/responses":
        return {"model": model, "input": "hello", "stream": stream}
    return chat_body(model, "hello", stream=stream)


def ask(gw, path: str, model: str, stream: bool) -> Raw:
    """Asks, and reads nothing."""
    raw = gw.raw(timeout=10)
    raw.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.send(gw.request_bytes(question(path, model, stream), path=path))
    return raw


def first_bytes(raw: Raw) -> bytes:
    """What has come, without waiting for more."""
    raw.socket.setblocking(False)
    with contextlib.suppress(OSError):
        return raw.socket.recv(100)
    return b""


@pytest.mark.parametrize("case", CASES)
def test_memory_stays_within_the_budget(gw, case):
    gw.chat("echo")
    before, most, served = gw.rss(), 0, 0
    callers = [ask(gw, *CASES[case]) for _ in range(CALLERS)]
    slowest = 0.0
    end = time.monotonic() + 6
    while time.monotonic() < end:
        asked = time.monotonic()
        assert gw.chat("echo", timeout=5).status_code == 200
        slowest = max(slowest, time.monotonic() - asked)
        served += 1
        most = max(most, gw.rss() - before)
        time.sleep(0.02)
    refused = sum(first_bytes(raw).startswith(b"HTTP/1.1 503") for raw in callers)
    for raw in callers:
        raw.reset()
    print(f"{case}: at most {most >> 20} MiB more; {refused} of {CALLERS} refused; {served} others served, "
          f"the slowest in {slowest * 1e3:.0f} ms")
    if not sanitized():
        assert most < BUDGET + SLACK
    path, model, _ = CASES[case]
    assert wait_until(lambda: gw.post(path, question(path, model, stream=False)).status_code == 200, "room again")
