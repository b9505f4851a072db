"""Threads that began before a bot's first run: left alone, unless a person wants them."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.ingest import mirror
from tests.world import World, world

DIRECTIONS = [(a, b) for a in ("m", "b", "x") for b in ("m", "b", "x") if a != b]
NOT_MIRRORED = "reply to a post that was not mirrored"


def answers(w: World, target: str) -> list[tuple[str, bool]]:
    return [(entry.text, bool(entry.reply_to)) for entry in w.copies(target)]


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_what_is_added_to_an_older_thread_is_left_alone(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        first = w.say(source, "Ferja er innstilt i dag")
        w.turn()
        second = w.say(source, "Nå går den igjen", reply_to=first)
        w.rest()
        w.say(source, "Med kaffe", reply_to=second)
        w.rest()
        assert w.texts(target) == []
        assert w.reasons()[-2:] == [NOT_MIRRORED, NOT_MIRRORED]
        assert w.store.stopped() == []


@pytest.mark.parametrize(("source", "target"), DIRECTIONS)
def test_a_thread_begun_within_a_backfill_goes_on_below_its_copy(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}, backfill: {{last: 1}}}}") as w:
        first = w.say(source, "Ferja er innstilt i dag")
        w.turn()
        w.say(source, "Nå går den igjen", reply_to=first)
        w.rest()
        assert answers(w, target) == [
            ("Ferja er innstilt i dag", False),
            ("Nå går den igjen", True),
        ]


@pytest.mark.parametrize(("source", "target"), [("m", "b"), ("b", "x"), ("x", "m")])
def test_a_person_can_let_an_older_thread_go_on(tmp_path: Path, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        first = w.say(source, "Ferja er innstilt i dag")
        w.turn()
        account = w.accounts.open(source)
        routes = [("one", route) for route in w.config.bots["one"].routes]
        mirror(account, account.client.find(first), routes, w.accounts, w.store)
        w.say(source, "Nå går den igjen", reply_to=first)
        w.rest()
        assert answers(w, target) == [
            ("Ferja er innstilt i dag", False),
            ("Nå går den igjen", True),
        ]
