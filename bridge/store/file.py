"""The SQLite file itself: opening, migrating, owning, and writing to it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sqlite_utils import Database

from bridge.store.migrations import migrations
from bridge.store.rows import DRAFT, QueuedDraft, draft_of
from bridge.store.trouble import AlreadyRunning, Closed, StateError, Unusable, is_there, told

#: seconds that a writer waits for another process before it gives up
BUSY_TIMEOUT = 30


__all__ = ["AlreadyRunning", "Closed", "StateError", "StateFile", "Unusable"]


class StateFile:
    """The state file. Safe to use from several threads; each gets a connection of its own.

    Writers go through `write`: one lock in the process, then BEGIN IMMEDIATE, so that threads wait
    for each other instead of failing with "database is locked".
    """

    def __init__(
        self, file: Path | None, *, durability: str = "power-loss", read_only: bool = False
    ) -> None:
        self.file = file
        self._read_only = read_only
        self._durability = durability
        self._lock = threading.RLock()
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        #: how many reads and transactions are under way, and whether none may begin
        self._uses = threading.Condition()
        self._in_use = 0
        self._closed = False
        self._memory: Database | None = None
        self._lock_file: int | None = None

    @classmethod
    def open(cls, file: Path, *, durability: str = "power-loss") -> Self:
        """Open, making and migrating the file as needed.

        Raises StateError if it cannot be written, is no state file, or is of a newer version.
        """
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StateError(
                f"{file.parent}: cannot make the state folder ({error.strerror}): "
                "make it writable, or set state.file"
            ) from None
        store = cls(file, durability=durability)
        with told(file):
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            file.chmod(0o600)
            with store._closed_on_error():
                store._prepare()
        return store

    @classmethod
    def open_for_reading(cls, file: Path) -> Self | None:
        """Open without ever writing to the file; None if nothing was stored yet.

        Raises StateError as `open`. A file of an older version is read through a migrated copy in
        memory.
        """
        if not is_there(file):
            return None
        store = cls(file, read_only=True)
        with told(file), store._closed_on_error():
            if store._current():
                return store
        store.close()
        return cls.in_memory(file)

    @classmethod
    def in_memory(cls, file: Path | None = None) -> Self:
        """A copy of the file, or an empty state, that is gone when the process ends."""
        store = cls(None)
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        store._connections.append(connection)
        with told(file), store._closed_on_error():
            if file is not None and is_there(file):
                original = cls(file, read_only=True)
                with closing(original):
                    original._db().conn.backup(connection)
            store._memory = Database(connection)
            store._prepare()
        return store

    @contextmanager
    def _closed_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self.close()
            raise

    def _current(self) -> bool:
        """Whether every migration has been applied; StateError if more than we know."""
        db = self._db()
        known = {migration.name for migration in migrations._migrations}
        newer = [row.name for row in migrations.applied(db) if row.name not in known]
        if newer:
            raise StateError(
                f"{self.file}: was written by a newer version of tribridge ({newer[-1]}): "
                "use that version, or another state.file"
            )
        tables = set(db.table_names())
        if tables and migrations.migrations_table not in tables:
            raise StateError(
                f"{self.file}: is a database of another program: set state.file to another file"
            )
        return not migrations.pending(db)

    def _prepare(self) -> None:
        """Bring the tables up to date, as the file's owner: nobody may be at work with old ones."""
        if self._current():
            return
        if self._memory is None:
            self.own("once")
        with self._lock:
            migrations.apply(self._db())
        self._disown()

    def _db(self) -> Database:
        if self._memory is not None:
            return self._memory
        db: Database | None = getattr(self._local, "db", None)
        if db is None:
            assert self.file is not None
            uri = f"{self.file.absolute().as_uri()}?mode={self._mode()}"
            # each thread uses its own; `close` closes those of threads that are gone
            connection = sqlite3.connect(
                uri, uri=True, timeout=BUSY_TIMEOUT, check_same_thread=False
            )
            try:
                if not self._read_only:
                    connection.execute("PRAGMA journal_mode=WAL")
                    level = "FULL" if self._durability == "power-loss" else "NORMAL"
                    connection.execute(f"PRAGMA synchronous={level}")
            except BaseException:
                connection.close()
                raise
            with self._lock:
                self._connections.append(connection)
            db = Database(connection, recursive_triggers=False, execute_plugins=False)
            self._local.db = db
        return db

    def _mode(self) -> str:
        """How to open. A reader leaves no files behind, unless a writer's are there already."""
        assert self.file is not None
        if not self._read_only:
            return "rwc"
        in_use = self.file.with_name(self.file.name + "-wal").exists()
        return "ro" if in_use else "ro&immutable=1"

    def close(self) -> None:
        """Close every thread's connection and give up ownership.

        What is under way ends first: a connection that is closed under a thread that reads from it
        takes the process with it. Whatever a thread begins later raises Closed.
        """
        with self._uses:
            self._closed = True
            self._uses.wait_for(lambda: not self._in_use)
        for connection in self._connections:
            connection.close()
        self._connections.clear()
        self._disown()

    def _disown(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    def watch(self) -> Callable[[], bool]:
        """A function that says whether anything was written to the file since it was asked last.

        It asks SQLite (`PRAGMA data_version`) on a connection of its own; for one thread at a time.
        """
        assert self.file is not None
        uri = f"{self.file.absolute().as_uri()}?mode=ro"
        with self._using(), self._lock:
            connection = sqlite3.connect(
                uri, uri=True, timeout=BUSY_TIMEOUT, check_same_thread=False
            )
            self._connections.append(connection)
        seen = -1

        def has_changed() -> bool:
            nonlocal seen
            with self._using():
                (now,) = connection.execute("PRAGMA data_version").fetchone()
            changed, seen = bool(now != seen), now
            return changed

        return has_changed

    def own(self, command: str) -> None:
        """Take the file for this process until it ends.

        Raises AlreadyRunning, naming the owner, if another process has it.
        """
        assert self.file is not None
        path = self.file.with_name(self.file.name + ".lock")
        with told(path):
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            owner = os.read(handle, 200).decode("utf-8", "replace").strip() or "another process"
            os.close(handle)
            raise AlreadyRunning(
                f"{self.file}: already in use by {owner}: stop it first, or give this one "
                "another state.file",
                owner,
            ) from None
        self._lock_file = handle
        with suppress(OSError):  # on a full disk it is owned all the same, without a name
            os.ftruncate(handle, 0)
            os.write(handle, f"`tribridge {command}`, process {os.getpid()}".encode())

    @contextmanager
    def _using(self) -> Iterator[None]:
        """A while in which `close` waits; Closed after it, unless this thread was using it before.

        Within a transaction, for instance, reads may go on.
        """
        mine = getattr(self._local, "uses", 0)
        with self._uses:
            if self._closed and not mine:
                raise Closed(self.file)
            self._in_use += 1
        self._local.uses = mine + 1
        try:
            yield
        finally:
            self._local.uses = mine
            with self._uses:
                self._in_use -= 1
                if self._closed:
                    self._uses.notify_all()

    @contextmanager
    def write(self) -> Iterator[Database]:
        """A transaction; everything in it happens, or nothing.

        Raises Unusable if the file cannot be written now, on a full disk for instance, and Closed
        after `close`.
        """
        with told(self.file), self._using(), self._lock:
            db = self._db()
            db.conn.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.conn.commit()
            except BaseException:
                db.conn.rollback()
                raise

    def try_to_write(self) -> None:
        """Write a page of the file anew, as it is; raises Unusable if that does not go."""
        with self.write() as db:
            (version,) = db.conn.execute("PRAGMA user_version").fetchone()
            db.conn.execute(f"PRAGMA user_version={version}")

    def _rows(self, sql: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        if self._memory is not None:
            with self._using(), self._lock:
                return self._memory.conn.execute(sql, values).fetchall()
        with told(self.file), self._using():
            return self._db().conn.execute(sql, values).fetchall()

    def _drafts(self, where: str, values: Sequence[Any]) -> list[QueuedDraft]:
        """The drafts that meet a condition; it may order and limit them."""
        sql = f"SELECT {DRAFT} FROM drafts WHERE {where}"
        return [draft_of(row) for row in self._rows(sql, values)]
