"""The configuration file: what is wrong is told with its place, all at once; a bad one changes nothing."""

import concurrent.futures
import json
import os
import re
import signal
import time

import pytest

from gateway import ADMIN_KEY, KEY, UPSTREAM_KEY, chat_body, run, wait_until

GOOD = """\
server:
  listen: 127.0.0.1:0
  admin: 127.0.0.1:0
  data: {data}
providers:
  fake: {{ kind: openai, base_url: {url}, api_key: ${{UPSTREAM_KEY}} }}
models:
  echo: {{ targets: [ fake/echo ] }}
keys:
  - {{ name: test, secret: {key}, models: [ "*" ] }}
"""


def check(folder, text, env=None):
    path = folder / "causeway.yaml"
    path.write_text(text)
    return run("check", "--config", str(path), env={"UPSTREAM_KEY": UPSTREAM_KEY, **(env or {})})


def good(fake, folder, **more):
    return GOOD.format(data=folder / "data", url=fake.base_url, key=KEY, **more)


def test_check_of_a_good_file(fake, tmp_path):
    done = check(tmp_path, good(fake, tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    assert UPSTREAM_KEY not in done.stdout + done.stderr
    assert KEY not in done.stdout + done.stderr
    assert not (tmp_path / "data").exists(), "check only looks"


# line, column (from 1), a word of the message; the change of the good file that brings it
WRONG = {
    "unknown key": ("listen:", "listn:", 2, 3, "listen"),
    "unknown section": ("providers:", "provider:", 5, 1, "providers"),
    "wrong type": ("targets: [ fake/echo ]", "targets: {{ a: b }}", 8, None, "PROVIDER/MODEL"),
    "unknown kind": ("kind: openai", "kind: opnai", 6, None, "openai"),
    "dangling provider": ("fake/echo", "fkae/echo", 8, None, "fake"),
    "bad address": ("admin: 127.0.0.1:0", "admin: 127.0.0.1:99999", 3, None, "admin"),
    "bad url": ("base_url: {url}", "base_url: not-a-url", 6, None, "base_url"),
    "missing variable": ("${{UPSTREAM_KEY}}", "${{NO_SUCH_VARIABLE}}", 6, None, "NO_SUCH_VARIABLE"),
    "missing secret file": ("${{UPSTREAM_KEY}}", "file:/no/such/file", 6, None, "/no/such/file"),
    "missing authorities": ("kind: openai,", "kind: openai, ca_file: /no/such/ca.pem,", None, None, "/no/such/ca.pem"),
    "key twice": ("  admin: 127.0.0.1:0\n", "  listen: 127.0.0.1:0\n", 3, 3, "listen"),
    "no yaml": ("models:", "models: [", None, None, ""),
    "unnamed key": ("name: test, ", "", 10, None, "name"),
    "model without targets": ("{{ targets: [ fake/echo ] }}", "{{ strategy: fallback }}", 8, None, "targets"),
    "unknown strategy": ("{{ targets:", "{{ strategy: falback, targets:", 8, None, "fallback"),
    "public plain text": ("listen: 127.0.0.1:0", "listen: 0.0.0.0:0", 2, None, ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_error_names_its_place(fake, tmp_path, name):
    old, new, line, column, word = WRONG[name]
    assert old in GOOD
    text = GOOD.replace(old, new, 1).format(data=tmp_path / "data", url=fake.base_url, key=KEY)
    done = check(tmp_path, text)
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    places = re.findall(r"causeway\.yaml:(\d+):(\d+): (.*)", said)
    assert places, said
    if line is not None:
        assert any(int(at) == line and (column is None or int(col) == column) and word in message
                   for at, col, message in places), said
    assert UPSTREAM_KEY not in said and KEY not in said


def test_all_errors_at_once(fake, tmp_path):
    text = good(fake, tmp_path).replace("listen:", "listn:").replace("targets: [ fake/echo ]", "targets: [ nobody/x ]") + (
        "policies:\n  - name: p\n    timeouts: { first_byte: quickly }\n    pi: mask\n")
    done = check(tmp_path, text)
    lines = {int(m) for m in re.findall(r"causeway\.yaml:(\d+):\d+:", done.stdout + done.stderr)}
    assert {2, 8, 13, 14} <= lines, done.stdout + done.stderr


def test_serve_refuses_a_bad_file(fake, tmp_path):
    path = tmp_path / "causeway.yaml"
    path.write_text(good(fake, tmp_path).replace("listen:", "listn:"))
    done = run("serve", "--config", str(path), env={"UPSTREAM_KEY": UPSTREAM_KEY}, cwd=tmp_path)
    assert done.returncode == 1
    assert "causeway.yaml:2:3" in done.stdout + done.stderr


def test_missing_file(tmp_path):
    for verb in ("serve", "check"):
        done = run(verb, "--config", str(tmp_path / "none.yaml"), cwd=tmp_path)
        assert done.returncode == 1
        assert "none.yaml" in done.stderr


def test_hostile_yaml_ends_soon(tmp_path):
    bombs = {
        "aliases": "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
            f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(9)),
        "depth": "[" * 20_000, "merge": "x: &x\n  <<: *x\n", "control": "server: \x01\n", "tabs": "server:\n\tlisten: x\n"}
    for name, text in bombs.items():
        start = time.monotonic()
        done = check(tmp_path, text)
        assert done.returncode == 1, name
        assert time.monotonic() - start < 5, name


# --- what would do nothing

EMBEDDED = """\
providers:
  local: { kind: embedded }
  cloud: { kind: openai, base_url: "http://127.0.0.1:9/v1", expose: [ "text-*" ] }
models:
  chat: { targets: [ cloud/large ] }
  vectors: { targets: [ cloud/text-embedding-3-small ] }
policies:
  - name: p
"""

# what stands in the policy; a word of the message, or nothing where it is right
SAID = {
    "meaning without a model": ("faq: { serve: meaning }", "`serve: meaning` wants `model`"),
    "bare name of an embedded model": ("faq: { serve: meaning, model: minilm }",
                                       'no model "minilm"; did you mean "local/minilm"?'),
    "ground by no model": ("faq: { serve: exact, ground: true, model: nix }",
                           'no model "nix"; it must be one of `models`, or PROVIDER/MODEL'),
    "mistyped model": ("faq: { ground: true, model: vectrs }", 'did you mean "vectors"?'),
    "no such embedded model": ("faq: { ground: true, model: local/minilmm }", 'did you mean "local/minilm"?'),
    "embedded model that generates": ("faq: { ground: true, model: local/smollm2-135m-instruct }",
                                      "makes no embeddings"),
    "no such provider": ("faq: { ground: true, model: lokal/minilm }", 'no provider "lokal"; did you mean "local"?'),
    "not exposed": ("faq: { ground: true, model: cloud/large }", "`expose`"),
    "cache, no such provider": ("cache: { meaning: { model: here/minilm } }", 'no provider "here"'),
    "cache, no such model": ("cache: { on: true, meaning: { model: vecs } }", 'cache.meaning.model: no model "vecs"'),
    "faq by a model": ("faq: { serve: meaning, model: vectors }", None),
    "faq by an embedded model": ("faq: { serve: meaning, model: local/minilm }", None),
    "faq by an embedded model's full name": ("faq: { ground: true, model: local/all-minilm-l6-v2 }", None),
    "faq by an exposed model": ("faq: { serve: meaning, model: cloud/text-x }", None),
    "cache by an embedded model": ("cache: { meaning: { model: local/minilm } }", None),
    "overload, no such provider": ("overload: { concurrency: { gpu/large: 16 } }",
                                   'no provider "gpu"; there is "local", "cloud"'),
    "overload, name of a model": ("overload: { concurrency: { chat: 16 } }",
                                  '"chat" must be PROVIDER/MODEL; did you mean "cloud/large"?'),
    "overload, pattern of no provider": ("overload: { concurrency: { clod/*: 16 } }", 'did you mean "cloud"?'),
    "overload, least above most": ("overload: { least: 10, most: 5 }", "`least` (10) is above `most` (5)"),
    "overload of patterns": ('overload: { concurrency: { cloud/large: 1, cloud/*: 2, "*": 3, "gpu*": 4, "*/x": 5 } }',
                             None),
    "unpriced of requests": ("limits: [ { requests: 5, window: 1m, unpriced: refuse } ]", "counts no money"),
    "all and user": ("limits: [ { per: [ all, user ], requests: 5, window: 1m } ]", "`all` stands alone"),
    "window and each": ("limits: [ { requests: 5, window: 1m, each: day } ]", "only one of them may stand"),
    "another word for limits": ("limits: none", "expected off or a list"),
    "limits off": ("limits: off", None),
    "no limits": ("limits: []", None),
}


@pytest.mark.parametrize("name", SAID)
def test_what_would_do_nothing_is_an_error(tmp_path, name):
    text, word = SAID[name]
    done = check(tmp_path, EMBEDDED + f"    {text}\n")
    said = done.stdout + done.stderr
    assert done.returncode == (1 if word else 0), said
    if word:
        assert re.search(r"causeway\.yaml:9:\d+: ", said) and word in said, said


def test_a_bare_name_may_be_a_provider_s_where_there_are_no_models(tmp_path):
    text = EMBEDDED.replace("models:", "#").replace("  chat:", "#").replace("  vectors:", "#")
    assert check(tmp_path, text + "    faq: { serve: meaning, model: text-x }\n").returncode == 0
    assert check(tmp_path, text + "    faq: { serve: meaning, model: other }\n").returncode == 1


def test_without_the_list_of_models_an_embedded_name_is_a_warning(tmp_path):
    done = check(tmp_path, EMBEDDED + "    faq: { serve: meaning, model: local/minilm }\n",
                 env={"CAUSEWAY_SHARE": str(tmp_path / "nowhere")})
    said = done.stdout + done.stderr
    assert done.returncode == 0 and "warning" in said and "CAUSEWAY_SHARE" in said, said


def test_a_section_that_does_not_say_on_is_on(config, make_gateway, mark):
    settings = config()
    settings["keys"] = [{"name": "first", "secret": KEY, "models": ["*"]},
                        {"name": "second", "secret": UPSTREAM_KEY + "-0123456789", "models": ["*"]}]
    settings["policies"] = [
        {"name": "off", "match": {"keys": ["second"]}, "cache": {"on": False, "ttl": "1h"}, "limits": "off"},
        {"name": "on", "cache": {"ttl": "1h"}, "overload": {"concurrency": {"fake/*": 16}},
         "limits": [{"requests": 3, "window": "1h"}]}]
    gw = make_gateway(settings)
    answers = [gw.chat("echo", mark).headers.get("x-causeway-cache") for _ in range(2)]
    assert answers == ["miss", "exact"]
    assert 'causeway_overload_limit{target="fake/echo"} 16' in gw.metrics().text
    statuses = [gw.chat("echo", mark).status_code for _ in range(2)]
    assert statuses == [200, 429]
    free = [gw.chat("echo", mark, key=UPSTREAM_KEY + "-0123456789") for _ in range(5)]
    assert {answer.status_code for answer in free} == {200}, "limits: off exempts a group"
    assert {answer.headers.get("x-causeway-cache") for answer in free} == {None}


def test_anomalies_are_watched_where_the_section_says_anything(config, make_gateway, mark):
    gw = make_gateway({**config(), "anomalies": {"floor": 5}})
    statuses = [gw.chat("echo", mark).status_code for _ in range(8)]
    assert statuses[0] == 200 and statuses[-1] == 429, statuses


# --- secrets


def test_no_secret_anywhere(fake, config, make_gateway, tmp_path):
    """From the environment and from a file; used, and not to be found in any output or on disk."""
    secret_file = tmp_path / "secret"
    secret_file.write_text("sk-from-a-file-0123456789\n")
    settings = config()
    settings["providers"]["fake"]["api_key"] = "${THE_KEY}"
    settings["providers"]["second"] = {"kind": "openai", "base_url": fake.base_url, "api_key": f"file:{secret_file}"}
    settings["keys"] = [{"name": "test", "secret": "${APP_KEY}", "models": ["*"]},
                        {"name": "admin", "secret": "${ADMIN_KEY}", "kind": "admin"}]
    secrets = {"THE_KEY": "sk-from-env-0123456789", "APP_KEY": "sk-app-0123456789abcdef", "ADMIN_KEY": ADMIN_KEY}
    gw = make_gateway(settings, env=secrets)
    gw.chat("second/echo", "for-the-second", key=secrets["APP_KEY"])
    gw.chat("echo", "for-the-first", key=secrets["APP_KEY"])
    assert fake.records("for-the-first")[-1].header("authorization") == "Bearer sk-from-env-0123456789"
    assert fake.records("for-the-second")[-1].header("authorization") == "Bearer sk-from-a-file-0123456789"
    for model in ("fake/s401", "fake/garbage", "second/s500"):
        gw.chat(model, key=secrets["APP_KEY"])
    gw.chat("echo", key=secrets["APP_KEY"] + "-wrong")
    gw.signal(signal.SIGHUP)
    seen = gw.metrics().text + gw.admin_call("GET", "/api/keys").text + gw.admin_call("GET", "/api/usage").text
    seen += gw.cli("status").stdout + gw.cli("models").stdout
    gw.stop()
    seen += gw.stdout() + gw.stderr()
    for secret in [*secrets.values(), "sk-from-a-file-0123456789"]:
        assert secret not in seen
        for path in gw.data.rglob("*"):
            if path.is_file():
                assert secret.encode() not in path.read_bytes(), path


# --- reload


def add_model(gw, config, name="fresh"):
    settings = config()
    settings["models"][name] = {"targets": ["fake/echo"]}
    gw.write_config(settings)


def has(gw, name):
    return gw.chat(name).status_code == 200


def test_reload_by_post(config, make_gateway):
    gw = make_gateway(config(), args=["--no-watch"])
    assert not has(gw, "fresh")
    add_model(gw, config)
    answer = gw.admin_call("POST", "/api/reload")
    assert answer.status_code == 200, answer.text
    assert has(gw, "fresh"), "confirmed means in force, on every core"
    assert all(has(gw, "fresh") for _ in range(20))


def test_reload_by_sighup(config, make_gateway):
    gw = make_gateway(config(), args=["--no-watch"])
    add_model(gw, config)
    gw.signal(signal.SIGHUP)
    wait_until(lambda: has(gw, "fresh"), "reloaded")


def test_reload_by_file_watch(config, make_gateway):
    gw = make_gateway(config())
    add_model(gw, config)  # renamed into place, as editors and config maps do
    wait_until(lambda: has(gw, "fresh"), "the watch noticed")
    settings = config()
    settings["models"]["fresher"] = {"targets": ["fake/echo"]}
    text = gw.config_path.read_text().replace('"fresh"', '"fresher"')
    gw.config_path.write_text(text)  # written in place
    wait_until(lambda: has(gw, "fresher"), "the watch noticed")


def test_bad_file_changes_nothing(config, make_gateway):
    gw = make_gateway(config(), args=["--no-watch"])
    old = gw.config_path.read_text()
    gw.config_path.write_text(old.replace('"targets"', '"tragets"', 1))
    answer = gw.admin_call("POST", "/api/reload")
    assert answer.status_code in (400, 422), answer.text
    message = json.dumps(answer.json()["error"])
    assert re.search(r"causeway\.yaml:\d+:\d+", message) and "targets" in message
    gw.signal(signal.SIGHUP)
    wait_until(lambda: "tragets" in gw.stderr(), "it is reported in the log")
    assert has(gw, "echo")
    gw.config_path.write_text(old)
    assert gw.admin_call("POST", "/api/reload").status_code == 200


@pytest.mark.parametrize("text", ["", "# only words\n\n  # about it\n"])
def test_an_empty_file_is_not_loaded_while_it_runs(config, make_gateway, text):
    """Somebody is writing it: it would take away every key."""
    gw = make_gateway(config(), args=["--no-watch"])
    gw.config_path.write_text(text)
    answer = gw.admin_call("POST", "/api/reload")
    assert answer.status_code in (400, 422), answer.text
    assert "empty" in answer.json()["error"]["message"]
    assert has(gw, "echo")


def test_requests_in_flight_keep_what_they_began_with(config, make_gateway, fake, mark):
    settings = config()
    settings["models"]["leaving"] = {"targets": ["fake/slow-stream"]}
    gw = make_gateway(settings, args=["--no-watch"])
    with gw.raw(timeout=20) as raw:
        raw.send(gw.request_bytes(chat_body("leaving", mark + " b c d e f g h i j", stream=True)))
        raw.head()
        pieces = raw.pieces()
        first = next(pieces)
        gw.write_config(config())  # the model is gone, the provider too
        assert gw.admin_call("POST", "/api/reload").status_code == 200
        assert gw.chat("leaving").status_code == 404
        rest = b"".join(pieces)
    assert (first + rest).rstrip().endswith(b"[DONE]")


def test_keys_of_the_file_change_with_it(config, make_gateway):
    gw = make_gateway(config(), args=["--no-watch"])
    settings = config()
    settings["keys"] = [{"name": "other", "secret": "sk-other-0123456789abcdef", "models": ["*"]}]
    gw.write_config(settings)
    assert gw.admin_call("POST", "/api/reload").status_code == 200
    assert gw.chat("echo").status_code == 401
    assert gw.chat("echo", key="sk-other-0123456789abcdef").status_code == 200


def test_the_last_of_many_reloads_at_once_has_the_last_word(config, make_gateway):
    gw = make_gateway(config(), args=["--no-watch"])
    good = gw.config_path.read_text()

    def state():
        return gw.admin_call("GET", "/api/status").json()["config_problems"]

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for text in ("keys: [", good) * 5:
            waiting = [pool.submit(gw.admin_call, "POST", "/api/reload") for _ in range(4)]
            gw.config_path.write_text(text)
            waiting.append(pool.submit(gw.admin_call, "POST", "/api/reload"))
            assert {w.result().status_code for w in waiting} <= {200, 422}
            assert ("never closed" in state()) == (text != good), state()
    assert gw.chat("echo").status_code == 200


@pytest.mark.parametrize("name", ["causeway-cli", "causeway-cli-admin"])
def test_the_names_of_the_own_keys_are_taken(config, make_gateway, name):
    gw = make_gateway(config())
    settings = config()
    settings["keys"] = [{"name": name, "secret": "sk-other-0123456789abcdef"}]
    gw.write_config(settings)
    assert run("check", str(gw.config_path)).returncode == 1
    answer = gw.admin_call("POST", "/api/reload")
    assert answer.status_code == 422 and "its own verbs" in answer.text
    assert gw.chat("echo").status_code == 200, "nothing has changed"


def test_a_reload_tells_all_that_is_wrong(config, make_gateway):
    gw = make_gateway(config())
    settings = config()
    settings["keys"] = [{"name": "app", "secret": "short"}]
    settings["models"]["lost"] = {"targets": ["nowhere/m"]}
    gw.write_config(settings)
    answer = gw.admin_call("POST", "/api/reload")
    problems = [p for p in answer.json()["error"]["problems"] if "warning:" not in p]
    assert answer.status_code == 422 and len(problems) == 2, answer.text
    assert any("at least 16" in p for p in problems) and any("nowhere" in p for p in problems), problems


def test_made_keys_live_on_over_a_reload(config, make_gateway):
    gw = make_gateway(config())
    made = gw.make_key()
    assert gw.admin_call("POST", "/api/reload").status_code == 200
    assert gw.chat("echo", key=made["key"]).status_code == 200


def test_reload_under_load(config, make_gateway):
    """Fifty reloads while requests run: none fails."""
    gw = make_gateway(config(), args=["--no-watch"])
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        stop = []

        def load():
            codes = set()
            while not stop:
                codes.add(gw.chat("echo").status_code)
            return codes

        loads = [pool.submit(load) for _ in range(3)]
        for i in range(50):
            assert gw.admin_call("POST", "/api/reload").status_code == 200
        stop.append(1)
        assert set().union(*(l.result() for l in loads)) == {200}


# --- policies


def test_policy_by_tenant_key_and_model(config, make_gateway):
    """Per section, the first matching policy that has it decides."""
    settings = config()
    settings["policies"] = [
        {"name": "acme", "match": {"tenants": ["acme"]}, "models": ["embed"]},
        {"name": "quick", "match": {"models": ["fake/never"]}, "timeouts": {"first_byte": "300ms"}},
        {"name": "everyone", "models": ["*"], "timeouts": {"first_byte": "20s"}},
    ]
    gw = make_gateway(settings)
    acme = gw.make_key(tenant="acme")["key"]
    other = gw.make_key(tenant="other")["key"]
    assert gw.chat("echo", key=acme).status_code == 403
    assert gw.chat("echo", key=other).status_code == 200
    start = time.monotonic()
    assert gw.chat("fake/never", key=other).status_code == 504
    assert time.monotonic() - start < 15  # everyone's would be 20 s


def test_schema_and_reference_are_generated(tmp_path):
    """The schema knows what the reader knows."""
    done = run("check", "--schema", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    schema = json.loads(done.stdout)
    assert {"server", "providers", "models", "keys", "policies"} <= set(schema["properties"])


def test_a_pipe_in_place_of_the_file_is_refused_at_once(make_gateway, config):
    gateway = make_gateway(config())
    gateway.config_path.unlink()
    os.mkfifo(gateway.config_path)
    answer = gateway.admin_call("POST", "/api/reload", timeout=10)
    assert answer.status_code == 422
    assert gateway.chat("echo").status_code == 200


def test_a_reload_tells_what_it_cannot_change_and_what_is_gone(config, make_gateway):
    settings = config()
    settings["policies"] = [{"name": "all", "timeouts": {"total": "60s"}}]
    gw = make_gateway(settings, args=["--no-watch"])
    whole = gw.config_path.read_text()
    changed = json.loads(whole)
    changed.setdefault("server", {})["drain"] = "11s"
    changed["log"] = {**changed.get("log", {}), "level": "debug"}
    del changed["policies"]
    gw.config_path.write_text(json.dumps(changed))
    assert gw.admin_call("POST", "/api/reload").status_code == 200
    wait_until(lambda: "no policies any more" in gw.stderr(), "the log has it")
    said = gw.stderr()
    assert "with a restart only" in said and "server.drain" in said and "log.level" in said


def test_a_file_that_is_gone_is_told_and_what_it_said_stays(config, make_gateway):
    gw = make_gateway(config())
    text = gw.config_path.read_text()
    gw.config_path.unlink()
    wait_until(lambda: "is gone" in gw.admin_call("GET", "/api/status").json()["config_problems"], "it is told")
    assert gw.metrics().value("causeway_config_last_reload_successful") == 0
    assert "configuration file is gone" in gw.stderr()
    assert gw.chat("echo").status_code == 200
    gw.config_path.write_text(text)
    wait_until(lambda: gw.admin_call("GET", "/api/status").json()["config_problems"] == "", "it is back")


def test_a_refused_reload_is_seen_until_the_file_is_right(config, make_gateway):
    gw = make_gateway(config(), args=["--no-watch"])
    whole = gw.config_path.read_text()
    name = "causeway_config_last_reload_successful"
    assert gw.metrics().value(name) == 1
    gw.config_path.write_text(whole[:len(whole) // 2])
    assert gw.admin_call("POST", "/api/reload").status_code == 422
    assert gw.metrics().value(name) == 0
    assert "causeway.yaml:" in gw.admin_call("GET", "/api/status").json()["config_problems"]
    assert gw.chat("echo").status_code == 200
    gw.config_path.write_text(whole)
    assert gw.admin_call("POST", "/api/reload").status_code == 200
    assert gw.metrics().value(name) == 1
    assert gw.admin_call("GET", "/api/status").json()["config_problems"] == ""
