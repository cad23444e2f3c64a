"""What must be seen to work, asked of what runs. Ends with 0 only if all of it does."""

from __future__ import annotations

import base64
import collections
import json
import os
import pathlib
import signal
import sys
import time
import urllib.error
import urllib.request

import anthropic
import openai

from desk import ask

gateway, admin, work = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3])
client = openai.OpenAI(max_retries=0, timeout=60)
claude = anthropic.Anthropic(base_url=gateway, api_key=os.environ["DESK_KEY"], max_retries=0, timeout=60)

SECRETS = ["Margaret", "Ellison", "4471902", "03/14/1956", "Kowalczyk", "Dariusz", "MR-208815", "208815",
           "943 476 5919", "Okonkwo", "Wojbruk", "Oyelde"]
GENERAL = ["What is a normal body temperature?", "Name three causes of a headache.",
           "How is blood pressure measured?", "What does ECG stand for?"]
BIRTH = "Patient: Margaret Ellison, born 03/14/1956, MRN 4471902. Admitted with atrial fibrillation."
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"hospital_number": "HN-4471902"}'}}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}


def expect(what: str, true: bool, seen=None):
    print(f"{'ok  ' if true else 'FAIL'} {what}" + ("" if true else f": {seen!r}"), flush=True)
    if not true:
        sys.exit(1)


def said(*texts: str) -> list[dict]:
    return [{"role": "user", "content": text} for text in texts]


# What holds a record, one way or another: messages, and what else is in the request.
RECORDS = {
    "a record in one message": (said(BIRTH), {}),
    "a name alone": (said("What did we prescribe to Dariusz Kowalczyk?"), {}),
    "a name that is in no list": (said("Tell me how Wojbruk Oyelde slept."), {}),
    "a number as this house writes it": (said("Is HN-4471902 ready to go home?"), {}),
    "another number with a word": (said("medical record number MR-208815: HbA1c 8.2 %, raise metformin?"), {}),
    "a number that is checked": (said("NHS number 943 476 5919, asthma. Which inhaler?"), {}),
    "a record in the instructions": (
        [{"role": "system", "content": f"You help with this patient. {BIRTH}"}] + said("What comes next?"), {}),
    "a record some turns ago": (
        said(BIRTH) + [{"role": "assistant", "content": "I see."}] + said("And what is a fever?"), {}),
    "split over messages": (
        said("This is about Margaret") + [{"role": "assistant", "content": "Whom?"}]
        + said("Ellison, number") + [{"role": "assistant", "content": "Which?"}] + said("HN-4471902"), {}),
    "split over the parts of a message": (
        [{"role": "user", "content": [{"type": "text", "text": "Mrs. Okonkwo"}, {"type": "text", "text": "is worse."}]}], {}),
    "a tool's result": (
        said("Who is in bed 4?") + [{"role": "assistant", "content": None, "tool_calls": [CALL]},
                                    {"role": "tool", "tool_call_id": "call_1", "content": "Margaret Ellison, HN-4471902"}],
        {"tools": [TOOL]}),
    "a call's arguments": (
        said("Who is in bed 4?") + [{"role": "assistant", "content": None, "tool_calls": [CALL]},
                                    {"role": "tool", "tool_call_id": "call_1", "content": "nothing found"}],
        {"tools": [TOOL]}),
    "JSON in a text": (said('{"patient": {"name": "Dariusz Kowalczyk", "mrn": "MR-208815"}, "plan": "?"}'), {}),
    "JSON in JSON": (said(json.dumps({"body": json.dumps({"number": "HN-4471902", "note": "stable"})})), {}),
    "in a tool's description": (
        said("Look it up."), {"tools": [{"type": "function", "function": {
            "name": "find", "description": "Finds what is known of Margaret Ellison, HN-4471902.",
            "parameters": {"type": "object"}}}]}),
    "as the request's user": (said("How is she?"), {"user": "Margaret Ellison"}),
    "in the request's metadata": (said("How is she?"), {"extra_body": {"metadata": {"about": "HN-4471902"}}}),
    "said to be medical by the application": (said(GENERAL[0]), {"extra_headers": {"x-causeway-data": "medical"}}),
}


def seen_in(data: bytes) -> list[str]:
    """Which secrets are in these bytes: as they are, in JSON's escapes, or in base64."""
    low = data.lower()

    def forms(secret: str):
        yield secret.lower().encode()
        yield "".join(f"\\u{ord(letter):04x}" for letter in secret).encode()
        for lead in range(3):  # where it stands in base64 depends on what is before it
            whole = base64.b64encode(b" " * lead + secret.encode()).rstrip(b"=")
            yield whole[(lead * 8 + 5) // 6:-1].lower()

    return [secret for secret in SECRETS if any(form in low for form in forms(secret))]


def recorded() -> bytes:
    return (work / "recording").read_bytes()


def trace(request_id: str) -> dict:
    request = urllib.request.Request(f"{admin}/api/traces/{request_id}",
                                     headers={"authorization": f"Bearer {os.environ['OPERATOR_KEY']}"})
    for _ in range(100):  # it is written when the answer has gone out
        try:
            return json.load(urllib.request.urlopen(request, timeout=10))
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
        time.sleep(0.1)
    raise SystemExit(f"no trace of {request_id}")


def general_questions_are_answered(when: str):
    began = len(recorded())
    for stream in (False, True):
        where = [ask(client, said(question), stream=stream)[0] for question in GENERAL]
        expect(f"general questions, {'streamed' if stream else 'whole'}, {when}: the cloud answers", set(where) == {"cloud"},
               list(zip(GENERAL, where)))
    expect("and it has got them", all(question.encode() in recorded()[began:] for question in GENERAL))


def with_the_ward():
    began, times = len(recorded()), []
    for name, (messages, more) in RECORDS.items():
        for stream in (False, True):
            start = time.monotonic()
            where, answer = ask(client, messages, stream=stream, **more)
            times.append(time.monotonic() - start)
            expect(f"{name}, {'streamed' if stream else 'whole'}: the ward's model answers", where == "ward", where)
    for create in (
            lambda: client.completions.with_raw_response.create(model="assistant", prompt=BIRTH, max_tokens=8),
            lambda: client.responses.with_raw_response.create(model="assistant", input=BIRTH, max_output_tokens=16),
            lambda: claude.messages.with_raw_response.create(model="assistant", max_tokens=8, messages=said(BIRTH))):
        raw = create()
        expect("other clients and interfaces as well", raw.headers["x-causeway-provider"] == "ward", dict(raw.headers))
    expect("the cloud has not received a byte meanwhile", len(recorded()) == began, recorded()[began:])
    print(f"     {len(times)} records, answered in the house in {min(times):.2f} to {max(times):.2f} s")


def with_the_ward_down():
    began, codes, refusals = len(recorded()), collections.Counter(), []
    for name, (messages, more) in RECORDS.items():
        for stream in (False, True):
            try:
                where, _ = ask(client, messages, stream=stream, **more)
                expect(f"{name}: fails closed", False, where)
            except openai.APIStatusError as error:
                codes[f"{error.status_code} {error.code}"] += 1
                refusals.append(error)
    expect("the ward's model is dead: every record fails", len(refusals) == 2 * len(RECORDS))
    expect("with 502 or 503, told apart from other faults",
           {error.status_code for error in refusals} <= {502, 503} and None not in {error.code for error in refusals}, codes)
    print(f"     {dict(codes)}\n     {refusals[-1].message}")
    expect("the message repeats nothing of the record", not any(seen_in(e.response.content) for e in refusals))
    expect("the cloud has not received a byte meanwhile", len(recorded()) == began, recorded()[began:])
    found = trace(refusals[0].response.headers["x-request-id"])
    expect("the trace names the rule, and no attempt elsewhere", found["rule"] == "looks-like-a-record"
           and {attempt["target"] for attempt in found["attempts"]} <= {"ward/small"}, found)


def the_search_would_find():
    """Asked directly, past the gateway, the cloud's recording has every secret: so the search can fail."""
    before = recorded()
    expect("no secret is anywhere in what the cloud has received", not seen_in(before), seen_in(before))
    print(f"     {len(before)} bytes, {before.count(b'POST ')} requests")
    around = openai.OpenAI(base_url=os.environ["CLOUD_URL"], api_key="around", max_retries=0)
    ask_around = around.chat.completions.create(model="large", messages=said(" ".join(SECRETS)))
    expect("past the gateway the same search finds all of them",
           bool(ask_around.choices) and seen_in(recorded()[len(before):]) == SECRETS, seen_in(recorded()[len(before):]))
    expect("in base64 too", seen_in(base64.b64encode(" ".join(SECRETS).encode())) == SECRETS,
           seen_in(base64.b64encode(" ".join(SECRETS).encode())))


general_questions_are_answered("all is well")
with_the_ward()
os.kill(int((work / "ward.pid").read_text()), signal.SIGKILL)
with_the_ward_down()
general_questions_are_answered("the ward is down")
the_search_would_find()
