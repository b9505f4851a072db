"""Where a browser comes back to: one answer, whoever else asks."""

from __future__ import annotations

import socket

import httpx
import pytest

from bridge import oauth
from bridge.loopback import Loopback
from bridge.network import LoginNeeded
from tests.waiting import HANGS


def begun() -> oauth.Authorization:
    app = {"client_id": "abc"}
    return oauth.begin("https://mastodon.example/oauth/authorize", "http://127.0.0.1/", "a b", app)


def test_only_the_answer_of_this_login_is_taken() -> None:
    here = begun()
    with Loopback(0, lambda address: oauth.code_in(address, here)) as loopback:
        assert loopback.address.startswith("http://127.0.0.1:")
        assert httpx.get(f"{loopback.address}favicon.ico", timeout=HANGS).status_code == 404
        for query in ("", "?code=evil", "?code=evil&state=", "?code=evil&state=%C3%A5"):
            assert httpx.get(loopback.address + query, timeout=HANGS).status_code == 400
        answer = httpx.get(f"{loopback.address}?code=good&state={here.state}", timeout=HANGS)
        assert (answer.status_code, "close this page" in answer.text) == (200, True)
        assert "good" not in answer.text
        assert loopback.wait(HANGS) == "good"


def test_a_connection_that_says_nothing_keeps_nobody_waiting() -> None:
    here = begun()
    with (
        Loopback(0, lambda address: oauth.code_in(address, here)) as loopback,
        socket.create_connection(("127.0.0.1", loopback.port)),
    ):
        httpx.get(f"{loopback.address}?code=good&state={here.state}", timeout=HANGS)
        assert loopback.wait(HANGS) == "good"


def test_who_declines_and_who_never_comes() -> None:
    here = begun()
    with Loopback(0, lambda address: oauth.code_in(address, here)) as loopback:
        with pytest.raises(TimeoutError):
            loopback.wait(0)
        httpx.get(f"{loopback.address}?error=access_denied&state={here.state}", timeout=HANGS)
        with pytest.raises(LoginNeeded, match="it was declined there"):
            loopback.wait(HANGS)


def test_a_challenge_is_that_of_the_standard() -> None:
    # RFC 7636, appendix B
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert oauth.challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
