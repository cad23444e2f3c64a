"""A real redis-server for a test, and a slow road to it."""

import os
import select
import signal
import socket
import subprocess
import threading
import time

from gateway import wait_until


def read_reply(lines):
    line = lines.readline()
    kind, text = line[:1], line[1:-2]
    if kind == b"-":
        raise RuntimeError(text.decode())
    if kind == b"+":
        return text
    number = int(text)
    if kind == b":":
        return number
    if number < 0:
        return None
    if kind == b"*":
        return [read_reply(lines) for _ in range(number)]
    return lines.read(number + 2)[:-2]


class Redis:
    """On a Unix socket, with nothing on the disk."""

    def __init__(self, folder):
        self.path = folder / "redis.sock"
        self.folder = folder
        self.process = None
        self.start()

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def start(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(self.path), "--save", "", "--appendonly", "no",
             "--dir", str(self.folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self.accepts, "redis-server")

    def accepts(self):
        with socket.socket(socket.AF_UNIX) as probe:
            return probe.connect_ex(str(self.path)) == 0

    def command(self, *words: str) -> bytes:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(str(self.path))
            link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w.encode()) for w in words))
            return link.recv(65536)

    def call(self, *words):
        """The reply as values: int, bytes, None, list; an error is a RuntimeError."""
        words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(5)
            link.connect(str(self.path))
            link.sendall(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
            with link.makefile("rb") as lines:
                return read_reply(lines)

    def pause(self):
        os.kill(self.process.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None


class SlowRoad:
    """Passes bytes to a Redis, each way `delay` seconds late."""

    def __init__(self, redis: Redis, folder, delay: float):
        self.redis, self.delay, self.path = redis, delay, folder / "slow.sock"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        self.ended = False
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"unix://{self.path}"

    def accept(self):
        while not self.ended:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            far = socket.socket(socket.AF_UNIX)
            far.connect(str(self.redis.path))
            threading.Thread(target=self.carry, args=(near, far), daemon=True).start()

    def carry(self, near, far):
        late = []  # (when, to whom, bytes), in order
        with near, far:
            while not self.ended:
                wait = max(0.0, late[0][0] - time.monotonic()) if late else 0.2
                ready, _, _ = select.select([near, far], [], [], wait)
                for one in ready:
                    try:
                        data = one.recv(65536)
                    except OSError:
                        return
                    if not data:
                        return
                    late.append((time.monotonic() + self.delay, far if one is near else near, data))
                try:
                    while late and late[0][0] <= time.monotonic():
                        _, to, data = late.pop(0)
                        to.sendall(data)
                except OSError:
                    return

    def close(self):
        self.ended = True
        self.listener.close()
