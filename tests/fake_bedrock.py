"""Amazon Bedrock's Converse and ConverseStream, on the bytes of fake_wire.py.

Requests are held against the service model of AWS's own SDK (botocore): an unknown member or a wrong
type is a ValidationException. Signatures are checked with botocore's own signer. What is answered
follows the model's name.
"""

from __future__ import annotations

import base64
import datetime
import json
import struct
import urllib.parse
import zlib

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.session
import botocore.validate

from fake_upstream import Fake
from fake_wire import Answer

REGION = "eu-central-1"
KEY_ID, SECRET, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session/token+=="
API_KEY = "bedrock-api-key-1"
EVENT_STREAM = "application/vnd.amazon.eventstream"
SIGNATURE = base64.b64encode(b"signed by the model").decode()

_model = botocore.session.get_session().get_service_model("bedrock-runtime")


def message(headers: dict[str, str], payload: bytes) -> bytes:
    packed = b"".join(struct.pack("!B", len(name)) + name.encode() + b"\x07" +
                      struct.pack("!H", len(value)) + value.encode() for name, value in headers.items())
    prelude = struct.pack("!II", 16 + len(packed) + len(payload), len(packed))
    prelude += struct.pack("!I", zlib.crc32(prelude))
    return prelude + packed + payload + struct.pack("!I", zlib.crc32(prelude + packed + payload))


def event(name: str, value: dict) -> bytes:
    # The service pads its events so that their lengths tell nothing.
    return message({":event-type": name, ":content-type": "application/json", ":message-type": "event"},
                   json.dumps({**value, "p": "abcdefgh"}).encode())


def exception(name: str, text: str) -> bytes:
    return message({":exception-type": name, ":content-type": "application/json",
                    ":message-type": "exception"}, json.dumps({"message": text}).encode())


def texts(value) -> str:
    if isinstance(value, list):
        return " ".join(t for t in map(texts, value) if t)
    if isinstance(value, dict):
        return value.get("text") or texts(value.get("toolResult", {}).get("content", []))
    return ""


def contents(body: dict, model: str) -> tuple[list[dict], str]:
    """The answer's blocks, and why it stops."""
    last = body["messages"][-1]
    blocks = []
    if "thinking" in body.get("additionalModelRequestFields", {}):
        blocks.append({"reasoningContent": {"reasoningText": {"text": "Let me see.", "signature": SIGNATURE}}})
    tools = [t["toolSpec"] for t in body.get("toolConfig", {}).get("tools", []) if "toolSpec" in t]
    if tools and not any("toolResult" in block for block in last["content"]):
        blocks.append({"text": "I shall look."})
        blocks += [{"toolUse": {"toolUseId": f"tooluse_{i}", "name": tool["name"],
                                "input": {"city": 'Zürich "old"'} if i == 0 else {}}}
                   for i, tool in enumerate(tools)]
        return blocks, "tool_use"
    text = "You said: " + texts(last["content"])
    if "textFormat" in body.get("outputConfig", {}):
        text = json.dumps({"answer": text})
    blocks.append({"text": text})
    reasons = {"long": "max_tokens", "guarded": "guardrail_intervened", "odd": "something_new"}
    return blocks, reasons.get(model, "end_turn")


def usage_of(body: dict) -> dict:
    prompt = len((texts(body.get("system", [])) + " " + texts([m["content"] for m in body["messages"]]))
                 .split())
    cached = 7 if "cachePoint" in json.dumps(body) else 0
    return {"inputTokens": prompt, "outputTokens": 5, "totalTokens": prompt + 5 + cached,
            "cacheReadInputTokens": cached, "cacheWriteInputTokens": 0}


def events(blocks: list[dict], reason: str, usage: dict) -> list[bytes]:
    out = [event("messageStart", {"role": "assistant"})]
    for index, block in enumerate(blocks):
        deltas = []
        if "text" in block:
            words = block["text"].split(" ")
            deltas = [{"text": word if i == 0 else " " + word} for i, word in enumerate(words)]
        elif "reasoningContent" in block:
            thought = block["reasoningContent"]["reasoningText"]
            deltas = [{"reasoningContent": {"text": thought["text"]}},
                      {"reasoningContent": {"signature": thought["signature"]}}]
        else:
            call = block["toolUse"]
            out.append(event("contentBlockStart", {"contentBlockIndex": index, "start": {"toolUse": {
                "toolUseId": call["toolUseId"], "name": call["name"]}}}))
            text = json.dumps(call["input"], ensure_ascii=False) if call["input"] else ""
            deltas = [{"toolUse": {"input": text[at:at + 4]}} for at in range(0, len(text), 4)]
        out += [event("contentBlockDelta", {"contentBlockIndex": index, "delta": d}) for d in deltas]
        out.append(event("contentBlockStop", {"contentBlockIndex": index}))
    out.append(event("messageStop", {"stopReason": reason}))
    out.append(event("metadata", {"usage": usage, "metrics": {"latencyMs": 12}}))
    return out


ERRORS = {
    "throttled": (429, "ThrottlingException", "Too many requests, please wait before trying again."),
    "throttled-400": (400, "ThrottlingException:http://internal.amazon.com/coral/", "Slow down."),
    "spent": (429, "ThrottlingException", "Too many tokens per day, please wait before trying again."),
    "invalid": (400, "ValidationException", "The provided model identifier is invalid."),
    "too-long": (400, "ValidationException", "Input is too long for requested model."),
    "denied": (403, "AccessDeniedException", "User arn:aws:iam::1:user/x is not authorized."),
    "missing": (404, "ResourceNotFoundException", "This model version has reached the end of its life."),
    "not-ready": (429, "ModelNotReadyException", "The model is not ready."),
    "timed-out": (408, "ModelTimeoutException", "The model took too long."),
    "model-error": (424, "ModelErrorException", "The model failed."),
    "down": (503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    "internal": (500, "InternalServerException", "Something went wrong."),
}


class FakeBedrock(Fake):
    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def _handle(self, answer: Answer):
        record = answer.record
        refusal = self._refusal(record)
        if refusal:
            return await self._error(answer, 403, *refusal)
        parts = record.target.split("/")
        if record.method != "POST" or len(parts) != 4 or parts[1] != "model":
            return await self._error(answer, 404, "UnknownOperationException", "")
        model, action = urllib.parse.unquote(parts[2]), parts[3]
        operation = {"converse": "Converse", "converse-stream": "ConverseStream"}[action]
        body = json.loads(record.body)
        report = botocore.validate.ParamValidator().validate(
            {**body, "modelId": model}, _model.operation_model(operation).input_shape)
        wrong = report.generate_report() or self._wrong_order(body)
        if wrong:
            return await self._error(answer, 400, "ValidationException", wrong)
        name = model.split(".")[-1]
        if name in ERRORS:
            return await self._error(answer, *ERRORS[name])
        blocks, reason = contents(body, name)
        usage = usage_of(body)
        record.usage = usage
        if operation == "Converse":
            return await answer.json(200, {
                "output": {"message": {"role": "assistant", "content": blocks}}, "stopReason": reason,
                "usage": usage, "metrics": {"latencyMs": 12}}, {"x-amzn-requestid": "request-1"})
        await self._stream(answer, name, events(blocks, reason, usage))

    async def _stream(self, answer: Answer, name: str, messages: list[bytes]):
        await answer.head(200, {"content-type": EVENT_STREAM, "transfer-encoding": "chunked"})
        if name == "breaks-early":
            messages = [messages[0], exception("throttlingException", "Slow down.")]
        elif name == "breaks-late":
            messages = messages[:3] + [exception("modelStreamErrorException", "The model failed.")]
        elif name == "damaged":
            messages = messages[:2] + [messages[2][:-1] + b"\x00"] + messages[3:]
        wire = b"".join(messages)
        if name in ("cut", "dropped"):
            await answer.chunk(wire[: len(wire) // 2])
            return await answer.last_chunk() if name == "cut" else answer.close()
        if name == "no-metadata":
            wire = b"".join(messages[:-1])
        step = 7 if name == "pieces" else len(wire)
        for at in range(0, len(wire), step):
            await answer.chunk(wire[at : at + step])
        await answer.last_chunk()

    async def _error(self, answer: Answer, status: int, kind: str, text: str):
        await answer.json(status, {"message": text}, {"x-amzn-errortype": kind})

    @staticmethod
    def _wrong_order(body: dict) -> str:
        """What the service checks beyond the shape of a request."""
        roles = [m["role"] for m in body["messages"]]
        if roles[0] != "user":
            return "A conversation must start with a user message."
        if any(a == b for a, b in zip(roles, roles[1:])):
            return "Roles must alternate between user and assistant."
        used = json.dumps(body["messages"])
        if ('"toolUse"' in used or '"toolResult"' in used) and "toolConfig" not in body:
            return "The toolConfig field must be defined when using toolUse and toolResult content blocks."
        blocks = [b for m in body["messages"] for b in m["content"]]
        if any("text" in b and not b["text"].strip() for b in blocks):
            return "The text field in the ContentBlock object is blank."
        return ""

    @staticmethod
    def _refusal(record) -> tuple[str, str] | None:
        given = record.header("authorization") or ""
        if given == f"Bearer {API_KEY}":
            return None
        if not given.startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/"):
            return "UnrecognizedClientException", "The security token included in the request is invalid."
        session = record.header("x-amz-security-token")
        if session not in (None, SESSION):
            return "ExpiredTokenException", "The security token included in the request is expired"
        names = given.split("SignedHeaders=")[1].split(",")[0].split(";")
        request = botocore.awsrequest.AWSRequest(
            method=record.method, url=f"http://{record.header('host')}{record.target}", data=record.body,
            headers={name: record.header(name) for name in names if name != "x-amz-security-token"})
        stamp = record.header("x-amz-date")
        age = datetime.datetime.now(datetime.timezone.utc) - datetime.datetime.strptime(
            stamp + "+0000", "%Y%m%dT%H%M%SZ%z")
        if abs(age.total_seconds()) > 300:
            return "InvalidSignatureException", "Signature expired"
        signer = botocore.auth.SigV4Auth(
            botocore.credentials.Credentials(KEY_ID, SECRET, session), "bedrock", REGION)
        request.context["timestamp"] = stamp
        if session:
            request.headers["X-Amz-Security-Token"] = session
        canonical = signer.canonical_request(request)
        signature = signer.signature(signer.string_to_sign(request, canonical), request)
        if given.split("Signature=")[1] != signature:
            return "InvalidSignatureException", ("The request signature we calculated does not match the "
                                                 "signature you provided.\n" + canonical)
        return None
