"""What must be seen to work, asked of what runs. Ends with 0 only if all of it does."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import time
import urllib.request

import openai

admin, work, gateway = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
SHOP, OTHER = os.environ["SHOP_KEY"], os.environ["OTHER_KEY"]


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def api(path: str, method: str = "GET", body: dict | None = None) -> dict:
    request = urllib.request.Request(admin + path, method=method, data=json.dumps(body).encode() if body else None,
                                     headers={"authorization": f"Bearer {os.environ['OPERATOR_KEY']}",
                                              "content-type": "application/json"})
    return json.loads(urllib.request.urlopen(request, timeout=30).read())


def ask(question: str, key: str = SHOP) -> tuple[str, str]:
    """Where the answer came from, and the answer."""
    client = openai.OpenAI(api_key=key, max_retries=0, timeout=120)
    raw = client.chat.completions.with_raw_response.create(
        model="help", messages=[{"role": "user", "content": question}])
    return raw.headers.get("x-causeway-cache", ""), raw.parse().choices[0].message.content


def asked() -> list[str]:
    """What the provider was asked so far."""
    file = work / "cloud.log"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def until(what: str, true, seconds: float = 240):
    end = time.monotonic() + seconds
    while not (value := true()):
        if time.monotonic() > end:
            expect(what, False, value)
        time.sleep(0.5)
    expect(what, True)


# Staff's answers, exactly and in other words
expect("staff's answer, whatever the case and the marks",
       ask("how do i RETURN a parcel") == ("faq", "Print the label from your account and bring the parcel to any "
                                           "post office within 30 days."), ask("how do i RETURN a parcel"))
expect("in the language it was asked in", "Drucken Sie den Aufkleber" in ask("Wie schicke ich ein Paket zurück?")[1])
until("in other words, once the embedding model is there (it is fetched at its first use)",
      lambda: ask("How can I return my parcel?")[0] == "faq")
before = asked()
expect("what only looks alike is asked of the model: another thing",
       ask("How do I return a phone?")[0] == "miss", asked()[len(before):])
expect("and the opposite", ask("How do I not return a parcel?")[0] == "miss", asked()[len(before):])
expect("no model was asked but for these two", len(asked()) == len(before) + 2, asked())
expect("a tenant's own answer is for its callers alone", ask("How do I return a parcel?", OTHER)[0] == "miss")
expect("one for all is for all", ask("When do you open?", OTHER)[0] == "faq")
client = openai.OpenAI(max_retries=0, timeout=60)
pieces = [piece.choices[0].delta.content or "" for piece in client.chat.completions.create(
    model="help", stream=True, messages=[{"role": "user", "content": "When do you open?"}]) if piece.choices]
expect("as a stream, where one was asked for", "".join(pieces) == "Monday to Friday, 9 to 18 h.", pieces)

# A stale answer expires
entry = next(one for one in api("/api/faq?tenant=shop")["entries"] if one["language"] == "en")
changed = api(f"/api/faq/{entry['id']}", "PATCH", {"version": entry["version"], "valid_until": "2020-01-01"})
expect("an answer whose time is over is not given", ask("How do I return a parcel?")[0] == "miss", changed)
expect("each change is a version", changed["version"] == entry["version"] + 1, changed)

# What a model has answered
question = "Which of your parcels is the heaviest?"
count = len(asked())
first, again = ask(question), ask(question)
expect("what a model has answered is not asked twice", [first[0], again[0]] == ["miss", "exact"], (first, again))
expect("and is the same", first[1] == again[1] and len(asked()) == count + 1, asked()[count:])
time.sleep(3.2)
expect("until its time is over", ask(question)[0] == "miss")

# One customer's answer is never another's
count = len(asked())
ann = ask("Send my invoice to ann.lee@example.com, please.")
bob = ask("Send my invoice to bob.roy@example.org, please.")
expect("two customers, one call: the second one's answer was there", [ann[0], bob[0]] == ["miss", "exact"], (ann, bob))
expect("each with the own address in it", "ann.lee@example.com" in ann[1] and "bob.roy@example.org" in bob[1]
       and "ann.lee" not in bob[1], (ann, bob))
expect("the provider saw neither", len(asked()) == count + 1 and "@example" not in asked()[-1], asked()[count:])
expect("another tenant has answers of its own",
       ask("Send my invoice to ann.lee@example.com, please.", OTHER)[0] == "miss")

# What it saved
shop = next(row for row in api("/api/usage?by=tenant")["usage"] if row["tenant"] == "shop")
until("requests, tokens and money that were saved are counted", lambda: next(
    row for row in api("/api/usage?by=tenant")["usage"] if row["tenant"] == "shop").get("cost_saved", 0) > 0, 10)
shop = next(row for row in api("/api/usage?by=tenant")["usage"] if row["tenant"] == "shop")
rate = shop["cached_requests"] / shop["requests"]
print(f"     {shop['cached_requests']} of {shop['requests']} requests without a model ({rate:.0%}), {shop['cached_tokens']} tokens "
      f"and {shop['cost_saved']} of money not spent")
shown = subprocess.run([gateway, "usage", "--data", str(work / "data")], capture_output=True, text=True, check=True).stdout
expect("and the command line shows it", "STORED" in shown, shown)
