"""What a plugin is written with: steps and networks of one's own.

A plugin is a file that `plugins` in the configuration names, or an installed package with an entry
point in the group `tribridge.steps` or `tribridge.networks`.
"""

from __future__ import annotations

from bridge.network import Identity, Limits, Network, Refused
from bridge.plugins.errors import PluginError
from bridge.plugins.networks import PostingClient, network, text_limits
from bridge.plugins.steps import step
from bridge.post import Post, Ref, Run, Skip
from bridge.schema import Setting

__all__ = [
    "Identity",
    "Limits",
    "Network",
    "PluginError",
    "Post",
    "PostingClient",
    "Ref",
    "Refused",
    "Run",
    "Setting",
    "Skip",
    "network",
    "step",
    "text_limits",
]
