"""What the cases of the fault suite share: callers that know what was confirmed to them, the real
engine's processes, totals by model."""

from __future__ import annotations

import contextlib
import itertools
import os
import pathlib
import socket
import sqlite3
import subprocess
import sys
import threading
from dataclasses import dataclass, field

import pytest

from gateway import KEY, ROOT, Gateway, chat_body, wait_until
from wire import Closed, Raw, parse_sse

CACHE = pathlib.Path(os.environ.get("CAUSEWAY_CACHE") or pathlib.Path(
    os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "causeway")
ENGINE = CACHE / "engine" / "current" / "llama-server"
FULL = os.environ.get("CAUSEWAY_FAULTS") == "full"  # scripts/test --full: longer variants

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts and namespaces need root")
needs_engine = pytest.mark.skipif(not ENGINE.exists() and not os.environ.get("CI"),
                                  reason=f"no engine in {CACHE}: run scripts/deps first")

EMBEDDED = {"kind": "embedded", "preload": True}
STORY = {"max_tokens": 4000, "logit_bias": {"2": -100}}  # an answer that does not end by itself


def sanitized() -> bool:
    """Whether the program is one with a sanitizer: several times slower, and larger."""
    from gateway import binary
    data = binary().read_bytes()
    return b"__tsan_init" in data or b"__asan_init" in data


def engines(gw: Gateway) -> list[int]:
    """Process ids of this gateway's llama-server children."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == gw.process.pid and state != "Z" and b"llama-server" in command:
            found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    """Whether this process runs (one that was ended and not yet waited for does not)."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def totals(gw: Gateway, **filters: str) -> dict[str, dict]:
    """/api/usage by model: what is durable."""
    query = "&".join(f"{k}={v}" for k, v in {"by": "model", **filters}.items())
    answer = gw.admin_call("GET", f"/api/usage?{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["complete"], "more rows than one answer has: ask for fewer"
    return {row["model"]: row for row in answer.json()["usage"]}


def assert_store_is_clean(gw: Gateway):
    """SQLite's own full check, and what the program said of its journal."""
    with sqlite3.connect(f"file:{gw.data}/causeway.db?mode=ro", uri=True) as db:
        assert db.execute("pragma integrity_check").fetchall() == [("ok",)]
    assert not list((gw.data / "journal").glob("*.damaged"))


@dataclass
class Callers:
    """Callers that ask for one model after another, each of its own name, whole and streamed in turn,
    until the gateway is gone or they are stopped. `confirmed`: whose answers came whole."""

    gw: Gateway
    prefix: str
    count: int = 4
    key: str = KEY
    asked: list[str] = field(default_factory=list)
    confirmed: list[str] = field(default_factory=list)
    odd: list = field(default_factory=list)  # answers that were no success

    def __enter__(self) -> "Callers":
        self._numbers = itertools.count()
        self._stopped = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(self.count)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        for thread in self._threads:
            thread.join(30)

    def _run(self):
        try:
            with Raw(self.gw.listen, 20) as raw:
                while not self._stopped.is_set():
                    number = next(self._numbers)
                    self._ask(raw, f"{self.prefix}-{number}", stream=number % 2 == 0)
        except (Closed, OSError):
            pass  # the gateway is gone

    def _ask(self, raw: Raw, model: str, stream: bool):
        self.asked.append(model)
        raw.send(self.gw.request_bytes(chat_body(f"fake/{model}", "a b c", stream=stream), key=self.key))
        if not stream:
            answer = raw.answer()
            if not answer.complete:
                raise Closed(b"")
            if answer.status == 200:
                self.confirmed.append(model)
            else:
                self.odd.append((model, answer.status, answer.body[:200]))
            return
        raw.head()
        body = b""
        for piece in raw.pieces():
            body += piece
            if b"data: [DONE]" in piece:
                self.confirmed.append(model)  # a client's library goes on with its work here
        if "[DONE]" not in parse_sse(body):
            self.odd.append((model, "stream", body[-200:]))


@contextlib.contextmanager
def load_tool(name: str, *args: str):
    """Builds one of bench's tools and runs it on a free port."""
    source, folder = ROOT / "bench" / "tools" / f"{name}.cpp", ROOT / "build" / "bench"
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    newest = max(source.stat().st_mtime, (source.parent / "net.h").stat().st_mtime)
    if not program.exists() or program.stat().st_mtime < newest:
        subprocess.run(["g++", "-O2", "-std=c++20", "-o", program, source], check=True)
    port = free_port()
    process = subprocess.Popen([program, "--port", str(port), *args])
    try:
        wait_until(lambda: connects(port), f"{name} listens")
        yield port
    finally:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def connects(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


@contextlib.contextmanager
def fake_process(niceness: int = 5):
    """The fake upstream in a process of its own, for what would keep this one busy; its base URL."""
    program = pathlib.Path(__file__).resolve().parent.parent / "fake_upstream.py"
    process = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True,
                               preexec_fn=lambda: os.nice(niceness))
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
