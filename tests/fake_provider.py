"""What a healthy provider answers, in OpenAI's published formats."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

from fake_wire import Answer

CREATED = 1_760_000_000
MODELS = ["echo", "org/deep/model", "text-embedding-fake"]


def openai_error(message: str, kind: str = "invalid_request_error", code=None, param=None) -> dict:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def words(value: Any) -> int:
    """A stand-in for a tokenizer: words in all texts."""
    if isinstance(value, str):
        return len(value.split())
    if isinstance(value, list):
        return sum(words(v) for v in value)
    if isinstance(value, dict):
        return words(value.get("content")) + words(value.get("text"))
    return 0


def last_user_text(body: dict) -> str:
    for message in reversed(body["messages"]):
        if message.get("role") == "user":
            content = message["content"]
            if isinstance(content, str):
                return content
            return " ".join(part.get("text", "") for part in content)
    return ""


def chat_usage(body: dict, output: int) -> dict:
    prompt = words(body["messages"])
    return {
        "prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
        "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0,
                                      "accepted_prediction_tokens": 0,
                                      "rejected_prediction_tokens": 0},
    }


def chat_message(body: dict) -> tuple[dict, str]:
    """The assistant's message and its finish reason."""
    tools = body.get("tools")
    if tools and body.get("tool_choice") != "none" and body["messages"][-1]["role"] != "tool":
        function = tools[0]["function"]
        call = {"id": "call_1", "type": "function",
                "function": {"name": function["name"], "arguments": '{"city": "Zürich \\"old\\""}'}}
        return {"role": "assistant", "content": None, "refusal": None, "tool_calls": [call]}, "tool_calls"
    text = "You said: " + last_user_text(body)
    if (body.get("response_format") or {}).get("type") in ("json_object", "json_schema"):
        text = json.dumps({"answer": text})
    aloud = {"reasoning_content": "Let me see."} if "think aloud" in text else {}  # as vLLM and others do
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    reason = "stop"
    if limit and limit < len(text.split()):
        text, reason = " ".join(text.split()[:limit]), "length"
    return {"role": "assistant", "content": text, "refusal": None, **aloud}, reason


def chat_logprobs(text: str) -> dict:
    return {"content": [{"token": t, "logprob": -0.25, "bytes": list(t.encode()),
                         "top_logprobs": [{"token": t, "logprob": -0.25, "bytes": list(t.encode())}]}
                        for t in text.split()], "refusal": None}


def chat_completion(body: dict, with_usage: bool = True) -> dict:
    choices, output = [], 0
    for index in range(body.get("n") or 1):
        message, reason = chat_message(body)
        output += words(message["content"]) or 5
        choices.append({"index": index, "message": message,
                        "logprobs": chat_logprobs(message["content"]) if body.get("logprobs") else None,
                        "finish_reason": reason})
    answer = {"id": "chatcmpl-fake", "object": "chat.completion", "created": CREATED,
              "model": body["model"] + "-2026-01-01", "choices": choices}
    if with_usage:
        answer["usage"] = chat_usage(body, output)
    answer["service_tier"] = "default"
    answer["system_fingerprint"] = "fp_fake"
    return answer


def chat_chunks(body: dict, with_usage: bool = True) -> list[dict]:
    """The events of a stream, without [DONE]."""
    asked = bool((body.get("stream_options") or {}).get("include_usage"))

    def chunk(choices: list, **more) -> dict:
        base = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": CREATED,
                "model": body["model"] + "-2026-01-01", "service_tier": "default",
                "system_fingerprint": "fp_fake", "choices": choices}
        if asked:
            base["usage"] = None
        return {**base, **more, "obfuscation": "x7"}

    def choice(index: int, delta: dict, reason=None, logprobs=None) -> dict:
        return {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}

    events, output = [], 0
    count = body.get("n") or 1
    messages = [chat_message(body) for _ in range(count)]
    for index, (message, _) in enumerate(messages):
        events.append(chunk([choice(index, {"role": "assistant", "content": "" if message["content"] else None,
                                            "refusal": None})]))
    for index, (message, _) in enumerate(messages):
        for call_index, call in enumerate(message.get("tool_calls", [])):
            output += 5
            arguments = call["function"]["arguments"]
            first = {"index": call_index, "id": call["id"], "type": "function",
                     "function": {"name": call["function"]["name"], "arguments": ""}}
            events.append(chunk([choice(index, {"tool_calls": [first]})]))
            for at in range(0, len(arguments), 4):
                piece = {"index": call_index, "function": {"arguments": arguments[at : at + 4]}}
                events.append(chunk([choice(index, {"tool_calls": [piece]})]))
        text = message["content"] or ""
        output += words(text)
        for at, word in enumerate(text.split(" ")):
            piece = word if at == 0 else " " + word
            events.append(chunk([choice(index, {"content": piece},
                                        logprobs=chat_logprobs(piece) if body.get("logprobs") else None)]))
    for index, (_, reason) in enumerate(messages):
        events.append(chunk([choice(index, {}, reason)]))
    if asked and with_usage:
        events.append(chunk([], usage=chat_usage(body, output)))
    return events


def events_bytes(events: list) -> bytes:
    """An SSE body as OpenAI writes it, [DONE] included."""
    return b"".join(f"data: {json.dumps(e)}\n\n".encode() for e in events) + b"data: [DONE]\n\n"


async def chat(answer: Answer, with_usage: bool = True, pause: float = 0.0):
    body = answer.request
    if not body.get("stream"):
        value = chat_completion(body, with_usage)
        answer.record.usage = value.get("usage")
        return await answer.json(200, value)
    await answer.stream_head()
    for event in chat_chunks(body, with_usage):
        answer.record.usage = event.get("usage") or answer.record.usage
        await answer.event(event)
        if pause:
            await answer.sleep(pause)
    await answer.event("[DONE]")
    await answer.last_chunk()


async def completions(answer: Answer):
    body = answer.request
    prompts = body["prompt"] if isinstance(body["prompt"], list) else [body["prompt"]]
    text = f" and then{body.get('suffix') or ''}"
    output = len(prompts) * len(text.split())
    usage = {"prompt_tokens": words(prompts), "completion_tokens": output,
             "total_tokens": words(prompts) + output}
    base = {"id": "cmpl-fake", "object": "text_completion", "created": CREATED, "model": body["model"]}

    def choices(piece, reason):
        return [{"text": (p if body.get("echo") else "") + piece, "index": i, "logprobs": None,
                 "finish_reason": reason} for i, p in enumerate(prompts)]

    answer.record.usage = usage
    if not body.get("stream"):
        return await answer.json(200, {**base, "choices": choices(text, "stop"), "usage": usage})
    asked = bool((body.get("stream_options") or {}).get("include_usage"))
    null = {"usage": None} if asked else {}
    await answer.stream_head()
    for word in text.split(" "):
        await answer.event({**base, "choices": choices(" " + word, None), **null})
    await answer.event({**base, "choices": choices("", "stop"), **null})
    if asked:
        await answer.event({**base, "choices": [], "usage": usage})
    await answer.event("[DONE]")
    await answer.last_chunk()


def vector(seed: int, dimensions: int) -> list[float]:
    return [((seed * 31 + i * 7) % 17 - 8) / 16 for i in range(dimensions)]


async def embeddings(answer: Answer):
    body = answer.request
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]
    if inputs and isinstance(inputs[0], int):
        inputs = [inputs]
    dimensions = body.get("dimensions") or 8
    data = []
    for index, _ in enumerate(inputs):
        value: Any = vector(index + 1, dimensions)
        if body.get("encoding_format") == "base64":
            value = base64.b64encode(struct.pack(f"<{dimensions}f", *value)).decode()
        data.append({"object": "embedding", "index": index, "embedding": value})
    tokens = sum(len(i) if isinstance(i, list) else len(i.split()) for i in inputs)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    answer.record.usage = usage
    await answer.json(200, {"object": "list", "data": data, "model": body["model"], "usage": usage})


CATEGORIES = ["harassment", "hate", "illicit", "self-harm", "sexual", "violence"]


async def moderations(answer: Answer):
    inputs = answer.request["input"]
    result = {"flagged": False, "categories": {name: False for name in CATEGORIES},
              "category_scores": {name: 0.0 for name in CATEGORIES},
              "category_applied_input_types": {name: ["text"] for name in CATEGORIES}}
    results = [result for _ in (inputs if isinstance(inputs, list) else [inputs])]
    await answer.json(200, {"id": "modr-1", "model": answer.request["model"], "results": results})


async def list_models(answer: Answer):
    await answer.json(200, {"object": "list", "data": [
        {"id": m, "object": "model", "created": CREATED, "owned_by": "fake"} for m in MODELS]})


async def by_path(answer: Answer):
    path = answer.record.target.split("?")[0]
    handler = {"/v1/chat/completions": chat, "/v1/completions": completions,
               "/v1/embeddings": embeddings, "/v1/moderations": moderations}.get(path)
    if handler is None or answer.record.method != "POST":
        return await answer.json(404, openai_error(f"Unknown request URL: {path}"))
    await handler(answer)
