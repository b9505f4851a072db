"""Edits and deletions that meet each other, answers and boosts, and what waits."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.outbox import deliver
from bridge.simulation import Fault
from tests.test_following import LONG, look, told, waiting
from tests.world import PEOPLE, world

#: longer than one post with what the bot puts before it
LENGTHY = "".join(LONG.format(n) for n in range(11)).strip()
BEGINNING = "steps: [{prepend: 'Fra bryggen der det alltid regner litt og alle er velkomne'}]"


@pytest.mark.parametrize("delay", ["0s", "10m"])
def test_a_part_that_an_edit_took_away_comes_back_with_the_next(tmp_path: Path, delay: str) -> None:
    with world(tmp_path, f"a: {{from: m, to: m2, delay: {delay}, {BEGINNING}}}") as w:
        w.turn()
        post = w.say("m", LENGTHY)
        w.turn()
        for text, parts in (("Kort", 1), (LENGTHY, 2), ("Kort igjen", 1), (f"{LENGTHY}!", 2)):
            w.change("m", post, text)
            look(w, "m")
            if delay == "0s":
                assert len(told(w, "m2")) == parts
        look(w, "m", minutes=9)
        first, second = w.standing("m2")
        assert second.text.endswith("været.!")
        assert second.reply_to == first.id
        assert not waiting(w)


@pytest.mark.parametrize("target", ["b", "x"])
def test_a_copy_that_is_boosted_is_corrected_instead_of_replaced(
    tmp_path: Path, target: str
) -> None:
    with world(tmp_path, f"a: {{from: m, to: {target}, edits: replace}}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.turn()
        w.simulator("m").boost(PEOPLE["m"][1], post)
        w.turn()
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert [e.text for e in w.standing(target) if e.text] == ["Kl. 8", "Correction: Kl. 9"]
        assert any(e.boost_of for e in w.standing(target))


def test_an_answer_to_what_an_edit_made_shorter_is_mirrored(tmp_path: Path) -> None:
    with world(tmp_path, f"a: {{from: m, to: m2, {BEGINNING}}}") as w:
        w.turn()
        post = w.say("m", LENGTHY)
        w.turn()
        w.change("m", post, "Kort")
        look(w, "m")
        w.say("m", "Og mer", reply_to=post)
        w.turn()
        first, answer = w.standing("m2")
        assert answer.reply_to == first.id
        assert not waiting(w)


@pytest.mark.parametrize("target", ["m2", "b"])
def test_a_copy_that_was_answered_elsewhere_in_the_group_is_not_replaced(
    tmp_path: Path, target: str
) -> None:
    with world(tmp_path, "all: {between: [m, m2, b], edits: replace}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.rest()
        w.say(target, "Ta med regntøy", reply_to=w.standing(target)[0].id)
        w.rest()
        w.change("m", post, "Kl. 9")
        look(w, "m")
        w.rest()
        assert "Correction: Kl. 9" in told(w, "b")
        assert "Kl. 8" in told(w, "b")


def test_a_post_that_waits_for_its_delay_is_not_overtaken_by_one_read_late(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: b, delay: 5m}") as w:
        w.turn()
        w.say("m", "Først")
        w.turn()
        w.clock.advance(minutes=1)
        w.say("m", "Så")
        w.clock.advance(minutes=20)  # the process did not run
        w.turn()
        for _ in range(3):
            look(w, "m")
        assert told(w, "b") == ["Først", "Så"]
        assert not waiting(w)


def test_a_correction_that_has_begun_is_told_to_its_end(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: x, edits: correct}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.turn()
        w.change("m", post, LENGTHY)
        w.clock.advance(minutes=3)
        w.follow("m")
        deliver("x", w.accounts, w.store, w.config.bots, stopping=lambda: len(told(w, "x")) == 2)
        w.change("m", post, "Kl. 9")
        look(w, "m")
        copy, *correction, last = w.standing("x")
        assert correction[0].text.startswith("Correction: Setning nummer 0")
        assert "Setning nummer 10" in correction[-1].text
        assert (last.text, last.reply_to) == ("Correction: Kl. 9", copy.id)
        assert not waiting(w)


@pytest.mark.parametrize("lost", ["drop_after", "drop_before"])
@pytest.mark.parametrize("target", ["b", "x"])
def test_a_correction_in_doubt_goes_with_its_original(
    tmp_path: Path, target: str, lost: str
) -> None:
    with world(tmp_path, f"a: {{from: m, to: {target}, edits: correct}}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.turn()
        w.change("m", post, LENGTHY)
        path = {"b": "POST /xrpc/com.atproto.repo.putRecord", "x": "POST /2/tweets"}[target]
        w.simulator(target).faults.append(Fault(lost, path))  # type: ignore[arg-type]
        look(w, "m")
        w.remove("m", post)
        w.follow("m")
        w.clock.advance(minutes=3)
        w.follow("m")
        w.clock.advance(minutes=3)
        w.follow("m")
        for _ in range(8):
            w.deliver(target)
            w.clock.advance(minutes=3)
        assert (told(w, target), waiting(w)) == ([], [])


def test_what_the_network_refused_is_given_up_with_its_original(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: [b, x]}") as w:
        w.turn()
        fault = Fault("answer", "POST /2/tweets", status=400, body='{"title": "Invalid Request"}')
        w.simulator("x").faults.append(fault)
        post = w.say("m", "Kl. 8")
        w.turn()
        assert [state for _, state, _ in waiting(w)] == ["dead"]
        w.change("m", post, "Kl. 9")
        look(w, "m")
        w.remove("m", post)
        look(w, "m")
        look(w, "m")
        assert (told(w, "b"), told(w, "x"), waiting(w)) == ([], [], [])


@pytest.mark.parametrize("target", ["m2", "b", "x"])
def test_a_boost_that_waits_is_given_up_with_what_it_boosts(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"a: {{from: m, to: {target}, delay: 5m}}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.turn()
        w.simulator("m").boost(PEOPLE["m"][1], post)
        w.turn()
        assert len(waiting(w)) == 2
        w.remove("m", post)
        look(w, "m")
        look(w, "m")
        w.deliver(target)
        assert (told(w, target), waiting(w)) == ([], [])
