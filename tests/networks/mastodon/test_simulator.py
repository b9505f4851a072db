from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge import wire
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.mastodon.simulator.markup import mark_up
from tests.networks.mastodon.conftest import World, picture


def ask(
    server: MastodonSimulator,
    method: str,
    path: str,
    body: Any = None,
    name: str = "anna",
    **headers: str,
) -> wire.Answer:
    """A request over HTTP as `name`."""
    token = server.account(name)["access_token"]
    head = {"Authorization": f"Bearer {token}", **headers}
    return wire.send(method, server.url + path, json=body, headers=head)


def post(server: MastodonSimulator, text: str, key: str = "", **more: Any) -> wire.Answer:
    head = {"Idempotency-Key": key} if key else {}
    return ask(server, "POST", "/api/v1/statuses", {"status": text, **more}, **head)


# Text.


def test_text_becomes_the_html_that_mastodon_serves() -> None:
    def find(handle: str) -> dict[str, str] | None:
        if handle != "bo":
            return None
        return {"id": "3", "username": "bo", "acct": "bo", "url": "https://s.example/@bo"}

    words = "Hei @bo & @nobody\nse https://www.avis.example/en/veldig/lang/sti/hit\n\n#Blåbær <3"
    marked = mark_up(words, "https://s.example", find)
    assert marked.html == (
        '<p>Hei <span class="h-card" translate="no"><a href="https://s.example/@bo" '
        'class="u-url mention">@<span>bo</span></a></span> &amp; @nobody<br />se '
        '<a href="https://www.avis.example/en/veldig/lang/sti/hit" target="_blank" '
        'rel="nofollow noopener" translate="no"><span class="invisible">https://www.</span>'
        '<span class="ellipsis">avis.example/en/veldig/lang/st</span>'
        '<span class="invisible">i/hit</span></a></p>'
        '<p><a href="https://s.example/tags/blåbær" class="mention hashtag" rel="tag">'
        "#<span>Blåbær</span></a> &lt;3</p>"
    )
    assert [m["acct"] for m in marked.mentions] == ["bo"]
    assert [t["name"] for t in marked.tags] == ["blåbær"]
    assert marked.links == ("https://www.avis.example/en/veldig/lang/sti/hit",)


# Idempotency.


def test_a_key_gives_the_same_status_for_an_hour_even_for_another_text(
    world: World, server: MastodonSimulator
) -> None:
    first = post(server, "Én", key="k").object()
    world.clock.advance(minutes=59)
    assert post(server, "To", key="k").object()["id"] == first["id"]
    world.clock.advance(minutes=2)
    assert post(server, "Tre", key="k").object()["id"] != first["id"]
    assert [entry.text for entry in server.journal] == ["Én", "Tre"]


@pytest.mark.parametrize("flavour", ["gotosocial", "takahe"])
def test_other_software_ignores_keys(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour)
    post(server, "Én", key="k")
    post(server, "Én", key="k")
    assert len(server.journal) == 2


def test_keys_belong_to_one_account(server: MastodonSimulator) -> None:
    head = {"Idempotency-Key": "k"}
    ask(server, "POST", "/api/v1/statuses", {"status": "a"}, name="anna", **head)
    ask(server, "POST", "/api/v1/statuses", {"status": "b"}, name="bo", **head)
    assert [entry.account for entry in server.journal] == ["anna", "bo"]


# Validation.


@pytest.mark.parametrize(
    ("flavour", "body", "status"),
    [
        ("mastodon", {"status": ""}, 422),
        ("mastodon", {"status": "x" * 501}, 422),
        ("mastodon", {"status": "x" * 500, "spoiler_text": "w"}, 422),
        ("mastodon", {"status": "x", "visibility": "everybody"}, 422),
        ("mastodon", {"status": "x", "in_reply_to_id": "1"}, 404),
        ("mastodon", {"status": "x", "media_ids": ["1"]}, 422),
        ("mastodon", {"status": "x", "sensitive": "1"}, 200),
        ("mastodon", {"status": "👨‍👩‍👧" * 500}, 200),
        ("mastodon", {"status": "https://example.com/" + "x" * 900}, 200),
        ("gotosocial", {"status": "x", "sensitive": "1"}, 400),
        ("gotosocial", {"status": "x", "language": "not a tag"}, 400),
        ("gotosocial", {"status": "x", "language": None, "unheard_of": 1}, 200),
        ("gotosocial", {"status": "x" * 5001}, 400),
        ("gotosocial", {"status": "https://example.com/" + "x" * 4980}, 200),
        ("gotosocial", {"status": "https://example.com/" + "x" * 4981}, 400),
        ("gotosocial", {"status": "👨‍👩‍👧" * 1001}, 400),
    ],
)
def test_what_a_server_refuses(
    world: World, flavour: str, body: dict[str, Any], status: int
) -> None:
    server = world.server(flavour=flavour)
    assert ask(server, "POST", "/api/v1/statuses", body).status == status
    assert len(server.journal) == (status == 200)


def test_more_images_than_allowed_are_refused(server: MastodonSimulator) -> None:
    server.say("anna", "fire", images=[(picture(), str(n)) for n in range(4)])
    with pytest.raises(RuntimeError, match="422"):
        server.say("anna", "fem", images=[(picture(), str(n)) for n in range(5)])


def test_an_image_belongs_to_one_post(server: MastodonSimulator) -> None:
    server.say("anna", "bilde", images=[(picture(), "")])
    media_id = server.journal[-1].raw["media_attachments"][0]["id"]
    assert post(server, "igjen", media_ids=[media_id]).status == 422


def test_an_upload_is_not_ready_until_it_is_processed(world: World) -> None:
    server = world.server(processing=timedelta(seconds=5))
    token = server.account("anna")["access_token"]

    def send(data: bytes) -> wire.Answer:
        files = {"file": ("a.png", data, "image/png")}
        head = {"Authorization": f"Bearer {token}"}
        return wire.send("POST", f"{server.url}/api/v2/media", files=files, headers=head)

    answer = send(picture())
    assert (answer.status, answer.object()["url"]) == (202, None)
    path = f"/api/v1/media/{answer.object()['id']}"
    assert ask(server, "GET", path).status == 206
    assert post(server, "bilde", media_ids=[answer.object()["id"]]).status == 422
    assert ask(server, "GET", path, name="bo").status == 404
    world.clock.advance(seconds=5)
    ready = ask(server, "GET", path)
    assert (ready.status, bool(ready.object()["url"])) == (200, True)
    assert send(b"no image").status == 422


# Edits, deletes, boosts.


def test_an_edit_shows_its_time_and_keeps_its_history(
    world: World, server: MastodonSimulator
) -> None:
    post_id = server.say("anna", "Feil", language="nb", images=[(picture(), "alt")])
    world.clock.advance(minutes=5)
    server.edit("anna", post_id, "Rett")
    status = ask(server, "GET", f"/api/v1/statuses/{post_id}").object()
    assert status["edited_at"] == "2026-11-20T12:05:00.000Z"
    assert (status["content"], status["language"]) == ("<p>Rett</p>", "nb")
    assert len(status["media_attachments"]) == 1
    source = ask(server, "GET", f"/api/v1/statuses/{post_id}/source").object()
    assert source == {"id": post_id, "text": "Rett", "spoiler_text": ""}
    history = ask(server, "GET", f"/api/v1/statuses/{post_id}/history").json()
    assert [version["content"] for version in history] == ["<p>Feil</p>", "<p>Rett</p>"]
    assert [(e.action, e.text) for e in server.journal] == [("publish", "Feil"), ("edit", "Rett")]
    page = server.journal[0].raw["account"]["id"]
    listed = ask(server, "GET", f"/api/v1/accounts/{page}/statuses").json()
    assert listed[0]["content"] == "<p>Rett</p>"


def test_an_edit_drops_what_it_leaves_out(server: MastodonSimulator) -> None:
    post_id = server.say("anna", "Feil", warning="Mat", images=[(picture(), "alt")])
    status = ask(server, "PUT", f"/api/v1/statuses/{post_id}", {"status": "Rett"}).object()
    assert (status["media_attachments"], status["spoiler_text"]) == ([], "")


def test_gotosocial_refuses_an_edit_that_changes_nothing(world: World) -> None:
    server = world.server(flavour="gotosocial")
    post_id = server.say("anna", "Likt")
    with pytest.raises(RuntimeError, match="422"):
        server.edit("anna", post_id, "Likt")


def test_a_deleted_status_is_gone_with_its_boosts(server: MastodonSimulator) -> None:
    post_id = server.say("anna", "Bort")
    boost_id = server.boost("bo", post_id)
    server.delete("anna", post_id)
    for gone in (post_id, boost_id):
        assert ask(server, "GET", f"/api/v1/statuses/{gone}").status == 404
    assert ask(server, "DELETE", f"/api/v1/statuses/{post_id}").status == 404
    actions = [(e.account, e.action) for e in server.journal]
    assert actions[-2:] == [("bo", "delete"), ("anna", "delete")]


def test_only_the_author_can_delete(server: MastodonSimulator) -> None:
    post_id = server.say("anna", "Mitt")
    assert ask(server, "DELETE", f"/api/v1/statuses/{post_id}", name="bo").status == 404


@pytest.mark.parametrize(("flavour", "wrappers"), [("mastodon", 1), ("gotosocial", 2)])
def test_boosting_twice(world: World, flavour: str, wrappers: int) -> None:
    server = world.server(flavour=flavour)
    post_id = server.say("anna", "Les dette")
    assert len({server.boost("bo", post_id), server.boost("bo", post_id)}) == wrappers
    assert server.journal[-1].boost_of == post_id


def test_a_boost_can_be_taken_back(server: MastodonSimulator) -> None:
    post_id = server.say("anna", "Les dette")
    server.boost("bo", post_id)
    server.unboost("bo", post_id)
    assert (server.journal[-1].account, server.journal[-1].action) == ("bo", "delete")


# Who sees what.


def test_only_the_author_sees_a_private_post(server: MastodonSimulator) -> None:
    post_id = server.say("anna", "hemmelig", visibility="private")
    server.say("anna", "åpent")
    account = server.identity("anna").rpartition("/")[2]
    path = f"/api/v1/accounts/{account}/statuses"
    assert len(ask(server, "GET", path).json()) == 2
    assert len(ask(server, "GET", path, name="bo").json()) == 1
    assert ask(server, "GET", f"/api/v1/statuses/{post_id}", name="bo").status == 404
    assert wire.send("GET", f"{server.url}/@anna/{post_id}").status == 404


def test_accounts_can_be_looked_up(server: MastodonSimulator) -> None:
    server.account("bo")
    found = ask(server, "GET", "/api/v1/accounts/lookup?acct=bo").object()
    assert server.identity("bo").endswith("/" + found["id"])
    assert ask(server, "GET", "/api/v1/accounts/lookup?acct=nobody").status == 404


def test_min_id_gives_the_next_and_since_id_the_newest(server: MastodonSimulator) -> None:
    ids = [server.say("anna", str(n)) for n in range(10)]
    account = server.identity("anna").rpartition("/")[2]

    def page(query: str) -> list[str]:
        found = ask(server, "GET", f"/api/v1/accounts/{account}/statuses?{query}").json()
        return [status["id"] for status in found]

    assert page(f"min_id={ids[2]}&limit=3") == ids[5:2:-1]
    assert page(f"since_id={ids[2]}&limit=3") == ids[:6:-1]
    assert page(f"max_id={ids[2]}") == ids[1::-1]
    server.say("anna", "svar", reply_to=server.say("bo", "spørsmål"))
    server.boost("anna", ids[0])
    assert page("exclude_replies=true&exclude_reblogs=true&limit=2") == ids[:7:-1]


def test_gotosocial_ids_compare_as_text(world: World) -> None:
    server = world.server(flavour="gotosocial")
    ids = [server.say("anna", str(n)) for n in range(3)]
    assert ids == sorted(ids)
    assert all(len(each) == 26 and each.startswith("01") for each in ids)
    account = server.identity("anna").rpartition("/")[2]
    path = f"/api/v1/accounts/{account}/statuses"
    assert ask(server, "GET", f"{path}?min_id=117662312442626048").json() == []
    assert len(ask(server, "GET", f"{path}?min_id=0").json()) == 3


# Ways of other software.


def test_gotosocial_wants_a_user_agent_and_json(world: World) -> None:
    server = world.server(flavour="gotosocial")
    path = "/api/v1/accounts/verify_credentials"
    assert ask(server, "GET", path, **{"User-Agent": ""}).status == 418
    assert ask(server, "GET", path, Accept="text/html").status == 406
    assert ask(server, "GET", path).status == 200


def test_defaults_differ_by_software(world: World) -> None:
    for flavour, expected in (
        ("mastodon", ("public", None)),
        ("gotosocial", ("unlisted", "en")),
        ("takahe", ("public", None)),
    ):
        status = post(world.server(flavour=flavour), "Hei").object()
        assert (status["visibility"], status["language"]) == expected
    takahe = post(world.server(flavour="takahe"), "Hei", language="nb").object()
    assert takahe["language"] is None


def test_takahe_fails_on_ids_that_are_not_numbers(world: World) -> None:
    server = world.server(flavour="takahe")
    assert ask(server, "GET", "/api/v1/statuses/abc").status == 500


# Quotas.


def test_requests_are_counted_and_refused_over_the_quota(world: World) -> None:
    server = world.server()
    path = "/api/v1/accounts/verify_credentials"
    first = ask(server, "GET", path)
    assert first.headers["x-ratelimit-remaining"] == "299"
    assert first.headers["x-ratelimit-reset"] == "2026-11-20T12:05:00+00:00"
    for _ in range(299):
        ask(server, "GET", path)
    assert ask(server, "GET", path).status == 429
    assert ask(server, "GET", path, name="bo").status == 200
    world.clock.advance(minutes=5)
    assert ask(server, "GET", path).status == 200


def test_quotas_can_be_lifted(world: World) -> None:
    server = world.server(limits=False)
    answer = ask(server, "GET", "/api/v1/accounts/verify_credentials")
    assert "x-ratelimit-limit" not in answer.headers


def test_a_form_works_as_json_does(server: MastodonSimulator) -> None:
    token = server.account("anna")["access_token"]
    answer = wire.send(
        "POST",
        f"{server.url}/api/v1/statuses",
        data={"status": "Fra curl", "visibility": "unlisted", "sensitive": "true"},
        headers={"Authorization": f"Bearer {token}"},
    )
    status = answer.object()
    assert (status["content"], status["visibility"]) == ("<p>Fra curl</p>", "unlisted")
    assert status["sensitive"] is True


def test_people_can_post_polls_and_quotes(server: MastodonSimulator) -> None:
    first = server.say("bo", "Se her")
    server.say("anna", "Enig", quoted_status_id=first)
    raw = server.journal[-1].raw
    assert raw["quote"]["quoted_status"]["id"] == first
    assert raw["content"].startswith('<p class="quote-inline">RE: ')
    server.say("anna", "Hva nå?", poll={"options": ["Kaffe", "Te"], "expires_in": 600})
    assert [o["title"] for o in server.journal[-1].raw["poll"]["options"]] == ["Kaffe", "Te"]
