"""Where hashtags stand in a copy: kept, moved to the end or left out, and by which name."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.hashtags import is_hashtag
from bridge.networks.bluesky.write import to_payload
from bridge.post import Draft, Post, Ref, Run, Skip
from bridge.render import render
from bridge.schema import Policy
from bridge.text import to_runs, x_entities
from tests.config_files import bot, complaints, load_text
from tests.test_render import BLUESKY, LIMITS, MASTODON, POST, TWITTER, drafts, one
from tests.test_text_properties import many, posts
from tests.world import world


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def typed(text: str, **more: Any) -> Post:
    return replace(POST, runs=to_runs(text), **more)


def live(draft: Draft) -> list[str]:
    return [run.target for run in draft.runs if run.kind == "hashtag"]


def test_hashtags_stay_where_they_are_with_their_case() -> None:
    draft = one(typed("Snø i #OsloØst i dag #Vær"), BLUESKY)
    assert (draft.text, live(draft)) == ("Snø i #OsloØst i dag #Vær", ["OsloØst", "Vær"])
    assert draft.losses == ()


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_hashtag_is_renamed_however_its_letters_are_written(form: Any) -> None:
    post = typed(unicodedata.normalize(form, "Snø #Ålesund"))
    written = unicodedata.normalize("NFD", "hashtag_map: {Ålesund: by}")
    to = load_text(bot(written)).bots["b"].routes[0].policy.hashtag_map
    assert one(post, BLUESKY, hashtag_map=to).text == "Snø #by"


@pytest.mark.parametrize(
    ("text", "moved", "stripped"),
    [
        ("Snø i #OsloØst i dag", "Snø i OsloØst i dag\n\n#OsloØst", "Snø i OsloØst i dag"),
        ("Det snør. #Oslo #vinter", "Det snør.\n\n#Oslo #vinter", "Det snør."),
        ("Es schneit #Wien #Winter", "Es schneit\n\n#Wien #Winter", "Es schneit"),
        ("Neige à #Lyon", "Neige à Lyon\n\n#Lyon", "Neige à Lyon"),
        ("#Vær\n\nSnø!\n#oslo\n\nSol. #OSLO", "Snø!\n\nSol.\n\n#Vær #oslo", "Snø!\n\nSol."),
        ("雪です。 #東京", "雪です。\n\n#東京", "雪です。"),
        ("Først #a, så #b.", "Først a, så b.\n\n#a #b", "Først a, så b."),
    ],
)
def test_a_hashtag_that_is_a_word_of_a_sentence_stays_as_a_word(
    text: str, moved: str, stripped: str
) -> None:
    for target in (MASTODON, BLUESKY, TWITTER):
        assert one(typed(text), target, hashtags="move").text == moved
        draft = one(typed(text), target, hashtags="strip")
        assert (draft.text, live(draft)) == (stripped, [])
        assert [loss.what for loss in draft.losses] == ["hashtags"]


def test_what_is_stripped_is_told_and_adds_no_link_to_the_original() -> None:
    draft = one(typed("Snø. #Oslo #vinter", tags=("is",)), MASTODON, hashtags="strip")
    assert [loss.detail for loss in draft.losses] == ["left out: Oslo, vinter, is"]
    assert draft.text == "Snø."


def test_after_a_link_stands_no_word_of_a_sentence() -> None:
    draft = one(typed("Les https://avis.example.com/sno #Oslo"), TWITTER, hashtags="strip")
    assert draft.text == "Les https://avis.example.com/sno"


def test_a_hashtag_has_another_name_on_the_copy() -> None:
    renamed = (("osloby", "Oslo"), ("vær", "Weather"))
    post = typed("Snø i #OsloBy. #vær", tags=("osloby", "is"))
    assert one(post, TWITTER, hashtag_map=renamed).text == "Snø i #Oslo. #Weather\n\n#is"
    assert one(post, TWITTER, hashtags="move", hashtag_map=renamed).text == (
        "Snø i Oslo.\n\n#Oslo #Weather #is"
    )


def test_tags_beside_the_text_come_to_its_end_where_there_is_no_field_for_them() -> None:
    post = typed("Hei #Oslo", tags=("oslo", "public transport", "#Vær", "2026"))
    draft = one(post, MASTODON)
    assert (draft.text, live(draft)) == (
        "Hei #Oslo\n\n#PublicTransport #Vær",
        ["Oslo", "PublicTransport", "Vær"],
    )
    assert [loss.detail for loss in draft.losses] == ["no hashtag there: 2026"]
    assert one(typed("", tags=("Oslo",)), TWITTER).text == "#Oslo"


def test_tags_beside_the_text_stay_beside_it_on_bluesky() -> None:
    post = typed("Hei", tags=("oslo", "public transport"))
    draft = one(post, BLUESKY)
    assert (draft.text, draft.tags) == ("Hei", ("oslo", "public transport"))
    record = to_payload(draft, "key", (), None, draft.created_at)["record"]
    assert record["tags"] == ["oslo", "public transport"]
    assert Draft.from_json(draft.to_json()) == draft
    assert one(post, BLUESKY, hashtags="strip").tags == ()


def test_only_the_first_part_of_a_thread_has_the_tags_beside_it() -> None:
    first, *rest = drafts(typed("ord " * 120, tags=("oslo",)), BLUESKY)
    assert first.tags == ("oslo",)
    assert {part.tags for part in rest} == {()}


def test_the_tags_of_a_boost_are_not_the_account_s() -> None:
    post = replace(POST, boost=Ref("9", url="https://b.example.org/9", author="b"), tags=("b",))
    assert "#b" not in one(post, TWITTER, boosts="link").text


@many
@given(posts, st.sampled_from([MASTODON, TWITTER]))
def test_without_its_sign_a_hashtag_is_nothing_live(runs: tuple[Run, ...], target: Any) -> None:
    post = replace(POST, runs=(*runs, Run("#avis", "hashtag", "avis"), Run(".no ")))
    kept = " ".join(draft.text for draft in drafts(post, target))
    for hashtags in ("strip", "move"):
        made = " ".join(draft.text for draft in drafts(post, target, hashtags=hashtags))
        assert "avis.no" not in made or "avis.no" in kept
        assert not [span for span in x_entities(made) if span.kind == "mention"]


@pytest.mark.parametrize("tag", ["Oslo", "oslo_øst", "東京", "a1", "می\u200cشود"])
def test_what_is_a_hashtag(tag: str) -> None:
    assert is_hashtag(tag)


@pytest.mark.parametrize("tag", ["", "2026", "to ord", "a.b", "a#b", "@a"])
def test_what_is_no_hashtag(tag: str) -> None:
    assert not is_hashtag(tag)


def test_the_settings_by_target() -> None:
    text = bot("hashtag_map: {OsloBy: Oslo, '#vær': Vær}, for: {x: {hashtags: strip}}")
    x, bsky = (
        next(r.policy for r in load_text(text).bots["b"].routes if r.target == target)
        for target in ("x", "bsky")
    )
    assert (x.hashtags, bsky.hashtags) == ("strip", "keep")
    assert x.hashtag_map == (("osloby", "Oslo"), ("vær", "Vær"))


def test_maps_of_hashtags_merge_key_by_key() -> None:
    text = "defaults: {hashtag_map: {a1: B, c1: D}}\n" + bot("hashtag_map: {A1: E}")
    assert load_text(text).bots["b"].routes[0].policy.hashtag_map == (("a1", "E"), ("c1", "D"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("hashtags: moved", "'hashtags' takes keep, move or strip, not 'moved'"),
        ("hashtag_map: [a]", "'hashtag_map' takes a map of settings, not a list"),
        ("hashtag_map: {a: to ord}", "'to ord' is no hashtag: letters, digits and _ only"),
        ("hashtag_map: {a b: c}", "'a b' is no hashtag: letters, digits and _ only"),
        ("hashtag_map: {Vær: a, vær: b}", "'vær' stands twice; case does not matter"),
        ("hashtag_map: {a: }", "'a' has no value"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(settings: str, said: str) -> None:
    (problem,) = complaints(bot(settings))
    assert said in problem
    assert problem.startswith("2:")


# Cashtags: X refuses a post of an app that has two


def symbols(text: str) -> list[str]:
    return [span.value for span in x_entities(text) if span.kind == "cashtag"]


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        ("$EQNR stiger", "$EQNR stiger"),
        ("$EQNR stiger, $TSLA og $eqnr faller", "$EQNR stiger, TSLA og eqnr faller"),
        ("Det koster $5 og $10", "Det koster $5 og $10"),
        ("Se https://les.example.org/$AB/$CD om $EQNR", "Se https://les.example.org/$AB/$CD om $EQNR"),
        ("$EQNR og $TSLA.no", "$EQNR og TSLA(.)no"),
    ],
)  # fmt: skip
def test_x_is_sent_one_cashtag_in_a_post(text: str, copy: str) -> None:
    draft = one(typed(text), TWITTER)
    assert draft.text == copy
    assert len(symbols(draft.text)) <= 1
    assert [loss.what for loss in draft.losses] == ["cashtags"] * (text != copy)
    assert one(typed(text), MASTODON).text == text
    assert one(typed(text), BLUESKY).losses == ()


def test_each_part_of_a_thread_has_its_cashtag() -> None:
    text = "$EQNR " + "stiger og stiger " * 20 + "mens $TSLA og $AAPL faller"
    parts = [symbols(draft.text) for draft in drafts(typed(text), TWITTER)]
    assert parts == [["EQNR"], ["TSLA"]]


def test_a_symbol_that_is_a_hashtag_on_bluesky_counts_too() -> None:
    tag = Run("$TSLA", "hashtag", "$TSLA")
    draft = one(replace(POST, runs=(Run("$EQNR og "), tag)), TWITTER)
    assert symbols(draft.text) == ["EQNR"]


@many
@given(posts, st.lists(st.sampled_from(["$EQNR ", "$TSLA.no ", "$ab", " ", "$5 "]), max_size=6))
def test_no_post_to_x_has_two_cashtags(runs: tuple[Run, ...], pieces: list[str]) -> None:
    for draft in drafts_or_none(replace(POST, runs=(*runs, Run(" " + "".join(pieces))))):
        assert len(symbols(draft.text)) <= 1
        assert LIMITS["twitter"].fits(draft.text)


def drafts_or_none(post: Post) -> tuple[Draft, ...]:
    made = render(post, Policy(link_back="never"), TWITTER, LIMITS["twitter"])
    return () if isinstance(made, Skip) else made


def test_x_takes_what_it_is_sent_of_a_post_with_several_cashtags(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x}") as w:
        w.turn()
        w.say("m", "$EQNR stiger, $TSLA faller")
        w.rest()
        assert w.texts("x") == ["$EQNR stiger, TSLA faller"]
        assert w.store.stopped() == []
