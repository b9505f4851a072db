"""What can be wrong with a state file, in words that say what to do."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class StateError(Exception):
    """The state file cannot be used; the text says why and what to do."""


class AlreadyRunning(StateError):
    """Another process owns the state file: `owner` says which, such as "`tribridge once`, ..."."""

    def __init__(self, text: str, owner: str) -> None:
        super().__init__(text)
        self.owner = owner


class Unusable(StateError):
    """The state can be neither read nor written now; nothing of the transaction was done."""


class Closed(StateError):
    """The state was closed: the program is at its end, and nothing more can be read or written."""

    def __init__(self, file: Path | None) -> None:
        super().__init__(f"{file or 'the state in memory'}: is closed, since the program ends")


_ROOM = "its disk is full: make room on it"
_RIGHTS = "make the file and its folder writable for the user that runs tribridge"
#: by SQLite's primary result code (sqlite.org, "Result and Error Codes"); others are our defects
_REMEDIES = {
    sqlite3.SQLITE_FULL: _ROOM,
    sqlite3.SQLITE_IOERR: "its disk is full or fails: make room on it, and see the system's log",
    sqlite3.SQLITE_READONLY: f"it cannot be written: {_RIGHTS}",
    sqlite3.SQLITE_CANTOPEN: f"it cannot be opened: {_RIGHTS}",
    sqlite3.SQLITE_PERM: f"it cannot be opened: {_RIGHTS}",
    sqlite3.SQLITE_BUSY: "another program keeps it locked: end that one",
    sqlite3.SQLITE_LOCKED: "another program keeps it locked: end that one",
    sqlite3.SQLITE_CORRUPT: "it is damaged: stop, keep a copy of it, and restore a backup",
    sqlite3.SQLITE_NOTADB: "it is no state file of tribridge, or damaged: set state.file",
}
#: by errno: what is wrong with the name rather than with who may write
_OF_FILES = {
    errno.ENOENT: "there is no such folder: make it",
    errno.EISDIR: "it is a folder: name a file in it",
    errno.ENOTDIR: "what should be its folder is a file: choose another place",
    errno.ENAMETOOLONG: "its name is too long: choose another",
    errno.ENOSPC: _ROOM,
}


def words(error: Exception) -> str:
    """What is wrong and what to do about it; "" if it is nothing about the file."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in _REMEDIES:
        return f"{_REMEDIES[code & 0xFF]} ({error})"
    if isinstance(error, OSError):
        return f"{_OF_FILES.get(error.errno or 0, _RIGHTS)} ({error.strerror})"
    return ""


@contextmanager
def told(file: Path | None) -> Iterator[None]:
    """Trouble with the file, raised as Unusable."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        text = words(error)
        if not text:
            raise
        raise Unusable(f"{file or 'the state in memory'}: {text}") from error


def is_there(file: Path) -> bool:
    """Whether there is a file; Unusable if that cannot be told, or if it is a folder."""
    with told(file):
        if file.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        return file.exists()
