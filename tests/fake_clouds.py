"""Azure OpenAI and Hugging Face as they answer, on the bytes of fake_wire.py.

Each says what it accepts and refuses everything else, so that a wrong path, key or version shows. What
is answered follows the deployment's or model's name. tests/test_*.py lets the official clients talk to
them first.
"""

from __future__ import annotations

import json
import urllib.parse

import fake_audio
from fake_provider import chat_chunks, chat_completion, embeddings, openai_error
from fake_upstream import Fake
from fake_wire import Answer

AZURE_KEY = "azure-key-1"
AZURE_VERSIONS = {"2024-10-21", "2025-04-01-preview"}
TENANT, CLIENT, CLIENT_SECRET = "contoso.example", "11111111-2222", "s3cret/+&="
HF_TOKEN = "hf_test"

NOTHING_FILTERED = {"hate": {"filtered": False, "severity": "safe"},
                    "violence": {"filtered": False, "severity": "safe"}}
FILTERED = {
    "error": {
        "message": "The response was filtered due to the prompt triggering Azure OpenAI's content "
                   "management policy. Please modify your prompt and retry.",
        "type": None, "param": "prompt", "code": "content_filter", "status": 400,
        "innererror": {"code": "ResponsibleAIPolicyViolation",
                       "content_filter_result": {
                           "hate": {"filtered": True, "severity": "high"},
                           "jailbreak": {"detected": True, "filtered": True},
                           "violence": {"filtered": False, "severity": "safe"}}}}}


async def stream(answer: Answer, chunks: list[dict], ending: str = ""):
    """`ending`: "cut" leaves out the end, "dropped" the end of the connection's own framing too."""
    await answer.stream_head()
    if ending:
        chunks = chunks[:4]
    for chunk in chunks:
        answer.record.usage = chunk.get("usage") or answer.record.usage
        await answer.event(chunk)
    if ending == "dropped":
        return answer.close()
    if not ending:
        await answer.event("[DONE]")
    await answer.last_chunk()


class FakeAzure(Fake):
    """A resource of Azure OpenAI in both forms, and Entra ID's token service."""

    def __init__(self):
        super().__init__()
        self.tokens_given = 0
        self.lifetime = 3600
        self.token_pause = 0.0
        self.token_fault: int | None = None
        self.token_bodies: list[dict] = []

    @property
    def endpoint(self) -> str:
        return f"http://{self.host}:{self.port}"

    async def _handle(self, answer: Answer):
        path, _, query = answer.record.target.partition("?")
        query = dict(urllib.parse.parse_qsl(query))
        parts = [urllib.parse.unquote(part) for part in path.split("/")[1:]]
        if parts[1:] == ["oauth2", "v2.0", "token"]:
            return await self._token(answer, parts[0])
        if not self._may(answer):
            return await answer.json(401, {"error": {
                "code": "401", "message": "Access denied due to invalid subscription key or wrong API "
                                          "endpoint."}})
        if parts[:2] == ["openai", "deployments"] and query.get("api-version") in AZURE_VERSIONS:
            return await self._operation(answer, parts[2], "/".join(parts[3:]))
        if parts[:2] == ["openai", "v1"] and "api-version" not in query:
            spoken = parts[2] == "audio"  # a form, whose model the operation itself looks for
            model = "" if spoken else answer.request["model"]
            return await self._operation(answer, model, "/".join(parts[2:]))
        await answer.json(404, {"error": {"code": "404", "message": "Resource not found"}})

    def _may(self, answer: Answer) -> bool:
        if answer.record.header("api-key") == AZURE_KEY:
            return answer.record.header("authorization") is None
        token = answer.record.header("authorization")
        if token == f"Bearer {AZURE_KEY}":
            return answer.record.target.startswith("/openai/v1/")
        return token in {f"Bearer token-{n + 1}" for n in range(self.tokens_given)} | {"Bearer fixed"}

    async def _token(self, answer: Answer, tenant: str):
        form = dict(urllib.parse.parse_qsl(answer.record.body.decode()))
        self.token_bodies.append(form)
        if self.token_pause:
            await answer.sleep(self.token_pause)
        if self.token_fault:
            return await answer.json(self.token_fault, {"error": "temporarily_unavailable"})
        wanted = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": CLIENT_SECRET,
                  "scope": "https://cognitiveservices.azure.com/.default"}
        if tenant != TENANT or form != wanted:
            return await answer.json(401, {"error": "invalid_client", "error_codes": [7000215],
                                           "error_description": "AADSTS7000215: Invalid client secret "
                                                                "provided. " + str(form)})
        self.tokens_given += 1
        await answer.json(200, {"token_type": "Bearer", "expires_in": self.lifetime,
                                "ext_expires_in": self.lifetime,
                                "access_token": f"token-{self.tokens_given}"})

    async def _operation(self, answer: Answer, deployment: str, operation: str):
        if operation == "audio/transcriptions":
            return await fake_audio.speech(answer)
        body = {**answer.request, "model": "gpt-4o"}
        if deployment == "filtered":
            return await answer.json(400, FILTERED, {"apim-request-id": "apim-1"})
        if deployment == "busy":
            return await answer.json(429, {"error": {"code": "429", "message": "Rate limit is exceeded."}},
                                     {"retry-after-ms": "1500", "retry-after": "2"})
        if deployment == "missing":
            return await answer.json(404, {"error": {
                "code": "DeploymentNotFound",
                "message": "The API deployment for this resource does not exist."}})
        if operation == "embeddings":
            return await embeddings(answer)
        if operation != "chat/completions":
            return await answer.json(404, {"error": {"code": "404", "message": "Resource not found"}})
        prompt = [{"prompt_index": 0, "content_filter_results": NOTHING_FILTERED}]
        if not body.get("stream"):
            value = {**chat_completion(body), "prompt_filter_results": prompt}
            for choice in value["choices"]:
                choice["content_filter_results"] = NOTHING_FILTERED
            answer.record.usage = value["usage"]
            return await answer.json(200, value)
        first = {"choices": [], "created": 0, "id": "", "model": "", "object": "",
                 "prompt_filter_results": prompt}
        chunks = [first, *chat_chunks(body)]
        if deployment == "filtered-late":
            chunks[-2]["choices"][0]["finish_reason"] = "content_filter"
        await stream(answer, chunks, deployment if deployment in ("cut", "dropped") else "")


class FakeHuggingFace(Fake):
    """The router, and a dedicated endpoint as the text-generation server answers."""

    async def _handle(self, answer: Answer):
        path = answer.record.target.split("?")[0]
        if answer.record.header("authorization") != f"Bearer {HF_TOKEN}":
            return await answer.json(401, {"error": "Invalid username or password."})
        if path == "/v1/models":
            return await answer.json(200, {"object": "list", "data": [
                {"id": "org/small", "object": "model", "owned_by": "org"}]})
        if path == "/v1/embeddings":
            return await embeddings(answer)
        if path != "/v1/chat/completions":
            return await answer.json(404, {"error": "Not Found"})
        body = answer.request
        model = body["model"]
        errors = {
            "cold": (503, {"error": "503 Service Unavailable"}),
            "loading": (503, {"error": "Model org/x is currently loading", "estimated_time": 12.5}),
            "overloaded": (429, {"error": "Model is overloaded", "error_type": "overloaded"}),
            "wrong": (422, {"error": "Input validation error: `temperature` must be strictly positive",
                            "error_type": "validation"}),
            "long": (422, {"error": "Input validation error: `inputs` tokens + `max_new_tokens` must be "
                                    "<= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`",
                           "error_type": "validation"}),
            "broken": (424, {"error": "Request failed during generation: Server error: CUDA",
                             "error_type": "generation"}),
            "unpaid": (402, {"error": "You have exceeded your monthly included credits"}),
            "unknown": (400, openai_error("The requested model 'unknown' does not exist",
                                          code="model_not_found")),
        }
        if model in errors:
            status, value = errors[model]
            return await answer.json(status, value)
        if not body.get("stream"):
            value = chat_completion(body)
            answer.record.usage = value["usage"]
            return await answer.json(200, value)
        if model == "fails-late":
            await answer.stream_head()
            await answer.event(chat_chunks(body)[1])
            await answer.event({"error": "Request failed during generation", "error_type": "generation"})
            return answer.close()
        await stream(answer, chat_chunks(body), model if model in ("cut", "dropped") else "")
