#!/usr/bin/env python3
"""Unpacks a file that was packed with gzip: gunzip.py FILE RESULT"""

import gzip
import shutil
import sys


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with gzip.open(sys.argv[1]) as source, open(sys.argv[2], "wb") as target:
        shutil.copyfileobj(source, target)


if __name__ == "__main__":
    main()
