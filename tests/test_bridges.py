"""What is known of other bridges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge import bridges
from bridge.post import Post, Ref, Run

POST = Post("mastodon:a/1", "1", "", datetime(2026, 11, 22, tzinfo=UTC), (Run("Hei"),))
ACCOUNTS = {
    "mastodon:social.example/7": "https://social.example/@anna",
    "bluesky:did:plc:abc": "https://bsky.app/profile/anna.example",
    "twitter:99": "https://x.com/anna",
    "mastodon:nameless.example/1": "",
}


@pytest.mark.parametrize(
    ("application", "name"),
    [
        ("", ""),
        ("Web", ""),
        ("Moapp", ""),
        ("Tribridge", "Tribridge"),
        (" moa ", "Moa"),
        ("MASTODON TWITTER CROSSPOSTER", "Mastodon Twitter Crossposter"),
    ],
)
def test_a_bridge_is_known_by_the_whole_name_of_its_application(
    application: str, name: str
) -> None:
    assert bridges.maker(replace(POST, application=application)) == name


def test_our_mark_tells_more_than_an_application() -> None:
    assert bridges.maker(replace(POST, mark="1" * 64, application="Moa")) == "Tribridge"


@pytest.mark.parametrize(
    ("url", "home"),
    [
        (
            "https://bsky.brid.gy/r/https://bsky.app/profile/anna.example/post/3k",
            ("bluesky:did:plc:abc", "3k"),
        ),
        (
            "https://bsky.brid.gy/convert/ap/at://did:plc:abc/app.bsky.feed.post/3k",
            ("bluesky:did:plc:abc", "3k"),
        ),
        ("https://bsky.app/profile/Anna.Example/post/3k", ("bluesky:did:plc:abc", "3k")),
        ("https://bsky.app/profile/anna.example.evil/post/3k", None),
        ("https://bsky.app/profile/did:plc:abcd/post/3k", None),
        ("https://bird.makeup/@Anna/20", ("twitter:99", "20")),
        ("https://bird.makeup/users/anna/statuses/20", ("twitter:99", "20")),
        ("https://bird.makeup/@annabel/20", None),
        ("https://social.example/@anna/115", ("mastodon:social.example/7", "115")),
        ("https://social.example/@anna/statuses/01ABC", ("mastodon:social.example/7", "01ABC")),
        ("https://social.example/@annabel/115", None),
        ("https://ap.brid.gy/r/https://social.example/@anna/1", ("mastodon:social.example/7", "1")),
        ("https://brid.gy.example/r/https://social.example/@anna/1", None),
        ("", None),
    ],
)
def test_a_post_that_is_shown_elsewhere_is_known_at_home(
    url: str, home: tuple[str, str] | None
) -> None:
    assert bridges.at_home(Ref("1", url=url), ACCOUNTS) == home
