"""A model server of its own process: works on so many requests at once, the others wait in line without bound.

Prints its port. `GET /counts` tells what it has done; between `GET /hold` and `GET /go` no answer is given.
"""

import asyncio
import collections
import json
import random
import sys
import time

ANSWER = {"id": "x", "object": "chat.completion", "created": 1, "model": "slots",
          "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Done."}}],
          "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}}


class Server:
    def __init__(self, capacity: int, service: float):
        self.capacity, self.service = capacity, service
        self.busy = self.most = self.done = 0
        self.busy_seconds, self.changed = 0.0, time.monotonic()  # of all places together
        self.line: collections.deque[asyncio.Future] = collections.deque()
        self.going = asyncio.Event()
        self.going.set()

    def count(self, more: int):
        now = time.monotonic()
        self.busy_seconds += self.busy * (now - self.changed)
        self.busy, self.changed = self.busy + more, now

    async def work(self):
        if self.busy < self.capacity:
            self.count(1)
        else:
            self.line.append(asyncio.get_running_loop().create_future())
            await self.line[-1]  # the place of one that has ended
        self.most = max(self.most, self.busy)
        await asyncio.sleep(self.service * random.uniform(0.9, 1.1))
        await self.going.wait()
        self.done += 1
        if self.line:
            self.line.popleft().set_result(None)
        else:
            self.count(-1)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter):
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                length = next((int(line.split(":")[1]) for line in head.split("\r\n")
                               if line.lower().startswith("content-length:")), 0)
                await reader.readexactly(length)
                target, status = head.split(" ")[1], "200 OK"
                if target == "/counts":
                    self.count(0)
                    answer = {"busy_seconds": self.busy_seconds, "done": self.done, "busy": self.busy, "most": self.most, "line": len(self.line)}
                elif target in ("/hold", "/go"):
                    (self.going.set if target == "/go" else self.going.clear)()
                    answer = {}
                elif target == "/v1/chat/completions":
                    await self.work()
                    answer = ANSWER
                else:
                    answer, status = {"error": {"message": "There is no such thing."}}, "404 Not Found"
                body = json.dumps(answer).encode()
                writer.write(b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                             % (status.encode(), len(body)) + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    random.seed(1)
    server = Server(int(sys.argv[1]), float(sys.argv[2]))
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, backlog=2000)
    print(listening.sockets[0].getsockname()[1], flush=True)
    await listening.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
