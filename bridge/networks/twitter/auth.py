"""How requests to X say who asks: OAuth 1.0a keys that stay, or OAuth 2.0 tokens that rotate."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import quote_plus

from oauthlib import oauth1

from bridge import secrecy, wire
from bridge.network import Exchange, LoginNeeded, Refused, Unreachable

Method: TypeAlias = Literal["GET", "POST", "DELETE"]

KEYS = ("api_key", "api_key_secret", "access_token", "access_token_secret")
#: an access token lives two hours (X API, OAuth 2.0); renewed a little before it ends
EARLY = timedelta(minutes=1)
LIFE = 7200


class Keys:
    """OAuth 1.0a: requests are signed (RFC 5849)."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        keys = [settings[name] for name in KEYS]
        self._signer = oauth1.Client(*keys)
        #: what stands for the login in a saved session, and does not give it away
        self.fingerprint = _hash(settings["api"].rstrip("/"), *keys)
        #: whose limits a request counts against
        self.user, self.app = self._signer.resource_owner_key, self._signer.client_key

    def headers(self, method: Method, url: str, now: datetime) -> dict[str, str]:
        """The header of a request. It covers neither JSON nor multipart (RFC 5849, 3.4.1.3.1)."""
        self._signer.timestamp = str(int(now.timestamp()))
        _, headers, _ = self._signer.sign(url, method)
        found: dict[str, str] = headers
        return found

    def renew(self, now: datetime) -> bool:  # noqa: ARG002
        """Whether there is another token to try after a 401: keys stay as they are."""
        return False


class Bearer:
    """OAuth 2.0: an access token of two hours, and a refresh token that works once.

    `refresh_token` in the settings is the one of the login itself; those that came after it are
    kept by the exchange, for X takes none twice and may end the login of whoever tries.
    """

    def __init__(self, settings: Mapping[str, Any], exchange: Exchange | None) -> None:
        self._settings = settings
        self._exchange = exchange or (lambda renew: renew(self._tokens))
        self._root: str = settings["refresh_token"]
        self._tokens: Mapping[str, Any] = {}
        self.fingerprint = _hash(settings["api"].rstrip("/"), settings["client_id"], self._root)
        self.user, self.app = self.fingerprint, settings["client_id"]

    def headers(self, method: Method, url: str, now: datetime) -> dict[str, str]:  # noqa: ARG002
        """The header of a request. Raises as `renew` where the token has to be renewed first."""
        if not self._lives(self._tokens, now):
            self._renew(now, spent="")
        return {"Authorization": f"Bearer {self._tokens['access_token']}"}

    def renew(self, now: datetime) -> bool:
        """Whether there is another token to try after a 401.

        Raises LoginNeeded if X gives none any more, Busy or Unreachable if it does not answer.
        """
        spent = self._tokens["access_token"]
        self._renew(now, spent)
        return bool(self._tokens["access_token"] != spent)

    def _lives(self, tokens: Mapping[str, Any], now: datetime) -> bool:
        """Whether tokens are of this login and not at their end."""
        if tokens.get("of") != mark(self._root) or not isinstance(tokens.get("access_token"), str):
            return False
        ends = tokens.get("expires_at")
        return isinstance(ends, int) and ends > (now + EARLY).timestamp()

    def _renew(self, now: datetime, spent: str) -> None:
        """Take what another process has stored meanwhile, or else ask X."""

        def exchange(stored: Mapping[str, Any]) -> Mapping[str, Any]:
            if self._lives(stored, now) and stored["access_token"] != spent:
                return stored
            ours = stored.get("of") == mark(self._root)
            form = {
                "grant_type": "refresh_token",
                "refresh_token": stored["refresh_token"] if ours else self._root,
            }
            made, _ = ask_for_tokens(self._settings, form, now)
            return {**made, "of": mark(self._root)}

        self._tokens = self._exchange(exchange)


def mark(root: str) -> str:
    """What stands for a login's first refresh token beside those that came after it."""
    return _hash(root)


def _hash(*texts: str) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def ask_for_tokens(
    settings: Mapping[str, Any], form: Mapping[str, str], now: datetime
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """A pair of tokens for a grant, and the scopes that they have; one request.

    `expires_at` is Unix time. Raises LoginNeeded if X declines, Busy or Unreachable if it does not
    answer: a write in doubt is none of a post, so it is never Uncertain.
    """
    answer = _post(settings, "token", form)
    if answer.status in (400, 401, 403):
        raise LoginNeeded(
            f"X does not accept the login any more ({answer.status}: {answer.detail()}): log in "
            "again with `tribridge login`"
            if form["grant_type"] == "refresh_token"
            else f"X does not accept that code ({answer.status}: {answer.detail()}): a code lives "
            "for 30 seconds; an app that is a confidential client needs `client_secret` too"
        )
    if not answer.ok:
        raise _trouble(answer, now)
    data = answer.object()
    tokens = {name: data.get(name) for name in ("access_token", "refresh_token")}
    if not all(isinstance(token, str) and token for token in tokens.values()):
        raise Unreachable("X gave no tokens: the app lacks `offline.access`, or X is in trouble")
    secrecy.keep(str(token) for token in tokens.values())
    life = data.get("expires_in")
    seconds = life if isinstance(life, int) and life > 0 else LIFE
    scopes = data.get("scope")
    granted = tuple(scopes.split()) if isinstance(scopes, str) else ()
    return {**tokens, "expires_at": int(now.timestamp()) + seconds}, granted


def revoke(settings: Mapping[str, Any], token: str, now: datetime) -> None:
    """Have X forget a token; one that it does not know is gone already."""
    answer = _post(settings, "revoke", {"token": token})
    if answer.status in (401, 403):
        raise LoginNeeded(
            f"X does not know the app any more ({answer.status}: {answer.detail()}): check "
            "`client_id` and `client_secret`"
        )
    if not answer.ok and answer.status != 400:
        raise _trouble(answer, now)


def _post(settings: Mapping[str, Any], what: str, form: Mapping[str, str]) -> wire.Answer:
    """A request for tokens: a public client names itself, a confidential one proves it."""
    secret = settings.get("client_secret")
    headers = {}
    if secret:
        headers["Authorization"] = basic(settings["client_id"], secret)
    else:
        form = {**form, "client_id": settings["client_id"]}
    url = f"{settings['api'].rstrip('/')}/2/oauth2/{what}"
    return wire.send("POST", url, data=form, headers=headers, write=False)


def basic(name: str, password: str) -> str:
    """HTTP Basic (RFC 7617) as OAuth wants it: both encoded as in a form (RFC 6749, 2.3.1)."""
    return "Basic " + b64encode(f"{quote_plus(name)}:{quote_plus(password)}".encode()).decode()


def _trouble(answer: wire.Answer, now: datetime) -> Exception:
    error = wire.rejection(answer, now)
    return Unreachable(str(error)) if isinstance(error, Refused) else error
