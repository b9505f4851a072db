"""Drafts to the bodies of X's `POST /2/tweets`, or `POST /2/users/ID/retweets`. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge.network import Parents, Upload
from bridge.post import Draft, Media, Post, Run
from bridge.text import comparable, escape_url, has_link, x_entities


def to_payload(
    draft: Draft,
    key: str,  # noqa: ARG001 - X keeps no idempotency key
    uploads: tuple[dict[str, Any], ...],
    parents: Parents | None,
    now: datetime,
) -> dict[str, Any]:
    """The body of the request that creates a post (X API, Create Post).

    X has no field for a content warning, a language or a visibility. Apps may not quote (X API
    changelog, April 2026), but X itself makes a quote of a post that ends in the link to another.
    Of a boost it is the id of what is boosted, `tweet_id`.
    """
    if draft.boost is not None:
        assert parents is not None
        assert parents.shows is not None
        return {"tweet_id": parents.shows.id}
    payload: dict[str, Any] = {}
    if (text := draft.lead + draft.text) or not uploads:
        payload["text"] = text
    if draft.poll is not None:
        payload["poll"] = {
            "options": list(draft.poll.options),
            "duration_minutes": draft.poll.seconds_left(now) // 60,
        }
    if parents is not None and parents.parent:
        payload["reply"] = {"in_reply_to_tweet_id": parents.parent.id}
    if uploads:
        payload["media"] = {"media_ids": [upload["id"] for upload in uploads]}
    return payload


def unsent(media: Upload | Media, number: int) -> dict[str, Any]:  # noqa: ARG001 - as others take it
    """What an upload would give that is not made: `upload-NUMBER` stands for the id."""
    return {"id": f"upload-{number}"}


def charges(payload: Mapping[str, Any], described: int) -> tuple[str, ...]:
    """The kinds of paid calls, as `prices` names them, that publishing a body takes.

    `described` is the number of its attachments that have an alt text.
    """
    if "tweet_id" in payload:
        return ("repost",)
    text = str(payload.get("text", ""))
    post = "post_with_url" if has_link((Run(text),)) else "post"
    return ("media_metadata",) * described + (post,)


def spell_url(url: str) -> str:
    """A URL that X takes for one whole link: X ends links before many other scripts.

    Where X makes no link of it at all (an unknown top-level domain), no `@` in it is left, which
    would address somebody.
    """
    if _is_link(url):
        return url
    escaped = escape_url(url)
    return escaped if _is_link(escaped) else escaped.replace("@", "%40")


def _is_link(url: str) -> bool:
    spans = x_entities(url)
    return len(spans) == 1 and (spans[0].start, spans[0].end) == (0, len(url))


def matches(payload: Mapping[str, Any], key: str, post: Post) -> bool:  # noqa: ARG001
    """Whether `post` may be what `payload` became: same text, parent and poll, as many media.

    X keeps no key, so likeness is all there is: links compare as host and path, since X reports
    `example.com` as `http://example.com`, and white space as one space.
    """
    if "tweet_id" in payload or post.boost is not None:
        return post.boost is not None and post.boost.id == payload.get("tweet_id")
    parent = payload.get("reply", {}).get("in_reply_to_tweet_id", "")
    if parent != (post.reply_to.id if post.reply_to else ""):
        return False
    if len(post.media) != len(payload.get("media", {}).get("media_ids", ())):
        return False
    options = payload.get("poll", {}).get("options", ())
    if [comparable(option) for option in (post.poll.options if post.poll else ())] != [
        comparable(option) for option in options
    ]:
        return False
    text = str(payload.get("text", ""))
    if post.quote is not None:
        # X turns a closing link to a post into a quote of it, and `read` leaves such links out
        text = re.sub(rf"\s*\S+/status/{re.escape(post.quote.id)}\S*\s*$", "", text)
    shown = "".join(run.target if run.kind == "link" else run.text for run in post.runs)
    return comparable(text) == comparable(shown)
