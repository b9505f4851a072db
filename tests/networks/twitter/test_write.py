from datetime import UTC, datetime
from typing import Any

import pytest

from bridge.network import Parents
from bridge.networks.twitter.write import matches, to_payload
from bridge.post import Draft, Post, Ref, Run

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def payload(text: str, *, uploads: int = 0, parent: str = "") -> dict[str, Any]:
    parents = Parents(Ref(parent), Ref("1")) if parent else None
    draft = Draft((Run(text),) if text else (), NOW)
    return to_payload(draft, "key", tuple({"id": str(n)} for n in range(uploads)), parents, NOW)


def post(*runs: Run, reply_to: str = "", quote: str = "", boost: str = "") -> Post:
    return Post(
        "twitter:7",
        "20",
        "",
        NOW,
        runs,
        reply_to=Ref(reply_to) if reply_to else None,
        quote=Ref(quote) if quote else None,
        boost=Ref(boost) if boost else None,
    )


def link(url: str) -> Run:
    return Run(url, "link", url)


def test_a_text_alone() -> None:
    assert payload("Grüß Gott") == {"text": "Grüß Gott"}


def test_a_reply_with_images() -> None:
    assert payload("to", uploads=2, parent="18") == {
        "text": "to",
        "reply": {"in_reply_to_tweet_id": "18"},
        "media": {"media_ids": ["0", "1"]},
    }


def test_images_need_no_text() -> None:
    assert payload("", uploads=1) == {"media": {"media_ids": ["0"]}}


def test_a_copy_is_recognised_by_its_text() -> None:
    sent = payload("Les  mer:\nexample.com/sti & mer")
    shown = post(Run("Les mer: "), link("http://example.com/sti"), Run(" & mer"))
    assert matches(sent, "key", shown)
    assert not matches(sent, "key", post(Run("Les mer: "), link("http://example.com/annet")))


def test_the_same_text_elsewhere_in_a_thread_is_another_post() -> None:
    sent = payload("ja", parent="18")
    assert matches(sent, "key", post(Run("ja"), reply_to="18"))
    assert not matches(sent, "key", post(Run("ja"), reply_to="19"))
    assert not matches(sent, "key", post(Run("ja")))
    assert not matches(payload("ja"), "key", post(Run("ja"), reply_to="18"))


def test_a_closing_link_to_a_post_has_become_a_quote() -> None:
    sent = payload("enig https://x.com/ola/status/5")
    assert matches(sent, "key", post(Run("enig"), quote="5"))
    assert not matches(sent, "key", post(Run("enig"), quote="6"))


def test_a_repost_is_never_a_copy() -> None:
    assert not matches(payload("", uploads=1), "key", post(boost="5"))


@pytest.mark.parametrize("text", ["1 &lt; 2 &amp;c", "مرحبا @kari 👩🏽‍🚀", "e\u0301te"])
def test_what_is_read_back_is_the_same(text: str) -> None:
    assert matches(payload(text), "key", post(Run(text)))
