"""OAuth 2.0 as X does it (X API, OAuth 2.0 Authorization Code Flow with PKCE).

A code lives 30 seconds, an access token two hours. A refresh token works once; whoever uses one
again ends the login, which X documents nowhere and others have seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bridge.oauth_server import AuthorizationServer, Grant, OAuthError, fields
from bridge.simulation import Request, Response

CODE_LIFE = timedelta(seconds=30)
LIFE = timedelta(hours=2)
SCOPES = ("tweet.read", "tweet.write", "users.read", "media.write", "offline.access", "like.read")


def scopes_for(method: str, path: str) -> frozenset[str]:
    """The scopes that a request needs (X API, each endpoint)."""
    if path.startswith("/2/media"):
        return frozenset({"media.write"})
    if method == "GET":
        return frozenset({"tweet.read", "users.read"})
    return frozenset({"tweet.read", "tweet.write", "users.read"})


class Tokens:
    """Apps, and the tokens that they were given."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self.server = AuthorizationServer(now, life=CODE_LIFE, pkce_required=True)
        #: live access tokens: the grant, when it ends, and the login that it belongs to
        self._access: dict[str, tuple[Grant, datetime, str]] = {}
        #: refresh tokens, used ones too: the grant, and the login
        self._refresh: dict[str, tuple[Grant, str]] = {}
        self._used: set[str] = set()
        self._ended: set[str] = set()

    def register(self, redirect_uri: str, *, confidential: bool) -> dict[str, str]:
        """A new app; returns `client_id`, and `client_secret` if it has one."""
        app = self.server.register("Tribridge", [redirect_uri], SCOPES, confidential=confidential)
        told = {"client_id": app.client_id, "client_secret": app.client_secret}
        return {name: value for name, value in told.items() if value}

    def grant_of(self, token: str) -> Grant | None:
        """What an access token allows; None if it is none that lives."""
        grant, ends, login = self._access.get(token, (None, self._now(), ""))
        return grant if ends > self._now() and login not in self._ended else None

    def end_all(self) -> None:
        """End every login, as people do in X's settings."""
        self._ended |= {login for _, login in self._refresh.values()}

    def expire(self) -> None:
        """Let every access token end before its time."""
        self._access.clear()

    def answer(self, request: Request, people: Iterable[str]) -> Response | None:
        """The answer to a request that is about logins; None if it is about something else."""
        if request.path == "/i/oauth2/authorize":
            return self.server.authorize(request, people)
        if not request.path.startswith("/2/oauth2/"):
            return None
        try:
            return self._token_request(request)
        except OAuthError as refusal:
            words = "Value passed for the token was invalid."
            body = {"error": refusal.error, "error_description": words}
            return Response(refusal.status, body)

    def _token_request(self, request: Request) -> Response:
        form = fields(request)
        app = self.server.client(request, form)
        match (request.method, request.path, form.get("grant_type")):
            case ("POST", "/2/oauth2/token", "authorization_code"):
                grant = self.server.redeem(app, form)
                return self._give(grant, self.server.issue("login"))
            case ("POST", "/2/oauth2/token", "refresh_token"):
                old = form.get("refresh_token", "")
                found, login = self._refresh.get(old, (None, ""))
                if old in self._used:
                    self._ended.add(login)
                if found is None or found.app != app or login in self._ended:
                    raise OAuthError("invalid_request")
                self._used.add(old)
                return self._give(found, login)
            case ("POST", "/2/oauth2/revoke", _):
                token = form.get("token", "")
                # X does not say that one token takes the other along
                self._access.pop(token, None)
                self._used.add(token)
                return Response(200, {"revoked": True})
        return Response(404, {"title": "Not Found", "status": 404})

    def _give(self, grant: Grant, login: str) -> Response:
        access, refresh = self.server.issue("access token"), ""
        self._access[access] = grant, self._now() + LIFE, login
        told = {
            "token_type": "bearer",
            "expires_in": int(LIFE.total_seconds()),
            "access_token": access,
            "scope": " ".join(grant.scopes),
        }
        if "offline.access" in grant.scopes:
            refresh = told["refresh_token"] = self.server.issue("refresh token")
            self._refresh[refresh] = grant, login
        return Response(200, told)
