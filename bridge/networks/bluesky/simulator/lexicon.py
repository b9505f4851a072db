"""What a PDS checks in records, and how it names them: for the simulator. Pure.

Rules and messages are those of the lexicons app.bsky.feed.post, app.bsky.feed.repost,
app.bsky.embed.* and of the validator in the official PDS.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bridge.post import utc
from bridge.text import byte_length, graphemes

_DAG_CBOR, _RAW = 0x71, 0x55
_LANGUAGE = re.compile(
    r"[A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}(-[A-Za-z]{4})?(-[A-Za-z]{2}|-[0-9]{3})?"
    r"(-[A-Za-z0-9]{5,8}|-[0-9][A-Za-z0-9]{3})*(-[0-9a-wy-z](-[A-Za-z0-9]{2,8})+)*"
    r"(-x(-[A-Za-z0-9]{1,8})+)?"
)
_SIGNATURES = {
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"GIF8": "image/gif",
}
#: embeds that hold images: where, how many at most
_IMAGES = {"app.bsky.embed.images": ("images", 4), "app.bsky.embed.gallery": ("items", 20)}


class Invalid(Exception):
    """A record that a PDS refuses: the name of the error, and its message."""

    def __init__(self, message: str, error: str = "InvalidRequest") -> None:
        super().__init__(message)
        self.error = error


def record_cid(record: Mapping[str, Any]) -> str:
    """The address of a record by its content: SHA-256 of its DAG-CBOR."""
    import libipld  # type: ignore[import-not-found, unused-ignore]

    return _cid(_DAG_CBOR, libipld.encode_dag_cbor(_to_ipld(record)))


def blob_cid(data: bytes) -> str:
    """The address of a blob by its content: SHA-256 of its bytes."""
    return _cid(_RAW, data)


def _cid(codec: int, data: bytes) -> str:
    raw = bytes((1, codec, 0x12, 32)) + hashlib.sha256(data).digest()
    return "b" + base64.b32encode(raw).decode().lower().rstrip("=")


def _to_ipld(value: Any) -> Any:
    """JSON to what DAG-CBOR encodes: a `$link` is its CID as bytes (AT Protocol, "Data model")."""
    if isinstance(value, Mapping):
        if value.keys() == {"$link"}:
            link = str(value["$link"])[1:].upper()
            return base64.b32decode(link + "=" * (-len(link) % 8))
        return {name: _to_ipld(item) for name, item in value.items()}
    return [_to_ipld(item) for item in value] if isinstance(value, list) else value


def sniff(data: bytes, declared: str) -> str:
    """The MIME type of a blob: what its bytes show, else what was declared."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return "video/mp4"
    return next((m for start, m in _SIGNATURES.items() if data.startswith(start)), declared)


def check_post(record: Mapping[str, Any]) -> None:
    """Raise Invalid where a record is no post."""
    text = record.get("text")
    if not isinstance(text, str):
        raise Invalid("Record/text must be a string")
    if byte_length(text) > 3000:
        raise _too_big("string", 3000, byte_length(text), "text")
    if graphemes(text) > 300:
        raise _too_big("grapheme", 300, graphemes(text), "text")
    _check_time(record.get("createdAt"))
    languages = record.get("langs", [])
    if len(languages) > 3:
        raise _too_big("array", 3, len(languages), "langs")
    if not all(_LANGUAGE.fullmatch(tag) for tag in languages):
        raise Invalid("Record/langs must be a well-formed BCP 47 language tag")
    for facet in record.get("facets", []):
        index = facet["index"]
        if not all(isinstance(index[name], int) and index[name] >= 0 for name in index):
            raise Invalid("Record/facets must have byte ranges of whole numbers")
    for name, ref in record.get("reply", {}).items():
        _check_strong(ref, f"reply/{name}")
    for embed in _embeds(record):
        _check_images(embed)
        _check_video(embed)
        _check_card(embed)
        _check_quote(embed)


def check_repost(record: Mapping[str, Any]) -> None:
    """Raise Invalid where a record is no boost."""
    _check_strong(record.get("subject"), "subject")
    _check_time(record.get("createdAt"))


def _check_time(created: Any) -> None:
    try:
        utc(created if isinstance(created, str) and "T" in created else "")
    except ValueError:
        raise Invalid(
            "Record/createdAt must be an valid atproto datetime (both RFC-3339 and ISO-8601)"
        ) from None


def _check_strong(ref: Any, where: str) -> None:
    known = isinstance(ref, Mapping) and str(ref.get("uri")).startswith("at://") and ref.get("cid")
    if not known:
        raise Invalid(f"Record/{where} must be a strong reference")


def _check_quote(embed: Mapping[str, Any]) -> None:
    match embed.get("$type"):
        case "app.bsky.embed.record":
            _check_strong(embed.get("record"), "embed/record")
        case "app.bsky.embed.recordWithMedia":
            _check_strong(embed["record"].get("record"), "embed/record/record")
            if not isinstance(embed.get("media"), Mapping):
                raise Invalid('Record/embed must have the property "media"')


def _embeds(record: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    embed = record.get("embed", {})
    yield embed
    if isinstance(embed.get("media"), Mapping):
        yield embed["media"]


def _check_images(embed: Mapping[str, Any]) -> None:
    field, most = _IMAGES.get(str(embed.get("$type")), ("", 0))
    images = embed.get(field, [])
    if len(images) > most:
        raise _too_big("array", most, len(images), f"embed.{field}")
    for image in images:
        if not isinstance(image.get("alt"), str):
            raise Invalid('Record/embed must have the property "alt"')
        blob = image.get("image", {})
        if not str(blob.get("mimeType")).startswith("image/"):
            raise Invalid(f'Record/embed: mime type "{blob.get("mimeType")}" not accepted')
        if blob.get("size", 0) > 2_000_000:
            raise _too_big("blob", 2_000_000, blob["size"], f"embed.{field}")


def _check_video(embed: Mapping[str, Any]) -> None:
    if embed.get("$type") != "app.bsky.embed.video":
        return
    blob = embed.get("video", {})
    if blob.get("mimeType") != "video/mp4":
        raise Invalid(f'Record/embed: mime type "{blob.get("mimeType")}" not accepted')
    if blob.get("size", 0) > 300_000_000:
        raise _too_big("blob", 300_000_000, blob["size"], "embed.video")
    ratio = embed.get("aspectRatio", {"width": 1, "height": 1})
    if not all(
        isinstance(ratio.get(side), int) and ratio[side] > 0 for side in ("width", "height")
    ):
        raise Invalid("Record/embed/aspectRatio must have sides of 1 or more")


def _check_card(embed: Mapping[str, Any]) -> None:
    if embed.get("$type") != "app.bsky.embed.external":
        return
    external = embed.get("external", {})
    for field in ("uri", "title", "description"):
        if not isinstance(external.get(field), str):
            raise Invalid(f'Record/embed/external must have the property "{field}"')
    thumb = external.get("thumb")
    if thumb is None:
        return
    if not str(thumb.get("mimeType")).startswith("image/"):
        raise Invalid(f'Record/embed: mime type "{thumb.get("mimeType")}" not accepted')
    if thumb.get("size", 0) > 1_000_000:
        raise _too_big("blob", 1_000_000, thumb["size"], "embed.external.thumb")


def _too_big(what: str, most: int, got: int, where: str) -> Invalid:
    return Invalid(f"{what} too big (maximum {most}, got {got}) at $.record.{where}")


def blobs_in(value: Any) -> Iterator[str]:
    """The CIDs of all blobs that a record refers to."""
    if isinstance(value, Mapping):
        if value.get("$type") == "blob":
            yield str(value["ref"]["$link"])
        else:
            for item in value.values():
                yield from blobs_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from blobs_in(item)
