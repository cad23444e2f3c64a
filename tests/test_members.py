"""Members of a provider: replicas by list, file and name, several keys, probes."""

import concurrent.futures
import json
import os
import pty
import subprocess
import threading
import time

import pytest

from conftest import running
from fake_provider import by_path, openai_error
from fake_upstream import Fake
from gateway import Gateway, binary, clean_environment, run, wait_until


@pytest.fixture
def fakes():
    both = [Fake().start(), Fake().start()]
    yield both
    for fake in both:
        fake.stop()
        assert not fake.failures, fake.failures


def place(fake: Fake) -> str:
    return f"{fake.host}:{fake.port}"


def chats(fake: Fake) -> int:
    return sum(r.target == "/v1/chat/completions" for r in fake.records())


def settings(provider: dict) -> dict:
    return {"providers": {"gpu": {"kind": "openai", **provider}}, "models": {"m": {"targets": ["gpu/echo"]}}}


def members(gw: Gateway) -> dict:
    provider, = gw.admin_call("GET", "/api/providers").json()["providers"]
    return {member["name"]: member for member in provider["members"]}


def targets(gw: Gateway) -> dict:
    """How each member fares with the model of the tests."""
    return {name: member["targets"][0] for name, member in members(gw).items()}


def many(gw: Gateway, count: int = 60, model: str = "m") -> list[int]:
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        return list(pool.map(lambda _: gw.chat(model).status_code, range(count)))


def slow(seconds: float):
    async def handler(answer):
        await answer.sleep(seconds)
        await by_path(answer)
    return handler


@pytest.mark.parametrize("model", ["m", "gpu/echo"])
def test_replicas_share_the_load(tmp_path, fakes, model):
    for fake in fakes:
        fake.on("echo", slow(0.1))
    with running(tmp_path, settings({"replicas": [fake.base_url for fake in fakes]})) as gw:
        def shared() -> bool:
            """Of 60. One whose first answer was late by chance gets its part when more have come."""
            before = [chats(fake) for fake in fakes]
            assert set(many(gw, model=model)) == {200}
            got = [chats(fake) - old for fake, old in zip(fakes, before)]
            assert sum(got) == 60
            return min(got) >= 10

        wait_until(shared, "each has a part", timeout=40)
        assert set(members(gw)) == {place(fake) for fake in fakes}


def test_a_dead_replica_costs_no_answer(tmp_path, fakes):
    with running(tmp_path, settings({"replicas": [fake.base_url for fake in fakes]})) as gw:
        fakes[0].stop_listening()
        assert set(many(gw)) == {200}
        assert chats(fakes[1]) == 60


def test_both_keys_are_used_and_neither_is_shown(tmp_path, fakes):
    fakes[0].on("echo", slow(0.02))
    keys = ["sk-first-do-not-show-me", "sk-second-do-not-show-me"]
    provider = {"base_url": fakes[0].base_url, "api_key": "${K1}", "api_keys": ["${K2}"]}
    with running(tmp_path, settings(provider), env=dict(zip(("K1", "K2"), keys))) as gw:
        assert set(many(gw)) == {200}
        seen = [r.header("authorization") for r in fakes[0].records() if "chat" in r.target]
        assert set(seen) == {f"Bearer {key}" for key in keys}
        shown = gw.admin_call("GET", "/api/providers").text + gw.output(100_000)
        assert "do-not-show-me" not in shown
        assert set(members(gw)) == {"key-1", "key-2"}


def test_a_key_that_is_limited_rests_by_itself(tmp_path, fakes):
    async def handler(answer):
        if answer.record.header("authorization") == "Bearer sk-used-up":
            return await answer.json(429, openai_error("slow down", code="rate_limit_exceeded"), {"Retry-After": "30"})
        await by_path(answer)

    fakes[0].on("echo", handler)
    provider = {"base_url": fakes[0].base_url, "api_keys": ["${K1}", "${K2}"]}
    with running(tmp_path, settings(provider), env={"K1": "sk-used-up", "K2": "sk-fresh"}) as gw:
        assert set(many(gw)) == {200}
        limited = [r for r in fakes[0].records() if r.header("authorization") == "Bearer sk-used-up" and r.body]
        assert 1 <= len(limited) <= 12  # those that ran when the first came back
        shown = targets(gw)
        assert shown["key-1"]["state"] == "open" and shown["key-1"]["rest_ms"] > 20_000
        assert shown["key-2"]["state"] == "closed" and shown["key-2"]["calls"] == 60


def test_lines_of_a_file_come_and_go_while_requests_run(tmp_path, fakes):
    file = tmp_path / "replicas.txt"
    file.write_text(f"{place(fakes[0])}  # the first\n")
    provider = {"base_url": "http://unused.invalid/v1", "replicas": {"file": str(file), "every": "100ms"}}
    with running(tmp_path, settings(provider)) as gw:
        ended, statuses = threading.Event(), []

        def ask():
            while not ended.is_set():
                statuses.append(gw.chat("m").status_code)

        callers = [threading.Thread(target=ask) for _ in range(4)]
        for caller in callers:
            caller.start()

        def becomes(*here: Fake):
            new = tmp_path / "new"
            new.write_text("".join(f"{fake.base_url}\n" for fake in here))
            new.replace(file)
            wait_until(lambda: set(members(gw)) == {place(fake) for fake in here}, "the members")

        try:
            becomes(*fakes)
            becomes(fakes[1])
            before = chats(fakes[0])
            wait_until(lambda: chats(fakes[1]) > 20, "requests at the second")
            assert chats(fakes[0]) <= before + 4  # those that ran
        finally:
            ended.set()
            for caller in callers:
                caller.join()
        assert set(statuses) == {200}


def test_a_source_that_fails_keeps_what_it_said(tmp_path, fakes):
    file = tmp_path / "replicas.txt"
    file.write_text(fakes[0].base_url)
    provider = {"replicas": {"file": str(file), "every": "100ms"}}
    with running(tmp_path, settings(provider)) as gw:
        problems = lambda: gw.admin_call("GET", "/api/status").json()["replica_problems"]
        assert problems() == []
        file.unlink()
        wait_until(problems, "the problem")
        time.sleep(0.5)
        assert problems() == [f"replicas of file {file}: it cannot be read"]
        assert gw.chat("m").status_code == 200
        assert gw.err_path.read_text().count("those that are known stay") == 1
        file.write_text("")  # somebody is writing it
        wait_until(lambda: "it has no replicas" in str(problems()), "the other problem")
        assert gw.chat("m").status_code == 200
        file.write_text("\n".join(fake.base_url for fake in fakes))
        wait_until(lambda: len(members(gw)) == 2, "two members")
        assert problems() == []


def test_with_nothing_known_base_url_is_asked(tmp_path, fakes):
    provider = {"base_url": fakes[0].base_url, "replicas": {"file": str(tmp_path / "none.txt")}}
    with running(tmp_path, settings(provider)) as gw:
        assert gw.chat("m").status_code == 200
        assert set(members(gw)) == {place(fakes[0])}


def test_addresses_of_a_name(tmp_path):
    """c-ares reads the file of CARES_HOSTS in the place of /etc/hosts."""
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 pods.test\n127.0.0.3 pods.test\n")
    first = Fake().start(host="127.0.0.2")
    second = Fake().start(port=first.port, host="127.0.0.3")
    provider = {"base_url": f"http://127.0.0.2:{first.port}/v1",
                "replicas": {"dns": "pods.test", "every": "200ms"}}
    try:
        with running(tmp_path, settings(provider), env={"CARES_HOSTS": str(hosts)}) as gw:
            wait_until(lambda: set(members(gw)) == {place(first), place(second)}, "both addresses")
            assert set(many(gw)) == {200}
            hosts.write_text("127.0.0.3 pods.test\n")
            wait_until(lambda: set(members(gw)) == {place(second)}, "one address")
            hosts.write_text("")
            wait_until(lambda: gw.admin_call("GET", "/api/status").json()["replica_problems"], "the problem")
            assert set(members(gw)) == {place(second)}
            assert gw.chat("m").status_code == 200
            last = second.records()[-1]
            assert last.header("host") == f"pods.test:{first.port}"
    finally:
        first.stop()
        second.stop()


@pytest.mark.timeout(180)
def test_a_probe_flips_a_member(tmp_path, fakes):
    well = {place(fake): True for fake in fakes}

    def health(fake):
        async def handler(answer):
            assert answer.record.header("authorization") == "Bearer sk-probe"
            await answer.json(200 if well[place(fake)] else 503, {})
        return handler

    for fake in fakes:
        fake.on("GET /health", health(fake))
    provider = {"replicas": [fake.base_url for fake in fakes], "api_key": "${K}",
                "probe": {"path": "/health", "every": "100ms"}}
    with running(tmp_path, settings(provider), env={"K": "sk-probe"}) as gw:
        state = lambda: {name: member["well"] for name, member in members(gw).items()}
        wait_until(lambda: state() == well, "both well")
        gw.chat("m")
        well[place(fakes[0])] = False
        wait_until(lambda: state() == well, "one not well")
        wait_until(lambda: targets(gw)[place(fakes[0])]["state"] == "open", "it is left alone")
        before = chats(fakes[0])
        assert set(many(gw, 20)) == {200}
        assert chats(fakes[0]) == before
        assert targets(gw)[place(fakes[0])]["why"] == "probe_failed"
        assert gw.metrics().value("causeway_target_available", provider="gpu", target="gpu/echo") == 0.5
        well[place(fakes[0])] = True
        wait_until(lambda: state() == well, "both well again")
        # With one call after the other the one that has been quicker is asked, until the other has been silent for long.
        wait_until(lambda: set(many(gw, 24)) == {200} and chats(fakes[0]) > before, "it is asked again", timeout=60)
        log = gw.err_path.read_text()
        assert f"probe of gpu {place(fakes[0])}" in log and "not well" in log


def test_the_verb_shows_members(tmp_path, fakes):
    with running(tmp_path, settings({"replicas": [fake.base_url for fake in fakes]})) as gw:
        table = gw.cli("providers").stdout
        for fake in fakes:
            line, = [line for line in table.splitlines() if f" {place(fake)} " in line]
            assert line.split()[:3] == ["gpu", place(fake), "-"] and "unused" in line
        provider, = json.loads(gw.cli("providers", "--json").stdout)["providers"]
        assert [member["targets"] for member in provider["members"]] == [[], []]
        text = gw.admin_call("GET", "/metrics").text
        assert 'causeway_target_available{provider="gpu",target="gpu/echo"} 1' in text


@pytest.mark.parametrize("on", ["pipe", "terminal"])
def test_the_verb_watches(tmp_path, fakes, on):
    with running(tmp_path, settings({"replicas": [fake.base_url for fake in fakes]})) as gw:
        reader, writer = os.pipe() if on == "pipe" else pty.openpty()
        verb = subprocess.Popen([binary(), "providers", "--watch", "--data", str(gw.data)], stdout=writer,
                                env=clean_environment())
        os.close(writer)
        try:
            seen = b""
            while seen.count(b"PROVIDER") < 3:
                seen += os.read(reader, 65536)
        finally:
            verb.terminate()
            verb.wait(10)
            os.close(reader)
        assert (b"\x1b[H" in seen) == (on == "terminal")
        assert place(fakes[1]).encode() in seen


@pytest.mark.parametrize("provider, words", [
    ({"replicas": {"every": "1s"}}, "replicas needs one of urls, dns and file"),
    ({"replicas": ["ftp://h"]}, "replicas[0]: is not a usable URL"),
    ({"replicas": "http://h"}, "expected a list or a mapping"),
    ({"replicas": [f"h{i}:1" for i in range(257)]}, "at most 256 members"),
    ({"replicas": {"dns": "h:1"}}, "must be the name of a host"),
    ({"replicas": {"dns": "h"}, "proxy": "http://p:1"}, "cannot have a proxy"),
    ({"probe": {"path": "health"}}, "must be a path that begins with /"),
    ({"kind": "bedrock", "region": "eu-central-1", "api_key": "${K}", "probe": {}}, "cannot have a probe"),
])
def test_what_is_wrong_is_said(tmp_path, provider, words):
    gw = Gateway(tmp_path, settings(provider), start=False)
    done = run("check", str(gw.config_path), env={"K": "k"})
    assert done.returncode != 0 and words in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.parametrize("breaker", ["off", {}])
def test_a_provider_is_no_longer_unused_at_once(make_gateway, fakes, breaker):
    async def failing(answer):
        await answer.json(500, openai_error("not now"))

    fakes[0].on("bad", failing)
    config = settings({"base_url": fakes[0].base_url})
    config["models"]["bad"] = {"targets": ["gpu/bad"]}
    gateway = make_gateway({**config, "breaker": breaker})

    def state() -> str:
        return gateway.admin_call("GET", "/api/providers").json()["providers"][0]["state"]

    assert state() == "unused"
    gateway.chat("bad")
    assert state() == "failing"
    for _ in range(4):  # more than the tries of that one
        assert gateway.chat("m").status_code == 200
    assert state() == "ok"


def test_nor_is_one_whose_first_call_comes_late(make_gateway, fakes):
    gateway = make_gateway(settings({"base_url": fakes[0].base_url}))
    time.sleep(22)
    assert gateway.chat("m").status_code == 200
    assert gateway.admin_call("GET", "/api/providers").json()["providers"][0]["state"] == "ok"
