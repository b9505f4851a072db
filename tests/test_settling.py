"""Doubts and how they are settled, network by network: what stands at the end, and who decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.simulation import Fault
from tests.test_mirroring import WRITES, png
from tests.world import World, world

ONE = "one: {{from: {source}, to: {target}}}"


def begun(w: World) -> World:
    w.turn()
    return w


def stopped(w: World) -> list[tuple[str, str]]:
    return [(d.state, d.code) for d in w.store.stopped()]


def test_mastodon_that_answers_a_repeated_key_with_500_has_the_post_once(tmp_path: Path) -> None:
    # a key that is repeated while the first request is still at work
    with world(tmp_path, ONE.format(source="b", target="m")) as w:
        begun(w)
        w.say("b", "Einmal und nicht zweimal")
        w.simulator("m").faults = [
            Fault("act_late", WRITES["m"]),
            Fault("answer", WRITES["m"], times=3, status=500, body="<h1>Oops</h1>"),
        ]
        w.rest(4)
        w.simulator("m").release_late()
        w.rest(8)
        assert w.texts("m") == ["Einmal und nicht zweimal"]
        assert stopped(w) == []


def test_a_key_that_mastodon_has_forgotten_is_not_used_again(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="m")) as w:
        begun(w)
        w.say("b", "Stille natt")
        # the request was lost, and the server was away for longer than it keeps keys
        w.simulator("m").faults = [Fault("drop_before", WRITES["m"])]
        w.turn()
        w.clock.advance(minutes=55)
        w.rest(4)
        assert w.texts("m") == []
        assert stopped(w) == [("held", "doubt")]
        assert w.requests("mastodon")[WRITES["m"]] == 1


def test_inside_the_life_of_a_key_mastodon_is_asked_again_and_has_it_once(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="m")) as w:
        begun(w)
        w.say("b", "Guten Abend")
        w.simulator("m").faults = [Fault("drop_before", WRITES["m"])]
        w.turn()
        assert w.requests("mastodon")[WRITES["m"]] == 1
        w.clock.advance(seconds=59)
        w.turn()
        assert w.requests("mastodon")[WRITES["m"]] == 1  # not before a minute has gone by
        w.rest(3)
        assert w.texts("m") == ["Guten Abend"]


def test_where_keys_are_ignored_nothing_is_sent_again_and_a_person_decides(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="m"), flavour="gotosocial") as w:
        begun(w)
        w.say("b", "Verschluckt")
        w.simulator("m").faults = [Fault("drop_before", WRITES["m"])]
        w.rest(6)
        assert w.texts("m") == []
        assert stopped(w) == [("held", "doubt")]
        w.simulator("m").faults = [Fault("drop_after", WRITES["m"])]
        w.say("b", "Angekommen")
        w.rest(6)
        assert w.texts("m") == ["Angekommen"]


def test_in_doubt_resend_sends_again_where_keys_are_ignored(tmp_path: Path) -> None:
    bots = "one: {from: b, to: m, in_doubt: resend}"
    with world(tmp_path, bots, flavour="gotosocial") as w:
        begun(w)
        w.say("b", "Noch einmal, bitte")
        w.simulator("m").faults = [Fault("drop_before", WRITES["m"])]
        w.rest(6)
        assert w.texts("m") == ["Noch einmal, bitte"]
        w.say("b", "", images=[(png(), "Der Hafen")])
        w.simulator("m").faults = [Fault("drop_before", WRITES["m"])]
        w.rest(8)
        assert [e.alts for e in w.copies("m")] == [(), ("Der Hafen",)]
        assert stopped(w) == []


def test_in_doubt_resend_never_sends_what_is_found(tmp_path: Path) -> None:
    bots = "one: {from: b, to: [m, x], in_doubt: resend}"
    with world(tmp_path, bots, flavour="gotosocial") as w:
        begun(w)
        w.say("b", "Steht schon da")
        for target in ("m", "x"):
            w.simulator(target).faults = [Fault("drop_after", WRITES[target])]
        w.rest(6)
        assert w.texts("m") == w.texts("x") == ["Steht schon da"]


def test_a_refused_duplicate_whose_twin_is_yesterdays_is_no_proof(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="x")) as w:
        begun(w)
        w.say("x", "God morgen")  # by the owner's own hand
        w.clock.advance(hours=20)
        w.say("b", "God morgen")
        w.simulator("x").faults = [Fault("drop_before", WRITES["x"])]
        w.rest(6)
        assert len(w.journal("x")) == 1
        assert stopped(w) == [("held", "doubt")]
        assert "duplicate" in w.store.stopped()[0].error


def test_a_refused_duplicate_at_the_first_try_is_dead_and_says_so(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="x")) as w:
        begun(w)
        w.say("x", "God morgen")
        w.clock.advance(hours=20)
        w.say("b", "God morgen")
        w.rest()
        assert stopped(w) == [("dead", "refused")]
        assert "X refused duplicate content" in w.store.stopped()[0].error


@pytest.mark.parametrize("target", ["m", "b"])
def test_two_equal_texts_on_purpose_both_arrive(tmp_path: Path, target: str) -> None:
    source = "b2" if target == "m" else "m2"
    with world(tmp_path, ONE.format(source=source, target=target)) as w:
        begun(w)
        for _ in range(2):
            w.say(source, "God morgen")
            w.rest()
        assert w.texts(target) == ["God morgen"] * 2
        # and also when the answer to the second is lost
        w.say(source, "God morgen")
        w.simulator(target).faults = [Fault("drop_after", WRITES[target])]
        w.rest(5)
        assert w.texts(target) == ["God morgen"] * 3
        assert stopped(w) == []


def test_two_equal_texts_on_x_are_never_three(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="x")) as w:
        begun(w)
        w.say("b", "God morgen")
        w.rest()
        w.clock.advance(days=2)
        w.say("b", "God morgen")
        w.simulator("x").faults = [Fault("drop_after", WRITES["x"])]
        w.rest(5)
        assert w.texts("x") == ["God morgen"] * 2
        assert stopped(w) == []


@pytest.mark.parametrize(("target", "stands"), [("m", 1), ("b", 1), ("x", 1)])
def test_a_copy_that_its_author_deletes_while_it_is_in_doubt(
    tmp_path: Path, target: str, stands: int
) -> None:
    # nobody can tell it from one that was never made: it may be sent once more, never twice
    source = "m2" if target == "b" else "b2"
    with world(tmp_path, ONE.format(source=source, target=target)) as w:
        begun(w)
        w.say(source, "Kurz da")
        w.simulator(target).faults = [Fault("drop_after", WRITES[target])]
        w.deliver(target)
        w.read(source)
        w.deliver(target)
        (copy,) = w.journal(target)
        w.simulator(target).delete({"m": "anna", "b": "anna.test", "x": "anna"}[target], copy.id)
        w.rest(6)
        deleted = [e for e in w.simulator(target).journal if e.action == "delete"]
        assert len(w.journal(target)) - len(deleted) <= stands
        assert len(w.journal(target)) <= 2


def test_a_thread_whose_third_part_is_in_doubt_is_made_whole(tmp_path: Path) -> None:
    for target in ("m", "b", "x"):
        source = "b" if target == "m" else "m"
        folder = tmp_path / target
        folder.mkdir()
        with world(folder, ONE.format(source=source, target=target)) as w:
            begun(w)
            first = w.say(source, "Del én")
            second = w.say(source, "Del to", reply_to=first)
            w.say(source, "Del tre", reply_to=second)
            w.simulator(target).faults = [Fault("drop_after", WRITES[target], skip=2)]
            w.rest(6)
            copies = w.copies(target)
            assert [c.text for c in copies] == ["Del én", "Del to", "Del tre"]
            assert [c.reply_to for c in copies] == ["", copies[0].id, copies[1].id]
            assert stopped(w) == []


def test_a_later_part_is_held_with_the_reason_of_the_one_before(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="m"), flavour="gotosocial") as w:
        begun(w)
        first = w.say("b", "Erster Teil")
        w.say("b", "Zweiter Teil", reply_to=first)
        w.simulator("m").faults = [Fault("drop_before", WRITES["m"])]
        w.rest(6)
        assert stopped(w) == [("held", "doubt"), ("held", "parent")]
        assert "the post that it answers is held: in doubt" in w.store.stopped()[1].error


def test_a_wait_after_a_failure_is_kept_over_a_restart(tmp_path: Path) -> None:
    with world(tmp_path, ONE.format(source="b", target="m")) as w:
        begun(w)
        w.say("b", "Geduld")
        w.read("b")
        w.simulator("m").faults = [Fault("answer", "GET ", times=9, status=503)]
        for _ in range(4):  # 15, 30, 60, 120 seconds, more or less
            w.clock.at = w.deliver("m").next_at or w.clock.at
        again = w.deliver("m").next_at
        assert again is not None
        assert (again - w.clock()).total_seconds() > 200
        w.simulator("m").faults.clear()
        w.restart()
        asked = sum(w.requests("mastodon").values())
        assert w.deliver("m").next_at == again
        assert sum(w.requests("mastodon").values()) == asked
        w.clock.at = again
        w.deliver("m")
        assert w.texts("m") == ["Geduld"]
