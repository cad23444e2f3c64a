"""Staff's questions and answers for the tests of them: a gateway's settings, an embedding model that sees
words only, and the calls."""

import asyncio
import re
import zlib

from gateway import KEY
from test_traces import READER

OTHER_KEY = "sk-test-other-tenant-0123456789abcdefghij"
PLAIN_KEY = "sk-test-policy-off-0123456789abcdefghijkl"
QUESTION = "How do I reset my password?"
ANSWER = "Open **Settings**, then “Reset”.\n\n1. Ask for a code.\n2. Type it in.\n\nFertig – grüße!"


def settings(config) -> dict:
    value = config()
    value["models"]["talk"] = {"targets": ["fake/echo"]}
    value["models"]["ground"] = {"targets": ["fake/echo"]}
    value["models"]["near"] = {"targets": ["fake/echo"]}
    value["models"]["means"] = {"targets": ["fake/echo"]}
    value["models"]["vectors"] = {"targets": ["fake/embed-words"]}
    value["models"]["german"] = {"targets": ["fake/echo"]}
    value["keys"] = [{"name": "test", "secret": KEY, "models": ["*"], "tenant": "acme"},
                     {"name": "other", "secret": OTHER_KEY, "models": ["*"], "tenant": "globex"},
                     {"name": "plain", "secret": PLAIN_KEY, "models": ["*"], "roles": ["plain"]},
                     {"name": "reader", "secret": READER, "kind": "admin_read_only"}]
    value["policies"] = [{"name": "plain", "match": {"roles": ["plain"]}, "faq": "off", "retries": "off"},
                         {"name": "talk", "match": {"models": ["talk"]},
                          "faq": {"serve": "exact", "conversation": True}},
                         {"name": "ground", "match": {"models": ["ground"]},
                          "faq": {"serve": "off", "ground": True}},
                         {"name": "near", "match": {"models": ["near"]},
                          "faq": {"ground": True, "model": "vectors", "ground_threshold": 0.6, "most": 2, "wait": "1s"}},
                         {"name": "means", "match": {"models": ["means"]},
                          "faq": {"serve": "meaning", "model": "vectors", "threshold": 0.8}},
                         {"name": "german", "match": {"models": ["german"]},
                          "faq": {"serve": "exact", "languages": ["de"]}},
                         {"name": "everyone", "faq": "exact", "retries": "off"}]
    return value


async def embed_words(answer):
    """Vectors that count words: near is what has words in common."""
    inputs = answer.request["input"]
    data = []
    for index, text in enumerate(inputs):
        if "slow" in text:
            await asyncio.sleep(3)
        value = [0.0] * 512
        for word in re.findall(r"\w+", text.lower()):
            value[zlib.crc32(word.encode()) % 512] += 1.0
        data.append({"object": "embedding", "index": index, "embedding": value})
    await answer.json(200, {"object": "list", "data": data, "model": "embed-words",
                            "usage": {"prompt_tokens": 1, "total_tokens": 1}})


def entries(gw, **query) -> list[dict]:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    answer = gw.admin_call("GET", f"/api/faq?{words}")
    assert answer.status_code == 200, answer.text
    return answer.json()["entries"]


def remove_all(gw):
    for row in entries(gw):
        assert gw.admin_call("DELETE", f"/api/faq/{row['id']}").status_code == 200


def add(gw, question: str = QUESTION, answer: str = ANSWER, *also: str, **more) -> dict:
    reply = gw.admin_call("POST", "/api/faq", {"questions": [question, *also], "answer": answer, **more})
    assert reply.status_code == 201, reply.text
    return reply.json()


def asked(gw, question: str, model: str = "echo", **more):
    """The answer's text, and whether it is staff's."""
    reply = gw.chat(model, question, **more)
    assert reply.status_code == 200, reply.text
    return (reply.json()["choices"][0]["message"]["content"], reply.headers.get("x-causeway-cache") == "faq")


def calls(fake) -> int:
    return len([one for one in fake.records() if "/embeddings" not in one.target and "/models" not in one.target])
