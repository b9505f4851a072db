"""Copies on X where it takes no answers to own posts: whole, as single posts, each once."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bridge.post import Draft, Run
from bridge.registry import NETWORKS
from bridge.relink import relink
from bridge.render import by_itself
from bridge.simulation import Fault
from bridge.store import Store
from bridge.text import weighted_length
from tests.test_mirroring import png
from tests.test_render import BLUESKY, LIMITS, POST, TWITTER, drafts
from tests.world import World, world

WORDS = " ".join(f"ord{n}" for n in range(110))
POSTING = "POST /2/tweets"
ONE = "one: {from: m, to: x}"


def refusing(w: World) -> World:
    w.networks["twitter"].self_replies = False
    return w


def posts_of(w: World) -> list[tuple[str, str]]:
    """The text of each copy on X, and what it answers."""
    return [(entry.text, entry.reply_to) for entry in w.copies("x")]


def whole(w: World) -> str:
    """What all copies on X say, without their numbers."""
    texts = [text for text, _ in posts_of(w)]
    return " ".join(text.partition(") ")[2] if text.startswith("(") else text for text in texts)


def losses(w: World, post_id: str) -> list[list[str]]:
    x, m = (w.accounts.open(name).identity.id for name in ("x", "m"))
    return [[loss.what for loss in d.draft.losses] for d in w.store.drafts_of(x, m, post_id)]


def come_to_rest(w: World) -> None:
    for _ in range(4):
        w.rest()
        w.clock.advance(minutes=3)


def test_parts_that_x_refuses_as_answers_stand_by_themselves(tmp_path: Path) -> None:
    with world(tmp_path, ONE, flavour="gotosocial") as w:
        refusing(w).turn()
        post_id = w.say("m", WORDS[:690])
        before = w.requests("twitter").get(POSTING, 0)
        come_to_rest(w)
        assert [text.split()[0] for text, _ in posts_of(w)] == ["ord0", "(2/3)", "(3/3)"]
        assert [parent for _, parent in posts_of(w)] == ["", "", ""]
        assert whole(w) == WORDS[:690].strip()
        assert losses(w, post_id) == [[], ["thread"], ["thread"]]
        # only the second was refused: of the third it was known
        assert w.requests("twitter")[POSTING] - before == 4
        assert w.store.stopped() == []


def test_where_x_takes_answers_there_is_a_thread_without_numbers(tmp_path: Path) -> None:
    with world(tmp_path, ONE) as w:
        w.turn()
        post_id = w.say("m", WORDS[:500])
        come_to_rest(w)
        (first, _), (second, parent) = posts_of(w)
        assert (first.startswith("ord0 "), second.startswith("("), bool(parent)) == (
            True, False, True,
        )  # fmt: skip
        assert losses(w, post_id) == [[], []]


def test_a_post_of_an_own_thread_stands_by_itself_too(tmp_path: Path) -> None:
    with world(tmp_path, ONE) as w:
        refusing(w).turn()
        first = w.say("m", "Ferja er innstilt")
        second = w.say("m", "Ferja går igjen", reply_to=first)
        w.say("m", "Nå med kaffe", reply_to=second)
        come_to_rest(w)
        assert posts_of(w) == [
            ("Ferja er innstilt", ""), ("Ferja går igjen", ""), ("Nå med kaffe", ""),
        ]  # fmt: skip
        assert losses(w, second) == [["thread"]]
        assert w.store.stopped() == []


def test_numbered_posts_answer_nothing_on_x_and_are_a_thread_elsewhere(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [x, b], long: numbered}") as w:
        w.turn()
        w.say("m", WORDS[:500])
        come_to_rest(w)
        assert [(text[-5:], parent) for text, parent in posts_of(w)] == [
            ("(1/2)", ""),
            ("(2/2)", ""),
        ]
        assert [bool(entry.reply_to) for entry in w.copies("b")] == [False, True]
        assert not [
            loss for made in drafts(long(), TWITTER, long="numbered") for loss in made.losses
        ]


def test_an_image_of_a_part_that_was_refused_goes_along(tmp_path: Path) -> None:
    with world(tmp_path, ONE) as w:
        refusing(w).turn()
        first = w.say("m", "Ferja er innstilt")
        w.say("m", "Slik ser det ut", reply_to=first, images=[(png(), "kaia")])
        come_to_rest(w)
        assert [entry.alts for entry in w.copies("x")] == [(), ("kaia",)]
        assert w.store.stopped() == []


@pytest.mark.parametrize("kind", ["drop_before", "drop_after"])
def test_an_answer_that_is_lost_doubles_nothing(tmp_path: Path, kind: Any) -> None:
    for skip in range(4):
        folder = tmp_path / f"{skip}"
        folder.mkdir()
        with world(folder, ONE, flavour="gotosocial") as w:
            refusing(w).turn()
            w.simulator("x").faults.append(Fault(kind, POSTING, skip=skip))
            w.say("m", WORDS[:690])
            come_to_rest(w)
            come_to_rest(w)
            assert whole(w) == WORDS[:690].strip()
            assert len(posts_of(w)) == 3
            assert w.store.stopped() == []


class Killed(BaseException):
    """The end of the process."""


@pytest.mark.parametrize("step", ["forget_uploads", "amend", "sending", "sent"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_crash_at_any_step_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    done: Callable[..., Any] = getattr(Store, step)
    for skip in range(3):
        folder = tmp_path / f"{skip}"
        folder.mkdir()
        calls = 0

        def dying(*args: Any, skip: int = skip, **more: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls - 1 == skip and when == "before":
                raise Killed
            result = done(*args, **more)
            if calls - 1 == skip:
                raise Killed
            return result

        with world(folder, ONE, flavour="gotosocial") as w:
            refusing(w).turn()
            w.say("m", WORDS[:690])
            with monkeypatch.context() as patch:
                patch.setattr(Store, step, dying)
                try:
                    come_to_rest(w)
                except Killed:
                    w.restart()
            come_to_rest(w)
            come_to_rest(w)
            assert whole(w) == WORDS[:690].strip()
            assert len(posts_of(w)) == 3
            assert w.store.stopped() == []


def test_what_else_x_refuses_is_refused(tmp_path: Path) -> None:
    with world(tmp_path, ONE) as w:
        w.turn()
        first = w.say("m", "Ferja er innstilt")
        w.rest()
        body = '{"title": "Forbidden", "status": 403, "detail": "You are not allowed to create a Tweet with duplicate content."}'
        w.simulator("x").faults.append(Fault("answer", POSTING, times=9, status=403, body=body))
        w.say("m", "Ferja går igjen", reply_to=first)
        come_to_rest(w)
        assert posts_of(w) == [("Ferja er innstilt", "")]
        (stopped,) = w.store.stopped()
        assert (stopped.state, stopped.draft.alone) == ("dead", False)


def test_a_correction_is_no_post_by_itself(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x, edits: correct}") as w:
        refusing(w).turn()
        post_id = w.say("m", "Ferja går klokka ni")
        w.rest()
        w.change("m", post_id, "Ferja går klokka ti")
        w.clock.advance(hours=1)
        w.follow("m")
        come_to_rest(w)
        assert posts_of(w) == [("Ferja går klokka ni", "")]
        assert [draft.state for draft in w.store.stopped()] == ["dead"]


def test_an_edit_that_changes_nothing_is_none_for_what_stands_by_itself(tmp_path: Path) -> None:
    with world(tmp_path, ONE) as w:
        refusing(w).turn()
        post_id = w.say("m", WORDS[:490])
        come_to_rest(w)
        w.change("m", post_id, f"{WORDS[:490]} ")
        w.clock.advance(hours=1)
        w.follow("m")
        come_to_rest(w)
        assert len(posts_of(w)) == 2
        assert w.store.stopped() == []


# The number


def long(size: int = 1500) -> Any:
    return replace(POST, runs=(Run((WORDS * 4)[:size]),))


@pytest.mark.parametrize("size", [300, 560, 1500, 2900])
def test_there_is_room_for_the_number(size: int) -> None:
    for draft in drafts(long(size), TWITTER):
        made = by_itself(draft, TWITTER, LIMITS["twitter"])
        payload = TWITTER.to_payload(made, "key", (), None, made.created_at)
        assert payload["text"] == f"({draft.part}/{draft.parts}) {draft.text}"
        assert weighted_length(payload["text"]) <= 280
        assert by_itself(made, TWITTER, LIMITS["twitter"]) == made
        assert Draft.from_json(made.to_json()) == made


def test_a_number_stands_once_and_a_single_post_has_none() -> None:
    _, second, *_ = drafts(long(), TWITTER, long="numbered")
    assert by_itself(second, TWITTER, LIMITS["twitter"]).lead == ""
    (only,) = drafts(POST, TWITTER)
    assert by_itself(only, TWITTER, LIMITS["twitter"]).lead == ""


def test_a_part_of_images_alone_is_its_number() -> None:
    draft = replace(drafts(long(), TWITTER)[1], runs=())
    made = by_itself(draft, TWITTER, LIMITS["twitter"])
    payload = TWITTER.to_payload(made, "key", ({"id": "1"},), None, made.created_at)
    assert payload["text"] == f"(2/{draft.parts})"


def test_a_draft_of_an_older_version_without_room_goes_without_its_number() -> None:
    draft = replace(drafts(long(), TWITTER)[1], runs=(Run("a" * 280),))
    made = by_itself(draft, TWITTER, LIMITS["twitter"])
    assert (made.alone, made.lead) == (True, "")


def test_only_where_answers_are_uncertain_is_room_kept() -> None:
    assert [name for name, network in NETWORKS.items() if not network.threads] == ["twitter"]
    whole_text = "a" * 300
    assert drafts(replace(POST, runs=(Run(whole_text),)), BLUESKY)[0].text == whole_text


# A state that was lost


@pytest.mark.parametrize("long", ["thread", "numbered"])
def test_single_posts_are_found_again_when_the_state_was_lost(tmp_path: Path, long: str) -> None:
    bot = f"one: {{from: m, to: x, backfill: all, long: {long}}}"
    with world(tmp_path, bot, flavour="gotosocial") as w:
        refusing(w).turn()
        first = w.say("m", WORDS[:690])
        w.say("m", "Nå med kaffe", reply_to=first)
        come_to_rest(w)
        before = posts_of(w)
        assert len(before) == 4
        w.store.close()
        for file in w.config.state.file.parent.iterdir():
            file.unlink()
        w.restart()
        found = relink(w.config, w.accounts, w.store)
        assert (found.linked, found.missing, found.unsure) == (4, 0, 0)
        come_to_rest(w)
        w.clock.advance(days=1)
        come_to_rest(w)
        assert posts_of(w) == before


def test_the_export_has_the_texts_with_their_numbers(tmp_path: Path) -> None:
    with world(tmp_path, ONE, flavour="gotosocial") as w:
        refusing(w).turn()
        w.say("m", WORDS[:690])
        come_to_rest(w)
        day = f"{w.clock.at:%Y-%m-%d}"
        (original,) = json.loads(w.command("export", "--since", day).output)["originals"]
        assert [copy["text"] for copy in original["copies"]] == w.texts("x")
