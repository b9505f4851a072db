"""A part of the crash harness (`python -m tests.crash`), and whether it finds what is broken."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.waiting import HANGS

pytestmark = pytest.mark.slow


def crash(*options: str) -> subprocess.CompletedProcess[str]:
    """The harness in a process of its own: it forks, which a process with threads should not."""
    return subprocess.run(
        [sys.executable, "-m", "tests.crash", *options],
        capture_output=True,
        text=True,
        timeout=HANGS,
        check=False,
    )


@pytest.mark.parametrize(
    ("flavour", "kills", "commands"), [("mastodon", 80, 6), ("gotosocial", 60, 2)]
)
def test_nothing_is_lost_or_doubled_however_often_the_process_is_killed(
    flavour: str, kills: int, commands: int
) -> None:
    done = crash(
        *("--kills", f"{kills}", "--commands", f"{commands}", "--seed", "5", "--flavour", flavour)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{kills} kills ({commands} of them the real command)" in done.stdout
    assert "0 lost, 0 doubled" in done.stdout


@pytest.mark.parametrize(
    ("mutant", "seed", "more"),
    [
        ("no-sending", 5, ()),
        ("no-key", 3, ()),
        ("no-match", 5, ()),
        # where the server keeps no keys; elsewhere sending again is mostly harmless
        ("no-settle", 5, ("--flavour", "gotosocial")),
        # a part waits for the one before it where that could not be sent
        ("no-wait", 2, ("--faults", "0.6")),
        ("no-version", 5, ()),
        ("early-deleted", 5, ()),
        ("no-gone", 5, ()),
    ],
)
def test_the_harness_finds_a_protocol_that_lacks_a_step(
    mutant: str, seed: int, more: tuple[str, ...]
) -> None:
    options = ("--kills", "120", "--seed", f"{seed}", "--points", "named", "--mutant", mutant)
    done = crash(*options, *more)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "FOUND in round" in done.stdout


def test_a_seed_repeats_itself_where_no_timer_chooses() -> None:
    options = ("--kills", "12", "--seed", "8", "--points", "named", "--verbose")
    first, second = (
        [
            re.sub(r"127\.0\.0\.1:\d+", "server", line)
            for line in crash(*options).stdout.splitlines()
            if " kills/s" not in line
        ]
        for _ in range(2)
    )
    assert len(first) > 5
    assert first == second
