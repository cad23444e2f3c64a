"""Reads third_party/manifest (its head describes the format) and says where things lie."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
NEEDED = ("kind", "license", "registry", "package", "version", "file", "size", "sha256", "take")


class ManifestError(Exception):
    pass


@dataclass(frozen=True)
class Entry:
    name: str
    values: dict

    def __getitem__(self, key):
        return self.values[key]

    def get(self, key, default=None):
        return self.values.get(key, default)

    @property
    def size(self):
        return int(self["size"])

    def path(self, cache):
        """Where the result lies once it has been fetched."""
        if "result" in self.values:
            return cache / "files" / self["result.sha256"] / self["result"]
        return cache / "source" / f"{self.name}-{self['sha256'][:12]}"

    def archive(self, cache):
        return cache / "archives" / self["sha256"] / self["file"]


def cache_folder():
    if os.environ.get("CAUSEWAY_CACHE"):
        return Path(os.environ["CAUSEWAY_CACHE"]).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base).absolute() / "causeway"


def read_manifest(path=ROOT / "third_party" / "manifest"):
    """Returns the entries by name, in the order of the file."""
    sections = {}
    current = None
    for number, raw in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        header = re.fullmatch(r"\[([A-Za-z0-9][A-Za-z0-9._-]*)\]", line)
        if header:
            if header[1] in sections:
                raise ManifestError(f"{path}:{number}: [{header[1]}] stands here twice")
            current = sections.setdefault(header[1], {})
            continue
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not key or current is None:
            raise ManifestError(f"{path}:{number}: expected [name] or key = value")
        if key in current:
            raise ManifestError(f"{path}:{number}: {key} stands twice in this section")
        current[key] = value
    entries = {name: Entry(name, values) for name, values in sections.items()}
    for entry in entries.values():
        _check(entry, path)
    return entries


def _check(entry, path):
    needed = NEEDED
    if not entry.get("take", "").endswith("/") or "convert" in entry.values:
        needed += ("result", "result.size", "result.sha256")
    missing = [key for key in needed if key not in entry.values]
    if missing:
        raise ManifestError(f"{path}: [{entry.name}] lacks {', '.join(missing)}")
    for key in ("sha256", "result.sha256"):
        if key in entry.values and not re.fullmatch(r"[0-9a-f]{64}", entry[key]):
            raise ManifestError(f"{path}: [{entry.name}] {key} is not 64 hex digits")
    for key in ("file", "result"):
        if "/" in entry.get(key, ""):
            raise ManifestError(f"{path}: [{entry.name}] {key} is a file name, not a path")
