"""One loop of two does not run: it is seen while that lasts, and nothing that waits for it is given up."""

import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import time

import pytest

from gateway import wait_until

ATTACH, DETACH, WAIT_FOR_THREADS = 16, 17, 0x40000000  # <sys/ptrace.h>, <linux/wait.h>: __WALL
OTHER = "sk-other-0123456789abcdef"


@contextlib.contextmanager
def stopped(thread: int):
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    if libc.ptrace(ATTACH, thread, 0, 0) != 0:
        pytest.skip(f"threads cannot be stopped here: {os.strerror(ctypes.get_errno())}")
    os.waitpid(thread, WAIT_FOR_THREADS)
    try:
        yield
    finally:
        libc.ptrace(DETACH, thread, 0, 0)


def thread_of(process: int, name: str) -> int:
    tasks = pathlib.Path(f"/proc/{process}/task").iterdir()
    return next(int(task.name) for task in tasks if (task / "comm").read_text().strip() == name)


def status(gateway) -> dict:
    return gateway.admin_call("GET", "/api/status").json()


def lag(gateway) -> float:
    metrics = gateway.metrics()
    return (metrics.value("causeway_loop_late_seconds_total", loop="0")
            / metrics.value("causeway_loop_pulses_total", loop="0"))


def test_a_reload_whose_keys_wait_for_a_loop(config, make_gateway):
    settings = config()
    settings["server"] = {"threads": 2}
    gateway = make_gateway(settings, args=["--no-watch"])
    settings["keys"] = [{"name": "other", "secret": OTHER, "models": ["*"]}]
    gateway.write_config(settings)
    with stopped(thread_of(gateway.process.pid, "loop-0")):
        answer = gateway.admin_call("POST", "/api/reload", timeout=30)
        assert answer.status_code == 202 and "not taken it over" in answer.json()["keys_pending"], answer.text
        assert "not taken it over" in status(gateway)["keys_pending"] and not status(gateway)["config_problems"]
        assert gateway.metrics().value("causeway_config_keys_pending") == 1
        began = time.monotonic()
        assert gateway.admin_call("GET", "/api/keys").status_code == 200
        assert time.monotonic() - began < 5, "nobody waits for the loop meanwhile"
        assert lag(gateway) > 1, "it is late, and has not come yet"
    wait_until(lambda: not status(gateway)["keys_pending"], "they are everywhere", 30)
    for _ in range(8):  # connections come to both loops
        assert gateway.chat("echo", key=OTHER).status_code == 200
        assert gateway.chat("echo").status_code == 401
    assert gateway.metrics().value("causeway_config_keys_pending") == 0
    assert "keys of the configuration are in force" in gateway.stderr()


def test_an_older_reload_that_ends_later_does_not_wipe_the_refusal_of_a_newer_one(config, make_gateway):
    settings = config()
    settings["server"] = {"threads": 2}
    gateway = make_gateway(settings, args=["--no-watch"])
    with concurrent.futures.ThreadPoolExecutor(1) as pool, stopped(thread_of(gateway.process.pid, "loop-0")):
        older = pool.submit(gateway.admin_call, "POST", "/api/reload", timeout=30)
        wait_until(lambda: status(gateway)["config_version"] > 1, "the older one has read the file")
        gateway.config_path.write_text("keys: [")
        assert gateway.admin_call("POST", "/api/reload", timeout=30).status_code == 422
        assert older.result().status_code == 202
        assert "never closed" in status(gateway)["config_problems"]
    wait_until(lambda: not status(gateway)["keys_pending"], "its keys are everywhere", 30)
    assert "never closed" in status(gateway)["config_problems"]
    assert gateway.metrics().value("causeway_config_last_reload_successful") == 0
