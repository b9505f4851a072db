"""Backups of the state, made while it is written to, and copies that are none."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.post import Ref
from bridge.store import StateError, Store
from bridge.store.backup import back_up
from bridge.store.health import integrity
from tests.test_cli import tribridge
from tests.test_store import NOW, ROUTE, new, queue
from tests.waiting import HANGS
from tests.world import World, world


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(Store.open(tmp_path / "state" / "t.db", durability="process")) as opened:
        yield opened


def file_of(store: Store) -> Path:
    assert store.file is not None
    return store.file


def test_a_backup_made_while_others_write_is_whole(store: Store, tmp_path: Path) -> None:
    done, writing = threading.Event(), threading.Event()

    def write() -> None:
        number = 0
        while not done.is_set():
            queue(store, new(str(number)))
            (draft,) = store.drafts_of(ROUTE.target, ROUTE.source, str(number))
            store.sending(draft, {"text": "x" * 500}, "", NOW)
            store.sent(draft, Ref(f"c{number}", ROUTE.target), None, NOW)
            number += 1
            writing.set()

    thread = threading.Thread(target=write)
    thread.start()
    writing.wait(HANGS)
    for number in range(10):
        made = back_up(file_of(store), tmp_path / f"{number}.db")
        with closing(Store.open(made.file)) as copy:
            assert copy.impossible() == []
            sent = sum(n for _, state, n in copy.counts() if state == "sent")
            assert made.rows["drafts"] - sent <= 1
            assert made.rows["links"] == made.rows["drafts"] + sent
    done.set()
    thread.join()
    assert made.rows["drafts"] > 0


def test_a_backup_is_one_file_for_its_owner_and_leaves_nothing_else(
    store: Store, tmp_path: Path
) -> None:
    queue(store, new("1"))
    before = sorted(p.name for p in file_of(store).parent.iterdir())
    folder = tmp_path / "copies"
    folder.mkdir()
    made = back_up(file_of(store), folder / "a.db")
    assert [p.name for p in folder.iterdir()] == ["a.db"]
    assert made.file.stat().st_mode & 0o777 == 0o600
    assert made.size == made.file.stat().st_size
    assert made.rows["drafts"] == 1
    assert sorted(p.name for p in file_of(store).parent.iterdir()) == before


def test_a_backup_never_overwrites_and_a_failed_one_leaves_nothing(
    store: Store, tmp_path: Path
) -> None:
    (tmp_path / "a.db").write_text("mine")
    with pytest.raises(StateError, match="is there already"):
        back_up(file_of(store), tmp_path / "a.db")
    assert (tmp_path / "a.db").read_text() == "mine"
    with pytest.raises(StateError, match="there is no such folder: make it"):
        back_up(file_of(store), tmp_path / "nowhere" / "a.db")
    with pytest.raises(StateError, match="there is no state yet"):
        back_up(tmp_path / "none.db", tmp_path / "b.db")
    (tmp_path / "notes.db").write_text("somebody's notes, and not short ones" * 100)
    with pytest.raises(StateError, match="no state file of tribridge"):
        back_up(tmp_path / "notes.db", tmp_path / "b.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
    with pytest.raises(StateError, match="no state file of tribridge"):
        back_up(tmp_path / "other.db", tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()
    assert not list(tmp_path.glob(".*"))


def damage(file: Path) -> None:
    """Break the pages of a table in the middle of a state file."""
    data = bytearray(file.read_bytes())
    size = 4096
    for page in range(2, len(data) // size):
        data[page * size : page * size + 64] = b"\xff" * 64
    file.write_bytes(data)


def test_of_a_damaged_state_no_backup_is_made(store: Store, tmp_path: Path) -> None:
    queue(store, *(new(str(number)) for number in range(200)))
    store.close()
    damage(file_of(store))
    with pytest.raises(StateError, match="damaged"):
        back_up(file_of(store), tmp_path / "b.db")
    assert not (tmp_path / "b.db").exists()
    assert not list(tmp_path.glob(".*"))


def test_a_restored_backup_goes_on(tmp_path: Path) -> None:
    with world(tmp_path, "one: {between: [m, b]}") as w:
        w.turn()
        w.say("m", "Før kopien")
        w.turn()
        w.say("b", "Venter i kopien")
        w.read("b")
        state = w.config.state.file
        made = back_up(state, tmp_path / "copy.db")
        w.store.close()
        shutil.rmtree(state.parent)
        state.parent.mkdir()
        shutil.copy(made.file, state)
        w.restart()
        w.rest()
        assert w.texts("b") == ["Før kopien"]
        assert w.texts("m") == ["Venter i kopien"]


def test_the_whole_folder_copied_while_nothing_is_written_is_a_state_too(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Står i loggen")
        w.turn()
        folder = w.config.state.file.parent
        shutil.copytree(folder, tmp_path / "copy")
        with closing(Store.open(tmp_path / "copy" / "tribridge.db")) as copy:
            assert copy.counts() == w.store.counts()
            assert copy.impossible() == []


def test_a_copy_whose_parts_are_of_different_moments_is_found_out(
    store: Store, tmp_path: Path
) -> None:
    """What `cp` makes of a file that is written to meanwhile: the first half is older."""
    queue(store, *(new(f"a{number}") for number in range(100)))
    store.close()
    older = file_of(store).read_bytes()
    again = Store.open(file_of(store))
    queue(again, *(new(f"b{number}") for number in range(400)))
    again.close()
    newer = file_of(store).read_bytes()
    torn = tmp_path / "torn.db"
    torn.write_bytes(older[: len(older) // 2] + newer[len(older) // 2 :])
    assert integrity(torn) != []
    torn.write_bytes(newer[: len(newer) // 2])
    assert integrity(torn) != []


def test_the_command_says_what_it_copied(tmp_path: Path) -> None:
    w = World(tmp_path, "one: {from: m, to: b}")
    w.turn()
    w.say("m", "Til sikkerhetskopien")
    w.turn()
    done = tribridge("backup", "--config", str(w.file), str(tmp_path / "copy.db"))
    assert (done.returncode, done.stderr) == (0, "")
    size = (tmp_path / "copy.db").stat().st_size
    assert f"copy.db: {size} bytes: 1 drafts, 2 links, 1 verdicts, 1 cursors" in done.stdout
    again = tribridge("backup", "--config", str(w.file), str(tmp_path / "copy.db"))
    assert again.returncode == 1
    assert "is there already" in again.stderr
    w.close()
