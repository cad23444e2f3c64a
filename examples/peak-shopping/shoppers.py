"""Shoppers who ask one question after the other, with the official client and without retries of their own, every second
one streamed: `shoppers.py COUNT [SECONDS]`. A stream that breaks off after its first words counts as cut: what a shopper
has read cannot be taken back.
"""

from __future__ import annotations

import sys
import threading
import time

import openai

QUESTIONS = ["Where is my parcel?", "Do you have it in blue?", "Can I send it back?", "Is there a discount?"]


class Shoppers:
    def __init__(self, count: int):
        self.client = openai.OpenAI(max_retries=0, timeout=60)
        self.answers, self.errors, self.cut, self.seconds = 0, [], [], []
        self.ending, self.lock = threading.Event(), threading.Lock()
        self.threads = [threading.Thread(target=self.shop, args=(number,)) for number in range(count)]
        for thread in self.threads:
            thread.start()

    def shop(self, number: int):
        while not self.ending.is_set():
            began, said, error = time.monotonic(), [], None
            number += 1
            try:
                self.ask(QUESTIONS[number % len(QUESTIONS)], number % 2 == 1, said)
                if not any(said):
                    error = "an empty answer"
            except openai.OpenAIError as problem:
                error = f"{type(problem).__name__}: {problem}"
            with self.lock:
                self.seconds.append(time.monotonic() - began)
                self.answers += error is None
                if error:
                    (self.cut if any(said) else self.errors).append(error)

    def ask(self, question: str, stream: bool, said: list[str]):
        answer = self.client.chat.completions.create(
            model="assistant", messages=[{"role": "user", "content": question}], max_tokens=6, stream=stream)
        if not stream:
            return said.append(answer.choices[0].message.content or "")
        for event in answer:
            said += [choice.delta.content or "" for choice in event.choices]

    def leave(self):
        self.ending.set()
        for thread in self.threads:
            thread.join()


if __name__ == "__main__":
    shoppers = Shoppers(int(sys.argv[1]))
    time.sleep(float(sys.argv[2]) if len(sys.argv) > 2 else 10)
    shoppers.leave()
    print(f"{shoppers.answers} answers, errors: {shoppers.errors}, cut: {shoppers.cut}")
