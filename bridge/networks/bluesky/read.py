"""Records of Bluesky as posts. Pure; never raises: a record holds whatever its author liked."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any
from urllib.parse import quote

from bridge.network import Identity
from bridge.networks.bluesky.write import COLLECTION, MARK, REPOSTS, tid_time
from bridge.post import Card, Media, MediaKind, Post, Ref, Run, Visibility, join_runs, utc
from bridge.text import clusters, comparable, is_web, plain_name

APP = "https://bsky.app"
_NO_TIME = datetime(1970, 1, 1, tzinfo=UTC)
#: what bsky.app calls the pages of records that are no posts but can be embedded
_PAGES = {
    "app.bsky.feed.generator": "profile/{did}/feed/{rkey}",
    "app.bsky.graph.list": "profile/{did}/lists/{rkey}",
    "app.bsky.graph.starterpack": "starter-pack/{did}/{rkey}",
}
#: fields, unknown to Bluesky and kept by it, that tell who made a record out of another network's
#: post: Bridgy Fed (snarfed/bridgy-fed, atproto.py) and Wafrn, whose posts stand on both networks
_MAKERS = {
    "bridgyOriginalUrl": "Bridgy Fed",
    "bridgyOriginalText": "Bridgy Fed",
    "fediverseId": "Wafrn",
}


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose records are read: DID, handle ("" if unknown), and the address of the PDS."""

    did: str
    handle: str
    pds: str

    @property
    def name(self) -> str:
        """What stands for the account in the address of a page: the handle, if it has one."""
        return self.handle if self.handle and self.handle != "handle.invalid" else self.did


def handles(mention: Run, account: str) -> tuple[str, ...]:  # noqa: ARG001 - the same anywhere
    """Whom a mention means: the handle in its text, and the DID that it leads to."""
    return mention.text.lstrip("@＠"), mention.target.rpartition("/")[2]


def to_post(item: object, owner: Owner) -> Post | None:
    """An item of `com.atproto.repo.listRecords` as a post, or None if it has no readable address.

    Whatever is malformed inside the record is left out; unknown attachments become media of kind
    unknown, unknown labels sensitive, and a label that narrows who may see it a private post.
    """
    fields = _map(item)
    uri = _text(fields.get("uri"))
    did, collection, rkey = _split_uri(uri)
    if did != owner.did or not rkey:
        return None
    record = _map(fields.get("value"))
    if collection == REPOSTS:
        return _to_boost(record, owner, rkey)
    embed = _Embed(owner)
    embed.read(_map(record.get("embed")))
    runs = _with_links(to_runs(_text(record.get("text")), record.get("facets")), embed.links)
    reply = record.get("reply")
    visibility, labels = _labels(record.get("labels"))
    return Post(
        account=f"bluesky:{did}",
        id=rkey,
        url=f"{APP}/profile/{owner.name}/post/{rkey}",
        created_at=_time(record.get("createdAt")) or tid_time(rkey) or _NO_TIME,
        runs=runs,
        languages=tuple(tag for tag in map(_text, _list(record.get("langs"))) if tag),
        sensitive=bool(labels) or visibility == "private",
        visibility=visibility,
        labels=labels,
        media=tuple(embed.media),
        reply_to=to_ref(_map(reply).get("parent")) or Ref("") if reply is not None else None,
        root=to_ref(_map(reply).get("root")),
        uri=uri,
        cid=_text(fields.get("cid")),
        quote=embed.quote,
        card=embed.card,
        tags=tuple(tag for tag in map(_text, _list(record.get("tags"))) if tag),
        application=next((name for field, name in _MAKERS.items() if field in record), ""),
        mark=_text(record.get(MARK)),
    )


def _to_boost(record: Mapping[str, Any], owner: Owner, rkey: str) -> Post | None:
    """A record of app.bsky.feed.repost; None if it does not name a post. It has no page."""
    boosted = to_ref(record.get("subject"))
    if boosted is None:
        return None
    return Post(
        account=f"bluesky:{owner.did}",
        id=rkey,
        url=f"at://{owner.did}/{REPOSTS}/{rkey}",
        created_at=_time(record.get("createdAt")) or tid_time(rkey) or _NO_TIME,
        runs=(),
        boost=boosted,
        application=next((name for field, name in _MAKERS.items() if field in record), ""),
        mark=_text(record.get(MARK)),
    )


def locate(url: str, identity: Identity) -> str:
    """The record key of a post of an account by its page at bsky.app or its AT URI; "" if none."""
    did = identity.id.partition(":")[2]
    found = re.fullmatch(
        r"(?:https://bsky\.app/profile/|at://)([^/]+)/(?:post|app\.bsky\.feed\.post)/([^/?#]+)"
        r"/?(?:[?#].*)?",
        url,
    )
    mine = (did, identity.handle.removeprefix("@").lower())
    return found[2] if found and (found[1] == did or found[1].lower() in mine) else ""


def to_ref(strong: object) -> Ref | None:
    """A strong reference (`{"uri", "cid"}`) to a post, or None if it is none."""
    uri = _text(_map(strong).get("uri"))
    did, collection, rkey = _split_uri(uri)
    if collection != COLLECTION:
        return None
    return Ref(
        id=rkey,
        account=f"bluesky:{did}",
        url=f"{APP}/profile/{did}/post/{rkey}",
        uri=uri,
        cid=_text(_map(strong).get("cid")),
    )


def to_runs(text: str, facets: object) -> tuple[Run, ...]:
    """Text and facets as runs. Facets count UTF-8 bytes (lexicon app.bsky.richtext.facet).

    A facet that is malformed, out of range, inside a code point, or overlaps an earlier one is
    dropped; its text stays. One that begins or ends inside a grapheme is widened to all of it. Of
    several features the first that is known counts.
    """
    raw = text.encode()
    found = sorted(_ranges(facets), key=lambda found: found[:2])
    edges = _edges(text) if found and not text.isascii() else None
    runs: list[Run] = []
    at = 0
    for first, last, features in found:
        if last > len(raw) or _inside_character(raw, first, last):
            continue
        start, end = (first, last) if edges is None else _widened(edges, first, last)
        if start < at:
            continue
        words = raw[start:end].decode()
        run = next(filter(None, (_run(words, feature) for feature in features)), None)
        if run is not None:
            runs += (Run(raw[at:start].decode()), run)
            at = end
    return join_runs([*runs, Run(raw[at:].decode())])


def _ranges(facets: object) -> list[tuple[int, int, list[dict[str, Any]]]]:
    """Start, end and features of every facet that has these."""
    found = []
    for facet in map(_map, _list(facets)):
        index = _map(facet.get("index"))
        start, end = index.get("byteStart"), index.get("byteEnd")
        features = [_map(feature) for feature in _list(facet.get("features"))]
        if type(start) is int and type(end) is int and 0 <= start < end:
            found.append((start, end, features))
    return found


def _inside_character(raw: bytes, start: int, end: int) -> bool:
    return any(at < len(raw) and raw[at] & 0xC0 == 0x80 for at in (start, end))


def _edges(text: str) -> list[int]:
    """The bytes between which the graphemes of a text stand, its beginning and end included."""
    return [0, *accumulate(len(cluster.encode()) for cluster in clusters(text))]


def _widened(edges: list[int], start: int, end: int) -> tuple[int, int]:
    return edges[bisect_right(edges, start) - 1], edges[bisect_left(edges, end)]


def _run(text: str, feature: Mapping[str, Any]) -> Run | None:
    match feature.get("$type"):
        case "app.bsky.richtext.facet#link" if uri := _web(feature.get("uri")):
            return Run(text, "link", uri)
        case "app.bsky.richtext.facet#mention" if did := _text(feature.get("did")):
            return Run(text, "mention", f"{APP}/profile/{did}", plain_name(text))
        case "app.bsky.richtext.facet#tag" if tag := _text(feature.get("tag")):
            return Run(text, "hashtag", tag.removeprefix("#"))
    return None


def _with_links(runs: tuple[Run, ...], links: list[str]) -> tuple[Run, ...]:
    """Runs with each link at the end that they do not lead to already."""
    for link in links:
        shown = {comparable(run.target) for run in runs if run.kind == "link"}
        if comparable(link) not in shown:
            runs = join_runs((*runs, Run("\n\n" if runs else ""), Run(link, "link", link)))
    return runs


class _Embed:
    """What an embed holds: media, a quoted post, and links that would otherwise be lost."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner
        self.media: list[Media] = []
        self.links: list[str] = []
        self.quote: Ref | None = None
        self.card: Card | None = None

    def read(self, embed: Mapping[str, Any]) -> None:
        """Take in one embed."""
        match embed.get("$type"):
            case "app.bsky.embed.images":
                self._images(embed.get("images"))
            case "app.bsky.embed.gallery":
                self._images(embed.get("items"))
            case "app.bsky.embed.video":
                animated = embed.get("presentation") == "gif"
                self._add("gif" if animated else "video", embed.get("video"), embed)
            case "app.bsky.embed.external":
                self._external(_map(embed.get("external")))
            case "app.bsky.embed.record":
                self._record(_map(embed.get("record")))
            case "app.bsky.embed.recordWithMedia":
                self.read(_map(embed.get("media")))
                self._record(_map(_map(embed.get("record")).get("record")))
            case _ if embed:
                self.media.append(Media("unknown", ""))

    def _images(self, images: object) -> None:
        for image in map(_map, _list(images)):
            self._add("image", image.get("image"), image)

    def _add(self, kind: MediaKind, blob: object, holder: Mapping[str, Any]) -> None:
        cid = _text(_map(_map(blob).get("ref")).get("$link"))
        ratio = _map(holder.get("aspectRatio"))
        did = quote(self._owner.did, safe=":")
        url = f"{self._owner.pds}/xrpc/com.atproto.sync.getBlob?did={did}&cid={quote(cid)}"
        self.media.append(
            Media(
                kind if cid else "unknown",
                url if cid else "",
                alt=_text(holder.get("alt")),
                mime=_text(_map(blob).get("mimeType")),
                width=_size(ratio.get("width")),
                height=_size(ratio.get("height")),
                bytes=_size(_map(blob).get("size")) if kind != "image" else 0,
            )
        )

    def _external(self, external: Mapping[str, Any]) -> None:
        if url := _web(external.get("uri")):
            self.links.append(url)
            title, about = (_text(external.get(name)) for name in ("title", "description"))
            self.card = Card(url, title, about)

    def _record(self, strong: Mapping[str, Any]) -> None:
        self.quote = to_ref(strong)
        did, collection, rkey = _split_uri(_text(strong.get("uri")))
        if collection in _PAGES:
            self.links.append(f"{APP}/{_PAGES[collection].format(did=did, rkey=rkey)}")


def _labels(labels: object) -> tuple[Visibility, tuple[str, ...]]:
    """Visibility and warnings by self-labels (lexicon com.atproto.label.defs).

    Labels that begin with "!" narrow who may see a post, as `!no-unauthenticated` does; the others
    warn.
    """
    found = [_text(_map(label).get("val")) for label in _list(_map(labels).get("values"))]
    narrowed = any(label.startswith("!") for label in found)
    warnings = (label for label in found if label and not label.startswith("!"))
    return ("private" if narrowed else "public"), tuple(dict.fromkeys(warnings))


def _split_uri(uri: str) -> tuple[str, str, str]:
    """DID, collection and record key of an at:// URI; empty ones if it is malformed."""
    parts = uri.removeprefix("at://").split("/")
    if not uri.startswith("at://did:") or len(parts) != 3 or not all(parts):
        return "", "", ""
    return parts[0], parts[1], parts[2]


def _map(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    """A string that UTF-8 can carry (JSON can hold half a surrogate pair), "" if it is none."""
    return value.encode(errors="replace").decode() if isinstance(value, str) else ""


def _web(value: object) -> str:
    url = _text(value)
    return url if is_web(url) else ""


def _size(value: object) -> int:
    return value if type(value) is int and value > 0 else 0


def _time(value: object) -> datetime | None:
    """A time that its author's app named; None if no post can have been made then.

    Some apps write the year 1 for no time at all, and counting from the ends of the calendar fails.
    """
    try:
        when = utc(_text(value))
    except (ValueError, OverflowError):
        return None
    return when if 1970 <= when.year < 9999 else None
