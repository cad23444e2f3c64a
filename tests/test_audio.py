"""Speech: forms with files go through as they came but for the model's name; what comes back passes."""

import asyncio
import hashlib
import http.client
import io
import json
import os

import openai
import pytest

from conftest import make_client, running
from fake_audio import SECONDS, SRT, TEXT
from fake_clouds import AZURE_KEY, FakeAzure
from gateway import KEY, UPSTREAM_KEY, assert_error, wait_until

# AddressSanitizer keeps what was freed for a while (256 MB): there it is no measure.
MOST_HELD = 400_000_000 if "asan" in os.environ.get("CAUSEWAY_BIN", "") else 10_000_000

SMALL = b"RIFF\r\n--\r\n----x\r\n\x00\xff" * 10
BOUNDARY = "----b0undary"


@pytest.fixture(scope="module")
def gw(config, session_folder):
    settings = config()
    settings["models"] |= {
        "listen": {"targets": ["fake/gpt-4o-transcribe"]},
        "safe": {"targets": ["fake/down", "fake/gpt-4o-transcribe"]},
        "deaf": {"targets": ["claude/claude-x"]}}
    settings["providers"]["claude"] = {"kind": "anthropic", "api_key": UPSTREAM_KEY,
                                       "base_url": settings["providers"]["fake"]["base_url"][:-3]}
    settings["server"] = {"limits": {"body": "1MiB", "upload": "40MiB"}, "timeouts": {"body": "1s"}}
    settings["policies"] = [{"name": "all", "pass_through": ["fake"]}]
    with running(session_folder / "audio", settings) as gateway:
        yield gateway
        # Whatever was kept there while it passed had no name and is gone.
        assert not [p for p in gateway.data.rglob("*") if "spool" in p.name]


@pytest.fixture(scope="module")
def client(gw):
    with make_client(gw) as made:
        yield made


def sent(fake, name: str):
    """The request whose file has that name."""
    found = wait_until(lambda: [r for r in fake.records(f'filename="{name}"')], name)
    return found[-1]


def part(name: str, value: bytes, more: str = "", headers: str = "") -> bytes:
    return (f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n{headers}\r\n'.encode()
            + value + b"\r\n")


END = f"--{BOUNDARY}--\r\n".encode()
FILE = part("file", SMALL, '; filename="a.wav"', "Content-Type: audio/wav\r\n")
MODEL = part("model", b"listen")


def post(gw, body: bytes, path="/v1/audio/transcriptions", content_type=None, **more):
    kind = content_type or f"multipart/form-data; boundary={BOUNDARY}"
    return gw.post(path, content=body, headers={"content-type": kind}, **more)


# --- the official client


def test_transcription(client, gw, fake, mark):
    answer = client.audio.transcriptions.with_raw_response.create(
        model="listen", file=(f"{mark}.wav", SMALL), prompt="names: Ægir", temperature=0)
    assert answer.parse().text == TEXT
    assert answer.parse().usage.input_tokens == 14
    record = sent(fake, f"{mark}.wav")
    assert record.target == "/v1/audio/transcriptions"
    assert record.header("authorization") == f"Bearer {UPSTREAM_KEY}"
    assert record.form["model"] == [(None, b"gpt-4o-transcribe")]
    assert record.form["file"] == [(f"{mark}.wav", SMALL)]
    assert record.form["prompt"] == [(None, "names: Ægir".encode())]
    log = gw.log_of(answer.headers["x-request-id"])
    assert (log["operation"], log["model"], log["provider"]) == ("transcription", "listen", "fake")
    assert (log["input_tokens"], log["output_tokens"], log["usage_source"]) == (14, 7, "reported")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_translation(client, fake, mark):
    assert client.audio.translations.create(model="listen", file=(f"{mark}.wav", SMALL)).text == TEXT
    assert sent(fake, f"{mark}.wav").target == "/v1/audio/translations"


@pytest.mark.parametrize("kind, wanted", [("text", TEXT + "\n"), ("srt", SRT)])
def test_formats_that_are_no_json(client, mark, kind, wanted):
    raw = client.audio.transcriptions.with_raw_response.create(
        model="listen", file=(f"{mark}.wav", SMALL), response_format=kind)
    assert raw.text() == wanted if callable(raw.text) else raw.text == wanted
    assert raw.headers["content-type"] == "text/plain; charset=utf-8"


def test_verbose_json(client, mark):
    answer = client.audio.transcriptions.create(
        model="listen", file=(f"{mark}.wav", SMALL), response_format="verbose_json",
        timestamp_granularities=["segment", "word"])
    assert answer.text == TEXT and [s.text for s in answer.segments] == [" I see", " skies of blue."]


def test_stream(client, gw, mark):
    with client.audio.transcriptions.with_streaming_response.create(
            model="listen", file=(f"{mark}.wav", SMALL), stream=True) as raw:
        request_id = raw.headers["x-request-id"]
        events = list(raw.parse())
    assert "".join(e.delta for e in events if e.type == "transcript.text.delta") == TEXT
    assert events[-1].type == "transcript.text.done" and events[-1].text == TEXT
    log = gw.log_of(request_id)
    assert log["stream"] and (log["input_tokens"], log["output_tokens"]) == (14, 7)


def test_vllms_stream_passes_as_it_came(gw, fake, mark):
    body = FILE.replace(b"a.wav", mark.encode()) + part("model", b"fake/vllm") + part("stream", b"true") + END
    answer = post(gw, body)
    assert answer.text.endswith("data: [DONE]\n\n") and answer.text.count("transcription.chunk") == 6


def test_a_model_that_does_not_stream_answers_whole(gw):
    """OpenAI's whisper-1 takes `stream` and leaves it alone."""
    answer = post(gw, FILE + part("model", b"fake/whisper-1") + part("stream", b"true") + END)
    assert answer.json() == {"text": TEXT, "usage": SECONDS}


def test_a_stream_that_is_cut_is_no_end(gw):
    answer = post(gw, FILE + part("model", b"fake/cut") + part("stream", b"true") + END)
    assert "upstream_cut" in answer.text and "transcript.text.done" not in answer.text


def test_without_tokens_it_is_a_request(gw, client):
    before = (gw.usage_of(model="fake/whisper-1") or {}).get("requests", 0)
    client.audio.transcriptions.create(model="fake/whisper-1", file=("a.wav", SMALL))
    row = wait_until(lambda: (r := gw.usage_of(model="fake/whisper-1")) and r["requests"] > before and r)
    assert row["input_tokens"] == row["output_tokens"] == row["estimated_requests"] == 0


def test_large(client, gw, fake, mark):
    """30 MB, of which the gateway holds a piece in memory."""
    content = os.urandom(30_000_000)
    before = gw.rss()
    assert client.audio.transcriptions.create(model="listen", file=(f"{mark}.wav", content)).text == TEXT
    (_, got), = sent(fake, f"{mark}.wav").form["file"]
    assert hashlib.sha256(got).digest() == hashlib.sha256(content).digest()
    assert gw.rss() - before < MOST_HELD


def test_async_and_many_at_once(gw, fake, mark):
    async def all_of_them():
        async with openai.AsyncOpenAI(base_url=gw.base_url, api_key=KEY, max_retries=0) as client:
            return await asyncio.gather(*[
                client.audio.transcriptions.create(model="listen", file=(f"{mark}-{i}.wav", bytes([i]) * 300_000))
                for i in range(10)])
    assert [a.text for a in asyncio.run(all_of_them())] == [TEXT] * 10
    for i in range(10):
        assert sent(fake, f"{mark}-{i}.wav").form["file"][0][1] == bytes([i]) * 300_000


# --- the form


def test_the_model_may_stand_anywhere(gw, fake, mark):
    file = FILE.replace(b"a.wav", mark.encode())
    for body in (MODEL + file + END, file + MODEL + END, file + MODEL + part("language", b"en") + END):
        assert post(gw, body).json()["text"] == TEXT
        record = sent(fake, mark)
        assert record.body == body.replace(b"\r\n\r\nlisten\r\n", b"\r\n\r\ngpt-4o-transcribe\r\n")
        assert record.header("content-type") == f"multipart/form-data; boundary={BOUNDARY}"


@pytest.mark.parametrize("size", [0, 1, 65_535 - 164, 65_536, 65_537, 131_072, 200_000])
def test_sizes_around_a_piece(gw, fake, mark, size):
    content = os.urandom(size)
    body = part("file", content, f'; filename="{mark}"') + MODEL + END
    assert post(gw, body).json()["text"] == TEXT
    assert sent(fake, mark).form["file"] == [(mark, content)]


def test_in_chunks_and_byte_by_byte(gw, fake, mark):
    body = FILE.replace(b"a.wav", mark.encode()) + MODEL + END
    connection = http.client.HTTPConnection(gw.listen, timeout=20)
    connection.request("POST", "/v1/audio/transcriptions", iter([body[i : i + 1] for i in range(len(body))]),
                       {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                        "Authorization": f"Bearer {KEY}", "Transfer-Encoding": "chunked"},
                       encode_chunked=True)
    assert json.load(connection.getresponse())["text"] == TEXT
    record = sent(fake, mark)
    assert record.header("content-length") == str(len(record.body))


BAD = {
    "no last boundary": FILE + MODEL,
    "cut in the last boundary": FILE + MODEL + END[:-4],
    "cut behind the last CR": FILE + MODEL + END[:-1],
    "preamble": b"hello\r\n" + FILE + MODEL + END,
    "epilogue": FILE + MODEL + END + b"x",
    "two models": MODEL + FILE + MODEL + END,
    "two models, one a file": MODEL + FILE + part("model", b"x", '; filename="m"') + END,
    "two files": FILE + FILE + MODEL + END,
    "two streams": FILE + MODEL + part("stream", b"false") + part("stream", b"true") + END,
    "boundary with a tail": part("file", b"a\r\n--" + BOUNDARY.encode() + b"tail", '; filename="a"') + MODEL + END,
    "boundary with blanks": FILE + MODEL.replace(BOUNDARY.encode(), BOUNDARY.encode() + b"  ") + END,
    "bare line feeds": (FILE + MODEL + END).replace(b"\r\n", b"\n"),
    "no disposition": f"--{BOUNDARY}\r\nContent-Type: a/b\r\n\r\nx\r\n".encode() + FILE + MODEL + END,
    "two dispositions": part("file", b"x", "", 'Content-Disposition: form-data; name="model"\r\n') + MODEL + END,
    "two names": part("file", b"x", '; name="model"') + MODEL + END,
    "an escaped quote": part("x", b"y", '; filename="a\\"; name=\\"model"') + FILE + MODEL + END,
    "an escape in a name": FILE + part("mod\\el", b"x") + MODEL + END,
    "an encoded name": FILE + part("x", b"y", "; name*=utf-8''model") + MODEL + END,
    "an encoded part": FILE + part("model", b"bGlzdGVu", "", "Content-Transfer-Encoding: base64\r\n") + END,
    "a folded header": FILE + part("model", b"listen", ";\r\n x=y") + END,
    "a header bomb": FILE + part("x", b"y", "", "X: " + "a" * 9000 + "\r\n") + MODEL + END,
    "many headers": FILE + part("x", b"y", "", "X: a\r\n" * 2000) + MODEL + END,
    "many parts": FILE + part("x", b"y") * 130 + MODEL + END,
    "nothing": b"",
    "only the end": END,
    "no model": FILE + END,
    "no file": MODEL + END,
    "an empty model": FILE + part("model", b"") + END,
    "a long model": FILE + part("model", b"m" * 300) + END,
    "a model with lines": FILE + part("model", b"listen\r\nX: y") + END,
    "a model that is a file": FILE + part("model", b"listen", '; filename="m"') + END,
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(gw, fake, name):
    before = len(fake.records())
    answer = post(gw, BAD[name])
    error = assert_error(answer, 400)
    assert error["code"] in ("invalid_multipart", "invalid_request"), error
    assert len(fake.records()) == before
    assert post(gw, FILE + MODEL + END).status_code == 200


@pytest.mark.parametrize("kind, status", [
    ("application/json", 415), ("multipart/mixed; boundary=x", 415), ("multipart/form-data", 400),
    ("multipart/form-data; boundary=", 400), ("multipart/form-data; boundary=a; boundary=b", 400),
    ("multipart/form-data; boundary=" + "a" * 71, 400), ('multipart/form-data; boundary="a\tb"', 400)])
def test_types_that_are_no_form(gw, kind, status):
    assert_error(post(gw, FILE + MODEL + END, content_type=kind), status)


def test_a_quoted_boundary(gw):
    kind = f'multipart/form-data; charset=utf-8; boundary="{BOUNDARY}"'
    assert post(gw, FILE + MODEL + END, content_type=kind).status_code == 200


# --- limits, policy, faults


def test_too_large(gw, fake):
    """Told from the head, or where that does not tell, when it is over the limit."""
    before = len(fake.records())
    with gw.raw() as raw:
        raw.send(gw.request_bytes(b"", path="/v1/audio/transcriptions", headers={
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": str(50 << 20)}))
        error = assert_error(raw.answer(), 413)
        assert "server.limits.upload" in error["message"]
    connection = http.client.HTTPConnection(gw.listen, timeout=20)
    head = part("file", b"", '; filename="a"')[:-2]
    pieces = [head] + [bytes(1 << 20)] * 41
    try:
        connection.request("POST", "/v1/audio/transcriptions", iter(pieces), {
            "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Authorization": f"Bearer {KEY}",
            "Transfer-Encoding": "chunked"}, encode_chunked=True)
    except OSError:
        pass  # it need not read what it has refused
    answer = connection.getresponse()
    assert answer.status == 413 and "server.limits.upload" in json.load(answer)["error"]["message"]
    assert len(fake.records()) == before


def test_a_full_disk(config, make_gateway):
    import resource
    gw = make_gateway(config())
    body = part("file", bytes(3_000_000), '; filename="a"') + part("model", b"fake/whisper-1") + END
    assert post(gw, body).status_code == 200
    resource.prlimit(gw.process.pid, resource.RLIMIT_FSIZE, (1_000_000, resource.RLIM_INFINITY))
    error = assert_error(post(gw, body), 503, "store_full")
    assert "disk is full" in error["message"] and str(gw.data) not in error["message"]
    resource.prlimit(gw.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert post(gw, body).status_code == 200


def test_the_next_target_gets_all_of_it(gw, fake, mark):
    content = os.urandom(200_000)
    body = part("file", content, f'; filename="{mark}"') + part("model", b"safe") + END
    assert post(gw, body).json()["text"] == TEXT
    first, second = fake.records(mark)
    assert [r.form["model"][0][1] for r in (first, second)] == [b"down", b"gpt-4o-transcribe"]
    assert first.form["file"] == second.form["file"] == [(mark, content)]


def test_the_providers_refusal(gw):
    error = assert_error(post(gw, FILE + part("model", b"fake/refuses") + END), 400)
    assert error["message"] == "Invalid file format." and error["param"] == "file"


def test_providers_that_have_none(gw):
    error = assert_error(post(gw, FILE + part("model", b"deaf") + END), 400, "operation_not_supported")
    assert "transcription" in error["message"] and error["param"] == "model"


def test_who_may(gw):
    assert_error(post(gw, FILE + MODEL + END, key=None), 401)
    narrow = gw.make_key(models=["echo"])["key"]
    assert_error(post(gw, FILE + MODEL + END, key=narrow), 403, "model_not_allowed")
    assert_error(post(gw, FILE + part("model", b"nosuch") + END), 404, "model_not_found")


def test_a_caller_that_leaves_or_stops(gw, fake, mark):
    head = gw.request_bytes(b"", path="/v1/audio/transcriptions", headers={
        "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Content-Length": "5000000"})
    begun = part("file", bytes(300_000), f'; filename="{mark}"')
    with gw.raw() as raw:
        raw.send(head + begun)
        raw.reset()
    with gw.raw() as raw:
        raw.send(head + begun)
        assert raw.answer().status == 408
    assert not fake.records(mark)
    assert post(gw, FILE + MODEL + END).status_code == 200


@pytest.mark.parametrize("form", ["v1", "2024-10-21"])
def test_azure(form, session_folder, mark):
    azure = FakeAzure().start()
    try:
        settings = {"providers": {"azure": {"kind": "azure", "base_url": azure.endpoint,
                                            "api_key": AZURE_KEY, "api_version": form}}}
        with running(session_folder / f"audio-azure-{form}", settings) as gateway, make_client(gateway) as client:
            assert client.audio.transcriptions.create(
                model="azure/whisper", file=(f"{mark}.wav", io.BytesIO(SMALL))).text == TEXT
        assert azure.one(mark).form["file"] == [(f"{mark}.wav", SMALL)]
    finally:
        azure.stop()
    assert not azure.failures


# --- what passes through goes as it comes


def test_a_body_that_passes_through_is_not_held(gw, fake, mark):
    """30 MB while `server.limits.body` is 1 MiB; in chunks as well as with a length."""
    content = os.urandom(30_000_000)
    body = part("file", content, f'; filename="{mark}"') + part("model", b"whisper-1") + END
    before = gw.rss()
    answer = post(gw, body, path="/providers/fake/audio/transcriptions")
    assert answer.json()["text"] == TEXT
    assert sent(fake, mark).body == body
    assert gw.rss() - before < MOST_HELD
    connection = http.client.HTTPConnection(gw.listen, timeout=20)
    connection.request("POST", "/providers/fake/audio/transcriptions",
                       iter([body[i : i + 100_000] for i in range(0, len(body), 100_000)]),
                       {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                        "Authorization": f"Bearer {KEY}", "Transfer-Encoding": "chunked"},
                       encode_chunked=True)
    assert json.load(connection.getresponse())["text"] == TEXT
    record = sent(fake, mark)
    assert record.header("transfer-encoding") == "chunked" and record.body == body


def accept_upload(listener):
    """The connection of the upload, of which nothing is read: the gateway asks for the models on another."""
    import socket
    while True:
        connection, _ = listener.accept()
        connection.settimeout(5)
        if connection.recv(5, socket.MSG_PEEK) == b"POST ":
            return connection
        connection.close()


def test_it_waits_for_a_slow_provider(gw, fake, mark):
    """Back-pressure: what the provider does not take, the gateway does not read."""
    import socket
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(5)
    # A provider of its own, that accepts and reads nothing.
    settings = {"providers": {"slow": {"kind": "openai", "api_key": "k",
                                       "base_url": f"http://127.0.0.1:{listener.getsockname()[1]}/v1"}},
                "policies": [{"name": "all", "pass_through": ["slow"]}]}
    with running(gw.folder.parent / f"slow-{mark}", settings) as gateway:
        with gateway.raw() as raw:
            raw.send(gateway.request_bytes(b"", path="/providers/slow/files",
                                           headers={"Content-Length": str(90_000_000)}))
            connection = accept_upload(listener)
            before = gateway.rss()
            raw.socket.settimeout(1)
            sent_bytes = 0
            with pytest.raises(TimeoutError):
                for _ in range(90):
                    raw.socket.sendall(bytes(1_000_000))
                    sent_bytes += 1_000_000
            assert sent_bytes < 40_000_000 and gateway.rss() - before < MOST_HELD
            connection.close()
    listener.close()
