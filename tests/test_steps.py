from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge import steps
from bridge.post import Post, Run, Skip
from bridge.registry import NETWORKS
from bridge.render import render
from bridge.schema import Filter, Policy, StepSetting
from tests.test_render import LIMITS

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
    monkeypatch.setattr(steps, "REGEX_TIMEOUT", 0.05)
    post = replace(POST, runs=(Run("a" * 40 + "b"),))
    runaway = Filter(matching="(a|aa)+$")
    for why in (reason(post, only=runaway), reason(post, skip=runaway)):
        assert why is not None
        assert "took over" in why


def test_steps_add_text_and_leave_links_alone() -> None:
    post = replace(POST, runs=(Run("Les "), Run("saken", "link", "https://a.example/x")))
    changed = steps.apply(post, (StepSetting("append", "(slutt)"), StepSetting("prepend", "Nytt:")))
    assert not isinstance(changed, Skip)
    assert changed.text == "Nytt:\n\nLes saken\n\n(slutt)"
    assert [run.target for run in changed.runs if run.kind == "link"] == ["https://a.example/x"]


def test_a_step_names_the_original_with_a_link() -> None:
    changed = steps.apply(
        POST, (StepSetting("append", "Mer: {{ url }}."), StepSetting("prepend", "{{url}}"))
    )
    assert not isinstance(changed, Skip)
    links = [run for run in changed.runs if run.kind == "link"]
    assert links == [Run(POST.url, "link", POST.url)] * 2
    assert changed.text == f"{POST.url}\n\n{POST.text}\n\nMer: {POST.url}."


def test_without_an_address_nothing_stands_for_it() -> None:
    changed = steps.apply(replace(POST, url=""), (StepSetting("append", "Mer: {{ url }}"),))
    assert not isinstance(changed, Skip)
    assert changed.text.endswith("Mer: ")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("{{ url }} og {{url}}", []),
        ("{ url }, }} og {x}", []),
        ("{{ uri }}", ["uri"]),
        ("{{ url", ["{{ url"]),
        ("{{ url | upper }} {{ }}", ["url | upper", ""]),
        ("{{ Url }}", ["Url"]),
    ],
)
def test_only_what_there_is_can_be_named(text: str, unknown: list[str]) -> None:
    assert steps.unknown_names(text) == unknown


def test_a_step_loses_the_target_of_no_link_on_any_network() -> None:
    post = replace(POST, url="https://a.example.org/@news/7", runs=(Run("Hei " * 60),))
    for name, network in NETWORKS.items():
        changed = steps.apply(post, (StepSetting("append", "Mer: {{ url }}"),))
        assert not isinstance(changed, Skip)
        made = render(changed, Policy(), network, LIMITS[name])
        assert not isinstance(made, Skip)
        targets = [run.target for draft in made for run in draft.runs if run.kind == "link"]
        assert targets == [network.spell_url(post.url)]


def test_every_step_that_the_schema_names_is_built() -> None:
    from bridge.schema import STEPS

    for setting in STEPS:
        assert callable(steps.build(StepSetting(setting.name, "x")))
