"""What the simulated X allows in a new post.

`native` says that a person writes it in X's own app; the rest comes through the API, where more
is forbidden.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge.networks.twitter.simulator.model import (
    Account,
    Post,
    invalid,
    not_permitted,
    problem,
)
from bridge.text import weighted_length, x_entities

#: X API, Edit posts: five edits, within an hour (changelog, October 2025)
EDITS, EDITABLE = 5, timedelta(hours=1)
#: X does not say how long it remembers a text; people report about a day
DUPLICATES = timedelta(hours=24)
#: what a Premium account may write; how X counts it is not documented
PREMIUM_LENGTH = 25_000
FIELDS = frozenset(
    ["text", "reply", "media", "poll", "edit_options", "quote_tweet_id", "reply_settings"]
)


def text_of(body: Mapping[str, Any]) -> str:
    """The text of a create request, trimmed; raises the 400 for a request of the wrong shape."""
    unknown = sorted(body.keys() - FIELDS)
    if unknown:
        raise invalid(unknown[0], "", f"[{unknown[0]}] is not a known field")
    text = body.get("text", "")
    if not isinstance(text, str):
        raise invalid("text", "", "must be a string")
    for name in ("reply", "media", "poll", "edit_options"):
        if not isinstance(body.get(name, {}), dict):
            raise invalid(name, "", "must be an object")
    return unicodedata.normalize("NFC", text).strip()


def check(account: Account, text: str, body: Mapping[str, Any], *, native: bool) -> bool:
    """Length, poll, and what excludes what; returns whether the text is over 280, thus a note."""
    exclusive = [name for name in ("media", "poll", "quote_tweet_id") if name in body]
    if len(exclusive) > 1:
        raise problem(400, f"{' and '.join(exclusive)} exclude each other")
    if "poll" in body:
        options = body["poll"].get("options", [])
        if not 2 <= len(options) <= 4 or not all(1 <= len(each) <= 25 for each in options):
            raise problem(400, "a poll has 2 to 4 options of 1 to 25 characters")
        minutes = body["poll"].get("duration_minutes")
        if not isinstance(minutes, int) or not 5 <= minutes <= 10_080:
            raise problem(400, "a poll lasts 5 to 10,080 minutes")
    if not text and not exclusive:
        raise problem(400, "text: must not be empty")
    is_long = weighted_length(text) > 280
    if is_long and (not account.premium or len(text) > PREMIUM_LENGTH):
        # The reference names no answer; a 403 in these words is what people have met.
        raise problem(403, "Tweet needs to be a bit shorter.")
    # Self-serve apps: no quotes (changelog, April 2026), one cashtag (X API, Manage posts).
    cashtags = sum(span.kind == "cashtag" for span in x_entities(text)) if "$" in text else 0
    if not native and ("quote_tweet_id" in body or cashtags > 1):
        raise not_permitted()
    return is_long


def check_duplicate(account: Account, text: str, now: datetime) -> None:
    """The 403 for the text of a recent post of the account."""
    at, _ = account.sent.get(text, (None, 0))
    if at is not None and now - at < DUPLICATES:
        raise problem(403, "You are not allowed to create a Tweet with duplicate content.")


def parent_of(
    account: Account,
    body: Mapping[str, Any],
    posts: Mapping[str, Post],
    *,
    native: bool,
    self_replies: bool,
) -> Post | None:
    """The post that is answered. An app may answer others only where they mentioned or quoted the
    account (changelog, February 2026).
    """
    if "reply" not in body:
        return None
    parent_id = str(body["reply"].get("in_reply_to_tweet_id", ""))
    if not parent_id.isdecimal():
        raise invalid("reply.in_reply_to_tweet_id", parent_id, "not a post id")
    parent = posts.get(parent_id)
    if parent is None or (parent.account.protected and parent.account is not account):
        detail = "You attempted to reply to a Tweet that is deleted or not visible to you."
        raise problem(403, detail)
    mentions = parent.data.get("entities", {}).get("mentions", [])
    summoned = any(each["username"] == account.name for each in mentions)
    summoned |= parent.quoted is not None and parent.quoted.account is account
    if not native and not (self_replies if parent.account is account else summoned):
        raise not_permitted()
    return parent


def edited_by(
    account: Account,
    body: Mapping[str, Any],
    posts: Mapping[str, Post],
    now: datetime,
    *,
    native: bool,
) -> Post | None:
    """The version that an edit replaces: of an own post, by a Premium account if by an app."""
    if "edit_options" not in body:
        return None
    named = posts.get(str(body["edit_options"].get("previous_post_id", "")))
    post = posts[named.versions[-1]] if named else None
    if post is None or post.account is not account or not (native or account.premium):
        raise not_permitted()
    late = now - posts[post.versions[0]].at > EDITABLE or len(post.versions) > EDITS
    foreign = post.parent is not None and post.parent.account is not account
    if late or foreign or post.poll or post.boosted:
        raise problem(403, "This post can no longer be edited.")
    return post
