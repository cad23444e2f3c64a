"""The admin port as the console uses it: signing in, its files, history, the configuration."""

import json
import re
import time

import httpx
import pytest

from conftest import running
from gateway import ADMIN_KEY, KEY, NO_TLS, ROOT, plain_http, wait_until
from wire import Raw

READER = "admin-read-0123456789abcdefghijklmnopqrs"
COOKIE = "causeway_session"


def settings(config) -> dict:
    value = config()
    value["keys"] = [{"name": "test", "secret": KEY, "models": ["*"]},
                     {"name": "reader", "secret": READER, "kind": "admin_read_only"}]
    return value


@pytest.fixture(scope="module")
def gw(config, session_folder):
    with running(session_folder / "console-api", settings(config)) as gateway:
        yield gateway


@pytest.fixture
def browser(gw):
    with httpx.Client(base_url=f"http://{gw.admin}", verify=NO_TLS, trust_env=False) as client:
        yield client


def sign_in(browser, key=ADMIN_KEY) -> dict:
    answer = browser.post("/api/session", json={"key": key})
    assert answer.status_code == 200, answer.text
    return answer.json()


def code(answer) -> str:
    return answer.json()["error"]["code"]


# --- signing in

def test_sign_in_gives_a_cookie_that_no_script_reads(browser):
    answer = browser.post("/api/session", json={"key": ADMIN_KEY})
    value = answer.json()
    assert value["actor"] == "admin" and value["role"] == "full"
    assert 7000 < value["expires_at"] - time.time() <= 7200
    cookie = answer.headers["set-cookie"]
    assert re.fullmatch(rf"{COOKIE}=[\w-]{{43}}; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200", cookie), cookie
    assert answer.headers["cache-control"] == "no-store"
    assert browser.get("/api/session").json()["csrf"] == value["csrf"]
    assert browser.get("/api/status").json()["ready"] is True
    assert ADMIN_KEY not in answer.text


def test_a_change_needs_the_token_and_the_own_page(browser):
    token = sign_in(browser)["csrf"]
    assert browser.post("/api/reload").status_code == 403
    answer = browser.post("/api/reload", headers={"x-csrf-token": token[:-1] + ("A" if token[-1] != "A" else "B")})
    assert answer.status_code == 403 and code(answer) == "csrf"
    for origin in ("http://evil.example", "null", "http://127.0.0.1:1"):
        answer = browser.post("/api/reload", headers={"x-csrf-token": token, "origin": origin})
        assert answer.status_code == 403 and code(answer) == "csrf", origin
    own = f"http://{browser.base_url.host}:{browser.base_url.port}"
    assert browser.post("/api/reload", headers={"x-csrf-token": token, "origin": own}).status_code == 200
    assert browser.post("/api/reload", headers={"x-csrf-token": token}).status_code == 200


def test_keys_need_no_token(gw):
    assert gw.admin_call("POST", "/api/reload").status_code == 200


def test_another_page_cannot_sign_a_browser_in(browser):
    answer = browser.post("/api/session", json={"key": ADMIN_KEY}, headers={"origin": "http://evil.example"})
    assert answer.status_code == 403 and code(answer) == "csrf"


def test_a_reader_reads(browser):
    value = sign_in(browser, READER)
    assert value["role"] == "read" and value["actor"] == "reader"
    answer = browser.post("/api/reload", headers={"x-csrf-token": value["csrf"]})
    assert answer.status_code == 403 and code(answer) == "read_only_key"
    assert browser.get("/api/keys").status_code == 200


def test_sign_out(browser):
    token = sign_in(browser)["csrf"]
    kept = browser.cookies[COOKIE]
    assert browser.delete("/api/session").status_code == 403
    gone = browser.delete("/api/session", headers={"x-csrf-token": token})
    assert gone.status_code == 204 and not gone.content and "Max-Age=0" in gone.headers["set-cookie"]
    assert COOKIE not in browser.cookies  # the browser has forgotten it
    assert browser.get("/api/status", headers={"cookie": f"{COOKIE}={kept}"}).status_code == 401
    assert browser.get("/api/session").status_code == 401


def test_signing_in_again_ends_the_session_before(browser):
    sign_in(browser)
    first = browser.cookies[COOKIE]
    sign_in(browser)
    assert browser.cookies[COOKIE] != first
    browser.cookies.clear()
    assert browser.get("/api/status", headers={"cookie": f"{COOKIE}={first}"}).status_code == 401


def test_revoking_the_key_ends_its_sessions(gw, browser):
    made = gw.make_key(kind="admin")
    sign_in(browser, made["key"])
    assert browser.get("/api/status").status_code == 200
    assert gw.admin_call("DELETE", f"/api/keys/{made['id']}").status_code == 200
    assert browser.get("/api/status").status_code == 401


def test_a_key_that_is_revoked_while_its_request_comes_opens_nothing(gw):
    made = gw.make_key(kind="admin")
    body = b'{"name":"minted","kind":"admin"}'
    with Raw(gw.admin, 10) as raw:
        raw.send(b"POST /api/keys HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n"
                 % (made["key"].encode(), len(body)) + body[:5])
        time.sleep(0.2)
        assert gw.admin_call("DELETE", f"/api/keys/{made['id']}").status_code == 200
        raw.send(body[5:])
        assert raw.answer().status == 401
    assert "minted" not in gw.admin_call("GET", "/api/keys").text


@pytest.mark.parametrize("body, status, error", [
    (b'{"key":"' + KEY.encode() + b'"}', 401, "invalid_key"),  # an application's
    (b'{"key":"no-such-key-0123456789"}', 401, "invalid_key"),
    (b'{"key":7}', 400, "invalid_request"), (b"[]", 400, "invalid_request"), (b"", 400, "invalid_request"),
    (b'{"key":"a","key":"b"}', 400, "repeated_member"),
    (b'{"key":"' + b"x" * 5000 + b'"}', 400, "invalid_request")])
def test_what_does_not_sign_in(make_gateway, config, body, status, error):
    gw = make_gateway(settings(config))
    answer = plain_http("POST", f"http://{gw.admin}/api/session", content=body)
    assert answer.status_code == status and code(answer) == error
    assert "set-cookie" not in answer.headers


def test_who_guesses_is_locked_out_and_a_restart_ends_sessions(make_gateway, config):
    gw = make_gateway(settings(config))
    with httpx.Client(base_url=f"http://{gw.admin}", verify=NO_TLS, trust_env=False) as browser:
        sign_in(browser)
        with httpx.Client(base_url=f"http://{gw.admin}", verify=NO_TLS, trust_env=False) as guesser:
            for _ in range(5):
                assert guesser.post("/api/session", json={"key": "wrong-0123456789"}).status_code == 401
            for key in ("wrong-0123456789", ADMIN_KEY):
                answer = guesser.post("/api/session", json={"key": key})
                assert answer.status_code == 429 and code(answer) == "locked_out"
                assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert browser.get("/api/status").status_code == 200  # who is in stays in
        assert gw.admin_call("GET", "/api/status").status_code == 200
        assert "too many keys were wrong" in gw.stderr()
        kept = browser.cookies[COOKIE]
    gw.stop()
    gw.start()
    answer = plain_http("GET", f"http://{gw.admin}/api/status", headers={"cookie": f"{COOKIE}={kept}"})
    assert answer.status_code == 401


def test_the_session_is_nowhere_on_the_disk_or_in_the_log(gw, browser):
    token = sign_in(browser)["csrf"]
    secrets = [browser.cookies[COOKIE].encode(), token.encode(), ADMIN_KEY.encode()]
    said = gw.said().encode()
    kept = [p.read_bytes() for p in gw.data.rglob("*") if p.is_file() and p.name != "running.json"]
    assert not [s for s in secrets for text in [said, *kept] if s in text]


# --- the console's files

def test_the_page_needs_no_key_and_trusts_nothing(browser):
    answer = browser.get("/")
    assert answer.status_code == 200 and answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
    for name, value in {"x-frame-options": "DENY", "referrer-policy": "no-referrer", "cache-control": "no-cache",
                        "x-content-type-options": "nosniff", "cross-origin-opener-policy": "same-origin"}.items():
        assert answer.headers[name] == value
    plain = browser.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers and plain.content == answer.content
    assert browser.get("/", headers={"if-none-match": answer.headers["etag"]}).status_code == 304
    head = browser.head("/", headers={"accept-encoding": "identity"})
    assert head.status_code == 200 and not head.content
    assert int(head.headers["content-length"]) == len(plain.content)


def test_assets_of_the_page_are_there_and_small(browser):
    page = browser.get("/").text
    names = re.findall(r'(?:src|href)="\.?/?(assets/[^"]+)"', page)
    total = 0
    for name in names:
        answer = browser.get("/" + name, headers={"accept-encoding": "gzip"})
        assert answer.status_code == 200 and "immutable" in answer.headers["cache-control"]
        total += int(answer.headers["content-length"])
    assert total <= 300_000
    assert browser.get("/assets/no-such.js").status_code == 404


def test_everything_else_needs_a_key(browser):
    for path in ("/index.html", "/assets", "/assets/a/b", "/api/status", "/api/session", "/metrics", "/nowhere"):
        answer = browser.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert browser.post("/").status_code == 401


def test_documents_name_every_route(gw):
    pages = "".join(page.read_text() for page in (ROOT / "docs").glob("*.md"))
    routes = [r for r in gw.admin_call("GET", "/api").json()["routes"] if r["path"] != "/" and "/assets/" not in r["path"]]
    assert len(routes) > 20
    for route in routes:
        if route["needs"] == "nothing" and not route["path"].startswith("/api"):
            continue  # probes and icons
        named = re.escape(route["method"] + " " + route["path"])
        named = re.sub(r"\\\{\w+\\\}", r"(?:\\{\\w+\\}|[A-Z]+)", named)
        assert re.search(named + r"(?![\w/])", pages), route


def test_what_needs_no_key_is_what_the_page_says(gw):
    routes = gw.admin_call("GET", "/api").json()["routes"]
    open_paths = {r["path"] for r in routes if r["needs"] == "nothing" and r["path"].startswith("/api")}
    assert open_paths == {"/api/session"}
    for route in routes:
        path = route["path"].replace("{id}", "x").replace("{model}", "x").replace("{action}", "x")
        answer = plain_http(route["method"], f"http://{gw.admin}{path}")
        assert (answer.status_code == 401) == (route["needs"] != "nothing"), route


# --- history

def totals(gw, window="15m") -> dict:
    return gw.admin_call("GET", f"/api/overview?window={window}").json()["totals"]


def test_overview_and_history_tell_what_was(make_gateway, config):
    value = settings(config)
    value["models"]["broken"] = {"targets": ["fake/s503"]}
    value["prices"] = {"currency": "EUR", "models": {"echo": {"input": 1000, "output": 2000}}}
    gw = make_gateway(value)
    for _ in range(3):
        assert gw.chat("echo").status_code == 200
    gw.chat_stream("echo")
    assert gw.chat("broken").status_code >= 500
    wait_until(lambda: totals(gw)["requests"] == 5, "sampled", timeout=15, every=0.2)
    overview = gw.admin_call("GET", "/api/overview?window=15m", key=READER).json()
    assert overview["window"] == "15m" and overview["step_seconds"] == 10 and overview["currency"] == "EUR"
    assert sum(p["requests"] for p in overview["points"]) == 5
    assert all(abs(overview["now"] - p["t"]) < 60 for p in overview["points"])
    total = overview["totals"]
    assert total["errors"] == 1 and sum(total["errors_by_class"].values()) == 1 and total["in_flight"] == 0
    assert total["input_tokens"] > 0 and total["cost"] > 0
    assert 0 < total["p50_ms"] <= total["p95_ms"] <= total["p99_ms"] and total["first_token_p50_ms"] > 0
    models = {m["model"]: m for m in overview["models"]}
    assert models["echo"]["requests"] == 4 and models["echo"]["errors"] == 0 and models["broken"]["errors"] == 1
    assert overview["providers"] == [{"provider": "fake", "attempts": 5, "errors": 1}]

    used = gw.usage_rows()
    assert total["input_tokens"] == sum(r["input_tokens"] for r in used)

    history = gw.admin_call("GET", "/api/history?metric=causeway_attempts_total&by=error_type&window=15m").json()
    assert history["type"] == "counter" and len(history["series"]) == 2
    assert sum(v or 0 for s in history["series"] for v in s["values"]) == 5
    only = gw.admin_call("GET", "/api/history?metric=causeway_attempts_total&where.gen_ai_request_model=broken").json()
    assert sum(v or 0 for v in only["series"][0]["values"]) == 1
    assert code(gw.admin_call("GET", "/api/history?metric=nope")) == "metric_not_found"
    assert code(gw.admin_call("GET", "/api/overview?window=2h")) == "invalid_query"

    providers = gw.admin_call("GET", "/api/providers", key=READER).json()["providers"]
    assert [p["name"] for p in providers] == ["fake"]
    fake = providers[0]
    assert fake["kind"] == "openai" and fake["zone"] == "external" and fake["state"] == "ok"
    assert fake["last_hour"]["attempts"] == 5 and fake["last_hour"]["errors"] == 1
    assert {"model": "echo", "upstream": "echo"} in fake["models"]

    table = gw.cli("overview").stdout
    assert re.search(r"^echo +4 +0 ", table, re.MULTILINE) and "fake" in table
    assert "causeway_provider=fake" in gw.cli("history", "causeway_attempts_total", "--by", "causeway_provider").stdout
    assert json.loads(gw.cli("overview", "--json").stdout)["totals"]["requests"] == 5
    status = gw.admin_call("GET", "/api/status").json()
    assert status["last_hour"]["requests"] == 5 and 0 < status["history_bytes"] < 200_000
    assert "requests 5" in gw.cli("status").stdout


# --- the configuration

SECRET, LATER = "sk-in-clear-0123456789", "sk-another-0123456789"
FILE = f"""# put aside: {LATER}
server: {{ listen: "127.0.0.1:0", admin: "127.0.0.1:0", data: DATA }}
providers:
  up: {{ kind: openai, base_url: "http://127.0.0.1:9/v1", api_key: {SECRET} }}   # the usual one
models:
  fast: {{ targets: [ up/large ] }}
keys:
  - {{ name: admin, kind: admin, secret: "{ADMIN_KEY}" }}
  - {{ name: reader, kind: admin_read_only, secret: "{READER}" }}
  - {{ name: app, secret: "${{APP_KEY}}" }}
"""


@pytest.fixture
def filed(make_gateway):
    def make(**more):
        gw = make_gateway("", start=False, env={"APP_KEY": KEY}, **more)
        gw.write_config(FILE.replace("DATA", str(gw.data)))
        return gw.start()
    return make


def shown(gw, key=ADMIN_KEY) -> dict:
    return gw.admin_call("GET", "/api/config", key=key).json()


def put(gw, text, sha256, key=ADMIN_KEY):
    return gw.admin_call("PUT", "/api/config", {"text": text, "sha256": sha256}, key=key)


def test_the_file_is_shown_without_its_secrets(filed):
    gw = filed()
    value = shown(gw)
    assert value["path"] == str(gw.config_path) and value["editable"] and not value["why_not"]
    assert value["problems"] == [] and len(value["sha256"]) == 64
    assert "api_key: <kept-2> }   # the usual one" in value["text"] and "# put aside: <kept-1>" in value["text"]
    assert '"${APP_KEY}"' in value["text"]
    for secret in (SECRET, LATER, ADMIN_KEY, READER, KEY):
        assert secret not in json.dumps(value)
    reader = shown(gw, READER)
    assert not reader["editable"] and "read" in reader["why_not"] and reader["text"] == value["text"]


def test_check_tells_problems_differences_and_what_needs_a_restart(filed):
    gw = filed()
    value = shown(gw)
    edited = value["text"].replace("fast:", "faster:").replace("up/large", "upp/large") \
        .replace("listen: ", "threads: 7, listen: ").replace("keys:", f"keys:\n  - {{ name: new, secret: {SECRET}-new }}")
    answer = gw.admin_call("POST", "/api/config/check", {"text": edited, "sha256": value["sha256"]})
    assert answer.status_code == 200, answer.text
    checked = answer.json()
    errors = [p for p in checked["problems"] if p["severity"] == "error"]
    assert len(errors) == 1 and "upp" in errors[0]["message"] and 'did you mean "up"' in errors[0]["message"]
    line = edited.splitlines()[errors[0]["line"] - 1]
    assert line[errors[0]["column"] - 1:].startswith("upp/large")
    assert "\n-  fast: { targets: [ up/large ] }\n+  faster: { targets: [ upp/large ] }\n" in checked["diff"]
    assert "+  - { name: new, secret: <hidden> }" in checked["diff"]
    assert checked["restart_needed"] == ["server.threads"]
    assert SECRET not in answer.text and LATER not in answer.text
    assert FILE.replace("DATA", str(gw.data)) == gw.config_path.read_text()  # nothing was written
    assert gw.admin_call("POST", "/api/config/check", {}, key=READER).status_code == 403


def test_put_writes_and_loads_once(filed):
    gw = filed()
    before = gw.config_path.read_text()
    gw.config_path.chmod(0o640)
    value = shown(gw)
    edited = value["text"].replace("fast:", "faster:")
    answer = put(gw, edited, value["sha256"])
    assert answer.status_code == 200, answer.text
    assert gw.config_path.read_text() == before.replace("fast:", "faster:")
    assert gw.config_path.with_name("causeway.yaml.bak").read_text() == before
    assert gw.config_path.stat().st_mode & 0o777 == 0o640
    after = shown(gw)
    assert after["sha256"] == answer.json()["sha256"] != value["sha256"]
    assert after["version"] == answer.json()["version"] > value["version"]
    assert [m["name"] for m in gw.admin_call("GET", "/api/models").json()["models"] if "fast" in m["name"]] == ["faster"]
    time.sleep(1.5)  # the watch has looked three times
    assert shown(gw)["version"] == after["version"]
    assert gw.stderr().count("configuration loaded") == 1
    assert "changed over the admin port" in gw.stderr()


def test_put_refuses(filed):
    gw = filed()
    before = gw.config_path.read_text()
    value = shown(gw)
    broken = put(gw, value["text"].replace("kind: openai", "kind: opnai"), value["sha256"])
    assert broken.status_code == 422 and code(broken) == "bad_config" and broken.json()["problems"]
    assert SECRET not in broken.text
    for text in ("", "# nothing\n", "models: [", "models: {}\nkeyz: []\n"):
        assert put(gw, text, value["sha256"]).status_code == 422, text
    assert put(gw, value["text"] + "# <kept-99>\n", value["sha256"]).status_code == 400
    assert put(gw, value["text"], "0" * 64).status_code == 409
    assert gw.admin_call("PUT", "/api/config", {"text": value["text"]}).status_code == 400
    assert put(gw, value["text"], value["sha256"], key=READER).status_code == 403
    assert gw.config_path.read_text() == before and shown(gw)["version"] == value["version"]
    assert not gw.config_path.with_name("causeway.yaml.bak").exists()
    gw.write_config(before + "# by hand\n")
    changed = put(gw, value["text"], value["sha256"])
    assert changed.status_code == 409 and code(changed) == "config_changed"
    assert gw.config_path.read_text() == before + "# by hand\n"


def test_what_is_hidden_cannot_be_moved_to_where_it_is_shown(filed):
    gw = filed()
    value = shown(gw)
    before = gw.config_path.read_text()
    for edited in (value["text"].replace('listen: "127.0.0.1:0"', "listen: <kept-2>, threads: <kept-2>"),
                   value["text"].replace("up/large", "up/<kept-1>")):
        assert edited != value["text"]
        for method, path in (("POST", "/api/config/check"), ("PUT", "/api/config")):
            answer = gw.admin_call(method, path, {"text": edited, "sha256": value["sha256"]})
            assert answer.status_code == 400 and "only where a secret does" in answer.text
            assert SECRET[:12] not in answer.text
    assert gw.config_path.read_text() == before


def test_problems_of_the_last_reload_are_shown(filed):
    gw = filed()
    gw.write_config(gw.config_path.read_text().replace("up/large", "upp/large"))
    wait_until(lambda: shown(gw)["problems"], "the watch has seen it", timeout=20)
    problem = shown(gw)["problems"][0]
    assert problem["line"] == 6 and problem["column"] > 10 and "upp" in problem["message"]


def test_without_a_file_there_is_nothing_to_edit(make_gateway):
    gw = make_gateway(None, args=["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", "data"])
    key = json.loads(gw.cli("keys", "create", "--name", "ops", "--kind", "admin", "--json").stdout)["key"]
    value = gw.admin_call("GET", "/api/config", key=key).json()
    assert value["path"] == "" and value["text"] == "" and not value["editable"] and "--config" in value["why_not"]
    answer = gw.admin_call("PUT", "/api/config", {"text": "models: {}", "sha256": ""}, key=key)
    assert answer.status_code == 409 and code(answer) == "no_config"


def test_a_file_that_is_no_yaml_is_not_shown(filed):
    gw = filed()
    gw.write_config("keys: [ { secret: " + SECRET)
    value = shown(gw)
    assert not value["editable"] and value["text"] == "" and "YAML" in value["why_not"]
    assert SECRET not in json.dumps(value)


def test_verbs_for_the_file_and_the_providers(filed, tmp_path):
    gw = filed()
    shown_text = gw.cli("config", "show").stdout
    assert shown_text == shown(gw)["text"]
    edited = tmp_path / "edited.yaml"
    edited.write_text(shown_text.replace("fast:", "faster:"))
    compared = gw.cli("config", "diff", str(edited))
    assert compared.returncode == 0 and "+  faster: { targets" in compared.stdout
    done = gw.cli("config", "put", str(edited))
    assert done.returncode == 0 and "is in force" in done.stdout, done.stderr
    assert SECRET in gw.config_path.read_text() and "faster" in gw.config_path.read_text()
    edited.write_text(shown_text.replace("kind: openai", "kind: opnai"))
    refused = gw.cli("config", "put", str(edited))
    assert refused.returncode == 1 and f"{edited}:4:15: " in refused.stderr and "openai" in refused.stderr
    table = gw.cli("providers").stdout
    assert re.search(r"^up +openai +external +unused +0 +0 +http://127.0.0.1:9/v1", table, re.MULTILINE), table
    assert json.loads(gw.cli("providers", "--json").stdout)["providers"][0]["name"] == "up"


def test_check_of_what_is_no_yaml(filed):
    gw = filed()
    value = shown(gw)
    answer = gw.admin_call("POST", "/api/config/check", {"text": value["text"] + "x: [ 1", "sha256": value["sha256"]})
    assert answer.status_code == 200 and answer.json()["diff"] == ""
    assert answer.json()["problems"][0]["line"] == value["text"].count("\n") + 1
