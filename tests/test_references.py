"""Quotes and boosts of what stands on the target: they show the copy, once, whatever goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.overview import describe
from bridge.relink import relink
from bridge.simulation import Entry, Fault
from bridge.store import Store
from tests.test_mirroring import png
from tests.world import PEOPLE, World, world

DIRECTIONS = [(a, b) for a in ("m", "b", "x") for b in ("m", "b", "x") if a != b]
MEMBERS = ("m", "b", "x")
TRIANGLE = "news: {between: [m, b, x]}"
#: the request that boosts, by network
BOOSTS = {
    "m": "POST /api/v1/statuses/:id/reblog",
    "b": "POST /xrpc/com.atproto.repo.putRecord",
    "x": "POST /2/users/:id/retweets",
}
#: the request that posts
POSTS = {**BOOSTS, "m": "POST /api/v1/statuses", "x": "POST /2/tweets"}


def boost(w: World, account: str, what: str) -> str:
    """Boost as the account's owner."""
    w.clock.advance(seconds=1)
    made: str = w.simulator(account).boost(PEOPLE[account][1], what)
    w.said.add((account, made))
    return made


def quote(w: World, account: str, text: str, quoted: str, **more: Any) -> str:
    """Quote a post of the account itself as its owner."""
    name = "quoted_status_id" if account.startswith("m") else "quote"
    return w.say(account, text, **{name: quoted}, **more)


def boosts(w: World, account: str) -> list[str]:
    """What was boosted on an account."""
    return [entry.boost_of for entry in w.journal(account) if entry.boost_of]


def comes_to_rest(w: World) -> None:
    """Nothing more comes, whatever is waited for, and nothing is left to a person."""
    w.rest(3)
    before = [[(e.text, e.boost_of) for e in w.journal(member)] for member in MEMBERS]
    w.clock.advance(hours=2)
    w.rest(3)
    assert [[(e.text, e.boost_of) for e in w.journal(member)] for member in MEMBERS] == before
    assert w.store.stopped() == []
    assert w.store.held_posts() == []


def last(w: World, account: str) -> Entry:
    return w.journal(account)[-1]


# Each direction


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_quote_of_a_mirrored_post_quotes_its_copy(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        first = w.say(source, "Isen på Mjøsa er trygg")
        w.rest()
        (copy,) = w.copies(target)
        quote(w, source, "Det sa vi i går", first)
        w.rest()
        _, said = w.copies(target)
        assert (said.text.split("\n")[0], said.quote_of) == ("Det sa vi i går", copy.id)
        # no link to the original is left, nor one to the copy where it is quoted by reference
        assert not any(first in link for link in said.links)
        assert len([link for link in said.links if copy.id in link]) == (target == "x")
        assert w.copies(source) == []


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_boost_of_a_mirrored_post_boosts_its_copy(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        first = w.say(source, "Brua er åpen")
        w.rest()
        (copy,) = w.copies(target)
        boost(w, source, first)
        w.rest()
        assert boosts(w, target) == [copy.id]
        assert len(w.journal(source)) == 2


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
@pytest.mark.parametrize("kind", ["quote", "boost"])
def test_what_is_quoted_or_boosted_at_once_waits_for_its_copy(
    tmp_path: Path, source: str, target: str, kind: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        first = w.say(source, "Brua er stengt")
        if kind == "quote":
            quote(w, source, "Kjør om Lia", first)
        else:
            boost(w, source, first)
        w.networks[PEOPLE[target][0]].faults.append(Fault("answer", POSTS[target], status=503))
        w.rest(5)
        copy, shown = w.copies(target)
        assert copy.id in (shown.quote_of, shown.boost_of)


@pytest.mark.parametrize("where", MEMBERS)
@pytest.mark.parametrize("home", MEMBERS)
@pytest.mark.parametrize("kind", ["quote", "boost"])
def test_in_a_mirror_group_every_member_shows_its_own_post(
    tmp_path: Path, where: str, home: str, kind: str
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.say(home, "Elgen er løs")
        w.rest(2)
        posts = {member: last(w, member).id for member in MEMBERS}
        if kind == "quote":
            quote(w, where, "Nå er den fanget", posts[where])
        else:
            boost(w, where, posts[where])
        comes_to_rest(w)
        for member in MEMBERS:
            assert len(w.journal(member)) == 2
            assert posts[member] in (last(w, member).quote_of, last(w, member).boost_of)


@pytest.mark.parametrize(("source", "target"), [("m", "b"), ("b", "m"), ("x", "b")])
def test_a_quote_with_a_picture_keeps_both(tmp_path: Path, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        first = w.say(source, "Isbjørnen på taket")
        w.rest()
        quote(w, source, "Her er den", first, images=[(png(), "En isbjørn på et tak")])
        w.rest()
        copy, said = w.copies(target)
        assert (said.quote_of, said.alts) == (copy.id, ("En isbjørn på et tak",))


# What goes wrong


@pytest.mark.parametrize("target", MEMBERS)
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncate", "act_late"])
def test_a_boost_whose_answer_is_lost_stands_once(tmp_path: Path, target: str, fault: Any) -> None:
    source = "m" if target != "m" else "b"
    with world(tmp_path, f"one: {{between: [{source}, {target}]}}") as w:
        w.turn()
        first = w.say(source, "Rampa er brøytet")
        w.rest()
        (copy,) = w.copies(target)
        boost(w, source, first)
        network = w.networks[PEOPLE[target][0]]
        network.faults.append(Fault(fault, BOOSTS[target]))
        w.turn()
        w.restart()
        comes_to_rest(w)
        assert boosts(w, target) == [copy.id]
        assert boosts(w, source) == [first]


@pytest.mark.parametrize("target", MEMBERS)
@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "truncate"])
def test_a_quote_whose_answer_is_lost_stands_once(tmp_path: Path, target: str, fault: Any) -> None:
    source = "m" if target != "m" else "b"
    with world(tmp_path, f"one: {{between: [{source}, {target}]}}") as w:
        w.turn()
        first = w.say(source, "Rampa er brøytet")
        w.rest()
        (copy,) = w.copies(target)
        quote(w, source, "Endelig!", first)
        network = w.networks[PEOPLE[target][0]]
        network.faults.append(Fault(fault, POSTS[target]))
        w.turn()
        w.restart()
        comes_to_rest(w)
        assert [entry.quote_of for entry in w.copies(target)] == ["", copy.id]
        assert len(w.journal(source)) == 2


@pytest.mark.parametrize("flavour", ["gotosocial", "takahe"])
def test_a_server_without_quotes_gets_a_link_to_the_copy(tmp_path: Path, flavour: str) -> None:
    with world(tmp_path, "one: {from: b, to: m}", flavour=flavour) as w:
        w.turn()
        first = w.say("b", "Sneen ligger i Nuuk")
        w.rest()
        (copy,) = w.copies("m")
        quote(w, "b", "Og den bliver", first)
        w.rest()
        said = last(w, "m")
        assert said.text == f"Og den bliver\n\n{copy.raw['url']}"


def test_a_boost_on_gotosocial_whose_answer_is_lost_stands_once(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m}", flavour="gotosocial") as w:
        w.turn()
        first = w.say("b", "Sneen ligger i Nuuk")
        w.rest()
        boost(w, "b", first)
        w.networks["mastodon"].faults.append(Fault("drop_after", BOOSTS["m"]))
        w.rest(5)
        assert len(boosts(w, "m")) == 1
        assert w.store.stopped() == []


@pytest.mark.parametrize("visibility", ["unlisted", "private"])
def test_a_boost_that_is_not_public_stays_at_home(tmp_path: Path, visibility: str) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x]}") as w:
        w.turn()
        first = w.say("m", "Stille nå")
        w.rest()
        w.said.add(("m", w.simulator("m").boost("anna", first, visibility)))
        w.rest()
        assert boosts(w, "b") == boosts(w, "x") == []


def test_boosts_from_before_the_first_run_and_by_old_cursors_stay_where_they_are(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: b, to: m}") as w:
        first = w.say("b", "Fra før")
        boost(w, "b", first)
        w.rest()
        w.say("b", "Fra nå av")
        w.rest()
        assert w.texts("m") == ["Fra nå av"]


@pytest.mark.parametrize("kind", ["quote", "boost"])
def test_what_waited_for_its_copy_goes_out_right_after_it(tmp_path: Path, kind: str) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.networks["bluesky"].faults.append(
            Fault("drop_before", "POST /xrpc/com.atproto.repo.uploadBlob")
        )
        first = w.say("m", "Rådhuset brenner", images=[(png(), "Røyk over rådhuset")])
        if kind == "quote":
            quote(w, "m", "Det er slukket", first)
        else:
            boost(w, "m", first)
        w.turn()
        assert w.copies("b") == []
        w.clock.advance(seconds=30)
        w.deliver("b")
        copy, shown = w.copies("b")
        assert copy.id in (shown.quote_of, shown.boost_of)


def test_a_boost_of_ours_is_none_of_the_accounts_own_for_a_state_that_was_lost(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        first = w.say("m", "Fuglene er tilbake")
        w.rest()
        boost(w, "m", first)
        w.rest()
        boosted = last(w, "b")
        assert boosted.boost_of
        client = w.accounts.open("b").client
        assert client.fetch("{}").posts[-1].mark == boosted.key != ""


# What two people do


@pytest.mark.parametrize("second", MEMBERS)
@pytest.mark.parametrize("first", MEMBERS)
def test_what_is_boosted_by_hand_on_two_members_comes_to_rest(
    tmp_path: Path, first: str, second: str
) -> None:
    with world(tmp_path, TRIANGLE) as w:
        w.turn()
        w.say("m", "Nordlys over Senja")
        w.rest(2)
        posts = {member: last(w, member).id for member in MEMBERS}
        boost(w, first, posts[first])
        if first != second:
            boost(w, second, posts[second])
        w.rest(2)
        comes_to_rest(w)
        for member in MEMBERS:
            assert set(boosts(w, member)) == {posts[member]}
            # Bluesky counts one for each account, however many records there are
            assert len(boosts(w, member)) == 1 or member == "b"


def test_a_quote_of_a_copy_that_is_gone_becomes_a_link(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m}") as w:
        w.turn()
        first = w.say("b", "Elva stiger")
        w.rest()
        (copy,) = w.copies("m")
        w.simulator("m").delete("anna", copy.id)
        quote(w, "b", "Nå synker den", first)
        boost(w, "b", first)
        w.rest()
        said = last(w, "m")
        assert said.text.startswith("Nå synker den\n\nhttps://bsky.app/profile/")
        assert first in said.text
        assert w.store.links(w.accounts.open("m").identity.id, [said.id])
        (dead,) = w.store.stopped()
        assert (dead.state, dead.code) == ("dead", "refused")
        told = [
            line for line in w.command("links", "--json").output.splitlines() if "refused" in line
        ]
        assert told


def test_an_image_that_was_forgotten_does_not_cost_the_quote(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        first = w.say("m", "Bruene i byen")
        w.rest()
        (copy,) = w.copies("b")
        quote(w, "m", "Den tredje", first, images=[(png(), "En bro")])
        network = w.networks["bluesky"]
        network.faults.append(Fault("answer", POSTS["b"], status=429))
        w.read("m")
        w.deliver("b")
        network.forget_blobs("anna.test")
        w.clock.advance(minutes=20)
        w.rest()
        said = last(w, "b")
        assert (said.quote_of, said.alts) == (copy.id, ("En bro",))


def test_a_quote_that_waits_for_a_post_that_is_dropped_says_so(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, mode: approve}") as w:
        w.turn()
        first = w.say("m", "Til godkjenning")
        quote(w, "m", "Også til godkjenning", first)
        w.rest()
        drafts = w.store.stopped()
        w.store.release(drafts[1:])
        w.rest()
        held = w.store.stopped()
        assert [(d.draft.text, d.code) for d in held] == [
            ("Til godkjenning", "approve"),
            ("Også til godkjenning", "parent"),
        ]
        assert "the post that it quotes is held" in held[1].error
        w.store.release(held[:1])
        w.rest()
        copy, said = w.copies("b")
        assert said.quote_of == copy.id


def test_relink_finds_quotes_and_boosts(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: [m, x]}") as w:
        w.turn()
        first = w.say("b", "Ferja ligger til kai")
        w.rest()
        quote(w, "b", "Fortsatt", first)
        boost(w, "b", first)
        w.rest()
        before = {m: [e.id for e in w.journal(m)] for m in MEMBERS}
        w.store.close()
        for file in w.config.state.file.parent.glob("tribridge.db*"):
            file.unlink()
        w.store = Store.open(w.config.state.file, durability="process")
        w.restart()
        found = relink(w.config, w.accounts, w.store)
        assert (found.linked, found.missing, found.unsure) == (6, 0, 0)
        w.rest()
        assert {m: [e.id for e in w.journal(m)] for m in MEMBERS} == before


@pytest.mark.parametrize("source", MEMBERS)
def test_a_strangers_post_is_quoted_as_text_where_that_is_wanted(
    tmp_path: Path, source: str
) -> None:
    target = "x2" if source != "x" else "b2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}, boosts: quote}}") as w:
        w.turn()
        stranger = "ola.test" if source == "b" else "ola"
        simulator = w.simulator(source)
        simulator.account(stranger)
        said = simulator.say(stranger, "Fisken biter i Mjøsa")
        gone = simulator.say(stranger, "Fisken biter ikke")
        if source == "b":
            did = simulator.made(stranger).did
            said, gone = (f"at://{did}/app.bsky.feed.post/{each}" for each in (said, gone))
        boost(w, source, said)
        boost(w, source, gone)
        simulator.delete(stranger, gone.rpartition("/")[2])
        before = w.requests("bluesky").get("GET /xrpc/com.atproto.repo.getRecord", 0)
        w.rest()
        first, *rest = w.copies(target)
        head = "🔁" if source == "b" else "🔁 ola:"
        assert first.text.startswith(f"{head}\n\nFisken biter i Mjøsa\n\n")
        assert said.rpartition("/")[2] in " ".join((first.text, *first.links))
        # elsewhere a boost goes with what it boosts
        assert len(rest) == (source == "b")
        if source == "b":
            assert gone.rpartition("/")[2] in rest[0].text
            after = w.requests("bluesky")["GET /xrpc/com.atproto.repo.getRecord"]
            w.say("b", "Noe annet")
            w.rest()
            assert after - before == 2
            assert w.requests("bluesky")["GET /xrpc/com.atproto.repo.getRecord"] == after


def test_a_cursor_from_before_boosts_were_read_takes_those_from_now_on(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m, boosts: link}") as w:
        first = w.say("b", "Fra før")
        w.turn()
        client = w.accounts.open("b").client
        old = json.loads(client.newest())
        del old["boosts"]
        boost(w, "b", first)
        w.clock.advance(seconds=1)
        after = client.fetch(json.dumps(old))
        assert [post.text for post in after.posts if post.boost] == []
        w.clock.advance(seconds=1)
        second = boost(w, "b", first)
        assert [post.id for post in client.fetch(after.cursor).posts if post.boost] == [second]


def test_a_dry_run_says_what_would_be_boosted_and_quoted(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        first = w.say("m", "Det brenner i Lia")
        quote(w, "m", "Slukket", first)
        boost(w, "m", first)
        said: list[str] = []
        w.read("m", lambda *what: said.append(describe(*what)))
        url = w.journal("m")[0].raw["url"]
        assert f"[quote of the copy of {url}]" in said[1]
        assert f"[boost of the copy of {url}]" in said[2]


def test_boosts_count_as_posts_for_the_pace(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.settings["b"]["limits"] = {"posts_per_hour": 2}
        w.configure("one: {from: m, to: b}")
        w.restart()
        w.turn()
        first = w.say("m", "En")
        boost(w, "m", first)
        w.say("m", "To")
        w.rest()
        assert [d.code for d in w.store.stopped()] == ["breaker"]
