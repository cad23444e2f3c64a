"""The soak's callers: raw HTTP over many connections, a mix of everything, times kept by window.

python3 soak_load.py ADDRESS KEY REQUESTS WINDOWS   (a process of its own; one JSON line per window on stdout)
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time

CONNECTIONS = 24
LEAVES = 0.05  # of the streams, by callers who go in the middle of it

MIX = [  # share, name, model, stream, statuses
    (40, "whole", "mock/gpt-4o-mini", False, {200}),
    (34, "stream", "mock/gpt-4o-mini", True, {200}),
    (5, "stream of the fake", "fake/echo", True, {200}),
    (4, "models", None, False, {200}),
    (4, "no such model", "no-such", False, {404}),
    (3, "wrong key", "mock/gpt-4o-mini", False, {401}),
    (3, "no JSON", "", False, {400}),
    (2, "rate limited", "fake/s429", False, {429}),
    (2, "provider fails", "fake/s500", False, {502, 503}),
    (1, "cut in a chunk", "fake/cut-mid-chunk-at-once", True, {200, 502}),
    (1, "reset", "fake/reset", False, {502}),
]
TIMED = "whole"  # whose p99 is looked at: the others have times of their provider's


class Left(Exception):
    """This caller went away on purpose."""


class Load:
    def __init__(self, address: str, key: str, requests: int, windows: int, engine: bool):
        host, port = address.rsplit(":", 1)
        self.host, self.port, self.address = host, int(port), address
        self.left, self.per_window = requests, requests // windows
        self.done, self.times, self.odd, self.counts = 0, [], [], {}
        self.began = time.monotonic()
        self.kinds, shares = [], []
        embedded = [(0.05, "embedded", "local/default", True, {200, 429, 503})] if engine else []
        for share, name, model, stream, statuses in MIX + embedded:
            self.kinds.append((name, stream, statuses, self.request(name, model, stream, key)))
            shares.append(share)
        self.shares = shares

    def request(self, name: str, model: str | None, stream: bool, key: str) -> bytes:
        if name == "wrong key":
            key = "sk-wrong-0123456789abcdef"
        value = {"model": model, "stream": stream, "messages": [{"role": "user", "content": "a few words for it"}]}
        if name == "embedded":
            value["max_tokens"] = 4
        body = b"" if model is None else b'{"model": ' if model == "" else json.dumps(value).encode()
        head = (f"{'GET /v1/models' if model is None else 'POST /v1/chat/completions'} HTTP/1.1\r\nHost: {self.address}"
                f"\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n")
        return head.encode() + body

    async def run(self):
        await asyncio.gather(*(self.caller() for _ in range(CONNECTIONS)))

    async def caller(self):
        connection = None
        while self.left > 0:
            self.left -= 1
            if connection is None:
                connection = await asyncio.open_connection(self.host, self.port)
            name, stream, statuses, request = random.choices(self.kinds, self.shares)[0]
            start = time.monotonic()
            keep = False
            try:
                connection[1].write(request)
                status, keep = await self.answer(connection[0], stream and random.random() < LEAVES)
                if status not in statuses:
                    self.odd.append((name, status))
                if name == TIMED:
                    self.times.append(time.monotonic() - start)
            except Left:
                name = "left"
            except (OSError, asyncio.IncompleteReadError) as problem:
                self.odd.append((name, repr(problem)))
            if not keep:
                connection[1].transport.abort()
                connection = None
            self.counts[name] = self.counts.get(name, 0) + 1
            self.done += 1
            if self.done % self.per_window == 0:
                self.tell()
        if connection:
            connection[1].close()

    async def answer(self, reader, leave: bool) -> tuple[int, bool]:
        head = await reader.readuntil(b"\r\n\r\n")
        status, fields = int(head[9:12]), head.lower()
        keep = b"connection: close" not in fields
        if b"transfer-encoding: chunked" in fields:
            while size := int(await reader.readuntil(b"\r\n"), 16):
                await reader.readexactly(size + 2)
                if leave:
                    raise Left
            await reader.readexactly(2)
        else:
            at = fields.index(b"content-length:") + 15
            await reader.readexactly(int(fields[at:fields.index(b"\r", at)]))
        return status, keep

    def tell(self):
        times = sorted(self.times)
        now = time.monotonic()
        print(json.dumps({"done": self.done, "seconds": now - self.began, "p50": times[len(times) // 2],
                          "p99": times[len(times) * 99 // 100], "odd": self.odd[:5], "counts": self.counts}), flush=True)
        self.times, self.began = [], now


if __name__ == "__main__":
    asyncio.run(Load(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), "engine" in sys.argv[5:]).run())
