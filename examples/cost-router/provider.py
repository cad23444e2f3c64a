"""Stands in for a large model in the cloud: it has the right answer to every question of questions.json, and takes as
many tokens for it as a large model does. `provider.py` prints its address.
"""

from __future__ import annotations

import json
import pathlib
import signal
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

QUESTIONS = json.loads(pathlib.Path(__file__).with_name("questions.json").read_text())
KNOWN = {question["ask"]: question for question in QUESTIONS}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self):
        self.reply({"object": "list", "data": []})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        known = KNOWN.get(asked["messages"][-1]["content"], {"cloud": "I do not know.", "tokens": 5})
        prompt = 8 + sum(len(message["content"]) for message in asked["messages"]) // 4
        tokens = min(known["tokens"], asked.get("max_tokens") or known["tokens"])
        self.reply({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked["model"],
                    "usage": {"prompt_tokens": prompt, "completion_tokens": tokens, "total_tokens": prompt + tokens},
                    "choices": [{"index": 0, "finish_reason": "stop",
                                 "message": {"role": "assistant", "content": known["cloud"]}}]})

    def reply(self, value: dict):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
server.serve_forever()
