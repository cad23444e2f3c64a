"""Forms around co_await that g++ 12 compiles wrongly; CONTRIBUTING.md tells what to write instead."""

import re

# Comments and literals, so that only code is looked at; what they hold is blanked, lines stay.
NOT_CODE = re.compile(r'//[^\n]*|/\*.*?\*/|R"(\w*)\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
                      r"|(?<!\w)'(?:\\.|[^'\\\n])+'", re.DOTALL)
# In either branch: "? co_await f() : x", "? x : co_await f()", inside one statement.
BRANCH = re.compile(r"\?\s*co_await\b|\?[^;{}?]*[^:]:\s*co_await\b")
WHILE = re.compile(r"\bwhile\s*\(")
AWAIT = re.compile(r"\bco_await\b")


def code_of(text):
    return NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)


def condition(code, begin):
    """What stands between the parenthesis at `begin` and its partner."""
    depth = 0
    for at in range(begin, len(code)):
        depth += (code[at] == "(") - (code[at] == ")")
        if depth == 0:
            return code[begin:at]
    return code[begin:]


def miscompiled(tree):
    problems = []
    for path in tree.cpp:
        code = code_of(tree.text(path) or "")
        if "co_await" not in code:
            continue
        found = [(match.end(), "co_await in a branch of ?:, write an if") for match in BRANCH.finditer(code)]
        found += [(match.end(), "co_await in the condition of while, give its value a name first")
                  for match in WHILE.finditer(code)
                  if AWAIT.search(condition(code, match.end() - 1))]
        problems += [f"{path}:{code.count(chr(10), 0, at) + 1}: {what} (g++ 12 compiles it wrongly)"
                     for at, what in sorted(found)]
    return problems
