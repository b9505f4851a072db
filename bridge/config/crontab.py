"""A crontab that means what it says, and comes true at least once."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_TIMES = r"(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?"
_MONTH = r"[a-z]{3}(-[a-z]{3})?"
_WEEKDAY = r"\*|(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?"
#: each field, and what its parts between commas may be; APScheduler overlooks what follows some
_FIELDS = (
    ("minute", _TIMES),
    ("hour", _TIMES),
    ("day of the month", f"{_TIMES}|last"),
    ("month", f"{_TIMES}|{_MONTH}"),
    ("weekday", _WEEKDAY),
)


@lru_cache(maxsize=1024)
def crontab(text: str, zone: ZoneInfo) -> str:
    """The five fields of a crontab in lower case, one space apart; ValueError says what is wrong.

    Weekdays are names: 0 is Sunday to cron and Monday to APScheduler.
    """
    from apscheduler.triggers.cron import CronTrigger

    written = text.lower().split()
    if len(written) != len(_FIELDS):
        raise ValueError(
            "a crontab has five fields: minute, hour, day, month, weekday, such as 30 8 * * mon-fri"
        )
    for (name, pattern), value in zip(_FIELDS, written, strict=True):
        if name == "weekday" and re.search("[0-9]", value):
            raise ValueError(
                "write weekdays by name, such as mon-fri: programs disagree on which day is 0"
            )
        for part in value.split(","):
            if not re.fullmatch(pattern, part):
                raise ValueError(f"{part[:60]!r} is no {name} of a crontab")
    now = datetime.now(zone)
    try:
        trigger = CronTrigger.from_crontab(" ".join(written), zone)
    except ValueError as error:
        raise ValueError(f"this crontab is wrong: {error}") from None
    # The same weekday on 29 February comes every 28 years, or 40 where a century has none.
    trigger.end_date = now + timedelta(days=41 * 366)
    if trigger.get_next_fire_time(None, now) is None:
        raise ValueError("this crontab never fires: no such date comes")
    return " ".join(written)
