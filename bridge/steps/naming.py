"""Texts of a config that name something of the post, such as `{{ url }}`."""

from __future__ import annotations

import regex

from bridge.post import Post, Run, join_runs
from bridge.registry import NETWORKS
from bridge.text import plain_name, to_runs

#: what `{{ NAME }}` in the text of a step can stand for
NAMES = ("url", "author", "network")
_NAMED = regex.compile(r"\{\{\s*(.*?)\s*(?:\}\}|\Z)", regex.DOTALL)
#: the author in the address of a post: on Mastodon and its relatives, on Bluesky, on X
_AUTHOR = regex.compile(
    r"https?://[^/]+/(?:@([^/@]+)/|users/([^/]+)/|profile/(?!did:)([^/]+)/post/|(?!i/)(\w+)/status/)"
)


def unknown_names(text: str) -> list[str]:
    """What stands in `{{ }}` in a text and is none of `NAMES`; with its `{{` if never closed."""
    return [
        found[1] if found[0].endswith("}}") else found[0]
        for found in _NAMED.finditer(text)
        if found[1] not in NAMES or not found[0].endswith("}}")
    ]


def filled(text: str, post: Post) -> tuple[Run, ...]:
    """A text with `{{ url }}` as a link to the post, and its author and network by name.

    Addresses and hashtags in the text are live, mentions never. Nothing stands for what is not
    known.
    """
    runs: list[Run] = []
    at = 0
    for found in _NAMED.finditer(text):
        runs += to_runs(text[at : found.start()])
        runs.append(named(found[1], post))
        at = found.end()
    return join_runs([*runs, *to_runs(text[at:])])


def named(name: str, post: Post) -> Run:
    """What one of `NAMES` stands for."""
    if name == "url":
        return Run(post.url, "link", post.url)
    return Run(author(post) if name == "author" else network(post))


def author(post: Post) -> str:
    """The plain name of who wrote a post, no `@` and no domain; "" where its address has none."""
    if post.boost is not None:
        return post.boost.author
    found = _AUTHOR.match(post.url)
    return plain_name(next((name for name in found.groups() if name), "")) if found else ""


def network(post: Post) -> str:
    """The title of the network that a post is on."""
    name = post.account.partition(":")[0]
    return NETWORKS[name].title if name in NETWORKS else ""
