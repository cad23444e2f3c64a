"""Runs the real program for a test, and talks to it the way that no client library would.

Everything that a test assumes about the program's own surface (verbs, paths of the admin port, names
in its JSON) stands in this file or in README.md under "Surface assumed", so that a change of it is
made in one place.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import ssl
import subprocess
import time
import uuid
from typing import Any, Callable

import httpx

from wire import Metrics, Raw, StreamedAnswer

ROOT = pathlib.Path(__file__).resolve().parent.parent
KEY = "sk-test-0123456789abcdefghijklmnopqrstuv"  # of the application in most tests
ADMIN_KEY = "admin-test-0123456789abcdefghijklmnop"
UPSTREAM_KEY = "sk-upstream-do-not-show-me"  # must never be seen anywhere but at the upstream
START_TIMEOUT = 20.0  # ASan builds on a busy machine; the program itself is ready in 100 ms
STOP_TIMEOUT = 20.0
# All that is asked here is plain http. Without this httpx would read the machine's certificates for each call:
# 20 ms in which, for Python's lock, no other thread runs, and so no fake upstream either.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

CACHE = pathlib.Path(os.environ.get("CAUSEWAY_CACHE") or pathlib.Path(
    os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "causeway")
ENGINE = CACHE / "engine" / "current" / "llama-server"

SANITIZER_REPORT = re.compile(
    r"ERROR: (Address|Leak|Thread|Memory)Sanitizer|WARNING: ThreadSanitizer|runtime error:")


def chat_model_file() -> pathlib.Path | None:
    return next(iter(sorted((CACHE / "files").glob("*/SmolLM2-135M-Instruct*.gguf"))), None)


def binary() -> pathlib.Path:
    """CAUSEWAY_BIN, else the release build, else the dev build."""
    if given := os.environ.get("CAUSEWAY_BIN"):
        return pathlib.Path(given).resolve()
    for preset in ("release", "dev"):
        path = ROOT / "build" / preset / "causeway"
        if path.exists():
            return path
    raise RuntimeError("no program: build it (cmake --preset release && cmake --build --preset release)"
                       " or set CAUSEWAY_BIN")


def wait_until(ready: Callable[[], Any], what: str = "", timeout: float = 10.0, every: float = 0.02) -> Any:
    """What `ready()` gives as soon as it is true; fails the test after `timeout` seconds."""
    end = time.monotonic() + timeout
    while True:
        value = ready()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what or ready}")
        time.sleep(every)


def plain_http(method: str, url: str, **options) -> httpx.Response:
    """One call on a connection of its own."""
    return httpx.request(method, url, verify=NO_TLS, trust_env=False, **{"timeout": 30, **options})


def clean_environment(more: dict[str, str] | None = None) -> dict[str, str]:
    """The environment without anything that would change what the program finds by itself."""
    drop = re.compile(r"^(OPENAI|ANTHROPIC|GEMINI|GOOGLE|AZURE|AWS|HF|OTEL|CAUSEWAY|LLAMA_ARG)_|_proxy$",
                      re.IGNORECASE)
    keep = {"CAUSEWAY_CACHE", "CAUSEWAY_SHARE"}  # where engine and models are, and what is shipped
    env = {k: v for k, v in os.environ.items() if k in keep or not drop.search(k)}
    env.setdefault("ASAN_OPTIONS", "detect_leaks=1:abort_on_error=0:exitcode=99")
    env.setdefault("UBSAN_OPTIONS", "print_stacktrace=1:halt_on_error=1:exitcode=99")
    env.update(more or {})
    return env


def run(*args: str, input: str | None = None, env: dict[str, str] | None = None, timeout: float = 30,
        cwd: pathlib.Path | None = None) -> subprocess.CompletedProcess:
    """One command of the program to its end; text in, text out."""
    done = subprocess.run([str(binary()), *args], input=input if input is not None else "", text=True,
                          capture_output=True, env=clean_environment(env), timeout=timeout, cwd=cwd)
    report = SANITIZER_REPORT.search(done.stderr)
    assert not report, f"sanitizer report:\n{done.stderr}"
    return done


def processes_with(mark: str) -> list[int]:
    """Processes whose command line or environment holds `mark` (children inherit ours)."""
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            text = (entry / "environ").read_bytes() + (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if state != "Z" and mark.encode() in text:
            found.append(int(entry.name))
    return found


class Gateway:
    """One running `causeway serve`."""

    def __init__(self, folder: pathlib.Path, config: dict | str | None = None, *,
                 env: dict[str, str] | None = None, args: list[str] = (), start: bool = True,
                 open_files: int | None = None):
        self.folder = folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.data = folder / "data"
        self.config_path = folder / "causeway.yaml"
        self.ready_path = folder / "ready.json"
        self.out_path, self.err_path = folder / "stdout.txt", folder / "stderr.txt"
        self.env, self.args = dict(env or {}), list(args)
        self.mark = f"causeway-test-{uuid.uuid4().hex}"
        self.has_config = config is not None
        self.process: subprocess.Popen | None = None
        self.exit_code: int | None = None
        self.expected_exit = 0
        self.open_files = open_files  # hard limit
        if config is not None:
            self.write_config(config)
        if start:
            self.start()

    # --- life cycle

    def write_config(self, config: dict | str):
        """A dict is completed with this gateway's own addresses and folder; text is taken as it is."""
        if isinstance(config, dict):
            config = dict(config)
            config["server"] = {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "data": str(self.data),
                                **config.get("server", {})}
            keys = config.get("keys", [{"name": "test", "secret": KEY, "models": ["*"]}])
            if not any(key.get("kind") == "admin" for key in keys):
                keys = [*keys, {"name": "admin", "secret": ADMIN_KEY, "kind": "admin"}]
            config["keys"] = keys
            config = json.dumps(config, indent=2)  # JSON is YAML
        replacement = self.config_path.with_suffix(".new")
        replacement.write_text(config)
        replacement.rename(self.config_path)

    def command(self) -> list[str]:
        limit = ["prlimit", f"--nofile={self.open_files}"] if self.open_files else []
        command = [*limit, str(binary()), "serve", "--ready-file", str(self.ready_path)]
        if self.has_config:
            command += ["--config", str(self.config_path)]
        return command + self.args

    def launch(self):
        """Starts the process without waiting for it to be ready."""
        self.ready_path.unlink(missing_ok=True)
        self.exit_code = None
        with open(self.out_path, "ab") as out, open(self.err_path, "ab") as err:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=self.folder,
                env=clean_environment({**self.env, "CAUSEWAY_TEST_MARK": self.mark}))

    def start(self) -> "Gateway":
        self.launch()
        end = time.monotonic() + START_TIMEOUT
        while not self.ready_path.exists():
            if self.process.poll() is not None:
                raise AssertionError(f"serve ended with {self.process.returncode}\n{self.output()}")
            if time.monotonic() > end:
                self.process.kill()
                raise AssertionError(f"not ready within {START_TIMEOUT} s\n{self.output()}")
            time.sleep(0.005)
        ready = json.loads(self.ready_path.read_text())
        assert ready["pid"] == self.process.pid
        self.listen, self.admin = ready["listen"], ready["admin"]
        return self

    def signal(self, number: int):
        os.kill(self.process.pid, number)

    def wait(self, timeout: float = STOP_TIMEOUT) -> int:
        """Waits for the process to end; its exit code."""
        self.exit_code = self.process.wait(timeout)
        return self.exit_code

    def stop(self):
        """SIGTERM, and holds the program to what it must leave behind: nothing."""
        if self.process is None or self.exit_code is not None:
            return
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait()
            raise AssertionError(f"SIGTERM did not end it within {STOP_TIMEOUT} s\n{self.output()}")
        assert not SANITIZER_REPORT.search(self.stderr()), f"sanitizer report:\n{self.stderr()}"
        assert code == self.expected_exit, f"exit code {code}\n{self.output()}"
        left = processes_with(self.mark)
        assert not left, f"processes left behind: {left}"

    def kill(self):
        """kill -9, as the worst end."""
        self.process.kill()
        self.wait()

    def end_anyhow(self):
        """For clean-up after a test that has failed or stopped the program itself."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
            self.exit_code = self.process.returncode

    def stdout(self) -> str:
        return self.out_path.read_text(errors="replace")

    def stderr(self) -> str:
        return self.err_path.read_text(errors="replace")

    def said(self) -> str:
        """Everything it has written for people and logs."""
        return self.stdout() + self.stderr()

    def output(self, limit: int = 6000) -> str:
        return (f"--- stdout of the program\n{self.stdout()[-limit:]}\n"
                f"--- stderr of the program\n{self.stderr()[-limit:]}")

    def rss(self) -> int:
        """Resident bytes of the program (not of its children)."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", text).group(1)) * 1024

    # --- the data port

    @property
    def url(self) -> str:
        return f"http://{self.listen}"

    @property
    def base_url(self) -> str:
        return f"{self.url}/v1"

    def post(self, path: str, value: Any = None, *, key: str | None = KEY, headers: dict | None = None,
             content: bytes | None = None, timeout: float = 30) -> httpx.Response:
        body = content if content is not None else json.dumps(value).encode()
        fields = {"content-type": "application/json"}
        if key:
            fields["authorization"] = f"Bearer {key}"
        fields.update(headers or {})
        return plain_http("POST", self.url + path, content=body, headers=fields, timeout=timeout)

    def get(self, path: str, *, key: str | None = KEY, headers: dict | None = None) -> httpx.Response:
        fields = {"authorization": f"Bearer {key}"} if key else {}
        return plain_http("GET", self.url + path, headers={**fields, **(headers or {})})

    def chat(self, model: str, text: str = "hello", **more) -> httpx.Response:
        options = {k: more.pop(k) for k in ("key", "headers", "timeout") if k in more}
        return self.post("/v1/chat/completions", chat_body(model, text, **more), **options)

    def chat_stream(self, model: str, text: str = "hello", **more) -> "StreamedAnswer":
        """The whole stream read to its end, whatever that is."""
        options = {k: more.pop(k) for k in ("key", "headers", "timeout") if k in more}
        connection = self.raw(timeout=options.get("timeout", 30))
        connection.send(self.request_bytes(chat_body(model, text, stream=True, **more),
                                           key=options.get("key", KEY), headers=options.get("headers")))
        answer = connection.answer()
        connection.close()
        return StreamedAnswer(answer)

    def request_bytes(self, body: Any, *, path: str = "/v1/chat/completions", key: str | None = KEY,
                      headers: dict | None = None, method: str = "POST") -> bytes:
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        fields = {"Host": self.listen, "Content-Type": "application/json", "Content-Length": str(len(body))}
        if key:
            fields["Authorization"] = f"Bearer {key}"
        fields.update(headers or {})
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
        return head.encode("latin-1") + b"\r\n" + body

    def raw(self, timeout: float = 10) -> "Raw":
        return Raw(self.listen, timeout)

    # --- the admin port

    def admin_call(self, method: str, path: str, value: Any = None, *, key: str | None = ADMIN_KEY,
                   timeout: float = 30) -> httpx.Response:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return plain_http(method, f"http://{self.admin}{path}", json=value, headers=headers, timeout=timeout)

    def at_rest(self):
        """Waits until no exchange runs. Trace, metrics, the log's line and the place are done behind the last
        byte of an answer: who has read that byte may be sooner."""
        wait_until(lambda: self.admin_call("GET", "/api/status").json()["running_requests"] == 0,
                   "the end of all exchanges", timeout=20)

    def make_key(self, **fields) -> dict:
        """POST /api/keys: {"id", "key", ...}; "key" is the secret, shown only now."""
        answer = self.admin_call("POST", "/api/keys", {"name": f"k-{uuid.uuid4().hex[:8]}", **fields})
        assert answer.status_code in (200, 201), answer.text
        made = answer.json()
        assert made["id"] and made["key"], made
        return made

    def usage_rows(self) -> list[dict]:
        """GET /api/usage as a flat list: tenant, key, model, day, requests, input_tokens, ..."""
        answer = self.admin_call("GET", "/api/usage")
        assert answer.status_code == 200, answer.text
        return answer.json()["usage"]

    def usage_of(self, **match) -> dict | None:
        """The only row that fits, e.g. usage_of(model="echo"); None when there is none."""
        rows = [r for r in self.usage_rows() if all(r.get(k) == v for k, v in match.items())]
        assert len(rows) <= 1, rows
        return rows[0] if rows else None

    def metrics(self) -> "Metrics":
        answer = self.admin_call("GET", "/metrics")
        assert answer.status_code == 200, answer.text
        return Metrics(answer.text)

    def access_log(self) -> list[dict]:
        """All access-log lines so far: JSON objects with a request_id, one a line, on stdout."""
        lines = []
        for line in self.stdout().splitlines(keepends=True):
            # A line without its end is still being written: it is whole at the next look.
            if not line.startswith("{") or not line.endswith("\n"):
                continue
            value = json.loads(line)
            if "request_id" in value:
                lines.append(value)
        return lines

    def log_of(self, request_id: str, timeout: float = 15) -> dict:
        """The access-log line of one exchange; waits for it, and there must be exactly one."""
        found = wait_until(lambda: [x for x in self.access_log() if x["request_id"] == request_id],
                           f"access log of {request_id}", timeout)
        assert len(found) == 1, found
        return found[0]

    def cli(self, *args: str, input: str | None = None, env: dict | None = None,
            timeout: float = 30) -> subprocess.CompletedProcess:
        """A verb that works on this running gateway, found by its data folder."""
        return run(*args, "--data", str(self.data), input=input, env=env, timeout=timeout)


def chat_body(model: str, text: str = "hello", **more) -> dict:
    return {"model": model, "messages": [{"role": "user", "content": text}], **more}


def assert_error(answer, status: int | tuple[int, ...], code: str | None = None) -> dict:
    """An error answer in OpenAI's form: all four fields, an id, a text that helps; gives the error."""
    got = answer.status_code if isinstance(answer, httpx.Response) else answer.status
    allowed = (status,) if isinstance(status, int) else status
    body = answer.content if isinstance(answer, httpx.Response) else answer.body
    assert got in allowed, (got, body[:500])
    if isinstance(answer, httpx.Response):
        content_type, request_id = answer.headers.get("content-type"), answer.headers.get("x-request-id")
    else:
        content_type, request_id = answer.header("content-type"), answer.header("x-request-id")
    assert content_type and content_type.startswith("application/json"), content_type
    assert request_id, "no x-request-id"
    error = json.loads(body)["error"]
    assert {"message", "type", "param", "code"} <= set(error), error
    assert isinstance(error["message"], str) and len(error["message"]) > 5, error
    assert isinstance(error["type"], str) and error["type"], error
    assert UPSTREAM_KEY not in json.dumps(error)
    if code is not None:
        assert error["code"] == code, error
    return error
