"""Keys: made, shown once, listed without their secret, rotated, revoked, expired; at once."""

import datetime
import json
import pathlib
import time

import httpx
import pytest

from gateway import ADMIN_KEY, KEY, assert_error, wait_until


def works(gw, key, model="echo") -> int:
    return gw.chat(model, key=key).status_code


def listed(gw, key_id) -> dict | None:
    answer = gw.admin_call("GET", "/api/keys")
    assert answer.status_code == 200, answer.text
    found = [k for k in answer.json()["keys"] if k["id"] == key_id]
    return found[0] if found else None


def test_made_key_works_at_once(gw):
    made = gw.make_key(name="shop")
    assert len(made["key"]) >= 32
    assert works(gw, made["key"]) == 200


def test_last_use_is_shown_and_outlives_the_program(config, make_gateway):
    gw = make_gateway(config())
    made, idle = gw.make_key(name="shop"), gw.make_key(name="idle")
    assert listed(gw, made["id"])["last_used"] is None
    before = int(time.time())
    assert works(gw, made["key"]) == 200 and works(gw, KEY) == 200
    used = listed(gw, made["id"])["last_used"]
    at = datetime.datetime.fromisoformat(used).timestamp()
    assert before <= at <= time.time()
    assert listed(gw, idle["id"])["last_used"] is None
    table = gw.cli("keys", "list").stdout
    assert "LAST USED" in table and used in table and "never" in table
    of_config = listed(gw, "config:test")["last_used"]
    assert of_config
    gw.stop()
    offline = json.loads(gw.cli("keys", "list", "--json").stdout)["keys"]
    assert [k["last_used"] for k in offline if k["id"] == made["id"]] == [used]
    gw.start()
    assert listed(gw, made["id"])["last_used"] == used
    assert listed(gw, "config:test")["last_used"] == of_config


def test_secret_is_shown_once_and_stored_nowhere(config, make_gateway):
    gw = make_gateway(config())
    made = gw.make_key(name="shop")
    secret = made["key"]
    assert works(gw, secret) == 200
    entry = listed(gw, made["id"])
    assert entry["name"] == "shop"
    assert secret not in json.dumps(gw.admin_call("GET", "/api/keys").json())
    assert secret not in gw.cli("keys", "list").stdout
    gw.stop()
    for path in pathlib.Path(gw.data).rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert secret.encode() not in content, path
            assert secret[-20:].encode() not in content, path
    assert secret not in gw.stdout() + gw.stderr()


def test_two_keys_differ_in_every_part(gw):
    a, b = gw.make_key(), gw.make_key()
    assert a["id"] != b["id"] and a["key"] != b["key"]
    assert a["key"][-16:] != b["key"][-16:]


def test_revoked_at_once(gw):
    made = gw.make_key()
    assert works(gw, made["key"]) == 200
    with gw.raw() as raw:  # also on a connection that is open already
        raw.send(gw.request_bytes({"model": "echo", "messages": []}, key=made["key"]))
        raw.answer()
        answer = gw.admin_call("DELETE", f"/api/keys/{made['id']}")
        assert answer.status_code in (200, 204), answer.text
        raw.send(gw.request_bytes({"model": "echo", "messages": []}, key=made["key"]))
        assert raw.answer().status == 401
    assert_error(gw.chat("echo", key=made["key"]), 401, "invalid_api_key")


def test_rotated_old_one_lives_for_its_grace(gw):
    made = gw.make_key(name="rotating")
    answer = gw.admin_call("POST", f"/api/keys/{made['id']}/rotate", {"grace": "3s"})
    assert answer.status_code in (200, 201), answer.text
    fresh = answer.json()["key"]
    assert fresh != made["key"]
    assert works(gw, fresh) == 200
    assert works(gw, made["key"]) == 200
    wait_until(lambda: works(gw, made["key"]) == 401, "the old one ends", timeout=15, every=0.2)
    assert works(gw, fresh) == 200


def test_rotated_without_grace(gw):
    made = gw.make_key()
    fresh = gw.admin_call("POST", f"/api/keys/{made['id']}/rotate", {"grace": "0s"}).json()["key"]
    assert (works(gw, made["key"]), works(gw, fresh)) == (401, 200)


def test_expiry(gw):
    made = gw.make_key(expires_in="3s")
    assert works(gw, made["key"]) == 200
    wait_until(lambda: works(gw, made["key"]) == 401, "it expires", timeout=15, every=0.2)


def test_allowed_models(gw):
    made = gw.make_key(models=["embed", "org/*"])
    assert works(gw, made["key"], "org/deep/model") == 200
    error = assert_error(gw.chat("echo", key=made["key"]), 403)
    assert "echo" in error["message"]
    ids = {m["id"] for m in gw.get("/v1/models", key=made["key"]).json()["data"]}
    assert ids == {"embed", "org/deep/model"}
    assert_error(gw.get("/v1/models/echo", key=made["key"]), (403, 404))


def test_what_does_not_exist_is_not_told_to_whom_it_does_not_concern(gw):
    """A key for one model cannot find out by the status which others there are."""
    made = gw.make_key(models=["embed"])
    answers = [gw.get(f"/v1/models/{m}", key=made["key"]) for m in ("echo", "no-such-model")]
    assert answers[0].status_code == answers[1].status_code


def test_principal_is_kept(gw):
    made = gw.make_key(name="ann-key", tenant="acme", user="ann", roles=["support"],
                       attributes={"team": "red"}, models=["echo"])
    entry = listed(gw, made["id"])
    for name, value in dict(name="ann-key", tenant="acme", user="ann", roles=["support"],
                            attributes={"team": "red"}, models=["echo"]).items():
        assert entry[name] == value, name
    answer = gw.chat("echo", key=made["key"])
    line = gw.log_of(answer.headers["x-request-id"])
    assert (line["tenant"], line["user"], line["key_id"]) == ("acme", "ann", made["id"])


@pytest.mark.parametrize("fields", [{"name": ""}, {"models": "echo"}, {"nmae": "x"}, {"expires_in": "soon"},
                                    {"roles": [1]}, {"name": "x" * 100_000}])
def test_wrong_fields_make_no_key(gw, fields):
    before = len(gw.admin_call("GET", "/api/keys").json()["keys"])
    answer = gw.admin_call("POST", "/api/keys", {"name": "x", **fields})
    assert answer.status_code in (400, 413, 422), answer.text
    assert answer.json()["error"]["message"]
    assert len(gw.admin_call("GET", "/api/keys").json()["keys"]) == before


@pytest.mark.parametrize("body", [
    '{"name": "a", "name": "b"}', '{"name": "a", "n\\u0061me": "b"}',
    '{"name": "a", "attributes": {"x": "1", "x": "2"}}'])
def test_a_member_that_stands_there_twice_makes_no_key(gw, body):
    answer = httpx.post(f"http://{gw.admin}/api/keys", content=body, trust_env=False,
                        headers={"authorization": f"Bearer {ADMIN_KEY}"})
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]["code"] == "repeated_member"


def test_unknown_key_id(gw):
    assert gw.admin_call("DELETE", "/api/keys/no-such").status_code == 404
    assert gw.admin_call("POST", "/api/keys/no-such/rotate", {}).status_code == 404


def test_survive_a_restart_and_kill(config, make_gateway):
    gw = make_gateway(config())
    kept, gone = gw.make_key(name="kept"), gw.make_key(name="gone")
    gw.admin_call("DELETE", f"/api/keys/{gone['id']}")
    gw.kill()  # what was confirmed is durable
    gw.start()
    assert works(gw, kept["key"]) == 200
    assert works(gw, gone["key"]) == 401


def test_keys_of_the_config(gw, config, make_gateway):
    settings = config()
    settings["keys"] = [{"name": "ci", "secret": "${CI_KEY}", "models": ["echo"]}]
    gateway = make_gateway(settings, env={"CI_KEY": "sk-ci-0123456789abcdefghij"})
    assert works(gateway, "sk-ci-0123456789abcdefghij") == 200
    assert works(gateway, KEY) == 401
    assert works(gateway, "${CI_KEY}") == 401


def test_verbs_on_a_running_gateway(config, make_gateway):
    gw = make_gateway(config())
    made = gw.cli("keys", "create", "--name", "by-verb", "--models", "echo", "--json")
    assert made.returncode == 0, made.stderr
    made = json.loads(made.stdout)
    assert works(gw, made["key"]) == 200
    assert works(gw, made["key"], "embed") == 403
    out = gw.cli("keys", "list", "--json")
    assert out.returncode == 0
    entries = json.loads(out.stdout)["keys"]
    assert [k["name"] for k in entries if k["id"] == made["id"]] == ["by-verb"]
    rotated = json.loads(gw.cli("keys", "rotate", made["id"], "--grace", "0s", "--json").stdout)
    assert (works(gw, made["key"]), works(gw, rotated["key"])) == (401, 200)
    assert gw.cli("keys", "revoke", made["id"]).returncode == 0
    assert works(gw, rotated["key"]) == 401
    assert gw.cli("keys", "revoke", "no-such").returncode == 1
    again = gw.cli("keys", "revoke", "by-verb")  # the list still shows it
    assert (again.returncode, "no live key" in again.stderr) == (1, True)


def test_verbs_without_a_running_gateway(config, make_gateway):
    gw = make_gateway(config())
    gw.stop()
    made = gw.cli("keys", "create", "--name", "before", "--json")
    assert made.returncode == 0, made.stderr
    secret = json.loads(made.stdout)["key"]
    gw.start()
    assert works(gw, secret) == 200


def test_plain_text_of_create_shows_the_key(config, make_gateway):
    gw = make_gateway(config())
    out = gw.cli("keys", "create", "--name", "plain")
    assert out.returncode == 0
    long_words = {word.strip('",') for word in out.stdout.split() if len(word) >= 32}
    assert [w for w in long_words if works(gw, w) == 200], out.stdout


# --- the admin port


@pytest.mark.parametrize("key", [None, "wrong", KEY, ADMIN_KEY[:-1]])
@pytest.mark.parametrize("method,path", [("GET", "/api/keys"), ("POST", "/api/keys"), ("GET", "/api/usage"),
                                         ("POST", "/api/reload"), ("DELETE", "/api/keys/x"), ("GET", "/api/nowhere")])
def test_admin_port_needs_the_admin_key(gw, method, path, key):
    answer = gw.admin_call(method, path, {} if method == "POST" else None, key=key)
    assert answer.status_code == 401
    assert answer.json()["error"]["code"]


def test_admin_key_is_no_application_key(gw):
    assert works(gw, ADMIN_KEY) in (401, 403)


def test_admin_routes_are_not_on_the_data_port(gw):
    for path in ("/api/keys", "/api/usage", "/metrics", "/api/reload"):
        assert gw.get(path, key=ADMIN_KEY).status_code == 404, path


def test_data_routes_are_not_on_the_admin_port(gw):
    assert gw.admin_call("GET", "/v1/models").status_code == 404


def test_admin_unknown_path_and_method(gw):
    assert gw.admin_call("GET", "/api/nowhere").status_code == 404
    assert gw.admin_call("PUT", "/api/keys").status_code == 405
