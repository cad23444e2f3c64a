"""Stands in for the provider: keeps every body as it came, answers each with a fixed sentence.

    recorder.py FILE      prints its address; a line of FILE is one request's body
"""

from __future__ import annotations

import json
import pathlib
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Recorder(BaseHTTPRequestHandler):
    record: pathlib.Path

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.record.open("ab") as record:
            record.write(body.replace(b"\n", b" ") + b"\n")
        request = json.loads(body)
        tokens = sum(len(message["content"]) for message in request["messages"]) // 4
        answer = json.dumps({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": request["model"],
            "choices": [{"index": 0, "finish_reason": "stop",
                         "message": {"role": "assistant", "content": "It is in the mails."}}],
            "usage": {"prompt_tokens": tokens, "completion_tokens": 6, "total_tokens": tokens + 6},
        }).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def main():
    Recorder.record = pathlib.Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
