"""A shop that asks all the time, with the official client: `shop.py [QUESTIONS_A_SECOND]`, until it is ended."""

from __future__ import annotations

import concurrent.futures
import signal
import sys
import threading

import openai

rate = float(sys.argv[1]) if len(sys.argv) > 1 else 10
ending = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: ending.set())
client = openai.OpenAI(max_retries=0, timeout=30)


def ask():
    stream = client.chat.completions.create(
        model="fast", stream=True, messages=[{"role": "user", "content": "Where is my parcel, and when will it be here?"}])
    for _ in stream:
        pass


with concurrent.futures.ThreadPoolExecutor(32) as pool:
    print("asking", flush=True)
    while not ending.wait(1 / rate):
        pool.submit(ask)
