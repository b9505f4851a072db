"""Content warnings, sensitive media and self-labels, from each network to each."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.labels import labels_of, warning_of
from bridge.post import Media
from bridge.schema import Labels
from tests.test_mirroring import png
from tests.test_render import BLUESKY, MASTODON, POST, TWITTER, one
from tests.world import world

PICTURE = (Media("image", "https://a.example/1.png"),)
SENSITIVE = replace(POST, sensitive=True, media=PICTURE)


@pytest.mark.parametrize(
    ("warning", "labels"),
    [
        ("Nudity", ("nudity",)),
        ("artistic NUDE", ("nudity",)),
        ("suggestive, nude", ("sexual",)),
        ("NSFW: porn", ("porn",)),
        ("blood and nudity", ("nudity", "graphic-media")),
        ("bloody", ("graphic-media",)),
        ("food", ("graphic-media",)),
        ("", ("graphic-media",)),
    ],
)
def test_words_of_the_warning_choose_the_label(warning: str, labels: tuple[str, ...]) -> None:
    post = replace(SENSITIVE, content_warning=warning)
    assert one(post, BLUESKY).labels == labels
    assert one(post, MASTODON).labels == ()
    assert one(post, TWITTER).labels == ()


def test_a_warning_of_words_alone_is_no_label_unless_it_names_one() -> None:
    assert one(replace(POST, content_warning="Filmende"), BLUESKY).labels == ()
    assert one(replace(POST, content_warning="Violence"), BLUESKY).labels == ("graphic-media",)
    assert one(POST, BLUESKY).labels == ()


def test_the_words_are_settings() -> None:
    words = Labels(sensitive="nudity", graphic_media=("krig",), porn=())
    assert labels_of(replace(SENSITIVE, content_warning="Krig!"), words) == ("graphic-media",)
    assert labels_of(replace(SENSITIVE, content_warning="NSFW"), words) == ("nudity",)
    assert labels_of(replace(SENSITIVE, tags=("Krig",)), words) == ("graphic-media",)


@pytest.mark.parametrize("warning", ["KRİG e\u0301tat", "戦争の写真"])
def test_a_word_is_found_however_it_is_written(warning: str) -> None:
    words = Labels(graphic_media=("\u00e9tat", "戦争"), sensitive="none")
    assert labels_of(replace(SENSITIVE, content_warning=warning), words) == ("graphic-media",)


def test_what_is_not_hidden_is_recorded() -> None:
    bare = one(SENSITIVE, BLUESKY, labels=Labels(sensitive="none"))
    assert [loss.what for loss in bare.losses] == ["label"]
    on_x = one(SENSITIVE, TWITTER, link_back="never")
    assert on_x.text == "CW: sensitive media\n\nHallo"
    assert [loss.detail for loss in on_x.losses] == [
        "media marked as sensitive are not hidden on Twitter (X)"
    ]
    assert one(SENSITIVE, BLUESKY).losses == one(SENSITIVE, MASTODON).losses == ()
    assert one(replace(POST, sensitive=True), TWITTER).losses == ()


@pytest.mark.parametrize("label", ["porn", "sexual", "nudity", "graphic-media"])
def test_a_label_becomes_a_warning_that_becomes_the_label_again(label: str) -> None:
    post = replace(SENSITIVE, labels=(label,))
    there = one(post, MASTODON)
    assert there.sensitive
    assert there.content_warning == warning_of(post) != label
    back = replace(SENSITIVE, content_warning=there.content_warning)
    assert one(back, BLUESKY).labels == (label,)
    assert one(post, TWITTER).text.startswith(f"CW: {there.content_warning}\n\n")
    assert one(post, BLUESKY).labels == (label,)
    assert one(post, BLUESKY).text == "Hallo"


def test_an_unknown_label_is_told_as_it_is() -> None:
    post = replace(SENSITIVE, labels=("spoiler", "porn"))
    assert one(post, MASTODON).content_warning == "spoiler, Pornography"


def test_labels_travel(tmp_path: Path) -> None:
    bots = """
    one: {from: m, to: [b, x]}
    two: {from: b2, to: [m2, x2]}
    """
    with world(tmp_path, bots) as w:
        w.turn()
        w.say("m", "Modell im Atelier", warning="Nudity", images=[(png(), "Akt")])
        labels = {
            "$type": "com.atproto.label.defs#selfLabels",
            "values": [{"val": "graphic-media"}],
        }
        w.say("b2", "Nach dem Sturm", images=[(png(), "Trümmer")], labels=labels)
        w.rest(3)
        (copy,) = w.copies("b")
        assert copy.raw["labels"]["values"] == [{"val": "nudity"}]
        assert copy.text == "CW: Nudity\n\nModell im Atelier"
        (status,) = w.copies("m2")
        assert (status.raw["spoiler_text"], status.raw["sensitive"]) == ("Graphic media", True)
        assert w.texts("x2") == ["CW: Graphic media\n\nNach dem Sturm"]


def test_a_post_that_is_hidden_from_visitors_still_stays_where_it_is(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m}") as w:
        w.turn()
        labels = {
            "$type": "com.atproto.label.defs#selfLabels",
            "values": [{"val": "!no-unauthenticated"}, {"val": "nudity"}],
        }
        w.say("b", "Nur für Angemeldete", labels=labels)
        w.rest(2)
        assert w.copies("m") == []
