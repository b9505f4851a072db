"""Images on their way: downloaded with guards, measured, and fitted to their target."""

from __future__ import annotations

import io
import threading
import warnings
from urllib.parse import urljoin, urlsplit

from PIL import Image, ImageOps, UnidentifiedImageError

from bridge import wire
from bridge.network import ClientError, Limits, Refused, Unreachable, Upload
from bridge.post import Media

#: the largest file that is downloaded, in bytes
MAX_DOWNLOAD = 64 * 1024 * 1024
#: the most pixels an image may have before it is taken for a decompression bomb: the networks
#: themselves keep images of at most 33 million
MAX_PIXELS = 50_000_000
#: the most pixels that all frames of an animation may have
MAX_ANIMATION_PIXELS = 1_000_000_000
MAX_REDIRECTS = 3
#: seconds that a download may take in all
DOWNLOAD_SECONDS = 60.0
#: what is tried, in turn, until the file is small enough: JPEG quality and share of the size
_ATTEMPTS = ((90, 1.0), (85, 1.0), (75, 1.0), (80, 0.75), (75, 0.5), (70, 0.35), (60, 0.2))
_MIME = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
#: what is opened at all: other formats have decoders that are little tried, or run programs
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
#: an open image takes 4 bytes a pixel or more: one at a time, whatever the number of threads
_one_at_a_time = threading.Lock()


def fetch(media: Media, *, own_host: str) -> bytes:
    """The bytes of an attachment, within `DOWNLOAD_SECONDS` in all.

    Addresses that are not public are refused, after DNS and after each redirect. Where `own_host`,
    the host with its port of the account that posted it, is on loopback, it alone is let through.
    Raises Unreachable if it may come later, Refused if it never will.
    """
    with wire.deadline(DOWNLOAD_SECONDS):
        return _fetch(media.url, own_host)


def _fetch(url: str, own_host: str) -> bytes:
    for _ in range(MAX_REDIRECTS + 1):
        if not url.startswith(("http://", "https://")):
            raise Refused("the image has moved to an address that is none")
        answer = wire.send(
            "GET",
            url,
            seconds=DOWNLOAD_SECONDS,
            max_answer=MAX_DOWNLOAD,
            public_only=not (_is_on_loopback(own_host) and _host(url) == own_host),
            # what is packed again on the way could unpack to any size
            headers={"Accept": "*/*", "Accept-Encoding": "identity"},
        )
        if answer.ok:
            if answer.headers.get("content-type", "").startswith(("text/", "application/json")):
                # what stands in for a server that is away; a broken image is another matter
                raise Unreachable("a web page came instead of the image")
            return answer.body
        if answer.status in (301, 302, 303, 307, 308) and "location" in answer.headers:
            try:
                url = urljoin(url, answer.headers["location"])
            except ValueError:
                raise Refused("the image has moved to an address that is none") from None
            continue
        if answer.status in (404, 410, 403):
            raise Refused(f"the image is gone from its network ({answer.status})")
        raise Unreachable(f"the image cannot be downloaded ({answer.status})")
    raise Unreachable("the image cannot be downloaded: too many redirects")


def _host(url: str) -> str:
    """Host and port of a URL; "" if it has none."""
    try:
        return urlsplit(url).netloc
    except ValueError:
        return ""


def _is_on_loopback(host: str) -> bool:
    """Whether a host, with its port, is this machine itself."""
    return wire.is_loopback(urlsplit(f"//{host}").hostname or "")


def fit(media: Media, data: bytes, limits: Limits) -> Upload:
    """The image within the target's bytes, pixels and types, upright, with no metadata left in it.

    It is passed on untouched when it already is all that. Raises Refused if it is no image.
    """
    try:
        with _one_at_a_time, warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _fit(media, data, limits)
    except ClientError:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise anything at all on broken files
        words = "of no known kind" if isinstance(error, UnidentifiedImageError) else error
        raise Refused(f"an attachment cannot be read as an image ({words})") from None


def _fit(media: Media, data: bytes, limits: Limits) -> Upload:
    with Image.open(io.BytesIO(data), formats=_known_formats()) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise Refused(f"the image is too large to open ({width} x {height} pixels)")
        frames = _frames(image, data)
        if width * height * frames > MAX_ANIMATION_PIXELS:
            raise Refused(f"the image is too large to open ({frames} frames)")
        mime = _MIME.get(image.format or "", "")
        small = len(data) <= limits.image_bytes and width * height <= limits.image_pixels
        clean = not image.getexif() and not {"exif", "xmp", "XML:com.adobe.xmp"} & set(image.info)
        if mime in limits.image_types and small and clean:
            image.load()
            return Upload(data, mime, media.alt, width, height)
        upright = ImageOps.exif_transpose(image)
        upright.load()
    return _encode(upright, media.alt, limits)


def _frames(image: Image.Image, data: bytes) -> int:
    """How many frames an animation says that it has; a GIF is not walked through to find out."""
    if image.format == "GIF":
        return max(1, data.count(b"\x21\xf9\x04"))  # GIF89a, 23: graphic control extensions
    return int(getattr(image, "n_frames", 1))


def _known_formats() -> list[str]:
    """Those of `_FORMATS` that this build of Pillow can open."""
    Image.init()
    return [form for form in _FORMATS if form in Image.OPEN]


def _encode(image: Image.Image, alt: str, limits: Limits) -> Upload:
    """The best of a few sizes and qualities that fits; JPEG, or PNG where there is transparency."""
    transparent = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    image = image.convert("RGBA" if transparent else "RGB")
    bound = (limits.image_pixels / (image.width * image.height)) ** 0.5
    for quality, scale in _ATTEMPTS:
        share = min(scale, bound)
        size = (max(1, int(image.width * share)), max(1, int(image.height * share)))
        sized = image.resize(size, Image.Resampling.LANCZOS) if size != image.size else image
        out = io.BytesIO()
        if transparent:
            sized.save(out, "PNG", optimize=True)
        else:
            sized.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
        if out.tell() <= limits.image_bytes:
            mime = "image/png" if transparent else "image/jpeg"
            return Upload(out.getvalue(), mime, alt, *size)
    raise Refused(f"the image cannot be made smaller than {limits.image_bytes} bytes")
