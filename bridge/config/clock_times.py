"""Spans of the day and of the week as they are written."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bridge.schema import WEEKDAYS

_SPAN = re.compile(
    r"\s*([01]?[0-9]|2[0-4])(?::([0-5][0-9]))?\s*-\s*([01]?[0-9]|2[0-4])(?::([0-5][0-9]))?\s*",
    re.ASCII,
)


def hours(text: str) -> tuple[int, int]:
    """The minutes of the day at which a span such as `7:00-22:30` begins and ends.

    The second is no part of it; where it is the smaller one, the span lasts over midnight.
    ValueError says what is wrong.
    """
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError("a span of the day such as 7:00-22:30")
    start, end = (int(found[n]) * 60 + int(found[n + 1] or 0) for n in (1, 3))
    if max(start, end) > 24 * 60:
        raise ValueError("a span of the day, which ends at 24:00")
    if start % (24 * 60) == end % (24 * 60):
        raise ValueError("a span of the day that ends at another time than it begins")
    return start % (24 * 60), end


def weekdays(text: str) -> tuple[str, ...]:
    """The days that `mon` or `fri-mon` names, in lower case; ValueError if it names none."""
    first, dash, last = (part.strip() for part in text.lower().partition("-"))
    if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
        raise ValueError("weekdays such as mon, or mon-fri")
    return tuple(_from_to(WEEKDAYS.index(first), WEEKDAYS.index(last or first)))


def _from_to(first: int, last: int) -> Iterator[str]:
    for day in range(first, last + 1 if last >= first else last + 8):
        yield WEEKDAYS[day % 7]
