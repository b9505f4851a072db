from __future__ import annotations

import socket
from collections.abc import Iterator

import httpx
import pytest

from bridge.simulation import Fault, Request, Response, Simulator
from tests.waiting import HANGS


class Counter(Simulator):
    """Counts what it acted on."""

    def __init__(self) -> None:
        super().__init__()
        self.acted = 0

    def handle(self, request: Request) -> Response:
        self.acted += 1
        if request.path == "/fail":
            return Response(500, {"error": "broken"})
        if request.path == "/form":
            return Response(200, [[n, p.text, p.filename] for n, p in request.form()])
        self.note("anna", "publish", str(self.acted), text="hei")
        return Response(200, {"acted": self.acted, "x": request.all("x")})


@pytest.fixture
def server() -> Iterator[Counter]:
    counter = Counter()
    counter.start()
    yield counter
    counter.stop()


def test_it_listens_on_loopback_only(server: Counter) -> None:
    assert server.url.startswith("http://127.0.0.1:")


def test_queries_and_forms_are_read(server: Counter) -> None:
    assert httpx.get(server.url + "/a?x=1&x=to%20r", timeout=HANGS).json() == {
        "acted": 1,
        "x": ["1", "to r"],
    }
    multipart = httpx.post(
        server.url + "/form",
        data={"d": "æ"},
        files={"file": ("a.png", b"12", "image/png")},
        timeout=HANGS,
    )
    assert multipart.json() == [["d", "æ", ""], ["file", "12", "a.png"]]
    assert httpx.post(server.url + "/form", data={"d": "æ &"}, timeout=HANGS).json() == [
        ["d", "æ &", ""]
    ]


@pytest.mark.parametrize(
    ("kind", "acted"), [("drop_before", 0), ("drop_after", 1), ("act_late", 0), ("truncate", 1)]
)
def test_a_fault_happens_once_and_acts_or_not(server: Counter, kind: str, acted: int) -> None:
    server.faults = [Fault(kind, match="POST /a")]  # type: ignore[arg-type]
    with pytest.raises((httpx.ReadError, httpx.RemoteProtocolError)):
        httpx.post(server.url + "/a", timeout=HANGS)
    assert server.acted == acted
    assert httpx.post(server.url + "/a", timeout=HANGS).json()["acted"] == acted + 1


def test_a_late_act_comes_when_released(server: Counter) -> None:
    server.faults = [Fault("act_late")]
    with pytest.raises(httpx.ReadError):
        httpx.post(server.url + "/a", timeout=HANGS)
    assert (server.release_late(), server.acted) == (1, 1)
    assert server.release_late() == 0


def test_a_fault_can_answer_for_the_network(server: Counter) -> None:
    server.faults = [Fault("answer", status=429, headers={"Retry-After": "3"}, body="slow", skip=1)]
    assert httpx.get(server.url + "/a", timeout=HANGS).status_code == 200
    answer = httpx.get(server.url + "/a", timeout=HANGS)
    assert (answer.status_code, answer.headers["retry-after"], answer.text) == (429, "3", "slow")
    assert server.acted == 1


def test_faults_journal_and_counts_can_be_had_over_http(server: Counter) -> None:
    httpx.post(
        server.url + "/_simulator/faults", json=[{"kind": "answer", "status": 503}], timeout=HANGS
    )
    assert httpx.get(server.url + "/a", timeout=HANGS).status_code == 503
    httpx.get(server.url + "/a", timeout=HANGS)
    journal = httpx.get(server.url + "/_simulator/journal", timeout=HANGS).json()
    assert [(e["account"], e["action"], e["text"]) for e in journal] == [("anna", "publish", "hei")]
    assert httpx.get(server.url + "/_simulator/requests", timeout=HANGS).json() == {"GET /a": 2}


def test_a_call_from_within_raises_what_the_network_refuses(server: Counter) -> None:
    assert server.call("GET", "/a?x=1") == {"acted": 1, "x": ["1"]}
    with pytest.raises(RuntimeError, match="500"):
        server.call("GET", "/fail")


def test_what_is_not_http_is_refused(server: Counter) -> None:
    port = int(server.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port), timeout=HANGS) as raw:
        raw.sendall(b"hello?\r\n\r\n")
        assert raw.recv(100).startswith(b"HTTP/1.1 400")
    assert httpx.get(server.url + "/a", timeout=HANGS).status_code == 200
