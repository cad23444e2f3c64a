"""Measures the gateway against nginx and a floor proxy, interleaved in one run, and prints one table.

  scripts/bench                      all cases with build/release/causeway (about 10 minutes)
  scripts/bench --quick              fewer and shorter rounds, a smoke test (about 2 minutes)
  scripts/bench --only sse --only tls --rounds 9
  scripts/bench --check              exit code 1 when an asked value was missed or could not be measured
  scripts/bench --micro              nanoseconds of single pieces (Google Benchmark)
  scripts/bench --traces             times of searches among a million traces, and of the console that shows them
  scripts/bench pii                  what the PII detector finds, side by side with Presidio (pii --help)
  scripts/bench complexity           what `complexity: easy` keeps local, and how well (complexity --help)

How to read it, and what to beware of: bench/README.md.
"""

import argparse
import importlib.util
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from . import machine, report
from .cases import CASES, SLOW, Context
from .process import Failed
from .rig import ROOT, build_tools, missing_programs

NEEDED = {"nginx": "nginx-light", "wrk": "wrk", "openssl": "openssl", "g++": "g++"}


def say(text):
    print(text, file=sys.stderr, flush=True)


def parse():
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", action="append", choices=list(CASES), metavar="CASE",
                        help="a case, several times for several: " + ", ".join(CASES))
    parser.add_argument("--rounds", type=int, default=0, help="default 11, with --quick 3")
    parser.add_argument("--seconds", type=int, default=0, help="of one measurement; default 1")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--micro", action="store_true")
    parser.add_argument("--traces", action="store_true")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "causeway")
    return parser.parse_args()


def micro(program, *arguments):
    build = ROOT / "build" / "release-bench"
    subprocess.run(["cmake", "--preset", "release", "-B", build, "-DCAUSEWAY_BENCH=ON",
                    "-DCAUSEWAY_TESTS=OFF"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", build, "--target", program], check=True,
                   stdout=subprocess.DEVNULL)
    return subprocess.run([build / "bench" / "micro" / program, *arguments], check=False).returncode


def clients_python():
    """The Python that scripts/test has made for its clients, a browser among them."""
    if importlib.util.find_spec("playwright"):
        return sys.executable
    cache = Path(os.environ.get("CAUSEWAY_CACHE") or Path.home() / ".cache" / "causeway")
    made = sorted(cache.glob("venv/*/complete"), key=lambda one: one.stat().st_mtime)
    return made[-1].parent / "bin" / "python" if made else None


def traces(program):
    """Searches among a million traces, then the console on them."""
    with tempfile.TemporaryDirectory(prefix="causeway-traces-") as folder:
        searched = micro("causeway_traces_million", "1000000", folder)
        python = clients_python()
        if searched or not python:
            say("the console was not measured" + ("" if python else ": scripts/test --quick makes what that needs"))
            return searched or 3
        return subprocess.run([python, ROOT / "bench" / "console" / "measure.py", folder, "--program", program],
                              check=False).returncode


def measure(context, names):
    rows = []
    for name in names:
        say(f"{name}:")
        try:
            rows += CASES[name](context)
        except (Failed, OSError) as error:
            rows.append(report.Row(name, "", f"{error}".replace("\n", " "), failed_to_measure=True))
        say(f"  {rows[-1].measured}")
    return rows


def main():
    options = parse()
    if options.micro:
        return micro("causeway_micro")
    if options.traces:
        return traces(options.program.resolve())
    absent = missing_programs(NEEDED)
    if absent:
        packages = " ".join(NEEDED[name] for name in absent)
        say(f"missing: {', '.join(absent)}. Install with: scripts/deps --bench, or apt-get install {packages}")
        return 3
    cores = sorted(os.sched_getaffinity(0))
    context = Context(program=options.program.resolve(), tools=build_tools(say),
                      rounds=options.rounds or (3 if options.quick else 11),
                      seconds=options.seconds or 1,
                      one_core={cores[-1]}, two_cores=set(cores[-2:]), quick=options.quick, say=say)
    names = options.only or [name for name in CASES if not (options.quick and name in SLOW)]
    before = machine.cpu_times()
    with machine.priority(say):
        rows = measure(context, names)
    stolen = machine.steal_fraction(before, machine.cpu_times())
    report.print_table(rows)
    print(f"\n{context.rounds} rounds of {context.seconds} s; ratios are medians of per-round ratios [lowest–"
          f"highest]. Load average {os.getloadavg()[0]:.1f}, stolen by other machines {stolen:.0%}.")
    bad = [row for row in rows if row.passed is False or row.failed_to_measure]
    return 1 if options.check and bad else 0
