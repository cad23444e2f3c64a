"""What is refused, and how: OpenAI's four fields, a stable code, what to do, and the request's id."""

import json

import pytest

from gateway import KEY, assert_error, chat_body


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/", "/v1/unknown", "/v2/chat/completions", "/v1/chat",
                                  "/v1/chat/completions/", "/v1/chat/completions/x", "/V1/models",
                                  "/v1/chat%2fcompletions", "//v1/models", "/v1/../v1/models"])
def test_unknown_path(gw, path):
    with gw.raw() as raw:  # as it is: a client library would tidy it up
        raw.send(gw.request_bytes(b"{}", path=path))
        error = assert_error(raw.answer(), 404)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("method,path,allowed", [
    ("GET", "/v1/chat/completions", "POST"), ("PUT", "/v1/chat/completions", "POST"),
    ("DELETE", "/v1/embeddings", "POST"), ("POST", "/v1/models", "GET"), ("PATCH", "/v1/models/echo", "GET")])
def test_wrong_method(gw, method, path, allowed):
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"", path=path, method=method))
        answer = raw.answer()
    error = assert_error(answer, 405)
    assert allowed in error["message"] + (answer.header("allow") or "")


def test_not_served_yet_says_so(gw):
    """An endpoint that OpenAI has and this gateway does not: a clear refusal, no timeout, no 500."""
    for path in ("/v1/responses/resp_1", "/v1/files", "/v1/audio/speech", "/v1/batches"):
        assert_error(gw.post(path, {"model": "echo"}), (404, 501))


def test_missing_key(gw):
    error = assert_error(gw.chat("echo", key=None), 401)
    assert "Authorization" in error["message"] or "key" in error["message"]


@pytest.mark.parametrize("value", ["Bearer sk-wrong", "Bearer ", "Bearer", "Basic c2stdGVzdA==", KEY,
                                   "Bearer " + KEY[:-1], "Bearer " + KEY + "x", "Bearer " + "x" * 5000])
def test_wrong_key(gw, value):
    request = gw.request_bytes(chat_body("echo"), key=None, headers={"Authorization": value})
    with gw.raw() as raw:
        raw.send(request)
        error = assert_error(raw.answer(), 401, "invalid_api_key")
    assert KEY[:-1] not in error["message"] and "xxxx" not in error["message"]


def test_two_authorization_fields(gw):
    """Which of two keys counts must never depend on who reads them."""
    body = json.dumps(chat_body("echo")).encode()
    request = gw.request_bytes(body).replace(b"\r\n\r\n", b"\r\nAuthorization: Bearer sk-wrong\r\n\r\n", 1)
    with gw.raw() as raw:
        raw.send(request)
        assert raw.answer().status in (400, 401)


def test_key_is_checked_before_anything_else_is_told(gw):
    """Without a key nobody learns which models there are."""
    for answer in (gw.get("/v1/models", key=None), gw.get("/v1/models/echo", key="sk-no"),
                   gw.chat("no-such-model", key="sk-no"), gw.post("/v1/chat/completions", content=b"{", key="sk-no")):
        assert_error(answer, 401)
        assert "echo" not in answer.text


def test_unknown_model_names_the_nearest(gw):
    error = assert_error(gw.chat("embd"), 404, "model_not_found")
    assert "embd" in error["message"] and "embed" in error["message"]
    assert error["param"] == "model"


def test_unknown_model_is_told_safely(gw):
    """The name comes from outside: bounded, and quoted as JSON."""
    error = assert_error(gw.chat('a"b\u0000<script>' + "x" * 10_000), (400, 404))
    assert len(error["message"]) < 2000


@pytest.mark.parametrize("body,where", [
    (b"", None), (b" ", None), (b"{", 1), (b"[]", None), (b'"text"', None), (b"null", None), (b"{} x", 3),
    (b'{"model":"echo","messages":[}', 28), (b'{"model":"echo",}', 16), (b"{'model':'echo'}", 1),
    (b'{"model":"echo","messages":[{"role":"user","content":"\x01"}]}', 54),
    (b'{"model":"echo","messages":[{"role":"user","content":"\xff"}]}', 54),
    (b'{"model":"echo","messages":[{"role":"user","content":"\\ud800"}]}', 54),
    (b'{"model":NaN}', 9), (b'{"model":01}', None), (b"\xef\xbb\xbf{}x", None),
])
def test_bad_json(gw, body, where):
    error = assert_error(gw.post("/v1/chat/completions", content=body), 400)
    assert error["type"] == "invalid_request_error"
    if where is not None:  # the place, give or take what parsers count differently
        numbers = [int(n) for n in "".join(c if c.isdigit() else " " for c in error["message"]).split()]
        assert any(abs(n - where) <= 3 for n in numbers), (error["message"], where)


def test_deeply_nested_json(gw):
    for body in (b"[" * 100_000, b'{"model":"echo","x":' + b"[" * 5000 + b"]" * 5000 + b"}",
                 b'{"a":' * 50_000):
        assert_error(gw.post("/v1/chat/completions", content=body), 400)
    assert gw.chat("echo").status_code == 200


@pytest.mark.parametrize("body,param", [
    ({"messages": []}, "model"), ({"model": 5, "messages": []}, "model"), ({"model": "", "messages": []}, "model"),
    ({"model": "echo"}, "messages"), ({"model": "echo", "messages": {}}, "messages"),
    ({"model": "echo", "messages": "x"}, "messages"),
    ({"model": "echo", "messages": ["x"]}, "messages"),
    ({"model": "echo", "stream": "yes", "messages": [{"role": "user", "content": "x"}]}, "stream"),
])
def test_wrong_fields(gw, body, param):
    error = assert_error(gw.post("/v1/chat/completions", body), 400)
    assert (error["param"] or "").startswith(param), error


def test_embeddings_without_input(gw):
    assert assert_error(gw.post("/v1/embeddings", {"model": "embed"}), 400)["param"] == "input"


def test_completions_without_prompt_is_the_providers_matter_or_refused(gw):
    """OpenAI's prompt is optional there: whoever answers, it is never a 500 of ours."""
    assert gw.post("/v1/completions", {"model": "fake/s400"}).status_code == 400


@pytest.mark.parametrize("value", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                   "application/jsonp", "text/json;"])
def test_wrong_content_type(gw, value):
    error = assert_error(gw.chat("echo", headers={"content-type": value}), (400, 415))
    assert "application/json" in error["message"]


@pytest.mark.parametrize("value", ["application/json", "application/json; charset=utf-8", "Application/JSON",
                                   "application/json;charset=UTF-8"])
def test_right_content_type(gw, value):
    assert gw.chat("echo", headers={"content-type": value}).status_code == 200


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
def test_encoded_request(gw, encoding):
    error = assert_error(gw.chat("echo", headers={"content-encoding": encoding}), 415)
    assert "ncod" in error["message"]


def test_too_large(config, make_gateway, fake, mark):
    settings = config()
    settings["server"] = {"limits": {"body": "64KiB"}}
    gateway = make_gateway(settings)
    body = json.dumps(chat_body("echo", mark + "x" * 70_000)).encode()
    # Declared too large: refused before the body, so that nothing needs to be sent.
    with gateway.raw() as raw:
        raw.send(gateway.request_bytes(body)[:-len(body)])
        error = assert_error(raw.answer(), 413)
        assert "65536" in error["message"] or "64" in error["message"]
    # Chunked: found out on the way.
    with gateway.raw() as raw:
        raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % KEY.encode())
        try:
            for _ in range(20):
                raw.send(b"%x\r\n%s\r\n" % (8192, b"x" * 8192))
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert_error(raw.answer(), 413)
        assert raw.closed_within(10)
    # A client that sends all of it before it reads still sees the answer (lingering close).
    answer = gateway.post("/v1/chat/completions", content=body)
    assert_error(answer, 413)
    assert fake.records(mark) == []
    assert gateway.chat("echo", "x" * 60_000).status_code == 200


def test_large_head(gw):
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"{}", headers={f"X-{i}": "y" * 10_000 for i in range(5)}))
        assert_error(raw.answer(), 431)
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"{}", headers={f"X-{i}": "y" for i in range(100)}))
        assert_error(raw.answer(), 431)
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"{}", path="/" + "a" * 40_000))
        assert raw.answer().status in (414, 431)


def test_framing_refusals_have_the_same_form(gw):
    with gw.raw() as raw:
        raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n")
        answer = raw.answer()
        assert_error(answer, 400)
        assert raw.closed_within(10)


def test_each_error_has_an_id_of_its_own_and_stands_in_the_log(gw):
    ids = set()
    for answer in (gw.chat("no-such"), gw.chat("echo", key="sk-no"), gw.get("/v1/nowhere")):
        ids.add(answer.headers["x-request-id"])
        line = gw.log_of(answer.headers["x-request-id"])
        assert line["status"] == answer.status_code
        assert line["error"]
    assert len(ids) == 3


def test_slow_senders_are_cut(config, make_gateway):
    settings = config()
    settings["server"] = {"timeouts": {"header": "500ms", "body": "500ms"}}
    gateway = make_gateway(settings)
    with gateway.raw() as raw:  # half a head, then nothing
        raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\n")
        raw.socket.settimeout(5)
        assert raw.read_all()[:12] in (b"", b"HTTP/1.1 408", b"HTTP/1.1 400")
    with gateway.raw() as raw:  # half a body, then nothing
        raw.send(gateway.request_bytes(chat_body("echo"))[:-5])
        raw.socket.settimeout(5)
        data = raw.read_all()
        assert data[:12] in (b"", b"HTTP/1.1 408", b"HTTP/1.1 400")
    assert gateway.chat("echo").status_code == 200
