"""HTTP as it stands on the wire, for tests that a client library would be too tidy for; and the forms
of what is read: SSE streams, Prometheus pages."""

from __future__ import annotations

import json
import re
import socket
import time
from typing import Any, Iterator


class Answer:
    """An HTTP answer as it stood on the wire."""

    def __init__(self, head: bytes, body: bytes, chunks: list[bytes] | None, complete: bool):
        self.raw_head, self.body, self.chunks, self.complete = head, body, chunks, complete
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]

    def header(self, name: str) -> str | None:
        found = [v for k, v in self.fields if k.lower() == name.lower()]
        return found[0] if found else None

    def json(self) -> Any:
        return json.loads(self.body)


class Closed(Exception):
    """The other side closed before the expected bytes had come."""


class Raw:
    """A socket on which a test decides every byte."""

    def __init__(self, address: str, timeout: float = 10):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, data: bytes):
        self.socket.sendall(data)

    def send_slowly(self, data: bytes, pause: float = 0.0):
        """Byte by byte; stops when the other side has closed."""
        for at in range(len(data)):
            try:
                self.socket.send(data[at : at + 1])
            except (BrokenPipeError, ConnectionResetError):
                return
            if pause:
                time.sleep(pause)

    def half_close(self):
        self.socket.shutdown(socket.SHUT_WR)

    def close(self):
        self.socket.close()

    def reset(self):
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self.socket.close()

    def _more(self):
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            data = b""
        if not data:
            raise Closed(self.buffer)
        self.buffer += data

    def read_until(self, mark: bytes) -> bytes:
        while mark not in self.buffer:
            self._more()
        end = self.buffer.index(mark) + len(mark)
        out, self.buffer = self.buffer[:end], self.buffer[end:]
        return out

    def read_exactly(self, count: int) -> bytes:
        while len(self.buffer) < count:
            self._more()
        out, self.buffer = self.buffer[:count], self.buffer[count:]
        return out

    def read_all(self) -> bytes:
        """Everything up to the close."""
        try:
            while True:
                self._more()
        except Closed:
            out, self.buffer = self.buffer, b""
            return out

    def closed_within(self, seconds: float) -> bool:
        """Whether the other side closes within this time (sending nothing more)."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False

    def head(self) -> bytes:
        head = self.read_until(b"\r\n\r\n")
        while head.split(b" ", 2)[1] == b"100":
            head = self.read_until(b"\r\n\r\n")
        return head[:-2]

    def answer(self, method: str = "POST") -> Answer:
        """One whole answer; `complete` is false when the connection ended inside its body."""
        head = self.head()
        probe = Answer(head, b"", None, True)
        body, chunks, complete = b"", None, True
        try:
            if method == "HEAD":
                pass
            elif (probe.header("transfer-encoding") or "").lower() == "chunked":
                chunks = []
                while True:
                    size = int(self.read_until(b"\r\n"), 16)
                    if size == 0:
                        assert self.read_exactly(2) == b"\r\n"
                        break
                    chunks.append(self.read_exactly(size))
                    assert self.read_exactly(2) == b"\r\n"
            elif (length := probe.header("content-length")) is not None:
                body = self.read_exactly(int(length))
            else:
                body = self.read_all()
        except Closed:
            complete = False
        return Answer(head, b"".join(chunks) if chunks is not None else body, chunks, complete)

    def pieces(self) -> Iterator[bytes]:
        """The chunks of a chunked answer as they come, after head()."""
        while True:
            size = int(self.read_until(b"\r\n"), 16)
            data = self.read_exactly(size)
            self.read_exactly(2)
            if size == 0:
                return
            yield data


def parse_sse(body: bytes) -> list[str]:
    """The data of each event, as a browser would see it."""
    events = []
    for block in re.split(rb"\r?\n\r?\n", body):
        data = [line[5:].removeprefix(b" ") for line in re.split(rb"\r?\n", block)
                if line.startswith(b"data:")]
        if data:
            events.append(b"\n".join(data).decode())
    return events


class StreamedAnswer:
    """A chat stream: what a client makes of it."""

    def __init__(self, answer: Answer):
        self.answer, self.status, self.complete = answer, answer.status, answer.complete
        self.raw = answer.body
        self.data = parse_sse(answer.body) if answer.status == 200 else []
        self.done = bool(self.data) and self.data[-1] == "[DONE]"
        self.events = [json.loads(d) for d in self.data if d != "[DONE]"]
        self.errors = [e["error"] for e in self.events if "error" in e]
        self.comments = re.findall(rb"^:.*$", answer.body, re.MULTILINE) if answer.status == 200 else []

    def header(self, name: str) -> str | None:
        return self.answer.header(name)

    @property
    def text(self) -> str:
        return "".join(c.get("delta", {}).get("content") or "" for e in self.events
                       for c in e.get("choices", []))

    @property
    def finish_reasons(self) -> list[str]:
        return [c["finish_reason"] for e in self.events for c in e.get("choices", []) if c.get("finish_reason")]

    @property
    def usages(self) -> list[dict]:
        return [e["usage"] for e in self.events if e.get("usage")]


class Metrics:
    """The text of a /metrics page."""

    def __init__(self, text: str):
        self.text = text
        self.samples: list[tuple[str, dict[str, str], float]] = []
        for line in text.splitlines():
            if not line or line.startswith("#"):
                continue
            match = re.fullmatch(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)(?: \d+)?(?: #.*)?", line)
            assert match, f"not a Prometheus line: {line!r}"
            labels = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', match[2] or ""))
            self.samples.append((match[1], labels, float(match[3])))

    def names(self) -> set[str]:
        return {name for name, _, _ in self.samples}

    def value(self, name: str, **labels: str) -> float:
        """The sum over all series that carry these labels; 0 when there is none."""
        return sum(v for n, ls, v in self.samples
                   if n == name and all(ls.get(k) == w for k, w in labels.items()))

    def label_values(self, label: str) -> set[str]:
        return {ls[label] for _, ls, _ in self.samples if label in ls}
