"""That the benchmark runs and finds everything where it should be; its figures are not judged."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_benchmark_measures_every_direction(tmp_path: Path) -> None:
    report = tmp_path / "performance.md"
    subprocess.run(
        [
            *(sys.executable, "-m", "tests.bench", "--rounds", "1", "--posts", "10"),
            *("--idle", "1", "--write", str(report)),
        ],
        check=True,
        capture_output=True,
        cwd=Path(__file__).parents[1],
    )
    text = report.read_text()
    names = ("mastodon", "bluesky", "twitter")
    for source in names:
        for target in names:
            assert (f"| {source} to {target} |" in text) == (source != target)
    assert "| 1,000 |" in text
