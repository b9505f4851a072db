"""A part of the random graphs (`python -m tests.loops`), and whether they find what is broken."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.loops.mutants import MUTANTS
from tests.waiting import HANGS

pytestmark = pytest.mark.slow


def loops(*options: str) -> subprocess.CompletedProcess[str]:
    """The graphs in a process of its own: what is taken from the program there stays there."""
    return subprocess.run(
        [sys.executable, "-m", "tests.loops", *options],
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


def test_every_graph_comes_to_rest_with_the_copies_that_it_implies() -> None:
    done = loops("--graphs", "200", "--seed", "3")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "200 graphs" in done.stdout


@pytest.mark.parametrize("mutant", [name for name in MUTANTS if name])
def test_a_guard_that_is_missing_is_found(mutant: str) -> None:
    done = loops("--graphs", "200", "--seed", "3", "--mutant", mutant)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FOUND" in done.stdout


def test_a_graph_repeats_itself() -> None:
    first, second = (loops("--seed", "3", "--only", "4").stdout for _ in range(2))
    assert len(first.splitlines()) > 10
    assert re.sub(r"in \d.*graphs/s", "", first) == re.sub(r"in \d.*graphs/s", "", second)
