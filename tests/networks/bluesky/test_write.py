"""Drafts as records, and record keys."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.network import Parents
from bridge.networks.bluesky import NETWORK
from bridge.networks.bluesky.write import micros, record_key, tid, tid_micros, tid_time, to_facets
from bridge.post import Draft, Post, Ref, Run

NOON = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
KEY = "5a" * 32


def payload(draft: Draft, key: str = KEY, parents: Parents | None = None) -> dict[str, Any]:
    return NETWORK.to_payload(draft, key, (), parents, NOON + timedelta(minutes=1))


def test_a_tid_is_the_one_of_the_specification() -> None:
    assert tid(0, 0) == "2222222222222"
    assert tid((1 << 53) - 1, 1023) == "bzzzzzzzzzzzz"
    # of "Record Key" in the specification, read as a number of base 32
    digits = str.maketrans("234567abcdefghijklmnopqrstuvwxyz", "0123456789abcdefghijklmnopqrstuv")
    assert tid_micros("3jzfcijpj2z2a") == int("3jzfcijpj2z2a".translate(digits), 32) >> 10
    assert tid_time("3jzfcijpj2z2a") == datetime(2023, 6, 30, 15, 3, 1, 887_007, tzinfo=UTC)


@given(st.integers(0, (1 << 53) - 1), st.integers(0, 1023), st.integers(1, 10**9))
def test_a_tid_gives_its_time_back_and_sorts_by_it(when: int, clock_id: int, later: int) -> None:
    assert tid_micros(tid(when, clock_id)) == when
    if when + later < 1 << 53:
        assert tid(when + later, 0) > tid(when, 1023)


@pytest.mark.parametrize(
    "key", ["", "self", "3jzfcijpj2z2", "3jzfcijpj2z2aa", "k222222222222", "3jzfcijpj2z21"]
)
def test_other_keys_are_no_tids(key: str) -> None:
    assert tid_time(key) is None


def test_tids_are_told_from_other_keys_as_the_conformance_data_say() -> None:
    path = Path(__file__).resolve().parents[4] / "shared" / "conformance" / "atproto_syntax.json"
    if not path.exists():
        pytest.skip("the conformance data are not beside this repository")
    cases = [case for case in json.loads(path.read_text("utf-8"))["cases"] if case["kind"] == "tid"]
    assert cases
    for case in cases:
        assert (tid_micros(case["value"]) is not None) == case["valid"], case


def test_a_record_key_is_derived_and_past_as_soon_as_the_original_is() -> None:
    keys = {record_key(f"{n}", NOON) for n in range(500)}
    assert len(keys) == 500
    assert record_key(KEY, NOON) == record_key(KEY, NOON)
    for key in keys:
        when = tid_time(key)
        assert when is not None
        second = NOON.replace(microsecond=0)
        assert second - timedelta(seconds=1) <= when < second


def test_further_attempts_give_other_keys_just_after() -> None:
    keys = [record_key(KEY, NOON, attempt) for attempt in range(5)]
    assert keys == sorted(set(keys))


def test_a_text_becomes_a_record_with_key_time_language_and_mark() -> None:
    made = payload(Draft((Run("Hei på deg"),), NOON, languages=("nb",)))
    assert made == {
        "rkey": record_key(KEY, NOON),
        "record": {
            "$type": "app.bsky.feed.post",
            "text": "Hei på deg",
            "createdAt": "2026-11-22T12:00:00.250Z",
            "langs": ["nb"],
            "tribridgeKey": KEY,
        },
    }


def test_nothing_is_dated_in_the_future() -> None:
    made = payload(Draft((Run("Fra i morgen"),), NOON + timedelta(days=1)))
    assert made["record"]["createdAt"] == "2026-11-22T12:01:00.250Z"
    assert made["rkey"] < tid(micros(NOON + timedelta(minutes=1)), 0)


def test_parts_of_a_thread_sort_by_their_times() -> None:
    times = [
        payload(Draft((Run("x"),), NOON, part=part, parts=3))["record"]["createdAt"]
        for part in (1, 2, 3)
    ]
    assert times == [f"2026-11-22T12:00:00.{ms}Z" for ms in (250, 251, 252)]


def test_facets_count_bytes_in_any_script() -> None:
    text, facets = to_facets(
        (
            Run("مرحبا 👩‍👩‍👧 "),
            Run("les mer", "link", "https://example.com/ø"),
            Run(" "),
            Run("#Größe", "hashtag", "Größe"),
        )
    )
    raw = text.encode()
    shown = [raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in facets]
    assert shown == ["les mer", "#Größe"]
    assert [f["features"][0] for f in facets] == [
        {"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/ø"},
        {"$type": "app.bsky.richtext.facet#tag", "tag": "Größe"},
    ]


def test_a_mention_is_live_only_with_a_did_and_a_hashtag_only_within_its_limit() -> None:
    runs = (
        Run("@a.test", "mention", "https://bsky.app/profile/did:plc:abc", "a"),
        Run("@b@c.example", "mention", "https://c.example/@b", "b"),
        Run("#" + "ø" * 40, "hashtag", "ø" * 40),
        Run("", "link", "https://example.com"),
    )
    _, facets = to_facets(runs)
    assert [f["features"][0].get("did") for f in facets] == ["did:plc:abc"]


def test_at_most_three_well_formed_languages_go_along() -> None:
    draft = Draft((Run("x"),), NOON, languages=("nb", "not a tag", "de-CH", "da", "ar"))
    assert payload(draft)["record"]["langs"] == ["nb", "de-CH", "da"]


def test_a_reply_names_parent_and_root() -> None:
    parent = Ref("2", uri="at://did:plc:x/app.bsky.feed.post/2", cid="bafy2")
    root = Ref("1", uri="at://did:plc:x/app.bsky.feed.post/1", cid="bafy1")
    made = payload(Draft((Run("Svar"),), NOON), parents=Parents(parent, root))
    assert made["record"]["reply"] == {
        "root": {"uri": root.uri, "cid": "bafy1"},
        "parent": {"uri": parent.uri, "cid": "bafy2"},
    }


def test_images_are_embedded_as_they_were_uploaded() -> None:
    image = {"alt": "Et hus", "image": {"$type": "blob"}, "aspectRatio": {"width": 4, "height": 3}}
    made = NETWORK.to_payload(Draft((), NOON), KEY, (image,), None, NOON)
    assert made["record"]["text"] == ""
    assert made["record"]["embed"] == {"$type": "app.bsky.embed.images", "images": [image]}


def test_only_the_mark_makes_a_post_the_copy() -> None:
    made = payload(Draft((Run("Hei"),), NOON))
    post = Post("bluesky:did:plc:x", made["rkey"], "", NOON, (Run("Hei"),))
    assert not NETWORK.matches(made, KEY, post)
    marked = Post("bluesky:did:plc:x", "3jzfcijpj2z2a", "", NOON, (Run("Noe annet"),), mark=KEY)
    assert NETWORK.matches(made, KEY, marked)
