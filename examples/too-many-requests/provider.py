"""Stands in for a model in the cloud that takes LIMIT requests in WINDOW seconds from each API key, and answers any more
by 429 and when to come back. `provider.py LOG [--limit N] [--window S]` prints its address; the log has a line of JSON
for each request: when, which key, what was answered, and the wait that was asked for.
"""

from __future__ import annotations

import argparse
import collections
import json
import math
import signal
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

parser = argparse.ArgumentParser()
parser.add_argument("log")
parser.add_argument("--limit", type=int, default=1_000_000)
parser.add_argument("--window", type=float, default=1)
options = parser.parse_args()
log = open(options.log, "a", buffering=1)  # noqa: SIM115  (as long as the program)
lock = threading.Lock()
taken: dict[str, collections.deque] = collections.defaultdict(collections.deque)
WORDS = "It is on its way.".split(" ")


def wait_of(key: str) -> int:
    """0: this request is taken. Else in how many seconds there is room again."""
    with lock:
        now, times = time.time(), taken[key]
        while times and now - times[0] >= options.window:
            times.popleft()
        # Whole seconds, as most providers say it.
        wait = 0 if len(times) < options.limit else math.ceil(times[0] + options.window - now)
        if not wait:
            times.append(now)
        log.write(json.dumps({"at": now, "key": key, "status": 429 if wait else 200, "wait": wait}) + "\n")
        return wait


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if wait := wait_of(self.headers["Authorization"].removeprefix("Bearer ")):
            return self.send(429, "application/json", json.dumps({"error": {
                "message": f"Rate limit reached for {asked['model']}. Please try again in {wait}s.", "type": "requests",
                "param": None, "code": "rate_limit_exceeded"}}).encode(), wait)
        time.sleep(0.05)
        base = {"id": "chatcmpl-1", "created": 1, "model": asked["model"]}
        usage = {"prompt_tokens": 8, "completion_tokens": 6, "total_tokens": 14}
        if not asked.get("stream"):
            return self.send(200, "application/json", json.dumps({
                **base, "object": "chat.completion", "usage": usage, "choices": [
                    {"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": " ".join(WORDS)}}]}).encode())
        base["object"] = "chat.completion.chunk"
        events = [{**base, "choices": [{"index": 0, "finish_reason": None, "delta": {"content": word + " "}}]}
                  for word in WORDS]
        events += [{**base, "choices": [{"index": 0, "finish_reason": "stop", "delta": {}}]},
                   {**base, "choices": [], "usage": usage}]
        self.send(200, "text/event-stream",
                  "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode() + b"data: [DONE]\n\n")

    def send(self, status: int, content_type: str, body: bytes, wait: int = 0):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        if wait:
            self.send_header("Retry-After", str(wait))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def log_message(self, *_):
        pass


server = Server(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print(f"http://127.0.0.1:{server.server_port}/v1", flush=True)
server.serve_forever()
