"""Posts for tests of bots: as if an account had written them. Pure."""

from __future__ import annotations

from typing import Any

from bridge.network import Identity
from bridge.networks.twitter import read
from bridge.post import Post
from bridge.text import Span, x_entities


def identity(name: str) -> Identity:
    """Who an account is that has a name only."""
    return Identity(f"twitter:{name}", f"@{name}", f"https://x.com/{name}")


def page(name: str, post_id: str) -> str:
    """The address of a post of such an account."""
    return f"https://x.com/{name}/status/{post_id}"


def profile(handle: str) -> str:
    """The address of a person who is mentioned."""
    return f"https://x.com/{handle}"


def entities(words: str) -> list[Span]:
    """What stands in a text that a person typed there; of those that overlap the first counts."""
    return x_entities(words)


def from_json(data: Any) -> Post:
    """A page of X's API with one post as that post. ValueError if it is none."""
    listed = data.get("data") if isinstance(data, dict) else None
    if isinstance(listed, dict):  # the answer to a look-up of one post
        data, listed = {**data, "data": [listed]}, [listed]
    first = listed[0] if isinstance(listed, list) and len(listed) == 1 else None
    author = first.get("author_id") if isinstance(first, dict) else None
    posts = []
    if isinstance(author, str) and author:
        user = read.User(author, "i", protected=False)
        posts = read.to_posts(data, read.author(data, user))
    if not posts:
        raise ValueError("is no page of X's API: data with one post that has id and author_id")
    return posts[0]
