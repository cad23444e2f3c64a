"""The files that are checked: everything that git tracks or would track."""

import subprocess
from functools import cached_property
from pathlib import Path

CPP_FOLDERS = ("src/", "tests/", "fuzz/", "bench/")


class Tree:
    def __init__(self, root):
        self.root = Path(root).resolve()

    @cached_property
    def files(self):
        """Relative paths with "/" of all files, sorted."""
        listing = subprocess.run(
            ["git", "-C", self.root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            capture_output=True, text=True, check=True).stdout
        return sorted(path for path in set(listing.split("\0"))
                      if path and (self.root / path).is_file())

    @cached_property
    def cpp(self):
        return [path for path in self.files
                if path.startswith(CPP_FOLDERS) and path.endswith((".h", ".cpp"))]

    @cached_property
    def headers(self):
        return [path for path in self.cpp if path.endswith(".h")]

    def text(self, path):
        """The file's text, or None for one that is not text (or has gone meanwhile)."""
        try:
            return (self.root / path).read_text(encoding="utf-8")
        except (UnicodeDecodeError, FileNotFoundError):
            return None

    def lines(self, path):
        """(number, line) from 1; nothing for a file that is not text."""
        return enumerate((self.text(path) or "").splitlines(), 1)
