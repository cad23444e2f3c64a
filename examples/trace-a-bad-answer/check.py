"""What must be seen to work, asked of what runs. Ends with 0 only if all of it does."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.error
import urllib.request

from helppage import ask

admin = sys.argv[1]
QUESTION = "I am Ottilie Brandstetter, o.brand@example.com. Which guarantee is there on the battery?"


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def call(path: str, value: dict | None = None, key: str = "OPERATOR_KEY", method: str | None = None):
    request = urllib.request.Request(admin + path, json.dumps(value).encode() if value is not None else None,
                                     {"authorization": f"Bearer {os.environ[key]}"}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, reply.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def replayed(text: str) -> tuple[str, dict]:
    events = [block.split("\n", 1) for block in text.strip().split("\n\n")]
    data = [(name.removeprefix("event: "), json.loads(line.removeprefix("data: "))) for name, line in events]
    body = "".join(one["data"] for name, one in data if name == "piece")
    return json.loads(body)["choices"][0]["message"]["content"], data[-1][1]


answer, request_id = ask(QUESTION)
expect("a customer gets an answer that is none", "charged in four hours" in answer, answer)

# A trace is written behind the answer's last byte.
end = time.monotonic() + 20
while call(f"/api/traces/{request_id}")[0] != 200 and time.monotonic() < end:
    time.sleep(0.05)
status, text = call("/api/traces?contains=charged+in+four+hours")
found = json.loads(text)["traces"]
expect("the operator finds it by its words", [trace["request_id"] for trace in found] == [request_id], found)

status, text = call(f"/api/traces/{request_id}")
trace = json.loads(text)
sent = trace["contents"]["request"]
expect("one call shows the prompt as it was sent, without the customer's name and address",
       "Which guarantee is there" in sent and "Brandstetter" not in sent and "o.brand@example.com" not in sent, sent)
expect("… the passages that the page had found, the wrong one first",
       sent.index("charged in four hours") < sent.index("two years on the frame"), sent)
expect("… which model, and which version of it, answered",
       trace["attempts"][0]["target"] == "small/gpt-4.1-mini"
       and trace["attempts"][0]["answering_model"] == "small-2026-03", trace["attempts"])
expect("… the provider's answer as it came",
       "charged in four hours" in trace["contents"]["answer"][0]["text"], trace["contents"])
stages = [stage["stage"] for stage in trace["stages"]]
expect("… every stage and what it decided",
       {"identify", "resolve", "pii", "choose"} <= set(stages) and not any(s["ended"] for s in trace["stages"])
       and {one["kind"] for one in trace["found"]} >= {"person", "email"}, trace)

status, text = call("/api/playground", {"trace": request_id})
again, done = replayed(text)
expect("sent again to the same model it says the same", "charged in four hours" in again, again)
status, text = call("/api/playground", {"trace": request_id, "model": "better"})
better, done = replayed(text)
expect("the other model answers the question from the same prompt", "two years on the frame" in better, better)
expect("… which still has neither name nor address",
       "Brandstetter" not in done["sent"]["body"] and "o.brand" not in done["sent"]["body"], done)

ran = subprocess.run([os.environ["GATEWAY"], "replay", request_id, "--model", "better", "--data", os.environ["DATA"]],
                     capture_output=True, text=True, timeout=60)
expect("the command line does it as well", "two years on the frame" in ran.stdout, (ran.stdout, ran.stderr))

status, text = call("/api/test-cases", {"trace": request_id, "note": "search finds the wrong passage"})
expect("it is kept as a test case", status == 201, text)

status, text = call(f"/api/traces/{request_id}", key="AUDITOR_KEY")
expect("the link shows an auditor the way of the request, not what was said",
       status == 200 and "charged in four hours" not in text and "guarantee" not in text, text)
status, text = call("/api/playground", {"trace": request_id}, key="AUDITOR_KEY")
expect("… who may not send it again", status == 403, text)

data = pathlib.Path(os.environ["DATA"])
words = (b"charged in four hours", b"Brandstetter", b"wrong passage")
clear = [(path.name, word) for path in data.rglob("*") if path.is_file() for word in words if word in path.read_bytes()]
expect("nothing of it stands on the disk in clear", not clear, clear)
