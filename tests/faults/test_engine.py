"""The embedded model's process is killed, stopped or slow in the middle of an answer."""

import os
import signal
import time

import pytest

from faults.rig import EMBEDDED, STORY, engines, needs_engine, totals
from gateway import assert_error, chat_body, wait_until
from wire import StreamedAnswer

pytestmark = [needs_engine, pytest.mark.timeout(120)]


@pytest.fixture
def embedded(config, make_gateway):
    def make(**more):
        settings = config()
        settings["providers"]["local"] = EMBEDDED
        settings["models"]["fast"] = {"targets": ["local/default"]}
        gw = make_gateway({**settings, **more})
        assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
        return gw
    return make


def begun(gw, **more):
    """A stream of the embedded model after its first words; head and what is left of it to read."""
    raw = gw.raw(timeout=60)
    raw.send(gw.request_bytes(chat_body("fast", "Tell me a very long story.", stream=True, **{**STORY, **more})))
    assert b" 200 " in raw.head()
    raw.read_until(b'"content"')
    return raw


def rest(raw) -> bytes:
    data = raw.read_until(b"\r\n0\r\n\r\n")
    raw.close()
    return data


def served_again(gw, timeout=30):
    return wait_until(lambda: gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200,
                      "the engine is back", timeout=timeout, every=0.3)


def test_killed_mid_answer(embedded):
    """The caller is told in the stream, what came is accounted as an estimate, the next call is served."""
    gw = embedded()
    raw = begun(gw)
    [pid] = engines(gw)
    os.kill(pid, signal.SIGKILL)
    data = rest(raw)
    assert b'"error"' in data and b"[DONE]" not in data
    row = wait_until(lambda: (r := totals(gw).get("fast")) and r["requests"] == 2 and r, "the cut answer counts")
    assert row["estimated_requests"] == 1 and row["output_tokens"] > 0
    served_again(gw)
    assert len(engines(gw)) == 1 and engines(gw) != [pid]


def test_stopped_mid_answer(embedded):
    """A process that stands still is a provider that is silent: the caller's deadline ends the wait, other
    models answer meanwhile, and it goes on where it runs again."""
    gw = embedded(policies=[{"name": "short", "match": {"models": ["fast"]},
                             "timeouts": {"idle": "2s", "first_byte": "4s", "total": "60s"}}])
    raw = begun(gw)
    [pid] = engines(gw)
    os.kill(pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        assert gw.chat("echo").status_code == 200
        data = rest(raw)
        assert 1.5 < time.monotonic() - start < 6
        assert b'"error"' in data and b"[DONE]" not in data
        assert_error(gw.chat("fast", "hi", max_tokens=2), (502, 503, 504))
        assert gw.chat("echo").status_code == 200
    finally:
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass  # it was ended and replaced, which is as good
    served_again(gw)


def test_slow_mid_answer(embedded):
    """Stopped for half of the time: the answer takes longer and is whole."""
    gw = embedded()
    raw = begun(gw, max_tokens=40, logit_bias={})
    [pid] = engines(gw)
    for _ in range(10):
        os.kill(pid, signal.SIGSTOP)
        time.sleep(0.1)
        os.kill(pid, signal.SIGCONT)
        time.sleep(0.05)
    assert b"data: [DONE]" in rest(raw)


def test_the_other_target_answers_while_the_engine_is_dead(embedded, mark):
    """Fallback: a killed engine before the first word is no error to the caller."""
    gw = embedded(models={"both": {"strategy": "fallback", "targets": ["local/default", "fake/echo"]},
                          "fast": {"targets": ["local/default"]}},
                  policies=[{"name": "short", "timeouts": {"first_byte": "1s"}}])
    [pid] = engines(gw)
    os.kill(pid, signal.SIGSTOP)
    try:
        answer = gw.chat("both", mark)
    finally:
        os.kill(pid, signal.SIGKILL)
    assert answer.status_code == 200 and mark in answer.json()["choices"][0]["message"]["content"]
    served_again(gw)
