from __future__ import annotations

import json
import socket

import pytest

from bridge.network import LoginNeeded, Unreachable
from bridge.networks.mastodon.client import MastodonClient
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.simulation import Fault
from tests.networks.mastodon.conftest import Memory, World


def test_login_tells_who_the_account_is(client: MastodonClient, server: MastodonSimulator) -> None:
    identity = client.login()
    host = server.url.removeprefix("http://")
    assert identity.id == server.identity("anna")
    assert identity.id.startswith(f"mastodon:{host}/")
    assert identity.handle == f"anna@{host}"
    assert identity.url == f"{server.url}/@anna"
    assert not client.repeatable
    assert client.keeps_keys
    assert client.limits.images == 4


def test_login_asks_once(client: MastodonClient, server: MastodonSimulator) -> None:
    before = sum(server.requests.values())
    client.login()
    assert sum(server.requests.values()) == before == 2


def test_a_restart_within_a_day_asks_nothing(world: World, server: MastodonSimulator) -> None:
    settings, memory = server.account("anna"), Memory()
    first = world.client(settings, memory)
    first.login()
    asked = sum(server.requests.values())
    again = world.client(settings, memory)
    assert again.login() == first.login()
    assert again.limits.image_types == first.limits.image_types
    assert again.keeps_keys
    assert sum(server.requests.values()) == asked
    assert settings["access_token"] not in (memory.data or "")


def test_limits_are_asked_again_after_a_day(world: World, server: MastodonSimulator) -> None:
    settings, memory = server.account("anna"), Memory()
    world.client(settings, memory).login()
    world.clock.advance(hours=24)
    world.client(settings, memory).login()
    assert server.requests["GET /api/v2/instance"] == 2


def test_another_token_drops_what_was_saved(world: World, server: MastodonSimulator) -> None:
    memory = Memory()
    world.client(server.account("anna"), memory).login()
    bo = world.client(server.account("bo"), memory)
    assert bo.login().id == server.identity("bo")


@pytest.mark.parametrize("saved", ["", "{", "[]", "null", '{"login": 1}'])
def test_a_damaged_session_is_asked_anew(
    world: World, server: MastodonSimulator, saved: str
) -> None:
    memory = Memory()
    memory.data = saved
    client = world.client(server.account("anna"), memory)
    assert client.login().id == server.identity("anna")
    assert json.loads(memory.data or "")["identity"]["id"] == server.identity("anna")


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "takahe"])
def test_a_token_that_does_not_work_needs_a_person(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour)
    settings = server.account("anna")
    server.revoke("anna")
    with pytest.raises(LoginNeeded) as caught:
        world.client(settings).login()
    assert "token" in str(caught.value)
    assert settings["access_token"] not in str(caught.value)


def test_a_server_that_is_not_there_is_unreachable(world: World) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    client = world.client({"server": f"http://127.0.0.1:{port}", "access_token": "t"})
    with pytest.raises(Unreachable):
        client.login()


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "takahe"])
def test_every_software_is_asked_for_its_limits(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour, characters=777)
    client = world.client(server.account("anna"))
    client.login()
    assert {measure.maximum for measure in client.limits.measures} == {777}
    assert client.keeps_keys == (flavour == "mastodon")


def test_a_server_without_instance_pages_gets_the_defaults(
    world: World, server: MastodonSimulator
) -> None:
    server.faults.append(Fault("answer", "GET /api/v2/instance", status=404))
    server.faults.append(Fault("answer", "GET /api/v1/instance", status=404))
    client = world.client(server.account("anna"))
    client.login()
    assert {measure.maximum for measure in client.limits.measures} == {500}
    assert not client.keeps_keys


def test_a_server_in_trouble_is_not_taken_for_one_without_limits(
    world: World, server: MastodonSimulator
) -> None:
    server.faults.append(Fault("answer", "GET /api/v", status=502, skip=1, times=2))
    memory = Memory()
    with pytest.raises(Unreachable):
        world.client(server.account("anna"), memory).login()
    assert memory.saved == 0
