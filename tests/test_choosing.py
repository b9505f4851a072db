"""What bots take and what they leave, from a network to a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World, world


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, "one: {from: m, to: m2, skip: {older_than: 10m}}")
    made.read("m")
    yield made
    made.close()


def test_the_age_of_a_post_is_that_when_it_is_first_read(w: World) -> None:
    w.say("m", "Gammelt")
    w.say("m", "Nytt")
    w.clock.advance(minutes=10)
    w.turn()
    assert w.texts("m2") == ["Nytt"]
    assert w.reasons() == ["skip: older than 10m"]


def test_an_edit_is_told_however_old_the_post_is_by_then(w: World) -> None:
    post = w.say("m", "Nytt")
    w.turn()
    w.clock.advance(hours=1)
    w.change("m", post, "Nyere")
    w.follow("m")
    w.deliver("m2")
    assert [copy.text for copy in w.standing("m2")] == ["Nyere"]


def test_kinds_that_are_left_out_stay_at_home(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, skip: {kinds: [reply, quote]}}") as w:
        w.read("m")
        first = w.say("m", "Del 1")
        w.say("m", "Del 2", reply_to=first)
        w.turn()
        assert w.texts("b") == ["Del 1"]
        assert w.reasons() == ["skip: reply"]


def test_filters_may_differ_by_target(tmp_path: Path) -> None:
    bots = "one: {from: m, to: [b, x], for: {x: {only: {shorter_than: 10, has: text}}}}"
    with world(tmp_path, bots) as w:
        w.read("m")
        w.say("m", "Kort nok")
        w.say("m", "Alt for langt for X")
        w.turn()
        assert w.texts("b") == ["Kort nok", "Alt for langt for X"]
        assert w.texts("x") == ["Kort nok"]
        assert w.reasons() == ["only: not shorter than 10 characters"]


def test_steps_change_the_copy_and_keep_its_links(tmp_path: Path) -> None:
    bots = """\
    one:
      from: m
      to: [b, x]
      steps:
        - strip_tracking
        - replace: {text: Snø, by: Snow}
        - hashtags: {rename: {vær: weather}}
        - content_warning: {Weather: snow}
        - template: "{{ text }}{% for tag in tags %} ({{ tag }}){% endfor %}"
        - attribution
    """
    with world(tmp_path, bots) as w:
        w.read("m")
        w.say("m", "Snø! https://a.example/x?utm_source=y&id=1 #vær")
        w.turn()
        (bluesky,) = w.copies("b")
        page = "https://a.example/x?id=1"
        head = "CW: Weather\n\nSnow! "
        assert bluesky.text.startswith(
            f"{head}a.example/x?id=1 #weather (weather)\n\nanna on Mastodon: "
        )
        assert bluesky.links[0] == page
        assert w.texts("x")[0].startswith(
            f"{head}{page} #weather (weather)\n\nanna on Mastodon: http"
        )


def test_a_post_that_a_template_fails_on_is_held_and_the_next_goes_on(tmp_path: Path) -> None:
    bots = "one: {from: m, to: b, steps: [template: '{{ 8 // (tags | length) }}: {{ text }}']}"
    with world(tmp_path, bots) as w:
        w.read("m")
        w.say("m", "Uten")
        w.say("m", "Med #vær")
        w.turn()
        assert w.texts("b") == ["8: Med #vær"]
        why = "template: it fails on this post: integer division or modulo by zero"
        assert [held.reason for held in w.store.held_posts()] == [why]
        told = w.command("outbox").stdout
        assert "mend the step and restart what runs the bots; then `tribridge mirror http" in told


def test_an_edit_that_a_template_fails_on_leaves_the_copy(tmp_path: Path) -> None:
    bots = "one: {from: m, to: m2, steps: [template: '{{ 8 // (tags | length) }}: {{ text }}']}"
    with world(tmp_path, bots) as w:
        w.read("m")
        post = w.say("m", "Med #vær")
        w.turn()
        w.clock.advance(hours=1)
        w.change("m", post, "Uten")
        w.follow("m")
        w.rest()
        assert w.texts("m2") == ["8: Med #vær"]
        assert w.store.troubled() == []
        assert [held.reason[:8] for held in w.store.held_posts()] == ["template"]
