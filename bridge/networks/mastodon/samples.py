"""Posts for tests of bots: as if an account on a server as it comes wrote them. Pure."""

from __future__ import annotations

from typing import Any

from bridge import text
from bridge.network import Identity, Limits
from bridge.networks.mastodon import read
from bridge.post import Post

HOST = "mastodon.example"
#: what a server says of itself that runs Mastodon 4.5 as it comes
INSTANCE = {
    "version": "4.5.0",
    "api_versions": {"mastodon": 7},
    "configuration": {
        "media_attachments": {
            "supported_mime_types": [
                *("image/gif", "image/jpeg", "image/png", "video/mp4", "audio/mpeg")
            ],
            "video_size_limit": 103_809_024,
        },
        "polls": {
            "max_options": 4,
            "max_characters_per_option": 50,
            "min_expiration": 300,
            "max_expiration": 2629746,
        },
    },
}


def limits() -> Limits:
    """Those of a server with the defaults."""
    return read.to_limits(read.to_instance(INSTANCE))


def identity(name: str) -> Identity:
    """Who an account is that has a name only."""
    return Identity(read.identity_id(HOST, name), f"@{name}@{HOST}", f"https://{HOST}/@{name}")


def page(name: str, post_id: str) -> str:
    """The address of a post of such an account."""
    return f"https://{HOST}/@{name}/{post_id}"


def profile(handle: str) -> str:
    """The address of a person who is mentioned as `user` or `user@host`."""
    user, _, host = handle.partition("@")
    return f"https://{host or HOST}/@{user}"


def entities(words: str) -> list[text.Span]:
    """What stands in a text that a person typed there; of those that overlap the first counts."""
    return text.mastodon_entities(words)


def from_json(data: Any) -> Post:
    """A status of Mastodon's API as a post. ValueError if it is none."""
    post = read.to_post(data, HOST) if isinstance(data, dict) else None
    if post is None or not (post.id and post.account):
        raise ValueError("is no status of Mastodon's API: an object with id and account")
    return post
