"""Ratios, verdicts and the table."""

import statistics
from dataclasses import dataclass


@dataclass
class Row:
    """One line of the table. `passed` is None for a line that asks nothing or could not be measured."""

    case: str
    asked: str
    measured: str
    passed: bool | None = None
    failed_to_measure: bool = False

    @property
    def verdict(self):
        if self.failed_to_measure:
            return "not measured"
        return {None: "", True: "reached", False: "MISSED"}[self.passed]


@dataclass
class Ratio:
    median: float
    low: float
    high: float

    def __str__(self):
        return f"{self.median:.2f} [{self.low:.2f}–{self.high:.2f}]"


def ratio(rounds, value, base="nginx", name="causeway"):
    """Median and range of the per-round ratios; rounds: [{target name: Measured}]."""
    ratios = [value(measured[name]) / value(measured[base]) for measured in rounds]
    return Ratio(statistics.median(ratios), min(ratios), max(ratios))


def medians(rounds, value, form="{:.1f}"):
    """"floor 12.1, nginx 20.3, causeway 14.6" for the targets of the rounds."""
    return ", ".join(f"{name} " + form.format(statistics.median(value(m[name]) for m in rounds))
                     for name in rounds[0])


def print_table(rows):
    head = Row("case", "asked", "measured")
    cells = [[row.case, row.asked, row.measured, row.verdict] for row in rows]
    cells.insert(0, [head.case, head.asked, head.measured, "verdict"])
    widths = [max(len(line[i]) for line in cells) for i in range(4)]
    for number, line in enumerate(cells):
        print("| " + " | ".join(text.ljust(width) for text, width in zip(line, widths)) + " |")
        if number == 0:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
