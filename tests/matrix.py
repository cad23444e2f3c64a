"""What can stand on the two sides of the gateway: applications, each by the official client of its
dialect, and kinds of providers, each by its fake (of the embedded engine: itself). test_matrix.py lets
everyone meet everyone."""

from __future__ import annotations

import base64
import json
import pathlib
import re
from dataclasses import dataclass
from typing import Any, Callable

import anthropic
import openai
from google import genai
from google.genai import types

from fake_bedrock import KEY_ID, REGION, SECRET, FakeBedrock
from fake_clouds import AZURE_KEY, HF_TOKEN, FakeAzure, FakeHuggingFace
from fake_gemini import FakeGemini
from fake_upstream import Fake
from fake_vertex import LOCATION, FakeVertex
from gateway import KEY, UPSTREAM_KEY

PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5E"
                       "rkJggg==")
# Its first 60 letters are the same in both alphabets of base64.
PICTURE = base64.b64encode(PNG).decode()
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
              "additionalProperties": False}
ANSWER = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"],
          "additionalProperties": False}
CAPABILITIES = ["text", "stream", "tools", "images", "structured output", "reasoning", "embeddings",
                "count tokens"]


@dataclass
class Kind:
    """One kind of provider. `fake` makes what stands in for it, None for the embedded engine. `settings` gets
    that and a folder for files that they name."""
    fake: type[Fake] | None
    settings: Callable[[Any, pathlib.Path], dict]
    chat: str
    thinks: str = ""  # where it depends on the model
    embeds: str = "none"
    counts: str = ""  # where only some models' tokens can be counted exactly


def key_file(fake: FakeVertex, folder: pathlib.Path) -> str:
    path = folder / "service-account.json"
    path.write_text(json.dumps(fake.key_file()))
    return str(path)


# A provider more is a line more.
KINDS: dict[str, Kind] = {
    "openai": Kind(Fake, lambda f, _: {"base_url": f.base_url, "api_key": UPSTREAM_KEY}, "echo",
                   embeds="text-embedding-fake", counts="gpt-4o"),
    "azure": Kind(FakeAzure, lambda f, _: {"base_url": f.endpoint, "api_key": AZURE_KEY}, "gpt", embeds="embed"),
    "huggingface": Kind(FakeHuggingFace, lambda f, _: {"base_url": f.base_url, "api_key": HF_TOKEN}, "org/small",
                        embeds="org/embed"),
    "anthropic": Kind(Fake, lambda f, _: {"base_url": f.url, "api_key": UPSTREAM_KEY}, "claude-sonnet-4-5"),
    "gemini": Kind(FakeGemini, lambda f, _: {"base_url": f.base_url, "api_key": UPSTREAM_KEY}, "gemini-echo",
                   thinks="gemini-thinks", embeds="gemini-embed"),
    "vertex": Kind(FakeVertex, lambda f, folder: {"base_url": f.url, "location": LOCATION,
                                                  "credentials_file": key_file(f, folder)},
                   "gemini-echo", thinks="gemini-thinks", embeds="gemini-embedding-001"),
    "bedrock": Kind(FakeBedrock, lambda f, _: {"base_url": f.endpoint, "region": REGION, "access_key_id": KEY_ID,
                                               "secret_access_key": SECRET},
                    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"),
    "embedded": Kind(None, lambda f, _: {}, "default", embeds="minilm"),
}


def code_in(body: Any) -> str:
    """The gateway's own code, wherever a dialect has a place for it."""
    text = json.dumps(body)
    found = re.search(r'"reason": "(\w+)"', text) or re.search(r'"code": "(\w+)"', text)
    return found.group(1) if found else "?"


class Application:
    """What one dialect's client does. Methods that are missing: its API has no such operation."""
    limits: dict = {}  # of the answer, for a real model

    def limit(self, tokens: int | None):
        self.limits = {self.limit_field: tokens} if tokens else {}

    def is_end(self, reason) -> bool:
        return reason == self.end or bool(self.limits)

    def close(self):
        self.client.close()

    def refusal(self, error: Exception) -> str:
        return f"{error.status_code} {code_in(error.body)}"


class ChatCompletions(Application):
    name = "OpenAI, chat completions"
    limit_field, end = "max_completion_tokens", "stop"
    errors = openai.APIStatusError

    def __init__(self, gateway):
        self.client = openai.OpenAI(base_url=gateway.base_url, api_key=KEY, max_retries=0, timeout=100)

    def ask(self, model: str, content, **more):
        return self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": content}], **self.limits, **more)

    def text(self, model, words):
        answer = self.ask(model, words)
        assert answer.usage.prompt_tokens > 0 and self.is_end(answer.choices[0].finish_reason)
        return answer.choices[0].message.content

    def stream(self, model, words):
        pieces = list(self.ask(model, words, stream=True, stream_options={"include_usage": True}))
        assert pieces[-1].usage.prompt_tokens > 0
        return [p.choices[0].delta.content for p in pieces if p.choices and p.choices[0].delta.content]

    def tools(self, model, words, forced):
        tool = {"type": "function", "function": {"name": "weather", "parameters": PARAMETERS}}
        messages = [{"role": "user", "content": words}]
        first = self.client.chat.completions.create(
            model=model, messages=messages, tools=[tool], tool_choice="required" if forced else "auto",
            **self.limits)
        call = first.choices[0].message.tool_calls[0]
        messages += [first.choices[0].message.model_dump(exclude_none=True),
                     {"role": "tool", "tool_call_id": call.id, "content": "sunny-result"}]
        last = self.client.chat.completions.create(model=model, messages=messages, tools=[tool],
                                                   **self.limits)
        return call.function.name, json.loads(call.function.arguments), last.choices[0].message.content

    def images(self, model, words):
        return self.ask(model, [{"type": "text", "text": words}, {"type": "image_url", "image_url": {
            "url": "data:image/png;base64," + PICTURE}}]).choices[0].message.content

    def structured_output(self, model, words):
        return self.ask(model, words, response_format={"type": "json_schema", "json_schema": {
            "name": "answer", "strict": True, "schema": ANSWER}}).choices[0].message.content

    def reasoning(self, model, words):
        message = self.ask(model, words, reasoning_effort="high").choices[0].message
        return getattr(message, "reasoning_content", None), message.content

    def embeddings(self, model):
        return self.client.embeddings.create(model=model, input=["one", "two"]).data[1].embedding


class Responses(ChatCompletions):
    name = "OpenAI, Responses API"
    limit_field, end = "max_output_tokens", "completed"
    embeddings = None

    def ask(self, model, content, **more):
        return self.client.responses.create(model=model, input=content, store=False, **self.limits, **more)

    def text(self, model, words):
        answer = self.ask(model, words)
        assert answer.usage.input_tokens > 0 and self.is_end(answer.status)
        return answer.output_text

    def stream(self, model, words):
        events = list(self.ask(model, words, stream=True))
        assert events[-1].type in ("response.completed", "response.incomplete")
        assert self.is_end(events[-1].response.status) and events[-1].response.usage.input_tokens > 0
        return [e.delta for e in events if e.type == "response.output_text.delta"]

    def tools(self, model, words, forced):
        tool = {"type": "function", "name": "weather", "parameters": PARAMETERS, "strict": True}
        first = self.ask(model, words, tools=[tool], tool_choice="required" if forced else "auto")
        calls = [item for item in first.output if item.type == "function_call"]
        call = calls[0]
        last = self.ask(model, [{"role": "user", "content": words},
                                *[item.model_dump(exclude_none=True) for item in first.output],
                                {"type": "function_call_output", "call_id": call.call_id,
                                 "output": "sunny-result"}], tools=[tool])
        return call.name, json.loads(call.arguments), last.output_text

    def images(self, model, words):
        return self.ask(model, [{"role": "user", "content": [
            {"type": "input_text", "text": words},
            {"type": "input_image", "image_url": "data:image/png;base64," + PICTURE}]}]).output_text

    def structured_output(self, model, words):
        return self.ask(model, words, text={"format": {
            "type": "json_schema", "name": "answer", "strict": True, "schema": ANSWER}}).output_text

    def reasoning(self, model, words):
        answer = self.ask(model, words, reasoning={"effort": "high", "summary": "auto"})
        parts = [part.text for item in answer.output if item.type == "reasoning"
                 for part in [*(item.summary or []), *(item.content or [])]]
        return "".join(parts), answer.output_text

    def count_tokens(self, model, words):
        raw = self.client.responses.input_tokens.with_raw_response.count(model=model, input=words)
        return raw.parse().input_tokens, raw.headers.get("x-causeway-token-count")


class Messages(Application):
    name = "Anthropic, messages"
    limit_field, end = "max_tokens", "end_turn"
    errors = anthropic.APIStatusError

    def __init__(self, gateway):
        self.client = anthropic.Anthropic(base_url=gateway.url, api_key=KEY, max_retries=0, timeout=100)

    def ask(self, model, content, **more):
        return self.client.messages.create(
            model=model, messages=[{"role": "user", "content": content}], **{"max_tokens": 500, **self.limits, **more})

    @staticmethod
    def text_of(message) -> str:
        return "".join(block.text for block in message.content if block.type == "text")

    def text(self, model, words):
        answer = self.ask(model, words)
        assert answer.usage.input_tokens > 0 and self.is_end(answer.stop_reason)
        return self.text_of(answer)

    def stream(self, model, words):
        with self.client.messages.stream(model=model, messages=[{"role": "user", "content": words}],
                                         **{"max_tokens": 500, **self.limits}) as stream:
            pieces = list(stream.text_stream)
            assert self.is_end(stream.get_final_message().stop_reason)
        return pieces

    def tools(self, model, words, forced):
        tools = [{"name": "weather", "input_schema": PARAMETERS}]
        first = self.ask(model, words, tools=tools, tool_choice={"type": "any" if forced else "auto"})
        calls = [block for block in first.content if block.type == "tool_use"]
        call = calls[0]
        last = self.client.messages.create(model=model, tools=tools, messages=[
            {"role": "user", "content": words}, {"role": "assistant", "content": first.content},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call.id,
                                          "content": "sunny-result"}]}], **{"max_tokens": 500, **self.limits})
        return call.name, call.input, self.text_of(last)

    def images(self, model, words):
        return self.text_of(self.ask(model, [{"type": "image", "source": {
            "type": "base64", "media_type": "image/png", "data": PICTURE}}, {"type": "text", "text": words}]))

    def structured_output(self, model, words):
        return self.text_of(self.ask(model, words, output_config={
            "format": {"type": "json_schema", "schema": ANSWER}}))

    def reasoning(self, model, words):
        answer = self.ask(model, words, max_tokens=1100, thinking={"type": "enabled", "budget_tokens": 1024})
        return "".join(b.thinking for b in answer.content if b.type == "thinking"), self.text_of(answer)

    def count_tokens(self, model, words):
        raw = self.client.messages.with_raw_response.count_tokens(
            model=model, messages=[{"role": "user", "content": words}])
        return raw.parse().input_tokens, raw.headers.get("x-causeway-token-count")


class GenerateContent(Application):
    name = "Gemini, generateContent"
    limit_field, end = "max_output_tokens", types.FinishReason.STOP
    errors = genai.errors.APIError

    def __init__(self, gateway):
        self.client = genai.Client(api_key=KEY, vertexai=False, http_options=types.HttpOptions(
            base_url=gateway.url, timeout=100_000, retry_options=types.HttpRetryOptions(attempts=1)))

    def refusal(self, error):
        return f"{error.code} {code_in(error.details)}"

    def ask(self, model, contents, **config):
        return self.client.models.generate_content(
            model=model, contents=contents, config=types.GenerateContentConfig(**self.limits, **config))

    def text(self, model, words):
        answer = self.ask(model, words)
        assert answer.usage_metadata.prompt_token_count > 0
        assert self.is_end(answer.candidates[0].finish_reason)
        return answer.text

    def stream(self, model, words):
        pieces = list(self.client.models.generate_content_stream(
            model=model, contents=words, config=types.GenerateContentConfig(**self.limits)))
        assert self.is_end(pieces[-1].candidates[0].finish_reason)
        return [p.text for p in pieces if p.text]

    def tools(self, model, words, forced):
        mode = {"function_calling_config": {"mode": "ANY" if forced else "AUTO"}}
        tools = [types.Tool(function_declarations=[types.FunctionDeclaration(
            name="weather", parameters_json_schema=PARAMETERS)])]
        question = types.Content(role="user", parts=[types.Part(text=words)])
        manual = {"automatic_function_calling": {"disable": True}}
        first = self.ask(model, [question], tools=tools, tool_config=mode, **manual)
        call = first.function_calls[0]
        response = types.FunctionResponse(id=call.id, name=call.name, response={"output": "sunny-result"})
        last = self.ask(model, [question, first.candidates[0].content, types.Content(
            role="user", parts=[types.Part(function_response=response)])], tools=tools, **manual)
        return call.name, call.args, last.text

    def images(self, model, words):
        return self.ask(model, [types.Part(text=words), types.Part.from_bytes(
            data=PNG, mime_type="image/png")]).text

    def structured_output(self, model, words):
        return self.ask(model, words, response_mime_type="application/json",
                        response_json_schema=ANSWER).text

    def reasoning(self, model, words):
        answer = self.ask(model, words, thinking_config=types.ThinkingConfig(
            include_thoughts=True, thinking_budget=2000))
        parts = answer.candidates[0].content.parts
        return "".join(p.text for p in parts if p.thought and p.text), answer.text

    def embeddings(self, model):
        contents = [types.Content(parts=[types.Part(text=text)]) for text in ("one", "two")]
        return self.client.models.embed_content(model=model, contents=contents).embeddings[1].values

    def count_tokens(self, model, words):
        answer = self.client.models.count_tokens(model=model, contents=words)
        headers = {k.lower(): v for k, v in answer.sdk_http_response.headers.items()}
        return answer.total_tokens, headers.get("x-causeway-token-count")


APPLICATIONS = [ChatCompletions, Responses, Messages, GenerateContent]
