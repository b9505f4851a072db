"""Rereading, editing in place and deleting, and who may say that a post is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.network import Busy, Gone, LoginNeeded, Refused, Uncertain, Unreachable, Upload
from bridge.networks.mastodon import NETWORK
from bridge.networks.mastodon.client import MastodonClient
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.post import Draft, Media, Poll, Post, Ref, Run, ref_to
from bridge.simulation import Fault
from tests.networks.mastodon.conftest import World, picture

STATUS = "/api/v1/statuses/:id"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def draft(text: str, **more: Any) -> Draft:
    return Draft((Run(text),), NOW, languages=("nb",), **more)


def update(
    world: World,
    client: MastodonClient,
    post_id: str,
    to: Draft,
    uploads: tuple[dict[str, Any], ...] = (),
) -> Ref:
    ref = ref_to(client.find(post_id))
    return client.update(ref, NETWORK.to_update(to, uploads, world.clock()))


def entity(server: MastodonSimulator, post_id: str) -> dict[str, Any]:
    found: dict[str, Any] = server._server.statuses[post_id].entity
    return found


# What an edit sends.


def test_an_edit_sends_all_that_would_be_dropped() -> None:
    media = (Media("image", "u", "et hus", focus=(0.5, -0.25)), Media("image", "v"))
    to = draft("Rett", content_warning="Mat", sensitive=True, media=media)
    assert NETWORK.to_update(to, ({"id": "7"}, {"id": "8"}), NOW) == {
        "status": "Rett",
        "spoiler_text": "Mat",
        "sensitive": True,
        "language": "nb",
        "media_ids": ["7", "8"],
        "media_attributes": [
            {"id": "7", "description": "et hus", "focus": "0.5,-0.25"},
            {"id": "8", "description": "", "focus": "0.0,0.0"},
        ],
    }


def test_an_edit_takes_a_warning_away_and_names_neither_readers_nor_parent() -> None:
    to = draft("Rett", poll=Poll(("Ja", "Nei"), shortest=300, longest=86400))
    assert NETWORK.to_update(to, (), NOW) == {
        "status": "Rett",
        "spoiler_text": "",
        "sensitive": False,
        "language": "nb",
        "poll": {"options": ["Ja", "Nei"], "expires_in": 86400, "multiple": False},
    }


# Editing.


def test_an_edit_changes_text_warning_images_and_alt_texts(
    world: World, client: MastodonClient, server: MastodonSimulator
) -> None:
    kept, new = (
        client.upload(Upload(picture(), "image/png", alt, 4, 3)) for alt in ("gammel", "ny")
    )
    ref = client.publish(
        {"status": "Feil", "visibility": "unlisted", "media_ids": [kept["id"]]}, "k"
    )
    world.clock.advance(minutes=5)
    media = (Media("image", "u", "et rødt hus", focus=(0.5, 0.5)), Media("image", "v", "ny"))
    to = draft("Rett", content_warning="Hus", media=media)
    assert update(world, client, ref.id, to, (kept, new)) == ref
    post = client.find(ref.id)
    assert (post.text, post.content_warning, post.visibility) == ("Rett", "Hus", "unlisted")
    assert [(item.alt, item.focus) for item in post.media] == [
        ("et rødt hus", (0.5, 0.5)),
        ("ny", None),
    ]
    assert post.revision == "2026-11-20T12:05:00.000Z"
    assert [version["content"] for version in server._server.statuses[ref.id].history] == [
        "<p>Feil</p>",
        "<p>Rett</p>",
    ]


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "takahe"])
def test_an_edit_can_be_repeated(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour)
    client = world.client(server.account("anna"))
    client.login()
    post_id = server.say("anna", "Feil", images=[(picture(), "et hus")])
    upload = {"id": entity(server, post_id)["media_attachments"][0]["id"]}
    to = draft("Rett", content_warning="Hus", media=(Media("image", "u", "et hus"),))
    first = update(world, client, post_id, to, (upload,))
    world.clock.advance(minutes=5)
    assert update(world, client, post_id, to, (upload,)).id == first.id
    assert client.find(post_id).text == "Rett"
    assert [entry.action for entry in server.journal] == ["publish", "edit"]


def test_what_gotosocial_refuses_for_another_reason_stays_refused(world: World) -> None:
    server = world.server(flavour="gotosocial")
    client = world.client(server.account("anna"))
    client.login()
    post_id = server.say("anna", "Feil")
    with pytest.raises(Refused):
        update(world, client, post_id, draft("x" * 5001))


def test_a_poll_keeps_its_votes_and_its_end(
    world: World, client: MastodonClient, server: MastodonSimulator
) -> None:
    poll = {"options": ["Ja", "Nei"], "expires_in": 86400}
    post_id = server.say("anna", "Blir det sol", poll=poll)
    end = entity(server, post_id)["poll"]["expires_at"]
    server.vote(post_id, 1, 12)
    world.clock.advance(hours=3)
    to = draft("Blir det sol?", poll=Poll(("Ja", "Nei"), shortest=300, longest=7 * 86400))
    update(world, client, post_id, to)
    found = client.find(post_id).poll
    assert found is not None
    assert found.votes == (0, 12)
    assert entity(server, post_id)["poll"]["expires_at"] == end
    other = draft("Blir det sol?", poll=Poll(("Ja", "Niks"), shortest=300, longest=7 * 86400))
    update(world, client, post_id, other)
    found = client.find(post_id).poll
    assert found is not None
    assert (found.options, found.votes) == (("Ja", "Niks"), (0, 0))


def test_a_poll_that_is_over_is_not_opened_again(
    world: World, client: MastodonClient, server: MastodonSimulator
) -> None:
    post_id = server.say("anna", "Sol", poll={"options": ["Ja", "Nei"], "expires_in": 600})
    world.clock.advance(minutes=11)
    with pytest.raises(Refused, match="over"):
        update(world, client, post_id, draft("Sol?", poll=Poll(("Ja", "Nei"), shortest=300)))
    assert client.find(post_id).text == "Sol"


def test_an_edit_waits_for_its_images(world: World) -> None:
    server = world.server(processing=timedelta(seconds=30))
    client = world.client(server.account("anna"))
    client.login()
    post_id = server.say("anna", "Feil", images=[(picture(), "et hus")])
    kept = {"id": entity(server, post_id)["media_attachments"][0]["id"]}
    new = client.upload(Upload(picture(), "image/png", "ny", 4, 3))
    to = draft("Rett", media=(Media("image", "u", "et hus"), Media("image", "v", "ny")))
    with pytest.raises(Busy):
        update(world, client, post_id, to, (kept, new))
    world.clock.advance(seconds=31)
    update(world, client, post_id, to, (kept, new))
    assert len(client.find(post_id).media) == 2


def test_an_edit_that_got_no_answer_is_uncertain_and_of_nothing_gone(
    world: World, client: MastodonClient, server: MastodonSimulator
) -> None:
    post_id = server.say("anna", "Feil")
    server.faults.append(Fault("drop_after", f"PUT {STATUS}"))
    with pytest.raises(Uncertain):
        update(world, client, post_id, draft("Rett"))
    server.faults.append(Fault("answer", f"PUT {STATUS}", status=200, body='{"id": "7"}'))
    with pytest.raises(Uncertain):
        update(world, client, post_id, draft("Rett"))
    ref = ref_to(client.find(post_id))
    server.delete("anna", post_id)
    with pytest.raises(Gone):
        client.update(ref, NETWORK.to_update(draft("Rett"), (), world.clock()))


# Deleting.


def test_a_deletion_takes_the_media_along_and_can_be_repeated(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    post_id = server.say("anna", "Bort", images=[(picture(), "et hus")])
    ref = ref_to(client.find(post_id))
    client.delete(ref)
    client.delete(ref)
    assert not server._server.files
    with pytest.raises(Gone):
        client.find(post_id)


def test_a_deletion_that_something_else_answered_is_no_success(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    post_id = server.say("anna", "Bort")
    ref = ref_to(client.find(post_id))
    server.faults.append(Fault("answer", f"DELETE {STATUS}", status=200, body='{"ok": true}'))
    with pytest.raises(Uncertain):
        client.delete(ref)
    server.faults.append(Fault("answer", f"DELETE {STATUS}", status=404, body='{"message": "?"}'))
    with pytest.raises(Refused) as caught:
        client.delete(ref)
    assert not isinstance(caught.value, Gone)
    assert client.find(post_id).text == "Bort"


def test_deletions_are_limited_by_themselves(
    world: World, client: MastodonClient, server: MastodonSimulator
) -> None:
    posts = [server.say("anna", f"Nummer {number}") for number in range(31)]
    refs = [Ref(post_id, client.login().id) for post_id in posts]
    for ref in refs[:30]:
        client.delete(ref)
    sent = server.requests.total()
    with pytest.raises(Busy) as caught:
        client.delete(refs[30])
    assert server.requests.total() == sent
    assert client.find(posts[30]).text == "Nummer 30"
    world.clock.time = caught.value.retry_at
    client.delete(refs[30])


def test_another_account_s_post_is_left_alone(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    server.account("bo")
    stranger = Ref(server.say("anna", "Mitt"), server.identity("bo"))
    with pytest.raises(Refused):
        client.delete(stranger)
    with pytest.raises(Refused):
        client.update(stranger, {"status": "Mitt", "spoiler_text": ""})
    assert client.find(stranger.id).text == "Mitt"


# Rereading.


def reread(client: MastodonClient, ids: list[str]) -> dict[str, str | None]:
    return {
        post_id: post.text if isinstance(post, Post) else None
        for post_id, post in client.reread(ids).items()
    }


def test_mastodon_rereads_twenty_in_one_request(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    posts = [server.say("anna", f"Nummer {number}") for number in range(45)]
    server.edit("anna", posts[3], "Rettet")
    server.delete("anna", posts[44])
    assert client.reread_batch == 20
    sent = server.requests.total()
    found = reread(client, posts)
    assert server.requests.total() == sent + 3
    assert list(found) == posts
    assert (found[posts[0]], found[posts[3]], found[posts[44]]) == ("Nummer 0", "Rettet", None)
    assert [post_id for post_id, text in found.items() if text is None] == [posts[44]]
    assert reread(client, []) == {}


@pytest.mark.parametrize("flavour", ["gotosocial", "takahe"])
def test_others_are_asked_for_one_at_a_time(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour)
    client = world.client(server.account("anna"))
    client.login()
    assert client.reread_batch == 1
    posts = [server.say("anna", text) for text in ("Én", "To", "Tre")]
    server.delete("anna", posts[1])
    sent = server.requests.total()
    assert reread(client, posts) == {posts[0]: "Én", posts[1]: None, posts[2]: "Tre"}
    # before one counts as missing, the account is asked for
    assert server.requests.total() == sent + 4


def test_a_post_that_was_made_private_says_so(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    post_id = server.say("anna", "For alle")
    server.set_visibility(post_id, "private")
    (post,) = client.reread([post_id]).values()
    assert post is not None
    assert post.visibility == "private"


def test_a_stranger_s_post_is_none_of_the_account(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    post_id = server.say("bo", "Mitt")
    assert client.reread([post_id]) == {post_id: None}
    with pytest.raises(Refused) as caught:
        client.find(post_id)
    assert not isinstance(caught.value, Gone)


# Who may say that a post is gone.


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, "<h1>404 Not Found</h1><hr>nginx", Unreachable),
        (404, "404 page not found", Refused),
        (404, "", Refused),
        (404, '{"message": "no Route matched with those values"}', Refused),
        (404, '{"error": "Not Found", "status": 404, "path": "/api/v1/statuses/1"}', Refused),
        (404, '{"error": "Record not', Refused),
        (410, '{"error": "Gone"}', Refused),
        (401, '{"error": "The access token is invalid"}', LoginNeeded),
        (403, '{"error": "This action is not allowed"}', Refused),
        (500, '{"error": "Record not found"}', Unreachable),
        (200, '{"error": "Record not found"}', Unreachable),
    ],
)
def test_only_the_api_itself_can_say_that_a_post_is_gone(
    client: MastodonClient, server: MastodonSimulator, status: int, body: str, kind: type
) -> None:
    post_id = server.say("anna", "Står")
    server.faults.append(Fault("answer", f"GET {STATUS}", status=status, body=body))
    with pytest.raises(kind) as caught:
        client.find(post_id)
    assert not isinstance(caught.value, Gone)
    assert client.find(post_id).text == "Står"


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, '{"error": "Not Found"}', Refused),
        (401, '{"error": "The access token is invalid"}', LoginNeeded),
        (403, '{"error": "Your login is currently disabled"}', LoginNeeded),
        (200, '{"id": "7", "username": "anna"}', Unreachable),
        (200, "{}", Unreachable),
        (502, "<h1>Bad Gateway</h1>", Unreachable),
    ],
)
def test_where_the_account_is_not_known_no_post_is_gone(
    client: MastodonClient, server: MastodonSimulator, status: int, body: str, kind: type
) -> None:
    post_id = server.say("anna", "Bort")
    ref = ref_to(client.find(post_id))
    server.delete("anna", post_id)
    account = "GET /api/v1/accounts/verify_credentials"
    for ask in (lambda: client.find(post_id), lambda: client.delete(ref)):
        server.faults = [Fault("answer", account, status=status, body=body)]
        with pytest.raises(kind) as caught:
            ask()
        assert not isinstance(caught.value, Gone)
    with pytest.raises(Gone):
        client.find(post_id)


def test_a_single_reread_that_a_proxy_answers_does_not_say_gone(world: World) -> None:
    server = world.server(flavour="gotosocial")
    client = world.client(server.account("anna"))
    client.login()
    post_id = server.say("anna", "Står")
    server.faults.append(Fault("answer", f"GET {STATUS}", status=404, body="404 page not found"))
    with pytest.raises(Refused):
        client.reread([post_id])
