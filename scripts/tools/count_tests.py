#!/usr/bin/env python3
"""count_tests.py FOLDER: prints "passed failed skipped" of the results that lie there: JUnit files
(*.xml, as GoogleTest, pytest and Node write them) and a file "list" with "pass NAME", "fail NAME"."""

import sys
import xml.etree.ElementTree as xml
from pathlib import Path


def count_junit(path):
    passed = failed = skipped = 0
    for case in xml.parse(path).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
        elif "skipped" in kinds or case.get("status") == "notrun":
            skipped += 1
        else:
            passed += 1
    return passed, failed, skipped


def count(folder):
    totals = [0, 0, 0]
    for path in sorted(folder.rglob("*.xml")):
        try:
            counted = count_junit(path)
        except xml.ParseError:  # a test program that died while it wrote
            counted = (0, 1, 0)
        totals = [a + b for a, b in zip(totals, counted)]
    listing = folder / "list"
    if listing.exists():
        words = [line.split()[0] for line in listing.read_text().splitlines() if line]
        totals[0] += words.count("pass")
        totals[1] += words.count("fail")
    return totals


if __name__ == "__main__":
    print(*count(Path(sys.argv[1])))
