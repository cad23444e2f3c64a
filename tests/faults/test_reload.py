"""The configuration file cut anywhere, and reloaded over and over while requests run."""

import os
import threading
import time

import pytest

from faults.rig import FULL, Callers, load_tool, sanitized
from gateway import ADMIN_KEY, chat_body, wait_until
from wire import Raw

RELOADS = 1000


def test_file_cut_in_half_at_start(config, make_gateway):
    """Refused with the place in the file; nothing is served with half a configuration."""
    gw = make_gateway(config(), start=False)
    whole = gw.config_path.read_text()
    for cut in (len(whole) // 4, len(whole) // 2, len(whole) * 3 // 4, len(whole) - 2):
        gw.config_path.write_text(whole[:cut])
        gw.launch()
        assert gw.wait(20) == 1
        assert "causeway.yaml:" in gw.stderr()
        assert not gw.ready_path.exists()
    gw.process = None


def test_file_cut_anywhere_while_it_runs(config, make_gateway):
    """Each cut is refused with its place, and what serves stays as it was."""
    settings = config()
    settings["models"]["last"] = {"targets": ["fake/echo"]}
    gw = make_gateway(settings, args=["--no-watch"])
    whole = gw.config_path.read_text()
    for cut in range(1, len(whole) - 2, max(1, len(whole) // 60)):
        gw.config_path.write_text(whole[:cut])
        answer = gw.admin_call("POST", "/api/reload")
        assert answer.status_code in (400, 422), (cut, answer.text)
        assert gw.chat("last").status_code == 200


def test_the_watch_never_takes_half_a_file(config, make_gateway):
    """An editor that writes in place, slowly: the file watch may see every half of it."""
    settings = config()
    gw = make_gateway(settings)
    settings["models"]["new"] = {"targets": ["fake/echo"]}
    other = make_gateway(settings, start=False)
    text = other.config_path.read_text().replace(str(other.data), str(gw.data))
    other.process = None
    with Callers(gw, "watch", count=2) as callers:
        with open(gw.config_path, "w") as file:
            for at in range(0, len(text), len(text) // 20):
                file.write(text[at:at + len(text) // 20])
                file.flush()
                time.sleep(0.1)
        wait_until(lambda: gw.chat("new").status_code == 200, "the new file", timeout=5)
    assert not callers.odd and len(callers.confirmed) > 50


@pytest.fixture
def mock():
    """bench's mock provider, a process of its own: this one is busy enough."""
    with load_tool("mock_upstream") as port:
        yield port


MOCK_TOKENS = 412  # of each request, as the mock provider tells


@pytest.mark.timeout(600)
def test_a_thousand_reloads_under_load(config, make_gateway, mock):
    """No request fails, none sees half of a configuration: model, target and policy of each answer are of one
    version. Every tenth file is a broken one, which changes nothing."""
    reloads = RELOADS if FULL or not sanitized() else 200

    def version(number: int) -> dict:
        """The model's target, its policy and the prices all say which version this is."""
        settings = config()
        settings["providers"]["mock"] = {"kind": "openai", "base_url": f"http://127.0.0.1:{mock}/v1"}
        settings["models"]["mixed"] = {"targets": [f"mock/v{number}"]}
        settings["policies"] = [{"name": f"p{number}", "match": {"models": ["mixed"]}, "timeouts": {"total": "20s"}},
                                {"name": "rest", "heartbeat": "15s"}]
        settings["prices"] = {"models": {f"mock/v{number}": {"input": str(number + 1), "output": "0"}}}
        return settings

    gw = make_gateway(version(0), args=["--no-watch"])
    files = []
    for number in range(20):
        gw.write_config(version(number))
        files.append(gw.config_path.read_text())
    gw.config_path.write_text(files[0])
    assert gw.admin_call("POST", "/api/reload").status_code == 200
    stopped, odd, answers = threading.Event(), [], []

    def load():
        with gw.raw(timeout=30) as raw:
            while not stopped.is_set():
                raw.send(gw.request_bytes(chat_body("mixed", "a b c")))
                answer = raw.answer()
                target = answer.header("x-causeway-model")
                cost = answer.header("x-causeway-cost")
                if answer.status != 200 or round(float(cost) * 1e6) != MOCK_TOKENS * (int(target[1:]) + 1):
                    odd.append((answer.status, target, cost, answer.body[:200]))
                answers.append((answer.header("x-request-id"), target))

    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    before = None
    with Raw(gw.admin, 30) as admin:
        ask = gw.request_bytes(b"", path="/api/reload", key=ADMIN_KEY)
        for number in range(reloads):
            broken = number % 10 == 9
            text = files[number % len(files)]
            wait_until(lambda: len(answers) >= number, "an answer for each reload", every=0.001)
            gw.config_path.write_text(text[:len(text) // 2] if broken else text)
            admin.send(ask)
            status = admin.answer().status
            assert status in ((400, 422) if broken else (200,)), (number, status)
            if number == reloads // 5:
                before = (gw.rss(), len(os.listdir(f"/proc/{gw.process.pid}/fd")))
    stopped.set()
    for thread in threads:
        thread.join(30)
    assert not odd, odd[:3]
    assert len(answers) >= reloads and len({target for _, target in answers}) >= 10
    log = {line["request_id"]: line for line in gw.access_log()}
    for request, target in answers:
        line = log.get(request) or gw.log_of(request)
        assert line["target"] == f"mock/{target}" and line["policy"] == f"p{target[1:]}+rest", line
    after = (gw.rss(), len(os.listdir(f"/proc/{gw.process.pid}/fd")))
    assert after[1] <= before[1] + 8, "descriptors grow with each reload"
    if not sanitized():
        assert after[0] < before[0] + (24 << 20), f"memory grows with each reload: {before[0]} to {after[0]}"
    print(f"{reloads} reloads, {len(answers)} answers, none mixed; memory {before[0] >> 20} -> {after[0] >> 20} MiB")


def test_two_programs_on_one_data_folder(config, make_gateway):
    """Twenty at once: one serves, the others say who has it and end; nothing of the first is touched."""
    first = make_gateway(config())
    key = first.make_key()["key"]
    others = []
    for _ in range(20):
        settings = config()
        settings["server"] = {"data": str(first.data)}
        other = make_gateway(settings, start=False)
        other.launch()
        others.append(other)
    with Callers(first, "twice") as callers:
        for other in others:
            assert other.wait(30) == 1
            assert str(first.data) in other.stderr()
            other.process = None
    assert not callers.odd and callers.confirmed
    assert first.chat("echo", key=key).status_code == 200
    assert first.cli("status", "--json").returncode == 0, "running.json is still the first one's"
