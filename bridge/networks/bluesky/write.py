"""Drafts as Bluesky takes them: a record of `app.bsky.feed.post` under a key of ours. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.network import Film, Parents, Upload
from bridge.post import Card, Draft, Media, Post, Ref, Run
from bridge.text import is_language_tag

COLLECTION = "app.bsky.feed.post"
#: the collection of boosts
REPOSTS = "app.bsky.feed.repost"
#: the field, unknown to Bluesky and kept by it, in which a record carries its idempotency key
MARK = "tribridgeKey"

VIDEO = "app.bsky.embed.video"

# AT Protocol specification, "Record Key": a TID is 64 bits in base32, 53 of them microseconds since
# 1970 and 10 a clock id, written with these digits so that keys sort by time.
_DIGITS = "234567abcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_TID = re.compile(f"[{_DIGITS[:16]}][{_DIGITS}]{{12}}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: lexicon app.bsky.feed.post: at most so many languages
_LANGUAGES = 3
#: lexicon app.bsky.feed.post: at most so many hashtags beside the text
_TAGS = 8
#: lexicon com.atproto.label.defs: at most so many self-labels
_LABELS = 10
#: lexicon app.bsky.embed.images: at most so many; what has more is a gallery
_IMAGES = 4
#: lexicon app.bsky.richtext.facet: bytes of a hashtag; its 64 graphemes are never less
_TAG_BYTES = 64


def tid(micros: int, clock_id: int) -> str:
    """The record key for a time in microseconds since 1970 and a clock id of 10 bits."""
    number = (micros << 10) | (clock_id & 1023)
    return "".join(_DIGITS[(number >> shift) & 31] for shift in range(60, -1, -5))


def tid_micros(rkey: str) -> int | None:
    """The microseconds since 1970 in a record key, or None if the key is no TID."""
    if not _TID.fullmatch(rkey):
        return None
    number = 0
    for digit in rkey:
        number = number << 5 | _VALUES[digit]
    return number >> 10


def tid_time(rkey: str) -> datetime | None:
    """The time in a record key, UTC, or None if the key is no TID or its time beyond all dates."""
    micros = tid_micros(rkey)
    try:
        return None if micros is None else _EPOCH + timedelta(microseconds=micros)
    except OverflowError:
        return None


def micros(when: datetime) -> int:
    """A time as microseconds since 1970."""
    return (when - _EPOCH) // timedelta(microseconds=1)


def record_key(key: str, created: datetime, attempt: int = 0) -> str:
    """The record key of a copy: a time, and a clock id, derived from the idempotency key.

    The time lies in the whole second before that of `created`, so that it is past as soon as the
    original is. Each further `attempt` gives the key of the next microsecond.
    """
    digest = hashlib.sha256(key.encode()).digest()
    start = max(micros(created.replace(microsecond=0)) - 1_000_000, 0)
    within = int.from_bytes(digest[:8], "big") % 1_000_000
    return tid(start + within + attempt, int.from_bytes(digest[8:10], "big"))


def to_payload(
    draft: Draft,
    key: str,
    uploads: tuple[dict[str, Any], ...],
    parents: Parents | None,
    now: datetime,
) -> dict[str, Any]:
    """`{"rkey": ..., "record": {...}}`: the record of a draft and the key that it goes under.

    Neither key nor time is later than `now`, since a key from the future hides others. Parts of one
    draft differ by a millisecond in `createdAt`, so that they sort.
    """
    created = min(draft.created_at, now)
    if draft.boost is not None:
        return {"rkey": record_key(key, created), "record": _repost(created, key, parents)}
    text, facets = to_facets(draft.runs)
    shown = created + timedelta(milliseconds=draft.part - 1)
    record: dict[str, Any] = {
        "$type": COLLECTION,
        "text": text,
        "createdAt": _stamp(shown),
        MARK: key,
    }
    if facets:
        record["facets"] = facets
    if languages := declared(draft.languages):
        record["langs"] = list(languages)
    if tags := [tag for tag in draft.tags if 0 < len(tag.encode()) <= _TAG_BYTES][:_TAGS]:
        record["tags"] = tags
    if draft.labels:
        values = [{"val": label} for label in draft.labels[:_LABELS]]
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    if parents is not None and parents.parent and parents.root:
        record["reply"] = {"root": _strong(parents.root), "parent": _strong(parents.parent)}
    if draft.card is not None:
        record["embed"] = _external(draft.card, uploads)
    elif uploads:
        record["embed"] = _images(uploads)
    if parents is not None and parents.shows:
        record["embed"] = _quoting(parents.shows, record.get("embed"))
    return {"rkey": record_key(key, created), "record": record}


def image(media: Upload, blob: Mapping[str, Any]) -> dict[str, Any]:
    """An image of an embed (lexicon app.bsky.embed.images): blob, description, and shape."""
    return {"alt": media.alt, "image": dict(blob), **_shape(media)}


def film(media: Film | Media, blob: Mapping[str, Any]) -> dict[str, Any]:
    """The embed of a video (lexicon app.bsky.embed.video)."""
    embed: dict[str, Any] = {"$type": VIDEO, "video": dict(blob)}
    if media.alt:
        embed["alt"] = media.alt
    if media.kind == "gif":
        embed["presentation"] = "gif"
    return {**embed, **_shape(media)}


def _shape(media: Upload | Film | Media) -> dict[str, Any]:
    """The shape of an image or a video, for its embed; nothing if it is not known."""
    known = media.width > 0 and media.height > 0
    return {"aspectRatio": {"width": media.width, "height": media.height}} if known else {}


def unsent(media: Upload | Media, number: int) -> dict[str, Any]:
    """What an upload would give that is not made: `upload-NUMBER` stands for the blob's CID."""
    size = len(media.data) if isinstance(media, Upload) else media.bytes
    link = {"$link": f"upload-{number}"}
    blob = {"$type": "blob", "ref": link, "mimeType": media.mime, "size": size}
    return image(media, blob) if isinstance(media, Upload) else film(media, blob)


def declared(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a post's languages that a record can declare: well formed, the first three.

    AT Protocol specification, "Lexicon", string format `language`: BCP 47, its first part in lower
    case.
    """
    tags = (tag for tag in languages if is_language_tag(tag))
    spelled = ("-".join((code.lower(), *rest)) for code, *rest in (tag.split("-") for tag in tags))
    return tuple(spelled)[:_LANGUAGES]


def _repost(created: datetime, key: str, parents: Parents | None) -> dict[str, Any]:
    """The record of a boost (lexicon app.bsky.feed.repost), with our key as a post has it."""
    assert parents is not None
    assert parents.shows is not None
    return {
        "$type": REPOSTS,
        "subject": _strong(parents.shows),
        "createdAt": _stamp(created),
        MARK: key,
    }


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _quoting(quoted: Ref, media: Mapping[str, Any] | None) -> dict[str, Any]:
    """The embed of a quote (lexicons app.bsky.embed.record and app.bsky.embed.recordWithMedia)."""
    record = {"$type": "app.bsky.embed.record", "record": _strong(quoted)}
    if media is None:
        return record
    return {"$type": "app.bsky.embed.recordWithMedia", "record": record, "media": dict(media)}


def _external(card: Card, uploads: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """The embed of a link card (lexicon app.bsky.embed.external), with its picture if any."""
    external = {"uri": card.url, "title": card.title, "description": card.description}
    thumb = {"thumb": uploads[0]["image"]} if uploads else {}
    return {"$type": "app.bsky.embed.external", "external": {**external, **thumb}}


def _images(uploads: tuple[dict[str, Any], ...]) -> dict[str, Any]:
    """The embed of uploaded media (lexicons app.bsky.embed.images, .gallery and .video)."""
    if uploads[0].get("$type") == VIDEO:
        return uploads[0]
    if len(uploads) <= _IMAGES:
        return {"$type": "app.bsky.embed.images", "images": list(uploads)}
    kind = "app.bsky.embed.gallery"
    return {"$type": kind, "items": [{"$type": f"{kind}#image", **image} for image in uploads]}


def spell_url(url: str) -> str:
    """The URL itself: links are facets, whatever stands in them."""
    return url


def mention(handle: str, name: str) -> Run:
    """A mention of a handle, whose DID is to be found, or of a DID."""
    shown = name if handle.startswith("did:") else handle
    return Run(f"@{shown}", "mention", f"https://bsky.app/profile/{handle}", name)


def matches(payload: Mapping[str, Any], key: str, post: Post) -> bool:  # noqa: ARG001 - a protocol
    """Whether `post` is the copy with this key: the record tells."""
    return post.mark == key


def to_facets(runs: tuple[Run, ...]) -> tuple[str, list[dict[str, Any]]]:
    """The text of runs, and its facets by UTF-8 bytes (Bluesky documentation, "Rich text").

    A mention is one only if its target names a DID.
    """
    text, facets, at = "", [], 0
    for run in runs:
        end = at + len(run.text.encode())
        feature = _feature(run)
        if feature is not None and end > at:
            facets.append({"index": {"byteStart": at, "byteEnd": end}, "features": [feature]})
        text, at = text + run.text, end
    return text, facets


def _feature(run: Run) -> dict[str, str] | None:
    kind = "app.bsky.richtext.facet"
    match run.kind:
        case "link":
            return {"$type": f"{kind}#link", "uri": run.target}
        case "hashtag" if 0 < len(run.target.encode()) <= _TAG_BYTES:
            return {"$type": f"{kind}#tag", "tag": run.target}
        case "mention" if (did := run.target.rpartition("/")[2]).startswith("did:"):
            return {"$type": f"{kind}#mention", "did": did}
    return None


def _strong(ref: Ref) -> dict[str, str]:
    return {"uri": ref.uri, "cid": ref.cid}
