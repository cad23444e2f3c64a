"""Stands in for a model in the cloud, and keeps every byte that it receives. `cloud.py RECORDING` prints its address."""

from __future__ import annotations

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

recording = open(sys.argv[1], "ab", buffering=0)  # noqa: SIM115  (as long as the program)
ANSWER = "That is a general question."


class Kept:
    """A connection's bytes, written down as they are read."""

    def __init__(self, connection):
        self.connection = connection

    def __getattr__(self, name):
        return getattr(self.connection, name)

    def keep(self, data: bytes) -> bytes:
        recording.write(data)
        return data

    def readline(self, *limit) -> bytes:
        return self.keep(self.connection.readline(*limit))

    def read(self, *limit) -> bytes:
        return self.keep(self.connection.read(*limit))


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.rfile = Kept(self.rfile)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        base = {"id": "chatcmpl-1", "created": 1, "model": asked["model"]}
        usage = {"prompt_tokens": 20, "completion_tokens": 6, "total_tokens": 26}
        if not asked.get("stream"):
            return self.send("application/json", json.dumps({
                **base, "object": "chat.completion", "usage": usage, "choices": [
                    {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": ANSWER}}]}).encode())
        base["object"] = "chat.completion.chunk"
        events = [{**base, "choices": [{"index": 0, "finish_reason": None, "delta": {"content": word + " "}}]}
                  for word in ANSWER.split()]
        events.append({**base, "choices": [{"index": 0, "finish_reason": "stop", "delta": {}}]})
        events.append({**base, "choices": [], "usage": usage})
        self.send("text/event-stream",
                  "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode() + b"data: [DONE]\n\n")

    def send(self, content_type: str, body: bytes):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
server.serve_forever()
