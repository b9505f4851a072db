"""Posts for tests of bots: as if an account had written them. Pure."""

from __future__ import annotations

from typing import Any

from bridge.network import Identity
from bridge.networks.bluesky import read
from bridge.post import Post
from bridge.text import Span, mastodon_entities
from bridge.text.entities import x_links


def identity(name: str) -> Identity:
    """Who an account is that has a name only."""
    return Identity(f"bluesky:did:plc:{name}", f"@{name}", f"{read.APP}/profile/{name}")


def page(name: str, post_id: str) -> str:
    """The address of a post of such an account."""
    return f"{read.APP}/profile/{name}/post/{post_id}"


def profile(handle: str) -> str:
    """The address of a person who is mentioned."""
    return f"{read.APP}/profile/{handle}"


def entities(words: str) -> list[Span]:
    """What stands in a text that a person typed there; of those that overlap the first counts."""
    return sorted((*mastodon_entities(words), *x_links(words)), key=lambda span: span.start)


def from_json(data: Any) -> Post:
    """An item of `com.atproto.repo.listRecords` as a post. ValueError if it is none."""
    uri = data.get("uri") if isinstance(data, dict) else None
    did = str(uri).removeprefix("at://").partition("/")[0]
    post = read.to_post(data, read.Owner(did, "", "https://pds.example"))
    if post is None:
        raise ValueError("is no record of Bluesky: an object with uri and value")
    return post
