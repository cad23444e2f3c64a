"""The hospital's assistant: turns a note into a letter, with the official OpenAI client as it is.

    python assistant.py "note" [--stream]      OPENAI_BASE_URL and OPENAI_API_KEY say where Causeway is
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import openai

INSTRUCTIONS = "You write letters for a hospital. Names stand in brackets; use them as they are."


def write_letter(client: openai.OpenAI, note: str, stream: bool = False) -> Iterator[str]:
    """The letter, in one piece or as it comes."""
    messages = [{"role": "system", "content": INSTRUCTIONS}, {"role": "user", "content": note}]
    if not stream:
        yield client.chat.completions.create(model="letters", messages=messages).choices[0].message.content or ""
        return
    for event in client.chat.completions.create(model="letters", messages=messages, stream=True):
        if event.choices and (piece := event.choices[0].delta.content):
            yield piece


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("note")
    parser.add_argument("--stream", action="store_true")
    options = parser.parse_args()
    for piece in write_letter(openai.OpenAI(), options.note, options.stream):
        sys.stdout.write(piece)
        sys.stdout.flush()
    print()


if __name__ == "__main__":
    main()
