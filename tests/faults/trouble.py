"""The faults, and how they are brought about."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Literal
from unittest import mock

import httpx

from bridge import media, wire
from bridge.simulation import PADDING, Fault, FaultKind, Request, Response, Simulator
from tests.waiting import troubled_by
from tests.world import Clock

#: bytes that are read of an answer that is too long
NARROW = 1024 * 1024
JSON = {"content-type": "application/json"}
PAGE = "<!doctype html><html><title>Vedlikehold</title><h1>Straks tilbake</h1></html>"

Cut = Literal["refused", "no host", "no TLS"]


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault: a connection that is never made (`cut`), or what the server does (`fault`).

    `by_network` has what some networks say in other words, `wait` and `redirect` add the headers
    for it; `narrow` cuts how much of an answer is read.
    """

    cut: Cut | None = None
    fault: Fault | None = None
    by_network: Mapping[str, Fault] = field(default_factory=dict)
    wait: bool = False
    redirect: bool = False
    narrow: bool = False


def _answer(status: int, error: str, *, times: int = 1) -> Fault:
    """An answer in words that every network's clients can read."""
    body = f'{{"error": "{error}", "title": "{error}", "detail": "{error}"}}'
    return Fault("answer", status=status, body=body, headers=JSON, times=times)


def _page(status: int, kind: FaultKind = "answer") -> Fault:
    return Fault(kind, status=status, body=PAGE, headers={"content-type": "text/html"})


def _json(body: str) -> Fault:
    return Fault("answer_after", status=200, body=body, headers=JSON)


DUPLICATE = "You are not allowed to create a Tweet with duplicate content."
#: by the names that they have in the page
FAULTS: Mapping[str, Trouble] = {
    "connection refused": Trouble("refused"),
    "no such host": Trouble("no host"),
    "TLS fails": Trouble("no TLS"),
    "reset before it acted": Trouble(fault=Fault("drop_before")),
    "reset after it acted": Trouble(fault=Fault("drop_after")),
    "reset, and it acts later": Trouble(fault=Fault("act_late")),
    "silence, not acted": Trouble(fault=Fault("hang")),
    "silence, acted": Trouble(fault=Fault("hang_after")),
    "a byte at a time": Trouble(fault=Fault("trickle", seconds=0.01)),
    "cut off in the body": Trouble(fault=Fault("truncate")),
    "429": Trouble(fault=_answer(429, "Too Many Requests")),
    "429 with a time": Trouble(fault=_answer(429, "Too Many Requests"), wait=True),
    "500 with a web page": Trouble(fault=_page(500)),
    "502 with a web page, acted": Trouble(fault=_page(502, "answer_after")),
    "503 with a web page": Trouble(fault=_page(503)),
    "401 once: expired": Trouble(
        fault=_answer(401, "The access token expired"),
        by_network={"bluesky": _answer(400, "ExpiredToken")},
    ),
    "401 always: revoked": Trouble(
        fault=_answer(401, "The access token was revoked", times=99),
        by_network={"bluesky": _answer(401, "AuthenticationRequired", times=99)},
    ),
    "402": Trouble(fault=_answer(402, "CreditsDepleted")),
    "403: duplicate content": Trouble(fault=_answer(403, DUPLICATE)),
    "403: suspended": Trouble(
        fault=_answer(403, "Your account is suspended", times=99),
        by_network={
            "mastodon": _answer(403, "Your login is currently disabled", times=99),
            "bluesky": _answer(403, "AccountTakedown", times=99),
        },
    ),
    "403 with a web page": Trouble(fault=_page(403)),
    "404": Trouble(fault=_answer(404, "Not Found")),
    "409": Trouble(fault=_answer(409, "Conflict")),
    "413": Trouble(fault=_answer(413, "Payload Too Large")),
    "422": Trouble(fault=_answer(422, "Unprocessable Entity")),
    "200 with broken JSON": Trouble(fault=_json('{"id": "1", "data": {"id')),
    "200 with another JSON list": Trouble(fault=_json("[7, null]")),
    "200 with another JSON object": Trouble(fault=_json('{"hello": ["world"]}')),
    "200 with a web page": Trouble(fault=_page(200, "answer_after")),
    "5 MB of a web page": Trouble(
        fault=replace(_page(200, "answer_after"), body=PAGE + " " * PADDING)
    ),
    "5 MB more than the answer": Trouble(fault=Fault("pad")),
    "longer than is read": Trouble(fault=Fault("pad"), narrow=True),
    "redirect to another host": Trouble(fault=Fault("answer", status=307, times=9), redirect=True),
}


class Elsewhere(Simulator):
    """The host that a redirect names; whatever it is asked, it should not have been."""

    def handle(self, request: Request) -> Response:
        return Response(200, {})


def fault_for(trouble: Trouble, network: str, match: str, elsewhere: str, clock: Clock) -> Fault:
    """What the server is told to do."""
    fault = trouble.by_network.get(network, trouble.fault)
    assert fault is not None
    headers = dict(fault.headers)
    if trouble.redirect:
        headers["location"] = elsewhere + match.split(" ")[1]
    if trouble.wait:
        headers |= reset_in(clock, timedelta(minutes=40), network)
    return replace(fault, match=match, headers=headers)


def reset_in(clock: Clock, wait: timedelta, network: str) -> dict[str, str]:
    """The headers of a limit that is used up."""
    end = clock() + wait
    stamp = str(int(end.timestamp()))
    return {
        "mastodon": {"x-ratelimit-remaining": "0", "x-ratelimit-reset": end.isoformat()},
        "bluesky": {"ratelimit-remaining": "0", "ratelimit-reset": stamp},
        "twitter": {"x-rate-limit-remaining": "0", "x-rate-limit-reset": stamp},
    }[network]


@contextmanager
def troubled(
    trouble: Trouble, simulator: Simulator, network: str, match: str, elsewhere: str, clock: Clock
) -> Iterator[Callable[[], bool]]:
    """The trouble for a while; gives what tells whether it struck."""
    with ExitStack() as patched:
        for patch in _patches(trouble):
            patched.enter_context(patch)
        if trouble.cut is not None:
            with _cut(trouble.cut, simulator, match) as struck:
                yield lambda: bool(struck)
            return
        fault = fault_for(trouble, network, match, elsewhere, clock)
        with troubled_by(fault, simulator) as times:
            yield lambda: times() > 0


def _patches(trouble: Trouble) -> Iterator[Any]:
    """Sizes, cut short wherever they are kept."""
    if trouble.narrow:
        yield mock.patch.object(wire, "MAX_ANSWER", NARROW)
        yield mock.patch.object(media, "MAX_DOWNLOAD", NARROW)


@contextmanager
def _cut(cut: Cut, simulator: Simulator, match: str) -> Iterator[list[str]]:
    """Requests that match go where nobody answers, where no host is, or where nobody speaks TLS."""
    struck: list[str] = []
    send = wire.Transport.handle_request
    resolve = socket.getaddrinfo
    with socket.create_server(("127.0.0.1", 0)) as taken:
        closed = taken.getsockname()[1]

    def rerouted(self: wire.Transport, request: httpx.Request) -> httpx.Response:
        asked = Request(request.method, request.url.path)
        if not simulator.kind_of(asked).startswith(match):
            return send(self, request)
        struck.append(request.url.path)
        where: dict[str, Any] = {
            "refused": {"port": closed},
            "no host": {"host": "nowhere.invalid"},
            "no TLS": {"scheme": "https"},
        }[cut]
        moved = httpx.Request(
            request.method,
            request.url.copy_with(**where),
            headers=request.headers,
            stream=request.stream,
            extensions=request.extensions,
        )
        return send(self, moved)

    def resolved(host: Any, *more: Any, **named: Any) -> Any:
        if host == "nowhere.invalid":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return resolve(host, *more, **named)

    with (
        mock.patch.object(wire.Transport, "handle_request", rerouted),
        mock.patch.object(socket, "getaddrinfo", resolved),
    ):
        yield struck
