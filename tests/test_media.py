from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image

from bridge import media
from bridge.network import Limits, Refused, Unreachable
from bridge.post import Media
from bridge.simulation import Request, Response, Simulator

LIMITS = Limits((), 4, 60_000, 1_000_000, frozenset({"image/jpeg", "image/png"}), 1000)
ITEM = Media("image", "http://127.0.0.1/x", "En beskrivelse")


def encoded(form: str = "JPEG", size: tuple[int, int] = (80, 60), **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, "teal").save(out, form, **more)
    return out.getvalue()


def noise(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.effect_noise(size, 90).convert("RGB").save(out, "PNG")
    return out.getvalue()


def test_an_image_that_fits_is_passed_on_untouched() -> None:
    data = encoded("PNG")
    upload = media.fit(ITEM, data, LIMITS)
    assert (upload.data, upload.mime) == (data, "image/png")
    assert (upload.width, upload.height, upload.alt) == (80, 60, "En beskrivelse")


def test_where_it_was_taken_is_taken_out_and_it_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (60.0, 23.0, 0.0)
    upload = media.fit(ITEM, encoded("JPEG", exif=exif), LIMITS)
    with Image.open(io.BytesIO(upload.data)) as image:
        assert image.size == (60, 80) == (upload.width, upload.height)
        assert dict(image.getexif()) == {}
        assert b"Exif" not in upload.data


def test_a_type_that_the_target_does_not_take_is_converted() -> None:
    upload = media.fit(ITEM, encoded("WEBP"), LIMITS)
    assert upload.mime == "image/jpeg"
    with Image.open(io.BytesIO(upload.data)) as image:
        assert (image.format, image.size) == ("JPEG", (80, 60))


def test_an_image_that_is_too_heavy_is_made_lighter_with_its_shape_kept() -> None:
    upload = media.fit(ITEM, noise((900, 600)), LIMITS)
    assert len(upload.data) <= LIMITS.image_bytes
    assert upload.width / upload.height == pytest.approx(1.5, rel=0.02)


def test_an_image_with_too_many_pixels_is_made_smaller() -> None:
    upload = media.fit(ITEM, encoded("PNG", (3000, 1000)), LIMITS)
    assert upload.width * upload.height <= LIMITS.image_pixels


def test_transparency_survives() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "WEBP", lossless=True)
    upload = media.fit(ITEM, out.getvalue(), LIMITS)
    assert upload.mime == "image/png"
    with Image.open(io.BytesIO(upload.data)) as image:
        assert image.convert("RGBA").getpixel((5, 5)) == (0, 0, 0, 0)


@pytest.mark.parametrize("data", [b"", b"<html>", encoded("PNG")[:40], b"\x89PNG" * 30])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="cannot be read as an image"):
        media.fit(ITEM, data, LIMITS)


def test_a_decompression_bomb_is_refused_unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Refused, match="cannot be read as an image"):
        media.fit(ITEM, encoded("PNG", (200, 200)), LIMITS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(media, "MAX_PIXELS", 1000)
    with pytest.raises(Refused, match="too large to open"):
        media.fit(ITEM, encoded("PNG", (200, 200)), LIMITS)


class Files(Simulator):
    """A place where images lie, or do not."""

    def handle(self, request: Request) -> Response:
        match request.path:
            case "/there":
                return Response(200, b"the bytes")
            case "/moved":
                return Response(302, "", {"Location": "/there"})
            case "/round":
                return Response(302, "", {"Location": "/round"})
            case "/gone":
                return Response(404, "")
        return Response(503, "")


@pytest.fixture
def files() -> Iterator[Files]:
    server = Files()
    server.start()
    yield server
    server.stop()


def fetch(files: Files, path: str, *, own: bool = True) -> bytes:
    own_host = files.url.removeprefix("http://") if own else "127.0.0.1:1"
    return media.fetch(Media("image", files.url + path), own_host=own_host)


def test_images_are_downloaded_also_from_where_they_moved(files: Files) -> None:
    assert fetch(files, "/there") == b"the bytes"
    assert fetch(files, "/moved") == b"the bytes"


def test_an_image_that_is_gone_is_refused_and_one_that_may_come_is_waited_for(
    files: Files,
) -> None:
    with pytest.raises(Refused):
        fetch(files, "/gone")
    for path in ("/busy", "/round"):
        with pytest.raises(Unreachable):
            fetch(files, path)


def test_addresses_of_this_machine_are_refused_unless_the_account_lives_at_that_very_one(
    files: Files,
) -> None:
    with pytest.raises(Unreachable, match="not a public one"):
        fetch(files, "/there", own=False)
    assert not files.requests
