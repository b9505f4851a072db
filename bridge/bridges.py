"""Other bridges: which posts they made, and of which post theirs is the twin. Pure.

A post that another bridge put on an account is a copy of something, and mirroring it further would
make two bridges answer each other. Here is data about those bridges; each line names its source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from bridge.post import Post, Ref

#: the application under which Tribridge itself posts where the network shows one
OURS = "Tribridge"

#: applications that do nothing but copy from other networks, as Mastodon's `application.name` shows
#: them. Programs in which people write or plan posts (Buffer, Fedica, IFTTT) are not among them:
#: what comes from those may stand nowhere else.
APPLICATIONS = (
    OURS,
    "Bridgy Fed",  # so `networks/bluesky/read.py` names what bears its fields
    "Wafrn",  # likewise
    # renatolond/mastodon-twitter-poster, the default of CROSSPOSTER_APP_NAME
    "Mastodon Twitter Crossposter",
    "Moa",  # FedStoa/moa, moa/app.py
    "mastodon-twitter-sync",  # klausi/mastodon-twitter-sync, src/registration.rs
    "twitter2toot",  # MicroJoe/twitter2toot, settings.py
)
_BY_NAME = {name.casefold(): name for name in APPLICATIONS}

_BLUESKY = "https://bsky.app/profile"
#: pages of bridges, and where the post is at home
_TWINS = (
    # Bridgy Fed: the address of a bridged post, and its ActivityPub id (snarfed/bridgy-fed)
    (re.compile(r"https?://[\w.-]+\.brid\.gy/r/(https?://.+)"), r"\1"),
    (
        re.compile(
            r"https?://bsky\.brid\.gy/convert/ap/at://(did:[^/]+)/app\.bsky\.feed\.post/(\w+)"
        ),
        rf"{_BLUESKY}/\1/post/\2",
    ),
    # BirdsiteLIVE at bird.makeup: posts of X (NicolasConstant/BirdsiteLive)
    (re.compile(r"https?://bird\.makeup/@(\w+)/(\d+)"), r"https://x.com/\1/status/\2"),
    (
        re.compile(r"https?://bird\.makeup/users/(\w+)/statuses/(\d+)"),
        r"https://x.com/\1/status/\2",
    ),
)


def maker(post: Post) -> str:
    """The bridge that made a post, Tribridge or another; "" if none is known to have."""
    return OURS if post.mark else _BY_NAME.get(post.application.strip().casefold(), "")


def home_page(url: str) -> str:
    """The page of a post on its own network, if `url` is that of a bridge's twin; else `url`."""
    for twin, home in _TWINS:
        found = twin.fullmatch(url)
        if found:
            return found.expand(home)
    return url


def at_home(ref: Ref, accounts: Mapping[str, str]) -> tuple[str, str] | None:
    """Identity and id of a post that is shown as a server or a bridge knows it from elsewhere.

    `accounts` are the pages of the accounts that may have written it, by identity. None if it is by
    none of them.
    """
    page = home_page(ref.url)
    for identity, own in accounts.items():
        network, _, did = identity.partition(":")
        pages = [own, f"{_BLUESKY}/{did}"] if network == "bluesky" else [own]
        if any(each and page.casefold().startswith(f"{each}/".casefold()) for each in pages):
            return identity, page.rstrip("/").rpartition("/")[2]
    return None
