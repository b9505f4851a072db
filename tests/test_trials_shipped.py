"""The tests of the bots that come along: they pass, and fail as one would read it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from bridge.config import examine
from bridge.trials import run
from tests.pages import ROOT
from tests.waiting import HANGS

BOTS = sorted((ROOT / "bots").glob("*.yaml"))
#: beside the letters of Latin, those of which a test must be
SCRIPTS = {
    "Arabic": "[\u0600-\u06ff]",
    "Japanese": "[\u3040-\u30ff]",
    "Latin with marks": "[æøåäöüß]",
}


def tribridge(*args: str, cwd: Path) -> tuple[int, str]:
    """The command in a process of its own, with no variable that it could need."""
    environ = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    command = [sys.executable, "-m", "bridge", "test", *args]
    done = subprocess.run(
        command, cwd=cwd, env=environ, text=True, capture_output=True, check=False, timeout=HANGS
    )
    return done.returncode, done.stdout + done.stderr


def test_all_of_bots_are_tested_and_pass_without_any_secret() -> None:
    code, said = tribridge("--config", "config.example.yaml", cwd=ROOT)
    assert code == 0, said
    assert [line for line in said.splitlines() if line.startswith(("city", "newsroom"))] == [
        "city-answers: 2 tests, passed",
        "city: 5 tests, passed",
        "newsroom: 6 tests, passed",
    ]
    assert "signed: 2 tests, passed" in said


def test_they_pass_whatever_the_defaults_of_a_configuration_are(tmp_path: Path) -> None:
    example = yaml.safe_load((ROOT / "config.example.yaml").read_text(encoding="utf-8"))
    (tmp_path / "config.yaml").write_text(yaml.safe_dump({"accounts": example["accounts"]}))
    (tmp_path / "bots").mkdir()
    for file in BOTS:
        shutil.copy(file, tmp_path / "bots")
    files = examine(tmp_path / "config.yaml", {}, offline=True)
    assert files.problems == ()
    assert set(files.trials) == {file.stem for file in BOTS}
    results, problems = run(files, files.trials)
    assert [result.failures for result in results if result.failures] == []
    assert (len(results) >= 13, problems) == (True, [])


@pytest.mark.parametrize("script", SCRIPTS)
def test_posts_are_in_several_scripts(script: str) -> None:
    assert any(re.search(SCRIPTS[script], file.read_text(encoding="utf-8")) for file in BOTS)


def test_a_changed_expectation_is_a_diff_with_its_line(tmp_path: Path) -> None:
    for name in ("config.example.yaml", "bots"):
        copy = shutil.copytree if name == "bots" else shutil.copy
        copy(ROOT / name, tmp_path / name)
    file = tmp_path / "bots" / "newsroom.yaml"
    text = file.read_text(encoding="utf-8")
    assert text.count("card: https://avis.example/bru") == 1
    file.write_text(text.replace("card: https://avis.example/bru", "card: none"), encoding="utf-8")
    line = text[: text.index("newsroom_bluesky:\n        text")].count("\n") + 2
    code, said = tribridge("newsroom", "--config", "config.example.yaml", cwd=tmp_path)
    assert (code, said) == (
        1,
        f"bots/newsroom.yaml:{line}:9: newsroom: a link gets a card on Bluesky, to newsroom_bluesky\n"
        "--- expected\n"
        "+++ what comes of it\n"
        " text: 'Brua over elva er open att: avis.example/bru #trafikk'\n"
        "-card: none\n"
        "+card: https://avis.example/bru\n"
        " language: nn\n"
        " losses: []\n"
        "\n"
        "newsroom: 6 tests, 1 failed\n",
    )
