"""Stands in for a model in the cloud: answers with what it was asked, and writes each question into its log.
`provider.py LOG` prints its address."""

from __future__ import annotations

import json
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

log = open(sys.argv[1], "a", buffering=1)  # noqa: SIM115  (as long as the program)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question = asked["messages"][-1]["content"]
        log.write(json.dumps(question) + "\n")
        words = f"As to \"{question}\": a model says so.".split(" ")
        base = {"id": "chatcmpl-1", "created": 1, "model": asked["model"]}
        usage = {"prompt_tokens": 20, "completion_tokens": len(words), "total_tokens": 20 + len(words)}
        if not asked.get("stream"):
            return self.send("application/json", json.dumps({
                **base, "object": "chat.completion", "usage": usage, "choices": [
                    {"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": " ".join(words)}}]}).encode())
        base["object"] = "chat.completion.chunk"
        events = [{**base, "choices": [{"index": 0, "finish_reason": None, "delta": {"content": word + " "}}]}
                  for word in words]
        events += [{**base, "choices": [{"index": 0, "finish_reason": "stop", "delta": {}}]},
                   {**base, "choices": [], "usage": usage}]
        self.send("text/event-stream",
                  "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode() + b"data: [DONE]\n\n")

    def send(self, content_type: str, body: bytes):
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
server.serve_forever()
