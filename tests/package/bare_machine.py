#!/usr/bin/env python3
"""scripts/run, or scripts/test, on a Debian that holds nothing but git, killed at each of its stages and started again.

  tests/package/bare_machine.py [--as root|user] [--folder FOLDER] [--straight] [--test]

Needs root (chroot), a network, and as much time as two builds take. It prints what it sees, stage by stage, and
ends with exit code 1 when something does not go on where it was. --straight: no interruptions. --test: scripts/test
with the groups that need no mounts and no systemd of their own, to its end.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from root import ENVIRONMENT, PROXIES, Root, run  # noqa: E402

PROJECT = pathlib.Path(__file__).resolve().parents[2]
HOME = "/srv/work"
TRUST = "/etc/ssl/certs/ca-certificates.crt"
PORTS = ("--listen", "127.0.0.1:28080", "--admin", "127.0.0.1:28081")
ENGINE_LOG = f"{HOME}/.cache/causeway/log/engine.log"
STAGES = (  # name, the log that shows it ("" = what scripts/run prints), and what shows it there
    ("installing packages", "", r"packages: \d+ of"),
    ("building Causeway", "", r"release: building \[\d+/"),
    ("fetching the engine or its model", ENGINE_LOG, r"downloading|fetching"),
    ("building the engine", ENGINE_LOG, r"engine: building \[[1-9]\d*/"),
)
TEST_GROUPS = ("check", "unit", "blackbox", "examples")
TEST_STAGES = (
    STAGES[0],
    ("fetching what the tests need", "", r"downloading|fetching"),
    ("building the engine", "", r"engine: building \[[1-9]\d*/"),
    ("installing the Python clients", "", r"installing the Python clients"),
    ("building Causeway", "", r"release: building \[\d+/"),
    ("running the black-box tests", "", r"== blackbox"),
)


class Trial:
    def __init__(self, folder: pathlib.Path, user: str, script: str):
        self.user = user
        self.script = script
        self.root = Root(folder / "root")
        self.root.put(pathlib.Path("/etc/resolv.conf"), "/etc/resolv.conf")
        install = ["git", "ca-certificates", *(["sudo"] if user != "root" else [])]
        self.root.run("apt-get", "update", "-q")
        self.root.run("apt-get", "install", "-y", "-q", "--no-install-recommends", *install)
        # It trusts whom this machine trusts: a company's proxy may stand in between.
        self.root.put(pathlib.Path("/etc/ssl/certs/ca-certificates.crt"), TRUST)
        if user != "root":
            self.root.run("useradd", "--create-home", "--home-dir", HOME, "--shell", "/bin/bash", user)
            self.root.path("/etc/sudoers.d/user").write_text(f"{user} ALL=(ALL) NOPASSWD: ALL\n")
        run("git", "clone", "--quiet", "--no-hardlinks", str(PROJECT), str(self.root.path(HOME + "/causeway")))
        self.root.run("chown", "-R", f"{user}:", HOME)
        self.log = folder / "output.log"

    def start(self, network: bool = True) -> subprocess.Popen:
        script = f"export PIP_CERT={TRUST} && cd {HOME}/causeway && exec {self.script}"
        words = ["sh", "-c", "export HOME=" + HOME + "; " + script]
        if self.user != "root":
            words = ["su", self.user, "-c", script]
        output = open(self.log, "ab")  # noqa: SIM115
        return subprocess.Popen(self.root.command(*words, network=network), stdin=subprocess.DEVNULL,
                                stdout=output, stderr=output, env={**ENVIRONMENT, **PROXIES},
                                start_new_session=True)

    def file(self, log: str) -> pathlib.Path:
        return self.root.path(log) if log else self.log

    def size(self, log: str = "") -> int:
        return self.file(log).stat().st_size if self.file(log).exists() else 0

    def output(self, since: int = 0, log: str = "") -> str:
        file = self.file(log)
        # A log that begins anew with each start is shorter than it was.
        begin = since if self.size(log) >= since else 0
        return file.read_bytes()[begin:].decode(errors="replace") if file.exists() else ""

    def wait(self, process: subprocess.Popen, pattern: str, since: int, seconds: float,
             log: str = "") -> re.Match | None:
        """The first match in what was printed since; None when the process has ended without it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if found := re.search(pattern, self.output(since, log)):
                return found
            if process.poll() is not None:
                return re.search(pattern, self.output(since, log))
            time.sleep(0.25)
        raise TimeoutError(f"no {pattern!r} after {seconds} s:\n{self.output()[-2000:]}")

    def kill(self, process: subprocess.Popen):
        """As a power cut would: everything of it, at once. The pid namespace ends with its first process."""
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(1)


def say(words: str):
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def ask(trial: Trial, key: str) -> str:
    body = json.dumps({"model": "local/default",
                       "messages": [{"role": "user", "content": "What is the capital of France?"}]})
    out = run("curl", "-s", "--max-time", "120", "http://127.0.0.1:28080/v1/chat/completions", "-H",
              f"Authorization: Bearer {key}", "-H", "Content-Type: application/json", "-d", body)
    return json.loads(out)["choices"][0]["message"]["content"]


def finish(trial: Trial, key: str | None) -> str:
    """To the end: the gateway is ready, then the engine answers. Gives the key."""
    since, began = trial.size(), time.monotonic()
    process = trial.start()
    if not trial.wait(process, r"causeway is ready", since, 7200):
        raise AssertionError(f"it ended:\n{trial.output(since)[-3000:]}")
    say(f"ready after {time.monotonic() - began:.0f} s")
    time.sleep(2)
    if found := re.search(r"^  key +(cw-\S+)", trial.output(), re.MULTILINE):
        key = found[1]
    assert key, trial.output(since)[-3000:]
    if "being built" in trial.output(since) or "engine" in trial.output(since).lower():
        trial.wait(process, r"engine: ready|Try it", since, 7200)
    until = time.monotonic() + 7200
    while True:
        try:
            say(f"answer: {ask(trial, key)!r}, {time.monotonic() - began:.0f} s after the start")
            break
        except (KeyError, AssertionError):
            if time.monotonic() > until:
                raise
            time.sleep(5)
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        trial.kill(process)
        raise AssertionError("SIGTERM did not end it") from None
    return key


def finish_tests(trial: Trial):
    since, began = trial.size(), time.monotonic()
    process = trial.start()
    process.wait(7200)
    lines = trial.output(since).strip().splitlines()
    for line in lines:
        if line.startswith("== ") and "passed" in line:
            say(line)
    say(f"{lines[-1]} after {time.monotonic() - began:.0f} s")
    assert process.returncode == 0, "\n".join(lines[-60:])


def look_for_slips(trial: Trial):
    """What a script says when it stumbles over something that a bare machine lacks, and goes on."""
    slips = re.findall(r"^.*(?:command not found|syntax error|No such file or directory)$", trial.output(), re.MULTILINE)
    assert not slips, "\n".join(slips)


def interrupt(trial: Trial, stages):
    say("without a network")
    process = trial.start(network=False)
    process.wait(600)
    say(f"exit code {process.returncode}: {trial.output().strip().splitlines()[-1]}")
    assert process.returncode != 0
    for stage, log, pattern in stages:
        since, printed = trial.size(log), trial.size()
        process = trial.start()
        if not trial.wait(process, pattern, since, 7200, log):
            raise AssertionError(f"it ended before {stage}:\n{trial.output(printed)[-3000:]}")
        time.sleep(3)
        trial.kill(process)
        say(f"killed while {stage}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--as", dest="user", choices=("root", "user"), default="user")
    parser.add_argument("--folder", type=pathlib.Path)
    parser.add_argument("--straight", action="store_true")
    parser.add_argument("--test", action="store_true")
    options = parser.parse_args()
    folder = options.folder or pathlib.Path(tempfile.mkdtemp(prefix="causeway-bare-"))
    words = ["scripts/test", *TEST_GROUPS] if options.test else ["scripts/run", *PORTS]
    trial = Trial(folder, "root" if options.user == "root" else "dev", " ".join(words))
    say(f"a bare Debian in {folder}, as {options.user}; all output in {trial.log}")
    try:
        if not options.straight:
            interrupt(trial, TEST_STAGES if options.test else STAGES)
        if options.test:
            finish_tests(trial)
        else:
            key = finish(trial, None)
            say("once more: everything is there")
            finish(trial, key)
        look_for_slips(trial)
    except (AssertionError, TimeoutError) as fault:
        say(f"FAILED: {fault}")
        return 1
    say("passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
