"""The client against the simulated PDS: reading and writing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bridge.network import Backfill, Busy, ClientError, Refused, Uncertain, Unreachable, Upload
from bridge.networks.bluesky import NETWORK
from bridge.networks.bluesky.client import KEYS, BlueskyClient
from bridge.networks.bluesky.write import COLLECTION, MARK, micros, record_key, tid
from bridge.post import Draft, Run, utc
from bridge.simulation import Fault
from tests.networks.bluesky.conftest import NAME, World

KEY = "5a" * 32
PUT = "POST /xrpc/com.atproto.repo.putRecord"
HEAD = "GET /xrpc/com.atproto.sync.getLatestCommit"
LIST = "GET /xrpc/com.atproto.repo.listRecords"
PNG = b"\x89PNG\r\n\x1a\n and so on"


def payload(world: World, text: str = "Hei", key: str = KEY, **more: Any) -> dict[str, Any]:
    draft = Draft((Run(text),), world.clock(), languages=("nb",))
    return NETWORK.to_payload(draft, key, more.get("uploads", ()), None, world.clock())


def begun(world: World) -> tuple[BlueskyClient, str]:
    client = world.client()
    return client, client.begin(Backfill()).cursor


def texts(client: BlueskyClient, cursor: str) -> list[str]:
    page = client.fetch(cursor)
    assert not page.more
    return [post.text for post in page.posts]


def put(world: World, rkey: str, text: str, **more: Any) -> None:
    """Put a record under a key that its writer chose."""
    account = world.pds.made(NAME)
    created = "2026-11-20T12:00:00.000Z"
    body = {
        "repo": account.did,
        "collection": COLLECTION,
        "rkey": rkey,
        "record": {"$type": COLLECTION, "text": text, "createdAt": created, **more},
    }
    world.pds._as(account, "putRecord", body)


def at(when: datetime) -> str:
    return tid(micros(when), 3)


# Reading.


def test_a_poll_with_nothing_new_is_one_request_and_the_same_cursor(world: World) -> None:
    client, cursor = begun(world)
    world.calls()
    page = client.fetch(cursor)
    assert (page.posts, page.cursor) == ((), cursor)
    assert world.calls() == {"getLatestCommit": 1}


def test_reading_needs_no_token(world: World) -> None:
    client, cursor = begun(world)
    world.say("Nytt", days=200)
    world.calls()
    assert texts(client, cursor) == ["Nytt"]
    assert world.calls() == {"getLatestCommit": 1, "listRecords": 3}


def test_new_posts_come_oldest_first_over_many_pages(world: World) -> None:
    world.say("Gammelt")
    client, cursor = begun(world)
    world.clock.advance(hours=2)
    said = [f"Nummer {n}" for n in range(230)]
    for text in said:
        world.say(text)
    assert texts(client, cursor) == ["Gammelt", *said]


def test_what_lies_an_hour_before_the_mark_is_not_read_again(world: World) -> None:
    for number in range(150):
        world.say(f"Gammelt {number}", minutes=1)
    client, cursor = begun(world)
    world.say("Nytt")
    found = texts(client, cursor)
    assert found[0] == "Gammelt 89"
    assert found[-2:] == ["Gammelt 149", "Nytt"]


def test_a_first_run_names_what_the_next_reading_will_show_again(world: World) -> None:
    world.say("Gammelt")
    world.say("Nylig", hours=3)
    world.say("Nettopp", minutes=30)
    client = world.client()
    begin = client.begin(Backfill())
    assert [post.text for post in begin.posts] == ["Nylig", "Nettopp"]
    world.say("Nytt", hours=5)
    assert texts(client, begin.cursor) == ["Nylig", "Nettopp", "Nytt"]


def test_a_post_of_a_clock_that_is_slow_is_found(world: World) -> None:
    world.say("Fra riktig klokke")
    client, cursor = begun(world)
    put(world, at(world.clock() - timedelta(minutes=40)), "Fra treg klokke")
    assert "Fra treg klokke" in texts(client, cursor)


def test_posts_of_a_single_slow_clock_are_found_however_many_copies_come_between(
    world: World,
) -> None:
    put(world, at(world.clock() - timedelta(hours=5)), "Treg 1")
    client, cursor = begun(world)
    client.publish(payload(world), KEY)
    cursor = client.fetch(cursor).cursor
    put(world, at(world.clock() - timedelta(hours=5)), "Treg 2")
    assert "Treg 2" in texts(client, cursor)


def test_where_only_copies_are_posted_no_more_than_a_day_is_read_again(world: World) -> None:
    client, cursor = begun(world)
    for day in range(5):
        world.clock.advance(days=1)
        key = f"{day}" * 64
        client.publish(payload(world, f"Dag {day}", key), key)
        cursor = client.fetch(cursor).cursor
    world.say("Nytt")
    assert texts(client, cursor) == ["Dag 3", "Dag 4", "Nytt"]


def test_a_key_from_the_future_hides_nothing(world: World) -> None:
    client, cursor = begun(world)
    put(world, at(world.clock() + timedelta(days=400)), "Fra fremtiden")
    page = client.fetch(cursor)
    assert [post.text for post in page.posts] == ["Fra fremtiden"]
    world.say("Fra nå")
    assert texts(client, page.cursor) == ["Fra nå", "Fra fremtiden"]


def test_a_key_that_is_no_time_counts_by_its_date(world: World) -> None:
    client, cursor = begun(world)
    collection = world.pds.made(NAME).collections[COLLECTION]
    put(world, at(world.clock()), "Navngitt")
    record = collection.records.pop(collection.keys.pop())
    record.item = record.item.replace(record.item.split('"')[3].rpartition("/")[2], "zelf")
    collection.keys.append("zelf")
    collection.records["zelf"] = record
    assert texts(client, cursor) == ["Navngitt"]
    world.clock.advance(days=30)
    world.say("Senere")
    cursor = client.fetch(cursor).cursor
    world.say("Enda senere")
    assert texts(client, cursor) == ["Senere", "Enda senere"]


def test_a_post_made_while_a_page_is_read_is_found_by_the_next_reading(world: World) -> None:
    client, cursor = begun(world)
    world.say("Første")
    listed = client._records_since

    def slow(*since: datetime | None) -> list[dict[str, Any]]:
        found = listed(*since)
        world.say("Imens")
        return found

    client._records_since = slow  # type: ignore[method-assign, assignment]
    page = client.fetch(cursor)
    client._records_since = listed  # type: ignore[method-assign]
    assert [post.text for post in page.posts] == ["Første"]
    assert "Imens" in texts(client, page.cursor)


def test_a_first_run_takes_the_last_those_since_or_all(world: World) -> None:
    client = world.client()
    for text in ("en", "to", "tre"):
        world.say(text, minutes=10)
        client.publish(payload(world, f"kopi av {text}", text), text)

    def taken(take: Backfill) -> list[str]:
        begin = client.begin(take)
        old = {post.id for post in begin.posts}
        posts = client.fetch(begin.cursor).posts
        return [post.text for post in posts if post.id not in old and not post.mark]

    assert taken(Backfill()) == []
    assert taken(Backfill(last=2)) == ["to", "tre"]
    assert taken(Backfill(last=100)) == ["en", "to", "tre"]
    assert taken(Backfill(since=world.clock() - timedelta(minutes=15))) == ["to", "tre"]
    assert taken(Backfill(everything=True)) == ["en", "to", "tre"]


def test_one_malformed_record_does_not_block_the_others(world: World) -> None:
    client, cursor = begun(world)
    world.say("Før")
    put(world, at(world.clock() + timedelta(seconds=1)), "Rar", facets=[])
    collection = world.pds.made(NAME).collections[COLLECTION]
    record = collection.records[collection.keys[-1]]
    record.item = record.item.replace('"facets": []', '"facets": {"a": [1]}, "embed": 7')
    world.say("Etter", seconds=2)
    assert texts(client, cursor) == ["Før", "Rar", "Etter"]


@pytest.mark.parametrize("body", ['{"records": 3}', "[]", "<html>", "{}", '{"records": [[]'])
def test_a_page_of_the_wrong_shape_is_unreachable(world: World, body: str) -> None:
    client, cursor = begun(world)
    world.say("Nytt")
    world.pds.faults.append(Fault("answer", LIST, status=200, body=body))
    with pytest.raises(Unreachable):
        client.fetch(cursor)


def test_a_broken_cursor_is_refused_in_words(world: World) -> None:
    client = world.client()
    client.login()
    with pytest.raises(Refused, match="state file"):
        client.fetch("[1")


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "truncate"])
def test_a_reading_that_breaks_off_is_unreachable(world: World, kind: Any) -> None:
    client, cursor = begun(world)
    world.say("Nytt")
    world.pds.faults.append(Fault(kind, LIST))
    with pytest.raises(Unreachable):
        client.fetch(cursor)
    assert texts(client, cursor) == ["Nytt"]


# Writing.


def test_a_post_is_one_request(world: World) -> None:
    client = world.client()
    who = client.login()
    made = payload(world)
    world.calls()
    ref = client.publish(made, KEY)
    assert world.calls() == {"putRecord": 1}
    assert (ref.id, ref.account) == (made["rkey"], who.id)
    assert ref.uri == f"at://{who.id.removeprefix('bluesky:')}/{COLLECTION}/{ref.id}"
    assert ref.url == f"https://bsky.app/profile/{NAME}/post/{ref.id}"
    assert world.pds.record(NAME, ref.id) == made["record"]


def test_the_same_post_again_is_no_second_one(world: World) -> None:
    client = world.client()
    made = payload(world)
    assert client.publish(made, KEY) == client.publish(made, KEY)
    assert [entry.action for entry in world.pds.journal] == ["publish"]


@pytest.mark.parametrize("kind", ["drop_after", "truncate", "act_late", "answer_after"])
def test_a_post_whose_answer_is_lost_is_uncertain_and_can_be_sent_again(
    world: World, kind: Any
) -> None:
    client = world.client()
    client.login()
    world.pds.faults.append(Fault(kind, PUT, status=502))
    with pytest.raises(Uncertain):
        client.publish(payload(world), KEY)
    ref = client.publish(payload(world), KEY)
    world.pds.release_late()
    assert [(e.action, e.id) for e in world.pds.journal] == [("publish", ref.id)]


def test_anothers_record_under_the_key_is_left_alone_and_the_next_key_taken(world: World) -> None:
    client = world.client()
    made = payload(world)
    put(world, made["rkey"], "Noen andres")
    ref = client.publish(made, KEY)
    assert ref.id > made["rkey"]
    assert world.pds.record(NAME, made["rkey"])["text"] == "Noen andres"
    assert client.publish(made, KEY) == ref
    assert len(world.pds.journal) == 2


def test_our_own_record_under_the_key_is_adopted_although_it_reads_otherwise(world: World) -> None:
    client = world.client()
    made = payload(world)
    put(world, made["rkey"], "Slik den ble gjengitt før", tribridgeKey=KEY)
    ref = client.publish(made, KEY)
    assert ref.id == made["rkey"]
    assert ref.cid
    assert len(world.pds.journal) == 1


def test_where_others_stand_under_every_key_it_is_refused(world: World) -> None:
    client = world.client()
    made = payload(world)
    created = utc(made["record"]["createdAt"])
    for attempt in range(KEYS):
        other = {**made["record"], "text": f"En annens {attempt}", MARK: "another's"}
        rkey = made["rkey"] if attempt == 0 else record_key(KEY, created, attempt)
        client.publish({**made, "rkey": rkey, "record": other}, "another's")
    with pytest.raises(Refused, match="keys"):
        client.publish(made, KEY)
    assert len(world.pds.journal) == KEYS


@pytest.mark.parametrize(
    "answer",
    [
        Fault("answer", status=404),
        Fault("answer", status=200, body='{"hello": "world"}'),
        Fault("answer", status=200, body='{"uri": "at://x/y/other", "cid": "b", "value": {}}'),
    ],
)
def test_a_record_in_the_way_that_cannot_be_read_moves_nothing(world: World, answer: Fault) -> None:
    client = world.client()
    made = payload(world)
    other = {**made["record"], "text": "En annens", MARK: "another's"}
    client.publish({**made, "record": other}, "another's")
    get = "GET /xrpc/com.atproto.repo.getRecord"
    world.pds.faults.append(replace(answer, match=get))
    with pytest.raises(Unreachable):
        client.publish(made, KEY)
    assert len(world.pds.journal) == 1


def test_a_record_that_vanishes_meanwhile_is_tried_again_later(world: World) -> None:
    client = world.client()
    client.login()
    world.pds.faults.append(Fault("answer", PUT, status=400, body='{"error": "InvalidSwap"}'))
    with pytest.raises(Unreachable, match="anew"):
        client.publish(payload(world), KEY)


@pytest.mark.parametrize("body", ["{}", "[]", '{"uri": 1, "cid": "b"}', "ok", '{"uri": "at://x"}'])
def test_an_answer_to_a_post_that_names_no_record_is_uncertain(world: World, body: str) -> None:
    client = world.client()
    client.login()
    world.pds.faults.append(Fault("answer_after", PUT, status=200, body=body))
    with pytest.raises(Uncertain):
        client.publish(payload(world), KEY)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, "", Uncertain),
        (502, "<html>", Uncertain),
        (413, '{"error": "PayloadTooLarge"}', Refused),
        (400, '{"error": "InvalidRequest", "message": "no"}', Refused),
        (400, '{"error": "DailyLimitExceeded"}', Busy),
        (302, "", Unreachable),
    ],
)
def test_what_a_post_is_answered_becomes_one_of_the_five_kinds(
    world: World, status: int, body: str, kind: type[ClientError]
) -> None:
    client = world.client()
    client.login()
    world.pds.faults.append(Fault("answer", PUT, status=status, body=body))
    with pytest.raises(kind):
        client.publish(payload(world), KEY)


def test_a_used_up_limit_says_when_it_starts_anew(world: World) -> None:
    client = world.client()
    client.login()
    reset = int((world.clock() + timedelta(minutes=7)).timestamp())
    headers = {"ratelimit-reset": str(reset)}
    world.pds.faults.append(Fault("answer", PUT, status=429, headers=headers))
    with pytest.raises(Busy) as caught:
        client.publish(payload(world), KEY)
    assert caught.value.retry_at.timestamp() == reset


def test_a_text_beyond_the_limits_is_refused(world: World) -> None:
    client = world.client()
    family = "👨‍👩‍👧‍👦"
    assert client.limits.fits("ø" * 300)
    assert not client.limits.fits("ø" * 301)
    assert client.limits.fits(family * 120)
    assert not client.limits.fits(family * 120 + "x")
    with pytest.raises(Refused, match="grapheme too big"):
        client.publish(payload(world, "ø" * 301), KEY)


def test_an_image_goes_along_with_its_description(world: World) -> None:
    client = world.client()
    image = client.upload(Upload(PNG, "image/png", "Et hus", 40, 30))
    client.publish(payload(world, uploads=(image,)), KEY)
    (entry,) = world.pds.journal
    assert entry.alts == ("Et hus",)
    assert entry.raw["embed"]["images"][0]["aspectRatio"] == {"width": 40, "height": 30}
    (media,) = client.fetch("{}").posts[0].media
    assert media.mime == "image/png"
    assert media.url.startswith(world.pds.url)


def test_an_upload_whose_answer_is_lost_can_simply_be_repeated(world: World) -> None:
    client = world.client()
    client.login()
    world.pds.faults.append(Fault("drop_after", "POST /xrpc/com.atproto.repo.uploadBlob"))
    with pytest.raises(Unreachable):
        client.upload(Upload(PNG, "image/png", "", 40, 30))


def test_an_image_that_the_server_has_forgotten_is_refused_in_words(world: World) -> None:
    client = world.client()
    image = client.upload(Upload(PNG, "image/png", "", 40, 30))
    world.pds.forget_blobs(NAME)
    with pytest.raises(Refused, match="forgotten"):
        client.publish(payload(world, uploads=(image,)), KEY)
