"""`tribridge init` on a terminal, a real one, and what it writes."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from bridge import config, starter
from tests.test_cli import TRIBRIDGE, tribridge
from tests.waiting import HANGS

#: what every question begins with, and what is answered
GUIDED = [
    ("Networks of your accounts", "mastodon, bluesky x"),
    ("A name for the bot", "avisa"),
    ("Its server", "@avisa@mastodon.example"),
    ("Its handle", "https://bsky.app/profile/avisa.example"),
    ("Where it logs in", ""),
    ("The OAuth 2.0 client id", "aWQ6MTp4"),
    ("US dollars", "7.50"),
    ("Mirror from which account", "all"),
]


#: becomes the program that follows, with its terminal, and with Ctrl-C as on any terminal
ON_TERMINAL = """
import fcntl, os, signal, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def on_a_terminal(
    folder: Path, answers: list[tuple[str, str]], *, end: bytes = b"", words: tuple[str, ...] = ()
) -> tuple[str, int]:
    """What stands on the terminal when each question was answered, and the exit code.

    After the last answer `end` is typed, at the next question.
    """
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        # Ctrl-C is for whom the terminal belongs to
        [sys.executable, "-c", ON_TERMINAL, *TRIBRIDGE, "init", *words],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1]), "COLUMNS": "200"},
        start_new_session=True,
    )
    os.close(follower)
    said, seen = b"", 0
    typed = b""
    left = [(question.encode(), answer.encode() + b"\n") for question, answer in answers]
    while True:
        # CPython does not notice a Ctrl-C of just before it waits for a key: people press it again
        ready, _, _ = select.select([leader], [], [], 1 if typed else HANGS)
        if not ready and typed:
            os.write(leader, typed)
            continue
        if not ready:
            process.kill()
            process.wait()
            raise AssertionError(f"waits for something: {said!r}")
        try:
            data = os.read(leader, 4096)
        except OSError:
            break
        if not data:
            break
        said += data
        at = said.find(left[0][0], seen) if left else -1
        if at >= 0 and b": " in said[at:]:
            seen = len(said)
            os.write(leader, left.pop(0)[1])
        elif not left and end and said[seen:].rstrip(b"\r\n").endswith(b": "):
            os.write(leader, end)
            typed, end = end, b""
    os.close(leader)
    return said.decode().replace("\r\n", "\n"), process.wait()


def test_a_guided_start_writes_what_check_accepts_once_the_accounts_are_logged_in(
    tmp_path: Path,
) -> None:
    said, code = on_a_terminal(tmp_path, GUIDED)
    assert code == 0, said
    assert said.splitlines()[-6:] == [
        "wrote config.yaml",
        "wrote bots/avisa.yaml",
        "Next:",
        "  tribridge login avisa_mastodon avisa_bluesky avisa_twitter --config config.yaml",
        "  tribridge check --config config.yaml",
        "  tribridge run --config config.yaml",
    ]
    found = config.load(tmp_path / "config.yaml", logging_in=True)
    assert [(a.name, a.network) for a in found.accounts.values()] == [
        ("avisa_mastodon", "mastodon"),
        ("avisa_bluesky", "bluesky"),
        ("avisa_twitter", "twitter"),
    ]
    assert found.accounts["avisa_mastodon"].settings["server"] == "https://mastodon.example"
    assert found.accounts["avisa_bluesky"].settings["handle"] == "avisa.example"
    assert found.accounts["avisa_twitter"].settings["budget"] == {"usd_per_month": 7.5}
    assert len(found.bots["avisa"].routes) == 6
    tried = tribridge("test", cwd=tmp_path)
    assert (tried.returncode, tried.stdout) == (0, "avisa: 2 tests, passed\n")
    missing = tribridge("check", cwd=tmp_path)
    assert missing.returncode == 78
    assert missing.stdout.count("log in with `tribridge login avisa_") == 3
    assert missing.stdout.count("config.yaml:") == 3


def test_a_wrong_answer_is_asked_again_and_keys_of_x_are_named(tmp_path: Path) -> None:
    answers = [
        ("Networks of your accounts", "mastodon"),
        ("Networks of your accounts", "myspace bluesky"),
        ("Networks of your accounts", "m t"),
        ("A name for the bot", "../etc"),
        ("A name for the bot", ""),
        ("Its server", "http://mastodon.example"),
        ("Its server", "nowhere"),
        ("Its server", "mastodon.example"),
        ("The OAuth 2.0 client id", "a b"),
        ("The OAuth 2.0 client id", "keys"),
        ("US dollars", "much"),
        ("US dollars", ""),
        ("Mirror from which account", "3"),
        ("Mirror from which account", "2"),
    ]
    said, code = on_a_terminal(tmp_path, answers)
    assert code == 0, said
    assert "'myspace' is not one of" in said
    assert "mirroring takes at least two accounts" in said
    assert "login newsroom_twitter" not in said
    keys = ("API_KEY", "API_KEY_SECRET", "ACCESS_TOKEN", "ACCESS_TOKEN_SECRET")
    environ = {f"NEWSROOM_TWITTER_{key}": f"k{at}" for at, key in enumerate(keys)}
    (tmp_path / "config.yaml").write_text(
        (tmp_path / "config.yaml")
        .read_text()
        .replace("network: mastodon\n", "network: mastodon\n    access_token: t\n")
    )
    done = tribridge("check", cwd=tmp_path, **environ)
    assert done.returncode == 0
    assert "config.yaml: 2 accounts, 1 bot: fine" in done.stdout
    bot = (tmp_path / "bots" / "newsroom.yaml").read_text()
    assert bot.endswith("from: newsroom_twitter\nto:\n  - newsroom_mastodon\n" + starter.TESTS)


@pytest.mark.parametrize("answered", range(len(GUIDED)))
@pytest.mark.parametrize("end", [b"\x03", b"\x04"], ids=["ctrl-c", "end of file"])
def test_giving_up_at_any_question_writes_nothing(
    tmp_path: Path, answered: int, end: bytes
) -> None:
    said, code = on_a_terminal(tmp_path, GUIDED[:answered], end=end)
    assert (code, "Aborted!" in said, "Traceback" in said) == (1, True, False), said
    assert list(tmp_path.iterdir()) == []


def test_a_config_that_is_there_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    said, code = on_a_terminal(tmp_path, [])
    assert (code, said) == (
        1,
        "config.yaml: is there already; move it away or use another --config\n",
    )


def test_a_bot_that_is_there_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "newsroom.yaml").write_text("mine")
    answers = [*GUIDED[:1], ("A name for the bot", ""), ("A name for the bot", "b2"), *GUIDED[2:]]
    said, code = on_a_terminal(tmp_path, answers)
    assert (code, "is there already: choose another" in said) == (0, True), said
    assert (tmp_path / "bots" / "newsroom.yaml").read_text() == "mine"


def test_on_a_terminal_too_an_example_can_be_had_without_questions(tmp_path: Path) -> None:
    said, code = on_a_terminal(tmp_path, [], words=("--yes",))
    assert (code, "wrote bots/newsroom.yaml" in said) == (0, True), said
    assert (tmp_path / "config.yaml").read_text() == starter.CONFIG
    tried = tribridge("test", cwd=tmp_path)
    assert (tried.returncode, tried.stdout) == (0, "newsroom: 2 tests, passed\n")


def test_both_files_or_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "new" / "config.yaml"
    real = Path.open

    def full(self: Path, *args: object, **more: object) -> object:
        if self == file:
            raise OSError(28, "No space left on device", str(self))
        return real(self, *args, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(OSError, match="No space"):
        starter.write(file, starter.example())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("mastodon.example", "https://mastodon.example"),
        ("https://Mastodon.Example/", "https://mastodon.example"),
        ("@me@mastodon.example", "https://mastodon.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_a_server_is_read_however_it_is_written(text: str, read: str) -> None:
    assert starter.read_server(text) == read


def test_more_accounts_on_one_network_have_names_of_their_own() -> None:
    one = starter.NewAccount("mastodon", "a_mastodon", {"server": "https://a.example"})
    two = starter.NewAccount("mastodon", "a_mastodon_2", {"server": "https://b.example"})
    text = starter.config_text([one, two])
    assert text.count("  a_mastodon:") == 1
    assert text.count("  a_mastodon_2:") == 1
