"""Notices that this machine's clock was set: by hand, by a time server, or by a long sleep."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

#: less than this is no setting of the clock, but its being kept right
TOLERANCE = timedelta(minutes=1)


class ClockWatch:
    """Compares the time of day with a clock that nobody can set."""

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._now = now
        self._monotonic = monotonic
        self._gap = self._measure()

    def _measure(self) -> float:
        return self._now().timestamp() - self._monotonic()

    def was_set(self) -> timedelta | None:
        """By how much the clock was set since this was asked last, negative if back, or None."""
        before, self._gap = self._gap, self._measure()
        by = timedelta(seconds=self._gap - before)
        return by if abs(by) >= TOLERANCE else None
