"""What must not stand in any file: places of one machine, hosts of registries, open ends."""

import re

# Written in two halves, so that this file passes its own check.
REGISTRY_HOSTS = [".".join(halves) for halves in (
    ("pypi", "org"), ("pythonhosted", "org"), ("registry.npmjs", "org"), ("static.crates", "io"),
    ("index.crates", "io"), ("proxy.golang", "org"), ("repo1.maven", "org"),
    ("repo.maven.apache", "org"), ("deb.debian", "org"), ("security.debian", "org"),
    ("archive.ubuntu", "com"))]

RULES = [
    (re.compile(r"(?<![\w.$}~/-])/(?:root|work|Users|home/\w+)/"),
     "a path of one machine"),
    (re.compile("|".join(map(re.escape, REGISTRY_HOSTS))),
     "a registry's host: its client knows where it is"),
    (re.compile(r"\bTODO\b(?!\((?:perf|security|test|cleanup|kind)\):)"),
     "TODO(kind): with kind perf, security, test or cleanup"),
    (re.compile(r"\b(?:FIXME|XXX|HACK)\b"),
     "finish it, or write TODO(kind):"),
]

# Data whose text is not ours to choose, and the tests of these rules.
EXEMPT = re.compile(r"^tests/scripts/test_check\.py$|^scripts/tools/checks/words\.py$"
                    r"|^tests/data/|^fuzz/corpus/|^LICENSE")


def forbidden_words(tree):
    problems = []
    for path in tree.files:
        if EXEMPT.search(path):
            continue
        for number, line in tree.lines(path):
            for pattern, reason in RULES:
                if found := pattern.search(line):
                    problems.append(f"{path}:{number}: {found[0]!r}: {reason}")
    return problems


def unfinished_merges(tree):
    return [f"{path}:{number}: a conflict mark" for path in tree.files
            for number, line in tree.lines(path) if re.match(r"^(?:<{7}|>{7}) ", line)]
