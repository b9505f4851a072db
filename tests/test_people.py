"""Mentions of people whose handles are known: live, of exactly them and of nobody else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.network import Network
from bridge.networks.mastodon.read import Instance, to_limits
from bridge.networks.mastodon.write import matches
from bridge.people import identified, unknown_handles
from bridge.post import Draft, Post, Ref, Run, Skip
from bridge.render import render, silence
from bridge.schema import Person, Policy
from bridge.simulation import Fault
from bridge.text import mastodon_entities, mastodon_length, x_entities
from tests.config_files import ACCOUNTS, complaints, load_text
from tests.test_render import BLUESKY, LIMITS, MASTODON, POST, TWITTER, one, why_not
from tests.test_text_properties import many, posts, texts
from tests.world import World, world

MAYOR = Person(
    "mayor",
    (
        ("mastodon", "Mayor@city.example"),
        ("bluesky", "mayor.city.example"),
        ("twitter", "citymayor"),
    ),
)
KNOWN = (MAYOR, Person("chief", (("mastodon", "chief@a.example"), ("bluesky", "did:plc:chief"))))
#: the mayor as each network mentions her
ON_MASTODON = Run("@mayor@city.example", "mention", "https://city.example/@mayor", "mayor")
ON_BLUESKY = Run(
    "@mayor.city.example", "mention", "https://bsky.app/profile/did:plc:mayor", "mayor"
)
ON_X = Run("@CityMayor", "mention", "https://x.com/CityMayor", "CityMayor")
STRANGER = Run("@kari@b.example.org", "mention", "https://b.example.org/@kari", "kari")
ACCOUNT = {
    "mastodon": "mastodon:a.example/1",
    "bluesky": "bluesky:did:plc:a",
    "twitter": "twitter:1",
}
RESOLVE = "GET /xrpc/com.atproto.identity.resolveHandle"
PUT = "POST /xrpc/com.atproto.repo.putRecord"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def thanks(mention: Run, network: str) -> Post:
    return replace(POST, account=ACCOUNT[network], runs=(Run("Takk til "), mention, Run("!")))


def sent(post: Post, target: Network, **policy: Any) -> Draft:
    return one(post, target, people=KNOWN, **policy)


@pytest.mark.parametrize(
    ("mention", "network"), [(ON_BLUESKY, "bluesky"), (ON_X, "twitter")], ids=["bluesky", "x"]
)
def test_a_mention_is_one_on_mastodon_too(mention: Run, network: str) -> None:
    for mentions in ("text", "link", "skip"):
        draft = sent(thanks(mention, network), MASTODON, mentions=mentions)
        assert draft.text == "Takk til @Mayor@city.example!"


@pytest.mark.parametrize(
    ("mention", "network"), [(ON_MASTODON, "mastodon"), (ON_X, "twitter")], ids=["mastodon", "x"]
)
def test_a_mention_is_one_on_bluesky_too_as_soon_as_its_did_is_known(
    mention: Run, network: str
) -> None:
    draft = sent(thanks(mention, network), BLUESKY)
    assert draft.text == "Takk til @mayor.city.example!"
    assert unknown_handles(draft) == ["mayor.city.example"]
    found = identified(draft, {"mayor.city.example": "did:plc:mayor"}, BLUESKY)
    assert unknown_handles(found) == []
    record = BLUESKY.to_payload(found, "key", (), None, found.created_at)["record"]
    feature = {"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:mayor"}
    assert record["facets"] == [{"index": {"byteStart": 9, "byteEnd": 28}, "features": [feature]}]


def test_whom_nobody_finds_is_named_and_the_loss_is_told() -> None:
    draft = identified(sent(thanks(ON_X, "twitter"), BLUESKY), {}, BLUESKY)
    assert draft.text == "Takk til CityMayor!"
    assert [loss.detail for loss in draft.losses] == ["mayor.city.example was not found on Bluesky"]
    assert "facets" not in BLUESKY.to_payload(draft, "key", (), None, draft.created_at)["record"]
    assert unknown_handles(draft) == []
    assert identified(draft, {}, BLUESKY) == draft


def test_a_did_needs_no_looking_up() -> None:
    chief = Run("@chief", "mention", "https://a.example/@chief", "chief")
    draft = sent(thanks(chief, "mastodon"), BLUESKY)
    assert (draft.text, unknown_handles(draft)) == ("Takk til @chief!", [])
    assert draft.runs[1].target == "https://bsky.app/profile/did:plc:chief"


@pytest.mark.parametrize("mention", [ON_MASTODON, ON_BLUESKY])
def test_nobody_is_ever_mentioned_on_x(mention: Run) -> None:
    network = "bluesky" if mention is ON_BLUESKY else "mastodon"
    assert sent(thanks(mention, network), TWITTER).text == "Takk til mayor!"
    reason = why_not(thanks(mention, network), TWITTER, mentions="skip", people=KNOWN)
    assert reason == "mentions mayor"


@pytest.mark.parametrize(
    ("mention", "network"),
    [
        # by the handle, whatever its case; a local one without its server
        (Run("@MAYOR@City.example", "mention", "", "mayor"), "mastodon"),
        (Run("@mayor", "mention", "https://city.example/@mayor", "mayor"), "mastodon"),
        (Run("@mayor", "mention", "https://city.example/users/mayor", "mayor"), "mastodon"),
        (Run("@m", "mention", "https://b.example/@mayor@city.example", "m"), "mastodon"),
        (
            Run("@Mayor.City.example", "mention", "https://bsky.app/profile/did:plc:m", "m"),
            "bluesky",
        ),
        (
            Run("the mayor", "mention", "https://bsky.app/profile/mayor.city.example", "m"),
            "bluesky",
        ),
        (Run("＠citymayor", "mention", "https://x.com/citymayor", "citymayor"), "twitter"),
    ],
)
def test_a_person_is_known_by_handle_or_profile(mention: Run, network: str) -> None:
    target = BLUESKY if network == "mastodon" else MASTODON
    assert [run.kind for run in sent(thanks(mention, network), target).runs] == [
        "text", "mention", "text",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("mention", "network"),
    [
        (STRANGER, "mastodon"),
        (Run("@mayor@town.example", "mention", "https://town.example/@mayor", "mayor"), "mastodon"),
        (Run("@mayor", "mention", "https://a.example/@mayor", "mayor"), "mastodon"),
        (
            Run("@mayor.town.example", "mention", "https://bsky.app/profile/did:plc:t", "m"),
            "bluesky",
        ),
        (Run("@mayor", "mention", "https://x.com/mayor", "mayor"), "twitter"),
    ],
)
def test_everybody_else_is_a_plain_name(mention: Run, network: str) -> None:
    for target in (MASTODON, BLUESKY, TWITTER):
        draft = sent(thanks(mention, network), target)
        assert {run.kind for run in draft.runs} == {"text"}
        assert "@" not in draft.text


def test_of_a_boost_nobody_is_mentioned() -> None:
    boost = Ref("9", "twitter:9", "https://x.com/b/status/9", author="b")
    post = replace(thanks(ON_X, "twitter"), boost=boost)
    assert "@" not in sent(post, MASTODON, boosts="quote").text


def test_nobody_is_mentioned_in_a_content_warning() -> None:
    post = replace(thanks(ON_X, "twitter"), content_warning="about @mayor@city.example")
    assert sent(post, MASTODON).content_warning == "about mayor@city.example"


@pytest.mark.parametrize("after", [".evil.example", "x", "@b.example", "-a", "://x", "/a"])
@pytest.mark.parametrize("before", ["x", "/", "@", "a@"])
def test_what_stands_beside_a_mention_makes_nobody_else_of_it(before: str, after: str) -> None:
    post = replace(POST, account=ACCOUNT["twitter"], runs=(Run(before), ON_X, Run(after)))
    draft = sent(post, MASTODON)
    assert whom(draft.text) == ["Mayor@city.example"]


def test_the_server_of_a_mention_counts_for_nothing() -> None:
    limits = to_limits(Instance("mastodon", characters=30))
    post = thanks(ON_X, "twitter")
    made = render(post, Policy(people=KNOWN), MASTODON, limits)
    assert not isinstance(made, Skip)
    assert [draft.text for draft in made] == ["Takk til @Mayor@city.example!"]
    assert mastodon_length(made[0].text) == len("Takk til @Mayor!")


def whom(text: str) -> list[str]:
    return [span.value for span in mastodon_entities(text) if span.kind == "mention"]


known = st.sampled_from([ON_X, Run("@kari", "mention", "https://x.com/kari", "kari"), STRANGER])
with_people = st.tuples(posts, known, texts.map(Run), known, posts).map(
    lambda made: (*made[0], made[1], made[2], made[3], *made[4])
)


@many
@given(
    with_people,
    st.sampled_from([500, 60, 24]),
    st.sampled_from(["thread", "numbered", "truncate", "first_and_link"]),
    st.sampled_from(["keep", "drop"]),
)
def test_exactly_the_people_that_are_known_are_notified(
    runs: tuple[Run, ...], size: int, long: Any, links: Any
) -> None:
    post = replace(POST, account=ACCOUNT["twitter"], runs=runs)
    policy = Policy(people=KNOWN, long=long, links=links, link_back="never")
    limits = to_limits(Instance("mastodon", characters=size))
    made = render(post, policy, MASTODON, limits)
    drafts = () if isinstance(made, Skip) else made
    notified = [name for draft in drafts for name in whom(draft.text)]
    meant = [run for draft in drafts for run in draft.runs if run.kind == "mention"]
    assert set(notified) <= {"Mayor@city.example"}
    assert len(notified) == len(meant)
    if drafts and long in ("thread", "numbered"):
        assert len(meant) == runs.count(ON_X)
    for draft in drafts:
        assert limits.fits(draft.text, draft.content_warning)
    on_x = render(replace(post, account=ACCOUNT["mastodon"]), policy, TWITTER, LIMITS["twitter"])
    for draft in () if isinstance(on_x, Skip) else on_x:
        assert not [span for span in x_entities(draft.text) if span.kind == "mention"]


@many
@given(st.lists(st.one_of(texts.map(Run), st.just(ON_MASTODON)), max_size=6))
def test_the_last_guard_leaves_nothing_else_live(pieces: list[Run]) -> None:
    silent = silence(tuple(pieces))
    live = whom("".join(run.text for run in silent))
    assert set(live) <= {"mayor@city.example"}


def test_a_copy_with_a_mention_is_known_again_wherever_the_person_is() -> None:
    payload = {"status": "Takk til @Mayor@city.example!"}
    for shown in ("@Mayor@city.example", "@Mayor"):  # as of another server, as of one's own
        read = replace(POST, runs=(Run("Takk til "), replace(ON_MASTODON, text=shown), Run("!")))
        assert matches(payload, "key", read)
    other = replace(POST, runs=(Run("Takk til "), replace(STRANGER, text="@kari"), Run("!")))
    assert not matches(payload, "key", other)


# On its way


@pytest.fixture
def settings() -> dict[str, Any]:
    handles = {"bluesky": "berit.test", "twitter": "berit", "mastodon": "berit@city.example"}
    return {"people": {"berit": handles}}


def mentions_of(w: World) -> list[tuple[str, list[str]]]:
    """The texts on the Bluesky account, with the DIDs that each mentions."""
    return [
        (
            entry.text,
            [
                feature["did"]
                for facet in entry.raw.get("facets", [])
                for feature in facet["features"]
                if "did" in feature
            ],
        )
        for entry in w.journal("b")
    ]


def test_the_did_is_asked_for_when_the_post_goes_out(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    with world(tmp_path, "one: {from: m, to: b}", top=settings) as w:
        w.turn()
        w.say("m", "Takk til @berit@city.example for kaffen")
        w.rest()
        did = w.simulator("b").made("berit.test").did
        assert mentions_of(w) == [("Takk til @berit.test for kaffen", [did])]
        assert w.simulator("b").requests[RESOLVE] == 1


@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_a_handle_that_cannot_be_found_keeps_no_post_back(
    tmp_path: Path, settings: dict[str, Any], status: int
) -> None:
    with world(tmp_path, "one: {from: m, to: b}", top=settings) as w:
        w.turn()
        body = '{"error": "InvalidRequest", "message": "Unable to resolve handle"}'
        w.simulator("b").faults.append(Fault("answer", RESOLVE, times=99, status=status, body=body))
        post_id = w.say("m", "Takk til @berit@city.example for kaffen")
        for _ in range(5):
            w.rest()
            w.clock.advance(minutes=2)
        assert mentions_of(w) == [("Takk til berit for kaffen", [])]
        (draft,) = w.store.drafts_of(
            w.accounts.open("b").identity.id, w.accounts.open("m").identity.id, post_id
        )
        assert [loss.what for loss in draft.draft.losses] == ["mention"]


def test_what_was_found_is_remembered(tmp_path: Path, settings: dict[str, Any]) -> None:
    with world(tmp_path, "one: {from: m, to: b}", top=settings) as w:
        w.turn()
        w.simulator("b").faults.append(Fault("drop_after", PUT))
        w.say("m", "Takk til @berit@city.example for kaffen")
        for _ in range(5):
            w.rest()
            w.clock.advance(minutes=2)
        assert len(mentions_of(w)) == 1
        assert w.simulator("b").requests[RESOLVE] == 1


def test_an_edit_of_something_else_leaves_a_mention_alone(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    with world(tmp_path, "one: {from: m, to: b}", top=settings) as w:
        w.turn()
        w.simulator("b").faults.append(Fault("answer", RESOLVE, status=400, body="{}"))
        for text in ("Takk til @berit@city.example i dag", "Takk til @berit@city.example i går"):
            post_id = w.say("m", text)
            w.rest()
            w.change("m", post_id, f" {text} ")  # which readers do not see
            w.clock.advance(hours=1)
            w.follow("m")
            w.rest()
        assert [len(dids) for _, dids in mentions_of(w)] == [0, 1]
        assert w.store.stopped() == []


def test_a_copy_on_mastodon_whose_answer_was_lost_is_found(
    tmp_path: Path, settings: dict[str, Any]
) -> None:
    with world(tmp_path, "one: {from: x, to: m}", top=settings) as w:
        w.turn()
        w.simulator("m").faults.append(Fault("drop_after", "POST /api/v1/statuses"))
        w.say("x", "Takk til @berit for kaffen")
        for _ in range(5):
            w.rest()
            w.clock.advance(minutes=2)
        assert w.texts("m") == ["Takk til @berit@city.example for kaffen"]
        assert w.store.stopped() == []


# Settings


def config(people: str) -> str:
    return f"people:\n{people}\nbots:\n  b: {{from: masto, to: [bsky, x]}}\n{ACCOUNTS}"


def test_every_bot_knows_the_people() -> None:
    text = config("  mayor: {mastodon: '@Mayor@city.example', bluesky: mayor.city.example}")
    for route in load_text(text).bots["b"].routes:
        assert route.policy.people == (
            Person(
                "mayor", (("mastodon", "Mayor@city.example"), ("bluesky", "mayor.city.example"))
            ),
        )


@pytest.mark.parametrize(
    ("people", "said"),
    [
        (
            "  a: {mastadon: a@b.example}",
            "2:7: there is no network 'mastadon'; did you mean 'mastodon'?",
        ),
        (
            "  a: {mastodon: mayor}",
            "2:17: 'mayor' is no handle on Mastodon, such as mayor@city.example",
        ),
        (
            "  a: {mastodon: a@b}",
            "2:17: 'a@b' is no handle on Mastodon, such as mayor@city.example",
        ),
        (
            "  a: {bluesky: mayor}",
            "2:16: 'mayor' is no handle on Bluesky, such as mayor.city.example",
        ),
        ("  a: {twitter: a b}", "2:16: 'a b' is no handle on Twitter (X), such as mayor"),
        ("  a: {twitter: }", "2:7: 'twitter' has no value"),
        ("  a: x", "2:6: 'a' takes a map of settings, not a single value"),
        (
            "  a: {twitter: citymayor}\n  b: {twitter: '@CityMayor'}",
            "3:16: 'CityMayor' is one person's handle already: 'a' at config.yaml:2:16",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_place(people: str, said: str) -> None:
    (problem,) = complaints(config(people))
    assert problem.startswith(said)
