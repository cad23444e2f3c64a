"""Asks the hospital's assistant, with the official client. `desk.py "QUESTION"` prints who answered, and what."""

from __future__ import annotations

import sys

import openai


def ask(client: openai.OpenAI, messages: list[dict], **more) -> tuple[str, str]:
    """Who answered ("ward", "cloud"), and what."""
    raw = client.chat.completions.with_raw_response.create(
        model="assistant", messages=messages, max_tokens=8, **more)
    provider = raw.headers["x-causeway-provider"]
    if not more.get("stream"):
        return provider, raw.parse().choices[0].message.content or ""
    return provider, "".join(event.choices[0].delta.content or "" for event in raw.parse() if event.choices)


if __name__ == "__main__":
    print(*ask(openai.OpenAI(max_retries=0, timeout=60), [{"role": "user", "content": sys.argv[1]}]), sep=": ")
