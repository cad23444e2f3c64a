"""What an operator plans with: requests a core answers, memory of an open stream, disk of a million requests."""

import socket
import time

from . import configs, load, machine
from .process import Failed
from .report import Row

STREAMS = 1_000
CHUNKS, GAP_US = 60, 1_000_000  # streams that stay open for a minute


def sizing(context):
    with context.rig() as rig:
        mock = rig.mock()
        target = rig.causeway(f"http://127.0.0.1:{mock.port}")
        body = rig.folder / "body.json"
        body.write_text(configs.chat_body(2_000))
        home = next(rig.folder.glob("causeway-*"))
        load.requests(target, body, context.one_core, 64, 1)  # what is allocated once
        before, used = _disk(home), []
        answered = 0
        for _ in range(3):
            measured = load.requests(target, body, context.one_core, 64, context.seconds * 2)
            used.append(measured.cpu_us)
            answered += measured.per_second * context.seconds * 2
        time.sleep(2)  # the ledger folds once a second
        log, data = (after - first for after, first in zip(_disk(home), before))
    rows = [Row("2 KB chats a second that a core answers", "",
                f"{1e6 / sorted(used)[1]:,.0f} ({sorted(used)[1]:.1f} µs of CPU each)", None)]
    rows.append(Row("disk of a million requests", "",
                    f"access log {log / answered * 1e6 / 2**20:,.0f} MiB before rotation, "
                    f"data folder {data / answered * 1e6 / 2**20:,.0f} MiB", None))
    return [*rows, _streams(context)]


def _disk(home):
    """Bytes of the access log, and of the data folder."""
    log = sum(file.stat().st_size for file in home.glob("access.log*"))
    data = sum(file.stat().st_blocks * 512 for file in (home / "data").rglob("*") if file.is_file())
    return log, data


def _streams(context):
    count = 100 if context.quick else STREAMS
    with context.rig(context.two_cores) as rig:
        mock = rig.mock(chunks=CHUNKS, gap_us=GAP_US)
        target = rig.causeway(f"http://127.0.0.1:{mock.port}")
        body = configs.chat_body(2_000, stream=True)
        request = (f"POST {load.CHAT} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                   f"Authorization: Bearer {configs.KEY}\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode()
        first = _begun(_asked(target.port, request))  # what is allocated once
        before = machine.rss_kib(target.pids())
        streams = [_begun(stream) for stream in [_asked(target.port, request) for _ in range(count)]]
        used = machine.rss_kib(target.pids()) - before
        for stream in [first, *streams]:
            stream.close()
    return Row(f"{count:,} open streams", "", f"{used / count:.1f} KiB each", None)


def _asked(port, request):
    stream = socket.create_connection(("127.0.0.1", port), 20)
    stream.sendall(request)
    return stream


def _begun(stream):
    head = stream.recv(4096)
    if b" 200 " not in head[:20]:
        raise Failed(f"not 200: {head[:200]!r}")
    return stream
