"""Answers of status 200 that are JSON, but not what the operation answers: errors with their cause, in the
caller's form, for every dialect at home and translated; never an empty success."""

import http.server
import json
import threading

import pytest

from conftest import running
from gateway import UPSTREAM_KEY, wait_until

ODD = ["{}", "[]", "null", '"text"', "7", '{"result":"ok"}', '{"data":[]}', '{"data":null,"embeddings":null}']
# Numbers that are none, where a count is asked.
ODD_COUNTS = [*ODD, '{"input_tokens":"7","totalTokens":"x"}', '{"input_tokens":-1,"totalTokens":-1}',
              '{"input_tokens":null,"totalTokens":null}', '{"input_tokens":1.5,"totalTokens":1.5}']
HELLO = [{"role": "user", "content": "hello"}]
GOOGLES = {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]}
ASKED = {  # path -> body; {} is the model
    "/v1/chat/completions": {"model": "{}", "messages": HELLO},
    "/v1/completions": {"model": "{}", "prompt": "hello"},
    "/v1/responses": {"model": "{}", "input": "hello"},
    "/v1/messages": {"model": "{}", "messages": HELLO, "max_tokens": 9},
    "/v1beta/models/{}:generateContent": GOOGLES,
    "/v1/embeddings": {"model": "{}", "input": "hello"},
    "/v1beta/models/{}:embedContent": {"content": {"parts": [{"text": "hello"}]}},
    "/v1beta/models/{}:batchEmbedContents": {"requests": [
        {"model": "models/{}", "content": {"parts": [{"text": "hello"}]}}]},
}
COUNTED = {  # path -> the provider that counts in this dialect itself
    "/v1/messages/count_tokens": ("anthropic", {"model": "{}", "messages": HELLO}),
    "/v1beta/models/{}:countTokens": ("gemini", GOOGLES),
}
# Of OpenAI's text completions there is no translation, and Anthropic has no embeddings.
UNANSWERED = [("/v1/completions", "anthropic"), ("/v1/completions", "gemini")] + [
    (path, "anthropic") for path in ASKED if "mbed" in path]


class Odd(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    says = ""

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = Odd.says.encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def odd(session_folder):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}"
    kinds = {"openai": "/v1", "anthropic": "", "gemini": ""}
    settings = {"breaker": "off",  # each answer is to be seen, however many before it were odd
                "providers": {kind: {"kind": kind, "base_url": url + path, "api_key": UPSTREAM_KEY}
                              for kind, path in kinds.items()}}
    with running(session_folder / "odd", settings) as gateway:
        yield gateway
    server.shutdown()
    thread.join()
    server.server_close()


def filled(value, model):
    if isinstance(value, dict):
        return {key: filled(member, model) for key, member in value.items()}
    if isinstance(value, list):
        return [filled(element, model) for element in value]
    return value.replace("{}", model) if isinstance(value, str) else value


def refused(gw, path, body, model, said):
    Odd.says = said
    answer = gw.post(path.replace("{}", model), filled(body, model), timeout=20)
    assert answer.status_code == 502, (said, answer.status_code, answer.text)
    error = answer.json()["error"]
    assert error["message"] and (error.get("type") or error.get("status")), answer.text


@pytest.mark.parametrize("path", ASKED)
@pytest.mark.parametrize("provider", ["openai", "anthropic", "gemini"])
def test_an_answer_of_another_shape_is_an_error(odd, path, provider):
    if (path, provider) in UNANSWERED:
        answer = odd.post(path, filled(ASKED[path], f"{provider}/m"))
        assert answer.status_code in (400, 404, 501), answer.text
        return
    for said in ODD:
        refused(odd, path, ASKED[path], f"{provider}/m", said)


def test_what_is_told_with_nothing_in_it_passes(odd):
    """Answers of no words that their providers give: a filtered prompt, a completion of nothing."""
    chat = ASKED["/v1/chat/completions"]
    for path, body, said in (
            ("/v1/chat/completions", chat, '{"choices":[],"prompt_filter_results":[{"prompt_index":0}],"usage":{}}'),
            ("/v1/chat/completions", chat, '{"choices":[{"index":0,"message":{"role":"assistant","content":""}}]}'),
            ("/v1/completions", ASKED["/v1/completions"], '{"choices":[{"index":0,"text":"","finish_reason":null}]}')):
        Odd.says = said
        answer = odd.post(path, filled(body, "openai/m"))
        assert (answer.status_code, answer.text) == (200, said)


def test_text_and_calls_without_a_reason_to_stop_reach_geminis_client(odd):
    said = {"role": "assistant", "content": "hi", "tool_calls": [
        {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}]}
    Odd.says = json.dumps({"id": "x", "choices": [{"index": 0, "message": said, "finish_reason": None}]})
    path = "/v1beta/models/{}:generateContent"
    answer = odd.post(path.replace("{}", "openai/m"), GOOGLES)
    assert answer.status_code == 200, answer.text
    candidate = answer.json()["candidates"][0]
    assert candidate["content"]["parts"][0]["text"] == "hi"
    assert candidate["content"]["parts"][1]["functionCall"]["args"] == {"a": 1}
    assert candidate["finishReason"] == "OTHER"


def test_the_tokens_of_an_answer_that_tells_nothing_are_counted(odd):
    before = (odd.usage_of(model="openai/spent") or {}).get("input_tokens", 0)
    Odd.says = '{"id":"x","choices":[],"usage":{"prompt_tokens":1000,"completion_tokens":0,"total_tokens":1000}}'
    assert odd.chat("openai/spent").status_code == 502
    wait_until(lambda: (odd.usage_of(model="openai/spent") or {}).get("input_tokens", 0) == before + 1000, "it is counted")


@pytest.mark.parametrize("path", COUNTED)
def test_a_count_without_a_number_is_an_error(odd, path):
    provider, body = COUNTED[path]
    for said in ODD_COUNTS:
        refused(odd, path, body, f"{provider}/m", said)
    Odd.says = '{"input_tokens": 7, "totalTokens": 7}'
    answer = odd.post(path.replace("{}", f"{provider}/m"), filled(body, f"{provider}/m"))
    assert answer.status_code == 200 and 7 in answer.json().values()
