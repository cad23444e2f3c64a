"""Load on one target, and what it cost: requests with wrk, streams with sse_load."""

import json
import os
import random
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import configs, machine
from .process import Failed

CHAT = "/v1/chat/completions"
SCRIPT = Path(__file__).resolve().parents[1] / "tools" / "chat.lua"


@dataclass
class Measured:
    cpu_us: float  # of the target's processes, per request or per event
    per_second: float
    p50_us: float = 0.0
    utilisation: float = 0.0  # CPUs that the target used


def requests(target, body_file, cores, connections, seconds, threads=1, unique=False, counted=""):
    """wrk for `seconds`; every answer must be a 2xx. `unique`: each request has a number of its own. `counted`: how the
    names of the threads begin whose CPU is counted; all."""
    env = {**os.environ, "BODY_FILE": str(body_file), "BENCH_KEY": configs.KEY}
    if unique:
        env["UNIQUE"] = str(random.randrange(10**6))
    pids = target.pids()
    command = ["wrk", f"-t{threads}", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s",
               str(SCRIPT), f"http://127.0.0.1:{target.port}{CHAT}"]
    before = machine.cpu_ns(pids, counted)
    done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=seconds + 60, check=False,
                          preexec_fn=lambda: os.sched_setaffinity(0, cores))
    used_ns = machine.cpu_ns(pids, counted) - before
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise Failed(f"wrk against {target.name}: {(done.stderr or done.stdout)[-400:].strip()}")
    result = json.loads(lines[-1])
    if result["not_2xx"] or result["socket_errors"] or not result["requests"]:
        raise Failed(f"{target.name}: {result['requests']} requests, {result['not_2xx']} not 2xx, "
                     f"{result['socket_errors']} socket errors; {target.daemon.tail()}")
    return Measured(cpu_us=used_ns / 1e3 / result["requests"],
                    per_second=result["requests"] / result["seconds"], p50_us=result["p50_us"],
                    utilisation=used_ns / 1e9 / result["seconds"])


def streams(target, tools, body_file, cores, count, window_ms):
    """Events in a steady window: CPU is read at its two ends, which sse_load announces."""
    process = subprocess.Popen(
        [str(tools / "sse_load"), "--port", str(target.port), "--body", str(body_file), "--key", configs.KEY,
         "--streams", str(count), "--warm-ms", "1000", "--window-ms", str(window_ms)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores))
    try:
        begin = process.stdout.readline()
        pids = target.pids()
        before = machine.cpu_ns(pids)
        end = process.stdout.readline()
        used_ns = machine.cpu_ns(pids) - before
        errors = process.communicate(timeout=20)[1]
    finally:
        process.kill()
        process.wait()
    if begin.strip() != "begin" or not end.startswith("{"):
        raise Failed(f"streams through {target.name}: {errors[-400:].strip()}")
    result = json.loads(end)
    if result["errors"] or not result["events"]:
        raise Failed(f"streams through {target.name}: {result}; {target.daemon.tail()}")
    return Measured(cpu_us=used_ns / 1e3 / result["events"],
                    per_second=result["events"] / (window_ms / 1e3),
                    utilisation=used_ns / 1e6 / window_ms)
