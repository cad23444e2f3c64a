"""The preloaded library of shims/faults.c: built once, steered through a file of four numbers."""

from __future__ import annotations

import pathlib
import struct
import subprocess

import pytest

from faults.rig import sanitized

SOURCE = pathlib.Path(__file__).parent / "shims" / "faults.c"
NUMBERS = ("delay_ms", "sync_error", "write_error", "clock_seconds")


class Shim:
    """env() for a gateway whose data folder is `data`; set() while it runs."""

    def __init__(self, library: pathlib.Path, folder: pathlib.Path):
        self.library, self.control, self.log = library, folder / "control", folder / "syncs"
        self.values = dict.fromkeys(NUMBERS, 0)
        self.set()

    def set(self, **values: int):
        self.values.update(values)
        packed = struct.pack("<4q", *(self.values[name] for name in NUMBERS))
        with open(self.control, "r+b" if self.control.exists() else "wb") as file:
            file.write(packed)

    def syncs(self) -> list[tuple[float, float]]:
        """When the journal's thread woke up for each sync, and when that had ended, as time.monotonic()."""
        lines = self.log.read_text().splitlines()
        return [(int(begin) / 1e9, int(end) / 1e9) for begin, end in map(str.split, lines)]

    def env(self, data: pathlib.Path | str, shadow: pathlib.Path | None = None) -> dict[str, str]:
        more = {"FAULTS_SHADOW": str(shadow), "FAULTS_SYNCS": str(self.log)} if shadow else {}
        return {"LD_PRELOAD": str(self.library), "FAULTS_CONTROL": str(self.control),
                "FAULTS_FOLDER": str(data), **more}


@pytest.fixture(scope="session")
def shim_library(tmp_path_factory):
    if sanitized():
        pytest.skip("a sanitizer's own library must be the first that is loaded")
    library = tmp_path_factory.mktemp("shim") / "faults.so"
    subprocess.run(["gcc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"],
                   check=True)
    return library


@pytest.fixture
def shim(shim_library, tmp_path):
    return Shim(shim_library, tmp_path)
