"""X's rate limits: which ones a request counts against, and what the headers say of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from bridge.ratelimit import Claim

#: the names of the limits in the headers (X API, rate limits)
NAMES = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
#: the longest wait that X's word is taken for: a monthly quota
LONGEST_WAIT = timedelta(days=31)
_ID = re.compile(r"(?<=/)[0-9]+(?=/|$)")


def claims(url: str, method: str, user: str, app: str) -> dict[str, Claim]:
    """The limits on a request, by their names: each endpoint has its own."""
    endpoint = f"{method} {_ID.sub(':id', url)}"
    return {
        "x-rate-limit": Claim(f"{endpoint} of {user}"),
        "x-user-limit-24hour": Claim(f"{endpoint} of {user} in a day"),
        "x-app-limit-24hour": Claim(f"{endpoint} of the app {app} in a day"),
    }


def told(headers: Mapping[str, str]) -> Iterator[tuple[str, int, datetime]]:
    """The limits that an answer tells of: name, what is left, and when it begins anew (UTC)."""
    for name in NAMES:
        left, reset = headers.get(f"{name}-remaining", ""), headers.get(f"{name}-reset", "")
        try:
            if left.isdecimal() and reset.isdecimal():
                yield name, int(left), datetime.fromtimestamp(int(reset), UTC)
        except (ValueError, OverflowError, OSError):
            continue


def exhausted_until(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """When the last of the exhausted limits in the headers ends; None if none is named."""
    end = max((end for _, left, end in told(headers) if left == 0), default=now)
    return min(end, now + LONGEST_WAIT) if end > now else None
