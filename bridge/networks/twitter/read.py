"""X's JSON to posts. Pure.

X API v2 has two families of names: `tweet.fields` with `referenced_tweets`, `note_tweet` and so on,
and since August 2026 `post.fields` with `referenced_posts`, `note_post` (X API changelog). Both are
read here. Whatever is missing or of a wrong type counts as not said, so that one odd post does not
stop a whole page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.network import Identity
from bridge.post import Card, Media, Poll, Post, Ref, Run, RunKind, Visibility, join_runs, utc
from bridge.text import is_web

#: the moment at which X's ids (snowflakes) begin to count milliseconds, in Unix milliseconds
EPOCH = 1_288_834_974_657
#: ids below were given out one by one, before November 2010, and hold no time
FIRST_SNOWFLAKE = 29_700_859_247

#: codes in `lang` that name no language: undetermined, none, and X's own for only hashtags,
#: mentions, media, links or very short text
NO_LANGUAGE = frozenset(["art", "mis", "mul", "qam", "qct", "qht", "qme", "qst", "und", "zxx"])
#: codes that BCP 47 has replaced
RENAMED_LANGUAGES = {"in": "id", "iw": "he", "ji": "yi"}

#: how the text of a repost begins, which X makes
_REPOSTED = re.compile(r"RT @(\w{1,15}): ")
_MEDIA_KINDS = {"photo": "image", "video": "video", "animated_gif": "gif"}


@dataclass(frozen=True, slots=True)
class User:
    """An account on X: numeric id, name without `@`, and whether only followers see its posts."""

    id: str
    name: str
    protected: bool

    @property
    def identity(self) -> str:
        """The account's identity id."""
        return f"twitter:{self.id}"


def handles(mention: Run, account: str) -> tuple[str, ...]:  # noqa: ARG001 - the same anywhere
    """Whom a mention means."""
    return (mention.name,)


def to_posts(body: Mapping[str, Any], user: User) -> list[Post]:
    """The posts of a timeline page of `user`, in the page's order; those without an id left out."""
    found = _Found(body)
    return [to_post(post, found, user) for post in _objects(body, "data") if number(post) >= 0]


def author(body: Mapping[str, Any], user: User) -> User:
    """`user` as a page of its timeline shows it: the name, and whether it is protected now."""
    users = _objects(_object(body, "includes"), "users")
    return to_user(next((u for u in users if u.get("id") == user.id), {}), user)


def to_user(data: Mapping[str, Any], known: User) -> User:
    """`known`, brought up to date by a user object, as far as that says anything."""
    protected = data.get("protected", known.protected)
    return User(known.id, _text(data, "username") or known.name, protected is not False)


def locate(url: str, identity: Identity) -> str:
    """The id of a post of an account by the address of its page; "" if it is none.

    One that names no account, as x.com/i/status/ID, may be anybody's.
    """
    name = re.escape(identity.handle.removeprefix("@"))
    found = re.fullmatch(
        rf"https://(?:www\.|mobile\.)?(?:x|twitter)\.com/(?:{name}|i/web|i)/status/([0-9]{{1,19}})"
        r"(?:[/?#].*)?",
        url,
        re.IGNORECASE,
    )
    return found[1] if found else ""


def number(post: Mapping[str, Any]) -> int:
    """A post's id as a number, by which X's posts sort in time; -1 if it has none."""
    text = _text(post, "id")
    return int(text) if text.isascii() and text.isdecimal() else -1


def versions(post: Mapping[str, Any]) -> list[str]:
    """The ids of all versions of a post, oldest first, by any of them; its own if none are named.

    X API, Edit posts.
    """
    named = _either(post, "edit_history_post_ids", "edit_history_tweet_ids")
    return [v for v in named if isinstance(v, str) and v.isdecimal()] or [_text(post, "id")]


def trouble_with(body: object, post_id: str) -> str:
    """The kind of problem that an answer without `data` names for a post; "" if it names none.

    The last part of its type, such as `resource-not-found` (X API, response codes and errors). A
    problem is the whole of an answer, or beside others in a 200.
    """
    if not isinstance(body, dict) or "data" in body:
        return ""
    for each in (body, *_objects(body, "errors")):
        if post_id in (each.get("resource_id"), each.get("value")):
            return _text(each, "type").rpartition("/problems/")[2]
    return ""


def snowflake_time(post_id: int) -> datetime | None:
    """When a post was made, UTC, as its id says; None for the ids from before snowflakes."""
    if not FIRST_SNOWFLAKE <= post_id < 2**63:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=(post_id >> 22) + EPOCH)


class _Found:
    """What a page includes beside its posts, by key."""

    def __init__(self, body: Mapping[str, Any]) -> None:
        includes = _object(body, "includes")
        self.media = {_text(m, "media_key"): m for m in _objects(includes, "media")}
        self.polls = {_text(p, "id"): p for p in _objects(includes, "polls")}
        posts = [*_objects(includes, "tweets"), *_objects(includes, "posts")]
        self.posts = {_text(p, "id"): p for p in posts}


def to_post(data: Mapping[str, Any], found: _Found, user: User) -> Post:
    """One post of `user`. Its id is that of its first version: an edit has a new one."""
    revision = _text(data, "id")
    every = versions(data)
    first = every[0]
    refs = _references(data, found, user)
    if "quoted" in refs:
        refs["quoted"] = _as_linked(refs["quoted"], data)
    attached = _object(data, "attachments")
    keys = [key for key in _list(attached, "media_keys") if isinstance(key, str)]
    visibility: Visibility = "private" if user.protected else "public"
    return Post(
        account=user.identity,
        id=first,
        url=f"https://x.com/{user.name}/status/{revision}",
        created_at=_created_at(data, first, revision),
        runs=_boosted(refs["retweeted"], found)
        if "retweeted" in refs
        else _runs(data, {first, revision}, refs.get("quoted")),
        revision=revision,
        versions=tuple(every),
        languages=_languages(_text(data, "lang")),
        sensitive=data.get("possibly_sensitive") is True,
        visibility=visibility,
        media=tuple(_media(found.media.get(key, {})) for key in keys),
        reply_to=refs.get("replied_to"),
        quote=refs.get("quoted"),
        boost=refs.get("retweeted"),
        card=_card(_object(data, "entities")),
        poll=_poll([found.polls.get(str(key), {}) for key in _list(attached, "poll_ids")]),
    )


def _card(entities: Mapping[str, Any]) -> Card | None:
    """What X tells of the page of a link (X API, Post object, entities.urls)."""
    for each in _objects(entities, "urls"):
        url, title = _text(each, "expanded_url"), _text(each, "title")
        if title and is_web(url):
            pictures = [_text(image, "url") for image in _objects(each, "images")]
            return Card(url, title, _text(each, "description"), next(iter(pictures), ""))
    return None


def _poll(polls: list[Mapping[str, Any]]) -> Poll | None:
    """The poll of a post (X API, Poll object), if the page describes one."""
    poll = next((each for each in polls if _objects(each, "options")), None)
    if poll is None:
        return None
    options = _objects(poll, "options")
    votes = [option.get("votes") for option in options]
    told = [count for count in votes if isinstance(count, int) and count >= 0]
    try:
        ends_at = utc(_text(poll, "end_datetime"))
    except (ValueError, OverflowError):
        ends_at = None
    return Poll(
        tuple(_text(option, "label") for option in options),
        votes=tuple(told) if len(told) == len(options) else (),
        ends_at=ends_at,
        closed=poll.get("voting_status") == "closed",
    )


def _created_at(data: Mapping[str, Any], first: str, revision: str) -> datetime:
    """When the first version was made; a later one bears its own time."""
    by_id = snowflake_time(int(first))
    try:
        said = utc(_text(data, "created_at"))
    except (ValueError, OverflowError):
        return by_id or datetime.fromtimestamp(EPOCH / 1000, UTC)
    return said if first == revision else by_id or said


def _languages(code: str) -> tuple[str, ...]:
    if not code or code in NO_LANGUAGE:
        return ()
    return (RENAMED_LANGUAGES.get(code, code),)


def _references(data: Mapping[str, Any], found: _Found, user: User) -> dict[str, Ref]:
    """The posts that this one refers to, by type: retweeted, quoted, replied_to."""
    refs = {}
    for each in _either(data, "referenced_posts", "referenced_tweets"):
        if not isinstance(each, dict):
            continue
        kind, post_id = _text(each, "type"), _text(each, "id")
        author = _text(found.posts.get(post_id, {}), "author_id")
        if kind == "replied_to":
            author = _text(data, "in_reply_to_user_id") or author
        account = f"twitter:{author}" if author else ""
        name = user.name if author == user.id else "i"
        said = _REPOSTED.match(_text(data, "text")) if kind == "retweeted" else None
        if said is not None:
            name = said[1]
        url = f"https://x.com/{name}/status/{post_id}"
        refs[kind] = Ref(post_id, account, url, author=said[1] if said else "")
    return refs


def _boosted(ref: Ref, found: _Found) -> tuple[Run, ...]:
    """The words of a reposted post, if the page has it: those of the repost itself are cut."""
    boosted = found.posts.get(ref.id)
    return _runs(boosted, {ref.id}, None) if boosted else ()


def _as_linked(quoted: Ref, data: Mapping[str, Any]) -> Ref:
    """A quoted post under the address by which the text links it: that has its author's name."""
    for each in _objects(_object(data, "entities"), "urls"):
        target = _text(each, "expanded_url")
        found = re.match(
            r"https?://(?:www\.|mobile\.)?(?:x|twitter)\.com/(\w+)/status/([0-9]+)", target
        )
        if found and found[2] == quoted.id:
            return replace(quoted, url=f"https://x.com/{found[1]}/status/{quoted.id}")
    return quoted


def _media(data: Mapping[str, Any]) -> Media:
    """An attachment; one that the page does not describe is of unknown kind."""
    kind: Any = _MEDIA_KINDS.get(_text(data, "type"), "unknown")
    url, mime = _text(data, "url"), ""
    others: list[str] = []
    if kind in ("video", "gif"):
        variants = [v for v in _objects(data, "variants") if v.get("content_type") == "video/mp4"]
        variants.sort(key=lambda v: _count(v, "bit_rate"), reverse=True)
        urls = [address for v in variants if (address := _text(v, "url"))]
        url, *others = urls or [url]
        mime = "video/mp4"
    width, height = _count(data, "width"), _count(data, "height")
    return Media(
        kind,
        url,
        _text(data, "alt_text"),
        mime,
        width,
        height,
        duration=_count(data, "duration_ms") / 1000,
        poster=_text(data, "preview_image_url"),
        others=tuple(others),
    )


# Text


@dataclass(frozen=True, slots=True)
class _Entity:
    """A run in place of characters [start, end) of the raw text."""

    start: int
    end: int
    run: Run
    #: a link that X itself put at the end: to the post's media, or to the quoted post
    added: bool = False


def _runs(data: Mapping[str, Any], own: set[str], quote: Ref | None) -> tuple[Run, ...]:
    """The text: t.co links replaced by what they stand for, those that X added left out.

    `own` are ids of the post itself: X's link to its media leads to the post.
    """
    note = _object(data, "note_post") or _object(data, "note_tweet")
    whole = note if _text(note, "text") else data
    text = _text(whole, "text")
    spans = _entities(text, _object(whole, "entities"), own, quote)
    entities = sorted(spans, key=lambda entity: entity.start)
    end = len(text)
    for entity in reversed(entities):
        if not entity.added or text[entity.end : end].strip():
            break
        end = entity.start
    text = text[:end].rstrip() if end < len(text) else text
    runs = []
    at = 0
    for entity in entities:
        if entity.start < at or entity.end > len(text):
            continue
        runs += [Run(_unescape(text[at : entity.start])), entity.run]
        at = entity.end
    return join_runs([*runs, Run(_unescape(text[at:]))])


def _unescape(text: str) -> str:
    """`text` without the three escapes that X makes; only after the entities, which count them."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _entities(
    text: str, entities: Mapping[str, Any], own: set[str], quote: Ref | None
) -> Iterator[_Entity]:
    for each in _objects(entities, "urls"):
        short, target = _text(each, "url"), _text(each, "expanded_url")
        found = _place(text, short, each)
        if found and is_web(target):
            added = "media_key" in each or _is_added(target, own, quote)
            yield _Entity(*found, Run(target, "link", target), added)
    kinds: tuple[tuple[str, str, str, RunKind], ...] = (
        ("mentions", "username", "@", "mention"),
        ("hashtags", "tag", "#", "hashtag"),
    )
    for group, field, sign, kind in kinds:
        for each in _objects(entities, group):
            name = _text(each, field)
            found = _place(text, sign + name, each) if name else None
            if found is None:
                continue
            shown = text[slice(*found)]
            if kind == "mention":
                yield _Entity(*found, Run(shown, kind, f"https://x.com/{name}", name))
            else:
                yield _Entity(*found, Run(shown, kind, name))


def _place(text: str, written: str, entity: Mapping[str, Any]) -> tuple[int, int] | None:
    """Where an entity stands: at its indices, or else the first place that reads like it.

    The entities of X API v2 count code points, as Python does (those of other X interfaces count
    UTF-16 units, so the indices are not taken on trust).
    """
    start, size = _count(entity, "start"), len(written)
    at = text[start : start + size].translate(_NARROW).casefold()
    if written and at == written.translate(_NARROW).casefold():
        return start, start + size
    start = text.find(written) if written else -1
    return (start, start + size) if start >= 0 else None


#: mentions and hashtags may be written with full-width signs
_NARROW = {ord("＠"): "@", ord("＃"): "#"}


def _is_added(target: str, own: set[str], quote: Ref | None) -> bool:
    path = target.partition("/status/")[2].partition("?")[0]
    post_id, _, rest = path.partition("/")
    if post_id in own:
        return rest.startswith(("photo/", "video/"))
    return quote is not None and post_id == quote.id


# Reading what may not be there


def _text(data: Mapping[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _count(data: Mapping[str, Any], name: str) -> int:
    value = data.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _object(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = data.get(name)
    return value if isinstance(value, dict) else {}


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    value = data.get(name)
    return value if isinstance(value, list) else []


def _either(data: Mapping[str, Any], new: str, old: str) -> list[Any]:
    return _list(data, new) or _list(data, old)


def _objects(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    return [each for each in _list(data, name) if isinstance(each, dict)]
