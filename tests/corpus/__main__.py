"""The corpus from the command line: `python -m tests.corpus [--update] [WORD...]`.

Shows what differs from what the cases expect, or with `--update` writes it into them. Words choose
the cases whose names hold one of them.
"""

from __future__ import annotations

import argparse
import sys

from tests.corpus import CASES, cases, matrix, outcome
from tests.corpus.form import difference, rewrite


def main() -> int:
    """1 if a case differs and was not written."""
    arguments = argparse.ArgumentParser(prog="python -m tests.corpus", description=__doc__)
    arguments.add_argument("--update", action="store_true", help="write what comes of each case")
    arguments.add_argument("words", nargs="*", help="only cases whose names hold one of these")
    said = arguments.parse_args()
    count = different = 0
    for case in cases():
        if said.words and not any(word in case.file.name for word in said.words):
            continue
        count += 1
        found = outcome(case)
        if found == case.to:
            continue
        different += 1
        if said.update:
            rewrite(case.file, found)
            print(f"wrote {case.file.name}")
        else:
            print(difference(case, found))
    if said.update:
        matrix.PAGE.write_text(matrix.page(list(cases())), "utf-8")
    print(f"{count} cases in {CASES.name}/, {different} {'written' if said.update else 'differ'}")
    empty = matrix.without_case(list(cases()))
    print(f"{len(empty)} cells of the matrix have no case", *empty, sep="\n  ")
    return 1 if different and not said.update else 0


if __name__ == "__main__":
    sys.exit(main())
