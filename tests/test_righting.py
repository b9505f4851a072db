"""What people put right: `correct`, `delete` and `export`."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.world import World, world

TEXT = "Rettelse: møtet er på fredag, se https://byen.example/møte #byen"


def mirrored(w: World) -> str:
    """A post of `m` with copies; its address."""
    w.turn()
    post = w.say("m", "Møtet er på torsdag")
    w.turn()
    return str(w.simulator("m")._server.statuses[post].entity["url"])


def told(w: World, account: str) -> list[str]:
    return [entry.text for entry in w.standing(account)]


@pytest.mark.parametrize("named", ["original", "copy"])
def test_a_correction_is_a_reply_to_every_copy(tmp_path: Path, named: str) -> None:
    with world(tmp_path, "a: {from: m, to: [m2, b, x]}") as w:
        url = mirrored(w)
        if named == "copy":
            (group,) = w.store.groups()
            url = next(c.ref.url for c in group if c.identity.startswith("bluesky"))
        ran = w.command("correct", url, TEXT)
        assert ran.exit_code == 0, ran.output
        for account in ("m2", "b", "x"):
            copy, correction = w.standing(account)
            assert correction.reply_to == copy.id
            assert correction.text.startswith("Rettelse: møtet er på fredag, se ")
            assert f"{account}: correction: done" in ran.output
        assert len(w.journal("m")) == 1
        w.rest()
        assert len(told(w, "b")) == 2
        # a second one answers the same copy, and is another post
        assert w.command("correct", url, "Og nå er den avlyst").exit_code == 0
        assert told(w, "b")[-1] == "Og nå er den avlyst"


def test_deleting_shows_the_copies_and_asks_first(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: [m2, b, x]}") as w:
        url = mirrored(w)
        w.command("correct", url, TEXT)
        refused = w.command("delete", url)
        assert refused.exit_code == 1
        assert refused.output.count("http") > 6
        assert len(told(w, "b")) == 2
        ran = w.command("delete", url, "--yes")
        assert ran.exit_code == 0, ran.output
        assert told(w, "m2") == told(w, "b") == told(w, "x") == []
        assert ran.output.count("deletion: done") == 6
        assert len(w.journal("m")) == 1
        w.rest()
        assert told(w, "b") == []
        again = w.command("delete", url, "--yes")
        assert (again.exit_code, "has no copy that stands or waits" in again.output) == (1, True)
        # a person may change their mind
        assert w.command("mirror", url).exit_code == 0
        assert told(w, "b") == ["Møtet er på torsdag"]


def test_what_has_not_gone_out_never_will(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: [m2, b], for: {b: {delay: 1h}}}") as w:
        url = mirrored(w)
        assert (told(w, "m2"), told(w, "b")) == (["Møtet er på torsdag"], [])
        ran = w.command("delete", url, "--yes")
        assert "b: 0 posts to delete; what waited is dropped" in ran.output
        w.clock.advance(hours=2)
        w.follow("m")
        w.rest()
        assert (told(w, "m2"), told(w, "b")) == ([], [])


@pytest.mark.parametrize("command", [["correct", "URL", "x"], ["delete", "URL", "--yes"]])
def test_what_was_never_mirrored_is_said_to_be_unknown(tmp_path: Path, command: list[str]) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        mirrored(w)
        post = w.say("m", "Ikke denne #nobridge")
        w.turn()
        url = str(w.simulator("m")._server.statuses[post].entity["url"])
        ran = w.command(*[url if word == "URL" else word for word in command])
        assert ran.exit_code == 1
        assert "was never mirrored, and is no copy" in ran.output
        ran = w.command(*["https://else.example/1" if word == "URL" else word for word in command])
        assert (ran.exit_code, "not the address of a post of" in ran.output) == (1, True)


@pytest.mark.parametrize("text", ["", "  ", "a\0b", "\udcff"])
def test_a_correction_needs_a_text(tmp_path: Path, text: str) -> None:
    with world(tmp_path, "a: {from: m, to: b}") as w:
        assert w.command("correct", mirrored(w), text).exit_code == 2


def test_the_export_has_revisions_copies_corrections_and_times(tmp_path: Path) -> None:
    with world(tmp_path, "a: {from: m, to: [m2, b], edits: correct}") as w:
        w.turn()
        w.say("m", "Fra før")
        w.turn()
        w.clock.advance(days=2)
        url = mirrored(w)
        post = url.rpartition("/")[2]
        w.change("m", post, "=Møtet er på fredag")
        w.clock.advance(minutes=3)
        for target in w.follow("m").targets:
            w.deliver(target)
        w.command("delete", url, "--yes")
        day = f"{w.clock():%Y-%m-%d}"
        (original,) = json.loads(w.command("export", "--since", day).output)["originals"]
        assert (original["account"], original["url"]) == ("m", url)
        assert len(original["revisions"]) == 2
        kinds = [(copy["account"], copy["kind"], copy["text"]) for copy in original["copies"]]
        assert ("m2", "edit", "=Møtet er på fredag") in kinds
        assert ("b", "correction", "Correction: =Møtet er på fredag") in kinds
        (copy,) = (c for c in original["copies"] if (c["account"], c["kind"]) == ("b", "copy"))
        assert copy["posted"] < copy["deleted"]
        assert copy["url"].startswith("https://")
        output = w.command("export", "--since", day, "--format", "csv").output
        rows = list(csv.DictReader(io.StringIO(output)))
        assert len(rows) == len(original["copies"])
        assert {row["text"] for row in rows if row["kind"] == "edit"} == {"'=Møtet er på fredag"}
