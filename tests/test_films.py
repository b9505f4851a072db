"""Videos, animations and sounds on their way between the networks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.film_files import PLACE, mp4
from tests.world import PEOPLE, World, world

WAYS = [(a, b) for a in ("m", "b", "x") for b in ("m", "b", "x") if a != b]


def bytes_on(w: World, account: str) -> list[bytes]:
    """The files of the copies on an account, as their network serves them."""
    network = w.networks[PEOPLE[account][0]]
    match account[0]:
        case "m":
            found = []
            for copy in w.copies(account):
                for item in copy.raw["media_attachments"]:
                    found.append(network._server.files[item["url"].removeprefix(network.url)][0])
            return found
        case "x":
            return [
                network._files._files[key.partition("_")[2]].data
                for copy in w.copies(account)
                for key in copy.raw.get("attachments", {}).get("media_keys", ())
            ]
    owner = network.made(PEOPLE[account][1])
    return [
        owner.blobs[copy.raw["embed"]["video"]["ref"]["$link"]][0]
        for copy in w.copies(account)
        if "video" in copy.raw.get("embed", {})
    ]


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_a_video_is_passed_on_with_its_words_and_without_its_place(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.say(source, "Fjorden i dag", films=[(mp4(places=True), "Bølger mot en brygge")])
        w.rest()
        (copy,) = w.copies(target)
        assert copy.text == "Fjorden i dag"
        assert copy.alts == ("Bølger mot en brygge",)
        (data,) = bytes_on(w, target)
        assert len(data) == len(mp4(places=True))
        assert PLACE not in data
        assert b"picture!" in data
