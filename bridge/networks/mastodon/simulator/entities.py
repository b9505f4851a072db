"""Accounts and statuses as the simulator serves them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

_CONTENT = ("content", "spoiler_text", "sensitive", "language", "media_attachments")


def account(
    account_id: str, username: str, acct: str, url: str, server: str, now: datetime
) -> dict[str, Any]:
    """An account (Mastodon documentation, entities/Account)."""
    return {
        "id": account_id,
        "username": username,
        "acct": acct,
        "display_name": username,
        "locked": False,
        "bot": False,
        "created_at": iso(now),
        "url": url,
        "uri": url,
        "note": "",
        "avatar": f"{server}/avatar.png",
        "followers_count": 0,
        "emojis": [],
        "fields": [],
    }


def status(
    post_id: str, name: str, owner: Mapping[str, Any], server: str, now: datetime
) -> dict[str, Any]:
    """A status that says nothing yet (Mastodon documentation, entities/Status)."""
    return {
        "id": post_id,
        "created_at": iso(now),
        "edited_at": None,
        "uri": f"{server}/users/{name}/statuses/{post_id}",
        "url": f"{server}/@{name}/{post_id}",
        "account": owner,
        "in_reply_to_id": None,
        "in_reply_to_account_id": None,
        "sensitive": False,
        "spoiler_text": "",
        "visibility": "public",
        "language": None,
        "content": "",
        "reblog": None,
        "quote": None,
        "application": None,
        "media_attachments": [],
        "mentions": [],
        "tags": [],
        "emojis": [],
        "card": None,
        "poll": None,
    }


def content(entity: Mapping[str, Any]) -> dict[str, Any]:
    """What an edit can change of a status, its poll aside."""
    return {name: entity[name] for name in _CONTENT}


def version(entity: Mapping[str, Any]) -> dict[str, Any]:
    """A status as its history shows it (Mastodon documentation, entities/StatusEdit)."""
    names = ("content", "spoiler_text", "sensitive", "account", "media_attachments", "emojis")
    at = entity["edited_at"] or entity["created_at"]
    return {name: entity[name] for name in names} | {"created_at": at}


def excluded(entity: Mapping[str, Any], asked: Mapping[str, str]) -> bool:
    """Whether a page was asked for without statuses such as this."""
    if asked.get("exclude_reblogs") == "true" and entity["reblog"]:
        return True
    own = entity["in_reply_to_account_id"] in (None, entity["account"]["id"])
    return asked.get("exclude_replies") == "true" and not own


def focus(text: str) -> dict[str, float]:
    """A focal point as it is served."""
    x, y = map(float, text.split(","))
    return {"x": x, "y": y}


def iso(when: datetime) -> str:
    """Times as Mastodon writes them: UTC to the millisecond, with Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03}Z"
