"""Mastodon's JSON to the neutral model. Pure.

Fields are those of the Mastodon documentation (entities/Status, MediaAttachment, Quote, Instance,
V1_Instance); servers that only speak Mastodon's API leave some out. What is missing or odd gets a
default, and what decides who may see a post fails closed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any, Literal
from urllib.parse import urlsplit

from bridge import text
from bridge.network import Animation, Identity, Limits, Measure, PlayLimits, PollLimits
from bridge.post import Card, Media, MediaKind, Poll, Post, Ref, Run, Visibility, utc

Software = Literal["mastodon", "gotosocial", "other"]

_VISIBILITIES: dict[str, Visibility] = {
    "public": "public",
    "unlisted": "unlisted",
    "private": "private",
    "direct": "direct",
}
_MEDIA: dict[str, MediaKind] = {
    "image": "image",
    "video": "video",
    "gifv": "gif",
    "audio": "audio",
}
#: the link for readers that do not know quotes (Mastodon documentation, client/quotes)
_QUOTE_INLINE = re.compile(r"<(p|span)\b[^>]*\bquote-inline\b[^>]*>(.*?)</\1>", re.DOTALL)
_HREF = re.compile(r"""\bhref=["']([^"']+)["']""")
#: the version of the API from which on a post can quote another (Mastodon 4.5, methods/statuses)
QUOTES_SINCE = 7
#: pages of an account that are no posts
_PAGES = {"featured", "followers", "following", "media", "posts", "statuses", "with_replies"}
#: the most statuses that `GET /api/v1/statuses` takes, which Mastodon has since 4.3, as it has
#: `api_versions` (its documentation, methods/statuses; the number: its code)
BATCH = 20
_UNREADABLE_TIME = datetime(1970, 1, 1, tzinfo=UTC)


def identity_id(host: str, account_id: Any) -> str:
    """The identity of an account: `mastodon:HOST/ID`; "" without an id."""
    number = native_id(account_id)
    return f"mastodon:{host}/{number}" if number else ""


def native_id(value: Any) -> str:
    """An id as text, whatever the server writes it as; "" if it is none."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    return str(value)


def to_post(status: Mapping[str, Any], host: str) -> Post:
    """A status as a Post. `host` is that of the server it was read from, with its port."""
    created_at = _time(status.get("created_at"))
    return Post(
        account=identity_id(host, _dict(status.get("account")).get("id")),
        id=native_id(status.get("id")),
        url=_str(status.get("url")) or _str(status.get("uri")),
        created_at=created_at or _UNREADABLE_TIME,
        runs=text.html_to_runs(
            _str(status.get("content")), mentions=_mentions(status), tags=_tags(status)
        ),
        revision=_str(status.get("edited_at")),
        languages=(language,) if (language := _str(status.get("language"))) else (),
        content_warning=_str(status.get("spoiler_text")),
        sensitive=bool(status.get("sensitive")),
        visibility=_visibility(status) if created_at else "unknown",
        media=tuple(_media(item) for item in _dicts(status.get("media_attachments"))),
        reply_to=_reply(status, host),
        quote=_quote(status, host),
        boost=_ref(status.get("reblog"), host),
        poll=_poll(_dict(status.get("poll"))),
        card=_card(_dict(status.get("card"))),
        application=_str(_dict(status.get("application")).get("name")),
    )


def _card(card: Mapping[str, Any]) -> Card | None:
    """The card that the server made of a link (documentation, entities/PreviewCard)."""
    url, title = _str(card.get("url")), _str(card.get("title"))
    if not (title and text.is_web(url)):
        return None
    return Card(url, title, _str(card.get("description")), _str(card.get("image")))


def handles(mention: Run, account: str) -> tuple[str, ...]:
    """Whom a mention means, as `user@host`; people of the account's own server come without host.

    Servers whose names differ from those in handles show the one in the address of the profile.
    """
    host = account.partition(":")[2].rpartition("/")[0]
    found = [mention.text.lstrip("@＠")]
    if profile := re.fullmatch(r"https?://([^/]+)/(?:@|users/)([^/@]+)(@[^/]+)?/?", mention.target):
        found.append(profile[2] + (profile[3] or f"@{profile[1]}"))
    return tuple(each if "@" in each else f"{each}@{host}" for each in found)


def is_error(body: Any) -> bool:
    """Whether a body is an error of the API, and nothing else (documentation, entities/Error).

    Proxies answer 404 too, as web pages, as plain text, or as JSON with fields of their own.
    """
    return (
        isinstance(body, dict)
        and bool(_str(body.get("error")))
        and body.keys() <= {"error", "error_description"}
    )


def locate(url: str, identity: Identity) -> str:
    """The id of a status of an account by the address of its page; "" if it is none.

    Mastodon writes /@NAME/ID and /users/NAME/statuses/ID, GoToSocial /@NAME/statuses/ID, Truth
    Social /@NAME/posts/ID. Other pages of the account, such as its followers, are no posts.
    """
    try:
        where, home = urlsplit(url), urlsplit(identity.url)
    except ValueError:
        return ""
    name = re.escape(identity.handle.split("@")[0])
    found = re.fullmatch(
        rf"/(?:@|users/){name}(?:/statuses|/posts)?/([A-Za-z0-9_-]+)/?", where.path, re.IGNORECASE
    )
    hosts = {home.netloc.lower(), identity.id.partition(":")[2].rpartition("/")[0]} - {""}
    ours = where.scheme in ("https", "http") and where.netloc.lower() in hosts
    return found[1] if ours and found and found[1].lower() not in _PAGES else ""


def _visibility(status: Mapping[str, Any]) -> Visibility:
    """Who may see it, and for a boost what it boosts too: the narrower of both.

    Forks have posts that stay on their server, marked by `local_only`.
    """
    if status.get("local_only"):
        return "unknown"
    own = _VISIBILITIES.get(_str(status.get("visibility")), "unknown")
    boosted = status.get("reblog")
    both = {own, _visibility(boosted)} if isinstance(boosted, Mapping) else {own}
    return next(v for v in ("unknown", "direct", "private", "unlisted", "public") if v in both)


def _quote(status: Mapping[str, Any], host: str) -> Ref | None:
    """The quoted post. One that still waits for consent is named only by the link in the HTML."""
    # Mastodon wraps the quoted status, some forks give it bare, Pleroma in an object of its own.
    quote = _dict(status.get("quote")) or _dict(_dict(status.get("pleroma")).get("quote"))
    ref = _ref(quote.get("quoted_status"), host) or _ref(quote, host)
    inline = _QUOTE_INLINE.search(_str(status.get("content")))
    if ref is not None or not (quote or inline):
        return ref
    href = _HREF.search(inline.group(2)) if inline else None
    url = unescape(href.group(1)) if href else ""
    return Ref(native_id(quote.get("quoted_status_id")), url=url)


def _ref(status: Any, host: str) -> Ref | None:
    found = _dict(status)
    post_id = native_id(found.get("id"))
    if not post_id:
        return None
    author = _dict(found.get("account"))
    return Ref(
        post_id,
        identity_id(host, author.get("id")),
        _str(found.get("url")) or _str(found.get("uri")),
        author=text.plain_name(_str(author.get("acct"))),
    )


def _reply(status: Mapping[str, Any], host: str) -> Ref | None:
    parent = native_id(status.get("in_reply_to_id"))
    author = identity_id(host, status.get("in_reply_to_account_id"))
    if not parent and author == identity_id(host, _dict(status.get("account")).get("id")):
        return None  # the parent was deleted: the rest of the thread begins here
    return Ref(parent, author) if parent or author else None


def _mentions(status: Mapping[str, Any]) -> dict[str, str]:
    found = _dicts(status.get("mentions"))
    return {_str(m.get("url")): _str(m.get("acct")) for m in found if m.get("url")}


def _tags(status: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(_str(tag.get("name")) for tag in _dicts(status.get("tags")))


def _poll(poll: Mapping[str, Any]) -> Poll | None:
    """A poll (Mastodon documentation, entities/Poll); votes only where every option has them."""
    options = _dicts(poll.get("options"))
    votes = [option.get("votes_count") for option in options]
    told = [count for count in votes if isinstance(count, int) and count >= 0]
    if not options:
        return None
    return Poll(
        tuple(_str(option.get("title")) for option in options),
        votes=tuple(told) if len(told) == len(options) else (),
        multiple=poll.get("multiple") is True,
        ends_at=_time(poll.get("expires_at")),
        closed=poll.get("expired") is True,
    )


def _media(item: Mapping[str, Any]) -> Media:
    original = _dict(_dict(item.get("meta")).get("original"))
    url = _str(item.get("url")) or _str(item.get("remote_url"))
    poster = _str(item.get("preview_url"))
    return Media(
        kind=_MEDIA.get(_str(item.get("type")), "unknown") if url else "unknown",
        url=url,
        alt=_str(item.get("description")),
        width=_whole(original.get("width"), 0),
        height=_whole(original.get("height"), 0),
        focus=_focus(_dict(_dict(item.get("meta")).get("focus"))),
        duration=_seconds(original.get("duration")),
        # servers repeat the file itself where they have made no image of it
        poster=poster if poster != url and _str(item.get("type")) != "image" else "",
    )


def _seconds(value: Any) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e7
    return float(value) if good else 0.0


def _focus(focus: Mapping[str, Any]) -> tuple[float, float] | None:
    """The focal point (Mastodon documentation, entities/MediaAttachment); the middle is none."""
    at = [value for value in map(focus.get, "xy") if isinstance(value, int | float)]
    if len(at) < 2 or at == [0, 0] or not all(-1 <= value <= 1 for value in at):
        return None
    return float(at[0]), float(at[1])


@dataclass(frozen=True, slots=True)
class Instance:
    """What a server says of itself, as far as it matters here. Bytes, pixels, characters."""

    software: Software = "other"
    keeps_keys: bool = False
    characters: int = 500
    url_characters: int = 23
    images: int = 4
    image_bytes: int = 8 * 1024 * 1024
    image_pixels: int = 33_177_600
    image_types: tuple[str, ...] = ("image/gif", "image/jpeg", "image/png")
    alt_characters: int = 1500
    #: video and sound; none where a server does not say that it takes any
    video_bytes: int = 40 * 1024 * 1024
    video_types: tuple[str, ...] = ()
    audio_types: tuple[str, ...] = ()
    #: 0 where nothing is said of polls: then there may be none
    poll_options: int = 0
    poll_characters: int = 50
    poll_shortest: int = 300
    poll_longest: int = 2_629_746
    #: statuses that one request can name; 1 where there is no such request
    batch: int = 1
    quotes: bool = False


def to_instance(answer: Mapping[str, Any]) -> Instance:
    """The instance entity, version 2 or 1, as an Instance; what it leaves out gets a default.

    The defaults are those of Mastodon's documentation (entities/Instance); the size of an image is
    that of older servers.
    """
    known = Instance()
    configuration = _dict(answer.get("configuration"))
    statuses = _dict(configuration.get("statuses"))
    media = _dict(configuration.get("media_attachments"))
    polls = _dict(configuration.get("polls"))
    mimes = media.get("supported_mime_types")
    types = [_str(mime) for mime in mimes] if isinstance(mimes, list) else []

    def of(kind: str) -> tuple[str, ...]:
        return tuple(sorted(mime for mime in types if mime.startswith(kind)))

    software = _software(answer)
    api = _dict(answer.get("api_versions")).get("mastodon")
    recent = software == "mastodon" and isinstance(api, int)
    return Instance(
        software=software,
        keeps_keys=recent,
        characters=_whole(statuses.get("max_characters"), known.characters),
        url_characters=_whole(statuses.get("characters_reserved_per_url"), known.url_characters),
        images=_whole(statuses.get("max_media_attachments"), known.images),
        image_bytes=_whole(media.get("image_size_limit"), known.image_bytes),
        image_pixels=_whole(media.get("image_matrix_limit"), known.image_pixels),
        image_types=of("image/") or known.image_types,
        video_bytes=_whole(media.get("video_size_limit"), known.video_bytes),
        video_types=of("video/"),
        audio_types=of("audio/"),
        alt_characters=_whole(media.get("description_limit"), known.alt_characters),
        poll_options=_whole(polls.get("max_options"), known.poll_options),
        poll_characters=_whole(polls.get("max_characters_per_option"), known.poll_characters),
        poll_shortest=_whole(polls.get("min_expiration"), known.poll_shortest),
        poll_longest=_whole(polls.get("max_expiration"), known.poll_longest),
        batch=BATCH if recent else known.batch,
        quotes=software == "mastodon" and isinstance(api, int) and api >= QUOTES_SINCE,
    )


def _software(answer: Mapping[str, Any]) -> Software:
    """What runs there. `api_versions` is Mastodon's own since 4.3, `source_url` names the rest;
    others that speak the API write what they are into `version`, as "takahe/0.11.0" or
    "2.7.2 (compatible; Pleroma 2.5.0)" (entities/Instance).
    """
    source, version = _str(answer.get("source_url")).lower(), _str(answer.get("version"))
    if "gotosocial" in source:
        return "gotosocial"
    if not re.match(r"\d+\.\d+", version) or "compatible" in version:
        return "other"
    if "mastodon" in _dict(answer.get("api_versions")) or "/mastodon" in source:
        return "mastodon"
    return "other"


def to_limits(instance: Instance) -> Limits:
    """The limits of a server.

    Mastodon counts graphemes, content warning included, a URL as a fixed number (its documentation,
    user/posting). GoToSocial counts code points and URLs in full, whatever it says about URLs. Of
    other software nothing is known, so a text must meet both.
    """

    def as_mastodon(words: str, warning: str) -> int:
        return text.mastodon_length(words, warning, url_length=instance.url_characters)

    def as_gotosocial(words: str, warning: str) -> int:
        return len(words) + len(warning)

    graphemes = Measure("characters", instance.characters, as_mastodon)
    code_points = Measure("code points", instance.characters, as_gotosocial)
    measures = {
        "mastodon": (graphemes,),
        "gotosocial": (code_points,),
        "other": (graphemes, code_points),
    }
    return Limits(
        measures=measures[instance.software],
        images=instance.images,
        image_bytes=instance.image_bytes,
        image_pixels=instance.image_pixels,
        image_types=frozenset(instance.image_types),
        alt_characters=instance.alt_characters,
        # Mastodon makes films of GIFs (its documentation, user/posting); other types stand still
        animation=Animation(frozenset({"image/gif"}), instance.image_bytes),
        polls=_poll_limits(instance),
        quotes=instance.quotes,
        video=_play_limits(instance, instance.video_types),
        audio=_play_limits(instance, instance.audio_types),
    )


def _play_limits(instance: Instance, types: tuple[str, ...]) -> PlayLimits | None:
    """What a video or a sound may be: both within the bytes of a video; no length is told."""
    return PlayLimits(frozenset(types), instance.video_bytes) if types else None


def _poll_limits(instance: Instance) -> PollLimits | None:
    if instance.poll_options < 2:
        return None
    return PollLimits(
        instance.poll_options,
        instance.poll_characters,
        instance.poll_shortest,
        max(instance.poll_longest, instance.poll_shortest),
    )


def _str(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _whole(value: Any, default: int) -> int:
    """A positive whole number, or the default."""
    good = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value < 1e15
    return int(value) if good else default


def _time(value: Any) -> datetime | None:
    try:
        return utc(value)
    except (TypeError, ValueError, OverflowError):
        return None
