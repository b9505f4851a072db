from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.network import Parents
from bridge.networks.mastodon.write import matches, to_payload
from bridge.post import Draft, Media, Post, Ref, Run

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LINK = "https://avis.example/en/veldig/lang/sti/til/saken?side=2"


def draft(text: str = "Hei", **more: object) -> Draft:
    return Draft(**{"runs": (Run(text),), "created_at": NOW, **more})  # type: ignore[arg-type]


def test_a_plain_draft_says_text_visibility_and_sensitivity_and_nothing_else() -> None:
    payload = to_payload(draft(), "key", (), None, NOW)
    assert payload == {"status": "Hei", "visibility": "public", "sensitive": False}


def test_a_full_draft_has_strict_json_types() -> None:
    parents = Parents(Ref("12"), Ref("11"))
    full = draft(
        "Grüße",
        languages=("de-AT", "en"),
        content_warning="Essen",
        sensitive=True,
        visibility="unlisted",
    )
    payload = to_payload(full, "key", ({"id": "9"}, {"id": "10"}), parents, NOW)
    assert payload == {
        "status": "Grüße",
        "visibility": "unlisted",
        "sensitive": True,
        "spoiler_text": "Essen",
        "language": "de",
        "media_ids": ["9", "10"],
        "in_reply_to_id": "12",
    }
    assert json.loads(json.dumps(payload)) == payload


@pytest.mark.parametrize(
    ("languages", "expected"),
    [
        ((), None),
        (("nb",), "nb"),
        (("NB-no",), "nb"),
        (("zh_Hant",), "zh"),
        (("nds",), "nds"),
        (("x-klingon",), None),
        (("",), None),
    ],
)
def test_a_language_is_its_iso_code(languages: tuple[str, ...], expected: str | None) -> None:
    assert to_payload(draft(languages=languages), "k", (), None, NOW).get("language") == expected


def test_a_visibility_that_is_not_known_never_becomes_public() -> None:
    assert to_payload(draft(visibility="unknown"), "k", (), None, NOW)["visibility"] == "private"


def read_back(**more: object) -> Post:
    runs = (
        Run("Les "),
        Run("avis.example/en/veldig/lang/st…", "link", LINK),
        Run(" nå, "),
        Run("#havn", "hashtag", "havn"),
    )
    post = Post("mastodon:h/1", "5", "https://h/5", NOW, runs)
    return replace(post, **more)  # type: ignore[arg-type]


PAYLOAD = to_payload(draft(f"Les {LINK} nå,  #havn"), "k", (), None, NOW)


def test_a_post_read_back_matches_though_its_link_is_shown_cut() -> None:
    assert matches(PAYLOAD, "k", read_back())


@pytest.mark.parametrize(
    "other",
    [
        {"runs": (Run("Noe annet"),)},
        {"content_warning": "Mat"},
        {"reply_to": Ref("4")},
        {"media": (Media("image", "https://h/1.png"),)},
        {"boost": Ref("4")},
    ],
)
def test_a_post_that_differs_does_not_match(other: dict[str, object]) -> None:
    assert not matches(PAYLOAD, "k", read_back(**other))


def test_a_reply_matches_only_under_the_same_parent() -> None:
    parents = Parents(Ref("4"), Ref("1"))
    payload = to_payload(draft(f"Les {LINK} nå, #havn"), "k", (), parents, NOW)
    assert matches(payload, "k", read_back(reply_to=Ref("4", "mastodon:h/1")))
    assert not matches(payload, "k", read_back(reply_to=Ref("1", "mastodon:h/1")))
    assert not matches(payload, "k", read_back())


def test_a_quote_matches_only_what_quotes_the_same() -> None:
    payload = to_payload(draft(), "key", (), Parents(shows=Ref("5")), NOW)
    assert payload["quoted_status_id"] == "5"
    post = Post("mastodon:a/1", "9", "https://a/9", NOW, (Run("Hei"),), quote=Ref("5"))
    assert matches(payload, "key", post)
    assert not matches(payload, "key", replace(post, quote=Ref("6")))
    assert not matches(payload, "key", replace(post, quote=None))


def test_a_boost_matches_what_boosts_the_same_and_no_post_matches_a_boost() -> None:
    payload = to_payload(draft("", boost=Ref("1")), "key", (), Parents(shows=Ref("5")), NOW)
    assert payload == {"reblog": "5", "visibility": "public"}
    post = Post("mastodon:a/1", "9", "https://a/9", NOW, (), boost=Ref("5"))
    assert matches(payload, "key", post)
    assert not matches(payload, "key", replace(post, boost=Ref("6")))
    assert not matches(payload, "key", replace(post, boost=None))
    assert not matches(to_payload(draft(""), "key", (), None, NOW), "key", post)
