"""OAuth 1.0a as X checks it: RFC 5849, HMAC-SHA1, worked out apart from any client library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote, unquote

from bridge.simulation import Request

_PAIR = re.compile(r'(\w+)="([^"]*)"')
#: seconds by which the client's clock may differ
CLOCK = 300
#: nonces that are remembered at least
NONCES = 50_000


@dataclass(frozen=True, slots=True)
class Keys:
    """The four secrets of an account in an app."""

    key: str
    key_secret: str
    token: str
    token_secret: str


def authorization(request: Request) -> dict[str, str]:
    """The parameters of the Authorization header; empty if it is not OAuth 1.0a."""
    scheme, _, rest = request.headers.get("authorization", "").partition(" ")
    if scheme != "OAuth":
        return {}
    return {name: unquote(value) for name, value in _PAIR.findall(rest)}


def signature(method: str, url: str, params: list[tuple[str, str]], keys: Keys) -> str:
    """The signature that a request must bear (RFC 5849, section 3.4)."""
    pairs = sorted((quote(name, ""), quote(value, "")) for name, value in params)
    joined = "&".join(f"{name}={value}" for name, value in pairs)
    base = f"{method}&{quote(url.partition('?')[0], '')}&{quote(joined, '')}"
    secret = f"{quote(keys.key_secret, '')}&{quote(keys.token_secret, '')}"
    digest = hmac.digest(secret.encode(), base.encode(), hashlib.sha1)
    return base64.b64encode(digest).decode()


class Guard:
    """Checks requests, and remembers nonces."""

    def __init__(self) -> None:
        self._nonces: set[tuple[str, str, str]] = set()

    def flaw(self, request: Request, params: dict[str, str], keys: Keys, now: datetime) -> str:
        """What is wrong with a request's authorization; "" if nothing is."""
        if params.get("oauth_consumer_key") != keys.key:
            return "Unauthorized"
        stamp = params.get("oauth_timestamp", "")
        if not stamp.isdecimal() or abs(int(stamp) - now.timestamp()) > CLOCK:
            return "Timestamp out of bounds."
        once = keys.token, stamp, params.get("oauth_nonce", "")
        if not once[2] or once in self._nonces:
            return "The nonce is missing or was used before."
        signed = [pair for pair in params.items() if pair[0] not in ("oauth_signature", "realm")]
        signed += request.query
        if request.content_type == "application/x-www-form-urlencoded":
            signed += [(name, part.text) for name, part in request.form()]
        wanted = signature(request.method, request.url, signed, keys)
        if not hmac.compare_digest(params.get("oauth_signature", "").encode(), wanted.encode()):
            return "Could not authenticate you."
        if len(self._nonces) >= NONCES:
            self._nonces.clear()
        self._nonces.add(once)
        return ""
