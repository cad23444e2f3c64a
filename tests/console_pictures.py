#!/usr/bin/env python3
"""Takes the pictures of docs/pictures: a gateway with some minutes of made-up traffic, and the console in Chromium.

  python3 tests/console_pictures.py docs/pictures [--minutes 8]     (the environment of scripts/test; pngquant makes them small)
"""

from __future__ import annotations

import argparse
import math
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from console_browser import PHONE, WIDE, browsers  # noqa: E402
from fake_provider import openai_error  # noqa: E402
from fake_upstream import Fake  # noqa: E402
from gateway import UPSTREAM_KEY, Gateway  # noqa: E402

KEYS = {"shop": "sk-pictures-0123456789-shop", "support": "sk-pictures-0123456789-support",
        "research": "sk-pictures-0123456789-research"}
ANSWERS = {
    "refund": "Dear {name}, thank you for your message. Your order arrived on 12 March, so the 30 days for a return "
              "have not passed: a parcel label is on its way to {email}. The money comes back to the card that you paid "
              "with within five working days.",
    "bridge": "Stone holds hands with stone,\nwater walks beneath unasked:\nboth shores keep their names.",
    "sql": "Use a window function:\n```sql\nselect tenant, day, sum(cost) over (partition by tenant order by day)\n"
           "from usage\n```\nIt keeps every row and adds the running total.",
}
PROMPTS = [
    "Please answer this mail: My name is Sophie Keller, sophie.keller@example.com. I would like a refund for order 4711, "
    "paid with card 4111 1111 1111 1111.",
    "A haiku about a bridge, please.",
    "How do I get a running total per tenant in SQL?",
]


def answer_to(text: str) -> str:
    for word, answer in ANSWERS.items():
        if word in text.lower():
            email = next((part.strip(".,") for part in text.split() if "@" in part or "[EMAIL" in part), "you")
            name = text.partition("My name is ")[2].partition(",")[0] or "customer"
            return answer.replace("{email}", email).replace("{name}", name)
    return ANSWERS["bridge"]


def model(first: float, each: float, fails: float = 0.0):
    """A model with these seconds to the first token and for each further one; `fails` of a hundred get a 429."""
    async def answer_request(answer):
        body, dice = answer.request, random.Random()
        if dice.random() < fails:
            return await answer.json(429, openai_error("Rate limit reached", "requests", "rate_limit_exceeded"))
        text = answer_to(str(body["messages"][-1]["content"]))
        usage = {"prompt_tokens": sum(len(str(m["content"])) for m in body["messages"]) // 4,
                 "completion_tokens": len(text) // 4, "total_tokens": 0}
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]
        base = {"id": "chatcmpl-1", "created": 1_760_000_000, "model": body["model"]}
        await answer.sleep(first * dice.uniform(0.7, 1.6))
        if not body.get("stream"):
            await answer.sleep(each * usage["completion_tokens"])
            message = {"role": "assistant", "content": text}
            return await answer.json(200, {**base, "object": "chat.completion", "usage": usage, "choices": [
                {"index": 0, "message": message, "finish_reason": "stop"}]})
        await answer.stream_head()
        chunk = {**base, "object": "chat.completion.chunk"}
        for at in range(0, len(text), 12):
            delta = {"role": "assistant", "content": text[at:at + 12]}
            await answer.event({**chunk, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
            await answer.sleep(each * 3)
        await answer.event({**chunk, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        await answer.event({**chunk, "choices": [], "usage": usage})
        await answer.event("[DONE]")
        await answer.last_chunk()
    return answer_request


def settings(fake: Fake) -> dict:
    def provider() -> dict:
        return {"kind": "openai", "base_url": fake.base_url, "api_key": UPSTREAM_KEY}

    def price(into: float, out: float) -> dict:
        return {"input": into, "output": out}

    return {
        "providers": {"openai": provider(), "mistral": provider(), "local": {"kind": "embedded"}},
        "models": {"fast": {"targets": ["mistral/mistral-small"]},
                   "smart": {"targets": ["openai/gpt-4.1", "mistral/mistral-large"]},
                   "writer": {"targets": ["mistral/mistral-large"]}},
        "prices": {"models": {"openai/gpt-4.1": price(2, 8), "mistral/mistral-small": price(0.1, 0.3),
                              "mistral/mistral-large": price(2, 6)}},
        "keys": [{"name": name, "secret": secret, "models": ["*"], "tenant": "research" if name == "research" else "acme"}
                 for name, secret in KEYS.items()],
        "policies": [{"name": "everyone", "pii": "mask", "traces": {"contents": "on"}}],
    }


def traffic(gateway: Gateway, seconds: float):
    """Comes in waves, each request with a connection of its own."""
    began, dice = time.monotonic(), random.Random(7)

    def one():
        asked = dice.choices(["fast", "smart", "writer", "fastest"], [6, 5, 2, 0.15])[0]
        send = gateway.chat_stream if dice.random() < 0.7 else gateway.chat
        send(asked, dice.choice(PROMPTS), key=KEYS[dice.choices(list(KEYS), [5, 3, 2])[0]])

    threads = []
    while (gone := time.monotonic() - began) < seconds:
        thread = threading.Thread(target=one)
        thread.start()
        threads = [old for old in threads if old.is_alive()] + [thread]
        time.sleep(0.28 - 0.16 * math.sin(gone / 55) + dice.random() * 0.1)
    for thread in threads:
        thread.join()


def take(made, gateway: Gateway, folder: pathlib.Path, dark: bool, size: dict):
    name = "phone" if size == PHONE else "dark" if dark else "light"
    console = made.console(gateway, dark=dark, size=size).sign_in()
    page = console.page

    def keep(what: str):
        page.mouse.move(0, 0)
        page.wait_for_timeout(400)
        page.screenshot(path=folder / f"console-{what}-{name}.png")

    console.open("overview?window=15m")
    keep("overview")
    console.open("traces?found=card&model=smart")
    keep("traces")
    page.locator("tbody a").first.click()
    page.get_by_role("heading", name="Trace", exact=True).wait_for()
    console.settled()
    keep("trace")
    if size == PHONE:
        return
    console.open("playground?models=smart,fast")
    page.get_by_label("System prompt").fill("You answer customers of a shop, friendly and brief.")
    page.get_by_label("Prompt", exact=True).fill(PROMPTS[0])
    page.get_by_role("button", name="Send").click()
    page.locator(".column footer").get_by_role("link", name="trace").nth(1).wait_for()
    page.get_by_role("button", name="As the provider sees it").click()
    keep("playground")
    console.open("usage?by=key")
    keep("usage")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--minutes", type=float, default=8)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    fake = Fake().start()
    for name, handler in {"gpt-4.1": model(0.35, 0.006, 0.06), "mistral-small": model(0.12, 0.003, 0.005),
                          "mistral-large": model(0.3, 0.008)}.items():
        fake.on(name, handler)
    work = pathlib.Path(tempfile.mkdtemp(prefix="causeway-pictures-"))
    gateway = Gateway(work / "causeway", settings(fake))
    try:
        traffic(gateway, options.minutes * 60)
        time.sleep(11)  # until the last sample is taken
        with browsers() as made:
            take(made, gateway, options.folder, False, WIDE)
            take(made, gateway, options.folder, True, WIDE)
            take(made, gateway, options.folder, False, PHONE)
    finally:
        gateway.stop()
        fake.stop()
        shutil.rmtree(work, ignore_errors=True)
    if shutil.which("pngquant"):
        subprocess.run(["pngquant", "--force", "--ext", ".png", "--skip-if-larger", "--strip",
                        *options.folder.glob("console-*.png")], check=False)


if __name__ == "__main__":
    main()
