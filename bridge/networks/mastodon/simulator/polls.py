"""Polls of the simulator's statuses: new, edited, voted in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bridge.networks.mastodon.simulator.flavours import POLLS


def flaw(asked: Mapping[str, Any], *, is_new: bool) -> str:
    """What is wrong with a poll that was asked for; "" if nothing is.

    Options are checked once, an end always (Mastodon documentation, methods/statuses).
    """
    options, seconds = asked.get("options") or [], asked.get("expires_in")
    if seconds is None:
        return "Expires at can't be blank"
    if not POLLS["min_expiration"] <= int(seconds) <= POLLS["max_expiration"]:
        return "Poll is invalid"
    right = (
        2 <= len(options) <= POLLS["max_options"]
        and all(0 < len(title) <= POLLS["max_characters_per_option"] for title in options)
        and len(set(options)) == len(options)
    )
    return "" if right or not is_new else "Poll is invalid"


def poll_entity(
    poll_id: str, asked: Mapping[str, Any], expires_at: str, had: Mapping[str, Any] | None
) -> dict[str, Any]:
    """A poll as it is served; one that was there keeps its id, and its votes if nothing that was
    voted on is other than before.
    """
    options, multiple = list(asked["options"]), asked.get("multiple") is True
    votes = [0] * len(options)
    if had and multiple == had["multiple"] and options == [o["title"] for o in had["options"]]:
        votes = [option["votes_count"] for option in had["options"]]
    return {
        "id": had["id"] if had else poll_id,
        "expired": False,
        "expires_at": expires_at,
        "multiple": multiple,
        "votes_count": sum(votes),
        "options": [
            {"title": title, "votes_count": count}
            for title, count in zip(options, votes, strict=True)
        ],
    }
