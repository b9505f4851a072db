"""Twitter (X): manifest. Importing it imports no SDK."""

from __future__ import annotations

from bridge.network import Network
from bridge.networks.twitter.prices import AS_OF, MEANINGS, PRICES
from bridge.schema import Setting

NETWORK = Network(
    name="twitter",
    title="Twitter (X)",
    settings=(
        Setting("api_key", "secret", "the app's API key"),
        Setting("api_key_secret", "secret", "the app's API key secret"),
        Setting("access_token", "secret", "the account's access token"),
        Setting("access_token_secret", "secret", "its access token secret"),
        Setting(
            "client_id",
            "string",
            "the app's OAuth 2.0 client id, for `tribridge login`: in place of the four keys",
        ),
        Setting("client_secret", "secret", "its secret, if the app is a confidential client"),
        Setting(
            "refresh_token",
            "secret",
            "what `tribridge login --print` printed; later ones are kept beside the state",
        ),
        Setting("api", "url", "where the API is", default="https://api.x.com"),
        Setting(
            "budget",
            "section",
            "what X may charge: write budget: {usd_per_month: 30}",
            required_of_targets=True,
            settings=(
                Setting(
                    "usd_per_month",
                    "money",
                    "US dollars in a calendar month, UTC; what would cost more is held",
                    required=True,
                ),
            ),
        ),
        Setting(
            "prices",
            "section",
            f"what X charges, where it is not as on {AS_OF}",
            settings=tuple(
                Setting(kind, "money", MEANINGS[kind], default=usd) for kind, usd in PRICES.items()
            ),
        ),
    ),
    policy={"link_back": "never"},
    content_warnings=False,
    visibilities=False,
    rich_links=False,
    mentions_in_text=True,
    absence_is_telling=True,
    package=__name__,
    client="TwitterClient",
    logins=(
        ("api_key", "api_key_secret", "access_token", "access_token_secret"),
        ("client_id", "refresh_token"),
    ),
    asks="browser",
    # X API, changelog of February 2026: apps may answer only who mentioned or quoted the account,
    # and nothing is said of its own posts
    threads=False,
    # X API, Manage Posts: apps that anybody may have
    one_cashtag=True,
    handle=r"[a-z0-9_]{1,15}",
    handle_example="mayor",
    paid=True,
    rotates=True,
)
