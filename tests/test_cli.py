"""The verbs that a person types."""

import http.server
import json
import os
import shutil
import signal
import subprocess
import threading
import time

import pytest

from gateway import KEY, Gateway, binary, clean_environment, run, wait_until

VERBS = ["serve", "check", "keys", "models", "engine", "chat", "usage", "status"]


def test_help_names_every_verb():
    text = run("--help").stdout
    for verb in VERBS:
        assert verb in text
        done = run(verb, "--help")
        assert done.returncode == 0 and len(done.stdout) > 40, verb


def test_version():
    done = run("--version")
    assert done.returncode == 0
    assert done.stdout.lower().startswith("causeway ")


@pytest.mark.parametrize("args", [["keys"], ["keys", "frobnicate"], ["keys", "revoke"], ["chat", "--model"],
                                  ["usage", "--no-such"], ["serv"]])
def test_wrong_use_is_2_and_says_how(args):
    done = run(*args)
    assert done.returncode == 2, done.stdout + done.stderr
    assert done.stderr.strip()


def test_mistyped_verb_names_the_nearest():
    assert "serve" in run("serv").stderr


def test_chat_with_a_question_as_argument(gw):
    done = gw.cli("chat", "--model", "echo", "hello there")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "You said: hello there\n"


def test_chat_with_a_question_from_stdin(gw):
    done = gw.cli("chat", "--model", "echo", input="hello from\na pipe\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "You said: hello from\na pipe\n"


def test_chat_streams(gw):
    words = "word " * 39 + "end"  # 2 s
    process = subprocess.Popen([str(binary()), "chat", "--model", "fake/slow-stream", "--data", str(gw.data), words],
                               stdout=subprocess.PIPE, stdin=subprocess.DEVNULL,
                               env=clean_environment())
    start = time.monotonic()
    first = os.read(process.stdout.fileno(), 100)
    first_at = time.monotonic() - start
    rest = process.stdout.read()
    total = time.monotonic() - start
    assert process.wait() == 0
    assert (first + rest).decode() == f"You said: {words}\n"
    assert total - first_at > 0.2, "it came all at once"


def test_chat_tells_errors(gw):
    done = gw.cli("chat", "--model", "ecko", "hi")
    assert done.returncode == 1
    assert "echo" in done.stderr and done.stdout == ""
    done = gw.cli("chat", "--model", "fake/cut-mid-stream", "hi")
    assert done.returncode == 1
    assert done.stdout.startswith("one two three") and done.stderr


def test_chat_without_a_gateway(tmp_path):
    done = run("chat", "--data", str(tmp_path / "none"), "hi")
    assert done.returncode == 1
    assert "serve" in done.stderr  # what to do


def test_chat_with_address_and_key(gw):
    """Against any gateway, not only the one on this machine's data folder."""
    done = run("chat", "--model", "echo", "hi", env={"OPENAI_BASE_URL": gw.base_url, "OPENAI_API_KEY": KEY})
    assert (done.returncode, done.stdout) == (0, "You said: hi\n"), done.stderr


def chat_into(gw, model: str, reader: str) -> subprocess.CompletedProcess:
    """`causeway chat … | reader`; the exit code is that of the verb."""
    script = '"$0" chat --model "$1" --data "$2" hi | ' + reader + '; exit "${PIPESTATUS[0]}"'
    return subprocess.run(["bash", "-c", script, str(binary()), model, str(gw.data)], capture_output=True, timeout=20,
                          env=clean_environment(), stdin=subprocess.DEVNULL)


def running_requests(gw) -> int:
    return json.loads(gw.cli("status", "--json").stdout)["running_requests"]


@pytest.mark.parametrize("model, reader, output", [
    ("fake/endless", "head -c 20", b"word word"),
    ("fake/words-then-never", "head -c 3", b"one"),  # nothing more is written, so no write can fail
    ("fake/never", "true", b"")])
def test_chat_ends_with_its_reader(gw, model, reader, output):
    """`causeway chat … | head -1` must not hang, and the gateway stops working for it."""
    done = chat_into(gw, model, reader)
    assert done.stdout.startswith(output)
    assert done.returncode == 128 + signal.SIGPIPE, done.stderr
    assert done.stderr == b""
    wait_until(lambda: running_requests(gw) == 0, "the request has ended", timeout=20, every=0.2)


def test_chat_says_that_it_cannot_write(gw):
    done = subprocess.run(["bash", "-c", '"$0" chat --model fake/endless --data "$1" hi > /dev/full', str(binary()),
                           str(gw.data)], capture_output=True, timeout=20, env=clean_environment(),
                          stdin=subprocess.DEVNULL, text=True)
    assert done.returncode == 1
    assert "cannot be written" in done.stderr


def test_models(gw):
    table = gw.cli("models")
    assert table.returncode == 0 and "echo" in table.stdout and "org/deep/model" in table.stdout
    entries = json.loads(gw.cli("models", "--json").stdout)["models"]
    by_name = {m["name"]: m for m in entries}
    assert by_name["echo"]["targets"] == ["fake/echo"]


def test_status(gw):
    done = gw.cli("status")
    assert done.returncode == 0
    assert gw.listen in done.stdout
    value = json.loads(gw.cli("status", "--json").stdout)
    assert value["listen"] == gw.listen and value["admin"] == gw.admin
    assert value["pid"] == gw.process.pid and value["version"]


def test_status_without_a_gateway(tmp_path):
    done = run("status", "--data", str(tmp_path / "none"))
    assert done.returncode == 1
    assert done.stderr.strip()


def test_engine_list(gw):
    done = gw.cli("engine", "list", "--json")
    assert done.returncode == 0, done.stderr
    assert isinstance(json.loads(done.stdout)["models"], list)


def test_a_gateway_under_another_name_is_found(config, make_gateway, tmp_path):
    """The verbs go by who answers, not by what the program is called."""
    gw = make_gateway(config(), start=False)
    renamed = tmp_path / "llm-gate"
    shutil.copy(binary(), renamed)
    gw.command = lambda: [str(renamed), *Gateway.command(gw)[1:]]
    gw.start()
    assert gw.cli("status").returncode == 0
    assert gw.cli("chat", "--model", "echo", "hi").stdout == "You said: hi\n"


def test_what_a_killed_gateway_left_behind_names_nobody(config, make_gateway, gw):
    """Not even when its process id or its port belong to another gateway by now."""
    killed = make_gateway(config())
    killed.kill()
    for change in ({}, {"pid": gw.process.pid}, {"admin": gw.admin, "listen": gw.listen}):
        path = killed.data / "running.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
        done = killed.cli("status")
        assert done.returncode == 1 and "causeway serve" in done.stderr, (change, done.stdout + done.stderr)
    killed.exit_code = killed.process.returncode


def test_numbers_in_tables_are_as_people_write_them(tmp_path):
    """Boost.JSON writes 9.6 as 9.6E0."""
    class Admin(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            body = json.dumps({"models": [{"name": "m", "state": "ready", "tokens_per_second": 9.6}]}).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Admin) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"127.0.0.1:{server.server_address[1]}"
        (tmp_path / "running.json").write_text(json.dumps(
            {"listen": address, "admin": address, "admin_key": "a", "application_key": "b"}))
        done = run("engine", "list", "--data", str(tmp_path))
        server.shutdown()
    assert done.returncode == 0, done.stderr
    assert " 9.6 " in done.stdout


@pytest.mark.parametrize("how", ["copied", "CAUSEWAY_SHARE"])
def test_a_list_of_models_that_is_not_found_is_told(tmp_path, monkeypatch, how):
    """Everywhere where one would look for the models: the log, status, engine list, a request's answer."""
    monkeypatch.delenv("CAUSEWAY_SHARE", raising=False)
    where = tmp_path / "bin"
    if how == "copied":
        where.mkdir()
        shutil.copy(binary(), where / "causeway")
        monkeypatch.setenv("CAUSEWAY_BIN", str(where / "causeway"))
    else:
        where = tmp_path / "nowhere"
        monkeypatch.setenv("CAUSEWAY_SHARE", str(where))
    gw = Gateway(tmp_path / "gw", {"providers": {"local": {"kind": "embedded"}}})
    try:
        listed = gw.cli("engine", "list")
        told = {"status": gw.cli("status").stdout, "engine list": listed.stdout + listed.stderr,
                "request": gw.chat("local/minilm").text,
                "pull": gw.cli("engine", "pull", "minilm").stderr, "start": gw.stderr()}
        gw.stop()
    finally:
        gw.end_anyhow()
    for name, text in told.items():
        assert "The list of models" in text and str(where) in text and "CAUSEWAY_SHARE" in text, (name, text)


def test_engine_list_without_an_embedded_provider_says_so(gw):
    listed = gw.cli("engine", "list")
    assert listed.returncode == 0
    assert "no provider of kind embedded" in listed.stderr
