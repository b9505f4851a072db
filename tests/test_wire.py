"""HTTP as clients use it, against a real server that misbehaves on demand."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from bridge import wire
from bridge.network import Busy, ClientError, LoginNeeded, Refused, Uncertain, Unreachable
from bridge.simulation import Fault, FaultKind, Request, Response, Simulator
from tests.waiting import HANGS, troubled_by

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Echo(Simulator):
    """Says what it was asked, and counts connections."""

    def handle(self, request: Request) -> Response:
        if request.path == "/elsewhere":
            return Response(302, "", {"Location": "http://127.0.0.1:1/"})
        head = {name: request.headers.get(name) for name in ("user-agent", "authorization")}
        return Response(200, {"path": request.path, "body": request.body.decode(), **head})


@pytest.fixture
def server() -> Iterator[Echo]:
    echo = Echo()
    echo.start()
    yield echo
    echo.stop()


def test_an_answer_comes_back_with_its_status_and_json(server: Echo) -> None:
    answer = wire.send("POST", server.url + "/a", json={"tekst": "æ"})
    assert (answer.status, answer.ok) == (200, True)
    assert answer.object()["body"] == '{"tekst":"æ"}'
    assert answer.object()["user-agent"].startswith("tribridge/")


def test_connections_are_kept(server: Echo) -> None:
    for _ in range(5):
        wire.send("GET", server.url + "/a")
    assert len(server._connections) == 1


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate", "hang", "trickle"])
@pytest.mark.parametrize(("method", "expected"), [("GET", Unreachable), ("POST", Uncertain)])
def test_an_answer_that_does_not_come_is_a_doubt_only_after_a_write(
    server: Echo, kind: FaultKind, method: str, expected: type[ClientError]
) -> None:
    with (
        troubled_by(Fault(kind), server) as struck,
        pytest.raises(expected, match="no complete answer"),
    ):
        wire.send(method, server.url + "/a", seconds=100)
    assert struck() == 1


def test_what_never_left_is_unreachable_even_for_a_write() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(Unreachable, match="cannot reach 127.0.0.1"):
        wire.send("POST", f"http://127.0.0.1:{port}/")


def test_a_long_answer_is_given_up(server: Echo) -> None:
    with pytest.raises(Unreachable, match="longer than 10 bytes"):
        wire.send("GET", server.url + "/a", max_answer=10)


def test_redirects_are_not_followed(server: Echo) -> None:
    answer = wire.send("GET", server.url + "/elsewhere", headers={"Authorization": "Bearer x"})
    assert answer.status == 302
    assert isinstance(wire.rejection(answer, NOW), Unreachable)


def test_strangers_addresses_must_be_public(server: Echo) -> None:
    with pytest.raises(Unreachable, match="not a public one"):
        wire.send("GET", server.url + "/a", public_only=True)
    assert not server.requests


def test_a_library_that_uses_the_transport_is_bound_by_the_deadline(server: Echo) -> None:
    client = httpx.Client(transport=wire.transport(), timeout=HANGS)
    with (
        troubled_by(Fault("trickle"), server) as struck,
        wire.deadline(100),
        pytest.raises(httpx.ReadTimeout, match="did not end in time"),
    ):
        client.get(server.url + "/a")
    assert struck() == 1


def answer(status: int, body: bytes = b"", write: bool = True, **headers: str) -> wire.Answer:
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    return wire.Answer(status, head, body, write)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (answer(500), Uncertain),
        (answer(503, b"<html>"), Uncertain),
        (answer(500, write=False), Unreachable),
        (answer(301), Unreachable),
        (answer(401), LoginNeeded),
        (answer(404), Refused),
        (answer(422, b'{"error":"too long"}'), Refused),
        (answer(204), Uncertain),
        (answer(408), Unreachable),
    ],
)
def test_the_common_part_of_what_a_status_means(
    given: wire.Answer, expected: type[ClientError]
) -> None:
    assert type(wire.rejection(given, NOW)) is expected


@pytest.mark.parametrize(
    ("headers", "named", "at"),
    [
        ({}, None, NOW + timedelta(minutes=15)),
        ({"retry_after": "30"}, None, NOW + timedelta(seconds=30)),
        ({"retry_after": "Sun, 22 Nov 2026 12:01:00 GMT"}, None, NOW + timedelta(minutes=1)),
        ({"retry_after": "soon"}, None, NOW + timedelta(minutes=15)),
        ({"retry_after": "30"}, NOW + timedelta(hours=1), NOW + timedelta(hours=1)),
    ],
)
def test_a_429_says_when_to_come_back(headers: Any, named: datetime | None, at: datetime) -> None:
    error = wire.rejection(answer(429, **headers), NOW, named)
    assert isinstance(error, Busy)
    assert error.retry_at == at


def test_what_the_server_says_is_told() -> None:
    said = answer(422, b'{"error":"Unprocessable","error_description":"Text is too long"}')
    assert "422: Unprocessable: Text is too long" in str(wire.rejection(said, NOW))
    x = answer(403, b'{"errors":[{"code":88,"message":"Rate limit"}]}')
    assert "Rate limit" in str(wire.rejection(x, NOW))


@pytest.mark.parametrize("body", [b"<html>", b'{"id": 1', b"\xff", b""])
def test_what_is_not_json_is_a_doubt_after_a_write(body: bytes) -> None:
    with pytest.raises(Uncertain):
        answer(200, body).json()
    with pytest.raises(Unreachable):
        answer(200, body, write=False).json()


def test_json_of_another_shape_is_a_doubt_too() -> None:
    with pytest.raises(Uncertain, match="wrong shape"):
        answer(200, b"[]").object()


def test_half_characters_are_replaced() -> None:
    said = answer(200, rb'{"a": ["x\ud83dy", "\ud83d\ude00"]}')
    assert said.json() == {"a": ["x\ufffdy", "😀"]}


def test_json_nested_too_deep_is_a_doubt_too() -> None:
    with pytest.raises(Uncertain):
        answer(200, b"[" * 200_000).json()
