"""What is promised of images: on servers that forget them, fail on them or lead elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from bridge import outcome
from bridge.simulation import Fault
from tests.test_mirroring import WRITES, png
from tests.test_promises_delivery import states
from tests.world import World, world

FORGET: dict[str, Callable[[World], None]] = {
    "m": lambda w: w.networks["mastodon"]._server.media.clear(),
    "b": lambda w: w.networks["bluesky"].forget_blobs("anna.test"),
    "x": lambda w: w.networks["twitter"]._files._files.clear(),
}


@pytest.mark.parametrize(("wait", "writes"), [(60, 3), (3600, 2)])
@pytest.mark.parametrize("target", ["m", "b", "x"])
def test_images_that_the_server_forgot_are_uploaded_again(
    tmp_path: Path, target: str, wait: int, writes: int
) -> None:
    source = "m" if target == "b" else "b"
    with world(tmp_path, f"one: {{from: {source}, to: {target}}}") as w:
        w.turn()
        w.simulator(target).faults = [
            Fault("answer", match=WRITES[target], status=429, headers={"retry-after": str(wait)})
        ]
        w.say(source, "Mit Bild", images=[(png(), "Der Hafen")])
        w.turn()
        FORGET[target](w)
        w.clock.advance(seconds=wait)
        w.rest(3)
        assert [(c.text, c.alts) for c in w.copies(target)] == [("Mit Bild", ("Der Hafen",))]
        # after a long wait they are not even tried
        assert w.simulator(target).requests[WRITES[target]] == writes


def test_a_look_at_an_image_in_processing_may_fail(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m}") as w:
        w.networks["mastodon"]._server.processing = timedelta(seconds=20)
        w.turn()
        w.say("b", "Tåke over fjorden", images=[(png(), "Tåke")])
        w.simulator("m").faults = [Fault("drop_before", match="GET /api/v1/media")]
        w.rest(4)
        assert [(c.text, c.alts) for c in w.copies("m")] == [("Tåke over fjorden", ("Tåke",))]


def test_an_image_that_cannot_be_downloaded_is_asked_for_ever_more_rarely(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Med bilde", images=[(png(), "Et bilde")])
        w.say("m", "Uten bilde")
        w.simulator("m").faults = [Fault("answer", match="GET /media", status=503, times=10_000)]
        w.turn()
        assert w.texts("b") == ["Uten bilde"]
        for _ in range(240):
            w.clock.advance(seconds=15)
            w.deliver("b")
        asked = sum(n for kind, n in w.requests("mastodon").items() if "GET /media" in kind)
        assert 5 <= asked < 20
        w.simulator("m").faults = []
        w.clock.advance(minutes=40)
        w.deliver("b")
        assert w.texts("b") == ["Uten bilde", "Med bilde"]


def test_an_upload_that_always_fails_keeps_nothing_else_back(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: b, to: m, max_age: 30d}") as w:
        w.turn()
        w.simulator("m").faults = [
            Fault("answer", match="POST /api/v2/media", status=500, times=10_000)
        ]
        w.say("b", "Med bilde", images=[(png(), "Et bilde")])
        w.say("b", "Uten bilde")
        w.turn()
        assert w.texts("m") == ["Uten bilde"]
        for _ in range(outcome.LAST_MEDIA_FAILURE + 1):
            w.clock.advance(minutes=40)
            w.deliver("m")
        assert states(w, "m") == ["held", "sent"]


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize(
    "address",
    ["http://[", "http://[::1", "http://host:port/x", "http://\x00/", "http://127.0.0.1:99999999/"],
)
def test_an_image_at_no_address_keeps_nothing_else_back(
    tmp_path: Path, address: str, *, moved: bool
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        server = w.simulator("m")
        w.say("m", "Med bilde", images=[(png(), "Et bilde")])
        w.say("m", "Uten bilde")
        if moved:
            header = {"Location": address}
            server.faults = [
                Fault("answer", match="GET /media", status=302, headers=header, times=99)
            ]
        else:
            for attachment in server._server.media.values():
                attachment.entity["url"] = address
        w.turn()
        assert w.texts("b") == ["Uten bilde"]
        assert states(w, "b")[0] in ("queued", "held")


@pytest.mark.parametrize("moved", [False, True])
def test_only_the_host_of_the_account_that_posted_is_asked_on_a_private_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, moved: bool
) -> None:
    with world(tmp_path, "one: {from: m, to: b}") as w:
        w.turn()
        w.say("m", "Von der eigenen Seite", images=[(png(), "Eigenes")])
        w.rest(1)
        assert [copy.alts for copy in w.copies("b")] == [("Eigenes",)]
        server, elsewhere = w.simulator("m"), w.simulator("x").url + "/intern.png"
        w.say("m", "Vom Nachbarn", images=[(png(), "Fremdes")])
        if moved:
            server.faults = [
                Fault("answer", match="GET /media", status=302, headers={"Location": elsewhere})
            ]
        else:
            for attachment in server._server.media.values():
                attachment.entity["url"] = elsewhere
        before = w.requests("twitter")
        w.turn()
        assert w.requests("twitter") == before
        assert len(w.copies("b")) == 1
        assert states(w, "b") == ["sent", "queued"]
