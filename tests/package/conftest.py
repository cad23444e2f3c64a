"""The package that was built, and folders for fresh systems. All of it needs root: debootstrap does."""

from __future__ import annotations

import os
import pathlib
import sys
import tempfile

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from root import Root  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def source():
    return SOURCE


@pytest.fixture(scope="session")
def build():
    """The folder in which `package` was built."""
    return pathlib.Path(os.environ.get("CAUSEWAY_BUILD") or SOURCE / "build/release")


@pytest.fixture(scope="session")
def deb(build):
    found = sorted((build / "package").glob("causeway_*.deb"))
    assert len(found) == 1, f"one package in {build}/package is wanted: --target package"
    return found[0]


@pytest.fixture(scope="module")
def work():
    with tempfile.TemporaryDirectory(prefix="causeway-package-") as folder:
        yield pathlib.Path(folder)


@pytest.fixture(scope="module")
def root(work):
    made = Root(work / "root")
    yield made
    made.remove()
