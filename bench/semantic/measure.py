"""How often a kept answer would be given for a question that means the same, and for one that does not.

  scripts/bench semantic                   both halves, with the similarities that are kept in the tree
  scripts/bench semantic --renew           embeds the set through the running program first
  scripts/bench semantic --wrong           shows the mistakes of the tuning half; nothing of the measuring half

"hits" is the share of true paraphrases that would be answered, "false" that of look-alikes, "loose" that of
look-alikes against the paraphrase, which is worded otherwise, "crowd" that of texts that get the answer to a question
of another line (tests/data/paraphrases/README.md). The threshold is picked on the tuning half: the lowest with at most
2 % false, loose and crowd each. "late" was written when the gate was done, by someone who knew where it looks; "blind" by someone who had not read it.
"""

import argparse
import subprocess
from collections import Counter
from pathlib import Path

from .embed import cosine, embed

ROOT = Path(__file__).resolve().parents[2]
SET = ROOT / "tests" / "data" / "paraphrases"
CROWD = SET / "crowd.tsv"
SIMILARITIES = SET / "similarities.tsv"
THRESHOLDS = [t / 100 for t in range(50, 100, 5)]
FALSE_AT_MOST = 0.02
UNSEEN = ("late", "blind")  # files in neither half: nothing was tuned with them
NEAREST = 3  # questions of other lines that every text is compared with


def half_of(question):
    value = 0xCBF29CE484222325
    for byte in question.encode():
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return "measure" if value % 2 else "tune"


def read():
    rows = []
    for path in sorted(SET.glob("*.tsv")):
        if path in (SIMILARITIES, CROWD):
            continue
        for line in path.read_text().splitlines():
            language, kind, question, same, other = line.split("\t")
            rows.append({"language": language, "kind": kind, "texts": (question, same, other),
                         "half": path.stem if path.stem in UNSEEN else half_of(question)})
    return rows


def renew(rows, program):
    texts = [text for row in rows for text in row["texts"]]
    vectors = embed(program, texts)
    lines, crowd = [], []
    for i, row in enumerate(rows):
        question, same, other = vectors[3 * i:3 * i + 3]
        lines.append(f"{cosine(question, same):.4f}\t{cosine(question, other):.4f}\t{cosine(same, other):.4f}"
                     f"\t{row['texts'][0]}\n")
        for which in (1, 2):
            near = sorted(((cosine(vectors[3 * i + which], vectors[3 * k]), k) for k in range(len(rows))
                           if k != i and rows[k]["texts"][0] not in row["texts"]), reverse=True)
            crowd += [f"{value:.4f}\t{row['texts'][which]}\t{rows[k]['texts'][0]}\t{row['half']}\n"
                      for value, k in near[:NEAREST] if value >= 0.5]
    SIMILARITIES.write_text("".join(lines))
    CROWD.write_text("".join(crowd))


def build(preset_folder="release-bench"):
    folder = ROOT / "build" / preset_folder
    quiet = {"cwd": ROOT, "check": True, "stdout": subprocess.DEVNULL}
    subprocess.run(["cmake", "--preset", "release", "-B", folder, "-DCAUSEWAY_BENCH=ON", "-DCAUSEWAY_TESTS=OFF"], **quiet)
    subprocess.run(["cmake", "--build", folder, "--target", "causeway_similar"], **quiet)
    return folder / "bench" / "micro" / "causeway_similar"


PAIRS = [(0, 1), (0, 2), (1, 2)]  # paraphrase, look-alike, loose


def judge(rows, crowd, tool):
    """What the gate says of all pairs: "same", or why not."""
    pairs = [(row["texts"][i], row["texts"][k]) for row in rows for i, k in PAIRS] + [near["texts"] for near in crowd]
    lines = "".join(f"{one}\t{other}\n" for one, other in pairs)
    done = subprocess.run([tool], input=lines, capture_output=True, text=True, check=True).stdout.splitlines()
    kept = [line.split("\t") for line in SIMILARITIES.read_text().splitlines()]
    if [line[3] for line in kept] != [row["texts"][0] for row in rows]:
        raise SystemExit("the set has changed: scripts/bench semantic --renew")
    for i, row in enumerate(rows):
        row["near"] = [float(value) for value in kept[i][:3]]
        row["gate"] = done[3 * i:3 * i + 3]
    for near, said in zip(crowd, done[3 * len(rows):]):
        near["gate"] = said


def read_crowd():
    lines = [line.split("\t") for line in CROWD.read_text().splitlines()]
    return [{"near": float(near), "texts": (looked_up, question), "half": half} for near, looked_up, question, half in lines]


def rates(rows, crowd, threshold, gate):
    """Hits, false, loose, crowd."""
    shares = [sum(row["near"][which] >= threshold and (not gate or row["gate"][which] == "same")
                  for row in rows) / len(rows) for which in range(3)]
    answered = {near["texts"][0] for near in crowd
                if near["near"] >= threshold and (not gate or near["gate"] == "same")}
    return [*shares, len(answered) / (2 * len(rows))]


def pick(rows, crowd):
    for step in range(50, 100):
        if max(rates(rows, crowd, step / 100, True)[1:]) <= FALSE_AT_MOST:
            return step / 100
    return 1.0


def print_curve(name, rows, crowd, picked):
    print(f"\n{name}: {len(rows)} paraphrases, {len(rows)} look-alikes")
    print("threshold       similarity alone                  with the gate")
    print("             hits   false   loose   crowd     hits   false   loose   crowd")
    for threshold in sorted({*THRESHOLDS, picked}):
        alone, gated = rates(rows, crowd, threshold, False), rates(rows, crowd, threshold, True)
        print(f"{threshold:9.2f}" + "".join(f"{rate:8.3f}" for rate in alone) + " "
              + "".join(f"{rate:8.3f}" for rate in gated)
              + ("   picked on the tuning half" if threshold == picked else ""))


def print_wrong(rows, crowd, picked):
    print("\nparaphrases of the tuning half that are not answered, and look-alikes that are")
    for row in rows:
        if row["near"][0] < picked or row["gate"][0] != "same":
            print(f"  missed  {row['near'][0]:.2f} {row['gate'][0]:12} {row['texts'][0]} | {row['texts'][1]}")
        if row["near"][1] >= picked and row["gate"][1] == "same":
            print(f"  false   {row['near'][1]:.2f} {row['kind']:12} {row['texts'][0]} | {row['texts'][2]}")
        if row["near"][2] >= picked and row["gate"][2] == "same":
            print(f"  loose   {row['near'][2]:.2f} {row['kind']:12} {row['texts'][1]} | {row['texts'][2]}")
    for near in crowd:
        if near["near"] >= picked and near["gate"] == "same":
            print(f"  crowd   {near['near']:.2f} {'':12} {near['texts'][0]} | {near['texts'][1]}")


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench semantic", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--renew", action="store_true")
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--program", default=ROOT / "build" / "release" / "causeway")
    parser.add_argument("--tool", help="causeway_similar, where it is built already")
    options = parser.parse_args(arguments)
    rows = read()
    if options.renew:
        renew(rows, options.program)
    crowd = read_crowd()
    judge(rows, crowd, options.tool or build())
    halves = {half: ([row for row in rows if row["half"] == half], [near for near in crowd if near["half"] == half])
              for half in ("tune", "measure", *UNSEEN)}
    picked = pick(*halves["tune"])
    for half, (of_half, of_crowd) in halves.items():
        print_curve(half, of_half, of_crowd, picked)
    why = Counter(row["gate"][0] for row in halves["tune"][0] if row["gate"][0] != "same")
    print("\nparaphrases of the tuning half that the gate refuses, by reason:", dict(why))
    if options.wrong:
        print_wrong(*halves["tune"], picked)
    return 0
