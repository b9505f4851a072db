"""Videos, animations and sounds on their way between the networks."""

from __future__ import annotations

import io
import shutil
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from bridge import ffmpeg
from bridge.network import Refused
from bridge.simulation import Entry, Fault
from bridge.store import QueuedDraft
from tests.film_files import PLACE, mp3, mp4
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


@pytest.mark.parametrize(("source", "target"), WAYS)
def test_what_loops_without_sound_stays_so(tmp_path: Path, source: str, target: str) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        more: dict[str, Any] = {}
        if source == "b":
            blob = w.networks["bluesky"].stored(
                w.networks["bluesky"].made("anna.test"), mp4(sound=False), "video/mp4"
            )
            embed = {"$type": "app.bsky.embed.video", "video": blob, "presentation": "gif"}
            more = {"embed": embed}
        else:
            more = {"films": [(mp4(sound=False), "")]}
        w.say(source, "Om og om igjen", **more)
        w.rest()
        (copy,) = w.copies(target)
        assert bytes_on(w, target) == [mp4(sound=False)]
        if target == "b":
            assert copy.raw["embed"]["presentation"] == "gif"
            assert "alt" not in copy.raw["embed"]


@pytest.mark.parametrize("target", ["b", "x"])
def test_a_sound_becomes_a_link_where_none_is_taken(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: m, to: {target}, link_back: truncated}}") as w:
        w.turn()
        w.say("m", "Hør her", films=[(mp3(), "En foss")])
        w.rest()
        (copy,) = w.copies(target)
        assert original(w, "mastodon") in leads_to(copy)
        assert losses(w) == ["no sound can be sent there"]


def test_a_sound_stays_one_where_it_is_taken(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: m2}") as w:
        w.turn()
        w.say("m", "Hør her", films=[(mp3(tag=b"GEOB" + PLACE), "En foss")])
        w.rest()
        (copy,) = w.copies("m2")
        (item,) = copy.raw["media_attachments"]
        assert (item["type"], item["description"]) == ("audio", "En foss")
        (data,) = bytes_on(w, "m2")
        assert PLACE not in data


@pytest.mark.parametrize(("target", "longest"), [("b", 180), ("x", 140)])
def test_what_is_too_long_stands_as_a_poster_with_a_link_and_is_not_downloaded(
    tmp_path: Path, target: str, longest: int
) -> None:
    with world(tmp_path, f"one: {{from: m, to: {target}, link_back: truncated}}") as w:
        w.turn()
        w.say("m", "Hele turen", films=[(mp4(longest + 1), "Fra båten")])
        w.rest()
        (copy,) = w.copies(target)
        assert copy.alts == ("Fra båten",)
        assert original(w, "mastodon") in leads_to(copy)
        assert mp4(longest + 1) not in bytes_on(w, target)
        assert losses(w) == [f"the video is longer than {longest} seconds ({longest + 1})"]
        fetched = [kind for kind in w.requests("mastodon") if kind.startswith("GET /media/")]
        assert len(fetched) == 1
        assert fetched[0].endswith("-preview.png")
    (tmp_path / "2").mkdir()
    with world(tmp_path / "2", f"one: {{from: m, to: {target}}}") as w:
        w.turn()
        w.say("m", "Nesten hele turen", films=[(mp4(longest), "")])
        w.rest()
        assert bytes_on(w, target) == [mp4(longest)]


def test_x_gets_no_link_that_costs_where_the_bot_adds_none(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: x}") as w:
        w.turn()
        w.say("m", "Hele turen", films=[(mp4(200), "Fra båten")])
        w.rest()
        (copy,) = w.copies("x")
        assert (copy.text, copy.links, copy.alts) == ("Hele turen", (), ("Fra båten",))


def original(w: World, network: str) -> str:
    """The page of the first post of a network."""
    return str(w.networks[network].journal[0].raw["url"])


def leads_to(copy: Entry) -> list[str]:
    """The links of a copy; X makes none of an address on loopback."""
    words = copy.text.split()
    return [link.replace("%40", "@") for link in (*copy.links, *words)]


def losses(w: World) -> list[str]:
    """What the copies of the last post could not carry."""
    found = w.store._rows("SELECT id FROM drafts ORDER BY id")
    kept = [w.store.draft(row[0]) for row in found]
    return [loss.detail for draft in kept if draft for loss in draft.draft.losses]


def draft(w: World) -> QueuedDraft:
    """The last draft."""
    (found,) = w.store._rows("SELECT max(id) FROM drafts")
    made = w.store.draft(found[0])
    assert made is not None
    return made


def uploads(w: World, target: str) -> int:
    """How many uploads were begun on a network."""
    begun = {
        "m": "POST /api/v2/media",
        "b": "POST /xrpc/com.atproto.repo.uploadBlob",
        "x": "POST /2/media/upload/initialize",
    }
    return w.requests(PEOPLE[target][0]).get(begun[target[0]], 0)


def slow_down(w: World, target: str, by: timedelta, *, fails: bool = False) -> None:
    """Let a network process what it is sent for so long."""
    if target == "m":
        server = w.networks["mastodon"]._server
        server.processing, server.processing_fails = by, fails
    else:
        files = w.networks["twitter"]._files
        files.processing, files.fails = by, fails


@pytest.mark.parametrize("target", ["m", "x"])
def test_processing_is_awaited_while_others_go_on(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}}}") as w:
        w.turn()
        slow_down(w, target, timedelta(minutes=3))
        w.say("b", "Film", films=[(mp4(), "Ord")])
        w.say("b", "Etterpå")
        w.turn()
        assert w.texts(target) == ["Etterpå"]
        waiting = w.store.drafts_of(*whence(w, target))[0]
        assert (waiting.state, waiting.code) == ("queued", "media")
        assert "processes the video" in waiting.error
        for _ in range(20):
            w.clock.advance(seconds=11)
            w.deliver(target)
        assert w.texts(target) == ["Etterpå", "Film"]
        assert w.copies(target)[-1].alts == ("Ord",)
        assert uploads(w, target) == 1
        assert draft(w).attempts == 0


def whence(w: World, target: str) -> tuple[str, str, str]:
    """The key of the first draft."""
    rows = w.store._rows("SELECT target, source, source_id FROM drafts ORDER BY id LIMIT 1")
    return rows[0][0], rows[0][1], rows[0][2]


@pytest.mark.parametrize("target", ["m", "x"])
def test_what_cannot_be_processed_goes_out_with_a_link(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}, link_back: truncated}}") as w:
        w.turn()
        slow_down(w, target, timedelta(seconds=20), fails=True)
        w.say("b", "Film", films=[(mp4(), "Ord")])
        w.rest()
        (copy,) = w.copies(target)
        assert copy.text.startswith("Film")
        assert copy.links[0].startswith("https://bsky.app/profile/anna.test/post/")
        assert bytes_on(w, target) == []
        assert uploads(w, target) == 1
        (told,) = losses(w)
        assert {"m": "Error processing", "x": "Unsupported video format"}[target] in told


@pytest.mark.parametrize("target", ["m", "x"])
def test_processing_that_never_ends_is_held_after_an_hour(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}}}") as w:
        w.turn()
        slow_down(w, target, timedelta(days=9))
        w.say("b", "Film", films=[(mp4(), "Ord")])
        w.turn()
        w.clock.advance(minutes=59)
        w.deliver(target)
        assert draft(w).state == "queued"
        w.clock.advance(minutes=2)
        w.deliver(target)
        assert (draft(w).state, draft(w).code) == ("held", "media")
        assert "still processes the video after 60 minutes" in draft(w).error
        slow_down(w, target, timedelta(0))
        w.command("outbox", "retry", str(draft(w).id))
        w.rest()
        assert w.texts(target) == ["Film"]
        assert uploads(w, target) == 2


@pytest.mark.parametrize("target", ["m", "b", "x"])
def test_a_crash_between_upload_and_post_uploads_once(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "m2" if target != "m" else "b"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.say(source, "Film", films=[(mp4(), "Ord")])
        w.read(source)
        with monkeypatch.context() as patch:
            patch.setattr(type(w.store), "sending", crash)
            with pytest.raises(KeyboardInterrupt):
                w.deliver(target)
        before = uploads(w, target)
        w.restart()
        w.rest()
        assert w.texts(target) == ["Film"]
        assert uploads(w, target) == before


def crash(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("target", ["m", "x"])
def test_a_crash_while_it_is_processed_uploads_once(tmp_path: Path, target: str) -> None:
    with world(tmp_path, f"one: {{from: b, to: {target}}}") as w:
        w.turn()
        slow_down(w, target, timedelta(seconds=90))
        w.say("b", "Film", films=[(mp4(), "Ord")])
        w.turn()
        w.restart()
        w.rest()
        assert w.texts(target) == ["Film"]
        assert uploads(w, target) == 1


def test_an_upload_that_may_be_forgotten_is_made_anew(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m}") as w:
        w.turn()
        w.say("b", "Film", films=[(mp4(), "Ord")])
        w.networks["mastodon"].faults.append(
            Fault("answer", "GET /api/v1/accounts/:id/statuses", status=503)
        )
        w.turn()
        assert w.texts("m") == []
        w.networks["mastodon"]._server.media.clear()
        w.clock.advance(minutes=31)
        w.rest()
        assert w.texts("m") == ["Film"]
        assert uploads(w, "m") == 2
        assert w.requests("mastodon")["POST /api/v1/statuses"] == 1


def test_a_post_that_is_refused_again_and_again_ends(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m}") as w:
        w.turn()
        slow_down(w, "m", timedelta(seconds=20))
        w.say("b", "Film", films=[(mp4(), "Ord")])
        w.networks["mastodon"].faults.append(
            Fault("answer", "POST /api/v1/statuses", status=422, times=99)
        )
        w.rest(12)
        assert draft(w).state == "dead"
        assert uploads(w, "m") <= 5


@pytest.mark.parametrize(("source", "target"), [("m", "b"), ("b", "m")])
def test_what_is_too_heavy_is_known_before_it_is_downloaded(
    tmp_path: Path, source: str, target: str
) -> None:
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.networks["mastodon"]._server.video_bytes = 5000 if target == "m" else 90_000_000
        w.turn()
        limit = 5000 if target == "m" else 50 * 1024 * 1024
        w.say(source, "Film", films=[(mp4(padding=limit), "Ord")])
        w.rest()
        (copy,) = w.copies(target)
        assert copy.text.startswith("Film")
        assert len(copy.links) == 1
        assert f"has more than {limit} bytes" in losses(w)[0]
        assert uploads(w, target) == (target == "b")  # the poster


def test_what_a_server_finds_too_heavy_goes_out_with_poster_and_link(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.networks["bluesky"].blob_limit = 5000
        w.turn()
        w.say("m", "Film " + "lang " * 57, films=[(mp4(padding=6000), "Ord")])
        w.rest()
        (copy,) = w.copies("b")
        assert copy.raw["embed"]["$type"] == "app.bsky.embed.images"
        assert copy.text.startswith("Film lang")
        assert "…" in copy.text
        assert copy.links == (w.networks["mastodon"].journal[0].raw["url"],)
        assert [d for d in losses(w) if "413" in d or "cut off" in d] == losses(w)


def test_a_video_goes_with_the_first_part_of_a_thread(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Ord på ord. " * 35, films=[(mp4(), "Ord")])
        w.rest()
        first, second = w.copies("b")
        assert first.raw["embed"]["$type"] == "app.bsky.embed.video"
        assert "embed" not in second.raw


def test_a_video_that_is_gone_is_held(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Film", films=[(mp4(), "Ord")])
        w.networks["mastodon"]._server.files.clear()
        w.rest()
        assert (draft(w).state, draft(w).error) == (
            "held",
            "the video is gone from its network (404)",
        )


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Film", films=[(mp4(), "Ord")])
        with monkeypatch.context() as patch:
            patch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1024))
            w.rest()
            assert draft(w).state == "queued"
            assert "a video on its way cannot be kept there (No space left" in draft(w).error
        w.clock.advance(minutes=10)
        w.rest()
        assert w.texts("b") == ["Film"]


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        before = set(w.config.state.file.parent.iterdir())
        w.say("m", "Film", films=[(mp4(), "Ord")])
        w.rest()
        assert w.texts("b") == ["Film"]
        assert set(w.config.state.file.parent.iterdir()) == before


def test_where_ffmpeg_is_installed_a_sound_becomes_a_video(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ffmpeg, "is_installed", lambda: True)

    def convert(source: Any, made: Any, *_: Any, sound: bool) -> None:
        assert sound
        source.seek(0)
        assert source.read() == mp3()
        made.write(mp4(4))

    monkeypatch.setattr(ffmpeg, "convert", convert)
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Hør her", films=[(mp3(), "En foss")])
        w.rest()
        (copy,) = w.copies("b")
        assert (copy.text, copy.alts) == ("Hør her", ("En foss",))
        assert bytes_on(w, "b") == [mp4(4)]
        assert losses(w) == ["the sound was converted"]


def test_a_poster_that_cannot_be_had_keeps_nothing_back(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Hele turen", films=[(mp4(400), "Fra båten")])
        w.networks["mastodon"]._server.files.clear()
        w.rest()
        (copy,) = w.copies("b")
        assert copy.text.startswith("Hele turen")
        assert "embed" not in copy.raw
        assert losses(w)[1:] == ["the poster of a video could not be had"]


def test_a_video_waits_for_its_description_where_the_bot_asks_for_one(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b, alt_text: required}") as w:
        w.turn()
        w.say("m", "Hele turen", films=[(mp4(400), "")])
        w.rest()
        assert w.texts("b") == []
        (attachment,) = w.networks["mastodon"]._server.media.values()
        attachment.entity["description"] = "Fra båten"
        w.clock.advance(hours=1)
        w.rest()
        (copy,) = w.copies("b")
        assert copy.alts == ("Fra båten",)


@pytest.mark.parametrize("fails", [False, True])
def test_where_ffmpeg_is_installed_an_animated_image_moves_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    monkeypatch.setattr(ffmpeg, "is_installed", lambda: True)

    def convert(source: Any, made: Any, *_: Any, **__: Any) -> None:
        if fails:
            raise Refused("ffmpeg cannot convert it (no)")
        made.write(mp4(2, sound=False))

    monkeypatch.setattr(ffmpeg, "convert", convert)
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Katten", images=[(moving(), "En katt som snurrer")])
        w.rest()
        (copy,) = w.copies("b")
        assert copy.alts == ("En katt som snurrer",)
        assert bytes_on(w, "b") == ([] if fails else [mp4(2, sound=False)])
        assert copy.raw["embed"]["$type"].endswith("images" if fails else "video")
        assert copy.raw["embed"].get("presentation", "") == ("" if fails else "gif")


def moving() -> bytes:
    """A GIF of two frames."""
    out = io.BytesIO()
    frames = [Image.new("RGB", (40, 30), color) for color in ("red", "teal")]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:], duration=300)
    return out.getvalue()
