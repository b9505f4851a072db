from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.network import Limits, Measure, Network
from bridge.post import Draft, Media, Poll, Post, Ref, Run, Skip
from bridge.registry import NETWORKS
from bridge.render import render, to_copy, without_film, without_quote
from bridge.schema import Policy
from bridge.text import (
    byte_length,
    graphemes,
    mastodon_length,
    shows_url,
    weighted_length,
    x_entities,
)

MASTODON, BLUESKY, TWITTER = (NETWORKS[n] for n in ("mastodon", "bluesky", "twitter"))
LIMITS = {
    "mastodon": Limits(
        (Measure("characters", 500, lambda text, cw: mastodon_length(text, cw)),),
        4, 10**7, 10**7, frozenset({"image/png"}), 1500,
    ),
    "bluesky": Limits(
        (
            Measure("graphemes", 300, lambda text, _: graphemes(text)),
            Measure("bytes", 3000, lambda text, _: byte_length(text)),
        ),
        4, 10**6, 10**7, frozenset({"image/png"}), 2000,
    ),
    "twitter": Limits(
        (Measure("weighted characters", 280, lambda text, _: weighted_length(text)),),
        4, 10**6, 10**7, frozenset({"image/png"}), 1000,
    ),
}  # fmt: skip
POST = Post(
    "mastodon:a.example/1",
    "7",
    "https://a.example.org/@news/7",
    datetime(2026, 11, 22, tzinfo=UTC),
    (Run("Hallo"),),
)
LONG_URL = "https://example.com/a/very/long/path/that/nobody/reads?with=query#and-fragment"


def drafts(post: Post, target: Network, **policy: Any) -> tuple[Draft, ...]:
    result = render(post, Policy(**policy), target, LIMITS[target.name])
    assert not isinstance(result, Skip), result.reason
    return result


def one(post: Post, target: Network, **policy: Any) -> Draft:
    (draft,) = drafts(post, target, **policy)
    return draft


def why_not(post: Post, target: Network, **policy: Any) -> str:
    result = render(post, Policy(**policy), target, LIMITS[target.name])
    assert isinstance(result, Skip)
    return result.reason


def test_a_shortened_link_is_spelled_out_where_links_have_no_text_of_their_own() -> None:
    post = replace(POST, runs=(Run("Les "), Run("example.com/a/very/lo…", "link", LONG_URL)))
    for target in (MASTODON, TWITTER):
        assert one(post, target).text == f"Les {LONG_URL}"


def test_a_link_with_words_of_its_own_keeps_words_and_target() -> None:
    post = replace(POST, runs=(Run("Les "), Run("hele saken", "link", LONG_URL), Run(" nå")))
    assert one(post, TWITTER).text == f"Les hele saken ({LONG_URL}) nå"
    rich = one(post, BLUESKY)
    assert rich.text == "Les hele saken nå"
    assert [run.target for run in rich.runs if run.kind == "link"] == [LONG_URL]


def test_a_bare_link_is_short_on_bluesky_and_leads_to_the_whole_url() -> None:
    draft = one(replace(POST, runs=(Run(LONG_URL, "link", LONG_URL),)), BLUESKY)
    assert graphemes(draft.text) <= 40
    assert draft.text.startswith("example.com/")
    assert draft.runs[0].target == LONG_URL


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/a", True),
        ("example.com/a", True),
        ("Example.com/a/very…", True),
        ("www.example.com", False),
        ("read more", False),
        ("", False),
    ],
)
def test_what_counts_as_showing_the_url(text: str, expected: bool) -> None:
    assert shows_url(Run(text, "link", "https://example.com/a/very/long")) is expected


MENTION = Run("@alice@b.example.org", "mention", "https://b.example.org/@alice", "alice")


@pytest.mark.parametrize("target", [MASTODON, BLUESKY, TWITTER], ids=lambda n: n.name)
def test_a_mention_becomes_a_plain_name_and_notifies_nobody(target: Network) -> None:
    post = replace(POST, runs=(Run("Takk til "), MENTION, Run(" og @bob, skriv post@a.example")))
    draft = one(post, target)
    assert "alice" in draft.text
    assert "b.example" not in draft.text
    assert all(run.kind != "mention" for run in draft.runs)
    assert "post@a.example" in draft.text
    if target.mentions_in_text:
        assert "@bob" not in draft.text


def test_a_mention_can_be_a_link_or_keep_the_post_at_home() -> None:
    post = replace(POST, runs=(Run("Takk til "), MENTION))
    assert (
        one(post, TWITTER, mentions="link").text == "Takk til alice (https://b.example.org/@alice)"
    )
    assert why_not(post, TWITTER, mentions="skip") == "mentions alice"


def test_a_content_warning_is_a_field_or_the_first_line() -> None:
    post = replace(POST, content_warning="mat")
    assert (one(post, MASTODON).text, one(post, MASTODON).content_warning) == ("Hallo", "mat")
    assert (one(post, BLUESKY).text, one(post, BLUESKY).content_warning) == ("CW: mat\n\nHallo", "")
    assert why_not(post, TWITTER, content_warning="skip").startswith("has a content warning")
    assert one(post, MASTODON, content_warning="skip").content_warning == "mat"


WORDS = " ".join(f"ord{number}" for number in range(150))


@pytest.mark.parametrize("target", [MASTODON, BLUESKY, TWITTER], ids=lambda n: n.name)
@pytest.mark.parametrize("long", ["thread", "numbered", "truncate", "first_and_link"])
@pytest.mark.parametrize("warning", ["", "en advarsel"])
def test_no_part_exceeds_the_limit(target: Network, long: Any, warning: str) -> None:
    post = replace(
        POST, runs=(Run(WORDS), Run(LONG_URL, "link", LONG_URL)), content_warning=warning
    )
    parts = drafts(post, target, long=long)
    for number, draft in enumerate(parts, 1):
        assert LIMITS[target.name].fits(draft.text, draft.content_warning)
        assert (draft.part, draft.parts) == (number, len(parts))
    assert (len(parts) == 1) == (long in ("truncate", "first_and_link"))


def test_a_thread_says_it_all() -> None:
    post = replace(POST, runs=(Run(WORDS),))
    assert " ".join(draft.text for draft in drafts(post, TWITTER)) == WORDS


def test_a_numbered_thread_counts_its_parts() -> None:
    parts = drafts(replace(POST, runs=(Run(WORDS),)), TWITTER, long="numbered")
    endings = [draft.text.rsplit(" ", 1)[1] for draft in parts]
    assert endings == [f"({n}/{len(parts)})" for n in range(1, len(parts) + 1)]


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("Snø i dag. " + WORDS, "…"),
        ("Snø " * 60 + "i dag. " + WORDS, " i dag."),
        ("Snø " * 55 + "i «dag!» " + WORDS, " i «dag!»"),
        ("Snø " * 40 + "i dag?\n\n" + WORDS, " i dag?"),
        ("雪が降る" * 28 + "。" + "雪が降る" * 80, "雪が降る。"),
    ],
)
def test_the_first_part_ends_with_a_sentence_and_a_link_to_the_rest(text: str, end: str) -> None:
    draft = one(replace(POST, runs=(Run(text),)), TWITTER, long="first_and_link", link_back="never")
    assert draft.text.endswith(f"{end}\n\n{POST.url}")
    assert [loss.detail for loss in draft.losses] == ["the end was cut off"]


def test_the_first_part_has_no_link_where_links_are_dropped() -> None:
    post = replace(POST, runs=(Run(WORDS),))
    draft = one(post, TWITTER, long="first_and_link", links="drop")
    assert draft.text.endswith("…")
    assert POST.url not in draft.text


def test_a_cut_text_leads_to_the_original_unless_told_otherwise() -> None:
    post = replace(POST, runs=(Run(WORDS),))
    assert one(post, TWITTER, long="truncate").text.endswith(f"…\n\n{POST.url}")
    assert one(post, TWITTER, long="truncate", link_back="never").text.endswith("…")
    assert one(post, TWITTER, long="truncate").losses[0].what == "text"
    assert why_not(post, TWITTER, long="skip") == "longer than one post on Twitter (X)"


def test_the_original_is_linked_when_told_so_or_when_something_is_lost() -> None:
    video = replace(POST, media=(Media("video", "https://a.example/v.mp4"),))
    assert one(POST, TWITTER, link_back="always").text == f"Hallo\n\n{POST.url}"
    assert one(POST, TWITTER).text == "Hallo"
    assert one(video, TWITTER).text == f"Hallo\n\n{POST.url}"
    assert one(video, TWITTER, link_back="never").text == "Hallo"
    assert [loss.what for loss in one(video, TWITTER).losses] == ["media"]


def test_images_over_the_limit_follow_in_the_thread() -> None:
    images = tuple(Media("image", f"https://a.example/{n}", f"alt {n}") for n in range(6))
    first, second = drafts(replace(POST, media=images), BLUESKY)
    assert (len(first.media), len(second.media), second.text) == (4, 2, "")
    assert [m.alt for m in first.media + second.media] == [f"alt {n}" for n in range(6)]


def test_an_alt_text_over_the_limit_is_cut_with_a_mark_and_said_so() -> None:
    post = replace(POST, media=(Media("image", "https://a.example/1", "ord " * 400),))
    draft = one(post, TWITTER)
    assert graphemes(draft.media[0].alt) <= 1000
    assert draft.media[0].alt.endswith("…")
    assert [loss.what for loss in draft.losses] == ["alt text"]


def test_visibility_is_never_wider_than_the_originals() -> None:
    unlisted = replace(POST, visibility="unlisted")
    assert one(unlisted, MASTODON, visibility="public").visibility == "unlisted"
    assert one(POST, MASTODON, visibility="unlisted").visibility == "unlisted"
    assert one(POST, MASTODON).visibility == "public"


def test_a_language_is_kept_or_supplied_but_never_replaced() -> None:
    assert one(replace(POST, languages=("ar",)), BLUESKY, language="nb").languages == ("ar",)
    assert one(POST, BLUESKY, language="nb").languages == ("nb",)
    assert one(POST, BLUESKY).languages == ()


def test_a_quote_is_a_link_or_keeps_the_post_at_home() -> None:
    post = replace(POST, quote=Ref("9", url="https://b.example/9"))
    assert one(post, TWITTER).text == "Hallo\n\nhttps://b.example/9"
    assert why_not(post, TWITTER, quotes="skip") == "quotes another post"


def test_a_boost_is_a_link() -> None:
    boosted = Ref("9", url="https://b.example/9")
    post = replace(POST, runs=(), boost=boosted)
    assert one(post, TWITTER).text == "https://b.example/9"
    named = replace(post, boost=replace(boosted, author="bo"))
    assert one(named, TWITTER).text == "🔁 bo: https://b.example/9"


def test_what_stands_there_is_boosted_or_quoted_and_a_part_with_its_link_knows_it() -> None:
    there = Ref("9", "mastodon:a.example/1", "https://b.example/9")
    quoting = LIMITS["bluesky"], LIMITS["twitter"]
    able, unable = replace(quoting[0], quotes=True), quoting[1]
    boost = replace(POST, boost=Ref("9"), content_warning="obs", languages=("de",))
    made = render(boost, Policy(boosts="quote"), BLUESKY, able, there)
    assert made == (Draft((), POST.created_at, boost=there),)
    long = replace(POST, quote=there, runs=(Run("Wort und Wort. " * 40),))
    first, *rest = render(long, Policy(), BLUESKY, able, there)  # type: ignore[misc]
    assert (first.quote, {part.quote for part in rest}) == (there, {None})
    assert not any(run.kind == "link" for part in (first, *rest) for run in part.runs)
    *rest, last = render(long, Policy(), TWITTER, unable, there)  # type: ignore[misc]
    assert (last.quote, {part.quote for part in rest}) == (there, {None})
    assert last.text.endswith("\n\nhttps://b.example/9")


def test_a_link_to_a_copy_that_has_no_room_stays_as_it_is() -> None:
    quote = Ref("9", url="https://b.example/9")
    link = Run(quote.url, "link", quote.url)
    draft = Draft((Run("x" * 200 + " "), link), POST.created_at, quote=quote)
    tight = replace(
        LIMITS["twitter"], measures=(Measure("characters", 230, lambda text, _: len(text)),)
    )
    near, far = (Ref("8", url=f"https://b.example/{path}") for path in ("8", "a/longer/way"))
    assert to_copy(draft, near, tight).text.endswith(" https://b.example/8")
    assert to_copy(draft, far, tight) == draft
    assert to_copy(draft, near, replace(tight, quotes=True)) == draft


def test_a_quote_that_is_refused_is_a_link_or_nothing() -> None:
    quote = Ref("9", url="https://b.example/9")
    draft = Draft((Run("Hallo"),), POST.created_at, quote=quote)
    linked = without_quote(draft, TWITTER, LIMITS["twitter"])
    assert (linked.text, linked.quote) == ("Hallo\n\nhttps://b.example/9", None)
    full = replace(draft, runs=(Run("x" * 280),))
    alone = without_quote(full, TWITTER, LIMITS["twitter"])
    assert (alone.text, alone.quote, len(alone.losses)) == ("x" * 280, None, 1)


def test_what_stands_before_a_text_takes_room_too() -> None:
    film = Media("video", "https://a.example.org/film.mp4")
    full = Draft((Run("x" * 250),), POST.created_at, media=(film,), alone=True, lead="(2/3) ")
    limits = LIMITS["twitter"]
    cut = without_film(full, "too long", POST.url, Policy(), TWITTER, limits)
    assert cut is not None
    assert cut.text.endswith(f"…\n\n{POST.url}")
    there = Ref("9", url="https://b.example.org/9")
    linked = without_quote(replace(full, media=(), quote=there), TWITTER, limits)
    quoting = replace(full, runs=(Run("x" * 252), Run("her", "link", there.url)), quote=there)
    copied = to_copy(quoting, replace(there, url="https://b.example.org/8"), limits)
    for draft in (cut, linked, copied):
        assert limits.fits(draft.lead + draft.text)


@pytest.mark.parametrize("target", [MASTODON, BLUESKY, TWITTER])
@pytest.mark.parametrize("long", ["truncate", "first_and_link"])
def test_the_address_that_a_step_adds_stays_where_the_end_is_cut_off(
    target: Network, long: str
) -> None:
    policy = {"long": long, "link_back": "never"}
    address = Run(POST.url, "link", POST.url)
    footer = (Run(WORDS), Run("\n\n(først på "), address, Run(")"))
    cut = one(replace(POST, runs=footer), target, **policy)
    assert [run.target for run in cut.runs if run.kind == "link"] == [POST.url]
    header = (Run("Fra "), address, Run(": " + WORDS))
    cut = one(replace(POST, runs=header), target, **policy)
    assert [run.target for run in cut.runs if run.kind == "link"] == [POST.url]
    assert cut.runs[0].text == "Fra " or long == "first_and_link"


def test_a_poll_becomes_its_options_and_says_where_to_vote() -> None:
    draft = one(replace(POST, poll=Poll(("ja", "nei"))), TWITTER)
    assert draft.text == f"Hallo\n- ja\n- nei\n\n{POST.url}"
    assert [loss.what for loss in draft.losses] == ["poll"]


def test_a_post_with_nothing_in_it_is_left_alone() -> None:
    assert why_not(replace(POST, runs=()), TWITTER) == "nothing in it that can be mirrored"


def test_only_the_first_part_answers_what_the_original_answers() -> None:
    post = replace(POST, runs=(Run(WORDS),), reply_to=Ref("6", POST.account))
    first, *rest = drafts(post, TWITTER)
    assert first.reply_to == Ref("6", POST.account)
    assert all(draft.reply_to is None for draft in rest)


@pytest.mark.parametrize(
    ("url", "on_x"),
    [
        ("https://example.com/dalen/snø", "https://example.com/dalen/snø"),
        (
            "https://example.com/صباح?a=1#ب",
            "https://example.com/%D8%B5%D8%A8%D8%A7%D8%AD?a=1#%D8%A8",
        ),
        ("https://example.com/a%20b/东京", "https://example.com/a%20b/%E4%B8%9C%E4%BA%AC"),
    ],
)
def test_a_link_that_x_would_cut_short_is_escaped(url: str, on_x: str) -> None:
    post = replace(POST, runs=(Run("Les "), Run(url, "link", url), Run(" nå")))
    assert one(post, TWITTER).text == f"Les {on_x} nå"
    assert one(post, MASTODON).text == f"Les {url} nå"
    assert [run.target for run in one(post, BLUESKY).runs if run.kind == "link"] == [url]


@pytest.mark.parametrize("target", [MASTODON, BLUESKY, TWITTER], ids=lambda n: n.name)
def test_links_that_are_dropped_leave_words_and_a_loss(target: Network) -> None:
    runs = (Run("Les "), Run("alt", "link", LONG_URL), Run(f" på {LONG_URL}, også a.example.com"))
    post = replace(POST, runs=runs, quote=Ref("9", url="https://b.example/9"))
    draft = one(post, target, links="drop")
    assert draft.text == "Les alt på, også a(.)example(.)com"
    assert draft.runs == (Run(draft.text),)
    assert [loss.what for loss in draft.losses] == ["links", "links"]


def test_where_links_are_dropped_none_is_added() -> None:
    link = Run(LONG_URL, "link", LONG_URL)
    kept = {"links": "drop", "link_back": "always"}
    assert (
        one(replace(POST, poll=Poll(("ja", "nei"))), BLUESKY, **kept).text == "Hallo\n- ja\n- nei"
    )
    assert not one(POST, MASTODON, **kept).losses
    assert one(replace(POST, runs=(MENTION,)), TWITTER, mentions="link", **kept).text == "alice"
    long = one(replace(POST, runs=(Run(WORDS), link)), MASTODON, long="truncate", **kept)
    assert long.text.endswith("…")
    assert "://" not in long.text
    assert why_not(replace(POST, runs=(link,)), TWITTER, **kept).startswith("nothing in it")
    boost = replace(POST, runs=(), boost=Ref("9", url="https://b.example/9"))
    assert why_not(boost, TWITTER, boosts="link", **kept).startswith("a boost is a link only")
    assert why_not(replace(POST, quote=Ref("9", url=LONG_URL)), TWITTER, quotes="skip", **kept)


def test_a_warning_in_the_text_and_a_part_cut_apart_hold_no_link_either() -> None:
    warned = replace(POST, content_warning="om example.com", runs=(Run("Hallo"),))
    assert one(warned, TWITTER, links="drop").text == "CW: om example(.)com\n\nHallo"
    # of a name of a site after -, which is no link, only the end may come into the next part
    text = "x" * 272 + "-" + "y" * 4 + ".example.com"
    parts = drafts(replace(POST, runs=(Run(text),)), TWITTER, links="drop")
    assert len(parts) == 2
    for part in parts:
        assert [span for span in x_entities(part.text) if span.kind == "link"] == []
        assert LIMITS["twitter"].fits(part.text)


def test_a_part_that_no_longer_fits_without_its_link_is_left_alone() -> None:
    # the second part begins with a name of a site, which counts for 23 characters as a link
    text = "x" * 273 + "-" + "y" * 60 + ".com" + " ord" * 100
    reason = why_not(replace(POST, runs=(Run(text),)), TWITTER, links="drop")
    assert reason == f"cannot be cut to the limits of {TWITTER.title}"


def test_links_are_kept_unless_the_bot_says_otherwise() -> None:
    post = replace(POST, runs=(Run(LONG_URL, "link", LONG_URL),))
    assert one(post, TWITTER).text == one(post, TWITTER, links="hold").text == LONG_URL
