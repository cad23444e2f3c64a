"""Stands in for the model in the cloud: keeps every byte that it receives, and answers a request for a letter
by one that uses whatever names the request gave it. `provider.py FILE` prints its address."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

recording = open(sys.argv[1], "ab", buffering=0)  # noqa: SIM115  (as long as the program)


def letter(body: dict) -> str:
    note = body["messages"][-1]["content"]
    name = (re.findall(r"\[PATIENT_NAME(?:_\d+)?\]", note) or ["patient"])[-1]
    told = ", ".join(dict.fromkeys(re.findall(r"\[[A-Z_0-9]+\]", note)))
    return f"Dear {name},\n\nthank you for your visit. We have on file: {told}.\nNote: {note}\n\nYour hospital"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        recording.write(f"{self.requestline}\n{self.headers}".encode() + raw + b"\n")
        body = json.loads(raw)
        text = letter(body)
        base = {"id": "chatcmpl-1", "created": 1, "model": body["model"]}
        usage = {"prompt_tokens": 90, "completion_tokens": 60, "total_tokens": 150}
        if not body.get("stream"):
            message = {"role": "assistant", "content": text}
            return self.send("application/json", json.dumps({
                **base, "object": "chat.completion", "usage": usage,
                "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode())
        events = [{**base, "object": "chat.completion.chunk", "choices": [
            {"index": 0, "delta": {"content": text[i:i + 3]}, "finish_reason": None}]} for i in range(0, len(text), 3)]
        events.append({**base, "object": "chat.completion.chunk", "choices": [
            {"index": 0, "delta": {}, "finish_reason": "stop"}]})
        events.append({**base, "object": "chat.completion.chunk", "choices": [], "usage": usage})
        self.send("text/event-stream", "".join(f"data: {json.dumps(e)}\n\n" for e in events).encode()
                  + b"data: [DONE]\n\n")

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
