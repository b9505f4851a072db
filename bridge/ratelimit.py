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


def number(header: str) -> int | None:
    """What is left, by a header; None if it names no number, or one of absurd length."""
    return int(header) if header.isdecimal() and len(header) <= _DIGITS else None


_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Claim:
    """A limit that a request counts against, by a name that we give it, and its price there."""

    limit: str
    points: int = 1


@dataclass(frozen=True, slots=True)
class Window:
    """What is left of a quota until it begins anew (UTC); the quota is 0 where it is not known."""

    quota: int
    left: int
    end: datetime


class RateLimits:
    """What is left of each limit. Safe to use from several threads.

    An answer tells of one window at a time, the tightest mostly, by its quota, what is left of it,
    and when it ends. A limit may have several (an hour's and a day's); limits that began together
    end together, and only their quotas tell them apart.
    """

    def __init__(self) -> None:
        self._left: dict[str, dict[tuple[int, datetime], int]] = {}
        self._lock = threading.Lock()

    def claim(self, claims: Sequence[Claim], now: datetime) -> None:
        """Count a request that is about to leave.

        Raises Busy, and counts nothing, if what is left of a limit is less than its price.
        """
        with self._lock:
            walls = [
                end
                for claim in claims
                for (_, end), left in self._windows(claim.limit, now).items()
                if left < claim.points
            ]
            if walls:
                raise Busy("a rate limit is used up: waits until it begins anew", max(walls))
            for claim in claims:
                windows = self._windows(claim.limit, now)
                for window in windows:
                    windows[window] -= claim.points

    def heard(
        self, claims: Sequence[Claim], left: int, end: datetime, now: datetime, quota: int = 0
    ) -> None:
        """Note that an answer to a request with these claims named what is left until `end`.

        It is taken for the limit that is known to have such a window, else for the last, which
        should be the most particular one.
        """
        end = min(end, now + LONGEST_WAIT)
        if end <= now or not claims:
            return
        with self._lock:
            window = quota, end
            known = [c.limit for c in claims if window in self._windows(c.limit, now)]
            windows = self._windows(known[0] if known else claims[-1].limit, now)
            # answers overtake each other, and requests under way are not in them yet
            windows[window] = min(left, windows.get(window, left))

    def told(self, now: datetime) -> list[Window]:
        """The windows that are known, the first to end first, whatever they limit."""
        with self._lock:
            found = {
                Window(quota, left, end)
                for limit in list(self._left)
                for (quota, end), left in self._windows(limit, now).items()
            }
        return sorted(found, key=lambda window: (window.end, window.quota, window.left))

    def forget(self) -> None:
        """Know of no limit any more."""
        with self._lock:
            self._left.clear()

    def _windows(self, limit: str, now: datetime) -> dict[tuple[int, datetime], int]:
        """The windows of a limit that have not ended, as they are kept."""
        windows = self._left.setdefault(limit, {})
        for window in [window for window in windows if window[1] <= now]:
            del windows[window]
        return windows


#: the process's own: limits belong to accounts and addresses, not to clients
SHARED = RateLimits()
