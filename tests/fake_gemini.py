"""A Gemini API whose every byte a test decides, in Google's published wire format.

It is accepted by Google's official client directly (test_gemini.py shows it). What it does is chosen by
the model's name in the path.
"""

from __future__ import annotations

import json
import re
from typing import Any

from fake_upstream import Fake
from fake_wire import Answer

PATH = re.compile(r"/v1(?:beta)?/models/([^:?]+):(\w+)(?:\?(.*))?$")
MODELS = ["gemini-echo", "gemini-thinks", "gemini-embed"]
SIGNATURE = "c2lnbmF0dXJl"


def google_error(code: int, status: str, message: str, details: list | None = None) -> dict:
    return {"error": {"code": code, "message": message, "status": status,
                      **({"details": details} if details else {})}}


def quota(quota_id: str, delay: str) -> dict:
    return google_error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", [
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [
            {"quotaMetric": "generativelanguage.googleapis.com/requests", "quotaId": quota_id}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}])


ERRORS = {
    "gemini-minute": (429, quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "55s")),
    "gemini-day": (429, quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "3600s")),
    "gemini-down": (503, google_error(503, "UNAVAILABLE", "The model is overloaded.")),
    "gemini-bad": (400, google_error(400, "INVALID_ARGUMENT", "Invalid value at 'contents'.")),
    "gemini-key": (400, google_error(400, "INVALID_ARGUMENT", "API key not valid.", [
        {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID",
         "domain": "googleapis.com"}])),
}


def last_text(body: dict) -> str:
    for content in reversed(body["contents"]):
        if content.get("role", "user") == "user":
            texts = [part["text"] for part in content["parts"] if "text" in part]
            if texts:
                return " ".join(texts)
    return ""


def parts_of(body: dict) -> list[dict]:
    """What the model says."""
    mode = body.get("toolConfig", {}).get("functionCallingConfig", {}).get("mode")
    answered = any("functionResponse" in part for part in body["contents"][-1]["parts"])
    text = "You said: " + last_text(body)
    if body.get("tools") and mode != "NONE" and not answered:
        functions = body["tools"][0]["functionDeclarations"]
        calls = [{"functionCall": {"name": f["name"], "args": {"city": 'Zürich "old"', "n": i}}}
                 for i, f in enumerate(functions)]
        calls[0]["thoughtSignature"] = SIGNATURE
        return calls
    if body.get("generationConfig", {}).get("responseMimeType") == "application/json":
        return [{"text": json.dumps({"answer": text})}]
    return [{"text": word if i == 0 else " " + word} for i, word in enumerate(text.split(" "))]


def usage_of(parts: list[dict], thoughts: int = 0) -> dict:
    usage = {"promptTokenCount": 7, "candidatesTokenCount": len(parts),
             "totalTokenCount": 7 + len(parts) + thoughts,
             "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 7}]}
    if thoughts:
        usage["thoughtsTokenCount"] = thoughts
    return usage


def chunk(model: str, parts: list[dict], reason: str | None = None, usage: dict | None = None) -> dict:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if reason:
        candidate["finishReason"] = reason
    return {"candidates": [candidate], "usageMetadata": usage or usage_of([]),
            "modelVersion": model + "-001", "responseId": "resp-1"}


def whole(model: str, body: dict) -> dict:
    if model == "gemini-blocked":
        return {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},
                "usageMetadata": {"promptTokenCount": 7, "totalTokenCount": 7},
                "modelVersion": model + "-001", "responseId": "resp-1"}
    if model == "gemini-empty":
        return {"candidates": []}
    parts, thoughts = parts_of(body), 0
    if model == "gemini-thinks":
        parts, thoughts = [{"text": "Let me see.", "thought": True}, *parts], 3
        parts[-1]["thoughtSignature"] = SIGNATURE
    return chunk(model, parts, "STOP", usage_of(parts, thoughts))


def events_of(model: str, body: dict) -> list[dict]:
    """The same, piece by piece; calls of tools come whole."""
    answer = whole(model, body)
    if not answer.get("candidates"):
        return [answer]
    parts = answer["candidates"][0]["content"]["parts"]
    events = [chunk(model, [part]) for part in parts]
    events[-1]["candidates"][0]["finishReason"] = "STOP"
    events[-1]["usageMetadata"] = answer["usageMetadata"]
    return events


def sse(events: list[dict]) -> bytes:
    return b"".join(f"data: {json.dumps(event)}\r\n\r\n".encode() for event in events)


class FakeGemini(Fake):
    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}/v1beta"

    async def _handle(self, answer: Answer):
        record = answer.record
        if record.method == "GET" and record.target.split("?")[0] == "/v1beta/models":
            return await answer.json(200, {"models": [
                {"name": f"models/{m}", "version": "001", "displayName": m,
                 "supportedGenerationMethods": ["generateContent"]} for m in MODELS]})
        match = PATH.match(record.target)
        if not match or record.method != "POST":
            return await answer.json(404, google_error(404, "NOT_FOUND", "no such path"))
        model, method, query = match.groups()
        if model in ERRORS:
            status, error = ERRORS[model]
            return await answer.json(status, error)
        if model in self._handlers:
            return await self._handlers[model](answer)
        await getattr(self, method)(answer, model, answer.request, query)

    async def generateContent(self, answer: Answer, model: str, body: dict, query):
        await answer.body(200, json.dumps(whole(model, body), indent=2).encode())

    async def streamGenerateContent(self, answer: Answer, model: str, body: dict, query):
        assert query == "alt=sse", query
        await answer.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        events = events_of(model, body)
        if model == "gemini-cut":
            events = events[:-1]
        if model == "gemini-fails":
            events = [*events[:1], google_error(503, "UNAVAILABLE", "The model is overloaded.")]
        if model == "gemini-fails-first":
            events = [google_error(503, "UNAVAILABLE", "The model is overloaded.")]
        for event in events:
            await answer.chunk(sse([event]))
            if model == "gemini-fails":
                await answer.sleep(0.1)  # what came before goes out by itself
        await answer.last_chunk()

    async def countTokens(self, answer: Answer, model: str, body: dict, query):
        await answer.json(200, {"totalTokens": 31})

    async def embedContent(self, answer: Answer, model: str, body: dict, query):
        await answer.json(200, {"embedding": {"values": [0.25, -0.5]}})

    async def batchEmbedContents(self, answer: Answer, model: str, body: dict, query):
        for request in body["requests"]:
            assert request["model"] == f"models/{model}", request
        await answer.json(200, {"embeddings": [{"values": [0.25 * (i + 1), -0.5]}
                                               for i, _ in enumerate(body["requests"])]})
