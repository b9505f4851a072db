from __future__ import annotations

import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge import wire
from bridge.network import (
    Backfill,
    Busy,
    LoginNeeded,
    Refused,
    Uncertain,
    Unreachable,
    Upload,
)
from bridge.networks.mastodon import NETWORK
from bridge.networks.mastodon.client import MastodonClient
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.post import Draft, Run
from bridge.simulation import Fault
from tests.networks.mastodon.conftest import World, picture

PAGES = "GET /api/v1/accounts"
STATUSES = "POST /api/v1/statuses"


def payload(text: str = "Kopi", **more: Any) -> dict[str, Any]:
    draft = Draft((Run(text),), datetime(2026, 11, 20, tzinfo=UTC))
    return NETWORK.to_payload(draft, "key", (), None, draft.created_at) | more


def image(alt: str = "en rød flate") -> Upload:
    return Upload(picture(), "image/png", alt, 4, 3)


def read_all(client: MastodonClient, cursor: str) -> tuple[list[str], str]:
    """The texts of everything after a cursor, and where it ends."""
    texts, more = [], True
    while more:
        page = client.fetch(cursor)
        texts += [post.text for post in page.posts]
        cursor, more = page.cursor, page.more
    return texts, cursor


# Reading.


def test_a_page_comes_oldest_first_and_the_next_one_is_empty(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    start = client.newest()
    assert start == ""
    for text in ("Én", "To", "Tre"):
        server.say("anna", text)
    page = client.fetch(start)
    assert [post.text for post in page.posts] == ["Én", "To", "Tre"]
    assert page.cursor == page.posts[-1].id == client.newest()
    assert page.more
    before = sum(server.requests.values())
    after = client.fetch(page.cursor)
    assert (after.posts, after.cursor, after.more) == ((), page.cursor, False)
    assert sum(server.requests.values()) == before + 1


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "takahe"])
def test_a_long_pause_leaves_no_gap(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour, limits=False)
    client = world.client(server.account("anna"))
    server.say("anna", "gammelt")
    start = client.newest()
    texts = [f"melding {n}" for n in range(95)]
    for text in texts:
        server.say("anna", text)
        server.say("bo", "noen andre")
    found, cursor = read_all(client, start)
    assert found == texts
    assert cursor == client.newest()


def test_posts_that_share_a_millisecond_or_go_back_in_time_are_all_read(
    world: World, client: MastodonClient, server: MastodonSimulator
) -> None:
    server.say("anna", "en")
    server.say("anna", "to")
    world.clock.advance(seconds=-90)
    server.say("anna", "tre")
    assert read_all(client, "")[0] == ["en", "to", "tre"]


def test_everything_the_account_does_gets_read(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    first = server.say("anna", "Tråd", language="nb")
    server.say("anna", "fortsettelse", reply_to=first)
    server.say("anna", "bare for venner", visibility="private")
    server.boost("anna", server.say("bo", "Bos post"))
    server.boost("anna", "https://far.example/@x/1")
    server.say("anna", "bilde", images=[(picture(), "en flate")])
    posts = client.fetch("").posts
    me = client.login().id
    assert all(post.account == me for post in posts)
    assert posts[1].reply_to is not None
    assert (posts[1].reply_to.id, posts[1].reply_to.account) == (first, me)
    assert posts[2].visibility == "private"
    assert posts[3].boost is not None
    assert posts[3].boost.account == server.identity("bo")
    assert posts[4].boost is not None
    assert posts[4].boost.url == "https://far.example/@x/1"
    assert posts[5].media[0].alt == "en flate"
    assert wire.send("GET", posts[5].media[0].url).body == picture()


def test_one_malformed_status_does_not_block_the_others(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    account = {"id": client.login().id.rpartition("/")[2]}
    page = [
        {"id": "3", "account": account, "content": "<p>god</p>", "visibility": "public",
         "created_at": "2026-11-20T12:00:00Z"},
        {"id": "2", "account": account, "visibility": ["?"], "created_at": 3, "poll": "x"},
    ]  # fmt: skip
    server.faults.append(Fault("answer", PAGES, status=200, body=json.dumps(page)))
    found = client.fetch("1")
    assert [(post.id, post.visibility) for post in found.posts] == [
        ("2", "unknown"),
        ("3", "public"),
    ]
    assert found.cursor == "3"


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial"])
def test_a_first_run_takes_what_it_is_told(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour)
    client = world.client(server.account("anna"))
    texts = [f"nr {n}" for n in range(100)]
    for text in texts:
        world.clock.advance(minutes=1)
        server.say("anna", text)
    start = world.clock() - timedelta(minutes=59, seconds=30)

    def begun(take: Backfill) -> list[str]:
        page = client.begin(take)
        assert page.posts == ()
        return read_all(client, page.cursor)[0]

    assert begun(Backfill()) == []
    assert begun(Backfill(last=3)) == texts[-3:]
    assert begun(Backfill(last=40)) == texts[-40:]
    assert begun(Backfill(last=500)) == texts
    assert begun(Backfill(since=start)) == texts[-60:]
    assert begun(Backfill(since=start - timedelta(days=9))) == texts
    assert begun(Backfill(everything=True)) == texts


def test_a_first_run_on_an_empty_account_starts_at_the_beginning(client: MastodonClient) -> None:
    for take in (Backfill(), Backfill(last=3), Backfill(everything=True)):
        assert client.begin(take).cursor == ""


def test_a_server_that_repeats_its_pages_is_noticed(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    account = {"id": client.login().id.rpartition("/")[2]}
    page = json.dumps([{"id": "3", "account": account, "created_at": "2026-11-20T12:00:00Z"}])
    server.faults.append(Fault("answer", PAGES, status=200, body=page, times=9))
    with pytest.raises(Unreachable, match="again"):
        client.begin(Backfill(last=10))


Act = Callable[[MastodonClient], object]
READS: list[Act] = [lambda c: c.fetch("0"), lambda c: c.newest()]


@pytest.mark.parametrize("act", READS)
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("drop_before", PAGES), Unreachable),
        (Fault("drop_after", PAGES), Unreachable),
        (Fault("truncate", PAGES), Unreachable),
        (Fault("answer", PAGES, status=500), Unreachable),
        (Fault("answer", PAGES, status=502, body="<h1>Bad gateway</h1>"), Unreachable),
        (Fault("answer", PAGES, status=200, body="<h1>Hello</h1>"), Unreachable),
        (Fault("answer", PAGES, status=200, body='{"error": "x"}'), Unreachable),
        (Fault("answer", PAGES, status=200, body="[null]"), Unreachable),
        (Fault("answer", PAGES, status=200, body='[{"content": "x"}]'), Unreachable),
        (Fault("answer", PAGES, status=301), Unreachable),
        (Fault("answer", PAGES, status=401, body='{"error": "revoked"}'), LoginNeeded),
        (Fault("answer", PAGES, status=429), Busy),
        (Fault("answer", PAGES, status=404), Refused),
    ],
)
def test_a_read_that_fails_is_one_of_the_five_kinds(
    client: MastodonClient, server: MastodonSimulator, act: Act, fault: Fault, kind: type
) -> None:
    server.say("anna", "hei")
    server.faults.append(Fault(fault.kind, fault.match, status=fault.status, body=fault.body))
    with pytest.raises(kind):
        act(client)


# Writing.


def test_a_post_is_one_request_and_reads_back_as_itself(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    first = client.publish(payload("Første del"), "key-1")
    before = sum(server.requests.values())
    text = "Andre del: https://avis.example/en/lang/sti/til/saken?side=2 #havn مرحبا 👨‍👩‍👧"
    body = payload(text, in_reply_to_id=first.id, spoiler_text="Mat", language="nb")
    ref = client.publish(body, "key-2")
    assert sum(server.requests.values()) == before + 1
    entry = server.journal[-1]
    assert (entry.id, entry.text, entry.reply_to, entry.key) == (ref.id, text, first.id, "key-2")
    assert (entry.warning, entry.languages) == ("Mat", ("nb",))
    assert entry.links == ("https://avis.example/en/lang/sti/til/saken?side=2",)
    assert ref.account == server.identity("anna")
    assert ref.url == f"{server.url}/@anna/{ref.id}"
    post = client.fetch(first.id).posts[0]
    assert post.id == ref.id
    assert NETWORK.matches(body, "key-2", post)


def test_the_application_of_a_token_shows_on_its_posts(
    world: World, server: MastodonSimulator
) -> None:
    client = world.client(server.account("anna", application="Tribridge"))
    client.publish(payload(), "k")
    server.say("anna", "av hånd")
    assert [post.application for post in client.fetch("").posts] == ["Tribridge", "Web"]


@pytest.mark.parametrize("flavour", ["mastodon", "gotosocial", "takahe"])
def test_an_image_goes_with_its_description(world: World, flavour: str) -> None:
    server = world.server(flavour=flavour)
    client = world.client(server.account("anna"))
    upload = client.upload(image("rød flate, «rolig» 🟥"))
    assert set(upload) == {"id"}
    json.dumps(upload)
    client.publish(payload(media_ids=[upload["id"]]), "k")
    assert server.journal[-1].alts == ("rød flate, «rolig» 🟥",)
    assert server.requests["POST /api/v2/media"] == 1
    assert client.fetch("").posts[0].media[0].alt == "rød flate, «rolig» 🟥"


def test_an_alt_text_is_cut_to_what_the_server_counts(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    upload = client.upload(image("👨‍👩‍👧" * 1500))
    client.publish(payload(media_ids=[upload["id"]]), "k")
    assert len(server.journal[-1].alts[0]) == 1500


def test_an_image_that_is_still_processed_makes_the_post_wait(world: World) -> None:
    server = world.server(processing=timedelta(seconds=30))
    client = world.client(server.account("anna"))
    body = payload(media_ids=[client.upload(image())["id"]])
    with pytest.raises(Busy) as caught:
        client.publish(body, "k")
    assert caught.value.retry_at == world.clock() + timedelta(seconds=10)
    assert server.journal == []
    world.clock.advance(seconds=30)
    client.publish(body, "k")
    assert len(server.journal) == 1


def test_a_lost_answer_to_an_upload_can_be_repeated(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    server.faults.append(Fault("drop_after", "POST /api/v2/media"))
    with pytest.raises(Unreachable):
        client.upload(image())
    assert client.upload(image())["id"]


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("answer", status=500, body="<h1>oh</h1>"), Unreachable),
        (Fault("answer", status=200, body="<h1>oh</h1>"), Unreachable),
        (Fault("answer", status=200, body="[]"), Unreachable),
        (Fault("answer", status=200, body='{"type": 4}'), Unreachable),
        (Fault("answer", status=302, headers={"Location": "/x"}), Unreachable),
        (Fault("answer", status=401), LoginNeeded),
        (Fault("answer", status=429), Busy),
        (Fault("answer", status=422, body='{"error": "Validation failed: type"}'), Refused),
        (Fault("answer", status=413), Refused),
    ],
)
def test_an_upload_that_fails_is_one_of_the_five_kinds(
    client: MastodonClient, server: MastodonSimulator, fault: Fault, kind: type
) -> None:
    server.faults.append(
        Fault("answer", "POST /api/v2/media", status=fault.status, body=fault.body)
    )
    with pytest.raises(kind):
        client.upload(image())


@pytest.mark.parametrize(
    ("fault", "kind", "stands"),
    [
        (Fault("drop_before"), Uncertain, 0),
        (Fault("drop_after"), Uncertain, 1),
        (Fault("truncate"), Uncertain, 1),
        (Fault("answer_after", status=502), Uncertain, 1),
        (Fault("answer", status=503), Uncertain, 0),
        (Fault("answer_after", status=200, body="<h1>ok</h1>"), Uncertain, 1),
        (Fault("answer_after", status=200, body="[]"), Uncertain, 1),
        (Fault("answer_after", status=200, body='{"id": null}'), Uncertain, 1),
        (
            Fault("answer", status=200, body='{"id": "1", "scheduled_at": "2027-01-01"}'),
            Uncertain,
            0,
        ),
        (Fault("answer", status=401), LoginNeeded, 0),
        (Fault("answer", status=422, body='{"error": "Validation failed"}'), Refused, 0),
        (Fault("answer", status=429), Busy, 0),
        (
            Fault(
                "answer",
                status=403,
                body='{"error": "This action is outside the authorized scopes"}',
            ),
            LoginNeeded,
            0,
        ),
        (
            Fault("answer", status=403, body='{"error": "Your login is currently disabled"}'),
            LoginNeeded,
            0,
        ),
        (
            Fault("answer", status=403, body='{"error": "This action is not allowed"}'),
            Refused,
            0,
        ),
    ],
)
def test_a_post_that_fails_is_one_of_the_five_kinds(
    client: MastodonClient, server: MastodonSimulator, fault: Fault, kind: type, stands: int
) -> None:
    server.faults.append(Fault(fault.kind, STATUSES, status=fault.status, body=fault.body))
    with pytest.raises(kind):
        client.publish(payload(), "key")
    assert len(server.journal) == stands


def test_a_key_that_the_server_keeps_makes_a_repeat_harmless(
    client: MastodonClient, server: MastodonSimulator
) -> None:
    server.faults.append(Fault("drop_after", STATUSES))
    with pytest.raises(Uncertain):
        client.publish(payload(), "key")
    ref = client.publish(payload(), "key")
    assert [entry.id for entry in server.journal] == [ref.id]


def test_a_text_that_is_too_long_is_refused(client: MastodonClient) -> None:
    assert client.publish(payload("x" * 500), "a")
    with pytest.raises(Refused, match="500"):
        client.publish(payload("x" * 501), "b")


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("2026-11-20T12:04:00.123Z", datetime(2026, 11, 20, 12, 4, 0, 123000, tzinfo=UTC)),
        ("1795176240", datetime.fromtimestamp(1795176240, UTC)),
        ("soon", datetime(2026, 11, 20, 12, 15, tzinfo=UTC)),
    ],
)
def test_the_rate_limit_says_when_to_come_back(
    client: MastodonClient, server: MastodonSimulator, header: str, expected: datetime
) -> None:
    headers = {"X-RateLimit-Reset": header}
    server.faults.append(Fault("answer", PAGES, status=429, headers=headers))
    with pytest.raises(Busy) as caught:
        client.fetch("")
    assert caught.value.retry_at == expected


def test_no_error_tells_the_token(client: MastodonClient, server: MastodonSimulator) -> None:
    token = server.account("anna")["access_token"]
    for status in (401, 403, 422, 429, 500):
        server.faults.append(Fault("answer", STATUSES, status=status, body="<h1>no</h1>"))
        with pytest.raises((LoginNeeded, Refused, Busy, Uncertain)) as caught:
            client.publish(payload(), "key")
        assert token not in str(caught.value)


def test_importing_the_manifest_imports_no_sdk() -> None:
    code = "import sys, bridge.networks.mastodon as m; print('mastodon' in sys.modules, m.NETWORK)"
    import subprocess

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False")
