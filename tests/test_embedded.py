"""The model that Causeway runs itself: the real llama-server with the real small chat model."""

import concurrent.futures
import json
import os
import pathlib
import signal
import stat
import subprocess
import time

import openai
import pytest

from conftest import make_client, running
from gateway import CACHE, ENGINE, assert_error, chat_body, chat_model_file, wait_until
from wire import Closed
from test_first_minute import ANY_PORT, curl_line

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]

if not (ENGINE.exists() and chat_model_file()) and not os.environ.get("CI"):
    pytest.skip(f"no engine or chat model in {CACHE}: run scripts/deps first", allow_module_level=True)


def embedded_config(**local) -> dict:
    return {"providers": {"local": {"kind": "embedded", **local}},
            "models": {"fast": {"targets": ["local/default"]}}}


@pytest.fixture(scope="module")
def local(session_folder):
    with running(session_folder / "embedded", embedded_config()) as gateway:
        yield gateway


@pytest.fixture(scope="module")
def client(local):
    return make_client(local, timeout=120)


def user(text):
    return [{"role": "user", "content": text}]


def engines(gw) -> list[int]:
    """Process ids of the gateway's llama-server children (their environment is their own)."""
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        if int(parent) == gw.process.pid and state != "Z" and b"llama-server" in command(int(entry.name)):
            found.append(int(entry.name))
    return found


def command(pid: int) -> bytes:
    try:
        return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def test_chat(client):
    """The first request waits while the model loads."""
    answer = client.chat.completions.create(model="fast", messages=user("What is the capital of France?"),
                                            temperature=0, max_tokens=40)
    assert "Paris" in answer.choices[0].message.content
    assert answer.choices[0].finish_reason in ("stop", "length")
    assert answer.usage.prompt_tokens > 5 and answer.usage.completion_tokens > 3


def test_stream(client):
    text, usage = "", None
    for event in client.chat.completions.create(model="fast", messages=user("What is the capital of France?"),
                                                temperature=0, max_tokens=40, stream=True,
                                                stream_options={"include_usage": True}):
        if event.choices:
            text += event.choices[0].delta.content or ""
        usage = event.usage or usage
    assert "Paris" in text
    assert usage.completion_tokens > 3


def test_stream_comes_in_pieces(local):
    with local.raw(timeout=60) as raw:
        raw.send(local.request_bytes(chat_body("fast", "Tell me a story.", stream=True, max_tokens=60)))
        raw.head()
        times = [time.monotonic() for _ in raw.pieces()]
    assert len(times) > 20
    assert times[-1] - times[0] > 0.1


def test_own_system_prompt_wins(client):
    answer = client.chat.completions.create(
        model="fast", temperature=0, max_tokens=20,
        messages=[{"role": "system", "content": "You are a helpful assistant."}, *user("What is the capital of France?")])
    assert "Paris" in answer.choices[0].message.content


def test_json_schema(client):
    schema = {"type": "object", "additionalProperties": False, "required": ["city", "inhabitants"],
              "properties": {"city": {"type": "string", "maxLength": 30}, "inhabitants": {"type": "integer"}}}
    answer = client.chat.completions.create(
        model="fast", temperature=0, max_tokens=100, messages=user("Describe Paris."),
        response_format={"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": schema}})
    value = json.loads(answer.choices[0].message.content)
    assert set(value) == {"city", "inhabitants"}
    assert isinstance(value["city"], str) and isinstance(value["inhabitants"], int)


def test_embeddings(client):
    """Related sentences are nearer than unrelated ones; float and base64 agree."""
    texts = ["How do I reset my password?", "I forgot my password.", "The weather is fine today."]
    answer = client.embeddings.create(model="local/all-minilm-l6-v2", input=texts)
    a, b, c = (item.embedding for item in answer.data)
    dot = lambda x, y: sum(i * j for i, j in zip(x, y))
    norm = lambda x: dot(x, x) ** 0.5
    cosine = lambda x, y: dot(x, y) / norm(x) / norm(y)
    assert len(a) == 384
    assert cosine(a, b) > 0.5 > cosine(a, c) + 0.2
    floats = client.embeddings.create(model="local/all-minilm-l6-v2", input=texts[:1], encoding_format="float")
    assert all(abs(x - y) < 1e-4 for x, y in zip(floats.data[0].embedding, a))
    assert answer.usage.prompt_tokens > 10


@pytest.mark.parametrize("model", ["fast", "local/default", "local/smollm2-135m-instruct"])
def test_embeddings_of_a_chat_model_are_refused_clearly(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        client.embeddings.create(model=model, input="x")
    assert (error.value.code, error.value.param) == ("operation_not_supported", "model")
    assert model in error.value.message and "embeddings" in error.value.message


@pytest.mark.parametrize("model", ["local/minilm", "local/all-minilm-l6-v2"])
def test_chat_of_an_embeddings_model_is_refused_clearly(client, model):
    with pytest.raises(openai.BadRequestError) as error:
        client.chat.completions.create(model=model, messages=user("x"))
    assert (error.value.code, error.value.param) == ("operation_not_supported", "model")
    assert model in error.value.message and "chat" in error.value.message


def test_models_of_both_kinds_are_listed(client):
    assert {"fast", "local/default", "local/minilm"} <= {model.id for model in client.models.list().data}


def test_own_file_does_what_its_configuration_says(make_gateway):
    """What a file is good for is not looked up in it: `kind`, and without it chat."""
    file = str(chat_model_file())
    gw = make_gateway(embedded_config(models={"talks": {"file": file}, "embeds": {"file": file, "kind": "embeddings"}}))
    assert_error(gw.post("/v1/embeddings", {"model": "local/talks", "input": "x"}), 400, "operation_not_supported")
    assert_error(gw.chat("local/embeds", "x"), 400, "operation_not_supported")
    assert engines(gw) == []


def test_completions(client):
    answer = client.completions.create(model="fast", prompt="The capital of France is", max_tokens=8, temperature=0)
    assert answer.choices[0].text.strip()


def test_several_at_once(client):
    """Slots: four answers are made at the same time, and none is mixed with another."""
    def one(land):
        """When its words came, and the words."""
        times, text = [], ""
        for event in client.chat.completions.create(model="fast", temperature=0, max_tokens=30, stream=True,
                                                    messages=user(f"What is the capital of {land}?")):
            times.append(time.monotonic())
            text += event.choices[0].delta.content or "" if event.choices else ""
        return times, text

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        results = list(pool.map(one, ["France"] * 4))  # what this small model knows
    assert all("Paris" in text for _, text in results)
    # At some moment at least two were under way together.
    spans = sorted((times[0], times[-1]) for times, _ in results)
    assert any(second[0] < first[1] for first, second in zip(spans, spans[1:]))


def test_usage_is_in_the_ledger(local, client):
    client.chat.completions.create(model="fast", messages=user("hi"), max_tokens=5)
    row = wait_until(lambda: local.usage_of(model="fast", key="test"), "usage")
    assert row["input_tokens"] > 0 and row["estimated_requests"] == 0


def test_engine_verb(local):
    assert local.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    value = json.loads(local.cli("engine", "list", "--json").stdout)
    loaded = [m for m in value["models"] if m["state"] == "ready"]
    assert [m["name"] for m in loaded if "smollm2" in m["name"].lower()]
    assert loaded[0]["memory_mib"] > 20


def test_engine_is_reachable_over_its_private_socket_only(local, client):
    client.chat.completions.create(model="fast", messages=user("hi"), max_tokens=2)
    pids = engines(local)
    assert pids
    for pid in pids:
        inodes = set()
        for fd in os.listdir(f"/proc/{pid}/fd"):
            try:
                inodes.add(os.readlink(f"/proc/{pid}/fd/{fd}"))
            except OSError:
                pass
        for table in ("tcp", "tcp6"):
            for line in open(f"/proc/{pid}/net/{table}").readlines()[1:]:
                fields = line.split()
                assert not (fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes), "listens on TCP"
        sockets = [a for a in command(pid).split(b"\0") if a.endswith(b".sock")]
        assert sockets
        folder = pathlib.Path(sockets[0].decode()).parent
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_engine_does_not_inherit_secrets(make_gateway):
    gw = make_gateway(embedded_config(), env={"SOME_API_KEY": "sk-do-not-inherit", "OPENAI_API_KEY": "sk-nor-this"})
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    for pid in engines(gw):
        environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes()
        assert b"sk-do-not-inherit" not in environment and b"sk-nor-this" not in environment


def test_full_queue(make_gateway):
    """One slot, a queue of one: the third waits for nothing and is told when to come back."""
    gw = make_gateway(embedded_config(slots=1, queue=1))
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: gw.chat("fast", "Tell me a long story.", max_tokens=150, timeout=120),
                                range(6)))
    refused = [a for a in answers if a.status_code != 200]
    served = [a for a in answers if a.status_code == 200]
    assert len(served) >= 2 and len(refused) >= 1
    for answer in refused:
        assert_error(answer, 429)
        assert int(answer.headers["retry-after"]) >= 1


def test_client_that_leaves_frees_the_slot(make_gateway):
    gw = make_gateway(embedded_config(slots=1, queue=2))
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    raw = gw.raw(timeout=60)
    raw.send(gw.request_bytes(chat_body("fast", "Tell me a very long story.", stream=True, max_tokens=4000,
                                        logit_bias={"2": -100})))
    raw.read_until(b'"content"')
    raw.close()
    start = time.monotonic()
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    assert time.monotonic() - start < 8, "the slot was still at work for nobody"


def test_killed_engine_comes_back(make_gateway):
    gw = make_gateway(embedded_config())
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    raw = gw.raw(timeout=30)
    raw.send(gw.request_bytes(chat_body("fast", "Tell me a long story.", stream=True, max_tokens=2000)))
    raw.read_until(b'"content"')
    for pid in engines(gw):
        os.kill(pid, signal.SIGKILL)
    try:
        answer = raw.read_until(b"\r\n0\r\n\r\n")
    except Closed:
        answer = raw.buffer
    assert b"[DONE]" not in answer  # told as cut, not as finished
    raw.close()
    answer = wait_until(lambda: (a := gw.chat("fast", "hi", max_tokens=2, timeout=60)).status_code == 200 and a,
                        "the engine is back", timeout=30, every=0.5)
    assert answer.json()["choices"]
    assert len(engines(gw)) == 1


def test_no_child_is_left_behind(make_gateway):
    """Whatever ends the parent, kill -9 included."""
    gw = make_gateway(embedded_config())
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    children = engines(gw)
    assert len(children) == 1
    gw.kill()
    wait_until(lambda: not any(b"llama-server" in command(p) for p in children),
               "all children have ended", timeout=20)
    gw.start()
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    gw.stop()  # checks the same for the orderly end


def test_idle_engine_is_stopped_and_started_again(make_gateway):
    gw = make_gateway(embedded_config(idle="1s"))
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200
    wait_until(lambda: not engines(gw), "the idle engine has ended", timeout=15)
    assert gw.chat("fast", "hi", max_tokens=2, timeout=60).status_code == 200


@pytest.mark.parametrize("name", ["smollm2-135m-instruct", "default"])
def test_load_and_unload(make_gateway, name):
    gw = make_gateway(embedded_config())
    assert engines(gw) == []  # started on first use
    assert gw.cli("engine", "load", name, timeout=60).returncode == 0
    wait_until(lambda: len(engines(gw)) == 1, "it is loading")
    assert gw.cli("engine", "unload", name).returncode == 0
    wait_until(lambda: engines(gw) == [], "it has ended")


def test_own_gguf_file(make_gateway):
    """Any file of the user's own, by its path."""
    settings = embedded_config(models={"mine": {"file": str(chat_model_file()), "context": 2048}})
    settings["models"]["own"] = {"targets": ["local/mine"]}
    gw = make_gateway(settings)
    answer = gw.chat("own", "hi", max_tokens=5, timeout=60)
    assert answer.status_code == 200, answer.text


def test_broken_gguf_file(make_gateway, tmp_path):
    """A file that is none: a clear error in the caller's time, and no endless restarts."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + b"\0" * 1000)
    settings = embedded_config(models={"mine": {"file": str(broken)}})
    settings["models"]["own"] = {"targets": ["local/mine"]}
    gw = make_gateway(settings)
    start = time.monotonic()
    answer = gw.chat("own", "hi", timeout=60)
    assert_error(answer, (502, 503))
    assert time.monotonic() - start < 45
    assert gw.get("/v1/models").status_code == 200


def test_too_long_prompt(local):
    error = assert_error(local.chat("fast", "word " * 30_000, timeout=120), 400, "context_length_exceeded")
    assert error["message"]


def test_chat_verb_with_the_embedded_model(local):
    done = local.cli("chat", "--model", "fast", input="What is the capital of France?\n", timeout=60)
    assert done.returncode == 0, done.stderr
    assert "France" in done.stdout


def test_first_minute_with_the_embedded_model(make_gateway):
    """No config, no environment: the curl line that is printed is answered by the embedded model."""
    gw = make_gateway(None, args=ANY_PORT)
    wait_until(lambda: "curl" in gw.said(), "the curl line")
    done = subprocess.run(["bash", "-c", curl_line(gw)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and '"error"' not in done.stdout, done.stdout + done.stderr
    assert "choices" in done.stdout
