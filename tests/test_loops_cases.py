"""Loops, case by case: who answers, boosts and quotes what, and other bridges on the same accounts.

Random graphs are in `tests/loops/`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bridge.accounts import Accounts
from bridge.ingest import mirror
from bridge.store import Store
from tests.world import PEOPLE, World, world

TRIANGLE = "news: {between: [m, b, x], boosts: link}"
MEMBERS = ("m", "b", "x")


def everything(w: World) -> list[tuple[str, str, str]]:
    """Every post on every account: account, text, and what it answers."""
    return [(account, e.text, e.reply_to) for account in PEOPLE for e in w.journal(account)]


def comes_to_rest(*worlds: World) -> None:
    """After some passes nothing more is posted, however long one waits."""
    for _ in range(4):
        for w in worlds:
            w.rest(1)
    before = everything(worlds[0])
    for _ in range(4):
        for w in worlds:
            w.rest(1)
    worlds[0].clock.advance(hours=5)
    for w in worlds:
        w.rest(2)
    assert everything(worlds[0]) == before


def by_application(w: World, account: str, application: str, text: str) -> str:
    """Post on a Mastodon account through an application; returns the id."""
    simulator = w.simulator(account)
    token = simulator.account(PEOPLE[account][1], application)["access_token"]
    head = {"authorization": f"Bearer {token}", "user-agent": application}
    body = {"status": text, "visibility": "public"}
    answer = simulator.call("POST", "/api/v1/statuses", json_body=body, headers=head)
    w.said.add((account, answer["id"]))
    return str(answer["id"])


def boost(w: World, account: str, what: str) -> None:
    """Boost as the account's owner."""
    w.said.add((account, w.simulator(account).boost(PEOPLE[account][1], what)))


def quote(w: World, account: str, text: str, quoted: str) -> str:
    """Quote a post of the account itself as its owner."""
    match PEOPLE[account]:
        case ("mastodon", _):
            return w.say(account, text, quoted_status_id=quoted)
        case _:
            return w.say(account, text, quote=quoted)


# What an author does with copies


@pytest.mark.parametrize("home", MEMBERS)
@pytest.mark.parametrize("answers_on", MEMBERS)
def test_an_answer_hangs_on_the_groups_post_on_every_member(
    tmp_path: Path, home: str, answers_on: str
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        posts = {home: w.say(home, "Vinteren kommer tidlig")}
        w.rest(2)
        for member in set(MEMBERS) - {home}:
            (made,) = w.copies(member)
            posts[member] = made.id
        answer = w.say(answers_on, "Og den blir lang", reply_to=posts[answers_on])
        w.rest(2)
        # and once more, on another member, to what stands there now
        other = MEMBERS[(MEMBERS.index(answers_on) + 1) % 3]
        (there,) = [e for e in w.journal(other) if e.text == "Og den blir lang"]
        w.say(other, "しかも寒い", reply_to=there.id)
        comes_to_rest(w)
        for member in MEMBERS:
            first, second, third = w.journal(member)
            assert first.id == posts[member]
            assert (second.text, second.reply_to) == ("Og den blir lang", posts[member])
            assert (third.text, third.reply_to) == ("しかも寒い", second.id)
        assert answer in {e.id for e in w.journal(answers_on)}


@pytest.mark.parametrize("booster", MEMBERS)
def test_a_copy_or_an_own_post_boosted_by_its_author_is_boosted_on_every_member(
    tmp_path: Path, booster: str
) -> None:
    home = MEMBERS[MEMBERS.index(booster) - 1]
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.say(home, "Nå er båten her")
        own = w.say(booster, "Og her er jeg")
        aside = w.say(booster, "Bare her #nobridge")
        w.rest(2)
        posts = {member: {e.text: e.id for e in w.journal(member)} for member in MEMBERS}
        (made,) = w.copies(booster)
        for boosted in (made.id, own, aside):
            boost(w, booster, boosted)
        comes_to_rest(w)
        for member in MEMBERS:
            wanted = [posts[member]["Nå er båten her"], posts[member]["Og her er jeg"]]
            wanted += [aside] if member == booster else []
            assert [e.boost_of for e in w.journal(member) if e.boost_of] == wanted
        assert w.reasons().count("boost of the account's own post") == 2


def test_a_boost_of_a_colleague_goes_where_the_colleague_does_not(tmp_path: Path) -> None:
    bots = "one: {from: m, to: [b, x], boosts: link}\ntwo: {from: m2, to: b}"
    with world(tmp_path, bots) as w:
        w.turn()
        post = w.say("m2", "Berit skriver om snø")
        w.rest(2)
        boost(w, "m", post)
        comes_to_rest(w)
        copy, boosted = w.copies("b")
        assert (copy.text, boosted.boost_of) == ("Berit skriver om snø", copy.id)
        (link,) = w.copies("x")
        assert post in link.text


@pytest.mark.parametrize(
    ("twin", "member"),
    [
        ("https://bsky.brid.gy/r/https://bsky.app/profile/anna.test/post/{}", "b"),
        ("https://bsky.brid.gy/convert/ap/at://{did}/app.bsky.feed.post/{}", "b"),
        ("https://bird.makeup/@anna/{}", "x"),
        ("https://bird.makeup/users/anna/statuses/{}", "x"),
    ],
)
@pytest.mark.parametrize("home", MEMBERS)
def test_the_twin_that_another_bridge_made_of_a_post_is_known(
    tmp_path: Path, twin: str, member: str, home: str
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.say(home, "Trikken står")
        w.rest(2)
        before = everything(w)
        (post,) = w.journal(member)
        did = w.networks["bluesky"].identity("anna.test").removeprefix("bluesky:")
        boost(w, "m", twin.format(post.id, did=did))
        boost(w, "m", twin.format("1", did="did:plc:stranger").replace("anna", "dagny"))
        comes_to_rest(w)
        # the stranger's twin is an ordinary boost; of the other the group's posts are boosted
        assert len(everything(w)) == len(before) + 6
        for other in ("b", "x"):
            first, *rest = w.journal(other)
            assert [e.boost_of for e in rest if e.boost_of] == [first.id]


@pytest.mark.parametrize("member", MEMBERS)
def test_a_copy_quoted_with_words_is_an_original(tmp_path: Path, member: str) -> None:
    home = "m" if member != "m" else "b"
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.say(home, "Prisen på fisk stiger")
        w.rest(2)
        (made,) = w.copies(member)
        quote(w, member, "Det sa vi jo", made.id)
        comes_to_rest(w)
        for other in set(MEMBERS) - {member}:
            first, said = w.journal(other)
            assert said.text.startswith("Det sa vi jo")
            assert said.quote_of == first.id
        assert len(w.journal(member)) == 2


@pytest.mark.parametrize("member", ["b", "x"])
@pytest.mark.parametrize("own", [True, False])
def test_a_quote_without_words_is_like_a_boost(tmp_path: Path, member: str, own: bool) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        posts = {"m": w.say("m", "Havet er grått"), member: w.say(member, "La mer est grise")}
        w.rest(2)
        before = len(everything(w))
        (made,) = w.copies(member)[:1]
        quote(w, member, "", posts[member] if own else made.id)
        comes_to_rest(w)
        assert len(everything(w)) == before + 1
        assert "quote without words of the account's own post" in w.reasons()


def test_a_quote_without_words_of_a_colleague_goes_where_the_colleague_does_not(
    tmp_path: Path,
) -> None:
    bots = "one: {from: x, to: [b, m]}\ntwo: {from: x2, to: b}"
    with world(tmp_path, bots) as w:
        w.turn()
        post = w.say("x2", "Berit ser en elg")
        w.rest(2)
        w.say("x", "", quote=post)
        comes_to_rest(w)
        assert w.texts("b") == ["Berit ser en elg"]
        (link,) = w.copies("m")
        assert post in link.text
        assert "quote without words of a mirrored post" in w.reasons("one")


# Threads that several bots share


@pytest.mark.parametrize("first", ["news", "rest"])
def test_a_thread_goes_on_although_another_bot_took_its_beginning(
    tmp_path: Path, first: str
) -> None:
    bots = {
        "news": "{from: m, to: b, only: {hashtags: [news]}}",
        "rest": "{from: m, to: b, skip: {hashtags: [news]}}",
    }
    order = sorted(bots, key=lambda name: name != first)
    with world(tmp_path, "\n".join(f"{name}: {bots[name]}" for name in order)) as w:
        w.turn()
        start = w.say("m", "Broen er stengt #news")
        w.say("m", "Den åpner igjen mandag", reply_to=start)
        w.rest(3)
        copies = w.copies("b")
        assert [c.text for c in copies] == ["Broen er stengt #news", "Den åpner igjen mandag"]
        assert copies[1].reply_to == copies[0].id


# Other bridges


@pytest.mark.parametrize(
    ("application", "name"),
    [
        ("Tribridge", ""),
        ("tribridge", ""),
        ("Moa", "Moa"),
        ("Mastodon Twitter Crossposter", "Mastodon Twitter Crossposter"),
        ("mastodon-twitter-sync", "mastodon-twitter-sync"),
    ],
)
def test_what_another_bridge_posts_on_mastodon_is_no_source(
    tmp_path: Path, application: str, name: str
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        post = by_application(w, "m", application, "Kopiert fra et annet sted")
        w.say("m", "Et svar på det", reply_to=post)
        by_application(w, "m", "Fedica", "Planlagt, men skrevet av et menneske")
        comes_to_rest(w)
        for member in ("b", "x"):
            assert w.texts(member) == ["Planlagt, men skrevet av et menneske"]
        reason = f"made by another bridge: {name}" if name else "made by Tribridge"
        assert w.reasons().count(reason) == 2


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tribridgeKey": "5" * 64}, "made by Tribridge"),
        (
            {"bridgyOriginalUrl": "https://mastodon.example/@eva/1"},
            "made by another bridge: Bridgy Fed",
        ),
        ({"bridgyOriginalText": "<p>Hei</p>"}, "made by another bridge: Bridgy Fed"),
        (
            {"fediverseId": "https://wafrn.example/fediverse/post/1"},
            "made by another bridge: Wafrn",
        ),
    ],
)
def test_what_another_bridge_puts_on_bluesky_is_no_source(
    tmp_path: Path, fields: dict[str, Any], reason: str
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.say("b", "Von anderswo", **fields)
        w.say("b", "Von hier")
        comes_to_rest(w)
        assert (w.texts("m"), w.texts("x")) == (["Von hier"], ["Von hier"])
        assert w.reasons().count(reason) == 2


def test_a_copy_of_another_tribridge_is_not_mirrored_by_hand_either(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: x}") as w:
        w.turn()
        w.say("b", "Von einem anderen Programm", tribridgeKey="5" * 64)
        source = w.accounts.open("b")
        (post,) = source.client.fetch("{}").posts
        routes = [("one", w.config.bots["one"].routes[0])]
        told = mirror(source, post, routes, w.accounts, w.store)
        assert told == {"x": "not mirrored: made by Tribridge"}


# A second Tribridge with a state of its own


@contextmanager
def two(
    folder: Path, bots: tuple[str, str], *, posts_per_hour: int = 1000, **options: Any
) -> Iterator[tuple[World, World]]:
    """Two programs on the same networks, both under the application name Tribridge."""
    with world(folder, bots[0], **options) as first:
        second = copy.copy(first)
        for number, (w, text) in enumerate(zip((first, second), bots, strict=True)):
            w.settings = {
                name: settings
                | w.simulator(name).account(PEOPLE[name][1], "Tribridge")
                | {"limits": {"posts_per_hour": posts_per_hour}}
                for name, settings in w.settings.items()
            }
            w.file = folder / str(number) / "config.yaml"
            w.file.parent.mkdir()
            w.configure(text)
            if w is first:
                w.store.close()
            w.store = Store.open(w.config.state.file, durability="process")
            w.accounts = Accounts(w.config, w.store, w.clock)
            w.turn()
        try:
            yield first, second
        finally:
            second.store.close()


PLAIN = "news: {between: [m, b]}"


@pytest.mark.parametrize("others", [PLAIN, "news: {between: [m, b], steps: [{append: via B}]}"])
def test_two_programs_on_mastodon_and_bluesky_make_one_copy(tmp_path: Path, others: str) -> None:
    with two(tmp_path, (PLAIN, others)) as (w, other):
        w.say("m", "Hvem kommer først?")
        w.say("b", "Qui arrive le premier ?")
        comes_to_rest(w, other)
        # both derive the same keys, so even the second copy is the first one
        assert [e.text for e in w.journal("m")] == [
            "Hvem kommer først?",
            "Qui arrive le premier ?",
        ]
        assert sorted(e.text for e in w.journal("b")) == [
            "Hvem kommer først?",
            "Qui arrive le premier ?",
        ]


def test_two_programs_where_keys_are_not_kept_make_two_copies_and_rest(tmp_path: Path) -> None:
    with two(tmp_path, (PLAIN, PLAIN), flavour="gotosocial") as (w, other):
        w.say("b", "Zweimal genügt")
        w.say("m", "Eins ist genug")
        comes_to_rest(w, other)
        assert [e.text for e in w.journal("m")].count("Zweimal genügt") == 2
        assert [e.text for e in w.journal("b")].count("Eins ist genug") == 1
        assert "made by Tribridge" in w.reasons()


def test_two_programs_on_x_rest_since_it_takes_no_text_twice(tmp_path: Path) -> None:
    bots = "news: {between: [x, x2]}"
    with two(tmp_path, (bots, bots)) as (w, other):
        w.say("x", "Siste nytt fra havna")
        comes_to_rest(w, other)
        assert [e.text for e in w.journal("x2")] == ["Siste nytt fra havna"]
        assert [e.text for e in w.journal("x")] == ["Siste nytt fra havna"]


def test_two_programs_on_x_that_change_the_text_are_stopped_by_the_breaker(
    tmp_path: Path,
) -> None:
    bots = tuple(f"news: {{between: [x, x2], steps: [{{append: via {n}}}]}}" for n in "AB")
    with two(tmp_path, (bots[0], bots[1]), posts_per_hour=5) as (w, other):
        w.say("x", "Siste nytt fra havna")
        for _ in range(30):
            w.rest(1)
            other.rest(1)
        assert 5 <= len(w.copies("x2")) <= 10
        assert len(w.copies("x")) <= 10
        assert any(draft.state == "held" for s in (w, other) for draft in s.store.troubled())
        comes_to_rest(w, other)
