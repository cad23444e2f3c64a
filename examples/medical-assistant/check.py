"""What must hold, asked of the running gateway. Ends with 0 only if all of it does."""

from __future__ import annotations

import json
import os
import pathlib
import sys

import openai

from assistant import write_letter

gateway, recording, data = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
notes = json.loads(pathlib.Path(__file__).with_name("notes.json").read_text())


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def client(key: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway + "/v1", api_key=os.environ[key], max_retries=0, timeout=30)


for number, note in enumerate(notes, 1):
    for stream in (False, True):
        how = "streamed" if stream else "whole"
        letter = "".join(write_letter(client("WARD_KEY"), note["text"], stream))
        expect(f"note {number}, {how}: the physician reads the real words", note["text"] in letter, letter)
        expect(f"note {number}, {how}: no stand-in is left", "[" not in letter, letter)
        blind = "".join(write_letter(client("BILLING_KEY"), note["text"], stream))
        leaked = [secret for secret in note["secrets"] if secret in blind]
        expect(f"note {number}, {how}: the clerk reads none of them", not leaked, (leaked, blind))
        expect(f"note {number}, {how}: the clerk reads stand-ins and the rest",
               "[PATIENT_NAME]" in blind and all(words in blind for words in note["kept"]), blind)

seen = recording.read_bytes()
expect("the provider has got all requests", seen.count(b"POST /v1/chat/completions") == 4 * len(notes))
places = {"the provider's side": seen}
places.update({str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()})
for place, content in places.items():
    leaked = [secret for note in notes for secret in note["secrets"]
              if secret.encode() in content or json.dumps(secret)[1:-1].encode() in content]
    expect(f"no byte of what is secret: {place}", not leaked, leaked)
for stand_in in (b"[PATIENT_NAME]", b"[ADDRESS]", b"[MRN]", b"[BORN]", b"[EMAIL]", b"[PHONE]"):
    expect(f"the provider reads {stand_in.decode()}", stand_in in seen)
