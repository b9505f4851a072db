from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bridge import filters, steps
from bridge.post import Card, Media, Poll, Post, Ref, Run, Skip
from bridge.schema import KINDS_OF_POSTS, PARTS_OF_POSTS, Filter, Policy

POST = Post(
    "mastodon:a.example/1",
    "7",
    "https://a.example/7",
    datetime(2026, 11, 22, tzinfo=UTC),
    (Run("Hei fra "), Run("#Bergen", "hashtag", "Bergen"), Run(", utkast til noe")),
    languages=("nb-NO",),
)


def reason(post: Post, *, in_thread: bool = False, **policy: Any) -> str | None:
    skip = steps.choose(post, Policy(**policy), thread_began_public=in_thread)
    return skip.reason if skip else None


@pytest.mark.parametrize("visibility", ["private", "direct", "unknown"])
def test_what_is_not_public_never_travels_whatever_the_filters_say(visibility: Any) -> None:
    post = replace(POST, visibility=visibility)
    for only in (Filter(), Filter(visibility=("public", "unlisted"))):
        assert reason(post, only=only, in_thread=True) == f"visibility {visibility}: never mirrored"


def test_unlisted_posts_go_along_only_in_a_thread_that_began_public() -> None:
    post = replace(POST, visibility="unlisted")
    assert reason(post) == "visibility unlisted: only public"
    assert reason(post, in_thread=True) is None
    assert reason(post, in_thread=True, unlisted_in_threads=False) is not None
    assert reason(post, only=Filter(visibility=("public", "unlisted"))) is None


@pytest.mark.parametrize(
    ("demand", "why"),
    [
        (Filter(hashtags=("#bergen",)), None),
        (Filter(hashtags=("oslo", "BERGEN")), None),
        (Filter(hashtags=("oslo",)), "only: no hashtag oslo"),
        (Filter(words=("UTKAST",)), None),
        (Filter(words=("utkas",)), "only: no word utkas"),
        (Filter(matching=r"^Hei\b"), None),
        (Filter(matching=r"^hei"), "only: does not match the expression"),
        (Filter(languages=("nb",)), None),
        (Filter(languages=("nn", "NB-no")), None),
        (Filter(languages=("n",)), "only: language is not n"),
        (Filter(hashtags=("bergen",), languages=("de",)), "only: language is not de"),
    ],
)
def test_only_demands_each_of_its_parts(demand: Filter, why: str | None) -> None:
    assert reason(POST, only=demand) == why


@pytest.mark.parametrize(
    ("refusal", "why"),
    [
        (Filter(hashtags=("nobridge", "bergen")), "skip: hashtag bergen"),
        (Filter(words=("Utkast til",)), "skip: word Utkast til"),
        (Filter(words=("tkast",)), None),
        (Filter(matching="fra"), "skip: matches the expression"),
        (Filter(languages=("nb",)), "skip: language nb"),
        (Filter(visibility=("public",)), "skip: visibility public"),
        (Filter(), None),
    ],
)
def test_skip_refuses_on_any_of_its_parts(refusal: Filter, why: str | None) -> None:
    assert reason(POST, skip=refusal) == why


def test_by_default_the_hashtag_nobridge_keeps_a_post_at_home() -> None:
    post = replace(POST, runs=(Run("x "), Run("#NoBridge", "hashtag", "NoBridge")))
    assert reason(post) == "skip: hashtag nobridge"


@pytest.mark.parametrize(
    "refusal",
    [
        Filter(words=("utkåst",)),
        Filter(words=("utka\u030ast",)),
        Filter(hashtags=("blåbær",)),
        Filter(hashtags=("#bla\u030abær",)),
        Filter(matching=r"(?i)\butk\wst\b"),
    ],
)
@pytest.mark.parametrize("ring", ["å", "a\u030a"])
def test_a_letter_in_two_characters_is_that_letter(refusal: Filter, ring: str) -> None:
    tag = f"bl{ring}bær"
    post = replace(POST, runs=(Run(f"Utk{ring}st "), Run(f"#{tag}", "hashtag", tag)))
    assert reason(post, skip=refusal)


def test_words_are_found_in_the_content_warning_too() -> None:
    post = replace(POST, content_warning="Draft, do not read")
    assert reason(post, skip=Filter(words=("draft",))) == "skip: word draft"


def test_an_expression_that_runs_away_keeps_the_post_at_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(filters, "REGEX_TIMEOUT", 0.05)
    post = replace(POST, runs=(Run("a" * 40 + "b"),))
    runaway = Filter(matching="(a|aa)+$")
    for why in (reason(post, only=runaway), reason(post, skip=runaway)):
        assert why is not None
        assert "took over" in why


def test_every_filter_says_what_it_makes_of_a_post_even_after_a_refusal() -> None:
    policy = Policy(
        only=Filter(visibility=("public",), words=("oslo",), languages=("nb",)),
        skip=Filter(hashtags=("x", "bergen"), matching="^Hei"),
    )
    said = steps.rulings(POST, policy, thread_began_public=False)
    assert said == (
        steps.Ruling("visibility", "public or unlisted", None),
        steps.Ruling("only.visibility", "public", None),
        steps.Ruling("only.words", "oslo", Skip("only: no word oslo")),
        steps.Ruling("only.languages", "nb", None),
        steps.Ruling("skip.hashtags", "x or bergen", Skip("skip: hashtag bergen")),
        steps.Ruling("skip.matching", "^Hei", Skip("skip: matches the expression")),
    )
    assert steps.choose(POST, policy, thread_began_public=False) == said[2].skip


def test_what_never_travels_is_ruled_first() -> None:
    said = steps.rulings(replace(POST, visibility="private"), Policy(), thread_began_public=True)
    assert said[0].skip == Skip("visibility private: never mirrored")
    assert [ruling.name for ruling in said] == ["visibility", "only.visibility", "skip.hashtags"]


def test_no_filter_is_asked_after_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("asked")

    monkeypatch.setattr("bridge.filters.regex.search", never)
    policy = Policy(only=Filter(hashtags=("oslo",), matching="x"))
    assert steps.choose(POST, policy, thread_began_public=False) == Skip("only: no hashtag oslo")


def both(post: Post, value: Filter, **more: Any) -> tuple[str | None, str | None]:
    """Why the post is left out where a filter stands in `only`, and where it stands in `skip`."""
    return reason(post, only=value, **more), reason(post, skip=value, **more)


@pytest.mark.parametrize(
    ("kind", "change"),
    [("reply", "reply_to"), ("boost", "boost"), ("quote", "quote")],
)
def test_kinds(kind: str, change: str) -> None:
    changes: dict[str, Any] = {change: Ref("1")}
    post = replace(POST, **changes)
    assert both(post, Filter(kinds=(kind,))) == (None, f"skip: {kind}")
    assert both(post, Filter(kinds=KINDS_OF_POSTS)) == (None, f"skip: {kind}")
    assert both(POST, Filter(kinds=(kind,))) == (f"only: no {kind}", None)


def media(kind: Any) -> dict[str, Any]:
    return {"media": (Media(kind, "https://a.example/m"),)}


@pytest.mark.parametrize(
    ("part", "having", "lacking"),
    [
        ("text", {}, {"runs": (Run(" "),)}),
        ("link", {"runs": (Run("her", "link", "https://a.example"),)}, {}),
        ("link", {"card": Card("https://a.example")}, {}),
        ("image", media("image"), media("video")),
        ("video", media("video"), media("gif")),
        ("animation", media("gif"), media("video")),
        ("audio", media("audio"), {}),
        ("media", media("unknown"), {}),
        ("poll", {"poll": Poll(("ja", "nei"))}, {}),
        ("content_warning", {"content_warning": "valg"}, {"sensitive": True}),
    ],
)
def test_has(part: str, having: dict[str, Any], lacking: dict[str, Any]) -> None:
    assert both(replace(POST, **having), Filter(has=(part,))) == (None, f"skip: has {part}")
    assert both(replace(POST, **lacking), Filter(has=(part,))) == (f"only: has no {part}", None)


def test_each_part_of_a_post_has_a_test() -> None:
    for mark in test_has.pytestmark:
        assert {row[0] for row in mark.args[1]} == set(PARTS_OF_POSTS)


def test_length_is_what_a_reader_counts() -> None:
    post = replace(POST, runs=(Run("👨‍👩‍👧‍👦é新"),))
    assert both(post, Filter(longer_than=2)) == (None, "skip: longer than 2 characters")
    assert both(post, Filter(longer_than=3)) == ("only: not longer than 3 characters", None)
    assert both(post, Filter(shorter_than=4)) == (None, "skip: shorter than 4 characters")
    assert both(post, Filter(shorter_than=3)) == ("only: not shorter than 3 characters", None)


def test_apps() -> None:
    post = replace(POST, application="IFTTT ")
    assert both(post, Filter(apps=("Buffer", "ifttt"))) == (None, "skip: app ifttt")
    assert both(POST, Filter(apps=("Buffer",))) == ("only: app is not Buffer", None)


OSLO = ZoneInfo("Europe/Oslo")
DAY, NIGHT = (7 * 60, 22 * 60 + 30), (22 * 60 + 30, 7 * 60)


@pytest.mark.parametrize(
    ("utc", "night"),
    [("05:59", True), ("06:00", False), ("21:29", False), ("21:30", True), ("23:30", True)],
)
def test_hours_are_those_of_the_clock_in_the_time_zone(utc: str, night: bool) -> None:
    at = datetime.fromisoformat(f"2026-01-09T{utc}+00:00")
    post = replace(POST, created_at=at)
    by_night = both(post, Filter(hours=(NIGHT,)), zone=OSLO)
    by_day = both(post, Filter(hours=(DAY,)), zone=OSLO)
    met = (None, "skip: published in the hours {}")
    missed = ("only: not published in the hours {}", None)
    named = [tuple(w and w.format(h) for w in said) for said, h in (
        (met if night else missed, "22:30-7:00"), (missed if night else met, "7:00-22:30")
    )]  # fmt: skip
    assert [by_night, by_day] == named
    assert reason(post, only=Filter(hours=(DAY, NIGHT)), zone=OSLO) is None


def test_the_day_has_an_hour_more_or_less_where_clocks_change() -> None:
    until_three = Filter(hours=((0, 3 * 60),))
    for utc, passes in [
        ("2026-10-25T00:30", True),  # 2:30 in summer time, and an hour later once more
        ("2026-10-25T01:30", True),
        ("2026-10-25T02:00", False),
        ("2026-03-29T00:59", True),
        ("2026-03-29T01:00", False),  # at 2:00 it is 3:00
    ]:
        post = replace(POST, created_at=datetime.fromisoformat(f"{utc}+00:00"))
        assert (reason(post, only=until_three, zone=OSLO) is None) is passes, utc


def test_weekdays_are_those_of_the_date_in_the_time_zone() -> None:
    friday_evening = replace(POST, created_at=datetime(2026, 1, 9, 23, 30, tzinfo=UTC))
    assert both(friday_evening, Filter(weekdays=("sat",)), zone=OSLO) == (
        None,
        "skip: published on sat",
    )
    assert both(friday_evening, Filter(weekdays=("thu", "fri")), zone=OSLO) == (
        "only: not published on thu or fri",
        None,
    )


def test_age_counts_when_a_post_is_first_read_only() -> None:
    now = POST.created_at + timedelta(minutes=90)
    for age, met in ((timedelta(minutes=89), True), (timedelta(minutes=90), False)):
        said = filters.choose(
            POST, Policy(skip=Filter(older_than=age)), thread_began_public=False, now=now
        )
        assert said == (Skip("skip: older than 1h29m") if met else None)
    only = Policy(only=Filter(older_than=timedelta(days=1)))
    said = filters.choose(POST, only, thread_began_public=False, now=now)
    assert said == Skip("only: not older than 1d")
    assert reason(POST, only=only.only) is None
    assert [r.name for r in filters.rulings(POST, only, thread_began_public=False)] == [
        "visibility",
        "skip.hashtags",
    ]


@pytest.mark.parametrize("year", [1, 9999])
def test_the_ends_of_the_calendar_are_times_too(year: int) -> None:
    at = (
        datetime(year, 1, 1, tzinfo=UTC)
        if year == 1
        else datetime(year, 12, 31, 23, 59, tzinfo=UTC)
    )
    for zone in ("America/New_York", "Pacific/Auckland"):
        post = replace(POST, created_at=at)
        assert reason(post, only=Filter(weekdays=("mon", "fri")), zone=ZoneInfo(zone)) is None
