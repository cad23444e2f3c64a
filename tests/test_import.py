"""`causeway import`: configurations of LiteLLM, Portkey and TensorZero become a causeway.yaml that works."""

from __future__ import annotations

import json
import os
import pathlib
import re
import time

import pytest
import yaml

from conftest import make_client
from gateway import KEY, UPSTREAM_KEY, run

DATA = pathlib.Path(__file__).parent / "data/import"
FILES = sorted(path for path in DATA.glob("*/*") if path.is_file())
ON_LOOPBACK = """
server: {{ listen: 127.0.0.1:0, admin: 127.0.0.1:0, data: {data} }}
keys:
  - {{ name: test, secret: {key}, models: [ "*" ] }}
"""


def variables(text: str) -> list[str]:
    """Those that the head of the file says must be set."""
    head = text.split("# Must be set in the environment:\n", 1)
    names = re.match(r"(?:#   [A-Z_a-z0-9]+\n)*", head[1])[0] if len(head) > 1 else ""
    return re.findall(r"#   (\w+)", names)


def imported(path: pathlib.Path, *more: str) -> str:
    done = run("import", path.parent.name, str(path), *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def checked(text: str, folder: pathlib.Path):
    file = folder / "causeway.yaml"
    file.write_text(text)
    return run("check", str(file), env={name: "http://collector.example" for name in variables(text)})


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_the_result_is_right(path, tmp_path):
    text = imported(path)
    done = checked(text, tmp_path)
    assert done.returncode == 0, text + done.stderr


def test_remarks_have_the_lines_of_the_source(tmp_path):
    path = DATA / "litellm/team.yaml"
    lines = path.read_text().splitlines()
    done = run("import", "litellm", str(path))
    said = dict(re.findall(rf"^{path}:(\d+): (\S+?):", done.stderr, re.MULTILINE))
    assert lines[int(next(at for at, about in said.items() if "master_key" in about)) - 1].strip().startswith(
        "master_key:")
    assert lines[int(next(at for at, about in said.items() if "tags" in about)) - 1].strip().startswith(
        "tags:")
    comments = "\n".join(line for line in done.stdout.splitlines() if line.startswith("#"))
    for at, about in said.items():
        assert re.search(rf"^# +{at}  {re.escape(about)}", comments, re.MULTILINE), (at, about)


def test_a_team_of_litellm(tmp_path):
    config = yaml.safe_load(imported(DATA / "litellm/team.yaml"))
    assert config["models"]["smart"] == {
        "strategy": "weighted",
        "targets": ["acme-eu/gpt-4.1-eu", "openai/gpt-4.1", "bedrock/anthropic.claude-sonnet-4-5-v1:0"],
        "weights": {"acme-eu/gpt-4.1-eu": 600, "openai/gpt-4.1": 200,
                    "bedrock/anthropic.claude-sonnet-4-5-v1:0": 0}}
    assert config["models"]["best"] == config["models"]["smart"]
    assert config["providers"]["10.0.0.7-8000"] == {
        "kind": "openai", "base_url": "http://10.0.0.7:8000/v1", "api_key": "${GPU_KEY}", "expose": []}
    assert config["providers"]["bedrock"]["region"] == "eu-west-1"
    assert config["prices"]["models"] == {"acme-eu/gpt-4.1-eu": {"input": 2, "output": 8}}
    assert config["policies"][-1]["pii"] == {"action": "mask", "kinds": {"card": "block"}}
    assert config["alerts"]["receivers"]["slack"]["url"] == "${SLACK_WEBHOOK_URL}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_no_secret_in_clear_is_shown(path):
    done = run("import", path.parent.name, str(path))
    for secret in ("in-clear", "sk-1234", "my-fake-key", '"fake-key"'):
        assert secret not in done.stdout + done.stderr, secret


def test_the_file_is_never_written_over_unasked(tmp_path):
    out = tmp_path / "causeway.yaml"
    args = ["import", "litellm", str(DATA / "litellm/team.yaml"), "-o", str(out)]
    done = run(*args)
    assert (done.returncode, done.stdout) == (0, "")
    first = out.read_text()
    out.write_text("mine")
    done = run(*args)
    assert done.returncode == 1 and "--force" in done.stderr
    assert out.read_text() == "mine"
    assert run(*args, "--force").returncode == 0
    assert out.read_text() == first
    assert out.with_name("causeway.yaml.bak").read_text() == "mine"
    done = run(*args[:-1], str(tmp_path / "no-folder/causeway.yaml"))
    assert done.returncode == 1 and "No such file" in done.stderr


@pytest.mark.parametrize("args, code, words", [
    (["import"], 2, "subcommand"),
    (["import", "litellm"], 2, "file"),
    (["import", "kong", "x"], 2, "kong"),
    (["import", "litellm", "no-such-file"], 1, "No such file"),
    (["import", "litellm", str(DATA)], 1, "folder"),
    (["import", "litellm", str(DATA / "portkey/shares.json")], 1, "causeway import portkey"),
    (["import", "portkey", str(DATA / "tensorzero/shop.toml")], 1, "causeway import tensorzero"),
    (["import", "tensorzero", str(DATA / "litellm/team.yaml")], 1, "causeway import litellm"),
])
def test_what_is_wrong_is_said(args, code, words):
    done = run(*args)
    assert done.returncode == code, done.stderr
    assert words in done.stderr


@pytest.mark.parametrize("tool, text, place", [
    ("litellm", "model_list:\n  - model_name: a\n   x: [\n", ":3:"),
    ("portkey", '{"targets": [\n  {"provider": }}', ":2:"),
    ("tensorzero", "[models.a]\nrouting = [\n", ":2:"),
])
def test_what_cannot_be_read_has_its_place(tool, text, place, tmp_path):
    file = tmp_path / "source"
    file.write_text(text)
    done = run("import", tool, str(file))
    assert done.returncode == 1
    assert f"{file}{place}" in done.stderr


@pytest.mark.parametrize("tool", ["litellm", "portkey", "tensorzero"])
@pytest.mark.parametrize("hostile", [
    b"model_list: " + b"[" * 500_000,
    b'{"targets":' * 200_000,
    b"a" + b".a" * 1_000_000 + b" = 1\n",
    b"model_list: \xff\xfe",
    b"model_list: \0",
    b"#" * 10_000_001,
    b"x: &a [" + b"1," * 100 + b"1]\nmodel_list: [" + b"*a," * 2000 + b"*a]\n",
    os.urandom(4096),
], ids=["deep-list", "deep-table", "dots", "no-utf8", "zero", "too-large", "aliases", "noise"])
def test_hostile_files_end_soon(tool, hostile, tmp_path):
    file = tmp_path / "source"
    file.write_bytes(hostile)
    began = time.monotonic()
    done = run("import", tool, str(file))
    assert done.returncode == 1 and done.stderr.startswith("causeway: "), done.stderr[:200]
    assert len(done.stderr) < 2000
    assert time.monotonic() - began < 10


def sources(fake) -> dict[str, tuple[str, str]]:
    """A configuration of each tool whose model `chat` is the fake upstream's echo: its file and text."""
    litellm = {"model_list": [{"model_name": "chat", "litellm_params": {
        "model": "openai/echo", "api_base": fake.base_url, "api_key": "os.environ/FAKE_KEY"}}]}
    portkey = {"strategy": {"mode": "single"}, "targets": [{
        "provider": "openai", "custom_host": fake.base_url, "api_key": "{{FAKE_KEY}}",
        "override_params": {"model": "echo"}}]}
    tensorzero = ('[models.chat]\nrouting = ["a"]\n[models.chat.providers.a]\ntype = "openai"\n'
                  f'model_name = "echo"\napi_base = "{fake.base_url}"\napi_key_location = "env::FAKE_KEY"\n')
    return {"litellm": ("config.yaml", yaml.safe_dump(litellm)), "portkey": ("chat.json", json.dumps(portkey)),
            "tensorzero": ("tensorzero.toml", tensorzero)}


@pytest.mark.parametrize("tool", ["litellm", "portkey", "tensorzero"])
def test_the_official_client_talks_through_an_imported_model(tool, fake, make_gateway, tmp_path, mark):
    name, text = sources(fake)[tool]
    file = tmp_path / name
    file.write_text(text)
    done = run("import", tool, str(file))
    assert done.returncode == 0, done.stderr
    assert UPSTREAM_KEY not in done.stdout
    config = done.stdout + ON_LOOPBACK.format(data=tmp_path / "data", key=KEY)
    gateway = make_gateway(config, env={"FAKE_KEY": UPSTREAM_KEY})
    with make_client(gateway) as client:
        answer = client.chat.completions.create(model="chat", messages=[{"role": "user", "content": mark}])
    assert mark in answer.choices[0].message.content
    assert fake.one(mark).header("authorization") == f"Bearer {UPSTREAM_KEY}"
