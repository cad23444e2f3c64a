#!/usr/bin/env python3
"""Writes the man page and the shells' completions from what the program says of itself.

  make_manual.py PROGRAM FOLDER

Asks PROGRAM for --help of everything that it can do, so that no page can say something else than the
program. Writes causeway.1, causeway.bash, _causeway (zsh) and causeway.fish into FOLDER.
"""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

import shells  # noqa: E402
from man_page import man_page  # noqa: E402

TITLE = re.compile(r"^ {0,2}(\w[\w ]*):$")
ENTRY = re.compile(r"^ {2,4}([^\s\[].*?)(?:\s{2,}(\S.*))?$")  # not "[Exactly 1 of …]" of a group
FOLDER_OPTIONS = ("--data",)
FILE_OPTIONS = ("--config", "--ready-file")


def says(program, *words):
    done = subprocess.run([program, *words], capture_output=True, text=True, check=True,
                          stdin=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]})
    return done.stdout


def sections(text):
    """{"Options": [(left, right)…]} of a --help text. What is indented by more than an entry goes on
    with the one above; an option group repeats a title, indented."""
    found, entries = {}, None
    for line in text.splitlines():
        if title := TITLE.match(line):
            entries = found.setdefault(title[1], [])
        elif entries is None:
            continue
        elif match := ENTRY.match(line):
            entries.append((match[1], match[2] or ""))
        elif line.startswith(" " * 8) and entries:
            left, right = entries[-1]
            entries[-1] = (left, f"{right} {line.strip()}".strip())
    return found


def option(left, about):
    """"-m,--model TEXT ..." → names, whether a value follows, what it may be."""
    names, _, rest = left.partition(" ")
    choices = re.search(r"\{(.*?)\}", rest)
    return SimpleNamespace(names=names.split(","), about=about, value=bool(rest),
                           required="REQUIRED" in rest, many="..." in rest,
                           choices=choices[1].split(",") if choices else [],
                           folder=names in FOLDER_OPTIONS, file=names in FILE_OPTIONS)


def command(program, *words):
    """One verb, or one of its parts, as its --help has it."""
    text = says(program, *words, "--help")
    found = sections(text)
    options = [option(left, about) for title, entries in found.items() for left, about in entries
               if left.startswith("-")]
    usage = next(line for line in text.splitlines() if line.startswith("Usage: "))
    about = " ".join(text.split("Usage: ")[0].split())
    parts = [command(program, *words, name) for name, _ in found.get("Subcommands", [])]
    return SimpleNamespace(words=words, name=words[-1], about=about, usage=usage[len("Usage: "):],
                           options=options, parts=parts,
                           arguments=[option(left, about)
                                      for left, about in found.get("Positionals", [])])


def overview(program):
    text = says(program, "--help")
    verbs = [line.split(maxsplit=1) for line in text.splitlines() if line.startswith("  ")]
    first = text.splitlines()[0]
    name, version, about = re.match(r"^(\S+) (\S+): (.*)$", first).groups()
    return SimpleNamespace(name=name, version=version, about=about,
                           verbs=[SimpleNamespace(summary=summary, **vars(command(program, verb)))
                                  for verb, summary in verbs])


def main():
    program, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    what = overview(program)
    for name, text in (("causeway.1", man_page(what)), ("causeway.bash", shells.bash(what)),
                       ("_causeway", shells.zsh(what)), ("causeway.fish", shells.fish(what))):
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
