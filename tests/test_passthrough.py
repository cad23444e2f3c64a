"""Bytes that nobody touched leave as they came, both ways."""

import json

import pytest

from fake_faults import ODD_EVENTS, ODD_JSON
from gateway import KEY, UPSTREAM_KEY, assert_error, chat_body


def sent_bytes(gw, fake, mark, body: bytes):
    answer = gw.post("/v1/chat/completions", content=body)
    assert answer.status_code == 200, answer.text
    return fake.one(mark).body


ODD_REQUESTS = {
    "blanks": b' \r\n\t{ "messages" :[ {"content":"MARK" ,\t"role":"user"}\n] , "model":  "fake/echo"  }\n ',
    "escapes": b'{"model":"fake/echo","messages":[{"role":"user","content":"MARK caf\\u00e9 \\/ \\ud83d\\ude00 \\u0000 \\b\\f"}]}',
    "raw utf-8": '{"model":"fake/echo","messages":[{"role":"user","content":"MARK é 😀 \u2028"}]}'.encode(),
    "key order": b'{"zz":1,"messages":[{"content":"MARK","role":"user","aa":0}],"aa":{"z":1,"a":2},"model":"fake/echo"}',
    "big numbers": b'{"model":"fake/echo","seed":12345678901234567890123,"temperature":1.00,"x":1e3,"y":-0.0,"messages":[{"role":"user","content":"MARK"}]}',
    "unknown fields": b'{"model":"fake/echo","vendor":{"deep":[[[{"a":null}]]]},"messages":[{"role":"user","content":"MARK","vendor":[1,2]}]}',
    "escaped key": b'{"mod\\u0065l":"fake/echo","messages":[{"role":"user","content":"MARK"}]}',
    "escaped model name": b'{"model":"f\\u0061ke\\/echo","messages":[{"role":"user","content":"MARK"}]}',
    "empty texts": b'{"model":"fake/echo","messages":[{"role":"system","content":""},{"role":"user","content":"MARK"}],"stop":"","metadata":{}}',
    "model name elsewhere": b'{"messages":[{"role":"user","content":"MARK \\"model\\":\\"fake/echo\\""}],"metadata":{"model":"fake/echo"},"model":"fake/echo"}',
}


@pytest.mark.parametrize("name", ODD_REQUESTS)
def test_request_bytes(gw, fake, mark, name):
    body = ODD_REQUESTS[name].replace(b"MARK", mark.encode())
    got = sent_bytes(gw, fake, mark, body)
    # The one change: the value of "model". The last one in the body is the top-level one.
    value = b'"f\\u0061ke\\/echo"' if name == "escaped model name" else b'"fake/echo"'
    before, _, after = body.rpartition(value)
    if b'"model":' + value in body[: body.index(b"messages")]:  # it stands in front
        before, _, after = body.partition(value)
    assert got == before + b'"echo"' + after


def test_name_without_change_is_not_touched(gw, fake, mark):
    """The application's name is the provider's: not one byte differs."""
    body = b'{ "model" : "echo", "messages":[{"role":"user","content":"%s"}] }' % mark.encode()
    assert sent_bytes(gw, fake, mark, body) == body


def test_stream_request_changes_only_usage(gw, fake, mark):
    body = b'{"stream": true , "model":"echo", "messages":[{"role":"user","content":"%s"}] ,"zz": 1.50}' % mark.encode()
    gw.post("/v1/chat/completions", content=body)
    got = fake.one(mark).body
    sent = json.loads(got)
    assert sent.pop("stream_options") == {"include_usage": True}
    assert sent == json.loads(body)
    for piece in (b'"stream": true , "model":"echo", "messages":[{"role":"user","content":"', b'] ,"zz": 1.50'):
        assert piece in got


def test_stream_options_of_the_client_are_kept(gw, fake, mark):
    answer = gw.chat_stream("echo", mark, stream_options={"include_obfuscation": False})
    assert answer.done and answer.usages == []
    assert fake.one(mark).json["stream_options"] == {"include_obfuscation": False, "include_usage": True}


def test_stream_options_with_usage_not_touched(gw, fake, mark):
    body = (b'{"model":"echo","stream":true,"stream_options":{ "include_usage" : true },'
            b'"messages":[{"role":"user","content":"%s"}]}' % mark.encode())
    answer = gw.post("/v1/chat/completions", content=body)
    assert answer.status_code == 200
    assert fake.one(mark).body == body


DUPLICATES = {
    "model": b'{"model":"echo","messages":[{"role":"user","content":"MARK"}],"model":"embed"}',
    "messages": b'{"messages":[],"model":"echo","messages":[{"role":"user","content":"MARK"}]}',
    "model, one escaped": b'{"model":"echo","mod\\u0065l":"embed","messages":[{"role":"user","content":"MARK"}]}',
    "content": b'{"model":"echo","messages":[{"role":"user","content":"a","content":"MARK"}]}',
    "role": b'{"model":"echo","messages":[{"role":"user","role":"system","content":"MARK"}]}',
    "stream": b'{"model":"echo","stream":false,"stream":true,"messages":[{"role":"user","content":"MARK"}]}',
    "text of a part": b'{"model":"echo","messages":[{"role":"user","content":[{"type":"text","text":"a","text":"MARK"}]}]}',
    "include_usage": b'{"model":"echo","stream":true,"stream_options":{"include_usage":true,"include_usage":false},"messages":[{"role":"user","content":"MARK"}]}',
}


@pytest.mark.parametrize("name", DUPLICATES)
def test_duplicate_keys_are_refused(gw, fake, mark, name):
    answer = gw.post("/v1/chat/completions", content=DUPLICATES[name].replace(b"MARK", mark.encode()))
    error = assert_error(answer, 400)
    assert "twice" in error["message"] or "duplicate" in error["message"].lower()
    assert fake.records(mark) == []


def test_answer_bytes(gw):
    answer = gw.chat("fake/odd-json")
    assert answer.status_code == 200
    assert answer.content == ODD_JSON


def test_streamed_answer_bytes(gw):
    answer = gw.chat_stream("fake/odd-events")
    assert answer.raw == b"".join(ODD_EVENTS)


def test_large_bodies_both_ways(gw, fake, mark):
    """4 MB of text each way, with a character of every width."""
    text = f"{mark} " + "äx€😀" * 400_000
    answer = gw.chat("fake/echo", text, timeout=60)
    assert answer.json()["choices"][0]["message"]["content"] == "You said: " + text
    assert fake.one(mark).json == chat_body("echo", text)


def test_chunked_request(gw, fake, mark):
    """Chunks of the client become a body with a length for the provider."""
    body = json.dumps(chat_body("echo", mark)).encode()
    with gw.raw() as raw:
        raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
                 b"Authorization: Bearer %s\r\nTransfer-Encoding: chunked\r\n\r\n" % KEY.encode())
        for at in range(0, len(body), 7):
            piece = body[at : at + 7]
            raw.send(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece))
        raw.send(b"0\r\nX-Trailer: 1\r\n\r\n")
        answer = raw.answer()
    assert answer.status == 200
    record = fake.one(mark)
    assert record.body == body
    assert record.header("content-length") == str(len(body))
    assert record.header("transfer-encoding") is None and record.header("x-trailer") is None


def test_request_headers_pass_by_allow_list(gw, fake, mark):
    gw.chat("echo", mark, headers={
        "cookie": "session=1", "x-forwarded-for": "1.2.3.4", "x-custom": "1", "proxy-authorization": "Basic eA==",
        "openai-beta": "assistants=v2", "idempotency-key": "i-1", "x-api-key": "another-secret",
        "connection": "keep-alive, x-custom", "te": "trailers", "accept-encoding": "gzip, br"})
    record = fake.one(mark)
    assert record.all("authorization") == [f"Bearer {UPSTREAM_KEY}"]
    for name in ("cookie", "x-forwarded-for", "x-custom", "proxy-authorization", "x-api-key", "te"):
        assert record.header(name) is None, name
    assert record.header("openai-beta") == "assistants=v2"
    assert record.header("accept-encoding") in (None, "identity")
    assert record.all("host") == [f"{fake.host}:{fake.port}"]
    assert record.all("content-type") == ["application/json"]
    assert len(record.all("content-length")) == 1
    assert KEY not in record.raw_head.decode("latin-1")


def test_answer_headers_pass_by_allow_list(gw):
    for answer in (gw.chat("echo"), gw.chat("echo", stream=True), gw.chat("fake/one-more-header")):
        assert answer.status_code == 200
        for name in ("set-cookie", "openai-organization", "x-evil", "x-ratelimit-limit-requests"):
            assert name not in answer.headers, name
        assert answer.headers["x-request-id"] != "req_of_the_provider"
        assert answer.headers.get("server") != "fake"
        assert answer.headers["x-causeway-model"] != "forged"
        assert answer.headers["x-causeway-provider"] == "fake"


def test_request_id_of_the_client_is_kept(gw):
    answer = gw.chat("echo", headers={"x-request-id": "my-id-1"})
    assert answer.headers["x-request-id"] == "my-id-1"
    # One that could break a log line or a header is not.
    answer = gw.chat("echo", headers={"x-request-id": 'a"b' + "x" * 5000})
    assert 0 < len(answer.headers["x-request-id"]) < 200


def test_trace_context_goes_on(gw, fake, mark):
    trace = "0af7651916cd43dd8448eb211c80319c"
    gw.chat("echo", mark, headers={"traceparent": f"00-{trace}-b7ad6b7169203331-01"})
    version, trace_id, span, flags = fake.one(mark).header("traceparent").split("-")
    assert (version, trace_id, flags) == ("00", trace, "01")
    assert span != "b7ad6b7169203331"


def test_provider_headers_from_config(config, make_gateway, fake, mark):
    settings = config()
    settings["providers"]["fake"].update(headers={"x-tenant": "t-1"}, organization="org-1", project="proj-1")
    gateway = make_gateway(settings)
    assert gateway.chat("echo", mark).status_code == 200
    record = fake.one(mark)
    assert record.header("x-tenant") == "t-1"
    assert record.header("openai-organization") == "org-1"
    assert record.header("openai-project") == "proj-1"


def test_upstream_connections_are_reused(config, make_gateway, fake):
    gateway = make_gateway(config())
    gateway.chat("echo")
    before = fake.connections
    for _ in range(20):
        assert gateway.chat("echo").status_code == 200
    # One idle connection per core at most; every request from a new client connection.
    assert fake.connections - before <= 2


def test_expect_continue(gw, fake, mark):
    body = json.dumps(chat_body("echo", mark)).encode()
    head = gw.request_bytes(body, headers={"Expect": "100-continue"})[: -len(body)]
    with gw.raw() as raw:
        raw.send(head)
        assert raw.read_until(b"\r\n\r\n").startswith(b"HTTP/1.1 100 ")
        raw.send(body)
        assert raw.answer().status == 200
    # Refused before the body is asked for.
    with gw.raw() as raw:
        raw.send(gw.request_bytes(body, key="sk-wrong", headers={"Expect": "100-continue"})[: -len(body)])
        head = raw.read_until(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401 ")


def test_head_of_models(gw):
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"", path="/v1/models", method="HEAD"))
        answer = raw.answer("HEAD")
        assert answer.status == 200
        raw.send(gw.request_bytes(b"", path="/v1/models", method="GET"))
        assert raw.answer().status == 200  # no stray body in between


def test_pipelined_requests_are_answered_in_order(gw):
    with gw.raw() as raw:
        raw.send(b"".join(gw.request_bytes(chat_body("echo", f"n{i}")) for i in range(5)))
        for i in range(5):
            answer = raw.answer()
            assert answer.json()["choices"][0]["message"]["content"] == f"You said: n{i}"


def test_http_1_0_client(gw):
    """An old client gets no chunks, and the connection closes behind the answer."""
    for stream in (False, True):
        body = json.dumps(chat_body("echo", "hi", stream=stream)).encode()
        request = gw.request_bytes(body).replace(b"HTTP/1.1", b"HTTP/1.0", 1)
        with gw.raw() as raw:
            raw.send(request)
            answer = raw.read_all()
        head, _, payload = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head.split(b"\r\n")[0] and b"chunked" not in head.lower()
        assert b"You" in payload and payload.rstrip().endswith(b"[DONE]" if stream else b"}")
