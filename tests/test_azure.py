"""Provider azure: both forms, keys and tokens of Entra ID, its errors."""

import concurrent.futures
import json

import openai
import pytest

from conftest import make_client, running
from fake_clouds import AZURE_KEY, CLIENT, CLIENT_SECRET, TENANT, FakeAzure
from gateway import assert_error, run, wait_until

TOOL = {"type": "function", "function": {
    "name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}}}
ANY_PORT = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"]
HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def azure():
    upstream = FakeAzure().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


def settings(azure, **more) -> dict:
    return {"providers": {"azure": {"kind": "azure", "base_url": azure.endpoint, **more}}}


def entra(azure, **more) -> dict:
    return settings(azure, entra={"tenant": TENANT, "client_id": CLIENT, "client_secret": CLIENT_SECRET,
                                  "authority": azure.endpoint, **more})


@pytest.fixture(scope="module", params=["v1", "2024-10-21"])
def gateway(request, azure, session_folder):
    with running(session_folder / f"azure-{request.param}",
                 settings(azure, api_key=AZURE_KEY, api_version=request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def client(gateway):
    with make_client(gateway) as made:
        yield made


def official(azure, form: str):
    """The client that people use for Azure without a gateway."""
    if form == "v1":
        return openai.OpenAI(base_url=azure.endpoint + "/openai/v1/", api_key=AZURE_KEY, max_retries=0)
    return openai.AzureOpenAI(azure_endpoint=azure.endpoint, api_key=AZURE_KEY, api_version=form,
                              max_retries=0)


@pytest.mark.parametrize("form", ["v1", "2024-10-21"])
def test_the_official_client_takes_the_fake_for_azure(azure, form):
    with official(azure, form) as client:
        whole = client.chat.completions.create(model="gpt", messages=HELLO)
        assert whole.choices[0].message.content == "You said: hello"
        chunks = list(client.chat.completions.create(model="gpt", messages=HELLO, stream=True))
        assert chunks[0].choices == [] and chunks[0].model_extra["prompt_filter_results"]
        text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
        assert text == "You said: hello"
        with pytest.raises(openai.BadRequestError) as refused:
            client.chat.completions.create(model="filtered", messages=HELLO)
        assert refused.value.code == "content_filter"


def test_chat(client, azure, mark):
    answer = client.chat.completions.create(model="azure/gpt", messages=[{"role": "user", "content": mark}])
    assert answer.choices[0].message.content == f"You said: {mark}"
    assert answer.model_extra["prompt_filter_results"][0]["content_filter_results"]
    assert answer.usage.prompt_tokens > 0
    record = azure.one(mark)
    assert record.header("api-key") == AZURE_KEY
    assert record.header("authorization") is None


def test_stream(client, gateway, mark):
    chunks = list(client.chat.completions.create(
        model="azure/gpt", messages=[{"role": "user", "content": f"hello {mark}"}], stream=True,
        stream_options={"include_usage": True}))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == f"You said: hello {mark}"
    assert chunks[0].model_extra["prompt_filter_results"]
    assert chunks[-1].usage.completion_tokens > 0


def test_usage_is_known_of_a_stream_whose_client_did_not_ask(client, gateway, azure, mark):
    list(client.chat.completions.create(model="azure/gpt", stream=True,
                                        messages=[{"role": "user", "content": mark}]))
    assert azure.one(mark).json["stream_options"] == {"include_usage": True}
    row = wait_until(lambda: gateway.usage_of(model="azure/gpt"))
    assert row["estimated_requests"] == 0 and row["output_tokens"] > 0


def test_tools(client):
    answer = client.chat.completions.create(model="azure/gpt", messages=HELLO, tools=[TOOL])
    call = answer.choices[0].message.tool_calls[0]
    assert json.loads(call.function.arguments) == {"city": 'Zürich "old"'}
    again = client.chat.completions.create(
        model="azure/gpt", tools=[TOOL],
        messages=[*HELLO, answer.choices[0].message.model_dump(exclude_none=True),
                  {"role": "tool", "tool_call_id": call.id, "content": "sunny"}])
    assert again.choices[0].message.content == "You said: hello"


def test_embeddings(client):
    answer = client.embeddings.create(model="azure/vectors", input=["a", "b"])
    assert len(answer.data) == 2


def test_a_deployment_with_a_name_that_needs_escapes(client):
    answer = client.chat.completions.create(model="azure/my gpt/4", messages=HELLO)
    assert answer.choices[0].message.content == "You said: hello"


def test_a_filtered_prompt(gateway):
    answer = gateway.chat("azure/filtered")
    error = assert_error(answer, 400, "content_filter")
    assert "hate (high), jailbreak" in error["message"]
    assert "violence" not in error["message"]
    assert gateway.log_of(answer.headers["x-request-id"])["error"] == "content_filtered"


def test_a_stream_that_is_filtered(client):
    chunks = list(client.chat.completions.create(model="azure/filtered-late", messages=HELLO, stream=True))
    reasons = [c.choices[0].finish_reason for c in chunks if c.choices]
    assert reasons[-1] == "content_filter"


def test_too_many_requests(gateway):
    answer = gateway.chat("azure/busy")
    assert_error(answer, 429, "rate_limit_exceeded")
    assert answer.headers["retry-after"] == "2"


def test_no_such_deployment(gateway):
    error = assert_error(gateway.chat("azure/missing"), 404, "DeploymentNotFound")
    assert "deployment" in error["message"]


@pytest.mark.parametrize("name, code", [("cut", "upstream_cut"), ("dropped", "upstream_broken")])
def test_a_cut_stream(client, name, code):
    with pytest.raises(openai.APIError) as cut:
        list(client.chat.completions.create(model="azure/" + name, messages=HELLO, stream=True))
    assert cut.value.code == code


def test_the_responses_api_is_translated(client):
    answer = client.responses.create(model="azure/gpt", input="hello")
    assert answer.output_text == "You said: hello"


def test_moderations_are_not_served(gateway):
    assert gateway.post("/v1/moderations", {"model": "azure/gpt", "input": "x"}).status_code in (400, 404, 501)


def test_a_wrong_key(make_gateway, azure):
    gateway = make_gateway(settings(azure, api_key="wrong"))
    assert_error(gateway.chat("azure/gpt"), 502, "upstream_auth")


def test_pass_through(make_gateway, azure, mark):
    gateway = make_gateway({**settings(azure, api_key=AZURE_KEY),
                            "policies": [{"name": "all", "pass_through": ["azure"]}]})
    answer = gateway.post("/providers/azure/chat/completions",
                          {"model": "gpt", "messages": [{"role": "user", "content": mark}]})
    assert answer.status_code == 200, answer.text
    assert azure.one(mark).target == "/openai/v1/chat/completions"


def test_a_fixed_token(make_gateway, azure, mark):
    gateway = make_gateway(settings(azure, token="fixed"))
    assert gateway.chat("azure/gpt", mark).status_code == 200
    record = azure.one(mark)
    assert record.header("authorization") == "Bearer fixed" and record.header("api-key") is None


def test_one_token_is_fetched_for_all(make_gateway, azure, mark):
    before = azure.tokens_given
    azure.token_pause = 0.3
    gateway = make_gateway(entra(azure))
    try:
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            answers = list(pool.map(lambda _: gateway.chat("azure/gpt", mark), range(20)))
    finally:
        azure.token_pause = 0
    assert [a.status_code for a in answers] == [200] * 20
    assert azure.tokens_given == before + 1
    tokens = {r.header("authorization") for r in azure.records(mark)}
    assert tokens == {f"Bearer token-{azure.tokens_given}"}
    assert all(r.header("api-key") is None for r in azure.records(mark))


def test_a_token_is_renewed_before_it_expires(make_gateway, azure):
    azure.lifetime = 4
    before = azure.tokens_given
    gateway = make_gateway(entra(azure))
    try:
        wait_until(lambda: gateway.chat("azure/gpt").status_code == 200
                   and azure.tokens_given >= before + 2, timeout=10, every=0.2)
    finally:
        azure.lifetime = 3600
    assert {row["status"] for row in gateway.access_log()} == {200}


def test_a_reload_keeps_the_token(make_gateway, azure):
    gateway = make_gateway(entra(azure))
    assert gateway.chat("azure/gpt").status_code == 200
    given = azure.tokens_given
    changed = entra(azure)
    changed["models"] = {"mine": {"targets": ["azure/gpt"]}}
    gateway.write_config(changed)
    gateway.admin_call("POST", "/api/reload")
    wait_until(lambda: gateway.chat("mine").status_code == 200)
    assert azure.tokens_given == given
    changed["providers"]["azure"]["entra"]["tenant"] = "other.example"
    gateway.write_config(changed)
    gateway.admin_call("POST", "/api/reload")
    wait_until(lambda: gateway.chat("mine").status_code == 502)


def test_wrong_credentials(make_gateway, azure):
    gateway = make_gateway(entra(azure, client_secret="wrong-secret"))
    error = assert_error(gateway.chat("azure/gpt"), 502, "upstream_auth")
    assert "invalid_client" in error["message"]
    assert "wrong-secret" not in gateway.output(100_000) + json.dumps(error)


def test_a_token_service_that_is_down_is_asked_again(make_gateway, azure):
    azure.token_fault = 503
    gateway = make_gateway(entra(azure))
    try:
        assert_error(gateway.chat("azure/gpt"), 503)
        asked = len(azure.token_bodies)
        for _ in range(5):
            gateway.chat("azure/gpt")
        assert len(azure.token_bodies) <= asked + 1
    finally:
        azure.token_fault = None
    wait_until(lambda: gateway.chat("azure/gpt").status_code == 200)


def test_without_a_token_the_next_target_answers(make_gateway, azure, config):
    both = config()
    both["providers"]["azure"] = entra(azure, client_secret="wrong")["providers"]["azure"]
    both["models"]["safe"] = {"targets": ["azure/gpt", "fake/echo"]}
    gateway = make_gateway(both)
    answer = gateway.chat("safe")
    assert answer.status_code == 200 and answer.headers["x-causeway-provider"] == "fake"


def test_the_environment_gives_the_provider(make_gateway, azure):
    gateway = make_gateway(None, env={
        "AZURE_OPENAI_ENDPOINT": azure.endpoint + "/", "AZURE_OPENAI_API_KEY": AZURE_KEY,
        "OPENAI_API_VERSION": "2025-04-01-preview"}, args=[*ANY_PORT, "--data", "data"])
    made = run("keys", "create", "--name", "k", "--json", "--data", str(gateway.folder / "data"))
    key = json.loads(made.stdout)["key"]
    answer = gateway.post("/v1/chat/completions", {"model": "azure/gpt", "messages": HELLO}, key=key)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("more, words", [
    ({"api_key": "a", "token": "b"}, "only one of api_key, token and entra"),
    ({"api_version": "2024_10"}, "must be v1, or a date"),
    ({"base_url": ""}, "base_url"),
    ({"responses": True, "api_version": "2024-10-21"}, "responses needs api_version: v1"),
])
def test_settings_that_cannot_be(make_gateway, azure, more, words):
    gateway = make_gateway(settings(azure, **more), start=False)
    checked = run("check", "--config", str(gateway.config_path))
    assert checked.returncode == 1
    assert words in checked.stdout + checked.stderr
