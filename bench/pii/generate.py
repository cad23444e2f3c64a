"""The labelled set: sentences with spans, the same for the same seed. `python3 generate.py` prints it as JSON lines."""

import json
import random
import re
import sys
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from templates import NEGATIVES, TEMPLATES  # noqa: E402
from values import Values  # noqa: E402

SLOT = re.compile(r"\{(\w+)\}")
ROUNDS = {"en": 24, "de": 12, "fr": 12, "es": 12, "it": 12, "nl": 12}  # of each template
NEGATIVE_ROUNDS = 15


@dataclass
class Sentence:
    text: str
    language: str
    half: str  # "tune" or "measure"
    spans: list = field(default_factory=list)  # [begin, end, kind], in characters


def templates_of(language):
    """A template may go over two lines: the next one begins with a capital or with {, after a sign of an end."""
    joined, out = TEMPLATES[language].split("\n"), []
    for line in joined:
        continues = out and (out[-1].endswith((",", "key:", "one:")) or out[-1] == "Mit freundlichen Grüßen")
        if continues:
            out[-1] += "\n" + line
        else:
            out.append(line)
    return out


def fill(template, values, language, half):
    text, spans, at = "", [], 0
    for slot in SLOT.finditer(template):
        text += template[at:slot.start()]
        value = getattr(values, slot[1])()
        kind = "person" if slot[1] == "titled" else slot[1]
        spans.append([len(text), len(text) + len(value), kind])
        text += value
        at = slot.end()
    return Sentence(text + template[at:], language, half, spans)


def harmless(r, name):
    if name.startswith("int"):
        return str(r.randint(10 ** (int(name[3]) - 1), 10 ** int(name[3]) - 1))
    hexes = "0123456789abcdef"
    return {"v3": lambda: f"{r.randint(0, 9)}.{r.randint(0, 30)}.{r.randint(0, 40)}", "v4": lambda: f"{r.randint(1, 130)}.{r.randint(0, 9)}.{r.randint(0, 250)}.{r.randint(0, 250)}",
            "sku": lambda: f"{''.join(r.choice('ABCDEFGHKLMNP') for _ in range(3))}-{r.randint(1000, 99999)}{r.choice(['', '-B', '/2'])}",
            "sha1": lambda: "".join(r.choice(hexes) for _ in range(40)), "sha256": lambda: "".join(r.choice(hexes) for _ in range(64)),
            "hex8": lambda: "0x" + "".join(r.choice(hexes) for _ in range(8)), "uuid": lambda: str(uuid.UUID(int=r.getrandbits(128), version=4)),
            "float": lambda: f"{r.uniform(0, 1000):.4f}", "year": lambda: str(r.randint(1990, 2026)),
            "stamp": lambda: f"{r.randint(2019, 2026)}-{r.randint(1, 12):02d}-{r.randint(1, 28):02d}T{r.randint(0, 23):02d}:{r.randint(0, 59):02d}:{r.randint(0, 59):02d}.{r.randint(0, 999):03d}Z"}[name]()


def labelled_set(seed=2026):
    r, out = random.Random(seed), []
    for language, rounds in ROUNDS.items():
        values = Values(r, language)
        for number, template in enumerate(templates_of(language)):
            half = "tune" if number % 2 == 0 else "measure"
            out += [fill(template, values, language, half) for _ in range(rounds)]
    for number, template in enumerate(NEGATIVES.split("\n")):
        half = "tune" if number % 2 == 0 else "measure"
        for _ in range(NEGATIVE_ROUNDS):
            text = SLOT.sub(lambda slot: harmless(r, slot[1]), template.replace("{{}}", "{}"))
            out.append(Sentence(text, "none", half))
    return out


if __name__ == "__main__":
    for sentence in labelled_set():
        print(json.dumps(asdict(sentence), ensure_ascii=False))
