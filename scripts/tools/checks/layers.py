"""Holds the #include lines against the one rule of direction.

  app → features · providers · engine · exchange → dialects → core → platform

Never up, and never sideways: a feature does not know another feature, nor a provider another
provider. Within platform everything may use everything, but for base, which stands under all of it.
A folder `detail` is private to the unit that it lies in.
"""

import re

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')

# storey of the house → (height, how many folders of the path make one unit)
STOREYS = {
    "platform": (0, 2),
    "core": (1, 1),
    "dialects": (2, 2),
    "features": (3, 3),
    "providers": (3, 2),
    "engine": (3, 1),
    "exchange": (3, 1),
    "app": (4, 1),
}

# Libraries whose headers are slow to compile or leak names: in .cpp files and detail/ only.
HEAVY = ("boost/asio", "boost/beast", "openssl/", "simdjson", "sqlite3.h", "yaml-cpp/", "spdlog/",
         "hs/", "ares.h", "toml++/")
# What is made of templates around such a library and serves .cpp files only.
HEAVY_ON_PURPOSE = ("src/platform/json/on_demand.h", "src/core/json_walk.h")


def unit(path):
    """(storey, unit) of a path relative to src/: "features/safety/pii/stage.h" →
    ("features", "features/safety/pii"). main.cpp belongs to app."""
    folders = path.split("/")[:-1]
    if not folders:
        return "app", "app"
    storey = folders[0]
    _, depth = STOREYS.get(storey, (None, 1))
    return storey, "/".join(folders[:depth])


def breach(user, used):
    """Why the file `user` may not include `used` (both relative to src/), or None."""
    user_storey, user_unit = unit(user)
    used_storey, used_unit = unit(used)
    for storey in (user_storey, used_storey):
        if storey not in STOREYS:
            return f"{storey}/ is no storey of the house ({', '.join(STOREYS)})"
    if user_unit == used_unit:
        return None
    if "detail" in used.split("/")[:-1]:
        return f"{used} is private to {used_unit}"
    height, used_height = STOREYS[user_storey][0], STOREYS[used_storey][0]
    if used_height > height:
        return f"{user_unit} must not know {used_unit}, which stands above it"
    if used_height == height:
        if user_storey == "platform":
            return "platform/base must not know the rest of platform" \
                if user_unit == "platform/base" else None
        return f"{user_unit} must not know its neighbour {used_unit}"
    return None


def direction(tree):
    problems = []
    for path in tree.cpp:
        if not path.startswith("src/"):
            continue
        user = path.removeprefix("src/")
        if unit(user)[0] not in STOREYS:
            problems.append(f"{path}:1: {breach(user, user)}")
            continue
        for number, line in tree.lines(path):
            found = INCLUDE.match(line)
            if not found or not found[1]:
                continue
            if not (tree.root / "src" / found[1]).is_file():
                problems.append(f'{path}:{number}: "{found[1]}" is not a path from src/')
            elif reason := breach(user, found[1]):
                problems.append(f"{path}:{number}: {reason}")
    return problems


def heavy_headers(tree):
    problems = []
    for path in tree.headers:
        if not path.startswith("src/") or "/detail/" in path or path in HEAVY_ON_PURPOSE:
            continue
        for number, line in tree.lines(path):
            found = INCLUDE.match(line)
            if found and found[2] and found[2].startswith(HEAVY):
                problems.append(f"{path}:{number}: <{found[2]}> belongs into a .cpp file or detail/")
    return problems
