"""A wire-true OpenAI-compatible upstream whose every byte a test decides.

It stands in for a paid API only. Plain answers follow the published formats (chat completions,
completions, embeddings, models, stream and not); faults are chosen by the model name of the request
(`SCENARIOS` at the end of this file), or by a handler that a test gives to `Fake.on()`. Nothing is
hidden behind an HTTP library: heads, chunk sizes and cuts are written here.

In a test:      fake = Fake().start(); ...; fake.stop()
As a program:   python3 tests/fake_upstream.py --port 0
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import gzip
import json
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Any, Awaitable, Callable

CREATED = 1_760_000_000
MODELS = ["echo", "org/deep/model", "text-embedding-fake"]


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


class Fake:
    """The upstream, on a loop of its own in a thread of its own."""

    def __init__(self):
        self._records: list[Record] = []
        self._lock = threading.Lock()
        self._handlers: dict[str, Handler] = {}
        self._open: set[Connection] = set()
        self._count = 0
        self.connections = 0
        self.failures: list[str] = []  # what went wrong here, not in what is tested

    def start(self, port: int = 0, host: str = "127.0.0.1") -> "Fake":
        ready = threading.Event()
        failure: list[BaseException] = []

        def run():
            self.loop = asyncio.new_event_loop()
            try:
                self.server = self.loop.run_until_complete(
                    self.loop.create_server(self._connect, host, port, backlog=1024))
                self.port = self.server.sockets[0].getsockname()[1]
            except BaseException as e:  # the starter raises it
                failure.append(e)
                ready.set()
                return
            ready.set()
            self.loop.run_forever()

        self.thread = threading.Thread(target=run, name="fake upstream", daemon=True)
        self.thread.start()
        ready.wait()
        if failure:
            raise failure[0]
        self.host = host
        return self

    def stop(self):
        def end():
            self.server.close()
            for connection in list(self._open):
                connection.task.cancel()
                connection.transport.abort()
            self.loop.call_later(0.05, self.loop.stop)

        self.loop.call_soon_threadsafe(end)
        self.thread.join(5)

    def stop_listening(self):
        """New connections are refused from now on, idle ones are closed."""
        done = threading.Event()

        def end():
            self.server.close()
            for connection in list(self._open):
                connection.transport.abort()
            done.set()

        self.loop.call_soon_threadsafe(end)
        done.wait(5)

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1"

    def on(self, model: str, handler: Handler):
        """Requests for this model go to `handler` from now on."""
        self._handlers[model] = handler

    def records(self, marker: str | None = None) -> list[Record]:
        """All requests so far, or those whose body holds `marker`."""
        with self._lock:
            found = list(self._records)
        return [r for r in found if marker is None or marker.encode() in r.body]

    def one(self, marker: str, timeout: float = 5) -> Record:
        """The only request whose body holds `marker`; waits for it to arrive."""
        end = time.monotonic() + timeout
        while True:
            found = self.records(marker)
            if found or time.monotonic() > end:
                assert len(found) == 1, f"{len(found)} upstream requests hold {marker!r}"
                return found[0]
            time.sleep(0.005)

    def _connect(self):
        self.connections += 1
        self._count += 1
        return Connection(self, self._count)

    def _add(self, record: Record):
        with self._lock:
            self._records.append(record)
            if len(self._records) > 20_000:
                del self._records[:10_000]

    async def _handle(self, answer: Answer):
        record = answer.record
        path = record.target.split("?")[0]
        if path == "/v1/models" and record.method == "GET":
            handler = self._handlers.get("GET /v1/models", list_models)
        else:
            try:
                model = answer.request["model"]
            except (ValueError, KeyError, TypeError):
                return await answer.json(400, openai_error("could not parse the body"))
            handler = self._handlers.get(model) or SCENARIOS.get(model) or by_path
        await handler(answer)


def openai_error(message: str, kind: str = "invalid_request_error", code=None, param=None) -> dict:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


# --- what a healthy provider answers ---------------------------------------------------------------


def words(value: Any) -> int:
    """A stand-in for a tokenizer: words in all texts."""
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, list):
        return sum(words(v) for v in value)
    if isinstance(value, dict):
        return words(value.get("content")) + words(value.get("text"))
    return 0


def last_user_text(body: dict) -> str:
    for message in reversed(body["messages"]):
        if message.get("role") == "user":
            content = message["content"]
            if isinstance(content, str):
                return content
            return " ".join(part.get("text", "") for part in content)
    return ""


def chat_usage(body: dict, output: int) -> dict:
    prompt = words(body["messages"])
    return {
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                                      "accepted_prediction_tokens": 0,
                                      "rejected_prediction_tokens": 0},
    }


def chat_message(body: dict) -> tuple[dict, str]:
    """The assistant's message and its finish reason."""
    tools = body.get("tools")
    if tools and body.get("tool_choice") != "none" and body["messages"][-1]["role"] != "tool":
        function = tools[0]["function"]
        call = {"id": "call_1", "type": "function",
                "function": {"name": function["name"], "arguments": '{"city": "Zürich \\"old\\""}'}}
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}, "tool_calls"
    text = "You said: " + last_user_text(body)
    if (body.get("response_format") or {}).get("type") in ("json_object", "json_schema"):
        text = json.dumps({"answer": text})
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    reason = "stop"
    if limit and limit < len(text.split()):
        text, reason = " ".join(text.split()[:limit]), "length"
    return {"role": "assistant", "content": text, "refusal": None}, reason


def chat_logprobs(text: str) -> dict:
    return {"content": [{"token": t, "logprob": -0.25, "bytes": list(t.encode()),
                         "top_logprobs": [{"token": t, "logprob": -0.25, "bytes": list(t.encode())}]}
                        for t in text.split()], "refusal": None}


def chat_completion(body: dict, with_usage: bool = True) -> dict:
    choices, output = [], 0
    for index in range(body.get("n") or 1):
        message, reason = chat_message(body)
        output += words(message["content"]) or 5
        choices.append({"index": index, "message": message,
                        "logprobs": chat_logprobs(message["content"]) if body.get("logprobs") else None,
                        "finish_reason": reason})
    answer = {"id": "chatcmpl-fake", "object": "chat.completion", "created": CREATED,
              "model": body["model"] + "-2026-01-01", "choices": choices}
    if with_usage:
        answer["usage"] = chat_usage(body, output)
    answer["service_tier"] = "default"
    answer["system_fingerprint"] = "fp_fake"
    return answer


def chat_chunks(body: dict, with_usage: bool = True) -> list[dict]:
    """The events of a stream, without [DONE]."""
    asked = bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(choices: list, **more) -> dict:
        base = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": CREATED,
                "model": body["model"] + "-2026-01-01", "service_tier": "default",
                "system_fingerprint": "fp_fake", "choices": choices}
        if asked:
            base["usage"] = None
        return {**base, **more, "obfuscation": "x7"}

    def choice(index: int, delta: dict, reason=None, logprobs=None) -> dict:
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}

    events, output = [], 0
    count = body.get("n") or 1
    messages = [chat_message(body) for _ in range(count)]
    for index, (message, _) in enumerate(messages):
        events.append(chunk([choice(index, {"role": "assistant", "content": "" if message["content"] else None,
                                            "refusal": None})]))
    for index, (message, _) in enumerate(messages):
        for call_index, call in enumerate(message.get("tool_calls", [])):
            output += 5
            arguments = call["function"]["arguments"]
            first = {"index": call_index, "id": call["id"], "type": "function",
                     "function": {"name": call["function"]["name"], "arguments": ""}}
            events.append(chunk([choice(index, {"tool_calls": [first]})]))
            for at in range(0, len(arguments), 4):
                piece = {"index": call_index, "function": {"arguments": arguments[at : at + 4]}}
                events.append(chunk([choice(index, {"tool_calls": [piece]})]))
        text = message["content"] or ""
        output += words(text)
        for at, word in enumerate(text.split(" ")):
            piece = word if at == 0 else " " + word
            events.append(chunk([choice(index, {"content": piece},
                                        logprobs=chat_logprobs(piece) if body.get("logprobs") else None)]))
    for index, (_, reason) in enumerate(messages):
        events.append(chunk([choice(index, {}, reason)]))
    if asked and with_usage:
        events.append(chunk([], usage=chat_usage(body, output)))
    return events


def events_bytes(events: list) -> bytes:
    """An SSE body as OpenAI writes it, [DONE] included."""
    return b"".join(f"data: {json.dumps(e)}\n\n".encode() for e in events) + b"data: [DONE]\n\n"


async def chat(answer: Answer, with_usage: bool = True, pause: float = 0.0):
    body = answer.request
    if not body.get("stream"):
        value = chat_completion(body, with_usage)
        answer.record.usage = value.get("usage")
        return await answer.json(200, value)
    await answer.stream_head()
    for event in chat_chunks(body, with_usage):
        answer.record.usage = event.get("usage") or answer.record.usage
        await answer.event(event)
        if pause:
            await answer.sleep(pause)
    await answer.event("[DONE]")
    await answer.last_chunk()


async def completions(answer: Answer):
    body = answer.request
    prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
    text = f" and then{body.get('suffix') or ''}"
    output = len(prompts) * len(text.split())
    usage = {"prompt_tokens": words(prompts), "completion_tokens": output,
             "total_tokens": words(prompts) + output}
    base = {"id": "cmpl-fake", "object": "text_completion", "created": CREATED, "model": body["model"]}

    def choices(piece, reason):
        return [{"text": (p if body.get("echo") else "") + piece, "index": i, "logprobs": None,
                 "finish_reason": reason} for i, p in enumerate(prompts)]

    answer.record.usage = usage
    if not body.get("stream"):
        return await answer.json(200, {**base, "choices": choices(text, "stop"), "usage": usage})
    asked = bool((body.get("stream_options") or {}).get("include_usage"))
    null = {"usage": None} if asked else {}
    await answer.stream_head()
    for word in text.split(" "):
        await answer.event({**base, "choices": choices(" " + word, None), **null})
    await answer.event({**base, "choices": choices("", "stop"), **null})
    if asked:
        await answer.event({**base, "choices": [], "usage": usage})
    await answer.event("[DONE]")
    await answer.last_chunk()


def vector(seed: int, dimensions: int) -> list[float]:
    return [((seed * 31 + i * 7) % 17 - 8) / 16 for i in range(dimensions)]


async def embeddings(answer: Answer):
    body = answer.request
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    if inputs and isinstance(inputs[0], int):
        inputs = [inputs]
    dimensions = body.get("dimensions") or 8
    data = []
    for index, _ in enumerate(inputs):
        value: Any = vector(index + 1, dimensions)
        if body.get("encoding_format") == "base64":
            value = base64.b64encode(struct.pack(f"<{dimensions}f", *value)).decode()
        data.append({"object": "embedding", "index": index, "embedding": value})
    tokens = sum(len(i) if isinstance(i, list) else len(i.split()) for i in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    answer.record.usage = usage
    await answer.json(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})


async def list_models(answer: Answer):
    await answer.json(200, {"object": "list", "data": [
        {"id": m, "object": "model", "created": CREATED, "owned_by": "fake"} for m in MODELS]})


async def by_path(answer: Answer):
    path = answer.record.target.split("?")[0]
    handler = {"/v1/chat/completions": chat, "/v1/completions": completions,
               "/v1/embeddings": embeddings}.get(path)
    if handler is None or answer.record.method != "POST":
        return await answer.json(404, openai_error(f"Unknown request URL: {path}"))
    await handler(answer)


# --- faults ---------------------------------------------------------------------------------------

CUT_TEXT = "one two three"  # the content that a stream has carried when it is cut


def delta(content: str | None, reason: str | None = None, **more) -> dict:
    return {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": CREATED,
            "model": "fault", "choices": [{"index": 0, "delta": {} if content is None else {"content": content},
                                           "finish_reason": reason}], **more}


async def three_words(answer: Answer):
    await answer.stream_head()
    await answer.event({**delta(""), "choices": [{"index": 0, "delta": {"role": "assistant", "content": ""},
                                                  "finish_reason": None}]})
    for piece in ("one", " two", " three"):
        await answer.event(delta(piece))


async def slow_first_byte(answer: Answer):
    await answer.sleep(1.5)
    await by_path(answer)


async def slow_stream(answer: Answer):
    await chat(answer, pause=0.05)


async def dribble_bytes(answer: Answer):
    """A correct answer, every byte of it (framing too) in a write of its own."""
    body = answer.request
    if body.get("stream"):
        payload = events_bytes(chat_chunks(body))
        raw = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
               + b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in
                          (payload[i : i + 37] for i in range(0, len(payload), 37))) + b"0\r\n\r\n")
    else:
        payload = json.dumps(chat_completion(body)).encode()
        raw = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
               % (len(payload), payload))
    for at in range(len(raw)):
        await answer.write(raw[at : at + 1])
        await asyncio.sleep(0)


async def dribble_chunks(answer: Answer):
    """A correct stream, every byte of it in an HTTP chunk of its own."""
    await answer.stream_head()
    for byte in events_bytes(chat_chunks(answer.request)):
        await answer.chunk(bytes([byte]))
        await asyncio.sleep(0)
    await answer.last_chunk()


async def one_write(answer: Answer):
    """The whole stream in one chunk."""
    payload = events_bytes(chat_chunks(answer.request))
    await answer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked"
                       b"\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(payload), payload))


async def sse_crlf(answer: Answer):
    """CRLF line ends, comments, event and id lines, no space behind the colon: all legal SSE."""
    await answer.stream_head()
    await answer.chunk(b": welcome\r\n\r\n")
    for event in chat_chunks(answer.request):
        await answer.chunk(b"event: message\r\nid: 1\r\ndata:" + json.dumps(event).encode() + b"\r\n\r\n")
    await answer.chunk(b"data: [DONE]\r\n\r\n")
    await answer.last_chunk()


async def until_close(answer: Answer):
    """HTTP/1.1 with neither length nor chunks: the body ends with the connection."""
    await answer.head(200, {"Content-Type": "text/event-stream", "Connection": "close"})
    await answer.write(events_bytes(chat_chunks(answer.request)))
    answer.close()


async def continue_first(answer: Answer):
    await answer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    await by_path(answer)


async def cut_mid_stream(answer: Answer):
    """Between two chunks."""
    await three_words(answer)
    answer.close()


async def cut_mid_chunk(answer: Answer):
    await three_words(answer)
    await answer.write(b"100\r\ndata: {\"id\":\"chatcmpl-fake\",\"obj")
    answer.close()


async def reset_mid_stream(answer: Answer):
    await three_words(answer)
    await answer.sleep(0.1)
    answer.reset()


async def ended_early(answer: Answer):
    """HTTP says that it ended well, the events say that it did not: no finish reason, no [DONE]."""
    await three_words(answer)
    await answer.last_chunk()


async def missing_done(answer: Answer):
    """Complete but for the [DONE]."""
    await three_words(answer)
    await answer.event(delta(None, "stop"))
    await answer.last_chunk()


async def cut_body(answer: Answer):
    payload = json.dumps(chat_completion(answer.request)).encode()
    await answer.head(200, {"Content-Type": "application/json", "Content-Length": len(payload)})
    await answer.write(payload[: len(payload) // 2])
    answer.close()


async def half_closed(answer: Answer):
    """Half of a body, then FIN, and the socket stays open for reading."""
    payload = json.dumps(chat_completion(answer.request)).encode()
    await answer.head(200, {"Content-Type": "application/json", "Content-Length": len(payload)})
    await answer.write(payload[: len(payload) // 2])
    answer.half_close()
    await answer.sleep(5)


def status(code: int, body: dict, headers: dict | None = None) -> Handler:
    async def handler(answer: Answer):
        await answer.json(code, body, headers)
    return handler


async def garbage(answer: Answer):
    await answer.write(b"\x16\x03\x01 this is not HTTP at all\r\n\r\n")
    answer.close()


async def not_json(answer: Answer):
    await answer.body(200, b"<html><body>It works! secret-of-the-provider</body></html>", "text/html")


async def bad_json(answer: Answer):
    await answer.body(200, b'{"id": "chatcmpl-fake", "choices": [{"index": 0, "message": ')


async def bad_event(answer: Answer):
    await three_words(answer)
    await answer.event('{"id": "chatcmpl-fake", "choices": [')
    await answer.event("[DONE]")
    await answer.last_chunk()


async def no_answer(answer: Answer):
    answer.close()


async def reset(answer: Answer):
    answer.reset()


async def never(answer: Answer):
    await answer.sleep(60)
    answer.close()


async def head_then_never(answer: Answer):
    await answer.stream_head()
    await answer.sleep(60)
    answer.close()


async def words_then_never(answer: Answer):
    await three_words(answer)
    await answer.sleep(60)
    answer.close()


HUGE = 100 * 1024 * 1024


async def huge(answer: Answer):
    """100 MB of JSON with a length."""
    start, end = b'{"choices":[{"index":0,"message":{"role":"assistant","content":"', b'"}}]}'
    await answer.head(200, {"Content-Type": "application/json",
                            "Content-Length": HUGE + len(start) + len(end)})
    await answer.write(start)
    piece = b"a" * (1 << 16)
    for _ in range(HUGE // len(piece)):
        await answer.write(piece)
    await answer.write(end)


async def gzipped(answer: Answer):
    payload = gzip.compress(json.dumps(chat_completion(answer.request)).encode())
    await answer.body(200, payload, headers={"content-encoding": "gzip"})


async def error_event(answer: Answer):
    """An error in the stream after some content, as OpenAI sends it."""
    await three_words(answer)
    await answer.event(openai_error("The server had an error while processing your request.", "server_error"))
    await answer.last_chunk()


async def error_first(answer: Answer):
    """200, then the first event is an error: nothing has gone out yet."""
    await answer.stream_head()
    await answer.event(openai_error("Overloaded.", "server_error", "overloaded"))
    await answer.last_chunk()


async def no_usage(answer: Answer):
    await chat(answer, with_usage=False)


async def silence(answer: Answer):
    """Silent before the first byte and again in the middle."""
    await answer.sleep(1.2)
    await three_words(answer)
    await answer.sleep(1.2)
    await answer.event(delta(" four"))
    await answer.event(delta(None, "stop"))
    await answer.event("[DONE]")
    await answer.last_chunk()


async def endless(answer: Answer):
    """A word every 20 ms until the peer hangs up."""
    await answer.stream_head()
    while True:
        await answer.event(delta("word "))
        await answer.sleep(0.02)


async def flood(answer: Answer):
    """Events as fast as the peer takes them, 256 MB at most."""
    await answer.stream_head()
    event = b"data: " + json.dumps(delta("x" * 4000)).encode() + b"\n\n"
    framed = b"%x\r\n%s\r\n" % (len(event), event)
    for _ in range((256 << 20) // len(framed)):
        await answer.write(framed)
    await answer.event(delta(None, "stop"))
    await answer.event("[DONE]")
    await answer.last_chunk()


# Legal JSON with everything that a re-serialiser would change: key order, blanks, escapes, numbers
# beyond 2^53, an unknown field, an exponent, raw UTF-8.
ODD_JSON = (
    '{ "zz_unknown" : {"b":1,"a":[ 1 ,2.50, 1e3, 12345678901234567890 ]},\n\t"id":"chatcmpl-odd",'
    '"object":"chat.completion","created":1760000000,"model":"odd","choices":[ {"index":0,'
    '"message":{"role":"assistant","content":"caf\\u00e9 \\/ caf\u00e9 \U0001f600 \\ud83d\\ude00"},'
    '"finish_reason":"stop"} ],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7} } \n'
).encode()


async def odd_json(answer: Answer):
    answer.record.usage = json.loads(ODD_JSON)["usage"]
    await answer.body(200, ODD_JSON)


ODD_EVENTS = [
    b'data: {"object":"chat.completion.chunk", "id":"odd","choices":[{"delta":{"role":"assistant","content":""},"index":0}]}\n\n',
    b'data:  {"choices":[{"index":0,"delta":{"content":"caf\\u00e9 \xc3\xa9 \\/"}}],"zz":[1,2.50,12345678901234567890]}\n\n',
    b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n',
    b"data: [DONE]\n\n",
]


async def odd_events(answer: Answer):
    await answer.stream_head()
    for event in ODD_EVENTS:
        await answer.chunk(event)
    await answer.last_chunk()


async def one_more_header(answer: Answer):
    """Header injection in a field that is passed on, if any is."""
    await answer.json(200, chat_completion(answer.request), {"x-evil": "1", "x-causeway-model": "forged"})


RATE = openai_error("Rate limit reached for requests", "requests", "rate_limit_exceeded")
QUOTA = openai_error("You exceeded your current quota", "insufficient_quota", "insufficient_quota")

SCENARIOS: dict[str, Handler] = {
    "slow-first-byte": slow_first_byte,
    "slow-stream": slow_stream,
    "dribble-bytes": dribble_bytes,
    "dribble-chunks": dribble_chunks,
    "one-write": one_write,
    "sse-crlf": sse_crlf,
    "until-close": until_close,
    "continue-first": continue_first,
    "cut-mid-stream": cut_mid_stream,
    "cut-mid-chunk": cut_mid_chunk,
    "reset-mid-stream": reset_mid_stream,
    "ended-early": ended_early,
    "missing-done": missing_done,
    "cut-body": cut_body,
    "half-closed": half_closed,
    "s400": status(400, openai_error("Invalid value: 'temperature'", code="invalid_value", param="temperature")),
    "s400-context": status(400, openai_error("This model's maximum context length is 8192 tokens.",
                                             code="context_length_exceeded", param="messages")),
    "s401": status(401, openai_error("Incorrect API key provided: sk-upst****cret", code="invalid_api_key")),
    "s403": status(403, openai_error("Project does not have access", code="model_not_found")),
    "s404": status(404, openai_error("The model does not exist", code="model_not_found")),
    "s422": status(422, openai_error("Unprocessable")),
    "s429": status(429, RATE, {"retry-after": "7"}),
    "s429-ms": status(429, RATE, {"retry-after-ms": "1500"}),
    "s429-quota": status(429, QUOTA),
    "s500": status(500, openai_error("The server had an error", "server_error")),
    "s503": status(503, openai_error("The engine is overloaded", "server_error"), {"retry-after": "3"}),
    "s529": status(529, openai_error("Overloaded", "overloaded_error")),
    "s302": status(302, {}, {"location": "http://127.0.0.1:9/elsewhere"}),
    "garbage": garbage,
    "not-json": not_json,
    "bad-json": bad_json,
    "bad-event": bad_event,
    "no-answer": no_answer,
    "reset": reset,
    "never": never,
    "head-then-never": head_then_never,
    "words-then-never": words_then_never,
    "huge": huge,
    "gzipped": gzipped,
    "error-event": error_event,
    "error-first": error_first,
    "no-usage": no_usage,
    "silence": silence,
    "endless": endless,
    "flood": flood,
    "odd-json": odd_json,
    "odd-events": odd_events,
    "one-more-header": one_more_header,
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    args = parser.parse_args()
    fake = Fake().start(args.port)
    print(f"{fake.base_url}", flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        fake.stop()


if __name__ == "__main__":
    main()
