"""How fast posts go out to an account.

What was published over hours or days (a backfill, or the time while the program was off) goes out
at the account's pace. A thread counts as one post. (More than that published within one hour looks
like a loop or a break-in, and is held when it is queued: `Store.record`.)
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.store import QueuedDraft, Store

HOUR = timedelta(hours=1)
NOTHING = timedelta()


class Pacing:
    """What may begin to go out to an account now; one object for a round of deliveries."""

    def __init__(self, store: Store, target: str, posts_per_hour: int, now: datetime) -> None:
        self._store = store
        self._target = target
        self._limit = posts_per_hour
        # what is less than a second apart need not be kept apart
        self._gap = HOUR / posts_per_hour if posts_per_hour <= HOUR.total_seconds() else NOTHING
        self._left = 0
        self._again: datetime | None = None
        self._backfilled = store.backfilled_at(target, now - HOUR)

    def fresh(self, now: datetime) -> bool:
        """Whether another post may begin."""
        if self._left <= 0:
            count, first = self._store.begun_between(self._target, now - HOUR, now)
            self._left = self._limit - count
            self._again = first + HOUR if first and self._left <= 0 else None
        return self._left > 0

    def backfill(self, now: datetime) -> bool:
        """Whether another post that `backfill` chose may begin: these are spread evenly."""
        return self.fresh(now) and not self._is_soon(now)

    def _is_soon(self, now: datetime) -> bool:
        """Whether the last such post began too short a while ago."""
        return self._backfilled is not None and NOTHING <= now - self._backfilled < self._gap

    def begun(self, draft: QueuedDraft, now: datetime) -> None:
        """Note that a draft went out."""
        if not draft.follows:
            self._left -= 1
            if draft.backfill:
                self._backfilled = now

    def next_at(self, now: datetime) -> datetime | None:
        """When more may begin; None if nothing is held back."""
        if not self.fresh(now):
            return self._again
        if not self.backfill(now) and self._backfilled is not None:
            return self._backfilled + self._gap
        return None
