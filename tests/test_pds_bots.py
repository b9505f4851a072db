"""Whole bots with a real Bluesky PDS among their accounts. Run by `make pds`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.film_files import mp4
from tests.servers.pds import Pds
from tests.test_mirroring import TRIANGLE, png
from tests.world import World, world

pytestmark = pytest.mark.pds


def test_a_triangle_comes_to_rest_with_one_copy_each(tmp_path: Path, pds: Pds) -> None:
    with world(tmp_path, TRIANGLE, pds=pds) as w:
        w.turn()
        for account in ("m", "b", "x"):
            w.say(
                account, f"En hilsen fra {account} – مرحبا 👩‍👩‍👧 https://example.com/{account}#sti"
            )
        w.rest(4)
        for account in ("m", "b", "x"):
            others = [other for other in ("m", "b", "x") if other != account]
            assert [c.text.split(" –")[0][-1] for c in w.copies(account)] == others
            links = [link for c in w.copies(account) for link in c.links]
            assert links == [f"https://example.com/{other}#sti" for other in others]
        before = {account: len(w.journal(account)) for account in ("m", "b", "x")}
        w.rest(2)
        assert {account: len(w.journal(account)) for account in ("m", "b", "x")} == before


@pytest.mark.parametrize(("source", "target"), [("m", "b"), ("b", "m"), ("x", "b"), ("b", "x")])
def test_threads_and_images_go_both_ways(
    tmp_path: Path, pds: Pds, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}", pds=pds) as w:
        w.turn()
        first = w.say(source, "Første", images=[(png(), "Et rødt felt")])
        second = w.say(source, "Andre", reply_to=first)
        w.turn()
        w.say(source, "Tredje", reply_to=second)
        w.rest()
        copies = w.copies(target)
        assert [c.text for c in copies] == ["Første", "Andre", "Tredje"]
        assert [c.reply_to for c in copies] == ["", copies[0].id, copies[1].id]
        assert copies[0].alts == ("Et rødt felt",)


@pytest.mark.parametrize(("source", "target"), [("m", "b"), ("b", "m"), ("x", "b"), ("b", "x")])
def test_videos_go_both_ways(tmp_path: Path, pds: Pds, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}", pds=pds) as w:
        w.turn()
        w.say(source, "Fossen", films=[(mp4(places=True), "Vann over en kant")])
        w.say(source, "", films=[(mp4(padding=4_500_000, sound=False), "")])
        w.rest()
        first, second = w.copies(target)
        assert (first.text, first.alts) == ("Fossen", ("Vann over en kant",))
        if target == "b":
            for copy in (first, second):
                embed = copy.raw["embed"]
                assert embed["$type"] == "app.bsky.embed.video"
                assert embed["video"]["mimeType"] == "video/mp4"
                assert embed["aspectRatio"] == {"width": 64, "height": 36}
            assert second.raw["embed"]["presentation"] == "gif"


def test_a_video_that_the_server_finds_too_heavy_becomes_a_link(tmp_path: Path) -> None:
    # what servers other than those of Bluesky take by default
    with (
        Pds("--blob-limit", str(5 * 1024 * 1024)) as small,
        world(tmp_path, "one: {from: m, to: b}", pds=small) as w,
    ):
        w.turn()
        w.say("m", "Fossen", films=[(mp4(padding=6_000_000), "Vann over en kant")])
        w.rest()
        (copy,) = w.copies("b")
        assert copy.raw["embed"]["$type"] == "app.bsky.embed.images"
        assert copy.alts == ("Vann over en kant",)
        assert copy.links


def test_a_long_post_becomes_a_thread_that_the_server_takes(tmp_path: Path, pds: Pds) -> None:
    with world(tmp_path, "one: {from: m, to: b}", pds=pds) as w:
        w.turn()
        text = " ".join(f"Setning {n} om 👨‍👩‍👧‍👦 og مدينة بيرغن." for n in range(14))
        w.say("m", text)
        w.rest()
        copies = w.copies("b")
        assert len(copies) >= 2
        assert " ".join(c.text for c in copies) == text
        root = copies[0].raw
        assert all(
            c.raw["reply"]["root"]["uri"].endswith(f"/{copies[0].id}") for c in copies[1:]
        ), root


def test_a_reply_to_a_copy_attaches_to_the_group_on_every_member(tmp_path: Path, pds: Pds) -> None:
    with world(tmp_path, TRIANGLE, pds=pds) as w:
        w.turn()
        origin = w.say("b", "Originalen")
        w.rest(2)
        (on_mastodon,) = w.copies("m")
        w.say("m", "Et svar på kopien", reply_to=on_mastodon.id)
        w.rest(2)
        assert [(c.text, c.reply_to) for c in w.copies("b")] == [("Et svar på kopien", origin)]


def test_a_lost_state_file_doubles_nothing_on_bluesky(tmp_path: Path, pds: Pds) -> None:
    with world(tmp_path, "one: {from: m, to: b, backfill: all}", pds=pds) as w:
        said = [f"Melding {n}" for n in range(5)]
        for text in said:
            w.say("m", text)
        w.turn()
        assert w.texts("b") == said
        w.store.close()
        for file in w.config.state.file.parent.iterdir():
            file.unlink()
        w.restart()
        w.rest(2)
        assert w.texts("b") == said
        assert len(w.store.groups()) == len(said)


def look(w: World, source: str) -> None:
    """Some minutes later: look at the originals, then deliver what that led to."""
    w.clock.advance(minutes=3)
    done = w.follow(source)
    assert done.error is None
    for target in done.targets:
        w.deliver(target)


def test_edits_and_deletions_of_originals_reach_the_official_server(
    tmp_path: Path, pds: Pds
) -> None:
    bots = "a: {from: m, to: b, edits: correct}\nc: {from: m2, to: b2, edits: replace}"
    with world(tmp_path, bots, pds=pds) as w:
        w.turn()
        corrected, gone = w.say("m", "Kl. 8"), w.say("m", "Angret")
        replaced = w.say("m2", "Kl. 10")
        w.turn()
        (first,) = w.copies("b2")
        w.change("m", corrected, "Kl. 9")
        w.change("m2", replaced, "Kl. 11")
        w.remove("m", gone)
        for _ in range(2):
            look(w, "m")
            look(w, "m2")
        copy, correction = w.copies("b")
        assert (copy.text, correction.text) == ("Kl. 8", "Correction: Kl. 9")
        assert correction.reply_to == copy.id
        (second,) = w.copies("b2")
        assert (second.text, second.id != first.id) == ("Kl. 11", True)
        assert not w.store.unsent()


def test_a_deletion_on_the_official_server_reaches_the_copies(tmp_path: Path, pds: Pds) -> None:
    with world(tmp_path, "a: {from: b, to: m}", pds=pds) as w:
        w.turn()
        kept, gone = w.say("b", "Blir stående"), w.say("b", "Slettet siden")
        w.turn()
        assert len(w.standing("m")) == 2
        w.remove("b", gone)
        for _ in range(2):
            look(w, "b")
        assert [entry.text for entry in w.standing("m")] == ["Blir stående"]
        assert kept
