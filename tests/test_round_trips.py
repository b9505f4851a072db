"""There and back: what a copy shows, read from its network and mirrored home, is the original.

Every golden case without settings of its own goes from its network A to each other network B as
B shows it, is read there, and rendered for A. Text, links, descriptions of images and languages are
those of the original rendered for A, or the loss stands on the copy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import pytest

from bridge.hashtags import arrange
from bridge.network import Network
from bridge.networks.mastodon.simulator.markup import mark_up
from bridge.networks.twitter.simulator import compose
from bridge.networks.twitter.simulator.model import Media as Attached
from bridge.post import Draft, Post, Run, Skip
from bridge.registry import NETWORKS
from bridge.render import render
from bridge.schema import Policy
from bridge.text import comparable, mastodon_entities, shows_url
from tests import corpus

CASES = [case for case in corpus.cases() if not (case.settings or case.people or case.server)]
WAYS = [(case, target) for case in CASES for target in case.targets]


@pytest.mark.parametrize(("case", "target"), WAYS, ids=[f"{c.file.stem}-{t}" for c, t in WAYS])
def test_there_and_back(case: corpus.Case, target: str) -> None:
    post, home = corpus.read(case), NETWORKS[case.network]
    copy = corpus.drafts(case, target, post)
    if isinstance(copy, Skip) or copy[0].boost:  # which has nothing of its own to carry
        return
    if any(draft.poll for draft in copy):
        return  # what goes as a poll is no text
    lost = {loss.what for loss in copy[0].losses}
    there = [
        _shown(target, payload, draft)
        for payload, draft in zip(corpus.payloads(target, copy), copy, strict=True)
    ]
    if any(draft.quote for draft in copy):  # what it shows is the copy, on either network
        post, there = replace(post, quote=None), [_without_quote(each) for each in there]
    # hashtags beside the text come back in it
    expected = _rendered([arrange(post, Policy(), NETWORKS[target])[0]], home)
    if not expected:
        return  # a warning and nothing else
    lost |= {loss.what for draft in expected for loss in draft.losses}
    back = _rendered(there, home)
    if not lost & {"poll", "media", "text", "alt text", "label", "cashtags"}:
        assert _words(back, post) == _words(expected, post)
        assert _links(expected) <= _links(back)
    if not lost & {"media", "alt text"}:
        assert [m.alt for d in back for m in d.media] == [m.alt for d in expected for m in d.media]
    if NETWORKS[target].languages and "languages" not in lost:
        assert _languages(back) == _languages(expected)


def _without_quote(post: Post) -> Post:
    runs = tuple(run for run in post.runs if not run.target.endswith("/shown"))
    return replace(post, quote=None, runs=runs)


def _rendered(posts: Sequence[Post], network: Network) -> list[Draft]:
    """Posts, one after the other, as they would stand on a network."""
    drafts: list[Draft] = []
    for post in posts:
        made = render(post, Policy(), network, corpus.limits(network.name, {}))
        drafts += () if isinstance(made, Skip) else made
    return drafts


def _words(drafts: Sequence[Draft], post: Post) -> str:
    """All that is said, without white space, signs that notify, and how links are written.

    A content warning counts as its first line, which it is where there is no field for it.
    """
    text = " ".join(_spelled(draft.runs) for draft in drafts)
    warning = post.content_warning
    if warning and not text.startswith("CW: "):
        text = f"CW: {warning} {text}"
    return re.sub(r"[\s@＠]", "", unquote(comparable(text)))


def _spelled(runs: tuple[Run, ...]) -> str:
    """Text in which each link is its URL, or its words and the URL."""
    said = ""
    for run in runs:
        if run.kind != "link":
            said += run.text
        else:
            said += run.target if shows_url(run) else f"{run.text} ({run.target})"
    return said


def _links(drafts: Sequence[Draft]) -> set[str]:
    """Where links lead, those too that a network makes of plain text."""
    runs = [run for draft in drafts for run in draft.runs]
    links = [run.target for run in runs if run.kind == "link"]
    links += [
        s.value for draft in drafts for s in mastodon_entities(draft.text) if s.kind == "link"
    ]
    return {unquote(comparable(link)) for link in links}


def _languages(drafts: Sequence[Draft]) -> set[str]:
    """Languages without region and script, as far as they have the form of a tag."""
    tags = [re.split("[-_]", tag)[0] for draft in drafts for tag in draft.languages]
    return {tag for tag in tags if re.fullmatch("[a-z]{2,3}", tag)}


def _shown(network: str, payload: dict[str, Any], draft: Draft) -> Post:
    """What a network shows of what was published on it, as its client reads it."""
    if network == "bluesky":
        uri = f"at://did:plc:avis/app.bsky.feed.post/{payload['rkey']}"
        return corpus.read_post(network, {"uri": uri, "cid": "c", "value": payload["record"]})
    if network == "mastodon":
        shown = mark_up(payload["status"], "https://avis.example", lambda _: None)
        media = [
            {"type": "image", "url": m.url, "description": m.alt, "id": str(n)}
            for n, m in enumerate(draft.media)
        ]
        status = {
            **payload,
            "id": "9",
            "content": shown.html,
            "tags": list(shown.tags),
            "created_at": "2026-11-22T09:30:00Z",
            "account": {"id": "7"},
            "media_attachments": media,
        }
        return corpus.read_post(network, {k: v for k, v in status.items() if "reply" not in k})
    return _on_x(str(payload.get("text", "")), draft)


def _on_x(text: str, draft: Draft) -> Post:
    attached = [
        Attached(str(n), "7", "image/jpeg", 1, alt=media.alt)
        for n, media in enumerate(draft.media, 1)
    ]
    made = compose.compose(text, "seed", attached, "https://x.com/avis/status/9")
    post = {
        "id": "9",
        "text": made.text,
        "entities": made.entities,
        "created_at": "2026-11-22T09:30:00Z",
        "attachments": {"media_keys": [each.key for each in attached]},
    }
    listed = [
        {
            "media_key": each.key,
            "type": "photo",
            "url": "https://pbs.example/a",
            "alt_text": each.alt,
        }
        for each in attached
    ]
    return corpus.read_post("twitter", {"data": [post], "includes": {"media": listed}})
