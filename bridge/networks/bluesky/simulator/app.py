"""What the official app makes of what a person writes. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from bridge.networks.bluesky.write import COLLECTION, to_facets
from bridge.post import Run, join_runs

_LIVE = re.compile(
    r"(?P<link>https?://[^\s<>]*[^\s<>.,;:!?\"'()\[\]…])"
    r"|(?<![\w@.])@(?P<mention>[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+)"
    r"|(?<!\w)#(?P<hashtag>\w*[^\W\d]\w*)"
)


def to_record(
    text: str,
    created: datetime,
    find: Callable[[str], str | None],
    *,
    language: str = "",
    label: str = "",
    images: list[dict[str, Any]] | None = None,
    reply: dict[str, Any] | None = None,
    quote: dict[str, str] | None = None,
) -> dict[str, Any]:
    """The record of a post; `find` gives the DID of a handle, or None."""
    text, facets = to_facets(_as_shown(text, find))
    stamp = created.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    record: dict[str, Any] = {"$type": COLLECTION, "text": text, "createdAt": stamp}
    if facets:
        record["facets"] = facets
    if language:
        record["langs"] = [language]
    if label:
        values = [{"val": label}]
        record["labels"] = {"$type": "com.atproto.label.defs#selfLabels", "values": values}
    if reply:
        record["reply"] = reply
    if images:
        record["embed"] = {"$type": "app.bsky.embed.images", "images": images}
    if quote:
        quoted = {"$type": "app.bsky.embed.record", "record": quote}
        media = record.get("embed")
        both = {"$type": "app.bsky.embed.recordWithMedia", "record": quoted, "media": media}
        record["embed"] = both if media else quoted
    return record


def _as_shown(text: str, find: Callable[[str], str | None]) -> tuple[Run, ...]:
    """Links without scheme and shortened, mentions of accounts that there are, hashtags."""
    runs, at = [], 0
    for match in _LIVE.finditer(text):
        run = Run(match[0])
        if match["link"]:
            run = Run(_short(match[0]), "link", match[0])
        elif match["mention"]:
            did = find(match["mention"].lower())
            run = Run(match[0], "mention", did) if did else run
        else:
            run = Run(match[0], "hashtag", match["hashtag"])
        runs += [Run(text[at : match.start()]), run]
        at = match.end()
    return join_runs([*runs, Run(text[at:])])


def _short(url: str) -> str:
    """Host, and about a dozen characters of the path."""
    host = urlsplit(url).netloc
    path = url.partition(host)[2]
    path = "" if path == "/" else path
    return host + (path if len(path) <= 15 else path[:13] + "...")
