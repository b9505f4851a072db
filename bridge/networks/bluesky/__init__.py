"""Bluesky: manifest. Importing it imports no SDK."""

from __future__ import annotations

from bridge.network import Network
from bridge.schema import Setting

NETWORK = Network(
    name="bluesky",
    title="Bluesky",
    settings=(
        Setting("handle", "string", "the handle, such as newsroom.example", required=True),
        Setting("app_password", "secret", "an app password of the account"),
        Setting("service", "url", "where the account logs in", default="https://bsky.social"),
    ),
    policy={},
    content_warnings=False,
    visibilities=False,
    rich_links=True,
    mentions_in_text=False,
    absence_is_telling=False,
    package=__name__,
    client="BlueskyClient",
    logins=(("app_password",),),
    asks="password",
    labels=True,
    languages=3,
    cards=True,
    # AT Protocol specification, "Handle" and "DID"
    handle=r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?"
    r"|did:[a-z]+:[a-z0-9._:%-]*[a-z0-9._-]",
    handle_example="mayor.city.example",
    live_mentions="identity",
    tags_beside_text=True,
)
