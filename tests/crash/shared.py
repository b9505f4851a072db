"""What the harness, the networks and the process under test share: a clock and one planned kill."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from datetime import UTC, datetime, timedelta
from multiprocessing.sharedctypes import RawValue
from typing import Any

#: where the process under test kills itself: about a commit, and about a request
OWN_POINTS = ("before begin", "before commit", "after commit", "before request", "after answer")
#: where a network kills it, with the request on the wire: never acts, has acted, acts later
WIRE_POINTS = ("request lost", "answer lost")
LATE_POINT = "acts late"
#: at an instant that a timer chooses
RANDOM_POINT = "random"

BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC)


class _Memory(ctypes.Structure):
    _fields_ = (
        ("seconds", ctypes.c_double),
        ("pid", ctypes.c_int),
        ("countdown", ctypes.c_int),
        ("delay", ctypes.c_double),
        ("point", ctypes.c_char * 32),
        ("where", ctypes.c_char * 120),
    )


class Shared:
    """Memory that forked processes have in common."""

    def __init__(self) -> None:
        self._memory: Any = RawValue(_Memory)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time of everybody, UTC; it stands still until it is moved."""
        return BEGIN + timedelta(seconds=self._memory.seconds)

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

    def plan(self, point: str, countdown: int, delay: float) -> None:
        """Kill the next process at the `countdown`-th time that it comes to a point."""
        self._memory.pid = 0
        self._memory.countdown, self._memory.delay = countdown, delay
        self._memory.point, self._memory.where = point.encode(), b""

    def note(self, where: str) -> None:
        """Say where a kill came that no point made."""
        self._memory.where = where.encode()

    def disarm(self) -> None:
        """No more kills: the process has gone."""
        self._memory.pid = 0

    def begin(self) -> None:
        """This is the process to be killed."""
        self._memory.pid = os.getpid()

    def is_due(self, points: tuple[str, ...], what: str) -> str:
        """The point at which the process is to be killed now, or ""."""
        point: str = bytes(self._memory.point).decode()
        if point not in points or not self._memory.pid:
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
