"""Headers: each begins its life once (#pragma once) and compiles alone."""

import hashlib
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fetching.manifest import cache_folder

from .layers import INCLUDE

COMPILER = ("g++", "-std=c++23", "-fsyntax-only", "-Wall", "-Wextra", "-x", "c++")


def pragma_once(tree):
    return [f"{path}:1: lacks #pragma once" for path in tree.headers
            if not any(line.strip() == "#pragma once" for _, line in tree.lines(path))]


def compiles_alone(tree):
    """A compile of each header by itself, but for those that the build has proved already: a source
    file includes them before anything else. One that was good, with everything of ours that it
    includes, is remembered by the hash of all that, and is not compiled again."""
    remembered = cache_folder() / "check"
    remembered.mkdir(parents=True, exist_ok=True)
    proved = {_first_include(tree, path) for path in tree.cpp if path.endswith(".cpp")}
    to_compile = [path for path in tree.headers if path.removeprefix("src/") not in proved]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(lambda path: _compile(tree, path, remembered), to_compile)
        return [problem for problem in results if problem]


def _first_include(tree, path):
    for _, line in tree.lines(path):
        if found := INCLUDE.match(line):
            return found[1]
    return None


def _compile(tree, path, remembered):
    mark = remembered / _hash_with_includes(tree, path)
    if mark.exists():
        return None
    done = subprocess.run([*COMPILER, f"-I{tree.root / 'src'}", f"-I{tree.root}", "-"],
                          input=f'#include "{path}"\n', cwd=tree.root, capture_output=True,
                          text=True, check=False)
    if done.returncode == 0:
        mark.touch()
        return None
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    return f"{path}:1: does not compile alone: {(errors or ['the compiler failed'])[0]}"


def _hash_with_includes(tree, path):
    digest = hashlib.sha256(" ".join(COMPILER).encode())
    waiting, seen = [path], set()
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.add(current)
        text = tree.text(current) or ""
        digest.update(f"{current}\0{text}\0".encode())
        for line in text.splitlines():
            found = INCLUDE.match(line)
            if found and found[1]:
                for folder in ("src", "", str(Path(current).parent)):
                    candidate = os.path.normpath(os.path.join(folder, found[1]))
                    if (tree.root / candidate).is_file():
                        waiting.append(candidate)
                        break
    return digest.hexdigest()
