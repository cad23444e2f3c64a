"""Asks the desk, with the official client. `desk.py MODEL "QUESTION"` prints who answered, and what."""

from __future__ import annotations

import sys

import openai


def ask(model: str, question: str, client: openai.OpenAI | None = None) -> tuple[str, str]:
    """Who answered ("local/default", "cloud/large"), and what."""
    client = client or openai.OpenAI(max_retries=0, timeout=120)
    raw = client.chat.completions.with_raw_response.create(
        model=model, messages=[{"role": "user", "content": question}], temperature=0, max_tokens=120)
    return f"{raw.headers['x-causeway-provider']}/{raw.headers['x-causeway-model']}", raw.parse().choices[0].message.content


if __name__ == "__main__":
    print(*ask(sys.argv[1], sys.argv[2]), sep=": ")
