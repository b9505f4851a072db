"""A proper copy of a state file, made while others write to it."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bridge.store.file import BUSY_TIMEOUT
from bridge.store.health import integrity
from bridge.store.trouble import StateError, is_there, told

#: tables whose rows a backup is told by
_COUNTED = ("accounts", "cursors", "drafts", "links", "seen")


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made: its size in bytes, and how many rows its tables have."""

    file: Path
    size: int
    rows: Mapping[str, int]


def back_up(state: Path, to: Path) -> Backup:
    """Copy the state as it is at one moment into a file of its own, for its owner only.

    It is SQLite's own way (sqlite.org, "Online Backup API"): what is written meanwhile is not in
    the copy, and nobody waits. It appears under its name only when it is whole. Raises StateError
    if there is no state, if `to` exists, or if it cannot be written.
    """
    if not is_there(state):
        raise StateError(f"{state}: there is no state yet: nothing to back up")
    with told(to):
        taken = to.exists()
    if taken:
        raise StateError(f"{to}: is there already: name another file, or move it away")
    fresh = to.with_name(f".{to.name}.{os.getpid()}.new")
    try:
        with told(to):
            os.close(os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(sqlite3.connect(fresh)) as copy:
            with told(state), closing(_reading(state)) as source, told(fresh):
                source.backup(copy)
            with told(fresh):
                # one file, without a log beside it
                copy.execute("PRAGMA journal_mode=DELETE")
                rows = {
                    table: int(copy.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
                    for table in _COUNTED
                }
        _refuse_damaged(fresh, state)
        with told(to):
            _to_disk(fresh)
            fresh.rename(to)
            _to_disk(to.parent)
    except BaseException:
        for left in (fresh, fresh.with_name(f"{fresh.name}-journal")):
            left.unlink(missing_ok=True)
        raise
    return Backup(to, to.stat().st_size, rows)


def _refuse_damaged(copy: Path, state: Path) -> None:
    found = integrity(copy)
    if found:
        raise StateError(f"{state}: is damaged, so the copy was thrown away: {found[0]}")


def _reading(state: Path) -> sqlite3.Connection:
    """A connection that takes part in the locking; on a read-only disk one that cannot."""
    for mode in ("rw", "ro&immutable=1"):
        uri = f"{state.absolute().as_uri()}?mode={mode}"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT)
        try:
            connection.execute("SELECT 1 FROM drafts LIMIT 1")
        except sqlite3.OperationalError as error:
            connection.close()
            if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
                raise StateError(f"{state}: is no state file of tribridge ({error})") from None
            unwritable = (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if error.sqlite_errorcode & 0xFF not in unwritable or mode != "rw":
                raise
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise AssertionError("unreachable")


def _to_disk(path: Path) -> None:
    """Have what was written survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
