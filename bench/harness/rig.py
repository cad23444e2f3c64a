"""Builds the load tools and starts the servers of one case, all on loopback, all ended with the case."""

import contextlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from . import configs, machine
from .process import Daemon, Failed, run

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ["mock_upstream", "floor_proxy", "sse_load"]


@dataclass
class Target:
    """Something that answers chat requests; CPU is counted for its whole process tree."""

    name: str
    port: int
    daemon: Daemon

    def pids(self):
        return self.daemon.pids()


def missing_programs(needed):
    return [name for name in needed if not shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]


def build_tools(say):
    """Compiles bench/tools into build/bench when a source is newer than its program."""
    out = ROOT / "build" / "bench"
    out.mkdir(parents=True, exist_ok=True)
    header = ROOT / "bench" / "tools" / "net.h"
    for name in TOOLS:
        source, program = header.parent / f"{name}.cpp", out / name
        newest = max(source.stat().st_mtime, header.stat().st_mtime)
        if not program.exists() or program.stat().st_mtime < newest:
            say(f"building {name}")
            run(["g++", "-O2", "-std=c++20", "-o", program, source])
    return out


class Rig:
    """The servers of one case. `cores` is where all of them, and the load, run."""

    def __init__(self, program, tools, cores):
        self.program, self.tools, self.cores = program, tools, cores
        self._stack = contextlib.ExitStack()
        self.folder = None

    def __enter__(self):
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="causeway-bench-")))
        return self

    def __exit__(self, *reason):
        self._stack.close()

    def start(self, name, command, env=None, cores=None):
        log = self.folder / f"{name}-{machine.free_port()}.log"
        daemon = Daemon(name, command, cores or self.cores, log, env)
        self._stack.callback(daemon.stop)
        return daemon

    def mock(self, chunks=50, gap_us=0, dialect="openai", stand_ins=False):
        port = machine.free_port()
        daemon = self.start("mock", [self.tools / "mock_upstream", "--port", port, "--chunks", chunks,
                                     "--gap-us", gap_us, "--anthropic", int(dialect == "anthropic"),
                                     "--stand-ins", int(stand_ins)])
        daemon.wait_for_port(port)
        return Target("direct", port, daemon)

    def floor(self, upstream):
        port = machine.free_port()
        daemon = self.start("floor", [self.tools / "floor_proxy", "--port", port,
                                      "--upstream-port", upstream.port])
        daemon.wait_for_port(port)
        return Target("floor", port, daemon)

    def nginx(self, upstream, workers=1, name="nginx", **settings):
        """One nginx with one server block in front of one upstream."""
        port = machine.free_port()
        server = {"port": port, "upstream": "upstream_servers", **settings}
        config = configs.nginx(self.folder, name, workers, {"upstream_servers": upstream.port}, [server])
        program = shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin")
        daemon = self.start(name, [program, "-p", self.folder, "-e", "stderr", "-c", config])
        daemon.wait_for_port(port)
        return Target(name, port, daemon)

    def tls_front(self, upstream):
        """Speaks TLS in front of the mock; not measured itself."""
        configs.certificates(self.folder)
        return self.nginx(upstream, name="tls-front", **configs.tls_terminator(self.folder))

    def causeway(self, base_url, threads=1, ca=None, kind="openai", name="causeway", policies="",
                 targets=0):
        """Our program with the whole of its default pipeline; Failed when it is not built."""
        target = self.serve(configs.causeway(self.folder, base_url, threads, ca, kind, policies, targets))[0]
        target.name = name
        return target

    def serve(self, config, env=None):
        """Starts the program with a configuration; (target, ready file's content)."""
        if not self.program.exists():
            raise Failed(f"{self.program} is not built: cmake --preset release && "
                         "cmake --build --preset release")
        ready = config.parent / "ready.json"
        daemon = self.start("causeway", [self.program, "serve", "--config", config, "--ready-file", ready],
                            env=self.environment(config.parent, env))
        daemon.wait_until(lambda: ready.exists() and ready.stat().st_size > 0, 60, "to become ready", 0.001)
        told = json.loads(ready.read_text())
        return Target("causeway", int(told["listen"].rsplit(":", 1)[1]), daemon), told

    @staticmethod
    def environment(home, more=None):
        """Nothing of the caller's but what a program needs to run, and no provider's key.

        A program that was built outside the tree finds the manifest of models by CAUSEWAY_SHARE.
        """
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "CAUSEWAY_CACHE", "CAUSEWAY_SHARE") if name in os.environ}
        return {"CAUSEWAY_SHARE": str(ROOT), **kept, "HOME": str(home), "BENCH_KEY": configs.KEY, **(more or {})}
