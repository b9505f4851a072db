"""Twitter (X): manifest. Importing it imports no SDK; its functions import what they need."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from bridge.network import Client, Network, Parents, Session
from bridge.post import Draft, Post
from bridge.schema import Setting


def _connect(settings: Mapping[str, str], session: Session, now: Callable[[], datetime]) -> Client:
    from bridge.networks.twitter.client import TwitterClient

    return TwitterClient(settings, session, now)


def _to_payload(
    draft: Draft,
    key: str,
    uploads: tuple[dict[str, Any], ...],
    parents: Parents | None,
    now: datetime,
) -> dict[str, Any]:
    from bridge.networks.twitter.write import to_payload

    return to_payload(draft, key, uploads, parents, now)


def _matches(payload: Mapping[str, Any], key: str, post: Post) -> bool:
    from bridge.networks.twitter.write import matches

    return matches(payload, key, post)


NETWORK = Network(
    name="twitter",
    title="Twitter (X)",
    settings=(
        Setting("api_key", "secret", "the app's API key", required=True),
        Setting("api_key_secret", "secret", "the app's API key secret", required=True),
        Setting("access_token", "secret", "the account's access token", required=True),
        Setting("access_token_secret", "secret", "its access token secret", required=True),
        Setting("api", "url", "where the API is", default="https://api.x.com"),
    ),
    policy={"link_back": "never"},
    content_warnings=False,
    visibilities=False,
    rich_links=False,
    mentions_in_text=True,
    absence_is_telling=True,
    connect=_connect,
    to_payload=_to_payload,
    matches=_matches,
)
