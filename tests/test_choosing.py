"""What bots take and what they leave, from a network to a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.world import World


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
