"""The help page's backend: it looks up passages of the handbook and hands them over with the question.
`helppage.py "QUESTION"` prints the answer and the id of the request.
"""

from __future__ import annotations

import re
import sys

import openai

HANDBOOK = [
    "the battery of the City model is charged in four hours; it may be charged below 40 degrees only.",
    "a chain is oiled every 300 kilometres, in rain more often.",
    "brake pads are worn when less than one millimetre is left; the workshop changes them in an hour.",
    "the guarantee is two years on the frame and one year on the battery.",
]


def passages(question: str) -> list[str]:
    """Those that share a longer word with the question, in the order of the handbook: a poor search, as there are
    many."""
    asked = set(re.findall(r"[a-z]{4,}", question.lower()))
    return [text for text in HANDBOOK if asked & set(re.findall(r"[a-z]{4,}", text))]


def ask(question: str) -> tuple[str, str]:
    system = "Answer from these passages of the handbook:\n" + "".join(f"- {text}\n" for text in passages(question))
    with openai.OpenAI(max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(
            model="help", messages=[{"role": "system", "content": system}, {"role": "user", "content": question}])
    return raw.parse().choices[0].message.content, raw.headers["x-request-id"]


if __name__ == "__main__":
    print(*ask(sys.argv[1]), sep="\n")
