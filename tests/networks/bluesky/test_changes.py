"""Rereading and deleting, and who may say that a post is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bridge.network import Busy, ClientError, Gone, LoginNeeded, Refused, Uncertain, Unreachable
from bridge.networks.bluesky import NETWORK
from bridge.networks.bluesky.client import BlueskyClient
from bridge.post import Draft, Ref, Run, ref_to
from bridge.simulation import Fault
from tests.networks.bluesky.conftest import NAME, World

GET = "GET /xrpc/com.atproto.repo.getRecord"
LIST = "GET /xrpc/com.atproto.repo.listRecords"
DELETE = "POST /xrpc/com.atproto.repo.deleteRecord"


def reread(client: BlueskyClient, ids: list[str]) -> list[str | None]:
    found = client.reread(ids)
    assert list(found) == ids
    return [post.text if post else None for post in found.values()]


# Rereading.


def test_a_page_rereads_all_that_lies_between(world: World) -> None:
    client = world.client()
    client.login()
    posts = [world.say(f"Nummer {number}") for number in range(100)]
    world.pds.edit(NAME, posts[3], "Rettet")
    world.pds.delete(NAME, posts[50])
    world.pds.delete(NAME, posts[99])
    world.calls()
    asked = [posts[99], posts[0], posts[50], posts[3], posts[98]]
    assert reread(client, asked) == [None, "Nummer 0", None, "Rettet", "Nummer 98"]
    assert world.calls() == {"listRecords": 1}


def test_never_more_requests_than_posts(world: World) -> None:
    client = world.client()
    client.login()
    posts = [world.say(f"Nummer {number}") for number in range(330)]
    world.calls()
    assert reread(client, [posts[0], posts[150], posts[329]]) == [
        "Nummer 0",
        "Nummer 150",
        "Nummer 329",
    ]
    assert world.calls() == {"listRecords": 3}
    assert reread(client, []) == []
    assert world.calls() == {}


def test_what_was_never_there_ends_the_reading(world: World) -> None:
    client = world.client()
    client.login()
    assert reread(client, ["3kzzzzzzzzz2a", "not-a-tid"]) == [None, None]
    assert world.calls()["listRecords"] == 1


def test_a_key_that_begins_as_another_does_is_another(world: World) -> None:
    client = world.client()
    client.login()
    post_id = world.say("Hei")
    assert reread(client, [post_id[:-1], post_id]) == [None, "Hei"]


def test_a_post_that_was_hidden_says_so(world: World) -> None:
    client = world.client()
    client.login()
    post_id = world.say("For alle")
    world.pds.hide(NAME, post_id)
    (post,) = client.reread([post_id]).values()
    assert post is not None
    assert post.visibility == "private"


@pytest.mark.parametrize(
    "body", ["{}", "[]", '{"records": 3}', '{"records": [{"uri": "at://x/y/zzz", "value": {}}]}']
)
def test_a_page_of_something_else_says_of_nothing_that_it_is_gone(world: World, body: str) -> None:
    client = world.client()
    client.login()
    post_id = world.say("Står")
    world.pds.faults.append(Fault("answer", LIST, status=200, body=body))
    with pytest.raises(Unreachable):
        client.reread([post_id])
    assert reread(client, [post_id]) == ["Står"]


# Who may say that a post is gone.


def test_a_post_that_is_gone_is_gone_while_its_repository_stands(world: World) -> None:
    client = world.client()
    client.login()
    post_id = world.say("Bort")
    world.pds.delete(NAME, post_id)
    with pytest.raises(Gone):
        client.find(post_id)


@pytest.mark.parametrize("locked", ["AccountTakedown", "AccountDeactivated"])
def test_of_an_account_that_is_shut_no_post_is_gone(world: World, locked: str) -> None:
    client = world.client()
    client.login()
    post_id = world.say("Står")
    world.pds.lock_out(NAME, locked)  # type: ignore[arg-type]
    body = '{"error": "RecordNotFound", "message": "Could not locate record"}'
    world.pds.faults.append(Fault("answer", GET, status=400, body=body))
    with pytest.raises(LoginNeeded):
        client.find(post_id)
    with pytest.raises(ClientError) as caught:
        client.reread([post_id])
    assert not isinstance(caught.value, Gone)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, "<h1>404 Not Found</h1>", Unreachable),
        (404, '{"error": "Not Found"}', Refused),
        (400, '{"error": "InvalidRequest", "message": "Could not locate record"}', Refused),
        (400, '{"error": "RecordNot', Refused),
        (502, '{"error": "RecordNotFound"}', Unreachable),
        (200, '{"error": "RecordNotFound"}', Unreachable),
        (403, '{"error": "RecordNotFound"}', Refused),
    ],
)
def test_only_the_server_itself_can_say_that_a_post_is_gone(
    world: World, status: int, body: str, kind: type
) -> None:
    client = world.client()
    client.login()
    post_id = world.say("Står")
    world.pds.faults.append(Fault("answer", GET, status=status, body=body))
    with pytest.raises(kind) as caught:
        client.find(post_id)
    assert not isinstance(caught.value, Gone)
    assert client.find(post_id).text == "Står"


# Deleting, and that there is no editing.


def test_a_deletion_can_be_repeated(world: World) -> None:
    client = world.client()
    client.login()
    ref = ref_to(client.find(world.say("Bort")))
    client.delete(ref)
    client.delete(ref)
    with pytest.raises(Gone):
        client.find(ref.id)


def test_what_others_have_changed_is_left_alone(world: World) -> None:
    client = world.client()
    client.login()
    ref = ref_to(client.find(world.say("Vår versjon")))
    world.pds.edit(NAME, ref.id, "Rettet for hånd")
    with pytest.raises(Refused, match="changed"):
        client.delete(ref)
    assert client.find(ref.id).text == "Rettet for hånd"
    client.delete(replace(ref, cid=""))
    with pytest.raises(Gone):
        client.find(ref.id)


def test_another_account_s_post_is_left_alone(world: World) -> None:
    client = world.client()
    client.login()
    ref = ref_to(client.find(world.say("Mitt")))
    with pytest.raises(Refused):
        client.delete(replace(ref, account="bluesky:did:plc:another"))
    assert client.find(ref.id).text == "Mitt"


@pytest.mark.parametrize(
    "fault",
    [
        Fault("drop_before", DELETE),
        Fault("drop_after", DELETE),
        Fault("answer", DELETE, status=503, body="<h1>503</h1>"),
        Fault("answer", DELETE, status=200, body='{"ok": true}'),
        Fault("answer", DELETE, status=200, body=""),
    ],
)
def test_a_deletion_without_a_trustworthy_answer_is_uncertain(world: World, fault: Fault) -> None:
    client = world.client()
    client.login()
    ref = ref_to(client.find(world.say("Bort")))
    world.pds.faults.append(fault)
    with pytest.raises(Uncertain):
        client.delete(ref)
    client.delete(ref)
    with pytest.raises(Gone):
        client.find(ref.id)


def test_a_deletion_counts_against_the_account_s_writes(world: World) -> None:
    client = world.client()
    client.login()
    ref = ref_to(client.find(world.say("Bort")))
    end = world.clock().timestamp() + 600
    headers = {
        "ratelimit-limit": "5000",
        "ratelimit-remaining": "0",
        "ratelimit-reset": f"{end:.0f}",
    }
    world.pds.faults.append(Fault("answer", DELETE, status=429, body="{}", headers=headers))
    for _ in range(2):
        with pytest.raises(Busy):
            client.delete(ref)
    draft = Draft((Run("Hei"),), world.clock())
    with pytest.raises(Busy):
        client.publish(NETWORK.to_payload(draft, "5a" * 32, (), None, world.clock()), "5a" * 32)
    calls = world.calls()
    assert (calls["deleteRecord"], calls.get("putRecord", 0)) == (1, 0)


def test_no_post_is_edited(world: World) -> None:
    client = world.client()
    client.login()
    with pytest.raises(Refused):
        client.update(Ref("3k", client.login().id), {})
