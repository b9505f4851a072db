"""Logging in at Mastodon and its kin by OAuth (Mastodon documentation, methods/apps and oauth)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bridge import oauth, secrecy, wire
from bridge.network import ClientError, LoginNeeded, Refused, Unreachable

#: the least that mirroring takes; edits, deletions, boosts and polls are under write:statuses
SCOPES = ("read:accounts", "read:statuses", "write:statuses", "write:media")
#: the server shows the code, to be pasted
PASTED = "urn:ietf:wg:oauth:2.0:oob"
#: the name by which copies are known as copies
APPLICATION = "Tribridge"
#: an app is registered for each login, so any port of this machine will do
PORT = 0
PASTE = "the code that the page shows"


def begin(settings: Mapping[str, Any], redirect_uri: str, now: datetime) -> oauth.Authorization:
    """Register the program at the server, and begin there. Raises any of the kinds of error."""
    server = settings["server"].rstrip("/")
    form = {
        "client_name": APPLICATION,
        "redirect_uris": redirect_uri,
        "scopes": " ".join(SCOPES),
    }
    answer = wire.send("POST", f"{server}/api/v1/apps", data=form, write=False)
    made = _object(answer, now, "to be registered there")
    app = {name: str(made.get(name) or "") for name in ("client_id", "client_secret")}
    if not all(app.values()):
        raise Unreachable(f"{server} registered tribridge without an id: check `server`")
    secrecy.keep([app["client_secret"]])
    page = f"{server}/oauth/authorize"
    return oauth.begin(page, redirect_uri, " ".join(SCOPES), app, pkce=_knows_pkce(server))


def _knows_pkce(server: str) -> bool:
    """Whether the server says that it takes S256 (RFC 8414; Mastodon from 4.3 on)."""
    try:
        answer = wire.send("GET", f"{server}/.well-known/oauth-authorization-server")
        methods = answer.object().get("code_challenge_methods_supported") if answer.ok else None
    except ClientError:
        return False
    return isinstance(methods, list) and "S256" in methods


def finish(
    settings: Mapping[str, Any], begun: oauth.Authorization, code: str, now: datetime
) -> oauth.Login:
    """The login that a code stands for."""
    form = {**oauth.grant(begun, code), **begun.app, "scope": " ".join(SCOPES)}
    url = f"{settings['server'].rstrip('/')}/oauth/token"
    given = _object(wire.send("POST", url, data=form, write=False), now, "that code")
    token, scopes = given.get("access_token"), given.get("scope")
    if not isinstance(token, str) or not token:
        raise Unreachable(f"{settings['server']} gave no token")
    secrecy.keep([token])
    granted = scopes.split() if isinstance(scopes, str) else SCOPES
    lacks = tuple(s for s in SCOPES if s not in granted and s.partition(":")[0] not in granted)
    return oauth.Login({"access_token": token}, app=begun.app, lacks=lacks)


def revoke(
    settings: Mapping[str, Any], entry: Mapping[str, Any], session: str | None, now: datetime
) -> None:
    """Have the server forget the token. What it no longer knows, or is not ours, is gone."""
    del session
    form = {**entry.get("app", {}), "token": entry.get("secrets", {}).get("access_token", "")}
    url = f"{settings['server'].rstrip('/')}/oauth/revoke"
    answer = wire.send("POST", url, data=form, write=False)
    if not answer.ok and answer.status not in (400, 401, 403):
        raise wire.rejection(answer, now)


def after_logout(settings: Mapping[str, Any]) -> str:
    """What is left for the owner to do after a logout; "" if nothing is."""
    del settings
    return ""


def _object(answer: wire.Answer, now: datetime, what: str) -> dict[str, Any]:
    if answer.ok:
        return answer.object()
    error = wire.rejection(answer, now)
    if isinstance(error, Refused | LoginNeeded):
        raise LoginNeeded(f"the server does not take {what} ({answer.status}: {answer.detail()})")
    raise error
