"""Records as `listRecords` gives them: their keys and times, and how far they were read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.network import Refused
from bridge.networks.bluesky.write import micros, tid, tid_time
from bridge.post import utc


def make_cursor(rev: str, mark: datetime) -> str:
    """A cursor at a revision of the repository, and the time up to which it was read."""
    return json.dumps({"rev": rev, "mark": tid(max(micros(mark), 0), 0)})


def read_cursor(cursor: str) -> tuple[str, datetime | None]:
    """Revision and mark; "" and None, which read everything, where a cursor names none."""
    try:
        fields = json.loads(cursor or "{}")
        return str(fields.get("rev", "")), tid_time(str(fields.get("mark", "")))
    except (ValueError, AttributeError):
        raise Refused("the cursor of this account in the state file cannot be read") from None


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
