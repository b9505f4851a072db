"""Whatever a file holds, reading it ends soon: in a configuration or a list of problems."""

from __future__ import annotations

import contextlib
import os
import random
import re
from pathlib import Path

import pytest

from bridge.config import ConfigError, load
from tests.config_files import ACCOUNTS, complaints, load_text

EXAMPLE = (Path(__file__).parents[1] / "config.example.yaml").read_bytes()
ENVIRON = {name: name for name in re.findall(r"\$\{([A-Z_]+)\}", EXAMPLE.decode())}


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


NASTY = (
    b"\0", b"\xff", b"\xe2\x80\xa8", "\u202e\u200f".encode(), b"\t", b"\r", b"\n", b"#", b": ", b"- ",
    b"[", b"]", b"{", b"}", b"{{", b"&a ", b"*a", b"<<: ", b"!!set ", b"? ", b"| ", b">-\n", b"'",
    b'"', b'"\\ud800"', b"---\n", b"...\n", b"%YAML 1.1\n", b"${", b"${file:", b"${file:/etc}", b"$${",
    b"~", b"no", b"12:30", b"0x1F", b".nan", b"9" * 5000, b"2026-13-45", b"0001-01-01T00:00:00+23:59",
    b"((", b"https://[", b"@", b"=", b"for:", b"bots:", b"[]", b"{}", b"1" + b"0" * 20 + b"d",
)  # fmt: skip


def mutated(data: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 4)):
        at, length = chance.randrange(len(data)), chance.choice((0, 1, 2, 10, 200))
        piece = data[at : at + length]
        new = chance.choice((b"", chance.choice(NASTY), piece * 2, chance.randbytes(2)))
        data = data[:at] + new + data[at + length :]
    return data


@pytest.mark.parametrize("seed", range(10))
def test_no_change_to_the_example_ends_in_a_traceback(seed: int) -> None:
    chance = random.Random(seed)
    uncommented = re.sub(rb"(?m)^ *#.*\n| +# .*$", b"", EXAMPLE)
    for _ in range(30):
        data = mutated(chance.choice((EXAMPLE, uncommented)), chance)
        Path("config.yaml").write_bytes(data)
        with contextlib.suppress(ConfigError):
            load(Path("config.yaml"), ENVIRON)
