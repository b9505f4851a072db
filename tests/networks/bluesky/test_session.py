"""Logging in, staying logged in, and what is kept for the next run."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bridge.network import Backfill, Busy, LoginNeeded, Uncertain, Unreachable
from bridge.networks.bluesky import NETWORK, session
from bridge.networks.bluesky.client import BlueskyClient
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.post import Draft, Run
from bridge.simulation import Fault
from tests.networks.bluesky.conftest import NAME, World

LOGIN = "POST /xrpc/com.atproto.server.createSession"
REFRESH = "POST /xrpc/com.atproto.server.refreshSession"
PUT = "POST /xrpc/com.atproto.repo.putRecord"
EXPIRED = '{"error": "ExpiredToken", "message": "Token has expired"}'


def publish(world: World, client: BlueskyClient, text: str = "Hei") -> None:
    key = text.encode().hex()
    draft = Draft((Run(text),), world.clock())
    client.publish(NETWORK.to_payload(draft, key, (), None, world.clock()), key)


def test_a_login_is_one_request_and_is_remembered(world: World) -> None:
    client = world.client()
    identity = client.login()
    assert identity.id == world.pds.identity(NAME)
    assert (identity.handle, identity.url) == (NAME, f"https://bsky.app/profile/{NAME}")
    client.login()
    assert world.calls() == {"createSession": 1}


def test_a_restarted_process_posts_without_a_login(world: World) -> None:
    identity = world.client().login()
    world.calls()
    restarted = world.client()
    assert restarted.login() == identity
    publish(world, restarted)
    assert world.calls() == {"putRecord": 1}


@pytest.mark.parametrize("saved", ["", "[", "{}", "3", '{"did": "x", "more": 1}'])
def test_a_saved_session_that_cannot_be_read_is_a_new_login(world: World, saved: str) -> None:
    world.memory.data = saved
    world.client().login()
    assert world.calls() == {"createSession": 1}


def test_other_credentials_drop_the_saved_session(world: World) -> None:
    world.client().login()
    world.calls()
    world.client(**world.pds.account(NAME, "another application")).login()
    assert world.calls() == {"createSession": 1}
    other = world.client(**world.pds.account("berit.test")).login()
    assert other.handle == "berit.test"


def test_a_token_whose_time_is_over_is_renewed_before_it_is_used(world: World) -> None:
    client = world.client()
    client.login()
    world.clock.advance(hours=2)
    world.calls()
    publish(world, client)
    assert world.calls() == {"refreshSession": 1, "putRecord": 1}
    publish(world, world.client(), "Igjen")
    assert world.calls() == {"putRecord": 1}


@pytest.mark.parametrize(
    ("status", "error"), [(400, "ExpiredToken"), (400, "InvalidToken"), (401, "")]
)
def test_a_token_that_the_server_no_longer_takes_is_renewed_once(
    world: World, status: int, error: str
) -> None:
    client = world.client()
    client.login()
    body = json.dumps({"error": error})
    world.pds.faults.append(Fault("answer", PUT, status=status, body=body))
    world.calls()
    publish(world, client)
    assert world.calls() == {"refreshSession": 1, "putRecord": 2}
    assert len(world.pds.journal) == 1


def test_renewed_tokens_are_saved_before_they_are_used(world: World) -> None:
    client = world.client()
    client.login()
    world.clock.advance(hours=3)
    world.pds.faults.append(Fault("drop_before", PUT))
    with pytest.raises(Uncertain):
        publish(world, client)
    assert len(world.memory.saved) == 2
    world.calls()
    publish(world, world.client())
    assert world.calls() == {"putRecord": 1}


def test_a_renewal_whose_answer_is_lost_can_be_repeated(world: World) -> None:
    client = world.client()
    client.login()
    world.clock.advance(hours=3)
    world.pds.faults.append(Fault("drop_after", REFRESH))
    with pytest.raises(Unreachable):
        publish(world, client)
    world.calls()
    publish(world, world.client())
    assert world.calls() == {"refreshSession": 1, "putRecord": 1}


@pytest.mark.parametrize("dead", ["revoked", "over"])
def test_where_the_refresh_token_is_dead_the_app_password_logs_in(world: World, dead: str) -> None:
    client = world.client()
    client.login()
    world.clock.advance(hours=3)
    if dead == "revoked":
        world.pds.revoke(NAME)
    else:
        world.clock.advance(days=91)
    world.calls()
    publish(world, client)
    assert world.calls() == {"refreshSession": 1, "createSession": 1, "putRecord": 1}


def test_a_token_refused_again_after_renewal_needs_a_person(world: World) -> None:
    client = world.client()
    client.login()
    world.pds.faults.append(Fault("answer", PUT, times=9, status=400, body=EXPIRED))
    world.calls()
    with pytest.raises(LoginNeeded):
        publish(world, client)
    assert world.calls() == {"refreshSession": 1, "putRecord": 2}


def test_a_wrong_password_needs_a_person_and_is_not_shown(world: World) -> None:
    with pytest.raises(LoginNeeded, match="app password") as caught:
        world.client(app_password="wrong-secret-4711").login()
    assert "4711" not in str(caught.value)
    assert world.memory.data is None


@pytest.mark.parametrize(
    ("error", "words"), [("AccountTakedown", "taken down"), ("AccountDeactivated", "deactivated")]
)
def test_a_locked_account_needs_a_person(world: World, error: Any, words: str) -> None:
    client = world.client()
    client.login()
    world.pds.lock_out(NAME, error)
    world.calls()
    with pytest.raises(LoginNeeded, match=words):
        publish(world, client)
    with pytest.raises(LoginNeeded, match=words):
        client.begin(Backfill())
    assert "refreshSession" not in world.calls()


def test_an_account_that_wants_a_code_says_to_use_an_app_password(world: World) -> None:
    body = '{"error": "AuthFactorTokenRequired", "message": "A sign in code has been sent"}'
    world.pds.faults.append(Fault("answer", LOGIN, status=401, body=body))
    with pytest.raises(LoginNeeded, match="app password"):
        world.client().login()


def test_too_many_logins_wait(world: World) -> None:
    headers = {"ratelimit-reset": str(int((world.clock() + timedelta(hours=5)).timestamp()))}
    world.pds.faults.append(Fault("answer", LOGIN, status=429, headers=headers))
    with pytest.raises(Busy) as caught:
        world.client().login()
    assert caught.value.retry_at == world.clock() + timedelta(hours=5)


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_before", LOGIN),
        Fault("drop_after", LOGIN),
        Fault("truncate", LOGIN),
        Fault("answer", LOGIN, status=500),
        Fault("answer", LOGIN, status=200, body="<html>"),
        Fault("answer", LOGIN, status=200, body="{}", headers={"content-type": "application/json"}),
        Fault("answer", LOGIN, status=200, body="{", headers={"content-type": "application/json"}),
    ],
    ids=["drop_before", "drop_after", "truncate", "500", "html", "empty", "broken"],
)
def test_a_login_without_a_usable_answer_is_unreachable(world: World, fault: Fault) -> None:
    world.pds.faults.append(
        Fault(fault.kind, LOGIN, status=fault.status, headers=fault.headers, body=fault.body)
    )
    with pytest.raises(Unreachable) as caught:
        world.client().login()
    assert world.settings["app_password"] not in str(caught.value)


def test_a_login_is_never_redirected_with_the_password(world: World) -> None:
    elsewhere = BlueskySimulator(now=world.clock)
    url = elsewhere.start() + LOGIN.removeprefix("POST ")
    world.pds.faults.append(Fault("answer", LOGIN, status=308, headers={"location": url}))
    with pytest.raises(Unreachable, match="redirect"):
        world.client().login()
    assert not elsewhere.requests
    elsewhere.stop()


def test_posts_go_to_the_server_that_the_login_names(world: World) -> None:
    entry = BlueskySimulator(now=world.clock)
    service = entry.start()
    entry.account(NAME)
    entry.url = world.pds.url  # what its logins tell
    publish(world, world.client(service=service))
    assert len(world.pds.journal) == 1
    assert set(entry.requests) == {LOGIN}
    entry.stop()


def test_without_a_did_document_posts_go_where_the_login_went(world: World) -> None:
    world.pds.did_doc = False
    client = world.client()
    publish(world, client)
    assert len(world.pds.journal) == 1


@pytest.mark.parametrize(
    ("service", "endpoint", "expected"),
    [
        ("https://bsky.social", "https://morel.example/", "https://morel.example"),
        ("https://bsky.social", "http://morel.example", ""),
        ("https://bsky.social", "http://127.0.0.1:80", ""),
        ("http://127.0.0.1:9", "http://localhost:80", "http://localhost:80"),
        ("https://bsky.social", None, ""),
    ],
)
def test_only_safe_addresses_are_believed(service: str, endpoint: Any, expected: str) -> None:
    document = {"service": [{"id": "#atproto_pds", "serviceEndpoint": endpoint}]}
    assert session._pds(document, service) == expected
    assert session._pds({"service": 3}, service) == ""
    assert session._pds(None, service) == ""
