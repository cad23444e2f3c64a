"""Vertex AI as it answers: Google's token service and metadata server, Gemini and Claude below one project.

It refuses what the real ones refuse: a signature or claim that is wrong, a body that names its model, a
content without a role, an embedding model asked by the other one's method. test_vertex.py lets Google's and
Anthropic's own clients talk to it first.
"""

from __future__ import annotations

import base64
import json
import re
import time
import urllib.parse

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

import fake_anthropic
import fake_gemini
from fake_gemini import google_error, sse
from fake_upstream import Fake
from fake_wire import Answer

PROJECT, LOCATION = "contoso-1", "europe-west4"
EMAIL, KEY_ID = "gateway@contoso-1.iam.gserviceaccount.com", "key-1"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
METADATA = "/computeMetadata/v1/instance/service-accounts/default/token"
VERSIONS = {"vertex-2023-10-16", "2026-10-21"}  # as documented, and as Anthropic's own client says now
API_KEY = "AQ.express-key"
PATH = re.compile(r"/(v1|v1beta1)(?:/projects/([^/]+)/locations/([^/]+))?"
                  r"/(?:publishers/(google|anthropic)/models|(endpoints))/([^/:?]+):(\w+)(?:\?(.*))?$")

QUOTA = google_error(429, "RESOURCE_EXHAUSTED", "Quota exceeded for aiplatform.googleapis.com/"
                     "online_prediction_requests_per_base_model with base model: anthropic-claude.", [
                         {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "21s"}])
DENIED = google_error(403, "PERMISSION_DENIED", f"Permission 'aiplatform.endpoints.predict' denied on resource "
                      f"'//aiplatform.googleapis.com/projects/{PROJECT}/locations/{LOCATION}'.")
MISSING = google_error(404, "NOT_FOUND", f"Publisher Model `projects/{PROJECT}/locations/{LOCATION}/publishers/"
                       "google/models/x` was not found or your project does not have access to it.")
ERRORS = {"claude-quota": (429, QUOTA), "gemini-quota": (429, QUOTA), "claude-denied": (403, DENIED),
          "gemini-missing": (404, MISSING), "claude-missing": (404, MISSING)}

_private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = _private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                             serialization.NoEncryption()).decode()


class Invalid(Exception):
    """What the API would not take."""


def unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class FakeVertex(Fake):
    def __init__(self):
        super().__init__()
        self.tokens_given = 0
        self.lifetime = 3600
        self.token_pause = 0.0
        self.token_fault: int | None = None
        self.token_body: bytes | None = None  # in the place of a right answer
        self.token_asked = 0

    @property
    def token_uri(self) -> str:
        return f"{self.url}/token"

    def key_file(self, **changed) -> dict:
        """What Google's console gives for a service account."""
        return {"type": "service_account", "project_id": PROJECT, "private_key_id": KEY_ID,
                "private_key": PEM, "client_email": EMAIL, "client_id": "1234567890",
                "token_uri": self.token_uri, "universe_domain": "googleapis.com", **changed}

    async def _handle(self, answer: Answer):
        target = answer.record.target
        if target == "/token":
            return await self._token(answer)
        if target.split("?")[0] == METADATA:
            return await self._metadata(answer)
        match = PATH.match(urllib.parse.unquote(target))
        if not match or answer.record.method != "POST":
            return await answer.json(404, google_error(404, "NOT_FOUND", "no such path"))
        version, project, location, publisher, tuned, model, method, query = match.groups()
        if not self._may(answer, project, location):
            return await answer.json(401, google_error(401, "UNAUTHENTICATED",
                                                       "Request had invalid authentication credentials."))
        if model in ERRORS:
            status, error = ERRORS[model]
            return await answer.json(status, error)
        try:
            if publisher == "anthropic":
                return await self._claude(answer, model, method)
            await self._gemini(answer, model, method, query)
        except Invalid as why:
            await answer.json(400, google_error(400, "INVALID_ARGUMENT", str(why)))

    def _may(self, answer: Answer, project: str | None, location: str | None) -> bool:
        if answer.record.header("x-goog-api-key") == API_KEY:
            return project is None and answer.record.header("authorization") is None
        known = {f"Bearer ya29.{n + 1}" for n in range(self.tokens_given)}
        return (project, location) == (PROJECT, LOCATION) and answer.record.header("authorization") in known

    # --- who is calling

    async def _give(self, answer: Answer):
        if self.token_pause:
            await answer.sleep(self.token_pause)
        if self.token_fault:
            return await answer.json(self.token_fault, {"error": "internal_failure"})
        if self.token_body is not None:
            return await answer.body(200, self.token_body, "application/json")
        self.tokens_given += 1
        await answer.json(200, {"access_token": f"ya29.{self.tokens_given}", "token_type": "Bearer",
                                "expires_in": self.lifetime})

    async def _token(self, answer: Answer):
        self.token_asked += 1
        form = dict(urllib.parse.parse_qsl(answer.record.body.decode()))
        try:
            if form.get("grant_type") != GRANT:
                raise Invalid("unsupported grant_type")
            self._check(form["assertion"])
        except Invalid as why:
            return await answer.json(400, {"error": "invalid_grant", "error_description": str(why)})
        await self._give(answer)

    def _check(self, token: str):
        signed, _, signature = token.rpartition(".")
        header, claims = (json.loads(unbase64(part)) for part in signed.split("."))
        try:
            _private.public_key().verify(unbase64(signature), signed.encode(), padding.PKCS1v15(),
                                         hashes.SHA256())
        except InvalidSignature:
            raise Invalid("Invalid JWT Signature.") from None
        if header != {"alg": "RS256", "typ": "JWT", "kid": KEY_ID}:
            raise Invalid(f"Invalid JWT header: {header}")
        # Google's own client names the public address of the service, wherever it sends the token.
        aud = claims["aud"] in (self.token_uri, "https://oauth2.googleapis.com/token")
        if (claims["iss"], claims["scope"]) != (EMAIL, SCOPE) or not aud:
            raise Invalid(f"Invalid JWT claims: {claims}")
        if not (abs(claims["iat"] - time.time()) < 60 and 0 < claims["exp"] - claims["iat"] <= 3600):
            raise Invalid("Invalid JWT: Token must be a short-lived token (60 minutes).")

    async def _metadata(self, answer: Answer):
        self.token_asked += 1
        if answer.record.method != "GET" or answer.record.header("metadata-flavor") != "Google":
            return await answer.body(403, b"Missing Metadata-Flavor:Google header.", "text/html")
        await self._give(answer)

    # --- the models

    async def _claude(self, answer: Answer, model: str, method: str):
        body = answer.request
        if body.get("anthropic_version") not in VERSIONS:
            return await answer.json(400, fake_anthropic.anthropic_error(
                "invalid_request_error", "anthropic_version: Field required"))
        count = model == "count-tokens"
        if count and answer.record.header("anthropic-beta"):
            return await answer.json(400, fake_anthropic.anthropic_error(
                "invalid_request_error", "Unexpected value(s) for the `anthropic-beta` header."))
        if ("model" in body) != count:
            return await answer.json(400, fake_anthropic.anthropic_error(
                "invalid_request_error", "model: Extra inputs are not permitted"))
        if method != ("streamRawPredict" if body.get("stream") else "rawPredict"):
            raise Invalid(f"{method} with stream: {body.get('stream')}")
        if not answer.record.header("anthropic-version"):  # the body says it here
            answer.record.headers.append(("anthropic-version", "2023-06-01"))
        if count:
            answer.record.target = "/count_tokens"  # as the handler knows it
            return await fake_anthropic.messages(answer)
        body["model"] = model
        answer.record.body = json.dumps(body).encode()
        handler = self._handlers.get(model) or fake_anthropic.SCENARIOS.get(model) or fake_anthropic.messages
        await handler(answer)

    async def _gemini(self, answer: Answer, model: str, method: str, query: str | None):
        body = answer.request
        for name in ("model", "generateContentRequest"):
            if name in body:
                raise Invalid(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        if method.startswith("embed") or method.startswith("batchEmbed") or method == "predict":
            return await self._embed(answer, model, method)
        for content in body["contents"]:
            if content.get("role") not in ("user", "model"):
                raise Invalid("Please use a valid role: user, model.")
        if model in self._handlers:
            return await self._handlers[model](answer)
        if method == "countTokens":
            system = body.get("systemInstruction", {"parts": []})
            return await answer.json(200, {"totalTokens": 31 + len(system["parts"]),
                                           "totalBillableCharacters": 5})
        if method == "generateContent":
            return await answer.json(200, fake_gemini.whole(model, body))
        if method != "streamGenerateContent" or query != "alt=sse":
            raise Invalid(f"{method}?{query}")
        await answer.head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        events = fake_gemini.events_of(model, body)
        if model == "gemini-cut":
            events = events[:-1]
        if model == "gemini-fails-first":
            events = [google_error(503, "UNAVAILABLE", "The service is currently unavailable.")]
        for event in events:
            await answer.chunk(sse([event]))
        await answer.last_chunk()

    async def _embed(self, answer: Answer, model: str, method: str):
        body = answer.request
        if ("gemini" in model) == (method == "predict"):
            return await answer.json(400, google_error(400, "FAILED_PRECONDITION", "Precondition check failed."))
        if method == "predict":
            if set(body) - {"instances", "parameters"} or any(
                    set(i) - {"content", "title", "task_type", "mimeType"} for i in body["instances"]):
                raise Invalid(f"unknown fields: {body}")
            size = body.get("parameters", {}).get("outputDimensionality", 2)
            return await answer.json(200, {"predictions": [
                {"embeddings": {"values": [0.25 * (i + 1)] * size,
                                "statistics": {"truncated": False, "token_count": 4}}}
                for i, _ in enumerate(body["instances"])]})
        wanted = body.get("requests", [body])
        values = [{"values": [0.25 * (i + 1)] * one.get("embedContentConfig", {}).get("outputDimensionality", 2)}
                  for i, one in enumerate(wanted)]
        if any(len(one["content"]["parts"]) != 1 for one in wanted):
            raise Invalid("one part for each content")
        usage = {"usageMetadata": {"promptTokenCount": 5 * len(wanted), "totalTokenCount": 5 * len(wanted)}}
        await answer.json(200, {**({"embedding": values[0]} if "content" in body else {"embeddings": values}),
                                **usage})
