"""What is promised at the edges: odd answers, odd addresses, odd arguments, odd files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge import console, secrecy, wire
from bridge.accounts import Accounts
from bridge.cli import main
from bridge.network import ClientError, Identity, LoginNeeded, Refused, Unreachable
from bridge.networks.bluesky import read as bluesky
from bridge.networks.mastodon import read as mastodon
from bridge.networks.twitter import read as twitter
from bridge.simulation import Fault, Request, Response, Simulator
from tests.world import World, world

BOTS = "one: {from: m, to: b}"


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    with world(tmp_path, BOTS) as made:
        made.turn()
        yield made


def run(w: World, *words: str) -> Result:
    """A command, as people call it, in this process; its clock is that of the world."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(console, "now", w.clock)
        return CliRunner().invoke(main, [*words, "--config", str(w.file)])


# Orders


@pytest.mark.parametrize("command", ["retry", "drop", "approve"])
def test_a_number_that_no_draft_can_have_is_no_draft(w: World, command: str) -> None:
    told = run(w, "outbox", command, str(2**64))
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    assert "there is no draft 18446744073709551616" in told.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("outbox", "sent", str(2**64), "https://bsky.app/profile/anna.test/post/3k"),
        ("mirror", "http://["),
        ("skip", "https://[1/@anna/1"),
        ("mirror", ""),
    ],
)
def test_an_order_that_makes_no_sense_is_answered_and_is_over(
    w: World, words: tuple[str, ...]
) -> None:
    told = run(w, *words)
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    assert "not the address of a post" in told.stderr or "there is no such draft" in told.stderr
    assert w.store.open_orders() == []


def test_an_order_that_meets_a_defect_is_answered_and_not_tried_for_ever(
    w: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("bridge.orders.carry_out", broken)
    told = run(w, "mirror", w.settings["m"]["server"] + "/@anna/1")
    assert told.exit_code == 1
    assert "ZeroDivisionError" in told.stderr
    assert w.store.open_orders() == []


def test_an_address_of_no_characters_is_wrong_usage(w: World) -> None:
    told = run(w, "mirror", "https://x.com/\udcff")
    assert told.exit_code == 2
    assert w.store.open_orders() == []
