from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.networks.mastodon.read import Instance, is_error, to_instance, to_limits, to_post
from bridge.post import Media, Poll, Ref, Run

HOST = "social.example"
ME = f"mastodon:{HOST}/7"


def status(**more: Any) -> dict[str, Any]:
    return {
        "id": "112",
        "created_at": "2026-11-20T12:00:00.250Z",
        "edited_at": None,
        "url": "https://social.example/@anna/112",
        "uri": "https://social.example/users/anna/statuses/112",
        "account": {"id": "7", "acct": "anna"},
        "visibility": "public",
        "language": "nb",
        "spoiler_text": "",
        "sensitive": False,
        "content": "<p>God dag</p>",
        **more,
    }


def test_a_plain_status_becomes_a_post() -> None:
    post = to_post(status(application={"name": "Tribridge", "website": None}), HOST)
    assert (post.account, post.id, post.url) == (ME, "112", "https://social.example/@anna/112")
    assert post.created_at == datetime(2026, 11, 20, 12, 0, 0, 250000, tzinfo=UTC)
    assert post.runs == (Run("God dag"),)
    assert (post.languages, post.visibility, post.revision) == (("nb",), "public", "")
    assert post.application == "Tribridge"
    assert (post.reply_to, post.boost, post.quote, post.poll, post.mark) == (
        None, None, None, None, "",
    )  # fmt: skip


def test_links_keep_their_targets_and_mentions_lose_their_server() -> None:
    html = (
        '<p><span class="h-card"><a href="https://far.example/@ali" class="u-url mention">'
        "@<span>ali</span></a></span> مرحبا "
        '<a href="https://avis.example/en/lang/sti?x=1"><span class="invisible">https://</span>'
        '<span class="ellipsis">avis.example/en</span><span class="invisible">/lang/sti?x=1</span>'
        '</a> <a href="https://social.example/tags/havn" class="mention hashtag">#<span>Havn'
        "</span></a></p>"
    )
    mention = {"url": "https://far.example/@ali", "acct": "ali@far.example", "username": "ali"}
    post = to_post(status(content=html, mentions=[mention], tags=[{"name": "havn"}]), HOST)
    kinds = {run.kind: run for run in post.runs if run.kind != "text"}
    assert kinds["mention"].name == "ali"
    assert kinds["mention"].target == "https://far.example/@ali"
    assert kinds["link"].target == "https://avis.example/en/lang/sti?x=1"
    assert kinds["hashtag"].target == "Havn"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"visibility": "unlisted"}, "unlisted"),
        ({"visibility": "private"}, "private"),
        ({"visibility": "direct"}, "direct"),
        ({"visibility": "limited"}, "unknown"),
        ({"visibility": "local"}, "unknown"),
        ({"visibility": None}, "unknown"),
        ({"visibility": ["public"]}, "unknown"),
        ({"visibility": "public", "local_only": True}, "unknown"),
        ({"visibility": "public", "local_only": False}, "public"),
    ],
)
def test_visibility_that_is_not_known_fails_closed(fields: dict[str, Any], expected: str) -> None:
    assert to_post(status(**fields), HOST).visibility == expected


def test_a_status_without_visibility_is_not_taken_for_public() -> None:
    bare = status()
    del bare["visibility"]
    assert to_post(bare, HOST).visibility == "unknown"


def test_a_reply_names_its_parent_and_its_author() -> None:
    own = to_post(status(in_reply_to_id="111", in_reply_to_account_id="7"), HOST)
    assert own.reply_to == Ref("111", ME)
    other = to_post(status(in_reply_to_id="111", in_reply_to_account_id="8"), HOST)
    assert other.reply_to == Ref("111", f"mastodon:{HOST}/8")
    unknown = to_post(status(in_reply_to_id="111"), HOST)
    assert unknown.reply_to == Ref("111", "")


def test_a_reply_to_a_deleted_post_stays_a_reply_unless_it_was_ones_own() -> None:
    other = to_post(status(in_reply_to_id=None, in_reply_to_account_id="8"), HOST)
    assert other.reply_to == Ref("", f"mastodon:{HOST}/8")
    own = to_post(status(in_reply_to_id=None, in_reply_to_account_id="7"), HOST)
    assert own.reply_to is None


def test_a_boost_names_what_it_boosts() -> None:
    boosted = {
        "id": "99",
        "url": "https://far.example/@bo/1",
        "account": {"id": "3", "acct": "bo@far.example"},
    }
    post = to_post(status(reblog=boosted), HOST)
    url = "https://far.example/@bo/1"
    assert post.boost == Ref("99", f"mastodon:{HOST}/3", url, author="bo")


@pytest.mark.parametrize("nested", [True, False])
def test_a_quote_names_what_it_quotes_and_its_link_for_old_readers_goes(nested: bool) -> None:
    quoted = {"id": "98", "url": "https://social.example/@bo/98", "account": {"id": "3"}}
    html = (
        '<p class="quote-inline">RE: <a href="https://social.example/@bo/98">social…</a></p>'
        "<p>Enig!</p>"
    )
    quote = {"state": "accepted", "quoted_status": quoted} if nested else quoted
    post = to_post(status(content=html, quote=quote), HOST)
    assert post.quote == Ref("98", f"mastodon:{HOST}/3", "https://social.example/@bo/98")
    assert post.text == "Enig!"


def test_a_quote_that_waits_for_consent_has_the_link_of_the_html() -> None:
    html = (
        '<p class="quote-inline">RE: <a href="https://far.example/@bo/9?a=1&amp;b=2">far…</a></p>'
        "<p>Se her</p>"
    )
    post = to_post(status(content=html, quote={"state": "pending", "quoted_status": None}), HOST)
    assert post.quote == Ref("", url="https://far.example/@bo/9?a=1&b=2")
    assert post.text == "Se her"


def test_attachments_of_every_kind_come_along() -> None:
    image = {
        "type": "image",
        "url": "https://social.example/media/1.png",
        "description": "En brygge i tåke",
        "meta": {"original": {"width": 640, "height": 480}},
    }
    others = [
        {"type": "video", "url": "https://social.example/2.mp4", "description": None},
        {"type": "gifv", "url": "https://social.example/3.mp4"},
        {"type": "audio", "url": "https://social.example/4.ogg"},
        {"type": "hologram", "url": "https://social.example/5"},
        {"type": "image", "url": None, "remote_url": None},
    ]
    media = to_post(status(media_attachments=[image, *others]), HOST).media
    url = "https://social.example/media/1.png"
    assert media[0] == Media("image", url, alt="En brygge i tåke", width=640, height=480)
    assert [m.kind for m in media[1:]] == ["video", "gif", "audio", "unknown", "unknown"]


def test_a_poll_gives_its_options_and_an_edit_its_time() -> None:
    poll = {"options": [{"title": "Ja", "votes_count": 1}, {"title": "Nein"}]}
    post = to_post(status(poll=poll, edited_at="2026-11-20T13:00:00.000Z"), HOST)
    assert post.poll == Poll(("Ja", "Nein"))
    assert post.revision == "2026-11-20T13:00:00.000Z"


def test_a_content_warning_is_kept() -> None:
    post = to_post(status(spoiler_text="Mat", sensitive=True), HOST)
    assert (post.content_warning, post.sensitive) == ("Mat", True)


def test_a_malformed_status_is_read_and_kept_from_travelling() -> None:
    odd = {
        "id": 5,
        "created_at": "yesterday",
        "account": "anna",
        "visibility": "public",
        "content": None,
        "media_attachments": [None, 3],
        "mentions": {"a": 1},
        "tags": [{"name": None}],
        "poll": [],
        "application": "x",
        "quote": "q",
        "reblog": 1,
        "language": 9,
    }
    post = to_post(odd, HOST)
    assert (post.id, post.text, post.visibility) == ("5", "", "unknown")


# Instances.

MASTODON = {
    "version": "4.5.2",
    "source_url": "https://github.com/mastodon/mastodon",
    "api_versions": {"mastodon": 7},
    "configuration": {
        "statuses": {
            "max_characters": 640,
            "max_media_attachments": 5,
            "characters_reserved_per_url": 25,
        },
        "media_attachments": {
            "supported_mime_types": ["image/jpeg", "image/webp", "video/mp4"],
            "image_size_limit": 1000,
            "image_matrix_limit": 2000,
            "description_limit": 900,
        },
    },
}


def test_the_limits_are_those_that_the_server_tells() -> None:
    instance = to_instance(MASTODON)
    assert instance == Instance(
        "mastodon",
        True,
        640,
        25,
        5,
        1000,
        2000,
        ("image/jpeg", "image/webp"),
        900,
        batch=20,
        quotes=True,
        video_types=("video/mp4",),
    )
    limits = to_limits(instance)
    assert limits.image_types == {"image/jpeg", "image/webp"}
    assert limits.fits("x" * 640)
    assert not limits.fits("x" * 641)
    assert not limits.fits("x" * 640, "w")
    assert limits.fits("https://example.com/" + "x" * 2000 + " " + "y" * 614)
    assert not limits.fits("https://example.com/" + "x" * 2000 + " " + "y" * 615)
    assert limits.fits("👨‍👩‍👧" * 640)


def test_gotosocial_counts_code_points_and_urls_in_full() -> None:
    answer = {
        **MASTODON,
        "version": "0.20.0",
        "source_url": "https://codeberg.org/superseriousbusiness/gotosocial",
    }
    instance = to_instance(answer)
    assert (instance.software, instance.keeps_keys) == ("gotosocial", False)
    limits = to_limits(instance)
    assert limits.fits("👨‍👩‍👧" * 128)
    assert not limits.fits("👨‍👩‍👧" * 129)
    assert not limits.fits("https://example.com/" + "x" * 621)
    assert limits.fits("x" * 630, "w" * 10)
    assert not limits.fits("x" * 630, "w" * 11)


@pytest.mark.parametrize(
    ("answer", "software", "keeps"),
    [
        ({"version": "4.5.2", "api_versions": {"mastodon": 7}}, "mastodon", True),
        (
            {"version": "4.2.1", "source_url": "https://github.com/mastodon/mastodon"},
            "mastodon",
            False,
        ),
        ({"version": "takahe/0.11.0"}, "other", False),
        (
            {"version": "2.7.2 (compatible; Akkoma 3)", "api_versions": {"mastodon": 2}},
            "other",
            False,
        ),
        ({}, "other", False),
        ({"version": 4}, "other", False),
    ],
)
def test_only_mastodon_itself_is_trusted_to_keep_keys(
    answer: dict[str, Any], software: str, keeps: bool
) -> None:
    instance = to_instance(answer)
    assert (instance.software, instance.keeps_keys) == (software, keeps)


def test_a_server_that_says_nothing_gets_mastodons_defaults() -> None:
    instance = to_instance({"configuration": {"statuses": {"max_characters": None}}})
    assert (instance.characters, instance.images, instance.url_characters) == (500, 4, 23)
    assert instance.image_types == ("image/gif", "image/jpeg", "image/png")


def test_software_that_is_not_known_must_meet_both_ways_of_counting() -> None:
    limits = to_limits(Instance())
    assert not limits.fits("https://example.com/" + "x" * 500)
    assert not limits.fits("https://a.example " * 21)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"error": "Record not found"}, True),
        ({"error": "Not Found", "error_description": "no such status"}, True),
        ({"error": ""}, False),
        ({"error": 404}, False),
        ({"error": "Not Found", "path": "/api/v1/statuses/1", "status": 404}, False),
        ({"message": "no Route matched with those values"}, False),
        ({}, False),
        (["error"], False),
        (None, False),
    ],
)
def test_an_error_of_the_api_is_told_from_that_of_a_proxy(body: Any, told: bool) -> None:
    assert is_error(body) is told
