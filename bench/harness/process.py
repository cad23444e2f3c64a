"""Processes that the benchmark starts: pinned to cores, with their output in a file, ended by their id."""

import os
import signal
import socket
import subprocess
import time

from . import machine


class Failed(Exception):
    """A case cannot be measured; the text says why."""


class Daemon:
    """A server under test or beside it. Ends with its own stop(), or with the rig."""

    def __init__(self, name, command, cores, log, env=None):
        self.name, self.log = name, log
        self._out = open(log, "wb")
        self._process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=self._out,
            stderr=subprocess.STDOUT,
            env=env,
            preexec_fn=lambda: os.sched_setaffinity(0, cores),
        )
        self.pid = self._process.pid

    def pids(self):
        return machine.tree(self.pid)

    def running(self):
        return self._process.poll() is None

    def wait_for_port(self, port, seconds=10):
        self.wait_until(lambda: _accepts(port), seconds, f"to listen on port {port}")

    def wait_until(self, ready, seconds, what, interval=0.01):
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running():
                raise Failed(f"{self.name} ended with code {self._process.returncode}: {self.tail()}")
            if time.monotonic() > deadline:
                raise Failed(f"{self.name} took longer than {seconds} s {what}: {self.tail()}")
            time.sleep(interval)

    def tail(self):
        self._out.flush()
        return self.log.read_text(errors="replace")[-600:].strip() or "(no output)"

    def stop(self):
        if self.running():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._process.wait()
        self._out.close()


def _accepts(port):
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run(command, cores=None, env=None, timeout=120):
    """Runs a program to its end and returns what it printed; Failed when it fails or takes too long."""
    pin = (lambda: os.sched_setaffinity(0, cores)) if cores else None
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, env=env,
                              timeout=timeout, preexec_fn=pin, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{command[0]} took longer than {timeout} s") from late
    if done.returncode != 0:
        raise Failed(f"{command[0]} failed: {(done.stderr or done.stdout)[-600:].strip()}")
    return done.stdout
