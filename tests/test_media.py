from __future__ import annotations

import gzip
import io
import random
import socket
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from PIL import Image

from bridge import images, media, wire
from bridge.network import Animation, Limits, Refused, Unreachable
from bridge.post import Media
from bridge.simulation import Fault, Request, Response, Simulator
from tests.waiting import troubled_by

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
    upload = images.fit(ITEM, data, LIMITS)
    assert (upload.data, upload.mime) == (data, "image/png")
    assert (upload.width, upload.height, upload.alt) == (80, 60, "En beskrivelse")


def test_where_it_was_taken_is_taken_out_and_it_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[2] = (60.0, 23.0, 0.0)
    upload = images.fit(ITEM, encoded("JPEG", exif=exif), LIMITS)
    with Image.open(io.BytesIO(upload.data)) as image:
        assert image.size == (60, 80) == (upload.width, upload.height)
        assert dict(image.getexif()) == {}
        assert b"Exif" not in upload.data


def test_a_type_that_the_target_does_not_take_is_converted() -> None:
    upload = images.fit(ITEM, encoded("WEBP"), LIMITS)
    assert upload.mime == "image/jpeg"
    with Image.open(io.BytesIO(upload.data)) as image:
        assert (image.format, image.size) == ("JPEG", (80, 60))


def test_an_image_that_is_too_heavy_is_made_lighter_with_its_shape_kept() -> None:
    upload = images.fit(ITEM, noise((900, 600)), LIMITS)
    assert len(upload.data) <= LIMITS.image_bytes
    assert upload.width / upload.height == pytest.approx(1.5, rel=0.02)


def test_an_image_with_too_many_pixels_is_made_smaller() -> None:
    upload = images.fit(ITEM, encoded("PNG", (3000, 1000)), LIMITS)
    assert upload.width * upload.height <= LIMITS.image_pixels


def test_transparency_survives() -> None:
    out = io.BytesIO()
    Image.new("RGBA", (20, 20), (0, 0, 0, 0)).save(out, "WEBP", lossless=True)
    upload = images.fit(ITEM, out.getvalue(), LIMITS)
    assert upload.mime == "image/png"
    with Image.open(io.BytesIO(upload.data)) as image:
        assert image.convert("RGBA").getpixel((5, 5)) == (0, 0, 0, 0)


@pytest.mark.parametrize("data", [b"", b"<html>", encoded("PNG")[:40], b"\x89PNG" * 30])
def test_what_is_no_image_is_refused(data: bytes) -> None:
    with pytest.raises(Refused, match="cannot be read as an image"):
        images.fit(ITEM, data, LIMITS)


def test_a_decompression_bomb_is_refused_unopened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(Refused, match="cannot be read as an image"):
        images.fit(ITEM, encoded("PNG", (200, 200)), LIMITS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    monkeypatch.setattr(images, "MAX_PIXELS", 1000)
    with pytest.raises(Refused, match="too large to open"):
        images.fit(ITEM, encoded("PNG", (200, 200)), LIMITS)


def chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, *chunks: bytes, rows: int = 0) -> bytes:
    """A grey PNG that claims a size, whatever is in it; `rows` of it are there."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    packed = zlib.compress(bytes(width + 1) * rows, 9)
    return (
        b"\x89PNG\r\n\x1a\n"
        + head
        + b"".join(chunks)
        + chunk(b"IDAT", packed)
        + chunk(b"IEND", b"")
    )


def gif(frames: int, size: tuple[int, int] = (2000, 2000)) -> bytes:
    """An animation that has so many frames of one dot each on a large canvas."""
    frame = b"\x21\xf9\x04\x00\x01\x00\x00\x00\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0)
    frame += b"\x02\x02\x44\x01\x00"
    head = b"GIF89a" + struct.pack("<HHBBB", *size, 0x80, 0, 0) + bytes((0, 0, 0, 255, 255, 255))
    return head + frame * frames + b"\x3b"


def apng(frames: int) -> bytes:
    """An animation that claims so many frames of 1000 by 1000."""
    return png(1000, 1000, chunk(b"acTL", struct.pack(">II", frames, 0)), rows=1000)


BOMBS = {
    "wide": png(2**31 - 1, 1),
    "huge": png(100_000, 100_000),
    "a gigabyte of nothing in a small file": png(30_000, 30_000, rows=300),
    "just over": png(7_100, 7_100),
    "text that unpacks to 64 MB": png(
        10, 10, chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(64 * 1024 * 1024), 9)), rows=10
    ),
    "an animation of 400 frames of 4 million pixels": gif(400),
    "an animation of a billion frames": apng(10**9),
}


@pytest.mark.parametrize("name", BOMBS)
def test_image_bombs_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(BOMBS[name]) < 100_000
    opened: list[tuple[int, int]] = []
    whole = Image.Image.convert

    def convert(image: Image.Image, *args: Any, **more: Any) -> Any:
        opened.append(image.size)
        return whole(image, *args, **more)

    monkeypatch.setattr(Image.Image, "convert", convert)
    with pytest.raises(Refused, match="too large to open|cannot be read as an image"):
        images.fit(ITEM, BOMBS[name], LIMITS)
    assert opened == []


def test_an_animation_that_people_post_is_no_bomb() -> None:
    types = frozenset({"image/gif"})
    gifs = Limits((), 4, 60_000, 5_000_000, types, 1000, animation=Animation(types, 60_000))
    data = gif(100)
    assert images.fit(ITEM, data, gifs).data == data


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_file_that_ends_early_is_refused_and_never_passed_on_or_repaired(form: str) -> None:
    out = io.BytesIO()
    Image.effect_noise((64, 64), 90).convert("RGB").save(out, form)
    data = out.getvalue()
    for share in (0.02, 0.1, 0.5, 0.9):
        with pytest.raises(Refused):
            images.fit(ITEM, data[: int(len(data) * share)], LIMITS)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_damaged_file_is_fitted_or_refused_and_nothing_else(form: str) -> None:
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    luck = random.Random(seed)
    data = encoded(form, (40, 30))
    for _ in range(200):
        broken = bytearray(data)
        for _ in range(luck.randint(1, 8)):
            broken[luck.randrange(len(broken))] = luck.randrange(256)
        with suppress(Refused):
            images.fit(ITEM, bytes(broken), LIMITS)


@pytest.mark.parametrize(
    "data",
    [
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n",
        encoded("BMP"),
        encoded("TIFF"),
        encoded("PPM"),
    ],
)
def test_formats_that_no_network_serves_are_not_opened(data: bytes) -> None:
    with pytest.raises(Refused, match="of no known kind"):
        images.fit(ITEM, data, LIMITS)


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
            case "/inside":
                return Response(302, "", {"Location": request.get("to")})
            case "/packed":
                packed = gzip.compress(bytes(80 * 1024 * 1024), 9)
                return Response(200, packed, {"Content-Encoding": "gzip"})
            case "/long":
                return Response(200, bytes(media.MAX_DOWNLOAD + 1))
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
    own_host = files.url[len("http://") :] if own else "127.0.0.1:1"
    return media.fetch(Media("image", files.url + path), own_host=own_host)


def test_images_are_downloaded_also_from_where_they_moved(files: Files) -> None:
    assert fetch(files, "/there") == b"the bytes"
    assert fetch(files, "/moved") == b"the bytes"
    files.url = files.url.replace("http", "HTTP")
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


def resolve_to(monkeypatch: pytest.MonkeyPatch, address: str, port: int) -> list[str]:
    """Have every name resolve to one address; the names that were asked for."""
    asked: list[str] = []

    def getaddrinfo(host: Any, _port: Any, *_args: Any, **_more: Any) -> list[Any]:
        asked.append(str(host))
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def test_a_name_is_judged_by_the_address_that_it_leads_to(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = resolve_to(monkeypatch, "127.0.0.1", port_of(files))
    url = f"http://pictures.example:{port_of(files)}/there"
    for own_host in ("mastodon.example", "pictures.example", f"pictures.example:{port_of(files)}"):
        with pytest.raises(Unreachable, match="not a public one"):
            media.fetch(Media("image", url), own_host=own_host)
    assert set(asked) == {"pictures.example"}
    assert not files.requests


def port_of(files: Files) -> int:
    return int(files.url.rpartition(":")[2])


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "017700000001",
        "0x7f000001",
        "127.1",
        "0.0.0.0",
        "0",
        "localhost",
        "127.0.0.2",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "127.0.0.1.",
        "127。0。0。1",
        "anna:word@127.0.0.1",
    ],
)
def test_this_machine_is_known_however_it_is_written(files: Files, host: str) -> None:
    port = port_of(files)
    for own_host in ("mastodon.example", f"127.0.0.1:{port}"):
        for url in (
            f"http://{host}:{port}/there",
            f"{files.url}/inside?to=http://{host}:{port}/there",
        ):
            if files.url in url and own_host == "mastodon.example":
                continue
            with pytest.raises((Unreachable, Refused)):
                media.fetch(Media("image", url), own_host=own_host)
    assert files.requests["GET /there"] == 0


def test_an_account_on_this_machine_is_let_through_to_its_own_server_alone(files: Files) -> None:
    other = Files()
    other.start()
    moved = f"{files.url}/inside?to={other.url}/there"
    with pytest.raises(Unreachable, match="not a public one"):
        media.fetch(Media("image", moved), own_host=files.url.removeprefix("http://"))
    other.stop()
    assert not other.requests


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.7",
        "172.16.5.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:10.0.0.7",
        "::ffff:169.254.169.254",
        "2002:7f00:1::",
        "64:ff9b::a00:7",
        "2001:db8::1",
    ],
)
def test_addresses_that_are_not_of_the_public_internet(address: str) -> None:
    assert not wire.is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.215.14", "2606:4700::1111", "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"]
)
def test_addresses_that_are(address: str) -> None:
    assert wire.is_public(address)


@pytest.mark.parametrize(
    "to",
    ["file:///etc/passwd", "ftp://files.example/x", "gopher://x.example/", "http://[::1", "//"],
)
def test_only_web_addresses_are_followed(files: Files, to: str) -> None:
    with pytest.raises((Refused, Unreachable)):
        fetch(files, f"/inside?to={to}")


def test_bytes_are_limited_also_after_unpacking(files: Files) -> None:
    for path in ("/long", "/packed"):
        with pytest.raises(Unreachable, match="longer than"):
            fetch(files, path)


def test_time_is_limited_over_all_redirects_together(
    files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[float | None] = []
    whole = wire.send

    def send(*args: Any, **more: Any) -> wire.Answer:
        with wire.deadline(more["seconds"]):
            ends.append(wire._deadline.get())
        return whole(*args, **more)

    monkeypatch.setattr(wire, "send", send)
    fetch(files, "/moved")
    assert len(ends) == 2
    assert len(set(ends)) == 1


def test_a_download_that_trickles_is_given_up(files: Files) -> None:
    with (
        troubled_by(Fault("trickle"), files),
        pytest.raises(Unreachable, match="the answer did not end in time"),
    ):
        fetch(files, "/there")
