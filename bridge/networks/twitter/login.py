"""Logging in at X by OAuth 2.0 with PKCE (X API, OAuth 2.0 Authorization Code Flow with PKCE)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge import oauth
from bridge.network import LoginNeeded
from bridge.networks.twitter import auth

#: the least that mirroring takes; `offline.access` is for a login that lasts more than two hours
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access")
#: X shows no code: the browser is sent to an address of this machine, which is then pasted
PASTED = ""
#: the app at X names the address beforehand, its port too
PORT = 8723
PASTE = "the whole address to which the browser was sent, within 30 seconds"
#: where people log in, and where the API is
PAGES = {"https://api.x.com": "https://x.com"}


def begin(settings: Mapping[str, Any], redirect_uri: str, now: datetime) -> oauth.Authorization:
    """Begin at X; no request. Raises LoginNeeded if the account has no `client_id`."""
    del now
    if not settings.get("client_id"):
        raise LoginNeeded(
            "X needs to know which app asks: at developer.x.com, under the app's user "
            f"authentication settings, allow read and write, name {redirect_uri} as callback URI, "
            "and put the OAuth 2.0 Client ID into the config as `client_id` of the account, in "
            "place of its four keys"
        )
    api = settings["api"].rstrip("/")
    app = {"client_id": settings["client_id"]}
    page = f"{PAGES.get(api, api)}/i/oauth2/authorize"
    return oauth.begin(page, redirect_uri, " ".join(SCOPES), app)


def finish(
    settings: Mapping[str, Any], begun: oauth.Authorization, code: str, now: datetime
) -> oauth.Login:
    """The login that a code stands for."""
    tokens, scopes = auth.ask_for_tokens(settings, oauth.grant(begun, code), now)
    root = tokens["refresh_token"]
    lacks = tuple(scope for scope in SCOPES if scope not in scopes)
    return oauth.Login(
        {"refresh_token": root}, tokens={**tokens, "of": auth.mark(root)}, lacks=lacks
    )


def revoke(
    settings: Mapping[str, Any], entry: Mapping[str, Any], session: str | None, now: datetime
) -> None:
    """Have X forget both tokens: it does not say that one takes the other along."""
    del session
    root, tokens = entry.get("secrets", {}).get("refresh_token", ""), entry.get("tokens", {})
    current = tokens.get("refresh_token") if tokens.get("of") == auth.mark(root) else root
    for token in (current, tokens.get("access_token")):
        if token:
            auth.revoke(settings, token, now)


def after_logout(settings: Mapping[str, Any]) -> str:
    """What is left for the owner to do after a logout; "" if nothing is."""
    del settings
    return ""
