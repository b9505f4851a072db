"""Twitter (X): manifest. Importing it imports no SDK."""

from __future__ import annotations

from bridge.network import Network
from bridge.schema import Setting

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
    package=__name__,
    client="TwitterClient",
)
