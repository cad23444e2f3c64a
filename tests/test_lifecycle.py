"""Start, readiness, drain, end; exit codes; the lock on the data folder."""

import concurrent.futures
import json
import os
import resource
import signal
import socket
import stat
import threading
import time

import httpx

from fake_provider import by_path, chat_chunks
from gateway import assert_error, chat_body, plain_http, run, wait_until
from wire import Closed, Raw


def test_ready_soon(config, make_gateway):
    gw = make_gateway(config(), start=False)
    start = time.monotonic()
    gw.start()
    assert time.monotonic() - start < 10  # 100 ms on a free machine; scripts/bench measures that
    assert gw.chat("echo").status_code == 200


def test_ready_file_and_its_addresses(gw):
    ready = json.loads(gw.ready_path.read_text())
    assert set(ready) >= {"listen", "admin", "pid"}
    for address in (ready["listen"], ready["admin"]):
        host, port = address.split(":")
        assert host == "127.0.0.1" and 0 < int(port) < 65536
    assert ready["listen"] != ready["admin"]


def test_ready_file_is_never_half_written(config, make_gateway):
    gw = make_gateway(config(), start=False)
    gw.launch()
    text = ""
    end = time.monotonic() + 20
    while not text and time.monotonic() < end:
        if gw.ready_path.exists():
            text = gw.ready_path.read_text()
            break
    ready = json.loads(text)
    gw.listen, gw.admin = ready["listen"], ready["admin"]
    assert gw.chat("echo").status_code == 200


def test_health(gw):
    for port, path in ((gw.admin, "/livez"), (gw.admin, "/readyz"), (gw.listen, "/healthz")):
        answer = plain_http("GET", f"http://{port}{path}")  # no key: probes have none
        assert answer.status_code == 200, path


def test_health_where_policies_ask_who_calls(config, make_gateway):
    policies = [{"name": "some", "match": {"tenants": ["a*"], "keys": ["x"], "roles": ["r"]}, "timeouts": {"total": "5s"}},
                {"name": "all", "timeouts": {"total": "9s"}}]
    gw = make_gateway({**config(), "policies": policies})
    assert gw.get("/healthz", key=None).status_code == 200
    assert gw.chat("echo").status_code == 200


def test_health_tells_nothing_inner(gw):
    for port, path in ((gw.admin, "/livez"), (gw.admin, "/readyz"), (gw.listen, "/healthz")):
        text = plain_http("GET", f"http://{port}{path}").text
        assert str(gw.data) not in text and "fake" not in text


def test_only_loopback(gw):
    """It listens nowhere but where the config says."""
    wanted = {int(a.split(":")[1]) for a in (gw.listen, gw.admin)}
    inodes = set()
    for fd in os.listdir(f"/proc/{gw.process.pid}/fd"):
        try:
            target = os.readlink(f"/proc/{gw.process.pid}/fd/{fd}")
        except OSError:
            continue
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    listening = set()
    for table in ("tcp", "tcp6"):
        for line in open(f"/proc/{gw.process.pid}/net/{table}").readlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                address, port = fields[1].split(":")
                assert address == "0100007F", f"listens on {address}"
                listening.add(int(port, 16))
    assert listening == wanted


def held(fake) -> threading.Event:
    """The model `fake/held` begins a stream, or no whole answer yet, and goes on when the event is set."""
    let_go = threading.Event()

    async def handler(answer):
        events = chat_chunks(answer.request)
        if answer.request.get("stream"):
            await answer.stream_head()
            for event in events[:2]:  # the role, a word
                await answer.event(event)
        while not let_go.is_set():
            await answer.sleep(0.02)
        if not answer.request.get("stream"):
            return await by_path(answer)
        for event in [*events[2:], "[DONE]"]:
            await answer.event(event)
        await answer.last_chunk()

    fake.on("held", handler)
    return let_go


def refuses(gw) -> bool:
    """Takes nothing new: it has seen the signal."""
    try:
        with Raw(gw.listen, 10) as late:
            late.send(gw.request_bytes(chat_body("echo")))
            late.read_until(b"200 OK")
            return False
    except (ConnectionRefusedError, ConnectionResetError, BrokenPipeError, Closed):
        return True


def test_sigterm_drains(config, make_gateway, fake):
    """A running stream ends well, new connections are refused, then the exit code is 0."""
    gw, let_go = make_gateway(config()), held(fake)
    raw = gw.raw(timeout=20)
    raw.send(gw.request_bytes(chat_body("fake/held", "a b c", stream=True)))
    raw.read_until(b'"content": "')
    gw.signal(signal.SIGTERM)
    wait_until(lambda: refuses(gw), "new connections are refused")
    assert httpx_status(gw, "/readyz") in (503, None), "no new traffic, please"
    let_go.set()
    raw.read_until(b"[DONE]")
    assert gw.wait(20) == 0


def httpx_status(gw, path):
    try:
        return plain_http("GET", f"http://{gw.admin}{path}", timeout=2).status_code
    except httpx.TransportError:
        return None


def test_drain_ends_keep_alive(config, make_gateway, fake, mark):
    """An idle connection does not hold the end up; a busy one is told to close."""
    gw, let_go = make_gateway(config()), held(fake)
    idle, busy = gw.raw(), gw.raw(timeout=10)
    idle.send(gw.request_bytes(chat_body("echo")))
    idle.answer()
    busy.send(gw.request_bytes(chat_body("fake/held", mark)))
    fake.one(mark)
    gw.signal(signal.SIGTERM)
    assert idle.closed_within(10)
    let_go.set()
    answer = busy.answer()
    assert answer.status == 200 and answer.header("connection") == "close"
    assert busy.closed_within(10)
    assert gw.wait(20) == 0  # the deadline of the drain is later


def test_drain_has_a_deadline(config, make_gateway, fake, mark):
    settings = config()
    settings["server"] = {"drain": "1s"}
    gw = make_gateway(settings)
    raw = gw.raw(timeout=10)
    raw.send(gw.request_bytes(chat_body("fake/endless", mark, stream=True)))
    raw.read_until(b'"word "')
    start = time.monotonic()
    gw.signal(signal.SIGTERM)
    rest = raw.read_all()
    assert b"[DONE]" not in rest
    assert b"shutting_down" in rest.replace(b"[DONE]", b""), "the caller is told why"
    assert gw.wait(10) == 0
    assert 0.8 < time.monotonic() - start < 10  # it would go on for ever
    assert fake.one(mark).peer_closed.wait(10)
    line = gw.access_log()[-1]
    assert line["status"] == 200 and line["error_code"] == "shutting_down", "not as if the caller had left"


def test_who_waits_when_the_drain_ends_is_told(config, make_gateway, fake, mark):
    settings = config()
    settings["server"] = {"drain": "500ms"}
    gw = make_gateway(settings)
    raw = gw.raw(timeout=10)
    raw.send(gw.request_bytes(chat_body("fake/never", mark)))
    fake.one(mark)
    gw.signal(signal.SIGTERM)
    answer = raw.answer()
    assert_error(answer, 503, "shutting_down")
    assert gw.wait(10) == 0
    line = gw.access_log()[-1]
    assert line["status"] == 503 and line["error_code"] == "shutting_down"


def test_second_signal_ends_at_once(config, make_gateway, mark):
    gw = make_gateway(config())
    raw = gw.raw()
    raw.send(gw.request_bytes(chat_body("fake/endless", mark, stream=True)))
    raw.read_until(b'"word "')
    start = time.monotonic()
    gw.signal(signal.SIGTERM)
    wait_until(lambda: refuses(gw), "it has seen the first one")  # two of them too soon would be one
    assert gw.process.poll() is None, "it was to drain"
    gw.signal(signal.SIGTERM)
    code = gw.wait(15)
    assert time.monotonic() - start < 15  # a drain has 30 s
    assert code in (1, 130, 143), code
    # What says where to find a running gateway would send the verbs to nobody.
    assert not (gw.data / "running.json").exists()
    assert not gw.ready_path.exists()


def test_sigint_is_as_sigterm(config, make_gateway):
    gw = make_gateway(config())
    gw.signal(signal.SIGINT)
    assert gw.wait(20) == 0


def test_lock_on_the_data_folder(config, make_gateway):
    """Two programs never share a data folder; the second says who has it."""
    first = make_gateway(config())
    settings = config()
    settings["server"] = {"data": str(first.data)}
    second = make_gateway(settings, start=False)
    second.launch()
    assert second.wait(10) == 1
    assert str(first.data) in second.stderr()
    second.process = None
    assert first.chat("echo").status_code == 200
    first.kill()
    first.start()  # a lock that its holder left by dying holds nobody up
    assert first.chat("echo").status_code == 200


def test_two_programs_do_not_share_a_port(config, make_gateway):
    """Loops share one, so the kernel would let another program in, and each would get some requests."""
    first = make_gateway(config())
    settings = config()
    settings["server"] = {"listen": first.listen}
    second = make_gateway(settings, start=False)
    second.launch()
    assert second.wait(10) == 1
    assert first.listen in second.stderr()
    second.process = None
    assert first.chat("echo").status_code == 200


def test_data_folder_is_private(gw):
    for path in [gw.data, *gw.data.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode & 0o077 == 0, f"{path} {mode:o}"


def test_address_in_use(config, make_gateway):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        settings = config()
        settings["server"] = {"listen": address}
        gw = make_gateway(settings, start=False)
        gw.launch()
        assert gw.wait(10) == 1
        assert address in gw.stderr()
        gw.process = None


def test_exit_codes(tmp_path):
    assert run("--help").returncode == 0
    assert run("--version").returncode == 0
    assert run("serve", "--no-such-flag").returncode == 2
    assert run("no-such-verb").returncode == 2
    assert run().returncode in (0, 2)
    assert run("serve", "--config", str(tmp_path / "none.yaml")).returncode == 1


def test_kill_and_start_again(config, make_gateway):
    """Five kills at any moment: it always starts, and what was there is there."""
    gw = make_gateway(config())
    made = [gw.make_key()["key"]]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        for i in range(5):
            running = pool.submit(quietly, lambda: [gw.chat("echo") for _ in range(50)])
            made.append(gw.make_key()["key"])
            time.sleep(0.03 * i)
            gw.kill()
            running.result()
            gw.start()
    for key in made:
        assert gw.chat("echo", key=key).status_code == 200


def quietly(work):
    try:
        work()
    except httpx.TransportError:
        pass


def test_out_of_files(config, make_gateway):
    """At the limit of open files it still lives, and serves again when there are some."""
    gw = make_gateway(config())
    resource.prlimit(gw.process.pid, resource.RLIMIT_NOFILE, (64, 64))
    held = []
    for _ in range(100):
        try:
            held.append(Raw(gw.listen, 1))
        except OSError:
            break
    time.sleep(0.3)
    for raw in held:
        raw.close()
    wait_until(lambda: chat_or_none(gw) == 200, "it serves again", timeout=10)


def chat_or_none(gw):
    try:
        return gw.chat("echo", timeout=2).status_code
    except httpx.TransportError:
        return None


def test_idle_uses_no_processor_time(config, make_gateway):
    gw = make_gateway(config())
    gw.chat("echo")
    time.sleep(0.5)

    def ticks():
        fields = open(f"/proc/{gw.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    before = ticks()
    time.sleep(2)
    assert ticks() - before <= 10  # of 200
