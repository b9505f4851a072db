"""The networks that there are: the only file that names them."""

from __future__ import annotations

from collections.abc import Mapping

from bridge.network import Network
from bridge.networks import bluesky, mastodon, twitter

NETWORKS: Mapping[str, Network] = {
    module.NETWORK.name: module.NETWORK for module in (twitter, mastodon, bluesky)
}
