"""Stands in for a model in the cloud: `provider.py MODEL-VERSION`. It answers with the passage that stands first in
what it is given, as a small model does that trusts its search; the large one (a version with "large") reads all of
them and takes the one that shares most words with the question.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERSION = sys.argv[1]


def words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z]+", text.lower()) if len(word) > 3}


def answer(messages: list[dict]) -> str:
    passages = [line[2:] for line in messages[0]["content"].splitlines() if line.startswith("- ")]
    question = words(messages[-1]["content"])
    best = max(passages, key=lambda passage: len(words(passage) & question)) if "large" in VERSION else passages[0]
    return f"Dear customer, {best}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.reply({"object": "list", "data": []})

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text = answer(asked["messages"])
        used = {"prompt_tokens": 80, "completion_tokens": len(text.split()), "total_tokens": 80 + len(text.split())}
        self.reply({"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": VERSION, "usage": used,
                    "choices": [{"index": 0, "finish_reason": "stop",
                                 "message": {"role": "assistant", "content": text}}]})

    def reply(self, value: dict):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
server.serve_forever()
