"""What the verbs say to somebody who does not know the program yet: which gateway they work on, what
there is, what is wrong and what mends it."""

import fcntl
import json
import os
import pty
import re
import socket
import subprocess

import pytest

from gateway import binary, clean_environment, run, wait_until

FILE = """server: { listen: "127.0.0.1:0", admin: "127.0.0.1:0", data: ./own-data }
providers:
  up: { kind: openai, base_url: "http://127.0.0.1:9/v1", zone: internal }
  local: { kind: embedded }
models:
  fast: { targets: [ local/default ] }
  smart: { targets: [ up/large, local/default ] }
"""


def in_folder(folder, *args, env=None, **more):
    return run(*args, cwd=folder, env=env, **more)


def listed(text: str) -> list[str]:
    return [line.split()[0] for line in text.splitlines()[1:]]


# --- models

def test_models_are_what_applications_may_ask_for(make_gateway, fake):
    gw = make_gateway(None, env={"OPENAI_API_KEY": "sk-env-0123456789", "OPENAI_BASE_URL": fake.base_url},
                      args=["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data"])
    made = json.loads(gw.cli("keys", "create", "--name", "all", "--json").stdout)["key"]

    def ids():
        return sorted(m["id"] for m in gw.get("/v1/models", key=made).json()["data"])

    wait_until(lambda: "echo" in ids(), "the provider's models are listed")
    table = gw.cli("models")
    assert table.returncode == 0, table.stderr
    assert sorted(listed(table.stdout)) == ids()
    assert "running gateway" in table.stderr and gw.listen in table.stderr
    default = next(line for line in table.stdout.splitlines() if line.startswith("local/default "))
    assert "local/smollm2-135m-instruct" in default  # what it stands for
    value = json.loads(gw.cli("models", "--json").stdout)
    assert value["source"] == "gateway" and sorted(m["name"] for m in value["models"]) == ids()


def test_models_of_a_configuration_with_models_of_its_own(config, make_gateway):
    settings = config()
    settings["providers"]["local"] = {"kind": "embedded"}
    gw = make_gateway(settings)
    wait_until(lambda: "fake/echo " in gw.cli("models").stdout, "the provider's models are listed")
    assert sorted(listed(gw.cli("models").stdout)) == sorted(
        m["id"] for m in gw.get("/v1/models").json()["data"])


def test_models_without_a_gateway_come_from_the_configuration(tmp_path):
    (tmp_path / "causeway.yaml").write_text(FILE)
    done = in_folder(tmp_path, "models")
    assert done.returncode == 0, done.stderr
    assert {"fast", "smart", "local/default", "up/*"} <= set(listed(done.stdout))
    assert "no gateway runs" in done.stderr and "causeway.yaml" in done.stderr
    assert not (tmp_path / "own-data").exists()
    value = json.loads(in_folder(tmp_path, "models", "--json").stdout)
    assert value["source"] == "configuration"


def test_models_without_gateway_and_file_come_from_what_the_machine_offers(tmp_path):
    done = in_folder(tmp_path, "models", env={"MISTRAL_API_KEY": "sk-0123456789abcdef"})
    assert done.returncode == 0, done.stderr
    assert {"local/default", "mistral/*"} <= set(listed(done.stdout))
    assert list(tmp_path.iterdir()) == []


# --- which gateway

@pytest.mark.parametrize("args", [["list"], ["revoke", "x"], ["rotate", "x"], ["expire", "x", "--never"]])
def test_keys_leave_no_data_folder_behind(tmp_path, args):
    done = in_folder(tmp_path, "keys", *args)
    assert done.returncode == 1
    assert str(tmp_path / "causeway-data") in done.stderr and "--data" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_first_key_may_be_made_before_the_first_start(tmp_path):
    assert in_folder(tmp_path, "keys", "create", "--name", "ci").returncode == 0
    assert "ci" in in_folder(tmp_path, "keys", "list").stdout


def test_serve_and_verbs_read_the_file_of_the_folder(make_gateway):
    gw = make_gateway(None, start=False)
    gw.config_path.write_text(FILE)
    gw.start()
    assert (gw.folder / "own-data").is_dir()
    assert "causeway.yaml" in wait_until(lambda: "  config " in gw.said() and gw.said(), "it is said")
    status = in_folder(gw.folder, "status")
    assert status.returncode == 0, status.stderr
    assert gw.listen in status.stdout and "causeway.yaml" in status.stdout
    elsewhere = run("status", "--config", str(gw.config_path))
    assert elsewhere.returncode == 1 and "own-data" in elsewhere.stderr  # relative to where one stands
    assert run("status", "--data", str(gw.folder / "own-data")).returncode == 0


def test_the_environment_names_the_data_folder_to_serve_too(make_gateway):
    gw = make_gateway(None, args=["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"],
                      env={"CAUSEWAY_DATA": "other"})
    assert (gw.folder / "other").is_dir()
    assert in_folder(gw.folder, "status", env={"CAUSEWAY_DATA": "other"}).returncode == 0


@pytest.mark.parametrize("args", [["engine"], ["usage"], ["keys"], ["keys", "list"], ["status"], ["models"],
                                  ["chat"], ["store"]])
def test_help_tells_which_gateway_is_meant(args):
    done = run(*args, "--help")
    assert done.returncode == 0
    assert "--data" in done.stdout and "--config" in done.stdout and "CAUSEWAY_DATA" in done.stdout


def test_engine_needs_what_its_help_says(gw):
    usage = run("engine", "--help").stdout
    assert "REQUIRED" not in usage
    assert gw.cli("engine").returncode == 0
    lacking = gw.cli("engine", "pull")
    assert lacking.returncode == 2 and "engine list" in lacking.stderr


# --- what is wrong, and what mends it

@pytest.mark.parametrize("args, words", [
    (["keys", "revoke", "nokey"], ["nokey", "causeway keys list"]),
    (["keys", "revoke", "tset"], ["tset", 'did you mean "test"']),
    (["engine", "pull", "nosuch"], ["nosuch", "causeway engine list"]),
    (["usage", "--key", "nosuchkey"], ["nosuchkey", "causeway keys list"])])
def test_an_unknown_name_is_told_with_what_there_is(gw, args, words):
    done = gw.cli(*args)
    assert done.returncode == 1, done.stdout
    for word in words:
        assert word in done.stderr, done.stderr
    assert done.stderr.startswith("causeway: ")


def test_a_mistyped_model_of_the_engine(config, make_gateway):
    gw = make_gateway({**config(), "providers": {**config()["providers"], "local": {"kind": "embedded"}}})
    assert 'did you mean "smollm2"' in gw.cli("engine", "pull", "smollm").stderr
    table = gw.cli("engine", "list").stdout
    assert "ALIASES" in table and "default, smollm2" in table


@pytest.mark.parametrize("verb", ["check", "serve", "models"])
def test_a_file_that_is_not_there(tmp_path, verb):
    done = in_folder(tmp_path, verb, "--config", "caseway.yaml")
    assert done.returncode == 1
    assert "caseway.yaml" in done.stderr and "--config" in done.stderr
    assert "No such file" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", [["status"], ["usage"], ["models"], ["keys", "list"], ["keys", "create", "--name", "a"], ["engine", "list"]])
def test_a_file_that_is_no_yaml(tmp_path, verb):
    """Nobody knows which data folder it would have named: none is guessed, and none is made."""
    (tmp_path / "causeway.yaml").write_text("server: { data: ./d }\nproviders:\n  a: { kind: openai, base_url: [\n")
    done = in_folder(tmp_path, *verb)
    assert done.returncode == 1
    assert "causeway.yaml:" in done.stderr and "YAML" in done.stderr and "--data" in done.stderr, done.stderr
    assert [file.name for file in tmp_path.iterdir()] == ["causeway.yaml"]


def test_a_verb_that_is_nothing_like_any():
    done = run("bogus")
    assert done.returncode == 2
    for verb in ("serve", "chat", "status"):
        assert verb in done.stderr


def test_chat_with_an_address_where_nobody_is(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        done = in_folder(tmp_path, "chat", "hi", env={"OPENAI_BASE_URL": url})
    assert done.returncode == 1
    assert url in done.stderr and "OPENAI_BASE_URL" in done.stderr and "--data" in done.stderr


def test_chat_with_nothing_to_say(gw):
    done = gw.cli("chat", input="\n")
    assert done.returncode == 2
    assert "causeway chat \"" in done.stderr and "standard input" in done.stderr


def test_one_cause_is_one_error(tmp_path):
    (tmp_path / "causeway.yaml").write_text(
        'keys:\n  - { name: ci, secret: "${CI_KEY}" }\n  - { name: ops, secret: short }\n'
        "providers: { a: { kind: openai, base_url: \"http://127.0.0.1:9/v1\" } }\n"
        "models: { m: { targets: [ c/x ] } }\n")
    lines = in_folder(tmp_path, "check").stderr.splitlines()
    assert [line for line in lines if ":2:" in line and "CI_KEY" in line], lines
    assert len([line for line in lines if ":2:" in line]) == 1, lines
    assert [line for line in lines if ":3:" in line and "16" in line], lines
    assert [line for line in lines if 'no provider "c"' in line and '"a"' in line], lines


def test_every_message_begins_alike(tmp_path):
    for args in (["status"], ["models", "--config", "none.yaml"], ["keys", "list"], ["usage"], ["chat", "hi"],
                 ["engine", "list"], ["serve", "--listen", "nowhere"]):
        done = in_folder(tmp_path, *args)
        assert done.returncode == 1, args
        assert done.stderr.startswith("causeway: "), (args, done.stderr)


# --- tables

def test_long_names_do_not_break_the_list_of_keys(config, make_gateway):
    gw = make_gateway(config())
    name = "the-key-of-an-application-with-a-very-long-name-indeed"
    assert gw.cli("keys", "create", "--name", name, "--tenant", "a-tenant-with-a-long-name").returncode == 0
    lines = gw.cli("keys", "list").stdout.splitlines()
    long = next(line for line in lines if name in line)
    for column in ("NAME", "KIND", "TENANT", "STATE", "MODELS"):
        at = lines[0].index(column)
        assert long[at - 1] == " " and long[at] != " ", (lines[0], long)
    assert "causeway-cli" not in "\n".join(lines)
    assert "made for the verbs" in gw.cli("keys", "list", "--all").stdout
    assert "causeway-cli" in gw.cli("keys", "list", "--json").stdout


def test_status_says_what_it_runs_on(make_gateway):
    gw = make_gateway(None, args=["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data"])
    rows = dict(re.split(r"  +", line, maxsplit=1) for line in gw.cli("status").stdout.splitlines())
    assert "no file" in rows["config"]
    assert rows["data"] == str(gw.data)
    assert rows["engine"]


# --- the engine while it is being built

@pytest.fixture
def being_built(tmp_path):
    """A cache without an engine, as it is while scripts/run builds one."""
    cache = tmp_path / "cache"
    (cache / "locks").mkdir(parents=True)
    (cache / "log").mkdir()
    files = os.environ.get("CAUSEWAY_CACHE") or os.path.expanduser("~/.cache/causeway")
    (cache / "files").symlink_to(f"{files}/files")
    with open(cache / "locks" / "embedded", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield cache


def test_an_engine_that_is_being_built_is_not_advised_to_be(make_gateway, being_built):
    gw = make_gateway(None, args=["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data"],
                      env={"CAUSEWAY_CACHE": str(being_built)})
    log = str(being_built / "log" / "engine.log")
    key = json.loads(gw.cli("keys", "create", "--name", "k", "--json").stdout)["key"]
    before = [gw.cli(*verb).stdout for verb in (["status"], ["engine", "list"])]
    answer = gw.chat("local/default", key=key)
    assert answer.status_code == 503 and answer.json()["error"]["code"] == "engine_missing"
    chat = gw.cli("chat", "hi")
    assert chat.returncode == 1
    after = [gw.cli(*verb).stdout for verb in (["status"], ["engine", "list"])]
    for text in (gw.said(), answer.json()["error"]["message"], chat.stderr, *before, *after):
        assert "being built" in text and log in text and "scripts/deps" not in text, text


# --- the access log

def test_on_a_terminal_the_access_log_does_not_bury_the_keys(make_gateway):
    gw = make_gateway(None, start=False)
    gw.out_path.write_text("")
    gw.err_path.write_text("")
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [str(binary()), "serve", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data",
         "--ready-file", "ready.json"], cwd=gw.folder, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
        env=clean_environment({"CAUSEWAY_TEST_MARK": gw.mark}))
    try:
        wait_until(gw.ready_path.exists, "it is ready")
        gw.process, gw.exit_code = process, None
        gw.listen = json.loads(gw.ready_path.read_text())["listen"]
        assert gw.get("/v1/models", key="no-such-key").status_code == 401
        log = gw.data / "access.log"
        wait_until(lambda: log.exists() and '"status":401' in log.read_text(), "the line in the file")
        os.set_blocking(ours, False)
        said = os.read(ours, 65536).decode()
        assert "request_id" not in said and str(log) in said
    finally:
        gw.stop()
        os.close(ours)
        os.close(theirs)


# --- the master key

def test_a_new_master_key(make_gateway, config):
    gw = make_gateway(config())
    master = gw.data / "master.key"
    first = master.read_bytes()
    done = gw.cli("store", "rotate-key")
    assert done.returncode == 0 and "master.key" in done.stdout, done.stderr
    second = master.read_bytes()
    assert second != first
    gw.stop()
    assert json.loads(gw.cli("store", "rotate-key", "--json").stdout)["data_keys"] == 0
    assert master.read_bytes() not in (first, second)
    gw.start()
    assert gw.chat("echo").status_code == 200


def test_a_master_key_of_the_configuration_is_changed_there(config, make_gateway):
    settings = config()
    settings["server"] = {"master_key": "m" * 40}
    gw = make_gateway(settings)
    done = gw.cli("store", "rotate-key")
    assert done.returncode == 1 and "server.master_key" in done.stderr, done.stderr
    gw.stop()
    again = gw.cli("store", "rotate-key", "--config", str(gw.config_path))
    assert again.returncode == 1 and "server.master_key" in again.stderr, again.stderr
