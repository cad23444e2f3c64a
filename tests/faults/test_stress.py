"""Reload, revocation, disconnects, drain and ordinary work at the same time: made for ThreadSanitizer and
AddressSanitizer, and true for every build."""

import contextlib
import json
import random
import signal
import threading
import time

import pytest

from faults.rig import FULL
from fake_vertex import LOCATION, FakeVertex
from gateway import chat_body, wait_until
from wire import Closed

SECONDS = 60 if FULL else 12
ALLOWED = {  # what a caller may be told, by what it asked for
    "echo": {200}, "mixed": {200}, "fake/s429": {429}, "fake/s500": {502, 503}, "no-such": {404},
    "fake/reset": {502}, "fake/cut-mid-stream": {200, 502},
}


class Stress:
    def __init__(self, gw, settings):
        self.gw, self.settings = gw, settings
        self.stopped, self.draining = threading.Event(), threading.Event()
        self.problems, self.counts = [], {}
        self.threads = []

    def run(self, work, times=1):
        def loop():
            try:
                while not self.stopped.is_set():
                    work()
                    self.counts[work.__name__] = self.counts.get(work.__name__, 0) + 1
            except (Closed, OSError) as problem:
                if not self.draining.is_set():
                    self.problems.append(f"{work.__name__}: {problem!r}")
            except Exception as problem:
                if not self.draining.is_set():
                    self.problems.append(f"{work.__name__}: {problem!r}")
        for _ in range(times):
            thread = threading.Thread(target=loop)
            self.threads.append(thread)
            thread.start()

    def ask(self):
        model = random.choice(list(ALLOWED))
        answer = self.gw.chat(model, "a b c", stream=random.random() < 0.5)
        if answer.status_code not in ALLOWED[model] | ({503} if self.draining.is_set() else set()):
            self.problems.append((model, answer.status_code, answer.text[:200]))

    def keep_alive(self):
        with self.gw.raw(timeout=20) as raw:
            for _ in range(20):
                raw.send(self.gw.request_bytes(chat_body("mixed", "a b", stream=True)))
                answer = raw.answer()
                assert answer.status == 200 and answer.complete, answer.status
                if self.stopped.is_set():
                    return

    def leave(self):
        """At a moment of its own: within the head, the body, before the answer, in the middle of it."""
        data = self.gw.request_bytes(chat_body(random.choice(["fake/endless", "fake/slow-first-byte", "echo"]),
                                               "x" * random.choice([10, 300_000]), stream=True))
        with self.gw.raw(timeout=20) as raw:
            with contextlib.suppress(OSError):
                raw.send(data[:random.choice([20, 300, len(data)])])
            time.sleep(random.random() * 0.1)
            random.choice([raw.close, raw.reset, raw.half_close])()

    def large(self):
        answer = self.gw.chat("echo", "word " * 80_000)
        assert answer.status_code in (200, 503), answer.text[:200]

    def revoke(self):
        """A key works from the moment of its making to that of its revocation, and not a moment longer."""
        key = self.gw.make_key()
        for _ in range(3):
            answer = self.gw.chat("echo", key=key["key"])
            assert answer.status_code == 200, answer.text
        assert self.gw.admin_call("DELETE", f"/api/keys/{key['id']}").status_code < 300
        wait_until(lambda: self.gw.chat("echo", key=key["key"]).status_code == 401, "revoked", timeout=2)

    def rotate(self):
        key = self.gw.make_key()
        fresh = self.gw.admin_call("POST", f"/api/keys/{key['id']}/rotate", {"grace": "1m"}).json()["key"]
        for one in (key["key"], fresh):
            assert self.gw.chat("echo", key=one).status_code == 200

    def vertex(self):
        """Tokens of a service account that all threads share, and that end all the time."""
        answer = self.gw.chat("vertex/gemini-echo", "a b c")
        assert answer.status_code == 200 or self.draining.is_set(), answer.text

    def count(self):
        """Tokens of a public vocabulary, which is read when it is first asked for."""
        answer = self.gw.post("/v1/messages/count_tokens", {
            "model": random.choice(["fake/gpt-4o", "fake/gpt-4"]), "messages": [{"role": "user", "content": "a b c"}]})
        assert answer.status_code == 200 or self.draining.is_set(), answer.text

    def scan(self):
        answer = self.gw.admin_call("POST", "/api/pii/scan", {"text": "Ask Erika Müller, card 4111 1111 1111 1111. " * 50})
        assert answer.status_code == 200 and answer.json()["findings"], answer.text

    def reload(self):
        self.settings["models"]["mixed"] = {"strategy": "weighted",
                                            "targets": random.sample(["fake/a", "fake/b", "fake/c"], 2)}
        self.settings["policies"] = [{"name": f"p{random.randrange(9)}", "timeouts": {"total": "30s"},
                                      "disconnect": random.choice(["cancel", "drain"])}]
        self.gw.write_config(self.settings)
        if random.random() < 0.3:
            self.gw.signal(signal.SIGHUP)
        else:
            answer = self.gw.admin_call("POST", "/api/reload")
            assert answer.status_code == 200, answer.text
        time.sleep(0.02)

    def look(self):
        for path in ("/metrics", "/api/usage", "/api/keys", "/readyz", "/api/status", "/api/traces"):
            answer = self.gw.admin_call("GET", path)
            assert answer.status_code in (200, 404), (path, answer.text)
        self.gw.get("/v1/models")

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join(60)
            assert not thread.is_alive()


@pytest.fixture
def vertex():
    upstream = FakeVertex().start()
    upstream.lifetime = 3
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


@pytest.mark.timeout(600)
def test_everything_at_once(config, make_gateway, fake, vertex, tmp_path):
    """...and SIGTERM in the middle of it: within the drain everything has ended, with exit code 0, without a report
    of a sanitizer (the fixture looks for both)."""
    settings = config()
    settings["server"] = {"threads": 4, "drain": "5s"}
    settings["models"]["mixed"] = {"targets": ["fake/a"]}
    (tmp_path / "key.json").write_text(json.dumps(vertex.key_file()))
    settings["providers"]["vertex"] = {"kind": "vertex", "base_url": vertex.url, "location": LOCATION,
                                       "credentials_file": str(tmp_path / "key.json")}
    gw = make_gateway(settings)
    stress = Stress(gw, settings)
    for work, times in ((stress.ask, 3), (stress.keep_alive, 2), (stress.leave, 3), (stress.large, 1),
                        (stress.revoke, 1), (stress.rotate, 1), (stress.reload, 1), (stress.look, 1),
                        (stress.vertex, 2), (stress.count, 1), (stress.scan, 1)):
        stress.run(work, times)
    time.sleep(SECONDS)
    assert not stress.problems, stress.problems[:5]
    stress.draining.set()
    gw.signal(signal.SIGTERM)
    assert gw.wait(40) == 0, gw.output()
    stress.end()
    assert not stress.problems, stress.problems[:5]
    for work in ("ask", "keep_alive", "leave", "large", "revoke", "rotate", "reload", "look", "vertex", "count", "scan"):
        assert stress.counts.get(work, 0) > 0, f"{work} was never done: {stress.counts}"
    print(f"{SECONDS} s: {stress.counts}")


@pytest.mark.timeout(300)
def test_heartbeats_and_half_closed_clients(config, make_gateway, fake):
    """Heartbeats go into streams whose callers leave, half-close or read at that very moment."""
    settings = config()
    settings["policies"] = [{"name": "lively", "heartbeat": "1s", "disconnect": "drain"}]
    gw = make_gateway(settings)
    ends = []

    def one(number):
        with gw.raw(timeout=30) as raw:
            raw.send(gw.request_bytes(chat_body("fake/silence", stream=True)))
            if number % 4 == 0:
                raw.half_close()
            elif number % 4 == 1:
                time.sleep(1.0 + number % 10 / 25)
                raw.reset()
                return
            elif number % 4 == 2:
                time.sleep(2.2)
            ends.append((number, raw.read_all() if number % 4 == 0 else raw.answer().body))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(60)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(ends) == 45
    for number, body in ends:
        if number % 4 or body:
            assert b"[DONE]" in body and b"four" in body, body[-200:]
    assert gw.chat("echo").status_code == 200


def test_answers_read_on_without_a_caller_end_with_the_program(config, make_gateway, fake, mark):
    """disconnect: drain, and the caller has left: when the time to drain is over, the call is given up."""
    settings = config()
    settings["server"] = {"drain": "1s"}
    settings["policies"] = [{"name": "all", "disconnect": "drain"}]
    gw = make_gateway(settings)
    with gw.raw() as raw:
        raw.send(gw.request_bytes(chat_body("fake/endless", mark, stream=True)))
        raw.read_until(b'"word "')
    assert not fake.one(mark).peer_closed.wait(0.5), "it was to be read on"
    start = time.monotonic()
    gw.signal(signal.SIGTERM)
    assert gw.wait(20) == 0, gw.output()
    assert 0.8 < time.monotonic() - start < 15  # with a sanitizer's look at the end; else it would go on for ever
    assert fake.one(mark).peer_closed.wait(1)


def test_a_reload_while_it_ends(config, make_gateway):
    """SIGHUP and SIGTERM at the same moment, and requests that run: the exit code is 0."""
    settings = config()
    settings["server"] = {"drain": "0s"}
    for _ in range(5):
        gw = make_gateway(settings)
        with gw.raw() as raw:
            raw.send(gw.request_bytes(chat_body("fake/endless", stream=True)))
            raw.read_until(b'"word "')
            gw.signal(signal.SIGHUP)
            gw.signal(signal.SIGTERM)
            for _ in range(20):
                with contextlib.suppress(ProcessLookupError):
                    gw.signal(signal.SIGHUP)
            assert gw.wait(20) == 0, gw.output()
