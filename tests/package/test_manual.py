"""The man page and the completions say what the program's own --help says."""

from __future__ import annotations

import os
import re
import subprocess

import pytest
from root import run


@pytest.fixture(scope="module")
def program(build):
    return str(build / "causeway")


@pytest.fixture(scope="module")
def manual(source, program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("manual")
    run("python3", str(source / "deploy/manual/make_manual.py"), program, str(folder))
    return folder


def verbs_of(program):
    return re.findall(r"^  (\w+) ", run(program, "--help"), re.MULTILINE)


def options_of(program, *words):
    said = re.findall(r"^ {2,4}(-\S+)", run(program, *words, "--help"), re.MULTILINE)
    return {name for names in said for name in names.split(",") if name.startswith("--")}


def commands_of(program):
    """Every verb, and every part of one: read here in another way than make_manual.py does."""
    for verb in verbs_of(program):
        yield (verb,)
        parts = run(program, verb, "--help").partition("Subcommands:")[2].split("\n\n")[0]
        yield from ((verb, part) for part in re.findall(r"^  ([\w-]+) ", parts, re.MULTILINE))


def bash_offers(manual, *words):
    script = """source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_causeway; printf '%s\\n' "${COMPREPLY[@]}" """
    return set(run("bash", "-c", script, "bash", str(manual / "causeway.bash"), "causeway", *words).split())


def fish_offers(manual, *words):
    line = " ".join(("causeway", *words))
    said = run("fish", "--no-config", "-c", f"source {manual}/causeway.fish; complete -C '{line}'",
               env={**os.environ, "HOME": str(manual)})
    return {entry.split("\t")[0] for entry in said.splitlines()}


def test_the_program_has_what_is_looked_for(program):
    commands = list(commands_of(program))
    assert ("keys", "create") in commands and ("serve",) in commands
    assert {"--config", "--listen", "--help"} <= options_of(program, "serve")
    assert {"--in", "--never"} <= options_of(program, "keys", "expire")


def test_man_page_has_every_verb_and_option(manual, program):
    page = (manual / "causeway.1").read_text().replace("\\-", "-")
    sections = dict(re.findall(r"^\.SS \\fB(.*?)\\fR\n(.*?)(?=^\.S[SH]|\Z)", page, re.MULTILINE | re.DOTALL))
    for command in commands_of(program):
        section = sections[" ".join(command)]
        for option in options_of(program, *command):
            assert f"\\fB{option}\\fR" in section, (command, option)


def test_man_page_is_well_formed(manual):
    said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", str(manual / "causeway.1")],
                          capture_output=True, text=True, check=False).stdout
    assert not [line for line in said.splitlines() if "missing date" not in line], said


@pytest.mark.parametrize("offers", [bash_offers, fish_offers])
def test_completions_offer_every_verb_and_option(manual, program, offers):
    assert set(verbs_of(program)) <= offers(manual, "")
    for command in commands_of(program):
        assert options_of(program, *command) <= offers(manual, *command, "--"), command
    assert {"create", "rotate"} <= offers(manual, "keys", "")
    assert offers(manual, "serve", "--listen", "") <= {""}


def test_zsh_reads_its_completion_and_finds_every_option_in_it(manual, program):
    run("zsh", "-n", str(manual / "_causeway"))
    text = (manual / "_causeway").read_text()
    lines, verb = {}, ""
    for line in text.splitlines():
        name = line.split(")")[0].strip()
        if re.match(r"    [\w-]+\)", line):  # a verb's own part, or all that it has
            verb = name
        if "_arguments" in line:
            lines[(verb, name) if name != verb else (verb,)] = line
    for command in commands_of(program):
        for option in options_of(program, *command):
            assert f"{option}[" in lines[tuple(command)], (command, option)
