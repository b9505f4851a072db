"""The files that `tribridge init` writes."""

from __future__ import annotations

CONFIG = """\
# Tribridge: the accounts. Every setting: config.example.yaml and `docs/reference/settings.md`.
# Secrets stay outside: ${NAME} is an environment variable, ${file:PATH} the content of a file.

state:
  file: state/tribridge.db

accounts:
  # Mastodon: Preferences, Development, New application named Tribridge, with the scopes
  # read:accounts, read:statuses, write:statuses, write:media; then copy its access token.
  newsroom_mastodon:
    network: mastodon
    server: https://mastodon.example
    access_token: ${MASTODON_TOKEN}

  # Bluesky: Settings, Privacy and security, App passwords.
  newsroom_bluesky:
    network: bluesky
    handle: newsroom.example
    app_password: ${BLUESKY_APP_PASSWORD}

  # Twitter (X): developer portal, your app, Keys and tokens. Remove the leading # to use it.
  # newsroom_twitter:
  #   network: twitter
  #   api_key: ${X_API_KEY}
  #   api_key_secret: ${X_API_KEY_SECRET}
  #   access_token: ${X_TOKEN}
  #   access_token_secret: ${X_TOKEN_SECRET}
  #   budget: {usd_per_month: 5}
"""

BOT = """\
# A bot is a file; its name is the file's name. This one mirrors new posts one way.
# Both ways, among two accounts or more:  between: [newsroom_mastodon, newsroom_bluesky]
from: newsroom_mastodon
to: newsroom_bluesky
"""
