"""The three networks on this machine: one simulator each, with accounts ready to use."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator

#: who lives on the sandbox networks, by the names that their networks give them
MASTODON = ("newsroom", "city")
BLUESKY = ("newsroom.test", "city.test")
TWITTER = ("newsroom", "city")


class Sandbox:
    """Starts and stops the simulators; `now` is their time, UTC."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.mastodon = MastodonSimulator(now=now)
        self.bluesky = BlueskySimulator(now=now)
        self.twitter = TwitterSimulator(now=now)

    def start(self) -> dict[str, Any]:
        """Serve all three; returns the accounts' settings as the config knows them, by network."""
        for simulator in (self.mastodon, self.bluesky, self.twitter):
            simulator.start()
        masto = {name: self.mastodon.account(name) for name in MASTODON}
        bsky = {name: self.bluesky.account(name) for name in BLUESKY}
        # long posts are for paying accounts on X: one of the two pays
        x = {name: self.twitter.account(name, premium=name == "newsroom") for name in TWITTER}
        return {
            "mastodon": {
                "server": self.mastodon.url,
                "accounts": {n: {"access_token": s["access_token"]} for n, s in masto.items()},
            },
            "bluesky": {
                "service": self.bluesky.url,
                "accounts": {n: {"app_password": s["app_password"]} for n, s in bsky.items()},
            },
            "twitter": {
                "api": self.twitter.url,
                "accounts": {n: {k: v for k, v in s.items() if k != "api"} for n, s in x.items()},
            },
        }

    def stop(self) -> None:
        """Stop all three."""
        for simulator in (self.mastodon, self.bluesky, self.twitter):
            simulator.stop()


def as_shell(printed: Mapping[str, Any]) -> str:
    """What `Sandbox.start` returned of the newsroom's accounts, as lines that a shell can read."""
    masto, bsky, x = printed["mastodon"], printed["bluesky"], printed["twitter"]
    keys = x["accounts"][TWITTER[0]]
    variables = {
        "MASTODON_SERVER": masto["server"],
        "MASTODON_TOKEN": masto["accounts"][MASTODON[0]]["access_token"],
        "BLUESKY_SERVICE": bsky["service"],
        "BLUESKY_APP_PASSWORD": bsky["accounts"][BLUESKY[0]]["app_password"],
        "X_API": x["api"],
        "X_API_KEY": keys["api_key"],
        "X_API_KEY_SECRET": keys["api_key_secret"],
        "X_TOKEN": keys["access_token"],
        "X_TOKEN_SECRET": keys["access_token_secret"],
    }
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
