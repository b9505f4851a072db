"""Whether a bot takes a post: what `only` demands and `skip` refuses. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import regex

from bridge.post import MediaKind, Post, Skip
from bridge.schema import PARTS_OF_POSTS, VISIBILITIES, WEEKDAYS, Filter, Policy
from bridge.text import composed, find_word, graphemes, has_link, tag_key

#: seconds that a regular expression of a config may take on one post
REGEX_TIMEOUT = 1.0


@dataclass(frozen=True, slots=True)
class Ruling:
    """One filter of a bot, and what it said of a post.

    `name` is the filter as it is written, such as `only.hashtags`, or `visibility` for the rule
    that nothing narrower than unlisted ever travels; `wanted` what the config asks, for people;
    `skip` the reason if it stopped the post, None if the post passes.
    """

    name: str
    wanted: str
    skip: Skip | None


def choose(
    post: Post, policy: Policy, *, thread_began_public: bool, now: datetime | None = None
) -> Skip | None:
    """Why a bot leaves a post alone, or None if it takes it: the first refusal of `rulings`."""
    asked = _ask(post, policy, now, thread_began_public=thread_began_public)
    return next((ruling.skip for ruling in asked if ruling.skip is not None), None)


def rulings(
    post: Post, policy: Policy, *, thread_began_public: bool, now: datetime | None = None
) -> tuple[Ruling, ...]:
    """What each filter that is set says of a post, in their order, those after a refusal too.

    Only public and unlisted posts ever pass, whatever the filters say. `thread_began_public` says
    that the post continues a thread whose earlier part was mirrored. `now` is when the post is
    judged, None where its age does not count any more: it was taken before.
    """
    return tuple(_ask(post, policy, now, thread_began_public=thread_began_public))


@dataclass(frozen=True, slots=True)
class _Case:
    """A post, its publication by the clock of the config, and its age where that counts."""

    post: Post
    published: datetime
    age: timedelta | None


def _ask(
    post: Post, policy: Policy, now: datetime | None, *, thread_began_public: bool
) -> Iterator[Ruling]:
    never = None
    if post.visibility not in VISIBILITIES:
        never = Skip(f"visibility {post.visibility}: never mirrored")
    yield Ruling("visibility", _either(VISIBILITIES), never)
    if wanted := policy.only.visibility:
        goes_along = (
            post.visibility == "unlisted" and policy.unlisted_in_threads and thread_began_public
        )
        missed = None
        if post.visibility not in wanted and not goes_along:
            missed = Skip(f"visibility {post.visibility}: only {_either(wanted)}")
        yield Ruling("only.visibility", _either(wanted), missed)
    age = None if now is None else now - post.created_at
    case = _Case(post, by_clock(post.created_at, policy.zone), age)
    for word, filters in (("only", policy.only), ("skip", policy.skip)):
        for criterion in _CRITERIA:
            value = getattr(filters, criterion.name)
            if not value or (word == "only" and criterion.name == "visibility"):
                continue
            if criterion.name == "older_than" and age is None:
                continue
            skip = criterion.judge(word, case, value)
            yield Ruling(f"{word}.{criterion.name}", criterion.wanted(value), skip)


def by_clock(at: datetime, zone: ZoneInfo | None) -> datetime:
    """A time as a clock in a zone (UTC if None) shows it; as it is at the ends of the calendar."""
    try:
        return at.astimezone(zone or UTC)
    except OverflowError:
        return at


def _either(values: Iterable[str]) -> str:
    return " or ".join(values)


@dataclass(frozen=True, slots=True)
class _Criterion:
    """One part of `Filter`: how a post meets it, and how to say that it does not, or does.

    `met` gives what of the wanted the post has, None for nothing of it, or a Skip where that cannot
    be told.
    """

    name: str
    met: Callable[[_Case, Any], str | Skip | None]
    missing: str  # of {wanted}
    found: str  # of {met}
    wanted: Callable[[Any], str] = _either

    def judge(self, word: str, case: _Case, value: Any) -> Skip | None:
        """Why `only` (the `word`) or `skip` with this value leaves the post out."""
        met = self.met(case, value)
        if isinstance(met, Skip):
            return met
        if word == "only":
            reason = self.missing.format(wanted=self.wanted(value))
            return Skip(f"only: {reason}") if met is None else None
        return None if met is None else Skip(f"skip: {self.found.format(met=met)}")


def _hashtag(case: _Case, wanted: Iterable[str]) -> str | None:
    found = {run.target for run in case.post.runs if run.kind == "hashtag"} | set(case.post.tags)
    found = {tag_key(tag) for tag in found}
    return next((tag for tag in wanted if tag_key(tag) in found), None)


def _word(case: _Case, wanted: Iterable[str]) -> str | None:
    return find_word("\n".join(_texts(case.post)), wanted)


def has_word(post: Post, words: Iterable[str]) -> bool:
    """Whether any of some words or phrases stands in a post, as `words` of a filter finds it."""
    return _word(_Case(post, post.created_at, None), words) is not None


def _texts(post: Post) -> tuple[str, ...]:
    """Everything that people read in a post."""
    return (post.content_warning, post.text, *(post.poll.options if post.poll else ()))


def _matches(case: _Case, pattern: str) -> str | Skip | None:
    """Whether the expression is found; one that takes too long skips, so that nothing leaks."""
    try:
        found = any(
            regex.search(pattern, text, timeout=REGEX_TIMEOUT)
            for each in _texts(case.post)
            for text in dict.fromkeys((each, composed(each)))
        )
    except TimeoutError:
        return Skip(f"matching: the expression took over {REGEX_TIMEOUT:g} s")
    return pattern if found else None


def _language(case: _Case, wanted: Iterable[str]) -> str | None:
    for tag in wanted:
        for language in case.post.languages:
            if language.casefold() == tag.casefold() or language.casefold().startswith(
                tag.casefold() + "-"
            ):
                return tag
    return None


def _kind(case: _Case, wanted: Iterable[str]) -> str | None:
    post = case.post
    found = {"reply": post.reply_to, "boost": post.boost, "quote": post.quote}
    return next((kind for kind in wanted if found[kind] is not None), None)


def _part(case: _Case, wanted: Iterable[str]) -> str | None:
    return next((part for part in wanted if _PARTS[part](case.post)), None)


def _of_kind(kind: MediaKind) -> Callable[[Post], bool]:
    return lambda post: any(item.kind == kind for item in post.media)


#: whether a post has each of `schema.PARTS_OF_POSTS`
_PARTS: Mapping[str, Callable[[Post], bool]] = {
    "text": lambda post: bool(post.text.strip()),
    "link": lambda post: post.card is not None or has_link(post.runs),
    "image": _of_kind("image"),
    "video": _of_kind("video"),
    "animation": _of_kind("gif"),
    "audio": _of_kind("audio"),
    "media": lambda post: bool(post.media),
    "poll": lambda post: post.poll is not None,
    "content_warning": lambda post: bool(post.content_warning),
}


def _longer(case: _Case, length: int) -> str | None:
    return str(length) if graphemes(case.post.text) > length else None


def _shorter(case: _Case, length: int) -> str | None:
    return str(length) if graphemes(case.post.text) < length else None


def _app(case: _Case, wanted: Iterable[str]) -> str | None:
    app = case.post.application.strip().casefold()
    return next((name for name in wanted if name.strip().casefold() == app), None)


def _in_hours(case: _Case, spans: Iterable[tuple[int, int]]) -> str | None:
    at = case.published.hour * 60 + case.published.minute
    for start, end in spans:
        if start <= at < end or (end < start and (at >= start or at < end)):
            return _span((start, end))
    return None


def _span(minutes: tuple[int, int]) -> str:
    return "-".join(f"{at // 60}:{at % 60:02}" for at in minutes)


def _weekday(case: _Case, days: Iterable[str]) -> str | None:
    day = WEEKDAYS[case.published.weekday()]
    return day if day in days else None


def _older(case: _Case, age: timedelta) -> str | None:
    assert case.age is not None
    return _spell(age) if case.age > age else None


def _spell(length: timedelta) -> str:
    """A length of time as it is written in a config: `1h30m`."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    units = ((days, "d"), (hours, "h"), (minutes, "m"), (seconds, "s"))
    return "".join(f"{count}{unit}" for count, unit in units if count)


def _visibility(case: _Case, wanted: Iterable[str]) -> str | None:
    return case.post.visibility if case.post.visibility in wanted else None


#: the parts of `Filter` in the order in which they are asked
_CRITERIA = (
    _Criterion("hashtags", _hashtag, "no hashtag {wanted}", "hashtag {met}"),
    _Criterion("words", _word, "no word {wanted}", "word {met}"),
    _Criterion(
        "matching", _matches, "does not match the expression", "matches the expression", str
    ),
    _Criterion("languages", _language, "language is not {wanted}", "language {met}"),
    _Criterion("kinds", _kind, "no {wanted}", "{met}"),
    _Criterion("has", _part, "has no {wanted}", "has {met}"),
    _Criterion(
        "longer_than",
        _longer,
        "not longer than {wanted} characters",
        "longer than {met} characters",
        str,
    ),
    _Criterion(
        "shorter_than",
        _shorter,
        "not shorter than {wanted} characters",
        "shorter than {met} characters",
        str,
    ),
    _Criterion("apps", _app, "app is not {wanted}", "app {met}"),
    _Criterion(
        "hours",
        _in_hours,
        "not published in the hours {wanted}",
        "published in the hours {met}",
        lambda spans: _either(map(_span, spans)),
    ),
    _Criterion("weekdays", _weekday, "not published on {wanted}", "published on {met}"),
    _Criterion("older_than", _older, "not older than {wanted}", "older than {met}", _spell),
    _Criterion("visibility", _visibility, "", "visibility {met}"),
)
#: the words of every reason for leaving a post out, by `only` and by `skip`
MISSING = tuple(criterion.missing for criterion in _CRITERIA)
FOUND = tuple(criterion.found for criterion in _CRITERIA)
assert set(_PARTS) == set(PARTS_OF_POSTS)
assert {criterion.name for criterion in _CRITERIA} == set(Filter.__slots__)
