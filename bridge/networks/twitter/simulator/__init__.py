"""X as far as a mirror meets it, on loopback."""

from bridge.networks.twitter.simulator.server import PRICES, TwitterSimulator

__all__ = ["PRICES", "TwitterSimulator"]
