"""scripts/check can fail: each check finds its fault in a tree that is right but for that one."""

import os
import pathlib
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]

GOOD = {
    ".clang-format": "BasedOnStyle: Google\nColumnLimit: 100\n",
    "src/platform/base/error.h": "// Errors.\n#pragma once\nstruct Error {};\n",
    "src/platform/net/loop.h":
        '// A loop.\n#pragma once\n#include "platform/base/error.h"\nstruct Loop { Error last; };\n',
    "src/core/event.h":
        '// An event.\n#pragma once\n#include "platform/base/error.h"\nstruct Event { Error why; };\n',
    "src/features/safety/pii/stage.h":
        '// A stage.\n#pragma once\n#include "core/event.h"\nvoid look(const Event& event);\n',
    "src/features/safety/pii/stage.cpp":
        '#include "features/safety/pii/stage.h"\nvoid look(const Event&) {}\n',
    "src/features/traffic/limits/limiter.h": "// Limits.\n#pragma once\nstruct Limiter {};\n",
    "src/providers/openai/provider.h": "// A provider.\n#pragma once\nstruct Provider {};\n",
    "src/engine/detail/pool.h": "// A pool.\n#pragma once\nstruct Pool {};\n",
    "src/app/pipeline.cpp": '#include "features/safety/pii/stage.h"\n',
    "scripts/hello": '#!/usr/bin/env bash\nset -euo pipefail\necho "hello"\n',
    "scripts/tool.py": "print('hello')\n",
    "data.json": "{}\n",
}


def write(root, files):
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


@pytest.fixture
def tree(tmp_path):
    root = tmp_path / "tree"
    write(root, GOOD)
    subprocess.run(["git", "init", "-q", root], check=True)
    if shutil.which("clang-format-19"):
        cpp = [str(path) for path in root.rglob("*") if path.suffix in (".h", ".cpp")]
        subprocess.run(["clang-format-19", "-i", *cpp], check=True)
    return root


def check(root, *names):
    environment = {**os.environ, "CAUSEWAY_CACHE": str(root.parent / "cache")}
    done = subprocess.run([ROOT / "scripts" / "check", "--root", root, *names], env=environment,
                          capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout + done.stderr


def test_a_good_tree_passes_everything(tree):
    code, output = check(tree)
    assert code == 0, output
    assert output.rstrip().endswith("passed, 0 failed")


def test_awaits_elsewhere_are_fine(tree):
    write(tree, {"src/core/a.cpp": """void f() {
  // while (co_await g()), and c ? co_await a : b
  while (h()) co_await g();
  const char* text = "? co_await";
  for (auto x : co_await g()) use(c ? x : y);
  auto z = co_await g(c ? 1 : 2);
}
"""})
    code, output = check(tree, "awaits")
    assert code == 0, output


@pytest.mark.parametrize("name, path, text, expected", [
    ("awaits", "src/core/a.cpp", "void f() {\n  int a = good\n    ? co_await g() : 1;\n}\n",
     "src/core/a.cpp:3: co_await in a branch"),
    ("awaits", "src/core/a.cpp", "void f() {\n  int a = c ? B::x : co_await g();\n}\n",
     "src/core/a.cpp:2: co_await in a branch"),
    ("awaits", "src/core/a.cpp", "void f() {\n  while (a && (co_await g(1)))\n    h();\n}\n",
     "src/core/a.cpp:2: co_await in the condition of while"),
    ("layers", "src/core/up.h", '#include "features/safety/pii/stage.h"\n',
     "src/core/up.h:1: core must not know features/safety/pii, which stands above it"),
    ("layers", "src/features/safety/pii/side.cpp", '\n#include "features/traffic/limits/limiter.h"\n',
     "side.cpp:2: features/safety/pii must not know its neighbour features/traffic/limits"),
    ("layers", "src/engine/side.cpp", '#include "providers/openai/provider.h"\n',
     "engine must not know its neighbour providers/openai"),
    ("layers", "src/exchange/side.cpp", '#include "engine/detail/pool.h"\n',
     "engine/detail/pool.h is private to engine"),
    ("layers", "src/platform/base/loop.cpp", '#include "platform/net/loop.h"\n',
     "platform/base must not know the rest of platform"),
    ("layers", "src/platform/net/up.cpp", '#include "core/event.h"\n',
     "platform/net must not know core"),
    ("layers", "src/helpers/a.h", "#pragma once\n", "helpers/ is no storey of the house"),
    ("layers", "src/core/lost.cpp", '#include "event.h"\n', '"event.h" is not a path from src/'),
    ("heavy", "src/core/json.h", "#include <simdjson.h>\n", "json.h:1: <simdjson.h> belongs"),
    ("once", "src/core/twice.h", "struct Twice {};\n", "src/core/twice.h:1: lacks #pragma once"),
    ("alone", "src/core/needy.h", "#pragma once\nstd::string name();\n",
     "src/core/needy.h:1: does not compile alone"),
    ("sizes", "src/core/long.cpp", "int a;\n" * 501, "long.cpp:501: 501 lines, the most is 500"),
    ("words", "docs/a.md", "see /root/notes\n", "docs/a.md:1: '/root/': a path of one machine"),
    ("words", "docs/b.md", "from https://pypi.org/simple\n", "a registry's host"),
    ("words", "src/core/todo.cpp", "// TODO: later\n", "TODO(kind):"),
    ("words", "src/core/fixme.cpp", "// FIXME\n", "'FIXME'"),
    ("merges", "docs/c.md", "<<<<<<< mine\n", "a conflict mark"),
    ("python", "scripts/broken.py", "def f(:\n", "scripts/broken.py:1:"),
    ("json", "broken.json", "{,}\n", "broken.json:1"),
])
def test_each_check_finds_its_fault(tree, name, path, text, expected):
    write(tree, {path: text})
    code, output = check(tree, name)
    assert code == 1, output
    assert expected in output
    assert output.rstrip().endswith("0 passed, 1 failed")


@pytest.mark.skipif(not shutil.which("clang-format-19"), reason="clang-format-19 is not installed")
def test_format(tree):
    write(tree, {"src/core/ugly.cpp": "int   a  ;\n"})
    code, output = check(tree, "format")
    assert code == 1 and "src/core/ugly.cpp:1: not as .clang-format wants it" in output


@pytest.mark.skipif(not shutil.which("shellcheck"), reason="shellcheck is not installed")
def test_shell(tree):
    write(tree, {"scripts/bad": "#!/usr/bin/env bash\nrm $1\n"})
    code, output = check(tree, "shell")
    assert code == 1 and "scripts/bad:2:4:" in output
    assert "scripts/bad:2: lacks set -euo pipefail" in output


def test_a_changed_header_is_compiled_again(tree):
    write(tree, {"src/core/uses.h": '#pragma once\n#include "core/event.h"\nEvent make();\n'})
    assert check(tree, "alone")[0] == 0
    write(tree, {"src/core/event.h": "#pragma once\nstruct Other {};\n"})
    code, output = check(tree, "alone")
    assert code == 1 and "src/core/uses.h:1: does not compile alone" in output


def test_ignored_files_are_left_alone(tree):
    write(tree, {".gitignore": "/build/\n", "build/a.py": "def f(:\n"})
    assert check(tree, "python")[0] == 0


def test_the_marks_of_allowed_todos(tree):
    write(tree, {"src/core/a.cpp": "// TODO(perf): measured at 2 %\n"})
    assert check(tree, "words")[0] == 0
