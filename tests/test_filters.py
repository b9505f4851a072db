from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge import filters, steps
from bridge.post import Post, Run, Skip
from bridge.schema import Filter, Policy

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
