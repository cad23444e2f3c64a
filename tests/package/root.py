"""A fresh Debian in a folder, as debootstrap makes it, and the machine that systemd-nspawn boots from it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8", "TERM": "dumb",
               "DEBIAN_FRONTEND": "noninteractive"}
PROXIES = {name: value for name, value in os.environ.items() if name.lower().endswith("_proxy")}


def cache() -> pathlib.Path:
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return pathlib.Path(os.environ.get("CAUSEWAY_CACHE") or f"{home}/causeway")


def run(*command: str, **options) -> str:
    """What a command of this machine prints; an error with all of its words when it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, f"{command} gave {done.returncode}:\n{done.stdout[-4000:]}"
    return done.stdout


def mirror() -> tuple[str, str]:
    """Where this machine gets its packages, and the name of its release."""
    release = run("sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME").strip()
    targets = run("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages",
                  f"Codename: {release}", "Component: main").split()
    assert targets, f"apt knows no mirror of {release}: apt-get update"
    return targets[0], release


def base_archive() -> pathlib.Path:
    """The smallest Debian there is, made once and kept in the cache."""
    url, release = mirror()
    archive = cache() / "package" / f"{release}-minbase.tar"
    if archive.exists():
        return archive
    archive.parent.mkdir(parents=True, exist_ok=True)
    folder = archive.with_suffix(".new")
    shutil.rmtree(folder, ignore_errors=True)
    run("debootstrap", "--variant=minbase", release, str(folder), url, env={**os.environ})
    part = archive.with_suffix(".part")
    run("tar", "-C", str(folder), "--one-file-system", "-cf", str(part), ".")
    part.rename(archive)
    shutil.rmtree(folder)
    return archive


class Root:
    def __init__(self, folder: pathlib.Path):
        self.folder = folder
        folder.mkdir(parents=True)
        run("tar", "-C", str(folder), "-xf", str(base_archive()))
        # A system that is thrown away need not wait for the disk.
        self.path("/etc/dpkg/dpkg.cfg.d/fast").write_text("force-unsafe-io\n")
        # Which debootstrap leaves to the installer.
        self.path("/etc/hosts").write_text("127.0.0.1 localhost\n::1 localhost\n")

    def path(self, name: str) -> pathlib.Path:
        return self.folder / name.lstrip("/")

    def read(self, name: str) -> str:
        return self.path(name).read_text(encoding="utf-8")

    def put(self, file: pathlib.Path, name: str) -> str:
        self.path(name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, self.path(name))
        return name

    def command(self, *words: str, network: bool = True) -> list[str]:
        """A command in the folder, with a /proc of its own that goes with it; without a network
        there is nothing but an empty loopback."""
        inner = 'mount -t proc proc "$0/proc" && mount -t devpts devpts "$0/dev/pts" && exec chroot "$0" "$@"'
        if not network:
            inner = "ip link set lo up && " + inner
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child",
                *([] if network else ["--net"]), "sh", "-c", inner, str(self.folder), *words]

    def run(self, *words: str, network: bool = True) -> str:
        return run(*self.command(*words, network=network), env={**ENVIRONMENT, **PROXIES})

    def files(self) -> set[str]:
        """Every path that is there, without what the kernel, apt and logs put there."""
        out = run("find", str(self.folder), "-xdev", "-printf", "/%P\n").splitlines()
        passing = ("/srv", "/proc", "/sys", "/dev", "/run", "/tmp", "/var/log", "/var/lib/apt",
                   "/var/cache/apt", "/var/lib/dpkg")
        return {path for path in out if not path.startswith(passing)}

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


class Machine:
    """The folder, booted: systemd as its first process, a network of its own with nobody in it."""

    def __init__(self, root: Root):
        self.root = root
        self.log = root.folder.parent / "boot.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--quiet", "--directory", str(root.folder), "--boot",
                 "--private-network", "--register=no", "--keep-unit"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        self.leader = self._wait_for(self._first_process, 20)
        self._wait_for(self._is_up, 60)

    def _wait_for(self, what, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                break
            if found := what():
                return found
            time.sleep(0.2)
        raise AssertionError(f"the machine did not boot:\n{self.log.read_text()[-3000:]}")

    def _first_process(self):
        children = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        for child in children.read_text().split():
            with contextlib.suppress(OSError):
                # nspawn's own first child is "systemd-nspawn", and gone soon after.
                if pathlib.Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                    return int(child)
        return None

    def _is_up(self):
        state = subprocess.run(self.command("systemctl", "is-system-running"), env=ENVIRONMENT,
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return state.stdout.strip() in ("running", "degraded")

    def command(self, *words: str) -> list[str]:
        return ["nsenter", "--target", str(self.leader), "--all", "--root", "--wdns=/", "--", *words]

    def run(self, *words: str) -> str:
        return run(*self.command(*words), env=ENVIRONMENT)

    def try_run(self, *words: str) -> subprocess.CompletedProcess:
        return subprocess.run(self.command(*words), env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, check=False)

    def curl(self, *words: str) -> str:
        """This machine's curl, in the booted one's network."""
        return run("nsenter", "--target", str(self.leader), "--net", "--", "curl", "--silent",
                   "--show-error", "--max-time", "90", *words)

    def unit(self, name: str) -> str:
        return self.run("systemctl", "show", "causeway", "--property", name, "--value").strip()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
