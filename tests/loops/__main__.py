"""Random graphs, one after the other: `python -m tests.loops --graphs 2000 --seed 1`.

Every graph repeats itself exactly: `--only N` runs the N-th graph of a seed alone, and tells all.
Exits with 1 at the first graph that does not come to rest with the copies that it implies.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.loops.mutants import MUTANTS
from tests.loops.run import run


def main(options: argparse.Namespace) -> int:
    """Run, print, and return the exit code."""
    print(f"seed {options.seed}", flush=True)
    MUTANTS[options.mutant]()
    numbers = range(options.graphs) if options.only is None else [options.only]
    held: Counter[str] = Counter()
    copies = unclear = 0
    began = time.monotonic()
    for number in numbers:
        tell = print if options.only is not None else lambda _: None
        with tempfile.TemporaryDirectory(dir=_fast()) as folder:
            verdict = run(f"{options.seed}:{number}", Path(folder), tell=tell)
        if verdict.wrong:
            print(f"FOUND in graph {number}:", *verdict.wrong[:12], sep="\n  ")
            mutant = f" --mutant {options.mutant}" if options.mutant else ""
            print(f"again: python -m tests.loops --seed {options.seed} --only {number}{mutant}")
            return 1
        copies += verdict.copies
        unclear += verdict.unclear
        held += verdict.held
    seconds = time.monotonic() - began
    print(
        f"{len(numbers)} graphs in {seconds:.0f} s ({len(numbers) / seconds:.1f} graphs/s),"
        f" {copies} copies due: all at rest, nothing missing, doubled or astray"
    )
    print(f"{unclear} originals that nobody could tell from a copy; given up:")
    for reason, count in held.most_common():
        print(f"  {count:5} {reason}")
    return 0


def _fast() -> str | None:
    """A folder in memory, where there is one."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.loops")
    parser.add_argument("--graphs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--only", type=int, help="only this graph of the seed, and all about it")
    parser.add_argument("--mutant", choices=sorted(MUTANTS), default="")
    return parser.parse_args()


if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # the order of sets must be the same for a seed to repeat itself
        os.environ["PYTHONHASHSEED"] = "0"
        os.execv(sys.executable, [sys.executable, "-m", "tests.loops", *sys.argv[1:]])
    sys.exit(main(_options()))
