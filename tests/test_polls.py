"""Polls: as polls where the target has them, for the time that is left; else as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.network import PollLimits
from bridge.post import Draft, Media, Poll
from bridge.render import render
from bridge.schema import Policy
from tests.test_render import BLUESKY, LIMITS, MASTODON, POST, TWITTER
from tests.world import World, world

ROOM = {
    "mastodon": replace(LIMITS["mastodon"], polls=PollLimits(4, 50, 300, 2_629_746)),
    "twitter": replace(LIMITS["twitter"], polls=PollLimits(4, 25, 300, 604_800, multiple=False)),
    "bluesky": LIMITS["bluesky"],
}
POLL = Poll(("Ja", "Nein"), ends_at=POST.created_at + timedelta(days=1))


def drafts(poll: Poll, target: Any, post: Any = POST, **policy: Any) -> tuple[Draft, ...]:
    made = render(replace(post, poll=poll), Policy(**policy), target, ROOM[target.name])
    assert isinstance(made, tuple)
    return made


def asks(w: World, options: list[str], **more: Any) -> str:
    poll = {"options": options, "expires_in": 86400, **more}
    return w.say("m", "Worüber reden wir?", poll=poll)


@pytest.mark.parametrize(
    ("change", "mastodon", "twitter"),
    [
        ({}, True, True),
        ({"multiple": True}, True, False),
        ({"options": ("a", "b", "c", "d", "e")}, False, False),
        ({"options": ("a",)}, False, False),
        ({"options": ("a", "a")}, False, False),
        ({"options": ("a", "  ")}, False, False),
        ({"options": ("a", "b" * 26)}, True, False),
        ({"options": ("a", "b" * 51)}, False, False),
        ({"closed": True}, False, False),
    ],
)
def test_it_is_a_poll_where_the_limits_allow(
    change: dict[str, Any], mastodon: bool, twitter: bool
) -> None:
    poll = replace(POLL, **change)
    for target, native in ((MASTODON, mastodon), (TWITTER, twitter), (BLUESKY, False)):
        (draft,) = drafts(poll, target, link_back="never")
        assert (draft.poll is not None) == native
        assert (draft.text == "Hallo") == native
        assert [loss.what for loss in draft.losses] == ([] if native else ["poll"])


def test_a_poll_excludes_media_and_needs_a_question() -> None:
    with_image = replace(POST, media=(Media("image", "https://a.example/1"),))
    (draft,) = drafts(POLL, MASTODON, with_image, link_back="never")
    assert (draft.poll, draft.text) == (None, "Hallo\n- Ja\n- Nein")
    (draft,) = drafts(POLL, MASTODON, replace(POST, runs=()), link_back="never")
    assert (draft.poll, draft.text) == (None, "\n- Ja\n- Nein")


def test_the_poll_stands_at_the_end_of_a_thread() -> None:
    from bridge.post import Run

    long = replace(POST, runs=(Run("Ein langer Satz, der dauert. " * 30),))
    made = drafts(POLL, TWITTER, long)
    assert len(made) > 2
    assert [part.poll is not None for part in made] == [False] * (len(made) - 1) + [True]


def test_an_option_notifies_nobody() -> None:
    (draft,) = drafts(replace(POLL, options=("@anna", "@berit@a.example")), MASTODON)
    assert draft.poll is not None
    assert draft.poll.options == ("anna", "berit@a.example")


@pytest.mark.parametrize(
    ("left", "target", "seconds"),
    [
        (timedelta(hours=5), MASTODON, 18_000),
        (timedelta(minutes=1), MASTODON, 300),
        (timedelta(days=-3), MASTODON, 300),
        (timedelta(days=90), MASTODON, 2_629_746),
        (timedelta(hours=5, seconds=59), TWITTER, 300 * 60),
        (timedelta(minutes=1), TWITTER, 300),
        (timedelta(days=30), TWITTER, 10_080 * 60),
        (None, TWITTER, 10_080 * 60),
        (None, MASTODON, 7 * 86_400),
    ],
)
def test_it_lasts_as_long_as_is_left_within_the_targets_bounds(
    left: timedelta | None, target: Any, seconds: int
) -> None:
    now = POST.created_at + timedelta(minutes=30)
    poll = replace(POLL, ends_at=now + left if left is not None else None)
    (draft,) = drafts(poll, target)
    asked = target.to_payload(draft, "key", (), None, now)["poll"]
    assert asked["options"] == ["Ja", "Nein"]
    assert asked.get("expires_in", asked.get("duration_minutes", 0) * 60) == seconds


def test_a_poll_that_must_end_earlier_says_so() -> None:
    (draft,) = drafts(replace(POLL, ends_at=POST.created_at + timedelta(days=30)), TWITTER)
    assert [loss.what for loss in draft.losses] == ["poll"]


@pytest.mark.parametrize(
    ("poll", "text"),
    [
        (Poll(("Ja", "Nein"), (3, 1), closed=True), "Hallo\n- Ja: 3 (75%)\n- Nein: 1 (25%)"),
        (Poll(("Ja", "Nein"), (3, 1), multiple=True, closed=True), "Hallo\n- Ja: 3\n- Nein: 1"),
        (Poll(("Ja", "Nein"), (0, 0), closed=True), "Hallo\n- Ja: 0\n- Nein: 0"),
        (Poll(("Ja", "Nein"), closed=True), "Hallo\n- Ja\n- Nein"),
        (Poll(("Ja", "Nein"), (3, 1)), "Hallo\n- Ja\n- Nein"),
    ],
)
def test_what_is_over_is_told_with_its_result(poll: Poll, text: str) -> None:
    (draft,) = drafts(poll, BLUESKY, link_back="never")
    assert draft.text == text


def test_a_draft_with_a_poll_survives_the_state() -> None:
    for poll in (POLL, Poll(("a", "b"), (1, 2), multiple=True)):
        draft = Draft((), POST.created_at, poll=poll)
        assert Draft.from_json(draft.to_json()) == draft


def test_polls_travel(tmp_path: Path) -> None:
    bots = """
    one: {from: m, to: [b, x]}
    two: {from: x2, to: [m2, b2]}
    """
    with world(tmp_path, bots) as w:
        w.turn()
        asks(w, ["Hafen", "Brücke"])
        w.say("x2", "Was kommt?", poll=["Regen", "Sonne"])
        w.rest(3)
        (on_x,), (on_m,) = w.copies("x"), w.copies("m2")
        assert (on_x.text, on_x.poll) == ("Worüber reden wir?", ("Hafen", "Brücke"))
        assert (on_m.text, on_m.poll) == ("Was kommt?", ("Regen", "Sonne"))
        assert w.texts("b")[0].startswith("Worüber reden wir?\n- Hafen\n- Brücke\n\n127.0.0.1")
        assert w.texts("b2")[0].startswith("Was kommt?\n- Regen\n- Sonne\n\nx.com/")


def test_a_server_that_says_nothing_of_polls_gets_text(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: x, to: m}", flavour="takahe") as w:
        w.turn()
        w.say("x", "Was kommt?", poll=["Regen", "Sonne"])
        w.rest(2)
        assert w.copies("m")[0].poll == ()
        assert w.texts("m")[0].startswith("Was kommt?\n- Regen\n- Sonne")


def test_the_result_of_a_mirrored_poll_is_not_mirrored_again(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x]}") as w:
        w.turn()
        post_id = asks(w, ["Hafen", "Brücke"])
        w.rest(2)
        poll = w.networks["mastodon"]._server.statuses[post_id].entity["poll"]
        poll["options"][0]["votes_count"] = 12
        poll["expired"] = True
        w.clock.advance(days=2)
        w.rest(3)
        entity = w.networks["mastodon"]._server.statuses[post_id].entity
        entity["edited_at"] = "2026-11-25T00:00:00.000Z"
        w.say("m", "Danke fürs Mitmachen")
        w.rest(3)
        assert len(w.copies("b")) == len(w.copies("x")) == 2


@pytest.mark.parametrize("target", ["m", "x"])
def test_a_poll_whose_answer_was_lost_is_known_by_its_options(tmp_path: Path, target: str) -> None:
    from bridge.simulation import Fault
    from tests.test_mirroring import WRITES

    source = "x2" if target == "m" else "m2"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.simulator(target).faults = [Fault("drop_after", match=WRITES[target])]
        poll: Any = ["Hafen", "Brücke"]
        if source == "m2":
            poll = {"options": poll, "expires_in": 86400}
        w.say(source, "Worüber?", poll=poll)
        w.rest(4)
        assert [copy.poll for copy in w.copies(target)] == [("Hafen", "Brücke")]
        assert not w.store.stopped("one")
