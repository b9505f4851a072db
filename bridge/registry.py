"""The networks that there are: the only file that names them."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.network import Network
from bridge.networks import bluesky, mastodon, twitter

_NETWORKS: dict[str, Network] = {
    module.NETWORK.name: module.NETWORK for module in (twitter, mastodon, bluesky)
}
_OURS = frozenset(_NETWORKS)
#: by name; those of plugins are there once a configuration was read that has them
NETWORKS: Mapping[str, Network] = _NETWORKS


def join(network: Network) -> None:
    """Add a network of a plugin, or put a later version of it in its place.

    ValueError if one that comes along has its name.
    """
    if network.name in _OURS:
        raise ValueError(f"there is a network {network.name!r} already; give it another name")
    _NETWORKS[network.name] = network


def leave(name: str) -> None:
    """Take a network of a plugin out again; nothing if it is not there."""
    if name not in _OURS:
        _NETWORKS.pop(name, None)
