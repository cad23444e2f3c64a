"""Many callers at once, with the official client, each without retries of its own: `burst.py MODEL COUNT`."""

from __future__ import annotations

import collections
import concurrent.futures
import sys
import time

import openai


class Burst:
    """What became of `count` calls, all begun at once; every second one is streamed."""

    def __init__(self, client: openai.OpenAI, model: str, count: int):
        self.client, self.model = client, model
        with concurrent.futures.ThreadPoolExecutor(count) as pool:
            self.ends, self.seconds = zip(*pool.map(self.ask, range(count)))

    def ask(self, number: int) -> tuple[str, float]:
        """The provider that answered, or the error; and how long it took."""
        began = time.monotonic()
        try:
            raw = self.client.chat.completions.with_raw_response.create(
                model=self.model, messages=[{"role": "user", "content": f"Where is parcel {number}?"}], stream=number % 2 == 1)
            answer = raw.parse()
            text = ("".join(event.choices[0].delta.content or "" for event in answer if event.choices)
                    if number % 2 else answer.choices[0].message.content)
            end = raw.headers.get("x-causeway-provider", "answered") if text.strip() == "It is on its way." else "wrong text"
        except openai.APIStatusError as error:
            end = f"error {error.status_code}"
        return end, time.monotonic() - began

    @property
    def counts(self) -> dict[str, int]:
        return dict(collections.Counter(self.ends))

    def line(self) -> str:
        times = sorted(self.seconds)
        return (f"{len(times)} callers of {self.model}: {self.counts}; "
                f"half within {times[len(times) // 2]:.2f} s, all within {times[-1]:.2f} s")


if __name__ == "__main__":
    print(Burst(openai.OpenAI(max_retries=0, timeout=60), sys.argv[1], int(sys.argv[2])).line())
