"""Rate limits, obeyed ahead of the wall: what answers say is left, kept for all clients together.

A request names the limits that it counts against before it leaves. Where one of them is used up,
it does not leave: `Busy` until the limit begins anew. What is under way is counted too, so that
threads that share a limit do not run into the wall side by side.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.network import Busy

#: the longest wait that a server's word is taken for
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Claim:
    """A limit that a request counts against, by a name that we give it, and its price there."""

    limit: str
    points: int = 1


class RateLimits:
    """What is left of each limit. Safe to use from several threads.

    An answer tells of one window at a time, the tightest mostly, by what is left and when it ends;
    a limit may have several (an hour's and a day's), told apart by their ends.
    """

    def __init__(self) -> None:
        self._left: dict[str, dict[datetime, int]] = {}
        self._lock = threading.Lock()

    def claim(self, claims: Sequence[Claim], now: datetime) -> None:
        """Count a request that is about to leave.

        Raises Busy, and counts nothing, if what is left of a limit is less than its price.
        """
        with self._lock:
            walls = [
                end
                for claim in claims
                for end, left in self._windows(claim.limit, now).items()
                if left < claim.points
            ]
            if walls:
                raise Busy("a rate limit is used up: waits until it begins anew", max(walls))
            for claim in claims:
                windows = self._windows(claim.limit, now)
                for end in windows:
                    windows[end] -= claim.points

    def heard(self, claims: Sequence[Claim], left: int, end: datetime, now: datetime) -> None:
        """Note that an answer to a request with these claims named what is left until `end`.

        It is taken for the limit that is known to end then, else for the last, which should be the
        most particular one.
        """
        end = min(end, now + LONGEST_WAIT)
        if end <= now or not claims:
            return
        with self._lock:
            known = [c.limit for c in claims if end in self._windows(c.limit, now)]
            windows = self._windows(known[0] if known else claims[-1].limit, now)
            # answers overtake each other, and requests under way are not in them yet
            windows[end] = min(left, windows.get(end, left))

    def forget(self) -> None:
        """Know of no limit any more."""
        with self._lock:
            self._left.clear()

    def _windows(self, limit: str, now: datetime) -> dict[datetime, int]:
        """The windows of a limit that have not ended, as they are kept."""
        windows = self._left.setdefault(limit, {})
        for end in [end for end in windows if end <= now]:
            del windows[end]
        return windows


#: the process's own: limits belong to accounts and addresses, not to clients
SHARED = RateLimits()
