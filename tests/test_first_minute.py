"""What `causeway serve` does for somebody who has written nothing yet."""

import http.server
import json
import re
import socket
import subprocess
import threading
import time

import pytest

from fake_provider import MODELS
from fake_upstream import Fake
from gateway import UPSTREAM_KEY, Gateway, run, wait_until

ANY_PORT = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data"]


def first_start(make_gateway, **env) -> Gateway:
    return make_gateway(None, env=env, args=ANY_PORT)


def printed_key(gw) -> str:
    """The key that was made for this first start, as printed."""
    def found():
        return [w for w in re.findall(r"[A-Za-z0-9_\-]{32,}", gw.said())
                if gw.get("/v1/models", key=w).status_code == 200]
    return wait_until(found, "the key is printed")[0]


def test_prints_address_key_and_curl(make_gateway, fake):
    gw = first_start(make_gateway, OPENAI_API_KEY="sk-env-0123456789", OPENAI_BASE_URL=fake.base_url)
    out = wait_until(lambda: "curl" in gw.said() and gw.said(), "the start-up lines")
    assert gw.listen in out
    assert printed_key(gw)
    assert f"http://{gw.listen}/v1" in out  # what OPENAI_BASE_URL wants


def curl_line(gw) -> str:
    """The command as a person would copy it: from `curl` to the last line that goes on."""
    lines = gw.said().splitlines()
    at = next(i for i, line in enumerate(lines) if line.lstrip().startswith("curl "))
    command = lines[at]
    while command.endswith("\\"):
        at += 1
        command += "\n" + lines[at]
    return command


def test_curl_line_works_when_pasted(make_gateway, fake):
    gw = first_start(make_gateway, OPENAI_API_KEY="sk-env-0123456789", OPENAI_BASE_URL=fake.base_url)
    wait_until(lambda: "curl" in gw.said(), "the curl line")
    done = subprocess.run(["bash", "-c", curl_line(gw)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert '"choices"' in done.stdout or "data: " in done.stdout, done.stdout
    assert '"error"' not in done.stdout


def start_with_key_of(make_gateway, fake, kind: str, models: dict) -> Gateway:
    """A first start whose configuration brings a key of one kind, so that one of the other is made."""
    return make_gateway(json.dumps({
        "server": {"listen": "127.0.0.1:0", "admin": "127.0.0.1:0", "data": "data"},
        "providers": {"fake": {"kind": "openai", "base_url": fake.base_url, "api_key": UPSTREAM_KEY}},
        "models": models, "keys": [{"name": "mine", "kind": kind, "secret": "sk-of-my-own-0123456789"}]}))


@pytest.mark.parametrize("models", [
    {"it's \"mine\" $HOME": {"targets": ["fake/echo"]}},  # a name that a shell would take apart
    {}])                                                  # no model is known: the line lists them
def test_curl_line_works_where_only_the_application_key_was_made(make_gateway, fake, models):
    gw = start_with_key_of(make_gateway, fake, "admin", models)
    wait_until(lambda: "Try it" in gw.said() and gw.said().endswith("\n\n"), "the curl line")
    assert "This key is shown this once" in gw.said() and "admin key" not in gw.said()
    done = subprocess.run(["bash", "-c", curl_line(gw)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert ('"choices"' if models else '"data"') in done.stdout, done.stdout


def test_nothing_to_try_with_a_key_that_is_not_known(make_gateway, fake):
    gw = start_with_key_of(make_gateway, fake, "application", {"echo": {"targets": ["fake/echo"]}})
    wait_until(lambda: "More: causeway keys create" in gw.said(), "the greeting")
    assert "This key is shown this once" in gw.said() and "admin key" in gw.said()
    assert "Try it" not in gw.said() and "curl " not in gw.said()


def test_key_is_shown_only_at_the_first_start(make_gateway, fake):
    gw = first_start(make_gateway, OPENAI_API_KEY="sk-env-0123456789", OPENAI_BASE_URL=fake.base_url)
    key = printed_key(gw)
    gw.stop()
    gw.out_path.write_text("")
    gw.err_path.write_text("")
    gw.start()
    assert key not in gw.said()
    assert gw.get("/v1/models", key=key).status_code == 200


def test_environment_gives_a_provider(make_gateway, fake, mark):
    gw = first_start(make_gateway, OPENAI_API_KEY="sk-env-0123456789", OPENAI_BASE_URL=fake.base_url)
    key = printed_key(gw)

    def ids():
        return [m["id"] for m in gw.get("/v1/models", key=key).json()["data"]]

    model = wait_until(lambda: [i for i in ids() if i == "echo" or i.endswith("/echo")], "its models are listed")[0]
    assert all(any(i.endswith(m) for i in ids()) for m in MODELS)
    answer = gw.chat(model, mark, key=key)
    assert answer.status_code == 200, answer.text
    record = fake.one(mark)
    assert record.header("authorization") == "Bearer sk-env-0123456789"
    assert record.json["model"] == "echo"
    assert "sk-env-0123456789" not in gw.said()
    assert "openai" in gw.said().lower()  # it says what it found, and from where


USUAL = {11434: "Ollama", 8000: "vLLM", 1234: "LM Studio", 8080: "llama"}


@pytest.fixture
def usual_server():
    """A model server on one of the usual ports (the first that is free)."""
    for port, name in USUAL.items():
        upstream = Fake()
        try:
            upstream.start(port)
        except OSError:
            continue
        yield upstream, port, name
        upstream.stop()
        return
    pytest.fail(f"all of the usual ports are taken: {list(USUAL)}")


def test_model_servers_on_the_usual_ports_are_found(make_gateway, usual_server, mark):
    upstream, port, name = usual_server
    gw = first_start(make_gateway)
    key = printed_key(gw)
    out = wait_until(lambda: str(port) in gw.said() and gw.said(), "it is named in the start-up lines")
    assert name.lower() in out.lower()
    ids = [m["id"] for m in gw.get("/v1/models", key=key).json()["data"]]
    model = next(i for i in ids if i == "echo" or i.endswith("/echo"))
    assert gw.chat(model, mark, key=key).status_code == 200
    assert upstream.one(mark)


class OldServer(http.server.BaseHTTPRequestHandler):
    """A model server that answers HTTP/1.0, as Python's own http.server does."""

    def answer(self, value: dict):
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer({"object": "list", "data": [{"id": "old", "object": "model"}]})

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer({"id": "1", "object": "chat.completion", "created": 1, "model": "old", "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "of old"}, "finish_reason": "stop"}]})

    def log_message(self, *_):
        pass


def test_a_model_server_that_answers_http_1_0_is_found(make_gateway):
    for port in USUAL:
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), OldServer)
        except OSError:
            continue
        threading.Thread(target=server.serve_forever, daemon=True).start()
        gw = first_start(make_gateway)
        key = printed_key(gw)
        assert str(port) in gw.said()
        wait_until(lambda: "old" in gw.get("/v1/models", key=key).text, "its models are listed")
        assert "of old" in gw.chat("old", key=key).text
        server.shutdown()
        server.server_close()
        return
    pytest.fail("all of the usual ports are taken")


def test_a_silent_server_on_a_usual_port_does_not_hold_the_start_up(make_gateway):
    for port in USUAL:
        with socket.socket() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                silent.bind(("127.0.0.1", port))
            except OSError:
                continue
            silent.listen()
            start = time.monotonic()
            first_start(make_gateway)
            assert time.monotonic() - start < 5
            return
    pytest.fail("all of the usual ports are taken")


def test_without_anything_it_still_starts_and_says_what_to_do(make_gateway):
    """No key, no server, perhaps no engine yet: it listens, and a chat has an answer or a reason."""
    gw = first_start(make_gateway)
    key = printed_key(gw)
    answer = gw.chat("no-such-model", key=key)
    assert answer.status_code == 404
    assert httpx_ready(gw)


def httpx_ready(gw):
    return gw.admin_call("GET", "/livez", key=None).status_code == 200


def test_config_file_decides(config, make_gateway, fake):
    """With a file, what the environment would give is not there."""
    gw = make_gateway(config(), env={"OPENAI_API_KEY": "sk-env-0123456789", "OPENAI_BASE_URL": fake.base_url})
    assert gw.chat("openai/echo").status_code == 404
    ids = [m["id"] for m in gw.get("/v1/models").json()["data"]]
    assert not [i for i in ids if i.startswith("openai/")]


def test_a_first_start_that_fails_loses_no_key(make_gateway):
    """The usual port is taken: the keys that were made are shown all the same, and what mends it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        gw = make_gateway(None, start=False)
        done = run("serve", "--listen", address, "--admin", "127.0.0.1:0", "--data", "data", cwd=gw.folder)
    assert done.returncode == 1
    assert address in done.stderr and "--listen" in done.stderr
    key = re.search(r"  key +(cw-\S+)", done.stderr)
    assert key, done.stderr
    gw.args = ANY_PORT
    gw.start()
    assert gw.get("/v1/models", key=key[1]).status_code == 200
