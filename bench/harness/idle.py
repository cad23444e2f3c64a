"""The gateway doing nothing: its memory, its idle connections, its start."""

import resource
import socket
import statistics
import time

from . import configs, load, machine
from .process import Failed
from .report import Row

CONNECTIONS = 10_000
SPARE_DESCRIPTORS = 500  # for everything that is no idle connection


def memory(context):
    with context.rig(context.two_cores) as rig:
        mock = rig.mock()
        target = rig.causeway(f"http://127.0.0.1:{mock.port}", threads=0)
        time.sleep(2)
        mib = machine.rss_kib(target.pids()) / 1024
    return [Row("idle memory, no engine", "≤ 25 MiB", f"{mib:.1f} MiB", mib <= 25)]


def connections(context):
    """Memory of connections that made one request each and then wait."""
    wanted = 1_000 if context.quick else CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(wanted, hard - SPARE_DESCRIPTORS)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, count + SPARE_DESCRIPTORS)), hard))
    with context.rig(context.two_cores) as rig:
        mock = rig.mock()
        target = rig.causeway(f"http://127.0.0.1:{mock.port}")
        request = _request(configs.chat_body(2_000))
        _ask(target.port, request, 8).close()  # so that one-time allocations are not counted
        time.sleep(4)
        before = machine.rss_kib(target.pids())
        open_sockets = [_ask(target.port, request, 8) for _ in range(count)]
        time.sleep(6)  # buffers are given back by the sweep, after seconds of silence
        used = machine.rss_kib(target.pids()) - before
        gone = sum(_closed(connection) for connection in open_sockets)
        for connection in open_sockets:
            connection.close()
    if gone:
        raise Failed(f"{gone} of {count} idle connections were closed")
    kib = used / count
    return [Row(f"{count:,} idle keep-alive connections", "≤ 8 KiB each", f"{kib:.1f} KiB each", kib <= 8)]


def _request(body):
    return (f"POST {load.CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {configs.KEY}\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()


def _ask(port, request, timeout):
    """Makes one request on a new connection, reads its answer, returns the open socket."""
    connection = socket.create_connection(("127.0.0.1", port), timeout)
    connection.sendall(request)
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += _received(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    if b" 200 " not in head[:20]:
        raise Failed(f"not 200: {answer[:300]!r}")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _received(connection)
    return connection


def _received(connection):
    piece = connection.recv(65536)
    if not piece:
        raise Failed("the gateway closed a connection before its answer was complete")
    return piece


def _closed(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1) == b""
    except BlockingIOError:
        return False


def startup(context):
    """From exec to the ready file; a request right after it must be answered."""
    times = []
    for _ in range(3 if context.quick else 7):
        with context.rig(context.two_cores) as rig:
            mock = rig.mock()
            config = configs.causeway(rig.folder, f"http://127.0.0.1:{mock.port}", 0)
            began = time.monotonic()
            target, _ = rig.serve(config)
            times.append((time.monotonic() - began) * 1000)
            _ask(target.port, _request(configs.chat_body(2_000)), 5).close()
    median = statistics.median(times)
    return [Row("start to ready, no engine", "≤ 100 ms",
                f"{median:.0f} ms [{min(times):.0f}–{max(times):.0f}]", median <= 100)]
