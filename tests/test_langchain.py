"""LangChain as it comes, with nothing set but address and key: its clients of three dialects towards every
kind of provider that has a fake."""

import json

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

from gateway import KEY
from matrix import KINDS, PICTURE

CLIENTS = {
    "openai": lambda gw, model: ChatOpenAI(base_url=gw.base_url, api_key=KEY, model=model, max_retries=0),
    "responses": lambda gw, model: ChatOpenAI(base_url=gw.base_url, api_key=KEY, model=model, max_retries=0,
                                              use_responses_api=True),
    "anthropic": lambda gw, model: ChatAnthropic(base_url=gw.url, api_key=KEY, model=model, max_retries=0,
                                                 max_tokens=500),
    "gemini": lambda gw, model: ChatGoogleGenerativeAI(base_url=gw.url, google_api_key=KEY, model=model,
                                                       vertexai=False, max_retries=1),
}


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny-in {city}"


class Answer(BaseModel):
    """What was said."""
    answer: str


@pytest.fixture(params=[name for name, kind in KINDS.items() if kind.fake])
def provider(request):
    return request.param


@pytest.fixture(params=CLIENTS)
def model(request, provider, all_kinds):
    return CLIENTS[request.param](all_kinds, f"{provider}/{KINDS[provider].chat}")


def test_text_and_stream(model, mark):
    answer = model.invoke(f"hello {mark}")
    assert answer.text == f"You said: hello {mark}" and answer.usage_metadata["input_tokens"] > 0
    pieces = list(model.stream(f"hello {mark}"))
    assert "".join(p.text for p in pieces) == f"You said: hello {mark}"
    assert len([p for p in pieces if p.text]) > 1


def test_tools_and_back(model, provider, kind_fakes, mark):
    bound = model.bind_tools([weather])
    messages = [HumanMessage(f"weather? {mark}")]
    for whole in (bound.invoke(messages), sum_of(bound.stream(messages))):
        call = whole.tool_calls[0]
        assert (call["name"], call["args"]["city"]) == ("weather", 'Zürich "old"')
        result = weather.invoke(call)
        assert isinstance(result, ToolMessage)
        assert isinstance(bound.invoke([*messages, whole, result]).text, str)
    assert len([r for r in kind_fakes[provider].records(mark) if b"sunny-in" in r.body]) == 2


def sum_of(chunks):
    whole = None
    for chunk in chunks:
        whole = chunk if whole is None else whole + chunk
    return whole


def test_image(model, provider, kind_fakes, mark):
    answer = model.invoke([HumanMessage([
        {"type": "text", "text": mark}, {"type": "image", "base64": PICTURE, "mime_type": "image/png"}])])
    assert mark in answer.text
    assert PICTURE[:60].encode() in kind_fakes[provider].one(mark).body


def test_structured_output(model, mark):
    answer = model.with_structured_output(Answer, method="json_schema").invoke(mark)
    assert answer == Answer(answer=f"You said: {mark}")
    assert json.loads(answer.model_dump_json())
