"""The fake upstream's connections: requests as they arrived, answers byte by byte."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Awaitable, Callable

if TYPE_CHECKING:
    from fake_upstream import Fake


LARGE_TEXT = 4 << 20  # bytes of text in what is to be too much


class PeerGone(Exception):
    """The other side closed while an answer was being written."""


@dataclass
class Record:
    """One request as it arrived, and what became of it. Times are time.monotonic() seconds."""

    connection: int
    method: str
    target: str
    headers: list[tuple[str, str]]
    raw_head: bytes
    body: bytes
    at: float
    usage: dict | None = None  # what the answer reported
    sent: int = 0  # bytes of the answer given to the socket's buffer and drained
    finished_at: float | None = None  # the handler came to its own end
    peer_closed_at: float | None = None  # the peer closed before that
    finished: threading.Event = field(default_factory=threading.Event)
    peer_closed: threading.Event = field(default_factory=threading.Event)

    def header(self, name: str) -> str | None:
        found = [v for k, v in self.headers if k.lower() == name.lower()]
        return found[0] if found else None

    def all(self, name: str) -> list[str]:
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Connection(asyncio.Protocol):
    """One TCP connection: requests in, bytes out. Notices the peer's close at any time."""

    def __init__(self, fake: "Fake", number: int):
        self.fake, self.number = fake, number
        self.buffer = bytearray()
        self.changed = asyncio.Event()
        self.eof = False
        self.writable = asyncio.Event()
        self.writable.set()
        self.record: Record | None = None
        self.closing = False

    def connection_made(self, transport):
        self.transport = transport
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.task = asyncio.ensure_future(self.serve())
        self.fake._open.add(self)

    def data_received(self, data):
        self.buffer += data
        self.changed.set()

    def eof_received(self):
        self._gone()
        return True  # our side stays open until the handler is done

    def connection_lost(self, exc):
        self._gone()
        self.fake._open.discard(self)

    def pause_writing(self):
        self.writable.clear()

    def resume_writing(self):
        self.writable.set()

    def _gone(self):
        self.eof = True
        self.changed.set()
        self.writable.set()
        record = self.record
        if record and record.finished_at is None and record.peer_closed_at is None and not self.closing:
            record.peer_closed_at = time.monotonic()
            record.peer_closed.set()

    async def _until(self, ready: Callable[[], Any]):
        while not ready():
            if self.eof:
                return False
            self.changed.clear()
            await self.changed.wait()
        return True

    async def serve(self):
        try:
            while await self._one():
                pass
        except PeerGone:
            pass
        except Exception as problem:  # a fault of a handler, or a request that is none
            self.fake.failures.append(f"{self.record and self.record.target}: {problem!r}")
        finally:
            self.transport.close()

    async def _one(self) -> bool:
        if not await self._until(lambda: b"\r\n\r\n" in self.buffer):
            return False
        at = time.monotonic()
        end = self.buffer.index(b"\r\n\r\n") + 4
        raw = bytes(self.buffer[:end])
        del self.buffer[:end]
        lines = raw.decode("latin-1").split("\r\n")
        method, target, _ = lines[0].split(" ", 2)
        headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]
        length = next((int(v) for k, v in headers if k.lower() == "content-length"), 0)
        if any(k.lower() == "transfer-encoding" for k, v in headers):
            body = await self._chunked()
        else:
            if not await self._until(lambda: len(self.buffer) >= length):
                return False
            body = bytes(self.buffer[:length])
            del self.buffer[:length]
        record = Record(self.number, method, target, headers, raw, body, at)
        self.record = record
        self.fake._add(record)
        answer = Answer(self, record)
        try:
            await self.fake._handle(answer)
            if not answer.closed:
                await self.drain()
        except PeerGone:
            self._gone()  # a write may hear of it before the event loop does
            return False
        finally:
            record.finished_at = time.monotonic()
            record.finished.set()
        return not answer.closed and not self.eof

    async def _chunked(self) -> bytes:
        body = b""
        while True:
            if not await self._until(lambda: b"\r\n" in self.buffer):
                raise PeerGone
            size = int(self.buffer[: self.buffer.index(b"\r\n")], 16)
            start = self.buffer.index(b"\r\n") + 2
            if not await self._until(lambda: len(self.buffer) >= start + size + 2):
                raise PeerGone
            body += self.buffer[start : start + size]
            del self.buffer[: start + size + 2]
            if size == 0:
                return body

    async def drain(self):
        await self.writable.wait()
        if self.eof and self.transport.is_closing():
            raise PeerGone


class Answer:
    """What a handler writes with. Every method puts exactly these bytes on the wire."""

    def __init__(self, connection: Connection, record: Record):
        self.connection, self.record = connection, record
        self.closed = False

    @property
    def request(self) -> Any:
        return self.record.json

    @property
    def peer_gone(self) -> bool:
        return self.connection.eof

    async def write(self, data: bytes):
        if self.connection.transport.is_closing():
            raise PeerGone
        self.connection.transport.write(data)
        await self.connection.drain()
        self.record.sent += len(data)

    async def write_large(self, data: bytes):
        """Without a second copy of it waiting for the peer."""
        for at in range(0, len(data), 256 << 10):
            await self.write(data[at : at + (256 << 10)])

    async def head(self, status: int = 200, headers: dict | list = (), reason: str = "X",
                   version: str = "HTTP/1.1"):
        fields = headers.items() if isinstance(headers, dict) else headers
        text = f"{version} {status} {reason}\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields)
        await self.write(text.encode("latin-1") + b"\r\n")

    async def body(self, status: int, body: bytes, content_type: str = "application/json",
                   headers: dict | None = None):
        """Head and body in one write, as a server would."""
        fields = {"content-type": content_type, **PROVIDER_HEADERS,
                  "content-length": len(body), **(headers or {})}
        text = f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields.items())
        await self.write(text.encode("latin-1") + b"\r\n" + body)

    async def json(self, status: int, value: Any, headers: dict | None = None):
        await self.body(status, json.dumps(value).encode(), headers=headers)

    async def stream_head(self, headers: dict | None = None):
        await self.head(200, {"content-type": "text/event-stream; charset=utf-8",
                              "transfer-encoding": "chunked", **PROVIDER_HEADERS, **(headers or {})})

    async def chunk(self, data: bytes):
        await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def last_chunk(self):
        await self.write(b"0\r\n\r\n")

    async def event(self, value: Any):
        text = value if isinstance(value, str) else json.dumps(value)
        await self.chunk(f"data: {text}\n\n".encode())

    async def sleep(self, seconds: float):
        """Waits; ends early (and raises) when the peer goes away."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.connection.eof:
                raise PeerGone
            await asyncio.sleep(min(0.02, end - time.monotonic() + 0.001))

    def close(self):
        self.closed = self.connection.closing = True
        self.connection.transport.close()

    def half_close(self):
        self.connection.transport.write_eof()

    def reset(self):
        """RST instead of FIN."""
        self.closed = self.connection.closing = True
        sock = self.connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.transport.abort()


# What real providers send beside the body. Nothing of it but the content type concerns the client.
PROVIDER_HEADERS = {
    "x-request-id": "req_of_the_provider",
    "openai-processing-ms": "12",
    "openai-organization": "org-of-the-operator",
    "x-ratelimit-limit-requests": "10000",
    "x-ratelimit-remaining-requests": "9999",
    "set-cookie": "__cf_bm=secret; path=/; HttpOnly",
    "server": "fake",
}

Handler = Callable[[Answer], Awaitable[None]]
