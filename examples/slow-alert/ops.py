"""Whoever is to be woken: receives what the gateway sends, checks who sent it, and prints it as one line of
JSON each. `ops.py ADDRESS_FILE`, the secret in OPS_SECRET."""

from __future__ import annotations

import hashlib
import hmac
import os
import pathlib
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def is_genuine(secret: str, signature: str, body: bytes) -> bool:
    parts = dict(part.split("=", 1) for part in signature.split(","))
    expected = hmac.new(secret.encode(), parts["t"].encode() + b"." + body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, parts["v1"]) and abs(time.time() - int(parts["t"])) < 300


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        genuine = is_genuine(os.environ["OPS_SECRET"], self.headers.get("X-Causeway-Signature", ""), body)
        self.send_response(204 if genuine else 401)
        self.end_headers()
        if genuine:
            print(body.decode(), flush=True)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
pathlib.Path(sys.argv[1]).write_text(f"http://127.0.0.1:{server.server_port}/alerts")
server.serve_forever()
