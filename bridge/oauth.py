"""What logging in by a browser is on any network: OAuth 2.0, for the account's owner at a terminal.

RFC 6749 (authorization code), RFC 7636 (PKCE), RFC 8252 (programs that are no web sites: the
browser comes back to a loopback address, or the owner pastes what it shows).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from bridge.network import LoginNeeded


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization that was begun: where the owner is sent, and what proves that it is ours.

    `app` is what the network knows the program by: `client_id`, and maybe `client_secret`.
    """

    url: str
    redirect_uri: str
    state: str
    verifier: str = field(repr=False)
    app: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """A login that works.

    `secrets` are settings of the account; `app` is what it takes to revoke them; `tokens` are those
    that the network exchanges for others, as its client keeps them; `session` is what that client
    would have saved; `lacks` are scopes that were asked for and not given.
    """

    secrets: Mapping[str, str] = field(repr=False)
    app: Mapping[str, str] = field(default_factory=dict, repr=False)
    tokens: Mapping[str, Any] = field(default_factory=dict, repr=False)
    session: str = field(default="", repr=False)
    lacks: tuple[str, ...] = ()


def begin(
    page: str, redirect_uri: str, scopes: str, app: Mapping[str, str], *, pkce: bool = True
) -> Authorization:
    """Begin an authorization at `page`; `scopes` are separated by spaces."""
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    params = {
        "response_type": "code",
        "client_id": app["client_id"],
        "redirect_uri": redirect_uri,
        "scope": scopes,
        "state": state,
    }
    if pkce:
        params |= {"code_challenge": challenge(verifier), "code_challenge_method": "S256"}
    url = f"{page}?{urlencode(params)}"
    return Authorization(url, redirect_uri, state, verifier if pkce else "", app)


def challenge(verifier: str) -> str:
    """What of a verifier is told beforehand (RFC 7636, 4.2, S256)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def grant(authorization: Authorization, code: str) -> dict[str, str]:
    """The form that exchanges a code for a token, without what says which program asks."""
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": authorization.redirect_uri,
    }
    if authorization.verifier:
        form["code_verifier"] = authorization.verifier
    return form


def code_in(address: str, authorization: Authorization) -> str | None:
    """The code in the address that the browser was sent back to; None if that is of another login.

    Raises LoginNeeded if it says that the owner, or the network, has declined.
    """
    try:
        told = parse_qs(urlsplit(address).query)
    except ValueError:  # what was pasted is no address at all
        return None

    def first(name: str) -> str:
        return told.get(name, [""])[0]

    if not hmac.compare_digest(first("state").encode(), authorization.state.encode()):
        return None
    if error := first("error"):
        why = "it was declined there" if error == "access_denied" else f"it says {error[:60]!r}"
        raise LoginNeeded(f"the network did not let tribridge in: {why}")
    return first("code") or None
