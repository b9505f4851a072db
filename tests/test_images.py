"""Real files, made here: what becomes of them on their way to a target."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms, ImageDraw, PngImagePlugin

from bridge import images, metadata
from bridge.network import Animation, Limits, Refused
from bridge.post import Media
from bridge.store import Store
from tests.world import world

ALL = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
LIMITS = Limits((), 4, 2_000_000, 16_000_000, ALL, 2000)
MOVING = replace(LIMITS, animation=Animation(frozenset({"image/gif"}), 2_000_000))
ITEM = Media("image", "http://127.0.0.1/x", "Möwen über dem Hafen", focus=(0.5, -0.25))
SECRET = b"59.9139N 10.7522E"


def scene(size: tuple[int, int] = (240, 160), mode: str = "RGB") -> Image.Image:
    """Red at the top left, blue at the bottom right, so that every turn shows."""
    image = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, size[0] // 2, size[1] // 2), fill="red")
    draw.rectangle((size[0] // 2, size[1] // 2, *size), fill="blue")
    return image.convert(mode)


def file(image: Image.Image, form: str = "JPEG", **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **more)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def noise(size: tuple[int, int]) -> Image.Image:
    parts = [Image.effect_noise(size, 90) for _ in range(3)]
    return Image.merge("RGB", parts)


def gps(orientation: int = 1) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[1] = "N"
    exif.get_ifd(0x8825)[2] = (59.0, 54.0, 50.0)
    return exif


def moving(form: str, frames: int = 5) -> bytes:
    steps = [Image.new("RGB", (60, 40), (40 * n, 90, 200)) for n in range(frames)]
    return file(steps[0], form, save_all=True, append_images=steps[1:], duration=100, loop=0)


# what no file may tell


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(orientation: int) -> None:
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    shown = scene()
    stored = shown.transpose(turns[orientation]) if orientation > 1 else shown
    for form in ("JPEG", "PNG", "WEBP"):
        upload = images.fit(ITEM, file(stored, form, exif=gps(orientation)), LIMITS)
        made = opened(upload.data).convert("RGB")
        assert made.size == (240, 160) == (upload.width, upload.height)
        top: Any = made.getpixel((20, 20))
        bottom: Any = made.getpixel((220, 140))
        assert top[0] > 200 > 60 > top[2]
        assert bottom[2] > 200 > 60 > bottom[0]
        assert not made.getexif()
        assert SECRET not in upload.data
        # as a photograph, where it cannot be told what it was
        assert bool(upload.losses) == (form == "WEBP" and orientation > 1)


def told(form: str) -> bytes:
    """A file that tells what it can, in every way that its format has."""
    image = scene()
    match form:
        case "JPEG":
            data = file(image, form, exif=gps(), xmp=b"<x:xmpmeta>" + SECRET, comment=SECRET)
            iptc = b"Photoshop 3.0\0" + SECRET
            segment = b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc
            return data[:2] + segment + data[2:] + b"film" + SECRET
        case "PNG":
            info = PngImagePlugin.PngInfo()
            info.add_text("Comment", SECRET.decode())
            info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
            info.add_text("Raw profile type exif", SECRET.decode(), zip=False)
            return file(image, form, exif=gps(), pnginfo=info) + SECRET
        case "WEBP":
            return file(image, form, exif=gps(), xmp=SECRET) + SECRET
    return file(image, "GIF", comment=SECRET) + SECRET


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF"])
def test_where_it_was_taken_is_taken_out_and_no_pixel_changes(form: str) -> None:
    data = told(form)
    assert SECRET in data
    upload = images.fit(ITEM, data, LIMITS)
    assert SECRET not in upload.data
    assert b"Exif" not in upload.data
    assert b"xmp" not in upload.data.lower()
    assert upload.mime == f"image/{form.lower()}"
    before, after = opened(data), opened(upload.data)
    assert not after.getexif()
    assert before.convert("RGB").tobytes() == after.convert("RGB").tobytes()
    assert upload.losses == ()


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_without_metadata_is_the_same_to_the_byte(progressive: bool) -> None:
    data = file(noise((200, 150)), "JPEG", quality=90, progressive=progressive)
    assert images.fit(ITEM, data, LIMITS).data == data


def test_what_needs_another_format_has_no_metadata_either() -> None:
    jpegs = replace(LIMITS, image_types=frozenset({"image/jpeg"}))
    upload = images.fit(ITEM, told("PNG"), jpegs)
    assert SECRET not in upload.data
    assert upload.mime == "image/jpeg"
    assert upload.losses[0].detail == "an image was sent as JPEG of 240 x 160 pixels and quality 95"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "GIF"])
def test_stripping_a_file_that_ends_early_fails(form: str) -> None:
    data = file(scene(), form)
    for end in (0, 1, 8, 13, 20, len(data) // 2, len(data) - 1):
        with pytest.raises((ValueError, IndexError, struct.error)):
            metadata.strip(data[:end], form)


# colours


def test_cmyk_becomes_rgb_since_browsers_show_it_wrong() -> None:
    upload = images.fit(ITEM, file(scene(mode="CMYK")), LIMITS)
    made = opened(upload.data)
    assert made.mode == "RGB"
    top: Any = made.getpixel((20, 20))
    assert top[0] > 200 > 60 > top[2]


def test_sixteen_bits_of_grey_keep_their_light_half() -> None:
    image = Image.new("I;16", (64, 64), 50_000)
    small = replace(LIMITS, image_pixels=1024)
    for limits in (LIMITS, small):
        made = opened(images.fit(ITEM, file(image, "PNG"), limits).data)
        value: Any = made.convert("I").getpixel((5, 5))
        assert value in (50_000, 194, 195)


def test_a_colour_profile_is_kept_with_the_pixels_and_gone_when_they_change() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = file(scene(), "JPEG", icc_profile=srgb)
    kept = images.fit(ITEM, data, LIMITS)
    assert opened(kept.data).info["icc_profile"] == srgb
    changed = images.fit(ITEM, data, replace(LIMITS, image_pixels=10_000))
    assert "icc_profile" not in opened(changed.data).info
    top: Any = opened(changed.data).getpixel((5, 5))
    assert top[0] > 240 > 20 > top[1]


def test_pixels_of_another_profile_are_converted() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    # a profile by which red is blue and blue is red
    profile = srgb.replace(b"rXYZ", b"....").replace(b"bXYZ", b"rXYZ").replace(b"....", b"bXYZ")
    small = replace(LIMITS, image_pixels=10_000)
    for mode, form in (("RGB", "JPEG"), ("RGBA", "PNG")):
        data = file(scene(mode=mode), form, icc_profile=profile)
        top: Any = opened(images.fit(ITEM, data, small).data).getpixel((5, 5))
        assert top[2] > 200 > 60 > top[0]
    for bad in (
        b"no profile at all",
        ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes(),
    ):
        data = file(scene(), "PNG", icc_profile=bad)
        top = opened(images.fit(ITEM, data, small).data).getpixel((5, 5))
        assert top[0] > 200 > 60 > top[2]


def test_a_palette_with_a_transparent_colour_stays_transparent() -> None:
    image = scene(mode="P")
    corner: Any = image.getpixel((0, 0))
    data = file(image, "PNG", transparency=corner)
    for limits in (LIMITS, replace(LIMITS, image_pixels=9_000)):
        made = opened(images.fit(ITEM, data, limits).data).convert("RGBA")
        first: Any = made.getpixel((2, 2))
        last: Any = made.getpixel((made.width - 3, made.height - 3))
        assert (first[3], last[3]) == (0, 255)


# the best that fits


def test_a_heavy_photograph_keeps_its_size_at_the_highest_quality_that_fits() -> None:
    data = file(noise((900, 600)), "JPEG", quality=97)
    limits = replace(LIMITS, image_bytes=len(data) * 6 // 10)
    upload = images.fit(ITEM, data, limits)
    assert (upload.width, upload.height) == (900, 600)
    assert len(upload.data) <= limits.image_bytes
    quality = int(upload.losses[0].detail.rpartition(" ")[2])
    assert images.LEAST <= quality < images.BEST
    finer = images._draw(opened(data), "JPEG", 1.0, quality + 1)
    assert len(finer.data) > limits.image_bytes


@pytest.mark.parametrize("share", [0.3, 0.1, 0.03, 0.005])
def test_where_quality_is_not_enough_it_is_as_large_as_fits(share: float) -> None:
    data = file(noise((900, 600)), "JPEG", quality=95)
    limits = replace(LIMITS, image_bytes=int(len(data) * share))
    upload = images.fit(ITEM, data, limits)
    assert len(upload.data) <= limits.image_bytes
    assert upload.width / upload.height == pytest.approx(1.5, rel=0.05)
    assert len(upload.data) > 0.85 * limits.image_bytes
    assert f"{upload.width} x {upload.height} pixels" in upload.losses[0].detail


def test_a_huge_image_is_bound_by_pixels_and_a_tiny_or_thin_one_is_left_alone() -> None:
    wide = images.fit(ITEM, file(Image.new("RGB", (9000, 5000), "teal")), LIMITS)
    assert 15_000_000 < wide.width * wide.height <= LIMITS.image_pixels
    for size in ((1, 1), (1, 5000), (5000, 1)):
        for form in ("JPEG", "PNG", "WEBP", "GIF"):
            upload = images.fit(ITEM, file(Image.new("RGB", size, "teal"), form), LIMITS)
            assert (upload.width, upload.height, upload.losses) == (*size, ())
    thin = images.fit(
        ITEM, file(Image.new("RGB", (1, 5000), "teal")), replace(LIMITS, image_pixels=99)
    )
    assert thin.width == 1
    assert thin.width * thin.height <= 5000


def test_an_image_that_nothing_makes_small_enough_is_refused() -> None:
    with pytest.raises(Refused, match="cannot be made smaller than 100 bytes"):
        images.fit(ITEM, file(noise((300, 300))), replace(LIMITS, image_bytes=100))


@pytest.mark.parametrize(
    ("types", "mime"), [(ALL, "image/webp"), (frozenset({"image/png", "image/jpeg"}), "image/png")]
)
def test_a_heavy_transparent_image_stays_transparent(types: frozenset[str], mime: str) -> None:
    image = noise((300, 300)).convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 0, 150, 150))
    limits = replace(LIMITS, image_types=types, image_bytes=60_000)
    upload = images.fit(ITEM, file(image, "PNG"), limits)
    assert (upload.mime, len(upload.data) <= 60_000) == (mime, True)
    corner: Any = opened(upload.data).convert("RGBA").getpixel((5, 5))
    assert corner[3] == 0


def test_a_drawing_that_is_only_too_large_stays_free_of_loss() -> None:
    upload = images.fit(ITEM, file(scene((2000, 1500)), "PNG"), replace(LIMITS, image_pixels=10**6))
    assert upload.mime == "image/png"


def test_the_search_draws_a_bounded_number_of_times_and_ends_when_its_time_is_up() -> None:
    drawn: list[tuple[float, int]] = []

    def draw(scale: float, quality: int) -> images._Made:
        drawn.append((scale, quality))
        return images._Made("JPEG", bytes(int(10**7 * scale**2 * quality / 95)), 1, 1, quality)

    for most in (10**7, 9_000_000, 3_000_000, 100_000, 1):
        drawn.clear()
        found = images._search(draw, most)
        assert found is not None
        assert len(found.data) <= most
        assert len(drawn) <= 15
    ticks = iter(range(0, 10_000, 30))
    drawn.clear()
    assert images._search(draw, 9_000_000, clock=lambda: next(ticks)) is not None
    assert len(drawn) == 2


# animations


@pytest.mark.parametrize("form", ["GIF", "WEBP", "PNG"])
def test_of_an_animation_the_first_frame_is_left_where_the_target_shows_none(form: str) -> None:
    upload = images.fit(ITEM, moving(form), LIMITS)
    made = opened(upload.data)
    assert getattr(made, "n_frames", 1) == 1
    first: Any = made.convert("RGB").getpixel((5, 5))
    assert first[0] < 20
    assert upload.losses[0].detail == "of an animation only the first frame was taken"
    assert not upload.animated


def test_an_animation_goes_on_whole_where_the_target_shows_it() -> None:
    data = moving("GIF", 7)
    upload = images.fit(ITEM, data[:-1] + b"\x21\xfe\x11" + SECRET + b"\0\x3b", MOVING)
    assert (upload.animated, upload.losses, upload.mime) == (True, (), "image/gif")
    assert SECRET not in upload.data
    assert getattr(opened(upload.data), "n_frames", 1) == 7
    assert opened(upload.data).info["loop"] == 0


LESS: dict[str, Callable[[Animation], Animation]] = {
    "bytes": lambda a: replace(a, bytes=100),
    "width": lambda a: replace(a, width=59),
    "height": lambda a: replace(a, height=39),
    "frames": lambda a: replace(a, frames=4),
    "type": lambda a: replace(a, types=frozenset({"image/webp"})),
}


@pytest.mark.parametrize("name", LESS)
def test_an_animation_beyond_the_targets_limits_is_a_still(name: str) -> None:
    assert MOVING.animation is not None
    limits = replace(MOVING, animation=LESS[name](MOVING.animation))
    assert not images.fit(ITEM, moving("GIF"), limits).animated


def test_an_animation_that_must_be_alone_is_a_still_beside_others() -> None:
    assert MOVING.animation is not None
    limits = replace(MOVING, animation=replace(MOVING.animation, alone=True))
    assert images.fit(ITEM, moving("GIF"), limits).animated
    assert not images.fit(ITEM, moving("GIF"), limits, alone=False).animated


# on the way from account to account


def test_what_fitting_cost_is_told_by_links(tmp_path: Path) -> None:
    from bridge import overview

    with world(tmp_path, "one: {from: m, to: [b, x]}") as w:
        w.turn()
        w.say("m", "Eine Möwe fliegt", images=[(moving("GIF"), "Eine Möwe")])
        w.rest(2)
        (link,) = overview.links(w.store)["links"]
        details = {(loss["account"], loss["detail"]) for loss in link["losses"]}
        assert ("b", "of an animation only the first frame was taken") in details
        assert not [detail for account, detail in details if account == "x"]
        (upload,) = w.networks["twitter"]._files._files.values()
        assert upload.category == "tweet_gif"


@pytest.mark.parametrize("target", ["b", "x"])
def test_what_fitting_cost_makes_no_second_pass(
    tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with world(tmp_path, f"one: {{from: m, to: {target}}}") as w:
        w.turn()
        w.say("m", "Zwei Möwen fliegen", images=[(moving("GIF"), "Möwe")] * 2)
        w.read("m")
        begun = []
        sending = Store.sending

        def noted(*args: Any) -> bool:
            begun.append(sending(*args))
            return begun[-1]

        monkeypatch.setattr(Store, "sending", noted)
        w.deliver(target)
        assert begun == [True]
        (draft,) = w.store._drafts("1", ())
        assert images.STILL in draft.draft.losses


def test_shape_and_focus_travel(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [b, m2]}") as w:
        w.turn()
        w.say("m", "Turm am Fluss", images=[(file(scene((120, 300))), "Ein Turm")])
        (attachment,) = w.networks["mastodon"]._server.media.values()
        attachment.entity["meta"]["focus"] = {"x": 0.5, "y": -0.25}
        w.rest(2)
        (copy,) = w.copies("b")
        shape = copy.raw["embed"]["images"][0]["aspectRatio"]
        assert shape == {"width": 120, "height": 300}
        assert [
            a.entity["meta"].get("focus") for a in w.networks["mastodon"]._server.media.values()
        ] == [{"x": 0.5, "y": -0.25}] * 2
