"""What must be seen to work, asked of what runs. Ends with 0 only if all of it does."""

from __future__ import annotations

import asyncio
import collections
import itertools
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import httpx

admin, work, gateway = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
URL, KEY = os.environ["OPENAI_BASE_URL"], os.environ["OPENAI_API_KEY"]
REPLICAS = [line + "/v1" for line in (work / "replicas").read_text().split()]
OPERATOR = {"authorization": f"Bearer {os.environ['OPERATOR_KEY']}"}


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


async def send(address: str, users: list[str], pause: float = 0, connections: int = 50,
               urls: tuple[str, ...] = (URL,)) -> list[httpx.Response]:
    """A request of each user, from this address, at once or one after the other; each to the next replica."""
    turns, places = itertools.cycle(urls), asyncio.Semaphore(connections)  # what waits in the client's pool makes it slow
    transport = httpx.AsyncHTTPTransport(local_address=address, limits=httpx.Limits(max_connections=connections))
    async with httpx.AsyncClient(transport=transport, timeout=60, headers={"authorization": f"Bearer {KEY}"}) as client:
        async def one(user: str):
            async with places:
                return await client.post(f"{next(turns)}/chat/completions", json={
                    "model": "chat", "user": user, "messages": [{"role": "user", "content": "hello"}]})
        if not pause:
            return await asyncio.gather(*(one(user) for user in users))
        answers = []
        for user in users:
            answers.append(await one(user))
            await asyncio.sleep(pause)
        return answers


def statuses(answers) -> dict[int, int]:
    return dict(collections.Counter(answer.status_code for answer in answers))


def shown(*words: str) -> str:
    return subprocess.run([gateway, *words, "--data", str(work / "data1")], capture_output=True, text=True,
                          check=True).stdout


async def all_there() -> bool:
    """Each replica knows of the others."""
    async with httpx.AsyncClient(headers=OPERATOR) as client:
        for i in range(len(REPLICAS)):
            ready = json.loads((work / f"ready{i + 1}.json").read_text())
            reply = (await client.get(f"http://{ready['admin']}/api/limits")).json()
            if (reply["counted"], reply["replicas"]) != ("together", len(REPLICAS)):
                return False
    return True


for _ in range(100):
    if asyncio.run(all_there()):
        break
    time.sleep(0.1)
expect("three replicas count together", asyncio.run(all_there()), shown("limits"))

# A visitor whom nobody has seen before, 150 requests at once, spread over the replicas
answers = asyncio.run(send("127.0.0.11", ["ann"] * 150, urls=REPLICAS))
expect("a hundred a minute for each visitor, to the last one, of all replicas together", statuses(answers) == {200: 100, 429: 50}, statuses(answers))
refused = next(answer for answer in answers if answer.status_code == 429)
expect("who is refused is told why, and when to come back",
       "100 requests per user in 1m" in refused.text and int(refused.headers["retry-after"]) > 40, refused.text)
expect("another visitor does not notice", statuses(asyncio.run(send("127.0.0.11", ["bob"] * 20))) == {200: 20})
expect("and sees what is left", asyncio.run(send("127.0.0.11", ["bob"]))[0].headers["x-ratelimit-remaining-requests"] == "79")
expect("the operator sees who is at the end", "ann" in shown("limits", "--near", "0.9"), shown("limits"))


# One address floods, with a new name each time; thirty others ask as people do
async def a_flood_and_others():
    flood = asyncio.create_task(send("127.0.0.66", [f"u{i}" for i in range(600)]))
    others = [asyncio.create_task(send(f"127.0.0.{100 + i}", [f"visitor-{i}"] * 4, pause=0.3)) for i in range(30)]
    return await flood, [answer for answers in await asyncio.gather(*others) for answer in answers]


flooded, others = asyncio.run(a_flood_and_others())
counted = statuses(flooded)
expect("who floods is left outside", counted.get(429, 0) >= 300 and counted.get(200, 0) <= 250, counted)
blocked = next(answer for answer in flooded if answer.status_code == 429)
expect("with a reason and a time", blocked.json()["error"]["code"] == "blocked" and "retry-after" in blocked.headers,
       blocked.text)
expect("nobody else is", statuses(others) == {200: 120}, statuses(others))
expect("the operator sees the block", "127.0.0.66" in shown("blocks", "list"), shown("blocks", "list"))
seen = len((work / "cloud.log").read_text().splitlines())
expect("and the provider was spared it", seen <= 100 + 21 + 120 + counted.get(200, 0), seen)
time.sleep(5.5)
expect("after a while it may come back", statuses(asyncio.run(send("127.0.0.66", ["someone"]))) == {200: 1})
blocked_again = statuses(asyncio.run(send("127.0.0.66", [f"v{i}" for i in range(600)])))
rows = httpx.get(f"{admin}/api/blocks", headers=OPERATOR).json()
print(f"     the second time: {json.dumps(rows)[:200]}")
expect("and the second block is longer", blocked_again.get(429, 0) >= 300, blocked_again)
time.sleep(5.5)
expect("than the first was", statuses(asyncio.run(send("127.0.0.66", ["someone"]))) == {429: 1})
shown("blocks", "remove", "127.0.0.66")
expect("an operator lets it in again", statuses(asyncio.run(send("127.0.0.66", ["someone"]))) == {200: 1})

# Redis dies: each replica goes on with its part; nobody gets more than before
redis = int((work / "redis.pid").read_text())
os.kill(redis, signal.SIGKILL)
for _ in range(100):
    if not asyncio.run(all_there()):
        break
    time.sleep(0.1)
answers = asyncio.run(send("127.0.0.12", ["cleo"] * 150, urls=REPLICAS))
expect("without Redis each replica has a third of it", statuses(answers) == {200: 99, 429: 51}, statuses(answers))
expect("and says so", "Redis does not answer" in shown("limits"), shown("limits"))
