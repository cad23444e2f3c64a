"""Provider huggingface: router and dedicated endpoints, their errors, an endpoint that starts."""

import json

import huggingface_hub
import openai
import pytest

from conftest import make_client, running
from fake_clouds import HF_TOKEN, FakeHuggingFace
from gateway import assert_error, wait_until

TOOL = {"type": "function", "function": {
    "name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def hugging():
    upstream = FakeHuggingFace().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


def settings(hugging, **more) -> dict:
    return {"providers": {"hf": {"kind": "huggingface", "api_key": HF_TOKEN,
                                 "base_url": f"http://{hugging.host}:{hugging.port}", **more}}}


@pytest.fixture(scope="module")
def gateway(hugging, session_folder):
    with running(session_folder / "huggingface", settings(hugging)) as made:
        yield made


@pytest.fixture(scope="module")
def client(gateway):
    with make_client(gateway) as made:
        yield made


def test_the_official_client_takes_the_fake_for_an_endpoint(hugging):
    client = huggingface_hub.InferenceClient(base_url=hugging.base_url, api_key=HF_TOKEN)
    assert client.chat_completion(HELLO, model="m").choices[0].message.content == "You said: hello"
    chunks = list(client.chat_completion(HELLO, model="m", stream=True))
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "You said: hello"
    with pytest.raises(huggingface_hub.errors.HfHubHTTPError) as refused:
        client.chat_completion(HELLO, model="wrong")
    assert refused.value.response.status_code == 422


def test_the_official_client_through_the_gateway(gateway):
    from gateway import KEY
    client = huggingface_hub.InferenceClient(base_url=gateway.base_url, api_key=KEY)
    assert client.chat_completion(HELLO, model="hf/m").choices[0].message.content == "You said: hello"


def test_chat(client, hugging, mark):
    answer = client.chat.completions.create(model="hf/org/m:fastest",
                                            messages=[{"role": "user", "content": mark}])
    assert answer.choices[0].message.content == f"You said: {mark}"
    record = hugging.one(mark)
    assert record.header("authorization") == f"Bearer {HF_TOKEN}"
    assert record.header("x-scale-up-timeout") is None
    assert record.json["model"] == "org/m:fastest"


def test_stream(client, gateway, mark):
    chunks = list(client.chat.completions.create(
        model="hf/org/m", messages=[{"role": "user", "content": f"hello {mark}"}], stream=True))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == f"You said: hello {mark}"
    row = wait_until(lambda: gateway.usage_of(model="hf/org/m"))
    assert row["estimated_requests"] == 0


def test_tools(client):
    answer = client.chat.completions.create(model="hf/m", messages=HELLO, tools=[TOOL])
    call = answer.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": 'Zürich "old"'}


def test_embeddings(client):
    assert len(client.embeddings.create(model="hf/vectors", input=["a", "b"]).data) == 2


def test_models_are_listed(gateway):
    wait_until(lambda: "org/small" in gateway.get("/v1/models").text)


@pytest.mark.parametrize("model, status, code, wait", [
    ("cold", 503, "overloaded", "30"),
    ("loading", 503, "overloaded", "13"),
    ("overloaded", 503, "overloaded", None),
    ("wrong", 422, None, None),
    ("long", 422, "context_length_exceeded", None),
    ("broken", 502, "upstream_error", None),
    ("unpaid", 429, "insufficient_quota", None),
    ("unknown", 400, "model_not_found", None),
])
def test_errors(gateway, model, status, code, wait):
    answer = gateway.chat("hf/" + model)
    error = assert_error(answer, status, code)
    if wait:
        assert answer.headers["retry-after"] == wait
    if model == "wrong":
        assert "temperature" in error["message"]


def test_while_an_endpoint_starts_the_next_target_answers(make_gateway, hugging, config):
    both = config()
    both["providers"]["hf"] = settings(hugging)["providers"]["hf"]
    both["models"]["safe"] = {"targets": ["hf/cold", "fake/echo"]}
    gateway = make_gateway(both)
    answer = gateway.chat("safe")
    assert answer.status_code == 200 and answer.headers["x-causeway-provider"] == "fake"


def test_an_endpoint_is_asked_to_hold_requests(make_gateway, hugging, mark):
    gateway = make_gateway(settings(hugging, hold="10m", bill_to="our-org"))
    assert gateway.chat("hf/m", mark).status_code == 200
    record = hugging.one(mark)
    assert record.header("x-scale-up-timeout") == "600"
    assert record.header("x-hf-bill-to") == "our-org"


@pytest.mark.parametrize("model, code", [("cut", "upstream_cut"), ("dropped", "upstream_broken"),
                                         ("fails-late", None)])
def test_a_stream_that_breaks_off(client, model, code):
    with pytest.raises(openai.APIError) as broken:
        list(client.chat.completions.create(model="hf/" + model, messages=HELLO, stream=True))
    assert code is None or broken.value.code == code


def test_a_wrong_token(make_gateway, hugging):
    gateway = make_gateway(settings(hugging, api_key="wrong"))
    assert_error(gateway.chat("hf/m"), 502, "upstream_auth")


def test_the_environment_gives_the_provider(make_gateway):
    gateway = make_gateway(None, env={"HF_TOKEN": "hf_unused"}, args=[
        "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data"])
    wait_until(lambda: "huggingface: Hugging Face at router.huggingface.co:443" in gateway.said())
