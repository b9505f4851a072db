"""Images made to fit their target: upright, without metadata, and as good as fits."""

from __future__ import annotations

import io
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageCms, ImageFile, ImageOps, UnidentifiedImageError

from bridge import metadata
from bridge.network import ClientError, Limits, Refused, Upload
from bridge.post import Loss, Media

#: the most pixels an image may have before it is taken for a decompression bomb: the networks
#: themselves keep images of at most 33 million
MAX_PIXELS = 50_000_000
#: the most pixels that all frames of an animation may have
MAX_ANIMATION_PIXELS = 1_000_000_000
#: the quality that is tried first, and below which an image is rather made smaller
BEST, LEAST = 95, 70
#: the quality of an image that nothing else makes small enough
LAST = 30
#: seconds after which the search takes the next that fits
SEARCH_SECONDS = 20.0
#: what is lost where a target shows no animated images
STILL = Loss("media", "of an animation only the first frame was taken")
_MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
#: what is opened at all: other formats have decoders that are little tried, or run programs
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
_ORIENTATION = 0x0112
#: an open image takes 4 bytes a pixel or more: one at a time, whatever the number of threads
_one_at_a_time = threading.Lock()


def fit(media: Media, data: bytes, limits: Limits, *, alone: bool = True) -> Upload:
    """The image within the target's bytes, pixels and types, upright, with no metadata left in it.

    Its pixels are passed on untouched where they already are all that. An animation stays one where
    the target shows it, which may depend on whether the image is `alone` in its post; else its
    first frame is taken. What is lost stands in `Upload.losses`. Raises Refused if it is no image.
    """
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _fit(media, data, limits, alone=alone)
    except ClientError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything at all on broken files
        words = "of no known kind" if isinstance(error, UnidentifiedImageError) else error
        raise Refused(f"an attachment cannot be read as an image ({words})") from None


def _fit(media: Media, data: bytes, limits: Limits, *, alone: bool) -> Upload:
    with Image.open(io.BytesIO(data), formats=_known_formats()) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Refused(f"the image is too large to open ({width} x {height} pixels)")
        form, frames = image.format or "", _frames(image, data)
        if width * height * frames > MAX_ANIMATION_PIXELS:
            raise Refused(f"the image is too large to open ({frames} frames)")
        mime = _MIME.get(form, "")
        upright = image.getexif().get(_ORIENTATION, 1) in (0, 1)
        moves = frames > 1
        passes = mime in limits.image_types and width * height <= limits.image_pixels
        if moves and not _moves_on(limits, mime, width, height, frames, alone=alone):
            passes = False
        if passes and upright and image.mode != "CMYK":
            image.load()
            clean = metadata.strip(data, form)
            bound = limits.animation.bytes if moves and limits.animation else limits.image_bytes
            if len(clean) <= bound:
                return Upload(
                    clean, mime, media.alt, width, height, focus=media.focus, animated=moves
                )
        turned = ImageOps.exif_transpose(image)
        turned.load()
        made = _best(_in_srgb(turned), form, limits)
    losses: tuple[Loss, ...] = ()
    if moves:
        losses += (STILL,)
    if made.form != form or (made.width, made.height) != turned.size or made.quality < BEST:
        losses += (Loss("media", f"an image was sent as {made}"),)
    return Upload(
        made.data,
        _MIME[made.form],
        media.alt,
        made.width,
        made.height,
        focus=media.focus,
        losses=losses,
    )


def _moves_on(
    limits: Limits, mime: str, width: int, height: int, frames: int, *, alone: bool
) -> bool:
    """Whether a target shows an animation as one."""
    shown = limits.animation
    return (
        shown is not None
        and mime in shown.types
        and width <= shown.width
        and height <= shown.height
        and frames <= shown.frames
        and (alone or not shown.alone)
    )


def _frames(image: Image.Image, data: bytes) -> int:
    """How many frames an animation says that it has; a GIF is not walked through to find out."""
    if image.format == "GIF":
        return max(1, data.count(b"\x21\xf9\x04"))  # GIF89a, 23: graphic control extensions
    return int(getattr(image, "n_frames", 1))


def _known_formats() -> list[str]:
    """Those of `_FORMATS` that this build of Pillow can open."""
    Image.init()
    return [form for form in _FORMATS if form in Image.OPEN]


def _in_srgb(image: Image.Image) -> Image.Image:
    """The image as RGB, or RGBA where it has transparency, in the colours of sRGB."""
    if image.mode.startswith("I;16"):
        image = image.convert("I")
    if image.mode == "I":  # 16 bits a pixel: to convert it as it is would cut off the light half
        image = image.point(lambda value: value / 257).convert("L")
    has_alpha = image.has_transparency_data
    profile = image.info.get("icc_profile")
    if not profile:
        return image.convert("RGBA" if has_alpha else "RGB")
    alpha = image.convert("RGBA").getchannel("A") if has_alpha else None
    plain = image if image.mode in ("RGB", "L", "CMYK") else image.convert("RGB")
    try:
        converted = ImageCms.profileToProfile(
            plain,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        converted = None  # the profile is broken or of other colours: none is better
    colours = converted or plain.convert("RGB")
    if alpha is not None:
        colours.putalpha(alpha)
    return colours


@dataclass(frozen=True, slots=True)
class _Made:
    """An encoded image; `quality` is BEST for what loses nothing."""

    form: str
    data: bytes
    width: int
    height: int
    quality: int

    def __str__(self) -> str:
        quality = f" and quality {self.quality}" if self.form != "PNG" else ""
        return f"{self.form} of {self.width} x {self.height} pixels{quality}"


Draw = Callable[[float, int], _Made]


def _best(image: Image.Image, form: str, limits: Limits) -> _Made:
    """The best that fits: without loss where it came so or is transparent, else as a photograph."""
    has_alpha = image.mode == "RGBA"
    most = limits.image_bytes
    bound = min(1.0, (limits.image_pixels / (image.width * image.height)) ** 0.5)

    def drawing(as_form: str) -> Draw:
        return lambda scale, quality: _draw(image, as_form, bound * scale, quality)

    if (has_alpha or form in ("PNG", "GIF")) and "image/png" in limits.image_types:
        whole = _draw(image, "PNG", bound, BEST)
        if len(whole.data) <= most:
            return whole
    if not has_alpha:
        found = _search(drawing("JPEG"), most)
    elif "image/webp" in limits.image_types:
        found = _search(drawing("WEBP"), most)
    else:
        found = _search(drawing("PNG"), most, qualities=False)
    if found is None:
        raise Refused(f"the image cannot be made smaller than {most} bytes")
    return found


def _draw(image: Image.Image, form: str, scale: float, quality: int) -> _Made:
    """The image in a format, size and quality; of a PNG a lower one means 256 colours."""
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    sized = image.resize(size, Image.Resampling.LANCZOS) if size != image.size else image
    out = io.BytesIO()
    match form:
        case "JPEG":
            # Pillow gives an optimised JPEG a byte a pixel, which noise exceeds, and then fails
            ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 4 * size[0] * size[1])
            # full colour only where there is room for it
            fine = 0 if quality >= 90 else 2
            sized.save(
                out, form, quality=quality, subsampling=fine, optimize=True, progressive=True
            )
        case "WEBP":
            sized.save(out, form, quality=quality, method=2)
        case _:
            few = sized.quantize(256) if quality < BEST else sized
            few.save(out, form)
    return _Made(form, out.getvalue(), *size, quality)


def _search(
    draw: Draw,
    most: int,
    *,
    qualities: bool = True,
    clock: Callable[[], float] = time.monotonic,
) -> _Made | None:
    """The best of an image within so many bytes: in full size at the highest quality from LEAST on.

    Where that does not fit, the largest size, to a few per cent. None if not even a dot fits. Draws
    at most about fifteen times, and after SEARCH_SECONDS takes what it has as soon as it has any.
    """
    end = clock() + SEARCH_SECONDS
    made = draw(1.0, BEST)
    if len(made.data) <= most:
        return made
    made = draw(1.0, LEAST)
    if len(made.data) <= most:
        low, high = LEAST, BEST
        while qualities and high - low > 1 and clock() < end:
            middle = (low + high) // 2
            tried = draw(1.0, middle)
            if len(tried.data) <= most:
                made, low = tried, middle
            else:
                high = middle
        return made
    found: _Made | None = None
    small, large = 0.0, 1.0
    scale = (most / len(made.data)) ** 0.5
    for _ in range(8):
        within = (large - small) / 10
        scale = min(max(scale, small + within), large - within)
        tried = draw(scale, LEAST)
        if len(tried.data) <= most:
            found, small = tried, scale
        else:
            large = scale
        if found and (large - small < 0.03 * large or len(found.data) > 0.95 * most):
            break
        if found and clock() >= end:
            break
        # bytes grow about as pixels do
        scale *= (most / len(tried.data)) ** 0.5 * 0.99
    if found is not None:
        return found
    tried = draw(0.0, LAST)
    return tried if len(tried.data) <= most else None
