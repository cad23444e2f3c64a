"""Checks that other programs make: clang-format, shellcheck, clang-tidy, and Python's own parser."""

import ast
import json
import os
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

CLANG_FORMAT = "clang-format-19"
CLANG_TIDY = "clang-tidy-19"


def _run(command, tree):
    return subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)


def _missing(program):
    return [f"{program} is not installed (scripts/deps --tests)"] if not shutil.which(program) else []


def _relative(line, tree):
    return line.replace(f"{tree.root}/", "")


def formatting(tree):
    if missing := _missing(CLANG_FORMAT):
        return missing
    chunks = [tree.cpp[start:start + 40] for start in range(0, len(tree.cpp), 40)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(
            lambda chunk: _run([CLANG_FORMAT, "--dry-run", "-Werror", *chunk], tree), chunks))
    wrong = {}
    for result in results:
        for line in result.stderr.splitlines():
            if found := re.match(r"(.+?):(\d+):\d+: error: code should be clang-formatted", line):
                wrong.setdefault(found[1], found[2])
        if result.returncode and not wrong:
            wrong[CLANG_FORMAT] = f"0: {result.stderr.strip()[:300]}"
    return [f"{path}:{number}: not as .clang-format wants it ({CLANG_FORMAT} -i {path})"
            for path, number in wrong.items()]


def _is_shell(path, tree):
    return path.endswith(".sh") or (tree.text(path) or "").startswith("#!/usr/bin/env bash")


def shell(tree):
    if missing := _missing("shellcheck"):
        return missing
    scripts = [path for path in tree.files if _is_shell(path, tree)]
    if not scripts:
        return []
    result = _run(["shellcheck", "-x", "-f", "gcc", *scripts], tree)
    problems = [_relative(line, tree) for line in result.stdout.splitlines()]
    problems += [f"{path}:2: lacks set -euo pipefail" for path in scripts
                 if (tree.text(path) or "").startswith("#!")
                 and "set -euo pipefail" not in (tree.text(path) or "")]
    return problems


def python_syntax(tree):
    problems = []
    for path in tree.files:
        text = tree.text(path) or ""
        if path.endswith(".py") or text.startswith("#!/usr/bin/env python3"):
            try:
                ast.parse(text)
            except SyntaxError as error:
                problems.append(f"{path}:{error.lineno}: {error.msg}")
    return problems


def json_syntax(tree):
    problems = []
    for path in tree.files:
        if path.endswith(".json"):
            try:
                json.loads(tree.text(path) or "")
            except ValueError as error:
                problems.append(f"{path}:{getattr(error, 'lineno', 1)}: {error}")
    return problems


def tidy(tree, build):
    """clang-tidy over the sources of the compile database in `build`; slow, so not by default."""
    if missing := _missing(CLANG_TIDY):
        return missing
    sources = [path for path in tree.cpp if path.startswith("src/") and path.endswith(".cpp")]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = pool.map(
            lambda path: _run([CLANG_TIDY, "-p", build, "--quiet", path], tree), sources)
        return [_relative(line, tree) for result in results for line in result.stdout.splitlines()
                if re.search(r": (?:warning|error): ", line)]
