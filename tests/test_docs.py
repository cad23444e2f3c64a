"""The documents say what the program is: generated pages, links, examples, the table of errors."""

import json
import os
import re
import subprocess

import pytest

from gateway import ROOT, run

PAGES = sorted(
    path for path in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("src/**/README.md"),
                      *ROOT.glob("examples/*/README.md"), *ROOT.glob("*/README.md")])
FENCE = re.compile(r"^```(?P<info>[^\n]*)\n(?P<text>.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def name(path):
    return str(path.relative_to(ROOT))


def prose(page):
    """A page without its code blocks and inline code."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", page.read_text()))


@pytest.mark.parametrize("page, flag", [("docs/configuration.md", "--reference"),
                                        ("docs/causeway.schema.json", "--schema")])
def test_generated_page_is_current(page, flag):
    made = run("check", flag)
    assert made.returncode == 0, made.stderr
    assert (ROOT / page).read_text() == made.stdout, f"write it anew: causeway check {flag} > {page}"


def test_page_of_pii_rules_is_current():
    made = run("pii", "types")
    assert made.returncode == 0, made.stderr
    assert (ROOT / "docs/pii-types.md").read_text() == made.stdout, "write it anew: causeway pii types > docs/pii-types.md"


def test_provider_tables_are_what_the_tests_saw():
    """docs/providers/matrix.json is held against the program by test_matrix.py."""
    checked = subprocess.run([str(ROOT / "scripts/provider-table"), "--check"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr + " (scripts/provider-table makes it anew)"


PATH = re.compile(r"(?<=[`*\s(])((?:[\w-]+/)*[\w-]*(?:\.(?:\{h,cpp\}|h|cpp|py|md|json|txt|\*))|(?:src|tests|docs|fuzz)/[\w/-]+/?)(?=[`*\s,:;)]|\.\s)")


@pytest.mark.parametrize("recipe, written_for, there", [
    ("Add a provider", "src/providers/vertex", "src/providers/vertex"),
    ("Add a dialect", "src/dialects/plain", "src/dialects/openai")])
def test_recipes_name_files_that_exist(recipe, written_for, there):
    """What is to be written is named by an example; the second recipe's was thrown away, and says its model."""
    page = (ROOT / "CONTRIBUTING.md").read_text()
    text = re.search(rf"^## {recipe}\n(.*?)^## ", page, re.MULTILINE | re.DOTALL).group(1)
    named = sorted(set(PATH.findall(FENCE.sub("", text).replace(written_for, there))))
    assert len(named) > 15, named
    folders = [ROOT, ROOT / "src", ROOT / there]
    for path in named:
        names = [path.replace("{h,cpp}", ending) for ending in ("h", "cpp")] if "{" in path else [path]
        missing = [n for n in names if not any(list(folder.glob(n)) for folder in folders)]
        assert not missing, f"CONTRIBUTING.md, {recipe}: {missing}"


def test_schema_is_json():
    assert json.loads((ROOT / "docs/causeway.schema.json").read_text())["properties"]


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_somewhere(page):
    for target in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", target) or target.startswith("#"):
            continue
        assert (page.parent / target.partition("#")[0]).exists(), f"{name(page)}: {target}"


def configurations():
    for page in PAGES:
        for at, block in enumerate(FENCE.finditer(page.read_text())):
            if block["info"].strip() == "yaml causeway.yaml":
                yield pytest.param(block["text"], id=f"{name(page)}-{at}")


@pytest.mark.parametrize("text", list(configurations()))
def test_example_is_a_right_configuration(text, tmp_path):
    file = tmp_path / "causeway.yaml"
    file.write_text(text)
    # What an example must have from the environment is set; the value means nothing.
    wanted = {variable: "value-0123456789abcdef" for variable in re.findall(r"\$\{(\w+)\}", text)}
    checked = run("check", str(file), env=wanted)
    assert checked.returncode == 0, checked.stderr


def test_readme_has_a_configuration():
    infos = [block["info"].strip() for block in FENCE.finditer((ROOT / "README.md").read_text())]
    assert "yaml causeway.yaml" in infos


def test_every_kind_of_error_is_in_the_table():
    classes = re.findall(r'ErrorClass\{(\d+), "(\w+)", "(\w+)"\}', (ROOT / "src/core/error.cpp").read_text())
    assert classes
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \| `(\w+)` \|", (ROOT / "docs/errors.md").read_text(),
                      re.MULTILINE)
    assert rows == classes


def test_documented_codes_are_in_the_program():
    page = (ROOT / "docs/errors.md").read_text().partition("## Codes of their own")[2]
    codes = {code for code in re.findall(r"`([a-z]+(?:_[a-z]+)+)`", page)}
    source = "".join(path.read_text() for path in (ROOT / "src").rglob("*.cpp"))
    assert codes
    assert not {code for code in codes if f'"{code}"' not in source}


def test_documents_name_files_that_exist():
    for page in [ROOT / "README.md", *ROOT.glob("docs/*.md"), ROOT / "ARCHITECTURE.md"]:
        named = re.findall(r"`((?:src|tests|scripts|docs|examples|fuzz|bench)/[\w./-]+)`", page.read_text())
        for path in named:
            if re.search(r"/[A-Z]+\b(?!\.)", path):  # GROUP/NAME stands for any
                continue
            assert os.path.exists(ROOT / path), f"{name(page)}: {path}"
