"""More images than one post of the target takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.test_mirroring import png
from tests.world import World, world

#: as many as GoToSocial takes
SIX = [(png(), f"Bild {n}") for n in range(1, 7)]


def say(w: World, count: int) -> str:
    return w.say("m", "Die ganze Fahrt", images=SIX[:count])


@pytest.mark.parametrize("target", ["b", "x"])
def test_they_go_on_in_the_thread_each_with_its_alt(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: m, to: {target}}}", flavour="gotosocial") as w:
        w.turn()
        say(w, 6)
        w.rest(3)
        first, second = w.copies(target)
        assert first.alts == ("Bild 1", "Bild 2", "Bild 3", "Bild 4")
        assert (second.text, second.alts) == ("", ("Bild 5", "Bild 6"))
        assert second.reply_to == first.id


@pytest.mark.parametrize("target", ["b", "x"])
def test_or_stay_where_they_are_with_a_link(tmp_path: Path, target: str) -> None:
    bot = f"one: {{from: m, to: {target}, many_images: link}}"
    with world(tmp_path, bot, flavour="gotosocial") as w:
        w.turn()
        post_id = say(w, 6)
        w.rest(3)
        (copy,) = w.copies(target)
        assert copy.alts == ("Bild 1", "Bild 2", "Bild 3", "Bild 4")
        links = copy.links or (copy.text,)
        assert post_id in links[-1]
        (draft,) = w.store.drafts_of(
            w.accounts.open(target).identity.id, w.accounts.open("m").identity.id, post_id
        )
        details = [loss.detail for loss in draft.draft.losses]
        assert "2 images beyond 4 were left out" in details


def test_no_link_is_added_where_links_are_dropped(tmp_path: Path) -> None:
    bot = "one: {from: m, to: b, many_images: link, links: drop}"
    with world(tmp_path, bot, flavour="gotosocial") as w:
        w.turn()
        say(w, 6)
        w.rest(3)
        assert [(c.text, len(c.alts)) for c in w.copies("b")] == [("Die ganze Fahrt", 4)]


def test_a_gallery_holds_them_all_and_is_none_where_four_are_enough(tmp_path: Path) -> None:
    bot = "one: {from: m, to: b, many_images: gallery}"
    with world(tmp_path, bot, flavour="gotosocial") as w:
        w.turn()
        say(w, 6)
        say(w, 4)
        w.rest(3)
        many, few = w.copies("b")
        assert many.alts == tuple(alt for _, alt in SIX)
        assert many.raw["embed"]["$type"] == "app.bsky.embed.gallery"
        assert all("aspectRatio" in item for item in many.raw["embed"]["items"])
        assert few.raw["embed"]["$type"] == "app.bsky.embed.images"


def test_where_there_is_no_gallery_it_is_a_thread(tmp_path: Path) -> None:
    bot = "one: {from: m, to: x, many_images: gallery}"
    with world(tmp_path, bot, flavour="gotosocial") as w:
        w.turn()
        say(w, 5)
        w.rest(3)
        assert [len(copy.alts) for copy in w.copies("x")] == [4, 1]
