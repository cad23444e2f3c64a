"""No file descriptors, no memory: what cannot be served is refused or left waiting, what runs goes on, and it
recovers by itself."""

import contextlib
import os
import resource
import signal
import subprocess
import time

import pytest

from faults.rig import Callers, assert_store_is_clean, needs_root, sanitized, totals
from gateway import KEY, assert_error, chat_body, wait_until
from wire import Closed, Raw


def descriptors(gw) -> int:
    return len(os.listdir(f"/proc/{gw.process.pid}/fd"))


def test_descriptors_exhausted_under_load(config, make_gateway, fake):
    """Streams that run go on to their end; a call for which no connection to the provider can be opened is an error
    that says so; with descriptors again everything is served, and nothing was confirmed that is not counted."""
    gw = make_gateway(config())
    with Callers(gw, "before", count=2) as before:
        wait_until(lambda: len(before.confirmed) >= 20)
    stream = gw.raw(timeout=30)
    stream.send(gw.request_bytes(chat_body("fake/slow-stream", "a b c d e f g h i j k l m n", stream=True)))
    stream.head()
    callers = [Raw(gw.listen, 5) for _ in range(8)]
    for raw in callers:  # each of them is known to the gateway
        raw.send(gw.request_bytes(b"", method="GET", path="/v1/models"))
        raw.answer("GET")
    limit = descriptors(gw)
    resource.prlimit(gw.process.pid, resource.RLIMIT_NOFILE, (limit, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = []
    for _ in range(60):
        with contextlib.suppress(OSError):
            held.append(Raw(gw.listen, 1))
    codes = []
    for raw in callers:  # more at once than there are connections to the provider
        raw.send(gw.request_bytes(chat_body("fake/slow-first-byte")))
    for raw in callers:
        raw.socket.settimeout(20)
        try:
            codes.append(raw.answer().status)
        except Closed:
            codes.append(0)
    assert set(codes) <= {200, 502, 503}, codes
    assert stream.read_until(b"\r\n0\r\n\r\n").count(b"[DONE]") == 1
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.prlimit(gw.process.pid, resource.RLIMIT_NOFILE, soft)
    for raw in [*held, *callers, stream]:
        raw.close()
    with Callers(gw, "after", count=2) as after:
        wait_until(lambda: len(after.confirmed) >= 20, timeout=15)
    assert not before.odd and not after.odd
    assert {f"fake/{m}" for m in before.confirmed + after.confirmed} <= set(totals(gw))
    assert_store_is_clean(gw)


def test_no_descriptor_at_all_does_not_spin(config, make_gateway):
    """Callers wait in the kernel's queue; accept() that fails is not tried without end."""
    gw = make_gateway(config())
    gw.chat("echo")
    resource.prlimit(gw.process.pid, resource.RLIMIT_NOFILE,
                     (descriptors(gw), resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    held = [Raw(gw.listen, 1) for _ in range(5)]
    time.sleep(0.3)

    def ticks():
        fields = open(f"/proc/{gw.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    wait_until(lambda: "no file descriptors left" in gw.stderr(), "the log says why nobody is served")
    before = ticks()
    time.sleep(2)
    assert ticks() - before < 60, "of 200: it does nothing but try"
    resource.prlimit(gw.process.pid, resource.RLIMIT_NOFILE, resource.getrlimit(resource.RLIMIT_NOFILE))
    for raw in held:
        raw.send(gw.request_bytes(chat_body("echo")))
        raw.socket.settimeout(5)
        assert raw.answer().status == 200, "who waited is served"
        raw.close()


def test_callers_never_take_the_descriptors_of_a_probe(config, make_gateway):
    """However many connections are held open, the limit of open files leaves room for the admin port, and for calls
    to providers; who connects anew takes the place of who is idle."""
    gw = make_gateway(config(), open_files=400)
    assert "fewer connections than server.limits.connections" in gw.stderr()
    held = [Raw(gw.listen, 2) for _ in range(500)]
    assert gw.admin_call("GET", "/livez", key=None).status_code == 200
    assert gw.chat("echo").status_code == 200
    assert gw.admin_call("GET", "/api/status").status_code == 200
    assert descriptors(gw) < 400 and "no file descriptors left" not in gw.stderr()
    for raw in held:
        raw.close()


def test_a_crash_leaves_no_core_file(config, make_gateway, tmp_path):
    """Memory holds keys and people's words. The kernel tells a parent whether it has written or piped a core."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]

    def crash(pid: int) -> bool:
        os.kill(pid, signal.SIGABRT)
        status = os.waitpid(pid, 0)[1]
        assert os.WTERMSIG(status) == signal.SIGABRT
        return os.WCOREDUMP(status)

    before = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    try:
        other = subprocess.Popen(["sleep", "60"], cwd=tmp_path)
        gw = make_gateway(config())
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    usual = crash(other.pid)
    other.returncode = -signal.SIGABRT
    assert gw.chat("echo").status_code == 200
    dumped = crash(gw.process.pid)
    gw.process.returncode = gw.exit_code = -signal.SIGABRT
    assert not dumped
    assert not list(gw.folder.rglob("core*"))
    if not usual:
        pytest.skip("no program leaves a core file on this machine")


def test_bodies_beyond_the_budget(config, make_gateway):
    """server.limits.buffered: refused with 503, memory stays within, and everybody else is served."""
    settings = config()
    settings["server"] = {"limits": {"buffered": "16MiB", "body": "8MiB"}, "threads": 1}
    gw = make_gateway(settings)
    gw.chat("echo")
    before = gw.rss()
    body = b'{"model":"echo","messages":[{"role":"user","content":"' + b"x" * (7 << 20)
    open_ones, refused = [], 0
    for _ in range(12):
        raw = gw.raw(timeout=10)
        raw.send(gw.request_bytes(b"", headers={"Content-Length": str(8 << 20)}))
        with contextlib.suppress(OSError):
            raw.send(body)
        open_ones.append(raw)
    time.sleep(0.5)
    assert gw.rss() - before < (64 << 20 if not sanitized() else 256 << 20)
    for raw in open_ones:
        raw.socket.settimeout(0.3)
        try:
            refused += raw.answer().status == 503
        except (Closed, OSError):
            pass
    assert refused >= 9
    assert gw.chat("echo").status_code == 200
    for raw in open_ones:
        raw.close()
    assert wait_until(lambda: gw.chat("echo", "x" * (7 << 20)).status_code == 200, "room again", timeout=5)


@pytest.mark.skipif(sanitized(), reason="a sanitizer needs its address space")
def test_memory_limit_reached(config, make_gateway, fake):
    """The limit of the process itself (ulimit -v): a request too large for it is refused or ends the process; if it
    ends, a new one opens the folder clean and everything confirmed is there."""
    settings = config()
    settings["server"] = {"limits": {"body": "1GiB", "buffered": "2GiB"}, "timeouts": {"body": "5s"}}
    gw = make_gateway(settings)
    with Callers(gw, "before", count=2) as before:
        wait_until(lambda: len(before.confirmed) >= 20)
    virtual = int(open(f"/proc/{gw.process.pid}/statm").read().split()[0]) * 4096
    resource.prlimit(gw.process.pid, resource.RLIMIT_AS, (virtual + (24 << 20), resource.RLIM_INFINITY))
    size = 400 << 20
    with gw.raw(timeout=20) as raw:
        raw.send(gw.request_bytes(b"", headers={"Content-Length": str(size)}))
        status = 0
        with contextlib.suppress(OSError, Closed):
            for _ in range(size >> 20):
                raw.send(b"x" * (1 << 20))
        with contextlib.suppress(OSError, Closed):
            status = raw.answer().status
    ended = gw.process.poll()
    print(f"a body of 400 MB with 24 MB left: status {status}, process {'ended ' + str(ended) if ended else 'lives'}")
    if ended is None:
        resource.prlimit(gw.process.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        assert gw.chat("echo").status_code == 200
    else:
        gw.wait()
        gw.start()
    assert {f"fake/{m}" for m in before.confirmed} <= set(totals(gw))
    assert_store_is_clean(gw)
    assert ended is None, "the process ended for one request"


@needs_root
@pytest.mark.skipif(sanitized(), reason="a sanitizer needs memory")
def test_killed_by_the_kernel_for_memory(config, make_gateway):
    """A control group's limit: the kernel kills the process as kill -9 does; nothing confirmed is lost."""
    group = None
    for root in ("/sys/fs/cgroup/memory", "/sys/fs/cgroup"):
        with contextlib.suppress(OSError):
            path = f"{root}/causeway-faults-{os.getpid()}"
            os.mkdir(path)
            if not any(os.path.exists(f"{path}/{n}") for n in ("memory.max", "memory.limit_in_bytes")):
                os.rmdir(path)
                continue
            group = path
            break
    if group is None:
        pytest.skip("no control group of memory can be made here")
    settings = config()
    settings["server"] = {"limits": {"body": "1GiB", "buffered": "2GiB"}}
    gw = make_gateway(settings)
    try:
        with Callers(gw, "before", count=2) as before:
            wait_until(lambda: len(before.confirmed) >= 20)
        name = "memory.max" if os.path.exists(f"{group}/memory.max") else "memory.limit_in_bytes"
        open(f"{group}/cgroup.procs", "w").write(str(gw.process.pid))
        open(f"{group}/{name}", "w").write(str(64 << 20))
        with gw.raw(timeout=20) as raw, contextlib.suppress(OSError, Closed):
            raw.send(gw.request_bytes(b"", headers={"Content-Length": str(900 << 20)}))
            for _ in range(900):
                raw.send(b"x" * (1 << 20))
        assert gw.wait(20) == -9
        gw.start()
        assert {f"fake/{m}" for m in before.confirmed} <= set(totals(gw))
        assert_store_is_clean(gw)
    finally:
        gw.end_anyhow() if gw.exit_code is None and gw.process.poll() is not None else None
        with contextlib.suppress(OSError):
            os.rmdir(group)
