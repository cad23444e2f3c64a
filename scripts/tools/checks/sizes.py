"""A file that wants to grow past 500 lines wants to be two."""

CODE = (".h", ".cpp", ".py", ".js", ".mjs", ".ts", ".css", ".cmake", ".sh")
MOST = 500
AIM = {".h": 150, ".cpp": 300}


def lengths(tree):
    """[(path, lines)] of all files with code."""
    return [(path, sum(1 for _ in tree.lines(path))) for path in tree.files
            if path.endswith(CODE) or path.startswith("scripts/") and "." not in path]


def file_sizes(tree):
    return [f"{path}:{lines}: {lines} lines, the most is {MOST}"
            for path, lines in lengths(tree) if lines > MOST]


def above_aim(tree):
    """Not wrong, but worth a thought."""
    notes = []
    for path, lines in lengths(tree):
        aim = AIM.get("." + path.rpartition(".")[2], MOST)
        if aim < lines <= MOST:
            notes.append(f"{path}: {lines} lines, aim at {aim}")
    return notes
