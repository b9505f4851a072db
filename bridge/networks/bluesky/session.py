"""Login at an AT Protocol service, and what is remembered of it between runs.

Logging in and refreshing go through the SDK, which is imported here only, when first needed: it
takes a second and 60 MB. A restarted process with a live token never needs it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx

from bridge import wire
from bridge.network import Unreachable

if TYPE_CHECKING:
    from atproto_client.client.raw import ClientRaw  # type: ignore[import-untyped]


#: told the headers of every answer
Heard = Callable[[Mapping[str, str]], None]


@dataclass(frozen=True, slots=True)
class Tokens:
    """A login: who it is, where its repository lives, and its tokens.

    `pds` is the address of the account's own server; `fingerprint` tells for which credentials this
    was given. The last three: until when, and why, the password was refused since, and
    whether the service only asked to come back then.
    """

    did: str
    handle: str
    pds: str
    access: str
    refresh: str
    fingerprint: str
    refused_until: str = ""
    refused_why: str = ""
    busy: bool = False

    def to_json(self) -> str:
        """What `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | None, fingerprint: str) -> Tokens | None:
        """What `to_json` wrote, or None if it is not for these credentials or unreadable."""
        try:
            tokens = cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            return None
        return tokens if tokens.fingerprint == fingerprint else None

    def expired(self, now: datetime) -> bool:
        """Whether the access token says itself that its time is over."""
        ends = self.claims().get("exp")
        return isinstance(ends, int | float) and ends <= now.timestamp()

    def claims(self) -> dict[str, Any]:
        """What the access token says of itself; {} if it is none that can be read."""
        try:
            body = self.access.split(".")[1]
            found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        except (ValueError, LookupError):
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def scope(self) -> str:
        """What the access token says that it is good for; "" if it does not."""
        found = self.claims().get("scope")
        return found if isinstance(found, str) else ""


def fingerprint(service: str, handle: str, password: str) -> str:
    """What stands for credentials in a saved session, and does not give them away."""
    return hashlib.sha256(json.dumps([service, handle, password]).encode()).hexdigest()


def create(service: str, handle: str, password: str, heard: Heard) -> Tokens | wire.Answer:
    """Log in; the answer of the service if it says no. `heard` is given its headers.

    Raises Unreachable if there is no trustworthy answer.
    """

    def call(sdk: ClientRaw) -> Any:
        return sdk.com.atproto.server.create_session({"identifier": handle, "password": password})

    return _ask(service, call, fingerprint(service, handle, password), service, heard)


def refresh(service: str, tokens: Tokens, heard: Heard) -> Tokens | wire.Answer:
    """New tokens for old; the answer of the service if it says no. `heard` is given its headers.

    Raises Unreachable if there is no trustworthy answer: the old refresh token then still works for
    a while (AT Protocol PDS, rotation with a grace period).
    """

    def call(sdk: ClientRaw) -> Any:
        return sdk.com.atproto.server.refresh_session(
            headers={"Authorization": f"Bearer {tokens.refresh}"}
        )

    return _ask(service, call, tokens.fingerprint, tokens.pds, heard)


def delete(tokens: Tokens) -> wire.Answer:
    """End a session (lexicon com.atproto.server.deleteSession); the answer, whatever it says.

    Raises Unreachable if there is none.
    """
    headers = {"Authorization": f"Bearer {tokens.refresh}"}
    url = f"{tokens.pds}/xrpc/com.atproto.server.deleteSession"
    return wire.send("POST", url, headers=headers, write=False)


def _ask(
    service: str, call: Callable[[ClientRaw], Any], mark: str, pds: str, heard: Heard
) -> Tokens | wire.Answer:
    """Tokens by a call of the SDK; `pds` is where the account lives unless the answer tells."""
    from atproto_client import exceptions  # type: ignore[import-untyped]
    from atproto_client.client.raw import ClientRaw
    from atproto_client.request import Request  # type: ignore[import-untyped]

    request = Request(
        transport=wire.transport(),
        timeout=wire.DEADLINE,
        trust_env=False,
        event_hooks={"response": [lambda r: heard(r.headers), _no_redirect, _bounded]},
    )
    request.add_additional_header("User-Agent", wire.USER_AGENT)
    try:
        with wire.deadline():
            session = call(ClientRaw(base_url=service, request=request))
        return Tokens(
            did=session.did,
            handle=session.handle,
            pds=_pds(session.did_doc, service) or pds,
            access=session.access_jwt,
            refresh=session.refresh_jwt,
            fingerprint=mark,
        )
    except exceptions.RequestErrorBase as error:
        response = error.response
        if response is None:
            cause = error.__cause__ or error
            words = str(cause) or type(cause).__name__
            raise Unreachable(f"cannot log in at {urlsplit(service).hostname}: {words}") from error
        return wire.Answer(response.status_code, response.headers, _body(response.content), False)
    except (httpx.HTTPError, wire.TooLong, exceptions.AtProtocolError, ValueError) as error:
        # a model that does not validate quotes the whole answer, tokens included
        kind = type(error).__name__
        raise Unreachable(
            f"no usable answer to the login from {urlsplit(service).hostname} ({kind})"
        ) from None


def _no_redirect(response: httpx.Response) -> None:
    """The SDK follows redirects, and would send the password along."""
    if response.is_redirect:
        raise Unreachable(
            f"{response.url.host} redirects the login elsewhere, which is never followed: "
            "check `service` in the config"
        )


def _bounded(response: httpx.Response) -> None:
    """The SDK would read an answer of any length."""
    response._content = wire.read_whole(response)  # noqa: SLF001 - as its own read() does


def _body(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    error, message = getattr(content, "error", None), getattr(content, "message", None)
    return json.dumps({"error": error, "message": message}).encode()


def _pds(document: Any, service: str) -> str:
    """The account's own server by its DID document (AT Protocol specification, "DID"), or "".

    Only https is believed, or loopback where the service itself is on loopback.
    """
    try:
        services = [
            (str(entry["id"]), str(entry["serviceEndpoint"])) for entry in document["service"]
        ]
    except (TypeError, KeyError, AttributeError):
        return ""
    for name, url in services:
        safe = url.startswith("https://") or (_on_loopback(url) and _on_loopback(service))
        if name.endswith("#atproto_pds") and safe:
            return url.rstrip("/")
    return ""


def _on_loopback(url: str) -> bool:
    return urlsplit(url).hostname in ("127.0.0.1", "::1", "localhost")
