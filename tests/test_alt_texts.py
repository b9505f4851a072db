"""`alt_text: required`: no image goes out without words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.simulation import Fault
from tests.test_mirroring import png
from tests.test_promises_delivery import states
from tests.world import World, world

BOT = "one: {from: %s, to: %s, alt_text: required}"


def describe(w: World, alt: str, at: int = 0) -> None:
    """Add an alt text to an image of the last post on Mastodon, as its author does."""
    server = w.networks["mastodon"]._server
    found = [s for s in server.accounts["anna"].statuses if s.entity["media_attachments"]]
    found[-1].entity["media_attachments"][at]["description"] = alt


def reasons(w: World, target: str) -> list[tuple[str, str]]:
    identity = w.accounts.open(target).identity.id
    return [(d.code, d.error) for d in w.store.stopped("one") if d.target == identity]


def test_a_post_waits_until_each_of_its_images_is_described(tmp_path: Path) -> None:
    with world(tmp_path, BOT % ("m", "[b, x]")) as w:
        w.turn()
        w.say("m", "Zwei Bilder", images=[(png(), "Eine Brücke"), (png(), "")])
        w.say("m", "Ohne Bild")
        w.rest(3)
        assert w.texts("b") == w.texts("x") == ["Ohne Bild"]
        assert states(w, "b") == ["queued", "sent"]
        describe(w, "Ein Boot", 1)
        w.rest(4)
        assert w.texts("b") == ["Ohne Bild", "Zwei Bilder"]
        for target in ("b", "x"):
            assert w.copies(target)[-1].alts == ("Eine Brücke", "Ein Boot")


def test_images_of_later_parts_are_waited_for_too(tmp_path: Path) -> None:
    with world(tmp_path, BOT % ("m", "b"), flavour="gotosocial") as w:
        w.turn()
        six = [(png(), f"Bild {n}") for n in range(5)] + [(png(), " ")]
        w.say("m", "Sechs Bilder", images=six)
        w.rest(2)
        assert w.copies("b") == []
        describe(w, "Das letzte", 5)
        w.rest(4)
        assert [len(copy.alts) for copy in w.copies("b")] == [4, 2]
        assert w.copies("b")[1].alts[1] == "Das letzte"


def test_the_original_is_looked_at_ever_more_rarely_until_max_age_then_the_post_is_held(
    tmp_path: Path,
) -> None:
    with world(tmp_path, BOT % ("m", "b")) as w:
        w.turn()
        w.say("m", "Ein Bild", images=[(png(), "")])
        w.turn()
        before = w.requests("mastodon").get("GET /api/v1/statuses/:id", 0)
        for _ in range(50 * 60):
            w.clock.advance(minutes=1)
            w.deliver("b")
        looked = w.requests("mastodon")["GET /api/v1/statuses/:id"] - before
        assert 20 < looked < 50
        assert reasons(w, "b") == [("alt", "an image has no alt text, and the bot asks for one")]
        assert w.copies("b") == []
        describe(w, "Doch noch beschrieben")
        w.store.release(w.store.stopped("one"))
        w.rest(2)
        assert [copy.alts for copy in w.copies("b")] == [("Doch noch beschrieben",)]


def test_a_person_may_let_it_go_as_it_is(tmp_path: Path) -> None:
    with world(tmp_path, BOT.replace("}", ", max_age: 1m}") % ("m", "b")) as w:
        w.turn()
        w.say("m", "Ein Bild", images=[(png(), "")])
        w.rest(4)
        assert reasons(w, "b")[0][0] == "alt"
        w.store.release(w.store.stopped("one"))
        w.rest(2)
        assert [copy.alts for copy in w.copies("b")] == [("",)]


@pytest.mark.parametrize("status", [404, 503])
def test_an_original_that_cannot_be_had_keeps_only_its_own_copy_waiting(
    tmp_path: Path, status: int
) -> None:
    with world(tmp_path, BOT % ("m", "b")) as w:
        w.turn()
        w.simulator("m").faults = [
            Fault("answer", match="GET /api/v1/statuses", status=status, times=9)
        ]
        w.say("m", "Ein Bild", images=[(png(), "")])
        w.say("m", "Kein Bild")
        w.rest(2)
        assert w.texts("b") == ["Kein Bild"]
        assert states(w, "b") == ["queued", "sent"]


def test_where_looking_again_costs_it_is_held_at_once(tmp_path: Path) -> None:
    with world(tmp_path, BOT % ("x", "b")) as w:
        w.turn()
        w.say("x", "Ein Bild", images=[(png(), "")])
        before: dict[str, Any] = {}
        w.turn()
        before = w.requests("twitter")
        w.deliver("b")
        assert [code for code, _ in reasons(w, "b")] == ["alt"]
        assert w.requests("twitter") == before


def test_by_default_nothing_waits(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Ein Bild", images=[(png(), "")])
        w.turn()
        assert [copy.alts for copy in w.copies("b")] == [("",)]


def test_an_alt_text_that_comes_late_is_cut_as_any_other(tmp_path: Path) -> None:
    with world(tmp_path, BOT % ("m", "x")) as w:
        w.turn()
        w.say("m", "Ein Bild", images=[(png(), "")])
        w.turn()
        describe(w, "Wort " * 250)
        w.rest(3)
        (alt,) = w.copies("x")[0].alts
        assert alt.endswith("Wort…")
        assert 990 < len(alt) <= 1000
