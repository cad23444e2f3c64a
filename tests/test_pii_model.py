"""The names model beside the rules of `pii`: what only it finds, what it has seen before, and that nothing leaves
which it could not look at."""

import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import shutil

import openai
import pytest

from conftest import make_client, running
from fake_upstream import Fake
from gateway import CACHE, UPSTREAM_KEY, run, wait_until

ROOT = pathlib.Path(__file__).parents[1]
SHA = re.search(r"\[rampart\].*?result\.sha256 = (\w+)", (ROOT / "third_party/manifest").read_text(), re.S)[1]
FILE = CACHE / "files" / SHA / "Rampart.Q4.safetensors"
NAME = "jonathan okwuosa"  # in lower case, without a title or a label: no rule finds it
TEXT = f"yesterday we spoke with {NAME} about the heater."

if not FILE.exists():
    if os.environ.get("CI"):
        raise RuntimeError("scripts/deps --tests fetches the names model")
    pytest.skip(f"no names model in {CACHE}: run scripts/deps --tests first", allow_module_level=True)


@pytest.fixture(scope="module")
def inside():
    upstream = Fake().start()
    yield upstream
    upstream.stop()


def settings(fake, inside, pii="names"):
    return {
        "providers": {"outside": {"kind": "openai", "base_url": fake.base_url, "api_key": UPSTREAM_KEY},
                      "inside": {"kind": "openai", "base_url": inside.base_url, "zone": "internal"}},
        "models": {"echo": {"targets": ["outside/echo"]},
                   "plain-echo": {"targets": ["outside/echo"]},
                   "both": {"targets": ["outside/echo", "inside/echo"]},
                   "home": {"targets": ["inside/echo"]}},
        "policies": [{"name": "rules", "match": {"models": ["plain-*"]}, "pii": "mask"},
                     {"name": "all", "pii": {"model": pii}}],
    }


@pytest.fixture(scope="module")
def gateway(fake, inside, session_folder):
    with running(session_folder / "pii-model", settings(fake, inside)) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(gateway):
    with make_client(gateway) as made:
        yield made


def ask(client, model, *texts):
    roles = ["user", "assistant"]
    messages = [{"role": roles[i % 2], "content": text} for i, text in enumerate(texts)]
    return client.chat.completions.create(model=model, messages=messages).choices[0].message.content


def chunks(gateway, how):
    return gateway.metrics().value("causeway_pii_model_chunks_total", how=how)


def refused(gateway, reason):
    return gateway.metrics().value("causeway_pii_model_refused_total", reason=reason)


def test_a_name_that_no_rule_finds(client, fake, mark):
    answer = ask(client, "echo", f"{mark} {TEXT}")
    body = fake.one(mark).body.decode()
    assert "okwuosa" not in body and "[PERSON]" in body
    assert NAME in answer, "and it is put back"


def test_without_the_model_it_leaves(client, fake, mark):
    ask(client, "plain-echo", f"{mark} {TEXT}")
    assert NAME in fake.one(mark).body.decode()


def test_names_in_arguments_of_tools(client, fake, mark):
    said = json.dumps({"note": f"{mark}: call {NAME} back", "count": 3})
    ask(client, "echo", "Write it down.", "yes", said)
    body = fake.one(mark).body.decode()
    assert "okwuosa" not in body and "[PERSON]" in body
    sent = json.loads(json.loads(body)["messages"][2]["content"])
    assert sent == {"note": f"{mark}: call [PERSON] back", "count": 3}


def test_the_same_message_is_looked_at_once(gateway, client, mark):
    first = f"{mark}: Okwuosa wrote to Bramwell-Quist."
    run_before, known_before = chunks(gateway, "run"), chunks(gateway, "remembered")
    ask(client, "echo", first)
    assert chunks(gateway, "run") == run_before + 1
    ask(client, "echo", first, "nothing is here", f"{mark}: and Fatima Okonjo?")
    assert chunks(gateway, "run") == run_before + 2
    assert chunks(gateway, "remembered") == known_before + 1
    ask(client, "echo", first)
    assert chunks(gateway, "run") == run_before + 2


def test_without_a_candidate_it_is_not_asked(gateway, client):
    before = chunks(gateway, "run"), chunks(gateway, "remembered")
    ask(client, "echo", "is the meeting at noon? please tell everybody.")
    assert (chunks(gateway, "run"), chunks(gateway, "remembered")) == before


def test_nor_for_targets_in_the_house(gateway, client, inside, mark):
    before = chunks(gateway, "run")
    ask(client, "home", f"{mark} {TEXT}")
    assert NAME in inside.one(mark).body.decode()
    assert chunks(gateway, "run") == before


def test_a_large_text_is_looked_through(client, fake, mark):
    filler = "the weather was fine and nobody said a word about it. " * 6000  # 320 kB, in which nothing is
    answer = ask(client, "echo", f"{mark} {filler} {TEXT}")
    assert "okwuosa" not in fake.one(mark).body.decode()
    assert answer.endswith(TEXT)


def test_who_leaves_is_missed_by_nobody(gateway, client, mark):
    names = " ".join(f"Okwuosa{i} met Bramwell{i} in the hall." for i in range(2000))
    with pytest.raises(openai.APITimeoutError):
        ask(client.with_options(timeout=0.3), "echo", f"{mark} {names}")
    ask(client, "echo", f"{mark} {TEXT}")


def test_a_full_queue_says_so(gateway, fake, client, mark):
    def one(number):
        words = " ".join(f"Okwuosa{number}x{i} met Bramwell{number}y{i} in the hall." for i in range(10))
        try:
            ask(client, "echo", f"{mark} {number} {words}")
            return 200, ""
        except openai.APIStatusError as error:
            assert int(error.response.headers["retry-after"]) >= 1
            return error.status_code, error.code

    before = refused(gateway, "busy")
    with concurrent.futures.ThreadPoolExecutor(160) as pool:
        answers = list(pool.map(one, range(160)))
    assert set(answers) == {(200, ""), (503, "pii_model_busy")}
    busy = sum(status == 503 for status, _ in answers)
    assert refused(gateway, "busy") == before + busy
    assert len(fake.records(mark)) == 160 - busy, "what was refused did not leave"
    assert ask(client, "echo", TEXT).count(NAME) == 1, "and afterwards there is room"


def test_it_ends_while_texts_wait(make_gateway, fake, inside, mark):
    gateway = make_gateway({**settings(fake, inside), "server": {"drain": "200ms"}})

    def one(number):
        words = " ".join(f"Okwuosa{number}x{i} met Bramwell{number}y{i} in the hall." for i in range(300))
        with make_client(gateway) as own, contextlib.suppress(openai.APIError):
            ask(own, "echo", f"{mark} {words}")

    with concurrent.futures.ThreadPoolExecutor(40) as pool:
        waiting = [pool.submit(one, number) for number in range(40)]
        wait_until(lambda: chunks(gateway, "run") > 0, "the first is looked at")
        gateway.stop()  # holds it to its time, and to exit code 0
        for each in waiting:
            each.result()


def test_what_cannot_be_looked_at_does_not_leave(make_gateway, fake, inside, mark, tmp_path):
    nothing = {"CAUSEWAY_CACHE": str(tmp_path), "CAUSEWAY_FETCH_RAMPART": str(tmp_path / "nowhere")}
    gateway = make_gateway(settings(fake, inside), env=nothing)
    with make_client(gateway) as client:
        with pytest.raises(openai.InternalServerError) as answer:
            ask(client, "echo", f"{mark} {TEXT}")
        assert answer.value.status_code == 503 and answer.value.code == "pii_model_missing"
        assert not fake.records(mark)
        ask(client, "both", f"{mark} {TEXT}")
        assert NAME in inside.one(mark).body.decode(), "a target in the house answers instead"
        assert not fake.records(mark)
        assert refused(gateway, "missing") == 2
        ask(client, "plain-echo", "all else works")
        # It is used as soon as it is there.
        target = tmp_path / "files" / SHA / FILE.name
        target.parent.mkdir(parents=True)
        shutil.copy(FILE, target.with_suffix(".new"))
        target.with_suffix(".new").rename(target)
        ask(client, "echo", f"{mark} {TEXT}")
        assert "okwuosa" not in fake.one(mark).body.decode()


def test_no_word_is_kept(gateway):
    kept = [gateway.out_path, gateway.err_path, *(p for p in gateway.data.rglob("*") if p.is_file())]
    assert not [path for path in kept if b"okwuosa" in path.read_bytes().lower()]


def test_the_setting_is_checked(tmp_path):
    path = tmp_path / "causeway.yaml"
    path.write_text("policies:\n  - name: a\n    pii: { model: nam }\n")
    done = run("check", "--config", str(path))
    assert done.returncode != 0 and "names" in done.stdout + done.stderr


def test_the_verb_and_the_route(gateway):
    plain = run("pii", "scan", "-", "--json", input=TEXT)
    assert json.loads(plain.stdout)["findings"] == []
    done = run("pii", "scan", "-", "--json", "--model", input=TEXT)
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["kind"], found["rule"], TEXT[found["begin"]:found["end"]]) == ("person", "model", NAME)
    answer = gateway.admin_call("POST", "/api/pii/scan", {"text": TEXT, "model": True})
    assert answer.json()["findings"] == [found]
    assert gateway.admin_call("POST", "/api/pii/scan", {"text": TEXT}).json()["findings"] == []
    only = gateway.admin_call("POST", "/api/pii/scan", {"text": TEXT, "model": True, "kinds": ["email"]})
    assert only.json()["findings"] == []
    assert gateway.admin_call("POST", "/api/pii/scan", {"text": TEXT, "model": 1}).status_code == 400


def test_the_verb_without_the_model(tmp_path):
    done = run("pii", "scan", "-", "--model", input=TEXT, env={"CAUSEWAY_CACHE": str(tmp_path)})
    assert done.returncode == 1 and "scripts/deps" in done.stderr
