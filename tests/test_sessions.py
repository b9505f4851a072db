"""Logins: rotated tokens outlive a kill, a dead login is said once, and nobody is hammered."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.network import Busy, ClientError, LoginNeeded
from bridge.simulation import Fault, Request, Response
from bridge.workers import Engine
from tests.world import World, world

LOGIN = {
    "m": "GET /api/v1/accounts/verify_credentials",
    "b": "POST /xrpc/com.atproto.server.createSession",
    "x": "GET /2/users/me",
}
RENEWAL = "POST /xrpc/com.atproto.server.refreshSession"
PUT = "POST /xrpc/com.atproto.repo.putRecord"
#: the setting that is the secret part of a login
SECRET = {"m": "access_token", "b": "app_password", "x": "access_token_secret"}
TRIANGLE = "news: {between: [m, b, x]}"
RESTARTS = 100


class Killed(BaseException):
    """The process ends here."""


def logins(w: World, account: str) -> int:
    """How many logins the network of an account has seen."""
    return int(w.simulator(account).requests[LOGIN[account]])


def calls(w: World) -> Counter[str]:
    """What the Bluesky simulator was asked, by the last part of the name."""
    asked = w.networks["bluesky"].requests
    return Counter({name.rpartition(".")[2]: count for name, count in asked.items()})


def state_of(w: World, target: str = "b") -> list[str]:
    identity = w.accounts.open(target).identity.id
    rows = w.store._rows("SELECT state FROM drafts WHERE target=? ORDER BY id", (identity,))
    return [row[0] for row in rows]


def saved(w: World) -> dict[str, Any]:
    """The session of the Bluesky account as it is stored."""
    found: dict[str, Any] = json.loads(w.store.session("b") or "{}")
    return found


def begun(w: World) -> None:
    """A bot that has made its first copy, and whose token has run out since."""
    w.turn()
    w.say("m", "Før natta")
    w.turn()
    w.clock.advance(hours=3)


# Rotation


def test_renewed_tokens_are_stored_before_they_are_used(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        begun(w)
        pds: Any = w.networks["bluesky"]
        handle: Callable[[Request], Response] = pds.handle
        used: list[bool] = []

        def watched(request: Request) -> Response:
            if f"{request.method} {request.path}" == PUT:
                token = request.headers["authorization"].removeprefix("Bearer ")
                used.append(token == saved(w)["access"])
            return handle(request)

        pds.handle = watched
        before = saved(w)["access"]
        w.say("m", "God morgen")
        w.turn()
        assert used == [True]
        assert saved(w)["access"] != before


def kill_at_the_save(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the next post be cut short when its renewed tokens are to be stored; then start anew."""

    def killed(*_: Any) -> None:
        raise Killed

    w.say("m", "God morgen")
    w.read("m")
    monkeypatch.setattr(type(w.store), "save_session", killed)
    with pytest.raises(Killed):
        w.deliver("b")
    monkeypatch.undo()
    w.restart()


def test_a_kill_between_rotation_and_store_costs_no_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        begun(w)
        old = saved(w)["refresh"]
        kill_at_the_save(w, monkeypatch)
        assert saved(w)["refresh"] == old
        w.clock.advance(hours=1)
        w.turn()
        assert w.texts("b") == ["Før natta", "God morgen"]
        assert (calls(w)["createSession"], calls(w)["refreshSession"]) == (1, 2)
        # the same successor as before, which the network had handed out already
        w.clock.advance(hours=3)
        w.say("m", "God kveld")
        w.turn()
        assert w.texts("b")[-1] == "God kveld"
        assert calls(w)["createSession"] == 1


def test_a_kill_that_is_noticed_too_late_costs_one_login(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        begun(w)
        kill_at_the_save(w, monkeypatch)
        w.clock.advance(hours=5)
        w.turn()
        assert w.texts("b") == ["Før natta", "God morgen"]
        assert calls(w)["createSession"] == 2


def engine(w: World) -> Engine:
    """The workers of a daemon that has just started."""
    made = Engine(w.config, w.store, w.accounts, report=lambda *_: None)
    made.prepare()
    return made


def poll(w: World, made: Engine) -> None:
    """What a daemon does every two minutes."""
    for bot in w.config.bots.values():
        made.read(bot)
    made.lanes.wait()
    made.deliver_waiting()
    made.lanes.wait()
    w.clock.advance(minutes=2)


def test_a_login_that_cannot_be_renewed_is_said_once_and_names_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        begun(w)
        kill_at_the_save(w, monkeypatch)
        w.networks["bluesky"].made("anna.test").passwords.clear()
        w.clock.advance(hours=5)
        before = calls(w)["createSession"]
        caplog.set_level(logging.WARNING, "tribridge")
        made = engine(w)
        for _ in range(60):
            poll(w, made)
        told = [record.message for record in caplog.records]
        assert len(told) == 1
        assert "create a new app password" in told[0]
        assert 1 <= calls(w)["createSession"] - before <= 3
        assert state_of(w) == ["sent", "sending"]
        # and with a new one it goes on
        w.settings["b"] |= w.networks["bluesky"].account("anna.test", "Ny")
        w.configure("one: {from: m, to: b}")
        w.restart()
        poll(w, engine(w))
        assert w.texts("b") == ["Før natta", "God morgen"]


def test_a_revoked_token_is_said_once_and_read_with_once_an_hour(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.networks["mastodon"].revoke("anna")
        asked = sum(w.requests("mastodon").values())
        caplog.set_level(logging.WARNING, "tribridge")
        made = engine(w)
        for _ in range(60):
            poll(w, made)
        assert len(caplog.records) == 1
        assert sum(w.requests("mastodon").values()) - asked <= 3
        w.networks["mastodon"].account("anna")
        w.say("m", "Tilbake")
        w.clock.advance(hours=1)
        poll(w, made)
        assert w.texts("b") == ["Tilbake"]


# Restarts


def test_a_hundred_restarts_are_one_login_an_account(tmp_path: Path) -> None:
    with world(tmp_path, TRIANGLE) as w:
        for number in range(RESTARTS):
            if number % 10 == 0:
                w.say("m", f"Melding {number}")
            w.turn()
            w.clock.advance(minutes=10)
            w.restart()
        assert [logins(w, account) for account in ("m", "b", "x")] == [1, 1, 1]
        # the first was posted before the first run
        assert len(w.texts("b")) == len(w.texts("x")) == RESTARTS // 10 - 1


def refused(w: World, account: str) -> ClientError:
    """The error with which an account cannot be opened."""
    with pytest.raises(ClientError) as caught:
        w.accounts.open(account)
    return caught.value


@pytest.mark.parametrize("account", ["m", "b", "x"])
def test_a_hundred_restarts_with_a_wrong_secret_are_one_login(tmp_path: Path, account: str) -> None:
    with world(tmp_path, TRIANGLE) as w:
        right = w.settings[account][SECRET[account]]
        w.settings[account][SECRET[account]] = "wrong-secret-4711"
        w.configure(TRIANGLE)
        w.restart()
        first = refused(w, account)
        assert isinstance(first, LoginNeeded)
        for _ in range(RESTARTS):
            w.clock.advance(seconds=30)
            w.restart()
            again = refused(w, account)
            assert (type(again), str(again)) == (LoginNeeded, str(first))
        assert logins(w, account) == 1
        facts = str(w.store._rows("SELECT * FROM facts", ()))
        assert "4711" not in facts + str(first)
        w.clock.advance(minutes=11)
        w.restart()
        refused(w, account)
        assert logins(w, account) == 2
        w.settings[account][SECRET[account]] = right
        w.configure(TRIANGLE)
        w.restart()
        assert w.accounts.open(account).name == account
        assert logins(w, account) == 3
        assert w.store._rows("SELECT * FROM facts", ()) == []


def test_in_one_process_a_refusal_that_was_remembered_ends_when_it_would_have(
    tmp_path: Path,
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.networks["bluesky"].made("anna.test").passwords.clear()
        refused(w, "b")
        w.clock.advance(minutes=50)
        w.restart()
        refused(w, "b")
        w.networks["bluesky"].account("anna.test")
        w.clock.advance(minutes=9)
        refused(w, "b")
        w.clock.advance(minutes=1)
        w.accounts.open("b")
        assert logins(w, "b") == 2


def test_a_login_that_is_to_wait_waits_over_restarts(tmp_path: Path) -> None:
    with world(tmp_path, TRIANGLE) as w:
        until = w.clock() + timedelta(hours=5)
        headers = {"ratelimit-remaining": "0", "ratelimit-reset": str(int(until.timestamp()))}
        w.networks["bluesky"].faults = [Fault("answer", LOGIN["b"], status=429, headers=headers)]
        ends: set[datetime] = set()
        for _ in range(RESTARTS):
            error = refused(w, "b")
            assert isinstance(error, Busy)
            ends.add(error.retry_at)
            w.clock.advance(minutes=2)
            w.restart()
        assert (logins(w, "b"), ends) == (1, {until})
        w.clock.at = until
        w.restart()
        w.accounts.open("b")


def test_a_server_that_is_away_is_asked_at_each_start(tmp_path: Path) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.networks["mastodon"].faults = [Fault("answer", LOGIN["m"], status=503, times=2)]
        for _ in range(2):
            refused(w, "m")
            w.restart()
        w.accounts.open("m")


def test_two_names_for_one_account_are_no_refusal_of_the_network(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.settings["m2"] |= w.networks["mastodon"].account("anna", "En annen app")
        w.configure("one: {from: m, to: b}")
        w.restart()
        w.accounts.open("m")
        assert "both" in str(refused(w, "m2"))
        del w.settings["m"]
        w.configure("one: {from: m2, to: b}")
        w.restart()
        w.accounts.open("m2")


@pytest.mark.parametrize("answer", [401, 429])
def test_a_hundred_restarts_with_a_dead_session_are_one_login(tmp_path: Path, answer: int) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        begun(w)
        pds: Any = w.networks["bluesky"]
        pds.revoke("anna.test")
        until = w.clock() + timedelta(hours=1)
        headers = {"ratelimit-remaining": "0", "ratelimit-reset": str(int(until.timestamp()))}
        pds.faults = [Fault("answer", LOGIN["b"], status=answer, times=999, headers=headers)]
        before = calls(w)
        w.say("m", "God morgen")
        for _ in range(RESTARTS):
            w.restart()
            w.store.forget_login_waits()
            w.turn()
            w.clock.advance(seconds=30)
        spent = calls(w) - before
        assert (spent["createSession"], spent["refreshSession"]) == (1, 1)
        assert state_of(w) == ["sent", "queued"]
        pds.faults = []
        w.clock.at = max(until, w.clock() + timedelta(hours=1))
        w.turn()
        assert w.texts("b") == ["Før natta", "God morgen"]
