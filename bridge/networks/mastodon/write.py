"""Drafts to the body of Mastodon's `POST /api/v1/statuses`, or `POST .../reblog`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge import text
from bridge.network import Parents, Upload
from bridge.post import Draft, Media, Post, Run


def to_payload(
    draft: Draft,
    key: str,  # noqa: ARG001 - Mastodon takes it as a header
    uploads: tuple[dict[str, Any], ...],
    parents: Parents | None,
    now: datetime,
) -> dict[str, Any]:
    """The JSON body of one request (Mastodon documentation, methods/statuses).

    Visibility is always sent: left out it would be the account's default, which may be wider.
    Types are strict, as servers other than Mastodon refuse "1" for true. Of a boost it is the id of
    what is boosted, `reblog`, and the visibility.
    """
    shows = parents.shows if parents is not None else None
    visibility = "private" if draft.visibility == "unknown" else draft.visibility
    if draft.boost is not None:
        assert shows is not None
        return {"reblog": shows.id, "visibility": visibility}
    payload: dict[str, Any] = {
        **_content(draft, uploads, now),
        "visibility": visibility,
    }
    if draft.content_warning:
        payload["spoiler_text"] = draft.content_warning
    if parents is not None and parents.parent:
        payload["in_reply_to_id"] = parents.parent.id
    if shows is not None:
        payload["quoted_status_id"] = shows.id
    return payload


def unsent(media: Upload | Media, number: int) -> dict[str, Any]:  # noqa: ARG001 - as others take it
    """What an upload would give that is not made: `upload-NUMBER` stands for the id."""
    return {"id": f"upload-{number}"}


def to_update(draft: Draft, uploads: tuple[dict[str, Any], ...], now: datetime) -> dict[str, Any]:
    """The JSON body of `PUT /api/v1/statuses/:id` (Mastodon documentation, methods/statuses).

    Whole, since what is left out is dropped: media, warning, poll. Who may see a status and what it
    answers cannot change.
    """
    payload = {**_content(draft, uploads, now), "spoiler_text": draft.content_warning}
    if uploads:
        pairs = zip(uploads, draft.media, strict=True)
        payload["media_attributes"] = [_attributes(upload, media) for upload, media in pairs]
    return payload


def _content(draft: Draft, uploads: tuple[dict[str, Any], ...], now: datetime) -> dict[str, Any]:
    """What a new status and an edit say in the same words."""
    payload: dict[str, Any] = {"status": draft.text, "sensitive": draft.sensitive}
    for tag in declared(draft.languages):
        # an ISO 639 code, without script or region (Mastodon documentation, methods/statuses)
        payload["language"] = text.language_code(tag)
    if uploads:
        payload["media_ids"] = [str(upload["id"]) for upload in uploads]
    if draft.poll is not None:
        payload["poll"] = {
            "options": list(draft.poll.options),
            "expires_in": draft.poll.seconds_left(now),
            "multiple": draft.poll.multiple,
        }
    return payload


def _attributes(upload: Mapping[str, Any], media: Media) -> dict[str, Any]:
    """What an edit says of an attachment."""
    x, y = media.focus or (0.0, 0.0)
    return {"id": str(upload["id"]), "description": media.alt, "focus": f"{x},{y}"}


def declared(languages: tuple[str, ...]) -> tuple[str, ...]:
    """The one of a post's languages that a status can declare: the first that is one."""
    return tuple(tag for tag in languages if text.language_code(tag))[:1]


def spell_url(url: str) -> str:
    """A URL that Mastodon takes for one whole link."""
    spans = text.mastodon_entities(url)
    whole = len(spans) == 1 and (spans[0].start, spans[0].end) == (0, len(url))
    return url if whole else text.escape_url(url)


def mention(handle: str, name: str) -> Run:
    """A mention of `user@host`."""
    user, _, host = handle.partition("@")
    return Run(f"@{handle}", "mention", f"https://{host}/@{user}", name)


def matches(payload: Mapping[str, Any], key: str, post: Post) -> bool:  # noqa: ARG001
    """Whether `post` may be what `payload` became.

    Mastodon shows no key on a status, so text, content warning, parent, the options of a poll and
    the number of attachments are compared. Long links are shown cut, so their targets are; of whom
    is mentioned the server is left out, as it is of people of the server itself.
    """
    if "reblog" in payload:
        return post.boost is not None and post.boost.id == payload["reblog"]
    quoted = payload.get("quoted_status_id")
    if quoted and (post.quote is None or post.quote.id != quoted):
        return False
    shown = "".join(run.target if run.kind == "link" else run.text for run in post.runs)
    parent = post.reply_to.id if post.reply_to else ""
    return (
        post.boost is None
        and _comparable(shown) == _comparable(payload["status"])
        and text.comparable(post.content_warning)
        == text.comparable(payload.get("spoiler_text", ""))
        and parent == payload.get("in_reply_to_id", "")
        and len(post.media) == len(payload.get("media_ids", ()))
        and [text.comparable(option) for option in (post.poll.options if post.poll else ())]
        == [text.comparable(option) for option in payload.get("poll", {}).get("options", ())]
    )


def _comparable(words: str) -> str:
    """A text as it compares: `@user@host` is `@user`."""
    out, at = "", 0
    for span in text.mastodon_entities(words):
        if span.kind == "mention":
            out += words[at : span.start] + "@" + span.value.partition("@")[0]
            at = span.end
    return text.comparable(out + words[at:])
