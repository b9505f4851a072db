"""Mastodon: manifest. Importing it imports no SDK; its functions import what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bridge.network import Client, Network, Parents, Session
from bridge.post import Draft, Post
from bridge.schema import Setting


def _connect(settings: Mapping[str, str], session: Session, now: Callable[[], datetime]) -> Client:
    from bridge.networks.mastodon.client import MastodonClient

    return MastodonClient(settings, session, now)


def _to_payload(
    draft: Draft,
    key: str,
    uploads: tuple[dict[str, Any], ...],
    parents: Parents | None,
    now: datetime,
) -> dict[str, Any]:
    from bridge.networks.mastodon.write import to_payload

    return to_payload(draft, key, uploads, parents, now)


def _matches(payload: Mapping[str, Any], key: str, post: Post) -> bool:
    from bridge.networks.mastodon.write import matches

    return matches(payload, key, post)


NETWORK = Network(
    name="mastodon",
    title="Mastodon",
    settings=(
        Setting("server", "url", "the server, such as https://mastodon.example", required=True),
        Setting("access_token", "secret", "an access token of the account", required=True),
    ),
    policy={},
    content_warnings=True,
    visibilities=True,
    rich_links=False,
    mentions_in_text=True,
    absence_is_telling=False,
    connect=_connect,
    to_payload=_to_payload,
    matches=_matches,
)
