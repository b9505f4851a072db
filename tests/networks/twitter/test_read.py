from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.networks.twitter.read import User, author, to_posts
from bridge.post import Media, Poll, Post, Ref, Run

KARI = User("7", "kari", protected=False)


def read(post: dict[str, Any], **includes: Any) -> Post:
    body = {"data": [{"id": "20", **post}], "includes": includes}
    return to_posts(body, KARI)[0]


def url(start: int, short: str, target: str, **more: Any) -> dict[str, Any]:
    place = {"start": start, "end": start + len(short), "url": short}
    return {**place, "expanded_url": target, **more}


def test_a_post_of_either_family_reads_the_same() -> None:
    common = {
        "text": "hei",
        "created_at": "2026-11-01T08:30:00.000Z",
        "lang": "no",
        "in_reply_to_user_id": "7",
        "possibly_sensitive": True,
    }
    refs = [{"type": "replied_to", "id": "18"}]
    new = read({**common, "edit_history_post_ids": ["19", "20"], "referenced_posts": refs})
    old = read({**common, "edit_history_tweet_ids": ["19", "20"], "referenced_tweets": refs})
    assert new == old
    assert new.id == "19"
    assert new.revision == "20"
    assert new.account == "twitter:7"
    assert new.url == "https://x.com/kari/status/20"
    assert new.created_at == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)
    assert new.languages == ("no",)
    assert new.sensitive
    assert new.reply_to == Ref("18", "twitter:7", "https://x.com/kari/status/18")


def test_a_reply_to_somebody_else_is_not_a_reply_to_oneself() -> None:
    refs = [{"type": "replied_to", "id": "18"}]
    post = read({"text": "ja", "in_reply_to_user_id": "9", "referenced_posts": refs})
    assert post.reply_to == Ref("18", "twitter:9", "https://x.com/i/status/18")
    unknown = read({"text": "ja", "referenced_posts": refs})
    assert unknown.reply_to is not None
    assert unknown.reply_to.account == ""


def test_links_come_from_the_entities_and_count_code_points() -> None:
    text = "👨‍👩‍👧‍👦 مرحبا https://t.co/abcdefghij نهاية"
    at = text.index("https")
    urls = [url(at, "https://t.co/abcdefghij", "http://example.com/ærlig?a=1&b=2")]
    post = read({"text": text, "entities": {"urls": urls}})
    target = "http://example.com/ærlig?a=1&b=2"
    assert post.runs[1] == Run(target, "link", target)
    assert post.text == f"👨‍👩‍👧‍👦 مرحبا {target} نهاية"


def test_a_scheme_in_capitals_is_one_of_the_web() -> None:
    target = "HTTP://EXAMPLE.com/Ferje"
    urls = [url(0, "https://t.co/abcdefghij", target, title="Ferja")]
    post = read({"text": "https://t.co/abcdefghij", "entities": {"urls": urls}})
    assert post.runs == (Run(target, "link", target),)
    assert post.card is not None
    assert post.card.title == "Ferja"


def test_wrong_indices_do_not_cut_the_text_in_the_wrong_place() -> None:
    urls = [url(3, "https://t.co/abcdefghij", "https://example.com/")]
    post = read({"text": "😀😀 les https://t.co/abcdefghij", "entities": {"urls": urls}})
    assert post.text == "😀😀 les https://example.com/"


def test_entities_of_several_kinds_keep_their_order() -> None:
    entities = {
        "urls": [url(4, "https://t.co/abcdefghij", "https://example.com/")],
        "hashtags": [{"start": 0, "end": 3, "tag": "én"}],
    }
    post = read({"text": "#én https://t.co/abcdefghij slutt", "entities": entities})
    assert [run.kind for run in post.runs] == ["hashtag", "text", "link", "text"]


def test_an_unknown_short_link_stays_as_it_is() -> None:
    assert read({"text": "se https://t.co/abcdefghij"}).text == "se https://t.co/abcdefghij"


def test_mentions_hashtags_and_cashtags() -> None:
    entities = {
        "mentions": [{"start": 0, "end": 4, "username": "Ola_"}],
        "hashtags": [{"start": 9, "end": 14, "tag": "Århus"[:4]}, {"start": 17, "tag": "grün"}],
        "cashtags": [{"start": 30, "end": 33, "tag": "AB"}],
    }
    post = read({"text": "@ola_ og #Århu og #grün, dazu $AB", "entities": entities})
    assert post.runs[0] == Run("@ola_", "mention", "https://x.com/Ola_", "Ola_")
    kinds = [(run.kind, run.text) for run in post.runs]
    assert kinds[2:] == [
        ("hashtag", "#Århu"),
        ("text", " og "),
        ("hashtag", "#grün"),
        ("text", ", dazu $AB"),
    ]


def test_escapes_are_undone_once_and_after_the_entities() -> None:
    text = "a &amp;lt; b &lt;3 #tag"
    post = read({"text": text, "entities": {"hashtags": [{"start": 19, "end": 23, "tag": "tag"}]}})
    assert post.text == "a &lt; b <3 #tag"
    assert post.runs[1] == Run("#tag", "hashtag", "tag")


@pytest.mark.parametrize("note", ["note_post", "note_tweet"])
def test_a_long_post_is_read_whole_with_its_own_entities(note: str) -> None:
    whole = "ord " * 100 + "https://t.co/abcdefghij"
    urls = [url(400, "https://t.co/abcdefghij", "https://example.com/lang")]
    post = read({"text": "ord ord…", note: {"text": whole, "entities": {"urls": urls}}})
    assert post.text == "ord " * 100 + "https://example.com/lang"


def test_the_link_that_x_adds_for_media_is_left_out() -> None:
    media = {"media_key": "3_1", "type": "photo", "url": "https://pbs.example/1.jpg"}
    text = "se her https://t.co/aaaaaaaaaa"
    short = "https://t.co/aaaaaaaaaa"
    urls = [url(7, short, f"https://x.com/kari/status/20/photo/{n}") for n in (1, 2)]
    post = read(
        {"text": text, "entities": {"urls": urls}, "attachments": {"media_keys": ["3_1"]}},
        media=[{**media, "alt_text": "en båt", "width": 40, "height": 30}],
    )
    assert post.text == "se her"
    assert post.media == (Media("image", "https://pbs.example/1.jpg", "en båt", "", 40, 30),)


def test_a_link_to_somebody_elses_photo_is_kept() -> None:
    target = "https://x.com/ola/status/5/photo/1"
    urls = [url(3, "https://t.co/aaaaaaaaaa", target)]
    post = read({"text": "se https://t.co/aaaaaaaaaa", "entities": {"urls": urls}})
    assert post.text == f"se {target}"


def test_a_quote_keeps_its_reference_and_loses_its_closing_link() -> None:
    short = "https://t.co/aaaaaaaaaa"
    refs = [{"type": "quoted", "id": "5"}]
    urls = [url(5, short, "https://twitter.com/ola/status/5?s=20")]
    post = read({"text": f"enig {short}", "entities": {"urls": urls}, "referenced_posts": refs})
    assert post.text == "enig"
    assert post.quote == Ref("5", "", "https://x.com/ola/status/5")
    text = f"enig {short} likevel"
    inside = read({"text": text, "entities": {"urls": urls}, "referenced_posts": refs})
    assert inside.text == "enig https://twitter.com/ola/status/5?s=20 likevel"


def test_a_repost_has_the_text_of_the_other_if_that_comes_along_whole() -> None:
    refs = [{"type": "retweeted", "id": "5"}]
    short = {"text": "RT @ola: avkor…", "referenced_posts": refs}
    whole = {"id": "5", "author_id": "9", "text": "avkortet, 3 &lt; 5"}
    post = read(short, posts=[whole])
    assert post.text == "avkortet, 3 < 5"
    assert post.boost == Ref("5", "twitter:9", "https://x.com/ola/status/5", author="ola")
    assert read(short).runs == ()
    assert read({**short, "text": "avkor…"}).boost == Ref("5", "", "https://x.com/i/status/5")


def test_video_takes_the_best_mp4_and_unknown_media_stay_visible() -> None:
    variants = [
        {"content_type": "application/x-mpegURL", "url": "https://v.example/list"},
        {"content_type": "video/mp4", "bit_rate": 256000, "url": "https://v.example/small"},
        {"content_type": "video/mp4", "bit_rate": 832000, "url": "https://v.example/large"},
    ]
    post = read(
        {"text": "film", "attachments": {"media_keys": ["13_1", "16_2", "99_9"]}},
        media=[
            {"media_key": "13_1", "type": "video", "variants": variants},
            {"media_key": "16_2", "type": "animated_gif", "variants": variants[1:2]},
        ],
    )
    assert [(m.kind, m.url) for m in post.media] == [
        ("video", "https://v.example/large"),
        ("gif", "https://v.example/small"),
        ("unknown", ""),
    ]


def test_a_poll_lists_its_options() -> None:
    post = read(
        {"text": "?", "attachments": {"poll_ids": ["3"]}},
        polls=[{"id": "3", "options": [{"position": 1, "label": "ja"}, {"label": "nei"}]}],
    )
    assert post.poll == Poll(("ja", "nei"))


@pytest.mark.parametrize("code", ["und", "qme", "zxx", "qht", "art", ""])
def test_codes_that_name_no_language_are_none(code: str) -> None:
    assert read({"text": "…", "lang": code}).languages == ()


def test_old_language_codes_are_brought_up_to_date() -> None:
    assert read({"text": "…", "lang": "iw"}).languages == ("he",)


def test_an_edited_post_keeps_the_time_of_its_first_version() -> None:
    first, second = "2124621319310934016", "2124623000000000000"
    post = read(
        {
            "id": second,
            "text": "nå riktig",
            "created_at": "2026-11-22T21:59:00.000Z",
            "edit_history_post_ids": [first, second],
        }
    )
    assert post.id == first
    assert post.created_at == datetime(2026, 11, 22, 21, 49, 30, 736000, tzinfo=UTC)


def test_posts_of_a_protected_account_are_private() -> None:
    hidden = User("7", "kari", protected=True)
    post = to_posts({"data": [{"id": "20", "text": "hemmelig"}]}, hidden)[0]
    assert post.visibility == "private"
    assert read({"text": "åpent"}).visibility == "public"


@pytest.mark.parametrize(
    ("said", "expected"), [(True, True), (False, False), ("odd", True), (None, True)]
)
def test_a_page_tells_whether_its_author_is_protected_now(said: Any, expected: bool) -> None:
    users = [{"id": "9", "protected": not said}, {"id": "7", "username": "k2", "protected": said}]
    assert author({"includes": {"users": users}}, KARI) == User("7", "k2", expected)
    assert author({}, KARI) == KARI


@pytest.mark.parametrize(
    "odd",
    [
        {"text": None, "entities": [], "attachments": "x", "referenced_posts": {"a": 1}},
        {"text": "hei", "entities": {"urls": [None, {"url": 3}], "hashtags": [{"tag": "mangler"}]}},
        {"text": "hei", "created_at": "i går", "lang": 3, "edit_history_post_ids": [None, 4]},
        {"text": "hei", "created_at": "0001-01-01T00:00:00+23:00"},
        {"text": "hei", "attachments": {"media_keys": [1, None], "poll_ids": [{}]}},
        {"text": "hei", "entities": {"mentions": [{"username": "x", "start": -4, "end": 10**9}]}},
    ],
)
def test_an_odd_post_is_read_as_far_as_it_goes(odd: dict[str, Any]) -> None:
    assert read(odd).id == "20"


def test_what_has_no_id_is_left_out_and_the_rest_is_read() -> None:
    body = {"data": [{"text": "uten"}, {"id": 3}, None, {"id": "21", "text": "med"}]}
    assert [post.id for post in to_posts(body, KARI)] == ["21"]
