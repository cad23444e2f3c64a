"""What every black-box test can ask for: a fake upstream, running gateways, the official client."""

from __future__ import annotations

import contextlib
import copy
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid

import openai
import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from fake_upstream import Fake  # noqa: E402
from gateway import KEY, UPSTREAM_KEY, Gateway, binary, clean_environment  # noqa: E402

_running: list[Gateway] = []  # all gateways that were started, for the report of a failing test


def pytest_report_header(config):
    return f"causeway: {binary()}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        for gateway in _running:
            if gateway.process is not None:
                report.sections.append((f"gateway {gateway.folder.name}", gateway.output(3000)))
    return report


@pytest.fixture(scope="session")
def fake():
    upstream = Fake().start()
    yield upstream
    upstream.stop()
    assert not upstream.failures, upstream.failures


def base_config(fake: Fake) -> dict:
    """A gateway whose models `NAME` and `fake/NAME` are the fake upstream's scenario NAME. It asks each
    target once and leaves none alone, so that each test sees what its own request did (test_routing.py
    has both)."""
    return {
        "breaker": "off",
        "policies": [{"name": "once", "retries": "off"}],
        "providers": {"fake": {"kind": "openai", "base_url": fake.base_url, "api_key": UPSTREAM_KEY}},
        "models": {
            "echo": {"targets": ["fake/echo"]},
            "org/deep/model": {"targets": ["fake/echo"]},
            "embed": {"targets": ["fake/text-embedding-fake"]},
        },
    }


@pytest.fixture(scope="session")
def config(fake):
    """A fresh copy of the usual configuration, to be changed by the test: config()."""
    return lambda: copy.deepcopy(base_config(fake))


@pytest.fixture(scope="session")
def session_folder():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="causeway-tests-"))
    yield folder
    if os.environ.get("CAUSEWAY_KEEP_TEST_FOLDERS") is None:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running(folder: pathlib.Path, settings, **options):
    """A gateway for several tests, stopped and checked at the end."""
    gateway = Gateway(folder, settings, start=False, **options)
    _running.append(gateway)
    try:
        gateway.start()
        yield gateway
        gateway.stop()
    finally:
        gateway.end_anyhow()
        _running.remove(gateway)


@pytest.fixture(scope="session")
def gw(config, session_folder):
    """One gateway for all tests that change nothing about it."""
    with running(session_folder / "shared", config()) as gateway:
        yield gateway


@pytest.fixture
def make_gateway(session_folder, request):
    """make_gateway(config, env=..., args=...): a gateway of the test's own, stopped and checked after."""
    made: list[Gateway] = []
    number = itertools.count()

    def make(config=None, **options) -> Gateway:
        name = f"{request.node.name[:40].replace('/', '_')}-{uuid.uuid4().hex[:6]}-{next(number)}"
        start = options.pop("start", True)
        gateway = Gateway(session_folder / name, config, start=False, **options)
        made.append(gateway)
        _running.append(gateway)
        if start:
            gateway.start()
        return gateway

    yield make
    problems = []
    for gateway in reversed(made):
        try:
            gateway.stop()
        except AssertionError as problem:
            problems.append(str(problem))
        finally:
            gateway.end_anyhow()
            _running.remove(gateway)
    assert not problems, "\n".join(problems)


@pytest.fixture
def mark():
    """Words that no other test sends, by which the fake upstream's record is found."""
    return f"mark-{uuid.uuid4().hex}"


def make_client(gateway: Gateway, key: str = KEY, **options) -> openai.OpenAI:
    return openai.OpenAI(base_url=gateway.base_url, api_key=key,
                         **{"max_retries": 0, "timeout": 30, **options})


@pytest.fixture(scope="session")
def client(gw):
    """The official client, unmodified, with nothing set but address and key."""
    with make_client(gw) as made:
        yield made


@pytest.fixture(scope="session")
def kind_fakes():
    """What stands in for each kind of provider, by the kind's name (matrix.py)."""
    from matrix import KINDS  # not for everybody: it brings the clients of all dialects
    made = {name: kind.fake().start() for name, kind in KINDS.items() if kind.fake}
    yield made
    for one in made.values():
        one.stop()
    assert not [one.failures for one in made.values() if one.failures]


@pytest.fixture(scope="session")
def all_kinds(kind_fakes, session_folder):
    """A gateway with a provider of every kind, named as its kind, and a model KIND-chat at each."""
    from matrix import KINDS
    providers = {name: {"kind": name, **kind.settings(kind_fakes.get(name), session_folder)}
                 for name, kind in KINDS.items()}
    models = {f"{name}-chat": {"targets": [f"{name}/{kind.chat}"]} for name, kind in KINDS.items()}
    with running(session_folder / "all-kinds", {"providers": providers, "models": models}) as gateway:
        yield gateway


@pytest.fixture(scope="session")
def node():
    """node("file", NAME=value, …) runs a test file of node/ with the pinned packages, and holds it to success."""
    folder = pathlib.Path(__file__).parent / "node"
    assert shutil.which("node") and shutil.which("npm"), "node and npm are needed (scripts/deps installs them)"

    def version(package: str) -> str | None:
        there = folder / "node_modules" / package / "package.json"
        return json.loads(there.read_text())["version"] if there.exists() else None

    wanted = json.loads((folder / "package.json").read_text())["dependencies"]
    if {package: version(package) for package in wanted} != wanted:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True, timeout=120,
                       capture_output=True)

    def run_file(file: str, **environment: str):
        done = subprocess.run(["node", "--test", "--test-reporter=tap", file], cwd=folder, text=True,
                              env=clean_environment(environment), capture_output=True, timeout=120)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "# fail 0" in done.stdout and "# pass 0" not in done.stdout

    return run_file


@pytest.fixture(scope="module")
def chrome():
    """Real browsers for the console; of one module, since Playwright keeps an event loop while it lives."""
    from console_browser import browsers  # not for everybody, as above
    with browsers() as made:
        yield made


@pytest.fixture(scope="module")
def busy(config, session_folder, request):
    """A gateway that has answered and refused something, for the console."""
    from console_browser import console_config, make_traffic
    with running(session_folder / request.module.__name__, console_config(config)) as gateway:
        make_traffic(gateway)
        yield gateway


@pytest.fixture(scope="module")
def full(chrome, busy):
    """The console of `busy`, signed in with a full key."""
    return chrome.console(busy).sign_in()


@pytest.fixture(scope="module")
def reader(chrome, busy):
    """And with a read-only key."""
    from console_browser import READER
    return chrome.console(busy).sign_in(READER)


def pytest_collection_modifyitems(items):
    """Marks what known_failures.txt lists, so that it shows in every run and fails none."""
    lines = (pathlib.Path(__file__).parent / "known_failures.txt").read_text().splitlines()
    known = dict(line.rsplit(": ", 1) for line in lines if line and not line.startswith("#"))
    for item in items:
        name = f"{item.path.name}::{item.name.split('[')[0]}"
        for listed, runs in ((name, True), ("!" + name, False)):
            if listed in known:
                item.add_marker(pytest.mark.xfail(reason=known[listed], run=runs, strict=False))
