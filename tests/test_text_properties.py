"""What holds of any post at all, by each network's own count and by what the readers make of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.network import Limits
from bridge.networks.bluesky.read import to_runs
from bridge.networks.bluesky.write import to_facets
from bridge.networks.mastodon.read import Instance, to_limits
from bridge.post import Draft, Run, Skip, join_runs
from bridge.registry import NETWORKS
from bridge.render import render
from bridge.schema import Policy
from bridge.text import clusters, html_to_runs
from tests import corpus
from tests.test_render import POST

many = settings(deadline=None, derandomize=True, max_examples=150)

#: servers of every kind and size, and the two networks whose limits are fixed
SERVERS: list[tuple[str, Limits]] = [
    ("bluesky", corpus.limits("bluesky", {})),
    ("twitter", corpus.limits("twitter", {})),
    ("mastodon", to_limits(Instance("mastodon"))),
    ("mastodon", to_limits(Instance("mastodon", characters=60))),
    ("mastodon", to_limits(Instance("mastodon", characters=7))),
    ("mastodon", to_limits(Instance("gotosocial", characters=90))),
    ("mastodon", to_limits(Instance("gotosocial", characters=11))),
    ("mastodon", to_limits(Instance("other", characters=500))),
]
LONG = ["thread", "numbered", "truncate", "first_and_link"]
PIECES = [
    "Hei ", "på deg. ", "\n", "\n\n", " ", "Straße, ", "naïve ", "e\u0301", "Å", "日本語", "図書館です。",
    "だった", "สวัสดี", "เกา", "नमस्ते। ", "مرحبا، ", "كيف؟ ", "שלום ", "می\u200cشود ", "한국어 ",
    "\u2067אבג 123\u2069 ", "\u200f", "👨‍👩‍👧‍👦", "🇳🇴", "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "1️⃣", "👍🏽", "❤️", "avis.no ", "https://les.example.org/sti ", "post@avis.no ", "@kari ", "#Oslo ", "#",
    "$EQNR ", "(", ")", "”", "…", "\u00a0", "a" * 50, "ord " * 30, "𝐋", "e\u0301" * 15, "👍🏽" * 9,
]  # fmt: skip
texts = st.lists(st.sampled_from(PIECES) | st.text(max_size=4), max_size=40).map("".join)
LINK = "https://les.example.org/nyheter/2026/11/ganske-lang-adresse?med=alt#her"
marked = st.one_of(
    texts.map(Run),
    st.sampled_from(
        [
            Run(LINK, "link", LINK),
            Run("hele saken", "link", LINK),
            Run("#OsloØst", "hashtag", "OsloØst"),
            Run("#図書館", "hashtag", "図書館"),
            Run("@kari@sosial.example", "mention", "https://sosial.example.org/@kari", "kari"),
        ]
    ),
)
posts = st.lists(marked, max_size=8).map(join_runs)


def drafts(runs: tuple[Run, ...], network: str, limits: Limits, **policy: Any) -> list[Draft]:
    post = replace(POST, runs=runs)
    made = render(post, Policy(**policy), NETWORKS[network], limits)
    return [] if isinstance(made, Skip) else list(made)


def squeezed(text: str) -> str:
    """A text without white space, which may fall away at a cut, and signs that would notify."""
    return regex.sub(r"[\s@＠]", "", text)


@many
@given(posts, st.sampled_from(SERVERS), st.sampled_from(LONG))
def test_no_part_is_over_the_limit(
    runs: tuple[Run, ...], server: tuple[str, Limits], long: Any
) -> None:
    network, limits = server
    for draft in drafts(runs, network, limits, long=long):
        for measure in limits.measures:
            assert measure.count(draft.text, draft.content_warning) <= measure.maximum


@many
@given(posts, st.sampled_from(SERVERS))
def test_the_parts_joined_are_the_text(runs: tuple[Run, ...], server: tuple[str, Limits]) -> None:
    network, limits = server
    unlimited = Limits((), 4, 1, 1, frozenset(), 1)
    parts = drafts(runs, network, limits)
    whole = "".join(draft.text for draft in drafts(runs, network, unlimited))
    if parts:
        assert squeezed("".join(draft.text for draft in parts)) == squeezed(whole)


@many
@given(posts, st.sampled_from(SERVERS))
def test_graphemes_links_and_hashtags_are_never_cut(
    runs: tuple[Run, ...], server: tuple[str, Limits]
) -> None:
    network, limits = server
    unlimited = Limits((), 4, 1, 1, frozenset(), 1)
    (whole,) = drafts(runs, network, unlimited) or [Draft((), POST.created_at)]
    parts = drafts(runs, network, limits)
    if "@" not in whole.text:
        shown = [cluster for draft in parts for cluster in clusters(draft.text)]
        assert not parts or _seen(shown) == _seen(clusters(whole.text))
    # those that alone are over a limit are cut as text, since there is no other way
    kept = [run for run in whole.runs if run.kind != "text" and limits.fits(run.text)]
    found = [run for draft in parts for run in draft.runs if run.kind != "text"]
    assert not parts or [run for run in found if run in kept] == kept


@many
@given(posts)
def test_facets_cover_the_words_of_their_runs_and_are_read_back(runs: tuple[Run, ...]) -> None:
    for draft in drafts(runs, "bluesky", corpus.limits("bluesky", {})):
        text, facets = to_facets(draft.runs)
        raw = text.encode()
        assert text == draft.text
        words = [raw[f["index"]["byteStart"] : f["index"]["byteEnd"]].decode() for f in facets]
        assert words == [run.text for run in draft.runs if run.kind in ("link", "hashtag")]
        assert "".join(run.text for run in to_runs(text, facets)) == text


def _seen(graphemes: list[str]) -> list[str]:
    return [grapheme for grapheme in graphemes if not grapheme.isspace()]


facets = st.lists(
    st.builds(
        lambda start, length, feature: {
            "index": {"byteStart": start, "byteEnd": start + length},
            "features": [feature],
        },
        st.integers(-2, 60),
        st.integers(-2, 30),
        st.sampled_from(
            [
                {"$type": "app.bsky.richtext.facet#link", "uri": LINK},
                {"$type": "app.bsky.richtext.facet#tag", "tag": "Oslo"},
                {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:kari"},
                {"$type": "app.bsky.richtext.facet#new"},
            ]
        ),
    ),
    max_size=6,
)


@many
@given(texts, facets)
def test_any_facets_leave_the_text_and_its_graphemes_whole(text: str, marks: Any) -> None:
    runs = to_runs(text, marks)
    assert "".join(run.text for run in runs) == text
    edges = set()
    at = 0
    for cluster in clusters(text):
        edges.add(at)
        at += len(cluster)
    starts = [sum(len(run.text) for run in runs[:n]) for n in range(len(runs))]
    assert set(starts) <= edges


NAMES = ["p", "b", "i", "ul", "ol", "li", "blockquote", "pre", "code", "span", "div", "h1", "td"]
WORDS = ["hei", "日本", "مرحبا", "👨‍👩‍👧", "x &amp; y", "1 &lt; 2"]
trees = st.recursive(
    st.sampled_from([*WORDS, "<br>", "<a href='https://les.example.org/a'>lenke</a>"]),
    lambda inner: st.builds(
        lambda name, children: f"<{name}>{''.join(children)}</{name}>",
        st.sampled_from(NAMES),
        st.lists(inner, max_size=5),
    ),
    max_leaves=25,
)


@many
@given(trees)
def test_every_word_of_any_html_is_kept_in_order(html: str) -> None:
    said = regex.sub(r"<[^>]*>", "", html).replace("&amp;", "&").replace("&lt;", "<")
    text = "".join(run.text for run in html_to_runs(html))
    # signs of lists and quotations, and white space, may stand between
    found = iter(text)
    assert all(sign in found for sign in regex.sub(r"\s", "", said))
