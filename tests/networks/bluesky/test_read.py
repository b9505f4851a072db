"""Records as posts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.networks.bluesky.read import Owner, to_post, to_runs
from bridge.networks.bluesky.write import to_facets
from bridge.post import Post, Ref, Run

DID = "did:plc:abcdefghijklmnopqrstuvwx"
OWNER = Owner(DID, "anna.test", "https://pds.example")
RKEY = "3jzfcijpj2z2a"
LINK = "app.bsky.richtext.facet#link"


def record(**more: Any) -> dict[str, Any]:
    base = {"$type": "app.bsky.feed.post", "createdAt": "2026-11-22T12:00:00.000Z", "text": "Hei"}
    return {**base, **more}


def read(value: Any, rkey: str = RKEY) -> Post:
    uri = f"at://{DID}/app.bsky.feed.post/{rkey}"
    post = to_post({"uri": uri, "cid": "bafyreib", "value": value}, OWNER)
    assert post is not None
    return post


def facet(start: Any, end: Any, **feature: Any) -> dict[str, Any]:
    feature = feature or {"$type": LINK, "uri": "https://example.com/"}
    return {"index": {"byteStart": start, "byteEnd": end}, "features": [feature]}


def test_a_record_becomes_a_post() -> None:
    post = read(record(text="God morgen", langs=["nb", "en"], tribridgeKey="5a"))
    assert post == Post(
        account=f"bluesky:{DID}",
        id=RKEY,
        url=f"https://bsky.app/profile/anna.test/post/{RKEY}",
        created_at=datetime(2026, 11, 22, 12, tzinfo=UTC),
        runs=(Run("God morgen"),),
        languages=("nb", "en"),
        uri=f"at://{DID}/app.bsky.feed.post/{RKEY}",
        cid="bafyreib",
        mark="5a",
    )


def test_facets_become_links_mentions_and_hashtags_with_their_targets() -> None:
    runs = (
        Run("مرحبا 🇳🇴 "),
        Run("example.com/lang...", "link", "https://example.com/lang/sti"),
        Run(" og "),
        Run("@anna.test", "mention", "https://bsky.app/profile/did:plc:anna", "anna"),
        Run(" "),
        Run("#Blåbær", "hashtag", "Blåbær"),
    )
    text, facets = to_facets(runs)
    assert read(record(text=text, facets=facets)).runs == runs


@pytest.mark.parametrize(
    "broken",
    [
        facet(0, 400),
        facet(3, 3),
        facet(5, 2),
        facet(-1, 2),
        facet(1, 2),
        facet(0, 1),
        facet(True, 2),
        facet("0", "2"),
        facet(0, 2, **{"$type": LINK}),
        facet(0, 2, **{"$type": LINK, "uri": "javascript:alert(1)"}),
        facet(0, 2, **{"$type": "example.unknown"}),
        {"index": None, "features": [{}]},
        {"index": {"byteStart": 0, "byteEnd": 2}, "features": {}},
        None,
    ],
)
def test_a_broken_facet_is_dropped_alone_and_its_text_stays(broken: Any) -> None:
    good = facet(3, 6)
    assert to_runs("ø abc", [broken, good]) == (
        Run("ø "),
        Run("abc", "link", "https://example.com/"),
    )


def test_of_overlapping_facets_the_first_stays() -> None:
    runs = to_runs("abcdef", [facet(2, 5), facet(0, 3)])
    assert [run.text for run in runs if run.kind == "link"] == ["abc"]


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=12,
)
_index = st.integers(-2, 30) | _json
_facets = st.lists(
    st.builds(facet, _index, _index) | st.builds(lambda t: facet(0, 3, **{"$type": t}), _json),
    max_size=4,
)


@given(st.text(max_size=20), _facets | _json)
def test_no_facets_ever_change_the_text(text: str, facets: Any) -> None:
    assert "".join(run.text for run in to_runs(text, facets)) == text


@given(st.sampled_from(("text", "createdAt", "facets", "embed", "labels", "reply", "langs")), _json)
def test_no_record_ever_raises(name: str, value: Any) -> None:
    read(record(**{name: value}))


@given(_json)
def test_no_item_ever_raises(value: Any) -> None:
    to_post(value, OWNER)


def test_an_item_of_someone_else_or_without_an_address_is_none() -> None:
    other = "at://did:plc:other/app.bsky.feed.post/3jzfcijpj2z2a"
    assert to_post({"uri": other, "value": record()}, OWNER) is None
    assert to_post({"uri": f"at://{DID}/", "value": record()}, OWNER) is None


def test_half_a_surrogate_pair_does_not_travel() -> None:
    assert read(record(text="a\ud800b")).text == "a?b"


def test_a_time_that_cannot_be_read_is_that_of_the_key() -> None:
    assert read(record(createdAt="i går")).created_at.date().isoformat() == "2023-06-30"
    assert read(record(createdAt=None), rkey="self").created_at.year == 1970


def image(cid: str = "bafkrei1", **more: Any) -> dict[str, Any]:
    blob = {"$type": "blob", "ref": {"$link": cid}, "mimeType": "image/png", "size": 9}
    return {"alt": "Et hus", "image": blob, "aspectRatio": {"width": 4, "height": 3}, **more}


@pytest.mark.parametrize(
    "embed",
    [
        {"$type": "app.bsky.embed.images", "images": [image()]},
        {"$type": "app.bsky.embed.gallery", "items": [image()]},
    ],
)
def test_images_have_address_description_and_shape(embed: dict[str, Any]) -> None:
    (media,) = read(record(embed=embed)).media
    blob = f"https://pds.example/xrpc/com.atproto.sync.getBlob?did={DID}&cid=bafkrei1"
    assert (media.kind, media.url, media.alt) == ("image", blob, "Et hus")
    assert (media.mime, media.width, media.height) == ("image/png", 4, 3)


def test_video_and_unknown_attachments_are_told() -> None:
    video = {"$type": "app.bsky.embed.video", "video": image()["image"], "alt": "En film"}
    assert [(m.kind, m.alt) for m in read(record(embed=video)).media] == [("video", "En film")]
    for embed in ({"$type": "example.new"}, {"$type": "app.bsky.embed.images", "images": [{}]}):
        assert [m.kind for m in read(record(embed=embed)).media] == ["unknown"]


def card(uri: str) -> dict[str, Any]:
    return {"$type": "app.bsky.embed.external", "external": {"uri": uri, "title": "T"}}


def test_the_link_of_a_card_stands_at_the_end_unless_the_text_has_it() -> None:
    url = "https://example.com/sak"
    assert read(record(embed=card(url))).runs == (Run("Hei\n\n"), Run(url, "link", url))
    assert read(record(text="", embed=card(url))).runs == (Run(url, "link", url),)
    linked = record(text="her", facets=[facet(0, 3, **{"$type": LINK, "uri": url + "/"})])
    assert read({**linked, "embed": card(url)}).text == "her"
    longer = record(text="her", facets=[facet(0, 3, **{"$type": LINK, "uri": url + "/to"})])
    assert read({**longer, "embed": card(url)}).text == f"her\n\n{url}"


STRONG = {"uri": "at://did:plc:other/app.bsky.feed.post/3kaaaaaaaaa2a", "cid": "bafyreiq"}
REF = Ref(
    "3kaaaaaaaaa2a",
    "bluesky:did:plc:other",
    "https://bsky.app/profile/did:plc:other/post/3kaaaaaaaaa2a",
    STRONG["uri"],
    "bafyreiq",
)


def test_a_quoted_post_is_referred_to_with_or_without_media() -> None:
    quote = {"$type": "app.bsky.embed.record", "record": STRONG}
    assert read(record(embed=quote)).quote == REF
    media = {"$type": "app.bsky.embed.images", "images": [image()]}
    both = {"$type": "app.bsky.embed.recordWithMedia", "record": quote, "media": media}
    post = read(record(embed=both))
    assert (post.quote, len(post.media)) == (REF, 1)


def test_an_embedded_feed_becomes_a_link_to_its_page() -> None:
    feed = {"uri": "at://did:plc:other/app.bsky.feed.generator/katter", "cid": "bafy"}
    post = read(record(embed={"$type": "app.bsky.embed.record", "record": feed}))
    assert post.quote is None
    assert post.runs[-1].target == "https://bsky.app/profile/did:plc:other/feed/katter"


def test_a_reply_has_parent_and_root() -> None:
    mine = {"uri": f"at://{DID}/app.bsky.feed.post/3jaaaaaaaaa2a", "cid": "bafyreir"}
    post = read(record(reply={"parent": STRONG, "root": mine}))
    assert post.reply_to == REF
    assert post.root is not None
    assert (post.root.id, post.root.account) == ("3jaaaaaaaaa2a", post.account)


@pytest.mark.parametrize("reply", [{}, {"parent": {}}, {"parent": "x"}, "x", []])
def test_a_reply_that_cannot_be_read_is_one_to_nobody_known(reply: Any) -> None:
    assert read(record(reply=reply)).reply_to == Ref("")


def test_labels_make_a_post_sensitive_and_those_that_narrow_make_it_private() -> None:
    def labelled(value: str) -> Post:
        return read(record(labels={"values": [{"val": value}]}))

    assert (labelled("graphic-media").sensitive, labelled("graphic-media").visibility) == (
        True,
        "public",
    )
    assert labelled("something-new").sensitive
    assert labelled("!no-unauthenticated").visibility == "private"
    assert not read(record(labels={"values": []})).sensitive
