"""What must be seen to work, asked of the running backend. Ends with 0 only if all of it does."""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request

import openai

backend, gateway = sys.argv[1:]


def call(method: str, path: str, value=None):
    body = None if value is None else json.dumps(value).encode()
    request = urllib.request.Request(backend + path, data=body, method=method)
    return urllib.request.urlopen(request, timeout=180)


def ask(conversation: str, text: str) -> dict:
    return json.load(call("POST", f"/conversations/{conversation}/messages", {"text": text}))


def ask_streaming(conversation: str, text: str) -> tuple[str, int]:
    """The answer, and in how many pieces it came at different moments."""
    with call("POST", f"/conversations/{conversation}/messages", {"text": text, "stream": True}) as answer:
        pieces, moments = b"", set()
        while piece := answer.read1():
            pieces += piece
            moments.add(round(time.monotonic(), 2))
    return pieces.decode(), len(moments)


def messages(conversation: str) -> list[dict]:
    return json.load(call("GET", f"/conversations/{conversation}"))["messages"]


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


first = json.load(call("POST", "/conversations"))["id"]
answer = ask(first, "What is the capital of France?")
expect("the embedded model answers through gateway and backend", "Paris" in answer["text"], answer)

text, moments = ask_streaming(first, "Please tell me two things that one can see there.")
expect("a streamed answer comes", len(text) > 10, text)
expect("it comes piece by piece", moments > 1, moments)

history = messages(first)
expect("the backend keeps the history", [m["role"] for m in history] == ["user", "assistant"] * 2, history)
expect("the streamed answer is in it as it was sent", history[3]["content"] == text, history)

third = ask(first, "Thank you.")
fresh = json.load(call("POST", "/conversations"))["id"]
alone = ask(fresh, "Thank you.")
grown = third["usage"]["prompt_tokens"] - alone["usage"]["prompt_tokens"]
expect("the history goes to the model with the next question", grown > 30, (third, alone))
expect("conversations do not mix", [m["content"] for m in messages(fresh)] == ["Thank you.", alone["text"]], fresh)

call("DELETE", f"/conversations/{fresh}")
try:
    messages(fresh)
    expect("a deleted conversation is gone", False)
except urllib.error.HTTPError as error:
    expect("a deleted conversation is gone", error.code == 404, error.code)

# The backend's key opens what the backend needs, and no key opens nothing.
models = openai.OpenAI(base_url=gateway + "/v1", api_key=os.environ["SUPPORT_BACKEND_KEY"], max_retries=0)
expect("the backend's key sees its one model", [m.id for m in models.models.list()] == ["support"])
try:
    openai.OpenAI(base_url=gateway + "/v1", api_key="wrong", max_retries=0).models.list()
    expect("a wrong key is refused", False)
except openai.AuthenticationError:
    expect("a wrong key is refused", True)
