"""Tribridge mirrors posts between Twitter (X), Mastodon and Bluesky, exactly once."""

__version__ = "0.1.0"
