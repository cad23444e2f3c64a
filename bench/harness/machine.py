"""What is asked of the kernel: CPU time and memory of processes, cores, priorities, ports."""

import contextlib
import os
import re
import socket
from pathlib import Path

PROC = Path("/proc")


def tree(root_pid):
    """The process and all its descendants that live now."""
    children = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                stat = (entry / "stat").read_text()
                parent = int(stat[stat.rindex(")") + 2 :].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found, todo = [], [root_pid]
    while todo:
        pid = todo.pop()
        if pid not in found and (PROC / str(pid)).exists():
            found.append(pid)
            todo += children.get(pid, [])
    return found


def cpu_ns(pids, threads=""):
    """Time on a CPU of all threads, or of those whose names begin so, from the scheduler's own nanoseconds (10 ms
    ticks are too coarse)."""
    total = 0
    for pid in pids:
        for task in PROC.glob(f"{pid}/task/*"):
            with contextlib.suppress(OSError):
                if (task / "comm").read_text().startswith(threads):
                    total += int((task / "schedstat").read_text().split()[0])
    return total


def rss_kib(pids):
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            text = (PROC / str(pid) / "smaps_rollup").read_text()
            total += int(re.search(r"^Rss:\s+(\d+)", text, re.MULTILINE).group(1))
    return total


def free_port():
    """A loopback port that nobody listens on now. Another program may take it before it is used."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def steal_fraction(before, after):
    """Part of the time between two cpu_times() that was taken by other virtual machines."""
    total = sum(after) - sum(before)
    return (after[7] - before[7]) / total if total else 0.0


def cpu_times():
    return [int(x) for x in (PROC / "stat").read_text().split("\n", 1)[0].split()[1:9]]


@contextlib.contextmanager
def priority(say):
    """Runs the block, and what it starts, before the rest of the machine's work where that is permitted.

    With autogroup scheduling a nice value counts only inside one login session; the session as a whole is
    weighed by its autogroup file. Both are put back at the end.
    """
    group = PROC / "self" / "autogroup"
    raised = False
    try:
        with contextlib.suppress(OSError):
            group.write_text("-10")
            raised = True
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, -10)
            raised = True
        if not raised:
            say("note: no permission to raise the priority; close other programs, spreads will be wider")
        yield
    finally:
        with contextlib.suppress(OSError):
            group.write_text("0")
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, 0, 0)
