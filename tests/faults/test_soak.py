"""A long time of everything: memory and descriptors stay flat, p99 stays even, and the ledger adds up.

100,000 requests; with CAUSEWAY_FAULTS=full (scripts/test --full) 1,000,000."""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

import pytest

from conftest import running
from faults.rig import EMBEDDED, ENGINE, FULL, fake_process, load_tool, totals
from gateway import KEY, wait_until

pytestmark = pytest.mark.timeout(3600)

REQUESTS = int(os.environ.get("CAUSEWAY_SOAK") or (1_000_000 if FULL else 100_000))
WINDOWS = 10
MEMORY = 5 << 20  # how much more it may have at the end than in the middle
IDLE = 64  # connections to providers that are kept for the next request
P99_FACTOR, P99_FLOOR = 2.0, 0.020


@pytest.fixture
def rig(config, session_folder):
    with load_tool("mock_upstream", "--chunks", "6") as port, fake_process() as url:
        settings = config()
        settings["providers"] = {"mock": {"kind": "openai", "base_url": f"http://127.0.0.1:{port}/v1"},
                                 "fake": {"kind": "openai", "base_url": url}}
        if ENGINE.exists():
            settings["providers"]["local"] = EMBEDDED
        settings["models"] = {"any": {"targets": ["mock/gpt-4o-mini"]}}
        settings["log"] = {"access": str(session_folder / "soak.log"), "access_size": "20MB", "access_files": 1}
        with running(session_folder / "soak", settings) as gateway:
            yield gateway


def memory(gw) -> int:
    """Without files: the journal's pages are the kernel's cache."""
    text = pathlib.Path(f"/proc/{gw.process.pid}/status").read_text()
    return int(re.search(r"RssAnon:\s+(\d+) kB", text).group(1)) * 1024


def descriptors(gw) -> int:
    return len(os.listdir(f"/proc/{gw.process.pid}/fd"))


def test_soak(rig):
    engine = ["engine"] if ENGINE.exists() else []
    if engine:
        assert rig.chat("local/default", "hi", max_tokens=2, timeout=60).status_code == 200
    rig.chat("mock/gpt-4o-mini")
    before = descriptors(rig)
    program = pathlib.Path(__file__).parent / "soak_load.py"
    load = subprocess.Popen([sys.executable, str(program), rig.listen, KEY, str(REQUESTS), str(WINDOWS), *engine],
                            stdout=subprocess.PIPE, text=True)
    windows = []
    try:
        for line in load.stdout:
            window = {**json.loads(line), "memory": memory(rig), "fds": descriptors(rig)}
            windows.append(window)
            print(f"{window['done']:>9} requests  {REQUESTS / WINDOWS / window['seconds']:6.0f}/s  p50 "
                  f"{window['p50'] * 1e3:6.2f} ms  p99 {window['p99'] * 1e3:6.2f} ms  memory {window['memory'] / 2**20:6.1f}"
                  f" MiB  descriptors {window['fds']}", flush=True)
        assert load.wait(30) == 0
    finally:
        load.kill()
        load.wait()
        load.stdout.close()
    assert len(windows) == WINDOWS
    last = windows[-1]
    assert not last["odd"], last["odd"]
    assert last["done"] == sum(last["counts"].values()) == REQUESTS
    # The cache of the traces' file (16 MiB) fills in the first minute, by some 3 MiB in 50,000 requests.
    usual = windows[WINDOWS // 2 - 1]
    assert last["memory"] - usual["memory"] < MEMORY, [w["memory"] >> 20 for w in windows]
    assert max(w["fds"] for w in windows[1:]) <= windows[1]["fds"] + 60, [w["fds"] for w in windows]
    middle = statistics.median(w["p99"] for w in windows)
    late = statistics.median(w["p99"] for w in windows[-3:])  # one window may be the machine's
    assert late <= max(middle * P99_FACTOR, P99_FLOOR), [round(w["p99"] * 1e3, 2) for w in windows]
    wait_until(lambda: descriptors(rig) <= before + IDLE, "what was opened is closed", timeout=20)
    rows = wait_until(lambda: totals(rig), "totals")
    counts = last["counts"]
    assert rows["mock/gpt-4o-mini"]["requests"] - 1 == sum(
        counts.get(n, 0) for n in ("whole", "stream")) + missing(rows, counts)
    assert rows["fake/s429"]["requests"] == counts["rate limited"]


def missing(rows: dict, counts: dict) -> int:
    """Callers who left are counted by the load under one name, by the ledger under their models'."""
    others = {"fake/echo": "stream of the fake", "fake/cut-mid-chunk-at-once": "cut in a chunk", "local/default": "embedded"}
    elsewhere = sum(rows[m]["requests"] - (m == "local/default") - counts.get(n, 0) for m, n in others.items() if m in rows)
    return counts.get("left", 0) - elsewhere
