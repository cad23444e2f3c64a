"""How well `complexity: easy` tells what a small local model answers right, on questions with known answers.

  scripts/bench complexity                the measuring half
  scripts/bench complexity --half tune    the tuning half;  --wrong shows its mistakes
  scripts/bench complexity --label        asks the embedded model what has no label yet (about 100 questions a minute)

Quality is the share of all questions that are answered right, where the cloud answers all of them right and the local
model those labelled easy. "by chance" is the quality of sending as many to the local model without looking at them,
"at best" of a router that knows the answers. "confidence" asks the local model first and keeps its answer where the
geometric mean of its tokens' probabilities is at least so much (`escalate`); "both" asks it only what scores less than
`easy_below`.
"""

import argparse
from collections import defaultdict

from . import signs
from .label import label
from .questions import read

THRESHOLDS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.01]
CONFIDENCES = [0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8]
BOTH = [(0.4, 0.4), (0.5, 0.4), (0.5, 0.5), (0.5, 0.6), (0.6, 0.5), (0.6, 0.6)]  # easy_below, below


def routed(questions, scores, threshold):
    """Share kept local, and share answered right."""
    local = [question for question, score in zip(questions, scores) if score < threshold]
    wrong = sum(question["label"] == "hard" for question in local)
    return len(local) / len(questions), 1 - wrong / len(questions)


def kept(questions, is_kept):
    """The same, of those that are kept."""
    local = [question for question in questions if is_kept(question)]
    wrong = sum(question["label"] == "hard" for question in local)
    return len(local) / len(questions), 1 - wrong / len(questions)


def print_confidence(questions, scores):
    areas = [area(questions, [-question["confidence"][at] for question in questions]) for at in (0, 1)]
    print(f"\nconfidence     whole answer    first 16 tokens   (area under the curve {areas[0]:.3f}, {areas[1]:.3f})\n"
          "below         local  quality    local  quality")
    for below in CONFIDENCES:
        curves = [kept(questions, lambda question, at=at: question["confidence"][at] >= below) for at in (0, 1)]
        print(f"{below:10.2f}" + "".join(f"{local:9.3f}{quality:9.3f}" for local, quality in curves))
    print("\nboth, by the first 16 tokens (asked: put to the local model at all)\neasy_below  below  asked  local  quality")
    score = {question["text"]: number for question, number in zip(questions, scores)}
    for easy, below in BOTH:
        asked, _ = kept(questions, lambda question: score[question["text"]] < easy)
        local, quality = kept(questions, lambda question: score[question["text"]] < easy
                              and question["confidence"][1] >= below)
        print(f"{easy:10.2f}{below:7.2f}{asked:7.3f}{local:7.3f}{quality:9.3f}")


def area(questions, scores):
    """Of two questions, an easy and a hard one: how often the hard one scores more."""
    easy = [s for q, s in zip(questions, scores) if q["label"] == "easy"]
    hard = [s for q, s in zip(questions, scores) if q["label"] == "hard"]
    return sum((h > e) + 0.5 * (h == e) for h in hard for e in easy) / (len(easy) * len(hard))


def print_curve(questions, scores, usual):
    alone = sum(q["label"] == "easy" for q in questions) / len(questions)
    print(f"\nthreshold  local  quality  by chance  at best   (always local: {alone:.3f}, always cloud: 1.000)")
    for threshold in sorted([*THRESHOLDS, usual]):
        local, quality = routed(questions, scores, threshold)
        print(f"{threshold:9.2f}{local:7.2f}{quality:9.3f}{1 - local * (1 - alone):11.3f}{1 - max(0, local - alone):9.3f}"
              + ("   as set by default" if threshold == usual else ""))


def print_kinds(questions, scores, usual):
    kinds = defaultdict(list)
    for question, score in zip(questions, scores):
        kinds[question["kind"]].append((question["label"] == "easy", score < usual))
    print("\nkind                 all  answered  kept local  of these right")
    for kind, pairs in sorted(kinds.items()):
        local = [easy for easy, kept in pairs if kept]
        print(f"{kind:18}{len(pairs):6}{sum(easy for easy, _ in pairs):10}{len(local):12}{sum(local):16}")


def main(arguments):
    parser = argparse.ArgumentParser(prog="scripts/bench complexity", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=["tune", "measure"], default="measure")
    parser.add_argument("--wrong", action="store_true")
    parser.add_argument("--label", action="store_true")
    parser.add_argument("--program", default=signs.ROOT / "build" / "release" / "causeway", help="for --label")
    options = parser.parse_args(arguments)
    if options.label:
        label(options.program)
    everything = read()
    questions = [question for question in everything if question["half"] == options.half]
    program = signs.build()
    usual, _, scores, _ = signs.ask(program, questions)
    by_rule = sum(question["from"] == "rule" for question in questions)
    print(f"{len(everything)} questions; the half for \"{options.half}\": {len(questions)}, "
          f"{by_rule} of them hard by rule, {len(questions) - by_rule} labelled by what the model said")
    right = sum((score < usual) == (q["label"] == "easy") for q, score in zip(questions, scores))
    hard = sum(q["label"] == "hard" for q in questions)
    print(f"accuracy {right / len(questions):.3f} (all called hard: {hard / len(questions):.3f}), "
          f"area under the curve {area(questions, scores):.3f}")
    print_curve(questions, scores, usual)
    print_confidence(questions, scores)
    print_kinds(questions, scores, usual)
    print("\n" + signs.speed(program), end="")
    # What is for measuring only is not shown, so that nobody tunes by it.
    if options.wrong and options.half == "tune":
        for question, score in sorted(zip(questions, scores), key=lambda pair: pair[1]):
            if (score < usual) != (question["label"] == "easy"):
                print(f"{score:.2f} {question['label']:5} {question['text'][:90]!r} {question.get('said', '')[:60]!r}")
    return 0
