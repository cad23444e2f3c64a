"""Answers a question about a thread of mails. The official OpenAI client as it is; OPENAI_BASE_URL and
OPENAI_API_KEY say where Causeway is.

    helpdesk.py THREAD QUESTION     a file of mails, oldest first, with a line of "=" between them

The whole thread is handed over: what of it goes on to the provider is the gateway's business. Prints the
answer, and on stderr what was saved.
"""

from __future__ import annotations

import pathlib
import re
import sys

import openai

INSTRUCTIONS = "You help the support team. Answer from the mails below, in one sentence."


def mails(path: str) -> list[str]:
    return [mail.strip("\n") for mail in re.split(r"(?m)^=+\n", pathlib.Path(path).read_text())]


def main():
    thread, question = sys.argv[1:]
    messages = [{"role": "system", "content": INSTRUCTIONS},
                *({"role": "user", "content": mail} for mail in mails(thread)),
                {"role": "user", "content": question}]
    answer = openai.OpenAI(timeout=120).chat.completions.with_raw_response.create(
        model="helpdesk", messages=messages, temperature=0, max_tokens=120)
    print(answer.parse().choices[0].message.content)
    print(f"{len(messages) - 2} mails; tokens saved: {answer.headers['x-causeway-tokens-saved']}", file=sys.stderr)


if __name__ == "__main__":
    main()
