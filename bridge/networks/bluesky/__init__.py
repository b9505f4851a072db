"""Bluesky: manifest. Importing it imports no SDK; its functions import what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bridge.network import Client, Network, Parents, Session
from bridge.post import Draft, Post
from bridge.schema import Setting


def _connect(settings: Mapping[str, str], session: Session, now: Callable[[], datetime]) -> Client:
    from bridge.networks.bluesky.client import BlueskyClient

    return BlueskyClient(settings, session, now)


def _to_payload(
    draft: Draft,
    key: str,
    uploads: tuple[dict[str, Any], ...],
    parents: Parents | None,
    now: datetime,
) -> dict[str, Any]:
    from bridge.networks.bluesky.write import to_payload

    return to_payload(draft, key, uploads, parents, now)


def _matches(payload: Mapping[str, Any], key: str, post: Post) -> bool:
    from bridge.networks.bluesky.write import matches

    return matches(payload, key, post)


NETWORK = Network(
    name="bluesky",
    title="Bluesky",
    settings=(
        Setting("handle", "string", "the handle, such as newsroom.example", required=True),
        Setting("app_password", "secret", "an app password of the account", required=True),
        Setting("service", "url", "where the account logs in", default="https://bsky.social"),
    ),
    policy={},
    content_warnings=False,
    visibilities=False,
    rich_links=True,
    mentions_in_text=False,
    absence_is_telling=False,
    connect=_connect,
    to_payload=_to_payload,
    matches=_matches,
)
