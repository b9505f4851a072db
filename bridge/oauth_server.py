"""An OAuth 2.0 authorization server for the simulators: apps, consent, codes, PKCE.

People have no passwords here: the page of consent has a link for each account of the network. What
is checked is what RFC 6749 and RFC 7636 ask of a server.
"""

from __future__ import annotations

import base64
import hashlib
import html
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import unquote_plus, urlencode, urlsplit

from bridge.simulation import Request, Response

#: the server shows the code instead of sending the browser anywhere
OUT_OF_BAND = "urn:ietf:wg:oauth:2.0:oob"


class OAuthError(Exception):
    """A refusal, by its name in RFC 6749, 5.2."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


@dataclass(frozen=True, slots=True)
class App:
    """A program that may ask for tokens; one without a secret is a public client."""

    client_id: str
    client_secret: str
    name: str
    redirect_uris: tuple[str, ...]
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class Grant:
    """What a person has allowed an app."""

    app: App
    person: str
    scopes: tuple[str, ...]
    redirect_uri: str = ""
    challenge: str = ""
    ends: datetime | None = field(default=None, compare=False)


class AuthorizationServer:
    """`life` is how long a code works; `pkce` says whether one is required, or else only taken."""

    def __init__(
        self, now: Callable[[], datetime], *, life: timedelta, pkce_required: bool = False
    ) -> None:
        self._now = now
        self._life = life
        self._pkce_required = pkce_required
        self._apps: dict[str, App] = {}
        self._codes: dict[str, Grant] = {}
        #: takes scopes away from what is asked for, as a person may on some networks
        self.withholds: frozenset[str] = frozenset()

    def issue(self, kind: str) -> str:
        """A new secret; `kind` says what it is."""
        del kind
        return secrets.token_urlsafe(32)

    def register(
        self,
        name: str,
        redirect_uris: Iterable[str],
        scopes: Iterable[str],
        *,
        confidential: bool = True,
    ) -> App:
        """A new app."""
        secret = self.issue("client secret") if confidential else ""
        client_id = secrets.token_urlsafe(16)
        app = App(client_id, secret, name, tuple(redirect_uris), frozenset(scopes))
        self._apps[app.client_id] = app
        return app

    def authorize(self, request: Request, people: Iterable[str]) -> Response:
        """The page of consent; with `as`, the person's answer to it."""
        app = self._apps.get(request.get("client_id"))
        redirect_uri = request.get("redirect_uri")
        if app is None or redirect_uri not in app.redirect_uris:
            return Response(400, "<h1>Unknown app, or not an address that it named</h1>")
        scopes = tuple(request.get("scope").split())
        challenge = request.get("code_challenge")
        back = {"state": request.get("state")} if request.get("state") else {}
        if request.get("response_type") != "code" or not app.scopes >= {*scopes}:
            return _back(redirect_uri, {"error": "invalid_scope", **back})
        if challenge and request.get("code_challenge_method") != "S256":
            return _back(redirect_uri, {"error": "invalid_request", **back})
        if self._pkce_required and not (challenge and back):
            return _back(redirect_uri, {"error": "invalid_request", **back})
        person = request.get("as")
        if request.get("deny"):
            return _back(redirect_uri, {"error": "access_denied", **back})
        if person not in people:
            return Response(200, _consent(request, app, people))
        given = tuple(scope for scope in scopes if scope not in self.withholds)
        code = self.issue("code")
        ends = self._now() + self._life
        self._codes[code] = Grant(app, person, given, redirect_uri, challenge, ends)
        if redirect_uri == OUT_OF_BAND:
            return Response(200, f"<h1>Authorization code:</h1><code>{code}</code>")
        return _back(redirect_uri, {"code": code, **back})

    def client(self, request: Request, form: Mapping[str, str]) -> App:
        """The app that asks, known by HTTP Basic or by the form. Raises OAuthError."""
        scheme, _, text = request.headers.get("authorization", "").partition(" ")
        client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
        if scheme == "Basic":
            pair = base64.b64decode(text).decode().partition(":")
            client_id, secret = unquote_plus(pair[0]), unquote_plus(pair[2])
        app = self._apps.get(client_id)
        if app is None or secret != app.client_secret:
            raise OAuthError("invalid_client", 401)
        return app

    def redeem(self, app: App, form: Mapping[str, str]) -> Grant:
        """What a code stands for; it works once. Raises OAuthError."""
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant.app != app or (grant.ends and grant.ends <= self._now()):
            raise OAuthError("invalid_grant")
        if form.get("redirect_uri") != grant.redirect_uri:
            raise OAuthError("invalid_grant")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if grant.challenge and shown != grant.challenge:
            raise OAuthError("invalid_grant")
        return grant


def fields(request: Request) -> dict[str, str]:
    """The fields of a request, a form or JSON."""
    if request.content_type == "application/json":
        return {name: str(value) for name, value in request.json().items()}
    return {name: part.text for name, part in request.form()}


def _back(redirect_uri: str, told: Mapping[str, str]) -> Response:
    if redirect_uri == OUT_OF_BAND:
        return Response(400, f"<h1>{html.escape(told['error'])}</h1>")
    mark = "&" if urlsplit(redirect_uri).query else "?"
    return Response(302, None, {"Location": f"{redirect_uri}{mark}{urlencode(told)}"})


def _consent(request: Request, app: App, people: Iterable[str]) -> str:
    links = [(f"as={person}", person) for person in people] + [("deny=1", "nobody: decline")]
    query = urlencode(request.query)
    items = "".join(
        f'<li><a href="{html.escape(f"{request.path}?{query}&{more}")}">{html.escape(who)}</a>'
        for more, who in links
    )
    name, scope = html.escape(app.name), html.escape(request.get("scope"))
    return f"<h1>{name} asks for {scope}</h1><p>Allow it as<ul>{items}</ul>"
