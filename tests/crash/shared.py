"""What the harness, the networks and the process under test share: a clock and one planned kill."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

#: where the process under test kills itself: about a commit, and about a request
OWN_POINTS = (
    "before begin",
    "before commit",
    "after commit",
    "before write",
    "after write",
    "before read",
    "after read",
)
#: where a network kills it, with the request on the wire: it never acts, or has acted
WIRE_POINTS = ("write lost", "write's answer lost", "read lost", "read's answer lost")
#: the same, and the network acts later
LATE_POINT = "write acts late"
#: at an instant that a timer chooses
RANDOM_POINT = "random"

#: requests and transactions that are about edits and deletions
AMENDING = ("PUT ", "DELETE ", "deleteRecord", "change", "updated", "deleted", "_gone", "missed")

BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC)


class _Memory(ctypes.Structure):
    _fields_ = (
        ("seconds", ctypes.c_double),
        ("runs_since", ctypes.c_double),
        ("pid", ctypes.c_int),
        ("countdown", ctypes.c_int),
        ("delay", ctypes.c_double),
        ("amending", ctypes.c_bool),
        ("point", ctypes.c_char * 32),
        ("where", ctypes.c_char * 120),
    )


def kind_of(method: str) -> str:
    """Whether a request reads or writes, as the names of points have it."""
    return "read" if method == "GET" else "write"


class Shared:
    """Memory that processes have in common, by the file that holds it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        with file.open("a+b") as opened:
            opened.truncate(ctypes.sizeof(_Memory))
            self._memory = _Memory.from_buffer(mmap.mmap(opened.fileno(), 0))
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time of everybody, UTC; it stands still until it is moved, unless it was started."""
        since: float = self._memory.runs_since
        runs = time.monotonic() - since if since else 0.0
        return BEGIN + timedelta(seconds=self._memory.seconds + runs)

    def start(self) -> None:
        """Let the clock run, as fast as any."""
        self._memory.runs_since = time.monotonic()

    def stop(self) -> None:
        """Let the clock stand still again."""
        seconds = (self.now() - BEGIN).total_seconds()
        self._memory.runs_since, self._memory.seconds = 0.0, seconds

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._memory.seconds += seconds

    @property
    def delay(self) -> float:
        """Seconds by which the server acts late."""
        return float(self._memory.delay)

    @property
    def where(self) -> str:
        """Where the last kill came, "" if it did not."""
        return bytes(self._memory.where).decode()

    def plan(self, point: str, countdown: int, delay: float, *, amending: bool = False) -> None:
        """Kill the next process at the `countdown`-th time that it comes to a point.

        If `amending`, only those times count at which it is about an edit or a deletion.
        """
        self._memory.pid, self._memory.amending = 0, amending
        self._memory.countdown, self._memory.delay = countdown, delay
        self._memory.point, self._memory.where = point.encode(), b""

    def note(self, where: str) -> None:
        """Say where a kill came that no point made."""
        self._memory.where = where.encode()

    def disarm(self) -> None:
        """No more kills: the process has gone."""
        self._memory.pid = 0

    @property
    def began(self) -> bool:
        """Whether the process to be killed has said so."""
        return bool(self._memory.pid)

    def begin(self) -> None:
        """This is the process to be killed."""
        self._memory.pid = os.getpid()

    def is_due(self, points: tuple[str, ...], what: str) -> str:
        """The point at which the process is to be killed now, or ""."""
        point: str = bytes(self._memory.point).decode()
        if point not in points or not self._memory.pid:
            return ""
        if self._memory.amending and not any(word in what for word in AMENDING):
            return ""
        with self._lock:
            self._memory.countdown -= 1
            if self._memory.countdown != 0:
                return ""
            self._memory.where = f"{point}: {what}".encode()[:119]
        return point

    def kill(self) -> None:
        """Kill the process under test."""
        if self._memory.pid:
            os.kill(self._memory.pid, signal.SIGKILL)

    def here(self, point: str, what: str) -> None:
        """The process under test has come to one of its own points."""
        if self.is_due((point,), what):
            self.kill()
            threading.Event().wait()  # a signal may take a moment: go no further
