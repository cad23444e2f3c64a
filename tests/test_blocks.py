"""Who asks far more than usual is blocked for a while, nobody else is, and operators have a say."""

import concurrent.futures
import json
import re
import time

import httpx
import pytest

from conftest import running
from gateway import ADMIN_KEY, KEY, chat_body, wait_until

OTHER = "sk-test-other-0123456789abcdefghijklmno"
READER = "admin-test-reader-0123456789abcdefghijkl"
FLOOR = 40
SPIKES = {"on": True, "floor": FLOOR, "factor": 5, "first": "2s", "forget": "1h"}


@pytest.fixture
def world(config, session_folder, request):
    """world(anomalies): a gateway with that section."""
    opened = []

    def start(anomalies=None):
        settings = config()
        if anomalies is not None:
            settings["anomalies"] = anomalies
        settings["keys"] = [
            {"name": "test", "secret": KEY, "models": ["*"], "tenant": "acme"},
            {"name": "other", "secret": OTHER, "models": ["*"], "tenant": "globex"},
            {"name": "reader", "secret": READER, "kind": "admin_read_only"}]
        context = running(session_folder / request.node.name, settings)
        opened.append(context)
        return context.__enter__()

    yield start
    for context in opened:
        context.__exit__(None, None, None)


def client(gate, address: str, key: str = KEY) -> httpx.Client:
    return httpx.Client(base_url=gate.url, transport=httpx.HTTPTransport(local_address=address),
                        headers={"authorization": f"Bearer {key}"}, timeout=30)


def ask(caller: httpx.Client, text: str = "hello", **more) -> httpx.Response:
    return caller.post("/v1/chat/completions", json=chat_body("echo", text, **more))


def flood(caller: httpx.Client, most: int = 3 * FLOOR, **more) -> tuple[int, httpx.Response]:
    """How many are answered before the first refusal, and that."""
    for answered in range(most):
        answer = ask(caller, **more)
        if answer.status_code != 200:
            return answered, answer
    raise AssertionError(f"{most} requests were all answered")


def is_floor(answered: int) -> bool:
    """What is more than ten seconds old counts less and less: of a flood that takes a while, a few more pass."""
    return FLOOR <= answered <= FLOOR + 10


def refused(answer: httpx.Response) -> int:
    """Seconds of Retry-After."""
    assert answer.status_code == 429, answer.text
    assert answer.json()["error"]["code"] == "blocked", answer.text
    return int(answer.headers["retry-after"])


def test_one_address_floods_and_twenty_others_do_not_notice(world):
    gate = world({**SPIKES, "first": "30s"})

    def ordinary(last: int) -> list[int]:
        with client(gate, f"127.0.0.{last}") as caller:
            statuses = []
            for _ in range(15):
                statuses.append(ask(caller).status_code)
                time.sleep(0.1)
            return statuses

    with concurrent.futures.ThreadPoolExecutor(21) as pool, client(gate, "127.0.0.2") as flooder:
        others = [pool.submit(ordinary, last) for last in range(3, 23)]
        answered, refusal = flood(flooder)
        assert is_floor(answered), answered
        assert 28 <= refused(refusal) <= 30
        assert refusal.headers["x-should-retry"] == "false"
        assert "Far more was asked for than is usual" in refusal.json()["error"]["message"]
        while not all(other.done() for other in others):
            refused(ask(flooder))
        statuses = [status for other in others for status in other.result()]
    assert statuses == [200] * 300
    with client(gate, "127.0.0.2", OTHER) as same_address:
        refused(ask(same_address))
    blocks = gate.admin_call("GET", "/api/blocks").json()["blocks"]
    assert [(b["who"], b["kind"], b["by"], b["step"]) for b in blocks] == [
        ("127.0.0.2", "address", "anomalies", 1)]
    assert re.search(rf"\b({FLOOR}|{FLOOR + 1}) requests in ten seconds", blocks[0]["reason"]), blocks
    metrics = gate.metrics()
    assert metrics.value("causeway_blocks_active", kind="address") == 1
    assert metrics.value("causeway_spikes_total", kind="address") == 1
    assert metrics.value("causeway_blocked_requests_total", kind="address") > 5
    assert "far more requests than usual" in gate.said()


def test_a_block_ends_grows_and_survives_the_worst_end(world):
    gate = world(SPIKES)
    with client(gate, "127.0.0.2") as caller:
        began = time.monotonic()
        answered, refusal = flood(caller)
        assert refused(refusal) == 2 and is_floor(answered), answered
        wait_until(lambda: ask(caller).status_code == 200, "the end of the block", 5, 0.1)
        assert time.monotonic() - began > 1.9
        _, refusal = flood(caller)
        assert refused(refusal) == 10  # five times the first
        time.sleep(0.5)
    gate.kill()
    gate.start()
    with client(gate, "127.0.0.2") as caller, client(gate, "127.0.0.3") as other:
        assert 5 <= refused(ask(caller)) <= 10
        assert ask(other).status_code == 200
        wait_until(lambda: ask(caller).status_code == 200, "the end of the second block", 12, 0.2)


def test_a_refused_request_is_not_even_read(world):
    gate = world(SPIKES)
    assert gate.admin_call("POST", "/api/blocks", {"who": "127.0.0.0/8", "for": "1m"}).status_code == 201
    raw = gate.raw()
    raw.send(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n"
             b"Content-Type: application/json\r\n\r\n")
    answer = raw.answer()  # though no byte of the body was sent, and no key
    assert answer.status == 429 and b'"blocked"' in answer.body
    raw.close()
    assert gate.get("/healthz", key=None).status_code == 200


def test_a_user_is_blocked_within_the_tenant(world):
    gate = world({**SPIKES, "exempt": ["127.0.0.0/8"]})
    with client(gate, "127.0.0.1") as acme, client(gate, "127.0.0.1", OTHER) as globex:
        answered, refusal = flood(acme, user="ana")
        assert is_floor(answered) and refused(refusal) == 2, answered
        assert "this user" in refusal.json()["error"]["message"]
        assert ask(acme, user="ben").status_code == 200
        assert ask(globex, user="ana").status_code == 200
        assert ask(acme).status_code == 200  # names nobody
        refused(ask(acme, user="ana"))
    block, = gate.admin_call("GET", "/api/blocks").json()["blocks"]
    assert (block["who"], block["tenant"]) == ("user:ana", "acme")


def test_the_exempt_and_whoever_has_nothing_configured(world):
    gate = world({**SPIKES, "exempt": ["127.0.0.2"]})
    with client(gate, "127.0.0.2") as free, client(gate, "127.0.0.3") as watched:
        assert {ask(free).status_code for _ in range(3 * FLOOR)} == {200}
        assert is_floor(flood(watched)[0])


def test_off_unless_it_is_asked_for(world):
    gate = world()
    with client(gate, "127.0.0.2") as caller:
        assert {ask(caller).status_code for _ in range(4 * FLOOR)} == {200}
    assert gate.admin_call("GET", "/api/blocks").json() == {"blocks": []}


def test_the_verbs(world):
    gate = world()
    assert "Nobody is blocked." in gate.cli("blocks", "list").stdout
    for who, more in [("127.0.0.2", ["--for", "30m", "--reason", "scans us"]), ("127.0.4.0/24", []),
                      ("user:ana", ["--tenant", "acme"]), ("key:other", ["--for", "7d"])]:
        done = gate.cli("blocks", "add", who, *more)
        assert done.returncode == 0, done.stderr
        assert f"{who} is blocked for" in done.stdout
    table = gate.cli("blocks", "list").stdout
    for word in ("127.0.0.2", "scans us", "127.0.4.0/24", "user:ana", "acme", "key:other"):
        assert word in table, table
    assert len(json.loads(gate.cli("blocks", "list", "--json").stdout)["blocks"]) == 4
    with client(gate, "127.0.0.2") as blocked, client(gate, "127.0.4.9") as near, \
            client(gate, "127.0.5.9") as far, client(gate, "127.0.5.9", OTHER) as other:
        assert refused(ask(blocked)) > 1700
        refused(ask(near))
        assert ask(far).status_code == 200
        refused(ask(far, user="ana"))
        refused(ask(other))
        done = gate.cli("blocks", "remove", "127.0.0.2")
        assert done.returncode == 0 and "not blocked any more" in done.stdout
        assert ask(blocked).status_code == 200
        assert gate.cli("blocks", "remove", "user:ana", "--tenant", "acme").returncode == 0
        assert ask(far, user="ana").status_code == 200
    again = gate.cli("blocks", "remove", "127.0.0.2")
    assert again.returncode == 1 and "is not blocked" in again.stderr
    assert gate.cli("blocks", "add", "nonsense").returncode == 1
    assert gate.cli("blocks").returncode == 2


def test_a_key_is_blocked_by_its_id_or_its_name(world):
    gate = world()
    made = json.loads(gate.cli("keys", "create", "--name", "shop", "--json").stdout)
    reader = json.loads(gate.cli("keys", "create", "--name", "eye", "--kind", "admin_read_only", "--json").stdout)
    for said, name, key in [(made["id"], "shop", made["key"]), ("shop", "shop", made["key"]),
                            ("config:other", "other", OTHER)]:
        done = gate.cli("blocks", "add", f"key:{said}")
        assert done.returncode == 0 and f"key:{name} is blocked for" in done.stdout, done.stderr
        with client(gate, "127.0.0.1", key) as caller:
            answer = ask(caller)
            assert refused(answer) > 3500
            assert answer.headers["x-should-retry"] == "false"
            assert "An operator of this gateway has blocked this API key" in answer.json()["error"]["message"]
            done = gate.cli("blocks", "remove", f"key:{said}")
            assert done.returncode == 0 and f"key:{name} is not blocked any more" in done.stdout
            assert ask(caller).status_code == 200
    typo = gate.cli("blocks", "add", "key:shp")
    assert typo.returncode == 1 and "is blocked" not in typo.stdout
    assert 'there is no live key "shp"' in typo.stderr and "shop" in typo.stderr
    admin = gate.cli("blocks", "add", f"key:{reader['id']}")
    assert admin.returncode == 1 and "admin port" in admin.stderr
    # Of a key that has gone since, the block can be taken away by the name that the list has.
    assert gate.cli("blocks", "add", "key:shop").returncode == 0
    assert gate.cli("keys", "revoke", "shop").returncode == 0
    assert gate.cli("blocks", "add", f"key:{made['id']}").returncode == 1
    assert gate.cli("blocks", "remove", "key:shop").returncode == 0
    assert gate.admin_call("GET", "/api/blocks").json() == {"blocks": []}


def test_a_network_of_almost_everybody_is_refused(world):
    gate = world()
    for who in ("0.0.0.0/0", "::/0", "126.0.0.0/7", "::ffff:0:0/96"):
        done = gate.cli("blocks", "add", who)
        assert done.returncode == 1 and "wider than /8 (IPv4) or /16 (IPv6)" in done.stderr, done.stderr
    with client(gate, "127.0.0.1") as caller:
        assert ask(caller).status_code == 200


def test_writing_needs_a_full_admin_key(world):
    gate = world()
    for key, status in ((KEY, 403), (None, 401), ("nonsense", 401)):
        assert gate.admin_call("GET", "/api/blocks", key=key).status_code in (status, 401, 403)
    assert gate.admin_call("GET", "/api/blocks", key=READER).status_code == 200
    answer = gate.admin_call("POST", "/api/blocks", {"who": "127.0.0.9"}, key=READER)
    assert answer.status_code == 403 and answer.json()["error"]["code"] == "read_only_key"
    assert gate.admin_call("DELETE", "/api/blocks?who=127.0.0.9", key=READER).status_code == 403


@pytest.mark.parametrize("body", [
    None, [], {}, {"who": ""}, {"who": "1.2.3.4", "for": "-1h"}, {"who": "1.2.3.4", "more": 1},
    {"who": "1.2.3.4/99"}, {"who": "user:" + "a" * 300}, {"who": "user:a\u001b[2J"}, {"who": 7},
    {"who": "1.2.3.4", "tenant": "x"}, {"who": "1.2.3.4", "reason": "a" * 600}])
def test_what_is_no_block_is_refused(refusing, body):
    answer = refusing.admin_call("POST", "/api/blocks", body)
    assert answer.status_code == 400, answer.text
    assert refusing.admin_call("GET", "/api/blocks").json() == {"blocks": []}


@pytest.fixture(scope="module")
def refusing(config, session_folder):
    with running(session_folder / "blocks-refusing", config()) as gate:
        yield gate


def test_hostile_names_of_users(world):
    gate = world({**SPIKES, "exempt": ["127.0.0.0/8"]})
    with client(gate, "127.0.0.1") as caller:
        for name in ("\u001b[2Jx", "a" * 5000, "\u0000", "'; drop table blocks; --"):
            assert is_floor(flood(caller, user=name)[0]), name
    listed = gate.cli("blocks", "list").stdout
    assert "\u001b" not in listed and "drop table" in listed and listed.count("user:sha256-") == 3
    assert all(len(line) < 400 for line in listed.splitlines())


def test_a_reload_changes_what_is_watched(world):
    gate = world({**SPIKES, "floor": 1000})
    with client(gate, "127.0.0.2") as caller:
        assert {ask(caller).status_code for _ in range(2 * FLOOR)} == {200}
        settings = json.loads(gate.config_path.read_text())
        settings["anomalies"] |= {"floor": 5, "factor": 1.5}
        gate.write_config(settings)
        assert gate.admin_call("POST", "/api/reload").status_code == 200
        refused(ask(caller))
