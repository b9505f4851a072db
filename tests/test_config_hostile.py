"""Whatever a file holds, reading it ends soon: in a configuration or a list of problems."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bridge.config import ConfigError, load
from bridge.config.patterns import length
from tests.config_files import ACCOUNTS, complaints, load_text

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def told(data: bytes) -> str:
    Path("config.yaml").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load(Path("config.yaml"), {})
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: \xe5\n", "2:4: this byte is not UTF-8; save the file as UTF-8"),
        (b"\xef\xbb\xbfa: \xff", "1:4: this byte is not UTF-8; save the file as UTF-8"),
        ("a: ø\n".encode("utf-16"), "1:1: this byte is not UTF-8; save the file as UTF-8"),
        ("# ø\nb: \0".encode(), "2:4: the control character U+0000 stands here; remove it"),
        (
            b"#" + b" " * 1024 * 1024,
            "1:1: the file is larger than 1 MiB; put bots into files in bots/",
        ),
    ],
)
def test_a_file_that_is_no_text(data: bytes, message: str) -> None:
    assert told(data) == "config.yaml:" + message


@pytest.mark.parametrize(
    "start", ["[", "{", "- ", "? ", "[\n", "[a,", "{a: ", "a: [[[[\n", "!", "*", "&a "]
)
def test_a_file_of_nothing_but_beginnings_is_one_problem(start: str) -> None:
    assert re.fullmatch(r"config.yaml:\d+:\d+: .*", told((start * 1_000_000)[:1_000_000].encode()))


@pytest.mark.parametrize(
    ("opened", "closed", "column"), [("[", "]", 65), ("{a: ", "}", 254), ("- ", "x", 129)]
)
def test_nesting_ends_at_64_levels(opened: str, closed: str, column: int) -> None:
    deep = opened * 65 + closed * 65
    assert told(deep.encode()) == f"config.yaml:1:{column}: nested deeper than 64 levels"
    assert "nested" not in told((opened * 63 + closed * 63).encode())


def test_aliases_count_as_often_as_they_are_used() -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert told("\n".join(lines).encode()) == (
        "config.yaml:6:40: more than 100,000 values, aliases expanded; put bots into bots/"
    )


def test_a_file_of_mistakes_is_answered_whole_with_suggestions_for_the_first() -> None:
    told = complaints("".join(f"zone{n}: x\n" for n in range(20_000)))
    assert len(told) == 20_000
    assert told[0] == "1:1: unknown setting 'zone0'; did you mean 'timezone'?"
    assert told[-1] == "20000:1: unknown setting 'zone19999'"


def test_accounts_make_only_so_many_pairs() -> None:
    names = [f"m{n}" for n in range(318)]
    accounts = "".join(
        f"  {name}: {{network: mastodon, server: https://a.example, access_token: {name}}}\n"
        for name in names
    )
    bots = f"bots:\n  a: {{from: m0, to: m1}}\n  b: {{between: [{', '.join(names)}]}}\n"
    assert complaints(bots + "accounts:\n" + accounts) == [
        "3:3: more than 100,000 pairs of accounts up to this bot"
    ]


def test_a_pipe_in_bots_is_not_waited_for() -> None:
    Path("bots").mkdir()
    os.mkfifo("bots/a.yaml")
    assert complaints(ACCOUNTS) == ["bots/a.yaml:1:1: this is not an ordinary file"]


def test_a_thousand_bots_in_a_thousand_files_are_read() -> None:
    files = {f"bots/b{n}.yaml": "from: masto\nto: bsky\n" for n in range(1000)}
    assert len(load_text(ACCOUNTS, files=files).bots) == 1000


@pytest.mark.parametrize(
    ("pattern", "long"),
    [
        (r"(?i)\bembargo(ed)?\b", 14),
        ("ab{3}c", 5),
        ("(ab{3}){2}", 8),
        (r"\p{L}{5000000}", 5_000_000),
        (r"\d{4}-\d{2}-\d{2}", 10),
        ("((((((a{99}){99}){99}){99}){99}){99})", 99**6),
        ("[(a{9}]{7}", 7),
        ("[]{9}]{7}", 7),
        ("[^]{9}]{7}", 7),
        (r"[\]{9}]{7}", 7),
        (r"\[a{7}", 8),
        ("(?:ab|cd){0,9}", 7),
        ("(?:ab){,9}", 4),
        ("a{1,}b{2,}", 3),
        ("a{e<=1}", 7),
        ("a)b{3}", 4),
        ("((a{3}", 3),
        ("a{" + "9" * 5000 + "}", 10**9),
        ("", 0),
    ],
)
def test_how_long_a_pattern_is_with_its_counts_written_out(pattern: str, long: int) -> None:
    assert length(pattern) == long


@pytest.mark.parametrize(
    "pattern", [r"\p{L}{5000000}", "((((((a{99}){99}){99}){99}){99}){99})", "(a{1000}){11}"]
)
def test_a_pattern_that_takes_all_memory_is_not_compiled(pattern: str) -> None:
    text = f"bots:\n  b: {{from: masto, to: bsky, skip: {{matching: '{pattern}'}}}}\n{ACCOUNTS}"
    assert complaints(text) == [
        "2:47: 'matching' is longer than 10,000 characters with its counts, such as {99}, written out"
    ]


def mutants(capsys: pytest.CaptureFixture[str], number: int, *more: str) -> str:
    """What checking so many mutants says, in a process with limits of its own."""
    command = [sys.executable, "-m", "tests.mutants", "--number", str(number), *more]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    with capsys.disabled():
        print(f"\n{done.stdout.rstrip()}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_changed_files_end_in_problems_with_places(capsys: pytest.CaptureFixture[str]) -> None:
    said = mutants(capsys, 400, "--seed", "20261125")
    for kind in ("bomb", "mutated", "revalued", "shuffled"):
        assert f"{kind}: problems " in said
    assert "fine " in said


@pytest.mark.slow
def test_ten_thousand_changed_files_do(capsys: pytest.CaptureFixture[str]) -> None:
    mutants(capsys, 10_000)
