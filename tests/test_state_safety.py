"""The state on a bad day: no room, no rights, a clock that jumps, bots that change, copies of it.

What is judged is what stands on the networks.
"""

from __future__ import annotations

import logging
import os
import resource
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.daemon import once
from bridge.store import StateError, Store, Unusable
from bridge.workers import Engine
from tests.test_cli import TRIBRIDGE, real_time, tribridge
from tests.world import World, world


def wal_of(store: Store) -> Path:
    assert store.file is not None
    return store.file.with_name(store.file.name + "-wal")


@contextmanager
def no_room(store: Store) -> Iterator[None]:
    """No file can grow: the kernel refuses every write behind the end of the write-ahead log."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal_of(store).stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def engine_of(w: World) -> Engine:
    return Engine(w.config, w.store, w.accounts, report=lambda *_: None)


def test_while_there_is_no_room_nothing_is_posted_and_then_everything_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tribridge")
    with world(tmp_path, "one: {between: [m, b, x]}") as w:
        engine = engine_of(w)
        assert not once(engine, w.store)
        w.say("m", "Før disken ble full")
        w.read("m")
        w.say("b", "Mens disken er full")
        before = [(d.state, d.attempts, d.error) for d in w.store.unsent()]
        with no_room(w.store):
            for _ in range(3):
                w.clock.advance(minutes=2)
                assert once(engine, w.store)
            assert [w.copies(account) for account in ("m", "b", "x")] == [[], [], []]
            assert [(d.state, d.attempts, d.error) for d in w.store.unsent()] == before
        said = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
        (line,) = said
        assert "its disk is full or fails: make room on it" in line
        assert str(w.store.file) in line
        assert "nothing is lost" in line
        w.clock.advance(minutes=2)
        assert not once(engine, w.store)
        once(engine, w.store)
        assert w.texts("b") == ["Før disken ble full"]
        assert w.texts("m") == ["Mens disken er full"]
        assert sorted(w.texts("x")) == ["Før disken ble full", "Mens disken er full"]
        assert "can be written again: going on" in caplog.text


@pytest.mark.parametrize("target", ["m2", "b", "x"])
def test_a_post_whose_outcome_found_no_room_is_not_posted_again(
    tmp_path: Path,
    target: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with world(tmp_path, f"one: {{from: m, to: {target}}}") as w:
        w.turn()
        w.say("m", "Bare én gang")
        w.read("m")
        client = w.accounts.open(target).client
        publish = client.publish

        def publish_then_fill(*args: Any) -> Any:
            ref = publish(*args)
            full.__enter__()
            return ref

        full = no_room(w.store)
        monkeypatch.setattr(client, "publish", publish_then_fill)
        with pytest.raises(Unusable, match="make room"):
            w.deliver(target)
        full.__exit__(None, None, None)
        assert caplog.text == ""  # the one line about it is the guard's
        assert [d.state for d in w.store.unsent()] == ["sending"]
        assert w.texts(target) == ["Bare én gang"]
        w.restart()
        w.rest(4)
        assert w.texts(target) == ["Bare én gang"]
        assert w.store.unsent() == []


def test_what_waited_is_delivered_as_soon_as_there_is_room(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}\ntwo: {from: m2, to: x}") as w:
        engine = engine_of(w)
        once(engine, w.store)
        w.say("m", "Lå og ventet")
        w.read("m")
        w.say("m2", "Finner ikke plass")
        with no_room(w.store):
            engine.read(w.config.bots["two"])
            engine.lanes.wait()
            assert engine.guard.trouble
        engine.read(w.config.bots["two"])
        engine.lanes.wait()
        assert w.texts("b") == ["Lå og ventet"]
        assert w.texts("x") == ["Finner ikke plass"]


def test_a_transaction_that_finds_no_room_leaves_nothing_and_the_next_one_works(
    tmp_path: Path,
) -> None:
    with closing(Store.open(tmp_path / "t.db")) as store:
        with no_room(store), pytest.raises(Unusable):
            store.save_session("a", "x" * 100)
        store.save_session("b", "y")
        assert store._rows("SELECT identity FROM sessions") == [("b",)]


# A disk of its own


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip("only root can make a file system")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """Take all room on a disk; what to remove to have it back."""
    file = disk / "filling"
    with file.open("wb", buffering=0) as out:
        for size in (65536, 1):
            try:
                while True:
                    out.write(bytes(size))
            except OSError:
                pass
    return file


@pytest.fixture
def w(tmp_path: Path, disk: Path) -> Iterator[World]:
    """A world in real time with its state on the small disk, for commands."""
    made = World(tmp_path, "one: {from: m, to: [b, x], every: 1s}")
    made.store.close()
    made.file.write_text(made.file.read_text() + f"\nstate: {{file: {disk}/t.db}}\n")
    for network in made.networks.values():
        network.now = real_time
    yield made
    made.close()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a command that stays; ended when the test ends."""
    running: list[subprocess.Popen[str]] = []

    def begin(*args: str) -> subprocess.Popen[str]:
        root = str(Path(__file__).parents[1])
        process = subprocess.Popen(
            [*TRIBRIDGE, *args],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": root},
        )
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


def lines_until(process: subprocess.Popen[str], words: str) -> list[str]:
    """The lines that a process logs, up to one with these words."""
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if words in line:
            return lines
    raise AssertionError("".join(lines))


def test_the_daemon_on_a_full_disk_says_so_once_and_goes_on_when_there_is_room(
    w: World, disk: Path, start: Start
) -> None:
    daemon = start("run", "--config", str(w.file))
    lines_until(daemon, "first run on m")
    filling = fill(disk)
    w.simulator("m").say("anna", "Disken er full")
    said = lines_until(daemon, "make room on it")
    w.simulator("m").say("anna", "Fortsatt full")
    filling.unlink()
    said += lines_until(daemon, "x: posted")
    if len(w.texts("x")) < 2:
        said += lines_until(daemon, "x: posted")
    assert sum("disk is full" in line for line in said) == 1
    assert not any("Traceback" in line or "unexpectedly" in line for line in said), said
    assert sum("can be written again" in line for line in said) == 1
    assert w.texts("x") == ["Disken er full", "Fortsatt full"]


@pytest.mark.parametrize("begun", [True, False])
def test_a_start_on_a_full_disk_ends_with_a_clear_message(
    w: World, disk: Path, begun: bool
) -> None:
    if begun:
        assert tribridge("once", "--config", str(w.file)).returncode == 0
    w.simulator("m").say("anna", "Ingen plass")
    fill(disk)
    done = tribridge("once", "--config", str(w.file))
    assert done.returncode == 1
    assert "make room on it" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert w.texts("x") == []


def test_a_read_only_disk_is_named_at_the_start(w: World, disk: Path) -> None:
    assert tribridge("once", "--config", str(w.file)).returncode == 0
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    w.simulator("m").say("anna", "Skrivebeskyttet")
    for command in ("run", "once"):
        done = tribridge(command, "--config", str(w.file))
        assert done.returncode == 1
        assert "make the file and its folder writable" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    for command in ("status", "links"):
        assert tribridge(command, "--config", str(w.file)).returncode == 0
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert tribridge("once", "--config", str(w.file)).returncode == 0
    assert w.texts("x") == ["Skrivebeskyttet"]


def test_a_state_that_becomes_read_only_stops_everything_until_it_is_not(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Skrivebeskyttet")
        w.store._db().conn.execute("PRAGMA query_only=1")
        with pytest.raises(Unusable, match="make the file and its folder writable"):
            w.read("m")
        w.store._db().conn.execute("PRAGMA query_only=0")
        w.read("m")
        w.store._db().conn.execute("PRAGMA query_only=1")
        with pytest.raises(Unusable, match="make the file and its folder writable"):
            w.deliver("b")
        assert w.texts("b") == []
        w.store._db().conn.execute("PRAGMA query_only=0")
        w.deliver("b")
        assert w.texts("b") == ["Skrivebeskyttet"]


def test_a_folder_where_nothing_can_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="cannot make the state folder|make the file and its"):
        Store.open(Path("/proc/nowhere/t.db"))


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE recipes (name TEXT)")
        db.commit()
    for opening in (Store.open, Store.open_for_reading, Store.in_memory):
        with pytest.raises(StateError, match="is a database of another program"):
            opening(file)
    with closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("recipes",)]


# Bots and accounts that change


def test_a_renamed_bot_sends_what_waited_and_repeats_nothing(tmp_path: Path) -> None:
    with world(tmp_path, "old: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Sendt under det gamle navnet")
        w.turn()
        w.say("m", "Ventet under det gamle navnet")
        w.read("m")
        w.say("m", "Skrevet imens")
        w.configure("new: {from: m, to: b, was: old}")
        w.restart()
        for _ in range(2):
            once(engine_of(w), w.store)
        assert w.texts("b") == [
            "Sendt under det gamle navnet",
            "Ventet under det gamle navnet",
            "Skrevet imens",
        ]
        assert {route.bot for route in w.store.first_runs()} == {"new"}


def test_a_bot_renamed_without_saying_so_repeats_nothing_and_what_waited_is_held(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "old: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Sendt")
        w.turn()
        w.say("m", "Ventet")
        w.read("m")
        w.configure("new: {from: m, to: b, backfill: all}")
        w.restart()
        once(engine_of(w), w.store)
        assert w.texts("b") == ["Sendt"]
        (held,) = w.store.unsent()
        assert (held.state, held.code) == ("held", "bot")
        assert w.reasons("new") == ["already queued by old"] * 2


def test_a_bot_that_is_added_takes_posts_from_then_on_and_doubles_none(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Før den nye")
        w.turn()
        w.configure("one: {from: m, to: b}\ntwo: {from: m, to: [b, x]}")
        w.restart()
        w.rest(2)
        w.say("m", "Etter den nye")
        w.rest(2)
        assert w.texts("b") == ["Før den nye", "Etter den nye"]
        assert w.texts("x") == ["Etter den nye"]


def test_what_waits_for_a_bot_that_was_removed_is_held_also_where_its_account_went_with_it(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x]}\ntwo: {from: m2, to: b2}") as w:
        w.turn()
        w.say("m", "Hvem sender denne?")
        w.read("m")
        kept = dict(w.settings)
        del w.settings["x"]
        w.configure("two: {from: m2, to: b2}")
        w.restart()
        once(engine_of(w), w.store)
        assert [(d.state, d.code) for d in w.store.unsent()] == [("held", "bot")] * 2
        assert (w.texts("b"), w.texts("x")) == ([], [])
        w.settings = kept
        w.configure("one: {from: m, to: [b, x]}\ntwo: {from: m2, to: b2}")
        w.restart()
        w.say("m", "Tilbake igjen")
        once(engine_of(w), w.store)
        assert (w.texts("b"), w.texts("x")) == (["Tilbake igjen"], ["Tilbake igjen"])
        assert w.store.release(w.store.stopped()) == 2
        once(engine_of(w), w.store)
        assert sorted(w.texts("x")) == ["Hvem sender denne?", "Tilbake igjen"]


def test_a_bot_that_is_given_another_target_begins_there_and_holds_what_waited(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Til den gamle")
        w.turn()
        w.say("m", "Ventet på den gamle")
        w.read("m")
        w.configure("one: {from: m, to: b2}\nother: {from: m2, to: b}")
        w.restart()
        once(engine_of(w), w.store)
        w.say("m", "Til den nye")
        once(engine_of(w), w.store)
        assert w.texts("b") == ["Til den gamle"]
        assert w.texts("b2") == ["Til den nye"]
        (held,) = w.store.unsent()
        assert (held.state, held.code) == ("held", "bot")
        assert "does not mirror this way any more" in held.error


def test_what_waits_for_an_account_that_left_the_config_is_held(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Til en som er borte")
        w.read("m")
        del w.settings["b"]
        w.configure("one: {from: m, to: b2}")
        for _ in range(2):  # the new target is known by who it is from the second start on
            w.restart()
            once(engine_of(w), w.store)
        (held,) = w.store.unsent()
        assert (held.state, held.code) == ("held", "bot")
        assert held.error == "no bot posts to its target any more"


def test_an_account_that_has_another_name_in_the_config_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Før navnet")
        w.turn()
        w.say("m", "Ventet på navnet")
        w.read("m")
        w.settings["blue"] = w.settings.pop("b")
        w.configure("one: {from: m, to: blue}")
        w.restart()
        for _ in range(2):
            once(engine_of(w), w.store)
        assert w.texts("b") == ["Før navnet", "Ventet på navnet"]
        assert w.store.unsent() == []
