import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from bridge.network import (
    Backfill,
    Busy,
    LoginNeeded,
    Refused,
    Uncertain,
    Unreachable,
    Upload,
)
from bridge.networks.twitter.client import TwitterClient
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.simulation import Fault
from tests.networks.twitter.conftest import Clock, Memory, picture

Connect = Callable[[str], TwitterClient]
TIMELINE = "GET /2/users/:id/tweets"


def problem(status: int, detail: str, **more: Any) -> Fault:
    body = {"title": "Forbidden", "detail": detail, "type": "about:blank", "status": status}
    return Fault("answer", "POST /2/tweets", status=status, body=json.dumps({**body, **more}))


# Login


def test_login_costs_one_request_in_the_lifetime_of_the_keys(
    x: TwitterSimulator, connect: Connect
) -> None:
    first = connect("kari").login()
    again = connect("kari").login()
    assert first == again
    assert first.id == x.identity("kari")
    assert (first.handle, first.url) == ("@kari", "https://x.com/kari")
    assert x.requests["GET /2/users/me"] == 1


def test_other_keys_are_not_taken_for_the_saved_account(
    x: TwitterSimulator, connect: Connect
) -> None:
    connect("kari")
    assert connect("ola").login().id == x.identity("ola")


@pytest.mark.parametrize("saved", ["", "null", "[]", "{", '{"keys": 1}'])
def test_a_damaged_session_is_asked_for_anew(
    x: TwitterSimulator, connect: Connect, memory: Memory, saved: str
) -> None:
    memory.data = saved
    assert connect("kari").login().id == x.identity("kari")


def test_the_session_holds_no_key(x: TwitterSimulator, connect: Connect, memory: Memory) -> None:
    connect("kari")
    assert memory.data
    assert not any(value in memory.data for value in x.account("kari").values())


def test_wrong_keys_need_a_login(x: TwitterSimulator, clock: Clock) -> None:
    for name in ("api_key", "api_key_secret", "access_token", "access_token_secret"):
        keys = {**x.account("kari"), name: "wrong"}
        with pytest.raises(LoginNeeded) as caught:
            TwitterClient(keys, Memory(), clock).login()
        assert not any(secret in str(caught.value) for secret in keys.values())


@pytest.mark.parametrize("body", ['{"data": 3}', '{"data": {"id": "x"}}', "[]", "{}", "<html>"])
def test_a_login_answer_of_the_wrong_shape_is_unreachable(
    x: TwitterSimulator, clock: Clock, body: str
) -> None:
    x.faults.append(Fault("answer", "GET /2/users/me", status=200, body=body))
    with pytest.raises(Unreachable):
        TwitterClient(x.account("kari"), Memory(), clock).login()


# Reading


def test_fetch_brings_what_is_new_oldest_first(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    x.say("kari", "gammelt")
    cursor = client.newest()
    ids = [x.say("kari", f"nr {n}") for n in range(3)]
    x.say("ola", "ikke min")
    page = client.fetch(cursor)
    assert [post.id for post in page.posts] == ids
    assert page.cursor == ids[-1]
    assert not page.more


def test_nothing_new_costs_one_request_and_no_money(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    cursor = x.say("kari", "alt")
    spent, before = x.spent, x.requests[TIMELINE]
    page = client.fetch(cursor)
    assert (page.posts, page.cursor) == ((), cursor)
    assert x.requests[TIMELINE] == before + 1
    assert x.spent == spent


def test_catching_up_leaves_no_gap_however_long_the_pause(
    x: TwitterSimulator, connect: Connect
) -> None:
    client = connect("kari")
    cursor = x.say("kari", "før pausen")
    ids = [x.say("kari", f"nr {n}") for n in range(250)]
    assert [post.id for post in client.fetch(cursor).posts] == ids
    assert len(client.fetch("").posts) == 251


def test_a_failure_in_the_middle_of_the_pages_loses_nothing(
    x: TwitterSimulator, connect: Connect
) -> None:
    client = connect("kari")
    ids = [x.say("kari", f"nr {n}") for n in range(120)]
    x.faults.append(Fault("answer", "GET /2/users/", skip=1, status=503))
    with pytest.raises(Unreachable):
        client.fetch("")
    assert [post.id for post in client.fetch("").posts] == ids


@pytest.mark.parametrize("family", ["post", "tweet"])
def test_the_family_of_names_is_found_out_once_and_remembered(
    clock: Clock, memory: Memory, family: Any
) -> None:
    x = TwitterSimulator(now=clock, family=family)
    x.start()
    try:
        first = x.say("kari", "en tråd")
        x.say("kari", "fortsetter", reply_to=first)
        for _restart in range(2):
            client = TwitterClient(x.account("kari"), memory, clock)
            client.login()
            posts = client.fetch("").posts
            assert posts[1].reply_to is not None
            assert posts[1].reply_to.id == first
            assert posts[1].reply_to.account == x.identity("kari")
            client.fetch("")
        assert x.requests[TIMELINE] == (4 if family == "post" else 5)
    finally:
        x.stop()


def test_replies_reposts_and_quotes_come_with_their_references(
    x: TwitterSimulator, connect: Connect
) -> None:
    client = connect("kari")
    other = x.say("ola", "hei")
    x.say("kari", "svar", reply_to=other)
    x.boost("kari", other)
    x.say("kari", "enig", quote=other)
    reply, boost, quote = client.fetch("").posts
    assert reply.reply_to is not None
    assert reply.reply_to.account == x.identity("ola")
    assert boost.boost is not None
    assert boost.boost.id == other
    assert quote.quote is not None
    assert (quote.quote.id, quote.text) == (other, "enig")


def test_an_edit_is_a_new_revision_of_the_same_post(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    first = x.say("kari", "en feill")
    cursor = client.fetch("").cursor
    second = x.edit("kari", first, "en feil")
    (post,) = client.fetch(cursor).posts
    assert (post.id, post.revision, post.text) == (first, second, "en feil")


def test_an_account_that_becomes_protected_is_private_from_the_next_page_on(
    x: TwitterSimulator, connect: Connect
) -> None:
    client = connect("kari")
    cursor = x.say("kari", "åpent")
    assert client.fetch("").posts[0].visibility == "public"
    x.protect("kari")
    x.say("kari", "lukket")
    assert client.fetch(cursor).posts[0].visibility == "private"
    again = connect("kari")
    assert again._user.protected


def test_media_arrive_with_their_description_and_can_be_fetched(
    x: TwitterSimulator, connect: Connect
) -> None:
    data = picture(8, 5)
    x.say("kari", "se", images=[(data, "en blågrønn flate"), (picture(), "")])
    (post,) = connect("kari").fetch("").posts
    assert post.text == "se"
    assert [(m.kind, m.alt, m.width, m.height) for m in post.media] == [
        ("image", "en blågrønn flate", 8, 5),
        ("image", "", 4, 3),
    ]
    from bridge import wire

    assert wire.send("GET", post.media[0].url).body == data


@pytest.mark.parametrize(
    "body",
    [
        '{"errors": [{"title": "Authorization Error", "detail": "not yours"}]}',
        '{"data": {}, "meta": {}}',
        '{"data": [], "meta": []}',
        '{"data": [{"id": "5"}], "meta": {"next_token": 4}}',
        "[]",
        "<html>",
    ],
)
def test_a_page_of_the_wrong_shape_is_unreachable(
    x: TwitterSimulator, connect: Connect, body: str
) -> None:
    client = connect("kari")
    x.faults.append(Fault("answer", "GET /2/users/", status=200, body=body))
    with pytest.raises(Unreachable):
        client.fetch("")


def test_pages_that_never_end_are_given_up(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    body = '{"data": [{"id": "5"}], "meta": {"next_token": "same"}}'
    x.faults.append(Fault("answer", "GET /2/users/", times=9, status=200, body=body))
    with pytest.raises(Unreachable, match="do not end"):
        client.fetch("")


@pytest.mark.parametrize("kind", ["drop_before", "truncate"])
def test_a_broken_read_is_unreachable(x: TwitterSimulator, connect: Connect, kind: Any) -> None:
    client = connect("kari")
    x.faults.append(Fault(kind, "GET /2/users/", times=2))
    with pytest.raises(Unreachable):
        client.fetch("")


# The first run


def test_a_first_run_starts_at_the_newest_post(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    assert client.begin(Backfill()).cursor == ""
    ids = [x.say("kari", f"nr {n}") for n in range(7)]
    assert client.newest() == ids[-1]
    assert client.begin(Backfill()).cursor == ids[-1]


def test_a_first_run_records_what_an_edit_could_bring_up_again(
    x: TwitterSimulator, connect: Connect, clock: Clock
) -> None:
    client = connect("kari")
    for n in range(3):
        x.say("kari", f"for lenge siden {n}")
    clock.forward(hours=2)
    recent = [x.say("kari", f"nettopp {n}") for n in range(7)]
    page = client.begin(Backfill())
    assert [post.id for post in page.posts] == recent
    x.edit("kari", recent[0], "rettet")
    (edited,) = client.fetch(page.cursor).posts
    assert edited.id in {post.id for post in page.posts}


def test_a_first_run_can_take_the_last_posts(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    ids = [x.say("kari", f"nr {n}") for n in range(130)]
    for last in (1, 5, 120, 130, 500):
        start = client.begin(Backfill(last=last))
        assert [post.id for post in client.fetch(start.cursor).posts] == ids[-last:]


def test_a_first_run_can_take_those_since_a_time(
    x: TwitterSimulator, connect: Connect, clock: Clock
) -> None:
    client = connect("kari")
    x.say("kari", "for gammelt")
    clock.forward(days=1)
    since = clock()
    ids = [x.say("kari", f"nr {n}") for n in range(3)]
    start = client.begin(Backfill(since=since))
    assert start.posts == ()
    assert [post.id for post in client.fetch(start.cursor).posts] == ids
    assert client.begin(Backfill(everything=True)).cursor == ""


# Writing


def test_a_published_post_stands_and_costs_one_request(
    x: TwitterSimulator, connect: Connect
) -> None:
    client = connect("kari")
    ref = client.publish({"text": "Hallo Welt"}, "key")
    assert (ref.account, ref.url) == (x.identity("kari"), f"https://x.com/kari/status/{ref.id}")
    assert [entry.text for entry in x.journal] == ["Hallo Welt"]
    answer = client.publish({"text": "2", "reply": {"in_reply_to_tweet_id": ref.id}}, "key")
    assert x.journal[-1].reply_to == ref.id
    assert client.newest() == answer.id
    assert x.requests["POST /2/tweets"] == 2


def test_an_image_is_uploaded_in_parts_with_its_description(
    x: TwitterSimulator, connect: Connect
) -> None:
    client = connect("kari")
    data = picture() + bytes(4 * 1024 * 1024)
    upload = client.upload(Upload(data, "image/png", "en båt", 4, 3))
    client.publish({"media": {"media_ids": [upload["id"]]}}, "key")
    assert x.journal[-1].alts == ("en båt",)
    assert x.requests["POST /2/media/upload/:id/append"] == 2
    (post,) = client.fetch("").posts
    assert (post.media[0].alt, post.media[0].width) == ("en båt", 4)
    client.upload(Upload(picture(), "image/png", "", 4, 3))
    assert x.requests["POST /2/media/metadata"] == 1


@pytest.mark.parametrize("step", ["initialize", "17", "metadata"])
def test_an_interrupted_upload_leaves_no_doubt(
    x: TwitterSimulator, connect: Connect, step: str
) -> None:
    client = connect("kari")
    match = "POST /2/media/" + ("metadata" if step == "metadata" else f"upload/{step}")
    x.faults.append(Fault("drop_after", match))
    with pytest.raises(Unreachable):
        client.upload(Upload(picture(), "image/png", "alt", 4, 3))
    assert client.upload(Upload(picture(), "image/png", "alt", 4, 3))["id"]


def test_what_is_no_image_is_refused(connect: Connect) -> None:
    with pytest.raises(Refused):
        connect("kari").upload(Upload(b"tull", "image/png", "", 4, 3))


def test_an_image_still_in_processing_is_waited_for(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    body = '{"data": {"id": "1700000000000000000", "processing_info": {"state": "pending"}}}'
    x.faults.append(Fault("answer_after", "POST /2/media/upload/17", skip=1, status=200, body=body))
    media = {"media_ids": [client.upload(Upload(picture(), "image/png", "", 4, 3))["id"]]}
    x.faults.append(problem(400, "Your media IDs are invalid."))
    with pytest.raises(Busy):
        client.publish({"media": media}, "key")
    assert client.publish({"media": media}, "key").id


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate", "act_late"])
def test_a_write_without_an_answer_is_uncertain(
    x: TwitterSimulator, connect: Connect, kind: Any
) -> None:
    client = connect("kari")
    x.faults.append(Fault(kind, "POST /2/tweets"))
    with pytest.raises(Uncertain):
        client.publish({"text": "kanskje"}, "key")
    assert len(x.journal) == (kind in ("drop_after", "truncate"))


@pytest.mark.parametrize("body", ["{}", "[]", "<html>", '{"data": {"id": 4}}', '{"errors": []}'])
def test_a_success_without_an_id_is_uncertain(
    x: TwitterSimulator, connect: Connect, body: str
) -> None:
    client = connect("kari")
    x.faults.append(Fault("answer_after", "POST /2/tweets", status=201, body=body))
    with pytest.raises(Uncertain):
        client.publish({"text": "kanskje"}, "key")


def test_a_server_that_is_not_there_is_unreachable(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    x.stop()
    with pytest.raises(Unreachable):
        client.publish({"text": "hei"}, "key")


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (problem(401, "Unauthorized"), LoginNeeded),
        (problem(403, "Your client app is missing the oauth1 app permissions"), LoginNeeded),
        (problem(403, "x", type="https://api.x.com/2/problems/client-forbidden"), LoginNeeded),
        (problem(403, "To protect our users, this account is temporarily locked."), LoginNeeded),
        (problem(403, "You are not permitted to perform this action."), Refused),
        (problem(400, "bad"), Refused),
        (problem(404, "gone"), Refused),
        (problem(413, "too large"), Refused),
        (problem(500, "oops"), Uncertain),
        (problem(503, "Over capacity"), Uncertain),
        (Fault("answer", "POST /2/tweets", status=502, body="<html>"), Uncertain),
    ],
)
def test_every_refusal_has_its_kind(
    x: TwitterSimulator, connect: Connect, fault: Fault, kind: type[Exception]
) -> None:
    client = connect("kari")
    x.faults.append(fault)
    with pytest.raises(kind) as caught:
        client.publish({"text": "hei"}, "key")
    assert type(caught.value) is kind


def test_duplicate_content_is_refused_by_name(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    client.publish({"text": "to ganger"}, "key")
    with pytest.raises(Refused, match="duplicate content"):
        client.publish({"text": "to ganger"}, "key")


def test_a_parent_that_is_not_visible_is_waited_for_twice(connect: Connect, clock: Clock) -> None:
    client = connect("kari")
    lost = {"text": "svar", "reply": {"in_reply_to_tweet_id": "12345"}}
    for _attempt in range(2):
        with pytest.raises(Busy) as caught:
            client.publish(lost, "key")
        assert caught.value.retry_at == clock() + timedelta(seconds=5)
    with pytest.raises(Refused):
        client.publish(lost, "key")


def test_a_rate_limit_names_its_end(x: TwitterSimulator, connect: Connect, clock: Clock) -> None:
    client = connect("kari")
    for n in range(100):
        client.publish({"text": f"nr {n}"}, "key")
    with pytest.raises(Busy) as caught:
        client.publish({"text": "en for mye"}, "key")
    assert timedelta() < caught.value.retry_at - clock() <= timedelta(minutes=15, seconds=1)
    clock.at = caught.value.retry_at
    assert client.publish({"text": "nå går det"}, "key").id


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {}, 900),
        (429, {"x-rate-limit-remaining": "5", "x-rate-limit-reset": "+60"}, 900),
        (429, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "+60"}, 60),
        (429, {"x-rate-limit-remaining": "0", "x-rate-limit-reset": "-60"}, 900),
        (
            429,
            {
                "x-rate-limit-remaining": "0",
                "x-rate-limit-reset": "+60",
                "x-app-limit-24hour-remaining": "0",
                "x-app-limit-24hour-reset": "+7200",
                "x-user-limit-24hour-remaining": "3",
                "x-user-limit-24hour-reset": "+9000",
            },
            7200,
        ),
        (402, {}, 6 * 3600),
    ],
)
def test_busy_until_the_last_exhausted_limit_ends(
    x: TwitterSimulator,
    connect: Connect,
    clock: Clock,
    status: int,
    headers: dict[str, str],
    wait: int,
) -> None:
    client = connect("kari")
    now = int(clock().timestamp())
    real = {k: str(now + int(v)) if v[0] in "+-" else v for k, v in headers.items()}
    x.faults.append(Fault("answer", "POST /2/tweets", status=status, headers=real, body="{}"))
    with pytest.raises(Busy) as caught:
        client.publish({"text": "hei"}, "key")
    assert caught.value.retry_at == clock() + timedelta(seconds=wait)


def test_a_used_up_quota_is_busy(x: TwitterSimulator, connect: Connect) -> None:
    client = connect("kari")
    kind = "https://api.twitter.com/2/problems/usage-capped"
    x.faults.append(problem(429, "Usage cap exceeded", type=kind))
    with pytest.raises(Busy, match="quota"):
        client.publish({"text": "hei"}, "key")
