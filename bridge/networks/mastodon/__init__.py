"""Mastodon: manifest. Importing it imports no SDK."""

from __future__ import annotations

from bridge.network import Network
from bridge.schema import Setting

NETWORK = Network(
    name="mastodon",
    title="Mastodon",
    settings=(
        Setting("server", "url", "the server, such as https://mastodon.example", required=True),
        Setting("access_token", "secret", "an access token of the account"),
    ),
    policy={},
    content_warnings=True,
    visibilities=True,
    rich_links=False,
    mentions_in_text=True,
    absence_is_telling=False,
    package=__name__,
    client="MastodonClient",
    logins=(("access_token",),),
    asks="browser",
    languages=1,
    handle=r"[a-z0-9_]+([.-]+[a-z0-9_]+)*@[a-z0-9-]+(\.[a-z0-9-]+)+",
    handle_example="mayor@city.example",
    live_mentions="text",
    edits=True,
    names_apps=True,
)
