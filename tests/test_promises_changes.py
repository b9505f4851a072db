"""What was found wrong with edits, deletions and what people put right."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from bridge import changes, follow
from bridge.store import DOUBTED
from tests.test_following import look, mirrored, told, waiting
from tests.world import World, world


def url_of(w: World, post: str) -> str:
    return str(w.simulator("m")._server.statuses[post].entity["url"])


@pytest.mark.parametrize("target", ["m2", "b", "x"])
def test_what_is_mirrored_again_after_its_copy_was_deleted_is_a_copy_like_others(
    tmp_path: Path, target: str
) -> None:
    bots = f"a: {{from: m, to: {target}, edits: correct}}"
    with mirrored(tmp_path, bots, "Kl. 8") as (w, post):
        (first,) = w.standing(target)
        assert w.command("delete", url_of(w, post), "--yes").exit_code == 0
        assert w.command("mirror", url_of(w, post)).exit_code == 0
        (second,) = w.standing(target)
        assert second.id != first.id
        # it is known: an answer attaches to it, and it goes with its original
        w.say("m", "Og mer", reply_to=post)
        w.turn()
        assert w.standing(target)[-1].reply_to == second.id
        w.remove("m", post)
        look(w, "m")
        look(w, "m")
        assert told(w, target) == ["Og mer"]


def test_a_draft_whose_copy_was_deleted_is_not_sent_under_its_old_key(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2}", "Kl. 8") as (w, post):
        w.command("delete", url_of(w, post), "--yes")
        (draft,) = w.store.drafts_of(*_names(w, "m2", "m"), post)
        ran = w.command("outbox", "retry", str(draft.id))
        assert (ran.exit_code, "its copy was deleted: `tribridge mirror" in ran.output) == (1, True)


def _names(w: World, target: str, source: str) -> tuple[str, str]:
    known = w.store.accounts()
    return known[target]["identity"], known[source]["identity"]


@pytest.mark.parametrize(("target", "left"), [("x", "held"), ("b", "")])
def test_a_restored_state_tells_no_correction_twice(tmp_path: Path, target: str, left: str) -> None:
    bots = f"a: {{from: m, to: {target}, edits: correct}}"
    with mirrored(tmp_path, bots, "Kl. 8") as (w, post):
        w.change("m", post, "Kl. 9")
        w.store.set_fact(DOUBTED, w.clock().isoformat())
        look(w, "m")
        assert [state for _, state, _ in waiting(w)] == ([left] if left else [])
        assert len(told(w, target)) == (1 if left else 2)
        if left:
            w.command("outbox", "retry", "--bot", "a")
            w.deliver(target)
            assert told(w, target) == ["Kl. 8", "Correction: Kl. 9"]


def test_a_post_that_cannot_be_thought_about_keeps_no_other_from_being_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        odd, plain = w.say("m", "Rar"), w.say("m", "Kl. 8")
        w.turn()
        w.change("m", odd, "Rarere")
        w.change("m", plain, "Kl. 9")
        edited = changes.edited

        def fails(way: Any, post: Any, *more: Any) -> Any:
            if post.id == odd:
                raise ValueError("never thought of that")
            return edited(way, post, *more)

        monkeypatch.setattr(follow, "edited", fails)
        with caplog.at_level(logging.ERROR):
            look(w, "m")
        assert told(w, "m2") == ["Rar", "Kl. 9"]
        assert "never thought of that" in caplog.text
        caplog.clear()


def test_what_waits_for_approval_goes_out_as_it_was_edited_meanwhile(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: b, mode: approve}", "Kl. 8") as (w, post):
        assert told(w, "b") == []
        w.change("m", post, "Kl. 9")
        look(w, "m")
        w.command("outbox", "approve", "--bot", "a")
        w.deliver("b")
        assert told(w, "b") == ["Kl. 9"]


def test_what_was_mirrored_by_hand_is_edited_whatever_the_filters_say(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: m2}") as w:
        w.turn()
        post = w.say("m", "Kl. 8 #nobridge")
        w.turn()
        assert w.command("mirror", url_of(w, post)).exit_code == 0
        w.change("m", post, "Kl. 9 #nobridge")
        look(w, "m")
        assert told(w, "m2") == ["Kl. 9 #nobridge"]


def test_an_edit_of_a_post_that_was_refused_gives_it_its_new_words(tmp_path: Path) -> None:
    from bridge.simulation import Fault

    with world(tmp_path, "a: {from: m, to: b}") as w:
        w.turn()
        post = w.say("m", "Kl. 8")
        w.simulator("b").faults.append(Fault("answer", "POST ", status=400, body="{}"))
        w.turn()
        assert [state for _, state, _ in waiting(w)] == ["dead"]
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert told(w, "b") == []
        w.command("outbox", "retry", "--bot", "a")
        w.deliver("b")
        assert told(w, "b") == ["Kl. 9"]


def test_a_bot_that_was_renamed_goes_on_following(tmp_path: Path) -> None:
    with mirrored(tmp_path, "a: {from: m, to: m2}", "Kl. 8") as (w, post):
        w.configure("c: {from: m, to: m2, was: a}")
        w.restart()
        assert w.store.rename_bot("a", "c")
        w.change("m", post, "Kl. 9")
        look(w, "m")
        assert told(w, "m2") == ["Kl. 9"]
