"""Mastodon, or a server that is Mastodon only by API, on loopback."""

from bridge.networks.mastodon.simulator.server import MastodonSimulator

__all__ = ["MastodonSimulator"]
