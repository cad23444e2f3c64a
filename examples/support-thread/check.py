"""What must be seen to work: asked of the help desk's program, and of all that the provider got."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

from helpdesk import mails

here = pathlib.Path(__file__).parent
record = pathlib.Path(sys.argv[1])
thread = str(here / "thread.txt")


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def ask(question: str) -> tuple[list[dict], int]:
    """What the provider got for this question, and what the program was told to have saved."""
    done = subprocess.run([sys.executable, here / "helpdesk.py", thread, question], text=True, capture_output=True)
    expect(f"an answer comes: {question}", done.returncode == 0 and done.stdout.strip() == "It is in the mails.",
           done.stdout + done.stderr)
    return json.loads(record.read_text().splitlines()[-1])["messages"], int(done.stderr.rsplit(": ", 1)[1])


whole = sum(len(mail) for mail in mails(thread))
for question, answer in [("What is the serial number of the coffee machine?", "KM-88421-B"),
                         ("To which entrance should the technician come on Tuesday?", "Strandgaten 14"),
                         ("Which guide about descaling did they follow?", "descaling?model=km")]:
    messages, saved = ask(question)
    sent = sum(len(m["content"]) for m in messages)
    expect("the instructions and three messages were sent, the question last",
           [m["role"] for m in messages] == ["system", "user", "user", "user"]
           and messages[-1]["content"] == question, messages)
    expect(f"the mail with the answer is among them ({answer})", any(answer in m["content"] for m in messages), messages)
    expect(f"of {whole} characters {sent} went out; {saved} tokens were saved", sent < whole / 5 and saved > whole / 8)

everything = record.read_bytes()
for name, bytes_ in [("signature", b"Office Manager"), ("closing", b"est regards"), ("quoted reply", b"wrote:"),
                     ("quoted line", b"\\n> "), ("tracking parameter", b"utm_"), ("id of a reader", b"mc_eid"),
                     ("file in base64", mails(thread)[6].split("\n")[3].encode())]:
    expect(f"no {name} has reached the provider", bytes_ and bytes_ not in everything, bytes_)

usage = json.loads(subprocess.run([os.environ["GATEWAY"], "usage", "--json", "--data", os.environ["DATA"]],
                                  text=True, capture_output=True, check=True).stdout)["usage"]
expect("the ledger knows what was saved", [row["requests"] for row in usage] == [3] and usage[0]["tokens_saved"] > 500,
       usage)
