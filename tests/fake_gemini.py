"""A Gemini API for tests, in Google's published form. The model's name says what happens."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "AIza-fake-upstream-key"  # must never be seen anywhere but here


def error(code: int, status: str, message: str, details: list | None = None) -> dict:
    return {"error": {"code": code, "message": message, "status": status, "details": details or []}}


def last_text(body: dict) -> str:
    for content in reversed(body["contents"]):
        if content.get("role") != "model":
            texts = [part["text"] for part in content["parts"] if "text" in part]
            if texts:
                return " ".join(texts)
    return ""


def parts_for(body: dict) -> list[dict]:
    tools = body.get("tools")
    answered = any("functionResponse" in p for c in body["contents"] for p in c["parts"])
    mode = body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode")
    if tools and not answered and mode != "NONE":
        names = [d["name"] for d in tools[0]["functionDeclarations"]]
        return [{"functionCall": {"name": name, "args": {"city": 'Zürich "old"', "n": index}},
                 **({"thoughtSignature": "c2lnbmVk"} if index == 0 else {})}
                for index, name in enumerate(names)]
    text = "You said: " + last_text(body)
    if body.get("generationConfig", {}).get("responseMimeType") == "application/json":
        text = json.dumps({"answer": text})
    parts = [{"text": text}]
    if body.get("generationConfig", {}).get("thinkingConfig", {}).get("includeThoughts"):
        parts.insert(0, {"text": "I think so.", "thought": True})
    return parts


def answer(parts: list[dict], reason: str | None = "STOP", usage: bool = True) -> dict:
    candidate = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    whole = {"candidates": [candidate], "modelVersion": "fake-gemini", "responseId": "r-1"}
    if usage:
        whole["usageMetadata"] = {"promptTokenCount": 12, "cachedContentTokenCount": 2,
                                  "candidatesTokenCount": 5, "thoughtsTokenCount": 3, "totalTokenCount": 20}
    return whole


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def reply(self, status: int, value: dict):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def events(self, values: list[dict], cut: bool = False):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for value in values:
            data = f"data: {json.dumps(value)}\r\n\r\n".encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
        if cut:
            self.close_connection = True
            self.connection.close()
        else:
            self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        self.reply(200, {"models": [{"name": "models/echo"}, {"name": "models/other"}]})

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        body = json.loads(raw)
        self.server.fake.records.append((self.path, dict(self.headers), raw, body))
        if self.headers.get("x-goog-api-key") != KEY:
            return self.reply(400, error(400, "INVALID_ARGUMENT", "API key not valid."))
        model, method = self.path.split("/models/")[1].split("?")[0].rsplit(":", 1)
        if method == "countTokens":
            return self.reply(200, {"totalTokens": 42})
        if model == "limited":
            return self.reply(429, error(429, "RESOURCE_EXHAUSTED", "Quota exceeded.", [
                {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "7s"}]))
        if model == "bad":
            return self.reply(400, error(400, "INVALID_ARGUMENT", "Unsupported part."))
        if model == "blocked":
            whole = {"promptFeedback": {"blockReason": "SAFETY"}, "modelVersion": "fake-gemini",
                     "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12}}
            return self.events([whole]) if "stream" in method else self.reply(200, whole)
        if model == "empty":
            return self.reply(200, {})
        parts = parts_for(body)
        if "stream" not in method:
            return self.reply(200, answer(parts))
        if model == "cut":
            return self.events([answer([{"text": "You"}], None, False)], cut=True)
        pieces = []
        for part in parts:
            text = part.get("text", "")
            pieces += [{**part, "text": word} for word in text.replace(" ", " \0").split("\0")] if text else [part]
        values = [answer([piece], None, False) for piece in pieces[:-1]] + [answer(pieces[-1:])]
        return self.events(values)


class FakeGemini:
    def __init__(self):
        self.records: list = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.fake = self
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def one(self, mark: str):
        found = [record for record in self.records if mark.encode() in record[2]]
        assert len(found) == 1, f"{len(found)} requests hold {mark!r}"
        return found[0]
