"""The file of stored logins: private, whole, and exchanged by one process at a time."""

from __future__ import annotations

import json
import logging
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bridge import credentials, secrecy
from tests.waiting import HANGS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return credentials.file_of(tmp_path / "state" / "a.db")


def test_nothing_stored_is_nothing(file: Path) -> None:
    assert credentials.read(file) == {}
    credentials.forget(file, "m")
    assert not file.exists()


def test_what_is_stored_is_its_owners_alone_even_over_a_file_that_was_not(file: Path) -> None:
    file.parent.mkdir()
    file.write_text("{}")
    file.chmod(0o644)
    credentials.save(file, "m", {"secrets": {"access_token": "en hemmelighet"}})
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert credentials.read(file) == {"m": {"secrets": {"access_token": "en hemmelighet"}}}
    assert "hemmelighet" not in secrecy.redact("det er en hemmelighet")


def test_a_link_in_the_place_of_the_new_file_is_not_followed(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    other = tmp_path / "another"
    other.write_text("mine")
    file.with_name(file.name + ".new").symlink_to(other)
    credentials.save(file, "m", {})
    assert other.read_text() == "mine"


DAMAGED = ["", "{", "[]", '{"m": 1}', "[" * 100_000, '"\\ud800"']
DAMAGED += [f'{{"m": {{"{part}": 7}}}}' for part in ("for", "secrets", "app", "tokens")]


def test_a_link_in_the_place_of_the_lock_is_not_followed(file: Path, tmp_path: Path) -> None:
    file.parent.mkdir()
    file.with_name(file.name + ".lock").symlink_to(tmp_path / "another")
    with pytest.raises(credentials.CredentialsError, match="cannot be stored"):
        credentials.save(file, "m", {})
    assert not (tmp_path / "another").exists()


def test_a_pipe_in_the_place_of_the_file_is_not_waited_for(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    with pytest.raises(credentials.CredentialsError, match="is damaged: remove it"):
        credentials.read(file)


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_file_is_told(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(credentials.CredentialsError, match="is damaged: remove it"):
        credentials.read(file)
    with pytest.raises(credentials.CredentialsError):
        credentials.save(file, "m", {})
    assert file.read_text() == text


def test_a_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    file = credentials.file_of(tmp_path / "state" / "a.db")
    with pytest.raises(credentials.CredentialsError, match="cannot be stored"):
        credentials.save(file, "m", {})


def test_what_fails_changes_nothing(file: Path) -> None:
    credentials.save(file, "x", {"tokens": {"refresh_token": "første"}})

    def fail(_: Mapping[str, Any]) -> Mapping[str, Any]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        credentials.exchange(file, "x", "twitter", fail)
    assert credentials.read(file)["x"]["tokens"] == {"refresh_token": "første"}


def test_new_tokens_are_used_even_where_they_cannot_be_stored(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    credentials.save(file, "x", {"tokens": {}})

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with caplog.at_level(logging.ERROR):
        made = credentials.exchange(file, "x", "twitter", lambda _: {"refresh_token": "neste"})
    assert made == {"refresh_token": "neste"}
    assert "its new tokens are not stored" in caplog.text
    assert credentials.read(file)["x"]["tokens"] == {}


COUNT = """
import sys
from pathlib import Path
from bridge import credentials
for _ in range(20):
    credentials.exchange(
        Path(sys.argv[1]), "x", "twitter", lambda old: {"uses": old.get("uses", 0) + 1}
    )
"""


def test_processes_and_threads_exchange_one_after_the_other(file: Path) -> None:
    words = [sys.executable, "-c", COUNT, str(file)]
    others = [subprocess.Popen(words, cwd=Path(__file__).parents[1]) for _ in range(2)]

    def here() -> None:
        for _ in range(20):
            credentials.exchange(file, "x", "twitter", lambda old: {"uses": old.get("uses", 0) + 1})

    threads = [threading.Thread(target=here) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [other.wait(HANGS) for other in others] == [0, 0]
    assert json.loads(file.read_text())["x"]["tokens"] == {"uses": 80}
