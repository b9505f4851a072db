"""Threads of one's own arrive whole and in order, wherever their parts turn up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bridge.post import Post, Ref
from bridge.standing import referred_first
from tests.test_render import POST
from tests.world import PEOPLE, World, world

DIRECTIONS = [(a, b) for a in ("m", "b", "x") for b in ("m", "b", "x") if a != b]
NOT_MIRRORED = "reply to a post that was not mirrored"


def thread(w: World, target: str) -> list[tuple[str, str]]:
    """Each copy on an account, and the text of what it answers."""
    texts = {entry.id: entry.text for entry in w.copies(target)}
    return [(entry.text, texts.get(entry.reply_to, "")) for entry in w.copies(target)]


@pytest.mark.parametrize("target", ["m", "b"])
def test_a_beginning_that_was_edited_since_comes_before_its_answers(
    tmp_path: Path, target: str
) -> None:
    with world(tmp_path, f"one: {{from: x, to: {target}}}") as w:
        w.turn()
        first = w.say("x", "Ferja er innstilt")
        w.say("x", "Neste tur går klokka ti", reply_to=first)
        w.simulator("x").edit(PEOPLE["x"][1], first, "Ferja er innstilt i dag")
        w.rest()
        assert thread(w, target) == [
            ("Ferja er innstilt i dag", ""),
            ("Neste tur går klokka ti", "Ferja er innstilt i dag"),
        ]


@pytest.mark.parametrize("target", ["m", "x"])
def test_keys_out_of_order_tear_no_thread_apart(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}}}") as w:
        w.turn()
        bluesky = w.simulator("b")
        keys = bluesky.next_key
        ahead = [keys(bluesky.made(PEOPLE["b"][1])) for _ in range(3)]
        bluesky.next_key = lambda _account: ahead.pop()
        first = w.say("b", "Ferja er innstilt")
        second = w.say("b", "Neste tur går klokka ti", reply_to=first)
        w.say("b", "Kafeen er åpen", reply_to=second)
        bluesky.next_key = keys
        w.rest()
        assert thread(w, target) == [
            ("Ferja er innstilt", ""),
            ("Neste tur går klokka ti", "Ferja er innstilt"),
            ("Kafeen er åpen", "Neste tur går klokka ti"),
        ]


@pytest.mark.parametrize("read_between", [True, False])
def test_an_answer_to_a_version_that_was_never_read_finds_the_copy(
    tmp_path: Path, *, read_between: bool
) -> None:
    with world(tmp_path, "one: {from: x, to: b}") as w:
        w.turn()
        first = w.say("x", "Ferja er innstilt")
        version = w.simulator("x").edit(PEOPLE["x"][1], first, "Ferja er innstilt i dag")
        if read_between:
            w.read("x")
        w.say("x", "Neste tur går klokka ti", reply_to=version)
        w.simulator("x").edit(PEOPLE["x"][1], first, "Ferja går igjen")
        w.rest()
        (copy, _), (answer, parent) = thread(w, "b")
        assert (answer, parent) == ("Neste tur går klokka ti", copy)


@pytest.mark.parametrize("target", ["m", "b"])
def test_a_quote_of_what_was_edited_since_quotes_its_copy(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: x, to: {target}}}") as w:
        w.turn()
        first = w.say("x", "Ferja er innstilt")
        w.say("x", "Det gjelder hele dagen", quote=first)
        w.simulator("x").edit(PEOPLE["x"][1], first, "Ferja er innstilt i dag")
        w.rest()
        quoted, quoting = w.copies(target)
        assert (quoted.text, quoting.quote_of) == ("Ferja er innstilt i dag", quoted.id)


def test_each_comes_after_what_it_refers_to_and_all_else_stays_in_order() -> None:
    def post(name: str, answers: str = "", quotes: str = "") -> Post:
        refs = [Ref(each, POST.account) if each else None for each in (answers, quotes)]
        return replace(POST, id=name, reply_to=refs[0], quote=refs[1])

    given = [post("1"), post("4", "3"), post("2"), post("3", "2", "5"), post("5"), post("6", "0")]
    assert [each.id for each in referred_first(given)] == ["1", "2", "5", "3", "4", "6"]
    versions = [post("2", "1"), post("1"), post("1")]
    assert [each.id for each in referred_first(versions)] == ["1", "1", "2"]
    circle = [post("1", "2"), post("2", "1")]
    assert [each.id for each in referred_first(circle)] == ["2", "1"]
    chain = [post(str(n), str(n - 1)) for n in range(5000, 0, -1)]
    assert [each.id for each in referred_first(chain)] == [str(n) for n in range(1, 5001)]


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_thread_over_several_pages_stays_one(tmp_path: Path, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        said = [w.say(source, "Del 1")]
        for n in range(2, 131):
            said.append(w.say(source, f"Del {n}", reply_to=said[-1]))
        w.rest()
        for _ in range(4):
            w.clock.advance(hours=1)
            w.rest()
        assert thread(w, target) == [
            (f"Del {n}", f"Del {n - 1}" if n > 1 else "") for n in range(1, 131)
        ]
        assert w.store.stopped() == []


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_an_answer_to_what_a_filter_left_out_is_left_out(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        first = w.say(source, "Bare her #nobridge")
        second = w.say(source, "Og dette", reply_to=first)
        w.rest()
        w.say(source, "Og dette siden", reply_to=second)
        w.rest()
        assert w.texts(target) == []
        assert w.reasons()[-2:] == [NOT_MIRRORED, NOT_MIRRORED]


def test_a_backfill_that_begins_within_a_thread_leaves_it_alone(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, backfill: {last: 2}}") as w:
        first = w.say("m", "Del 1")
        second = w.say("m", "Del 2", reply_to=first)
        w.say("m", "Del 3", reply_to=second)
        w.rest()
        assert w.texts("b") == []
