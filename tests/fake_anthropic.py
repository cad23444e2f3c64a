"""What Anthropic's API answers, in its published formats, and what it refuses. SCENARIOS: faults by model."""

from __future__ import annotations

import asyncio
import hashlib
import json
from typing import Any

from fake_wire import LARGE_TEXT, Answer, Handler

MODELS = ["claude-opus-4-7", "claude-sonnet-4-5"]
THOUGHT = "The user wants it said again."
HIDDEN = "ENCRYPTED+hidden/thought=="
BLOCKS = {"text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking"}


def anthropic_error(kind: str, message: str) -> dict:
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_of_anthropic"}


class Refused(Exception):
    """A request that the API would not take."""


def signature(thought: str) -> str:
    """What only the API can make, and checks when a thought comes back."""
    return hashlib.sha256(b"secret" + thought.encode()).hexdigest() + "+/=="


def words(value: Any) -> int:
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, list):
        return sum(words(v) for v in value)
    if isinstance(value, dict):
        return words(value.get("content")) + words(value.get("text"))
    return 0


def blocks(content: Any) -> list[dict]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def check(answer: Answer):
    """Holds a request against the published rules."""
    record, body = answer.record, answer.request
    if not record.header("anthropic-version"):
        raise Refused("anthropic-version: header is required")
    if not isinstance(body.get("max_tokens"), int) and not record.target.endswith("count_tokens"):
        raise Refused("max_tokens: Field required")
    if record.header("anthropic-version") > "2023-06-01" and "temperature" in body:
        raise Refused("temperature: Extra inputs are not permitted")
    calls: list[str] = []
    for index, message in enumerate(body["messages"]):
        role, where = message["role"], f"messages.{index}"
        if role not in ("user", "assistant"):
            raise Refused(f"{where}.role: Input should be 'user' or 'assistant'")
        if index and body["messages"][index - 1]["role"] == role:
            raise Refused(f"{where}: roles must alternate")  # stricter than the API, which joins them
        found = blocks(message["content"])
        if not found:
            raise Refused(f"{where}: content is empty")
        for block in found:
            check_block(block, role, where)
        results = [b["tool_use_id"] for b in found if b["type"] == "tool_result"]
        if sorted(results) != sorted(calls):
            raise Refused(f"{where}: tool_use ids without tool_result blocks immediately after: {calls}")
        calls = [b["id"] for b in found if b["type"] == "tool_use"]


def check_block(block: dict, role: str, where: str):
    kind = block["type"]
    if kind not in BLOCKS or (role == "user") == (kind in ("tool_use", "thinking", "redacted_thinking")):
        if kind not in ("text", "image", "document", "tool_result"):
            raise Refused(f"{where}: {kind} blocks are not allowed here")
    if kind == "text" and not block["text"].strip():
        raise Refused(f"{where}: text content blocks must contain non-whitespace text")
    if kind == "thinking" and block["signature"] != signature(block["thinking"]):
        raise Refused(f"{where}: Invalid `signature` in `thinking` block")
    if kind == "redacted_thinking" and block["data"] != HIDDEN:
        raise Refused(f"{where}: Invalid `data` in `redacted_thinking` block")
    if kind == "tool_use" and not isinstance(block["input"], dict):
        raise Refused(f"{where}: input should be a valid dictionary")


def last_text(body: dict) -> str:
    found = [b["text"] for b in blocks(body["messages"][-1]["content"]) if b["type"] == "text"]
    return " ".join(found)


def content_of(body: dict) -> tuple[list[dict], str]:
    """The answer's blocks and why it stopped."""
    content: list[dict] = []
    if (body.get("thinking") or {}).get("type") in ("enabled", "adaptive"):
        content.append({"type": "thinking", "thinking": THOUGHT, "signature": signature(THOUGHT)})
        if "hidden" in last_text(body):
            content.append({"type": "redacted_thinking", "data": HIDDEN})
    choice = (body.get("tool_choice") or {}).get("type")
    answered = any(b["type"] == "tool_result" for b in blocks(body["messages"][-1]["content"]))
    if body.get("tools") and choice != "none" and not answered:
        cities = ['Zürich "old"', "Bern"] if "twice" in last_text(body) else ['Zürich "old"']
        content += [{"type": "tool_use", "id": f"toolu_{i}", "name": body["tools"][0]["name"],
                     "input": {"city": city}} for i, city in enumerate(cities)]
        return content, "tool_use"
    text = "You said: " + last_text(body)
    if (body.get("output_config") or {}).get("format"):
        text = json.dumps({"answer": text})
    reason = "end_turn"
    if body["max_tokens"] < len(text.split()):
        text, reason = " ".join(text.split()[: body["max_tokens"]]), "max_tokens"
    for stop in body.get("stop_sequences", []):
        if stop in text:
            text, reason = text.split(stop)[0], "stop_sequence"
    return content + [{"type": "text", "text": text}], reason


def message_of(body: dict) -> dict:
    content, reason = content_of(body)
    met = next((s for s in body.get("stop_sequences", [])), None) if reason == "stop_sequence" else None
    return {"id": "msg_fake", "type": "message", "role": "assistant", "model": body["model"],
            "content": content, "stop_reason": reason, "stop_sequence": met, "stop_details": None,
            "container": None,
            "usage": {"input_tokens": words(body.get("system")) + words(body["messages"]),
                      "cache_creation_input_tokens": 2, "cache_read_input_tokens": 3,
                      "output_tokens": words(content) + 4, "service_tier": "standard"}}


def events_of(message: dict) -> list[dict]:
    """The same message as a stream."""
    usage = message["usage"]
    events: list[dict] = [{"type": "message_start", "message": {
        **message, "content": [], "stop_reason": None, "stop_sequence": None,
        "usage": {**usage, "output_tokens": 1}}}]
    for index, block in enumerate(message["content"]):
        begun, deltas = pieces_of(block)
        events.append({"type": "content_block_start", "index": index, "content_block": begun})
        if index == 0:
            events.append({"type": "ping"})
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events.append({"type": "message_delta",
                   "delta": {k: message[k] for k in ("stop_reason", "stop_sequence")},
                   "usage": {"output_tokens": usage["output_tokens"]}})
    return events + [{"type": "message_stop"}]


def pieces_of(block: dict) -> tuple[dict, list[dict]]:
    if block["type"] == "text":
        parts = block["text"].split(" ")
        return ({"type": "text", "text": ""},
                [{"type": "text_delta", "text": p if i == 0 else " " + p} for i, p in enumerate(parts)])
    if block["type"] == "thinking":
        return ({"type": "thinking", "thinking": "", "signature": ""},
                [{"type": "thinking_delta", "thinking": block["thinking"][i : i + 7]}
                 for i in range(0, len(block["thinking"]), 7)]
                + [{"type": "signature_delta", "signature": block["signature"]}])
    if block["type"] == "tool_use":
        text = json.dumps(block["input"], ensure_ascii=False)
        return ({**block, "input": {}},
                [{"type": "input_json_delta", "partial_json": p}
                 for p in ["", *(text[i : i + 4] for i in range(0, len(text), 4))]])
    return block, []


def wire_of(event: dict) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


HEADERS = {"request-id": "req_of_anthropic", "anthropic-organization-id": "org-of-the-operator",
           "anthropic-ratelimit-requests-remaining": "49"}


async def send_events(answer: Answer, events: list[dict]):
    await answer.stream_head(HEADERS)
    for event in events:
        await answer.chunk(wire_of(event))


async def messages(answer: Answer):
    try:
        check(answer)
    except Refused as why:
        return await answer.json(400, anthropic_error("invalid_request_error", str(why)), HEADERS)
    if answer.record.target.split("?")[0].endswith("/count_tokens"):
        body = answer.request
        count = words(body.get("system")) + words(body["messages"]) + 5 * len(body.get("tools", []))
        return await answer.json(200, {"input_tokens": count}, HEADERS)
    message = message_of(answer.request)
    answer.record.usage = message["usage"]
    if not answer.request.get("stream"):
        return await answer.json(200, message, HEADERS)
    await send_events(answer, events_of(message))
    await answer.last_chunk()


async def list_models(answer: Answer):
    data = [{"type": "model", "id": m, "display_name": m, "created_at": "2026-01-01T00:00:00Z",
             "lifecycle": "active"} for m in MODELS]
    await answer.json(200, {"data": data, "has_more": False, "first_id": MODELS[0], "last_id": MODELS[-1]})


def fails(status: int, kind: str, message: str, headers: dict | None = None) -> Handler:
    async def handler(answer: Answer):
        await answer.json(status, anthropic_error(kind, message), {**HEADERS, **(headers or {})})
    return handler


def stops(reason: str) -> Handler:
    async def handler(answer: Answer):
        message = {**message_of(answer.request), "stop_reason": reason}
        if not answer.request.get("stream"):
            return await answer.json(200, message, HEADERS)
        await send_events(answer, events_of(message))
        await answer.last_chunk()
    return handler


def broken_off(keep: int, then: dict | None) -> Handler:
    """A stream of which `keep` events arrive; then an error event, an early end ({}), or a closed connection."""
    async def handler(answer: Answer):
        await send_events(answer, events_of(message_of(answer.request))[:keep])
        await asyncio.sleep(0.05)
        if then is None:
            return answer.close()
        if then:
            await answer.chunk(wire_of(then))
        await answer.last_chunk()
    return handler


async def huge_events(answer: Answer):
    """A text in two events of 4 MiB; whole, half as much."""
    message = {**message_of(answer.request), "content": [{"type": "text", "text": "x" * LARGE_TEXT}]}
    if not answer.request.get("stream"):
        body = json.dumps(message).encode()
        await answer.head(200, {"Content-Type": "application/json", "Content-Length": len(body)})
        return await answer.write_large(body)
    message["content"][0]["text"] += " " + "y" * LARGE_TEXT
    await answer.stream_head(HEADERS)
    for event in map(wire_of, events_of(message)):
        await answer.write_large(b"%x\r\n%s\r\n" % (len(event), event))
    await answer.last_chunk()


OVERLOADED = anthropic_error("overloaded_error", "Overloaded")
SCENARIOS: dict[str, Handler] = {
    "huge-events": huge_events,
    "claude-busy": fails(429, "rate_limit_error", "of your organization", {"retry-after": "7"}),
    "claude-used-up": fails(429, "rate_limit_error", "of your organization", {
        "date": "Thu, 26 Nov 2026 23:59:30 GMT",
        "anthropic-ratelimit-requests-remaining": "12",
        "anthropic-ratelimit-requests-reset": "2026-11-27T00:05:00Z",
        "anthropic-ratelimit-input-tokens-remaining": "0",
        "anthropic-ratelimit-input-tokens-reset": "2026-11-27T00:00:10Z"}),
    "claude-overloaded": fails(529, "overloaded_error", "Overloaded"),
    "claude-broke": fails(400, "invalid_request_error", "Your credit balance is too low"),
    "claude-no-key": fails(401, "authentication_error", "invalid x-api-key"),
    "claude-too-long": fails(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"),
    "claude-pause": stops("pause_turn"),
    "claude-odd-stop": stops("solar_flare"),
    "claude-refusal": stops("refusal"),
    "claude-cut": broken_off(5, {}),
    "claude-dropped": broken_off(5, None),
    "claude-cut-early": broken_off(2, {}),
    "claude-dropped-early": broken_off(2, None),
    "claude-fails-early": broken_off(2, OVERLOADED),
    "claude-fails-late": broken_off(5, OVERLOADED),
}
