"""How much memory it takes to pass a video on to each network: run by `test_film_memory`.

    python -m tests.film_memory URL FOLDER MEGABYTES

Prints, by network, how many MiB more were in use at the peak than before.
"""

from __future__ import annotations

import json
import resource
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge import video
from bridge.network import Client, Limits, PlayLimits
from bridge.networks.bluesky.client import BlueskyClient
from bridge.networks.bluesky.session import Tokens
from bridge.networks.mastodon.client import MastodonClient
from bridge.networks.twitter.client import LIMITS, TwitterClient
from bridge.networks.twitter.read import User
from bridge.post import Media

ROOM = PlayLimits(frozenset({"video/mp4"}), 1 << 31)


class Memory:
    """A session that is not kept."""

    def load(self) -> str | None:
        return None

    def save(self, identity: str, data: str) -> None:
        """Nothing."""


def clients(url: str) -> dict[str, Client]:
    """Clients that are logged in, of a server at one address."""

    def now() -> datetime:
        return datetime.now(UTC)

    keys: dict[str, Any] = dict.fromkeys(
        ("api_key", "api_key_secret", "access_token", "access_token_secret"), "k"
    )
    mastodon = MastodonClient({"server": url, "access_token": "t"}, Memory(), now)
    mastodon.login()
    bluesky = BlueskyClient(
        {"service": url, "handle": "a.test", "app_password": "p"}, Memory(), now
    )
    bluesky._tokens = Tokens("did:plc:a", "a.test", url, "a.b.c", "r", "f")
    twitter = TwitterClient({"api": url, **keys}, Memory(), now)
    twitter._known = User("1", "a", protected=False)
    return {"mastodon": mastodon, "bluesky": bluesky, "twitter": twitter}


def peak() -> float:
    """The most memory that was ever in use, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main(url: str, folder: str, megabytes: str) -> None:
    limits: Limits = replace(LIMITS, video=ROOM)
    host = url.partition("//")[2]
    grown = {}
    for name, client in clients(url).items():
        for size in ("1", megabytes):
            before = peak()
            item = Media("video", f"{url}/film/{size}")
            with video.ready(item, limits, own_host=host, folder=Path(folder)) as (film, _):
                assert film.bytes > int(size) << 20
                client.upload_film(film)
        grown[name] = peak() - before
    print(json.dumps(grown))


if __name__ == "__main__":
    main(*sys.argv[1:])
