"""States of every earlier version open, keep what they hold, and survive a kill in between."""

from __future__ import annotations

import os
import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import bridge.store.file
from bridge.store import AlreadyRunning, Store
from bridge.store.migrations import migrations
from tests import old_schemas

FOLDER = Path(old_schemas.__file__).parent
OLD = sorted(file.stem for file in FOLDER.glob("*.sql"))
NAMES = [migration.name for migration in migrations._migrations]

Rows = dict[str, list[dict[str, Any]]]


def lay_down(name: str, file: Path) -> None:
    """The state of an earlier version, as a file; of no version at all for ""."""
    if name:
        with closing(sqlite3.connect(file)) as db:
            db.executescript((FOLDER / f"{name}.sql").read_text(encoding="utf-8"))
            db.execute("PRAGMA journal_mode=WAL")


def tables(db: sqlite3.Connection) -> list[str]:
    sql = "SELECT name FROM sqlite_master WHERE type='table' AND name<>'_sqlite_migrations'"
    return sorted(name for (name,) in db.execute(sql))


def rows_of(file: Path) -> Rows:
    """Every row of every table, by column."""
    with closing(sqlite3.connect(file)) as db:
        db.row_factory = sqlite3.Row
        return {
            table: [dict(row) for row in db.execute(f"SELECT * FROM [{table}] ORDER BY rowid")]
            for table in tables(db)
        }


def shape_of(file: Path) -> dict[str, Any]:
    """Columns with their types, defaults and keys, and indexes with theirs."""
    with closing(sqlite3.connect(file)) as db:
        shape: dict[str, Any] = {}
        for table in tables(db):
            indexes = [
                (name, unique, db.execute(f"PRAGMA index_info([{name}])").fetchall())
                for _, name, unique, *_ in db.execute(f"PRAGMA index_list([{table}])").fetchall()
            ]
            shape[table] = (
                db.execute(f"PRAGMA table_info([{table}])").fetchall(),
                sorted(indexes),
            )
        return shape


def assert_kept(old: Rows, new: Rows) -> None:
    for table, before in old.items():
        after = new[table]
        assert len(before) == len(after), table
        for was, row in zip(before, after, strict=True):
            assert was == {column: row[column] for column in was}, table


def test_a_state_of_every_earlier_schema_is_kept() -> None:
    assert set(NAMES[:-1]) <= set(OLD), "python -m tests.old_schemas NAME, with the version before"
    assert set(OLD) <= set(NAMES)


@pytest.mark.parametrize("name", OLD)
def test_an_old_state_has_rows_of_every_kind(name: str, tmp_path: Path) -> None:
    lay_down(name, tmp_path / "t.db")
    rows = rows_of(tmp_path / "t.db")
    assert all(rows.values())
    assert {row["state"] for row in rows["drafts"]} == {"queued", "sending", "sent", "held", "dead"}


@pytest.mark.parametrize("name", OLD)
def test_an_old_state_is_brought_up_to_date_with_nothing_lost(name: str, tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    lay_down(name, file)
    old = rows_of(file)
    with closing(Store.open(file)) as store:
        assert len(store._drafts("1", ())) == len(old["drafts"])
        for draft in store._drafts("1", ()):
            assert draft.draft.text
        assert len(store.verdicts()) == len(old["seen"])
        assert store.groups()
    assert_kept(old, rows_of(file))
    Store.open(tmp_path / "new.db").close()
    assert shape_of(file) == shape_of(tmp_path / "new.db")


@pytest.mark.parametrize("name", OLD)
def test_an_old_state_is_read_without_being_changed(name: str, tmp_path: Path) -> None:
    file = tmp_path / "t.db"
    lay_down(name, file)
    before = file.read_bytes()
    store = Store.open_for_reading(file)
    assert store is not None
    with closing(store):
        assert store.troubled()
    assert file.read_bytes() == before


@pytest.mark.parametrize("name", ["", *OLD])
def test_a_migration_killed_at_any_statement_is_completed_by_the_next_start(
    name: str, tmp_path: Path
) -> None:
    Store.open(tmp_path / "new.db").close()
    shape, kills = shape_of(tmp_path / "new.db"), 0
    while True:
        file = tmp_path / f"{kills}.db"
        lay_down(name, file)
        old = rows_of(file) if name else {}
        if not killed_at(kills, file):
            break
        Store.open(file, durability="process").close()
        assert shape_of(file) == shape
        assert_kept(old, rows_of(file))
        kills += 1
    assert kills > 10


def killed_at(number: int, file: Path) -> bool:
    """Open a state in a process that is killed before its statement of this number, if it has one."""
    child = os.fork()
    if child == 0:
        left = number
        connect = sqlite3.connect

        def count(_statement: str) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        def traced(*args: Any, **more: Any) -> sqlite3.Connection:
            connection: sqlite3.Connection = connect(*args, **more)
            connection.set_trace_callback(count)
            return connection

        bridge.store.file.sqlite3.connect = traced  # type: ignore[attr-defined]
        code = 1
        try:
            Store.open(file, durability="process")
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("name", OLD[:1])
def test_an_old_state_that_somebody_is_at_work_with_is_left_as_it_is(
    name: str, tmp_path: Path
) -> None:
    file = tmp_path / "t.db"
    lay_down(name, file)
    owner = Store(file)
    owner.own("run")
    before = rows_of(file)
    with pytest.raises(AlreadyRunning, match="in use by `tribridge run`"):
        Store.open(file)
    assert rows_of(file) == before
    owner.close()
    Store.open(file).close()
