"""Stands in for a model in the cloud, as fast or slow as a file says. `provider.py SETTINGS.json` prints its
address; the file is read at every request, so that a provider gets slow by editing it:

    {"first_ms": 50, "token_ms": 5, "tokens": 10, "status": 200, "model": "…", "fingerprint": "…"}
"""

from __future__ import annotations

import json
import pathlib
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

USUAL = {"first_ms": 30, "token_ms": 3, "tokens": 10, "status": 200, "model": None, "fingerprint": None}


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, settings: dict | None = None):
        super().__init__(("127.0.0.1", 0), Handler)
        self.settings = {**USUAL, **(settings or {})}

    def now(self) -> dict:
        return self.settings

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self.whole(200, {"object": "list", "data": []})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        asked, now = json.loads(raw), dict(self.server.now())
        if now["status"] != 200:
            return self.whole(now["status"], {"error": {"message": "no", "type": "server_error", "code": None}})
        time.sleep(now["first_ms"] / 1000)
        words = sum(len(str(message["content"]).split()) for message in asked["messages"])
        usage = {"prompt_tokens": words, "completion_tokens": now["tokens"],
                 "total_tokens": words + now["tokens"]}
        base = {"id": "chatcmpl-1", "created": 1, "model": now["model"] or asked["model"]}
        if now["fingerprint"]:
            base["system_fingerprint"] = now["fingerprint"]
        if asked.get("stream"):
            return self.stream(base, usage, now)
        time.sleep(now["token_ms"] * now["tokens"] / 1000)
        message = {"role": "assistant", "content": "word " * now["tokens"]}
        self.whole(200, {**base, "object": "chat.completion", "usage": usage,
                         "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    def stream(self, base: dict, usage: dict, now: dict):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        base["object"] = "chat.completion.chunk"
        for number in range(now["tokens"]):
            if number:
                time.sleep(now["token_ms"] / 1000)
            self.event({**base, "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]})
        self.event({**base, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.event({**base, "choices": [], "usage": usage})
        self.chunk(b"data: [DONE]\n\n")
        self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()

    def event(self, value: dict):
        self.chunk(f"data: {json.dumps(value)}\n\n".encode())

    def chunk(self, data: bytes):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def whole(self, status: int, value: dict):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


class FromFile(Server):
    def __init__(self, path: str):
        super().__init__()
        self.path = pathlib.Path(path)

    def now(self) -> dict:
        return {**USUAL, **json.loads(self.path.read_text())}


def main():
    server = FromFile(sys.argv[1])
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    print(server.base_url, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
