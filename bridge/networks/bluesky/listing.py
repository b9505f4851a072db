"""Records as `listRecords` gives them: their keys and times, and how far they were read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bridge.network import Refused
from bridge.networks.bluesky.write import micros, tid, tid_time
from bridge.post import utc

_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Cursor:
    """A revision of the repository, and up to when it was read; "" and None: read everything.

    `boosts` is from when on boosts are read, None if from the first. Cursors from before boosts
    were read do not say it: then none is, and the next cursor says so.
    """

    rev: str
    mark: datetime | None
    boosts: datetime | None = None


def write_cursor(cursor: Cursor) -> str:
    """A cursor as text."""
    times = {"mark": cursor.mark, "boosts": cursor.boosts or _FIRST}
    return json.dumps({"rev": cursor.rev} | {name: _tid(at) for name, at in times.items() if at})


def read_cursor(cursor: str, now: datetime) -> Cursor:
    """A cursor from text; raises Refused if it is none."""
    try:
        fields = json.loads(cursor or "{}")
        mark, boosts = (tid_time(str(fields.get(name, ""))) for name in ("mark", "boosts"))
        return Cursor(str(fields.get("rev", "")), mark, boosts if boosts or not mark else now)
    except (ValueError, AttributeError):
        raise Refused("the cursor of this account in the state file cannot be read") from None


def _tid(when: datetime) -> str:
    return tid(max(micros(when), 0), 0)


def rkey(item: Mapping[str, Any]) -> str:
    """The key of a record."""
    return str(item.get("uri", "")).rpartition("/")[2]


def value(item: Mapping[str, Any]) -> dict[str, Any]:
    """The record itself; empty if it is none."""
    found = item.get("value")
    return found if isinstance(found, dict) else {}


def just_above(rkey: str) -> str:
    """A cursor from which `listRecords`, newest key first, begins with this key.

    Cursors are exclusive and compare as text (official PDS); the sign is below all that a record
    key may have (AT Protocol specification, "Record Key").
    """
    return rkey + "!"


def position(item: Mapping[str, Any]) -> datetime:
    """When a record was made: by its key, or by what it says where the key is no time."""
    when = tid_time(rkey(item))
    if when is None:
        with_time = value(item).get("createdAt")
        try:
            when = utc(with_time) if isinstance(with_time, str) else None
        except (ValueError, OverflowError):
            when = None
    return when or datetime.min.replace(tzinfo=UTC)
