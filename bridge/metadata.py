"""Image files without what they tell about their making: places, times, names, comments. Pure.

Pixels stay as they are, bit for bit. What is kept is a list, so that what nobody has thought of is
left out. Whatever follows the end of an image goes too: phones put films and other images there.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping

#: a marker within the scans of a JPEG: no stuffed byte, restart or filling (ITU-T T.81, B.1.1)
_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
#: chunks of a PNG that say how it looks (W3C PNG specification, 11)
_PNG = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP cICP sBIT bKGD pHYs acTL fcTL fdAT".split()
)
#: chunks of a WebP that do so (RFC 9649, 2.7)
_WEBP = frozenset((b"VP8 ", b"VP8L", b"VP8X", b"ANIM", b"ANMF", b"ALPH", b"ICCP"))
#: applications of a GIF that do so: how often it repeats, and its colours
_GIF = frozenset((b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012"))


def strip(data: bytes, form: str) -> bytes:
    """The file without its metadata; `form` is Pillow's name of its format.

    ValueError or IndexError if it is damaged or of another format than JPEG, PNG, WEBP and GIF.
    """
    if form not in _STRIP:
        raise ValueError(f"no way to strip a file of the format {form}")
    return b"".join(_STRIP[form](data))


def _jpeg(data: bytes) -> Iterator[bytes]:
    """Segment by segment (ITU-T T.81, B.1), to the end of the image."""
    at = 2
    yield b"\xff\xd8"
    while True:
        if data[at] != 0xFF:
            raise ValueError("a segment without its marker")
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0xD9:
            yield b"\xff\xd9"
            return
        end = at + 2
        if marker != 1 and not 0xD0 <= marker <= 0xD7:
            end += int.from_bytes(data[end : end + 2], "big")
        if marker == 0xDA:
            following = _MARKER.search(data, end)
            if following is None:
                raise ValueError("it ends too early")
            end = following.start()
        if end > len(data) or end < at + 2:
            raise ValueError("it ends too early")
        if _tells_looks(marker, data[at + 4 : end]):
            yield data[at:end]
        at = end


def _tells_looks(marker: int, content: bytes) -> bool:
    """Whether a segment of a JPEG is needed to show it, rather than an application's or comment."""
    match marker:
        case 0xE0:  # with a small image of its own it is longer
            return content.startswith(b"JFIF\0") and len(content) == 14
        case 0xE2:
            return content.startswith(b"ICC_PROFILE\0")
        case 0xEE:
            return content.startswith(b"Adobe")
    return not 0xE0 <= marker <= 0xEF and marker != 0xFE


def _png(data: bytes) -> Iterator[bytes]:
    at = 8
    yield data[:at]
    while True:
        size, kind = struct.unpack_from(">I4s", data, at)
        end = at + 12 + size
        if end > len(data):
            raise ValueError("it ends too early")
        if kind in _PNG:
            yield data[at:end]
        if kind == b"IEND":
            return
        at = end


def _webp(data: bytes) -> Iterator[bytes]:
    total = min(8 + int.from_bytes(data[4:8], "little"), len(data))
    at, kept = 12, []
    while at + 8 <= total:
        kind, size = struct.unpack_from("<4sI", data, at)
        end = at + 8 + size + size % 2
        if at + 8 + size > len(data):
            raise ValueError("it ends too early")
        chunk = bytearray(data[at:end])
        if kind == b"VP8X":
            chunk[8] &= ~0x0C  # its flags for EXIF and XMP
        if kind in _WEBP:
            kept.append(bytes(chunk))
        at = end
    yield b"RIFF" + struct.pack("<I", 4 + sum(map(len, kept))) + b"WEBP"
    yield from kept


def _gif(data: bytes) -> Iterator[bytes]:
    """Block by block (GIF89a specification)."""
    at = 13 + _colours(data[10])
    yield data[:at]
    while True:
        start, kind = at, data[at]
        if kind == 0x3B:
            yield b"\x3b"
            return
        if kind == 0x2C:
            at = _after_blocks(data, at + 11 + _colours(data[at + 9]))
            yield data[start:at]
        elif kind == 0x21:
            label, at = data[at + 1], _after_blocks(data, at + 2)
            if label == 0xF9 or (label == 0xFF and data[start + 3 : start + 14] in _GIF):
                yield data[start:at]
        else:
            raise ValueError("a block of no known kind")


def _colours(flags: int) -> int:
    """Bytes of a table of colours, by the flags of its descriptor."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0


def _after_blocks(data: bytes, at: int) -> int:
    """Where a chain of blocks ends."""
    while data[at]:
        at += data[at] + 1
    return at + 1


_STRIP: Mapping[str, Callable[[bytes], Iterator[bytes]]] = {
    "JPEG": _jpeg,
    "PNG": _png,
    "WEBP": _webp,
    "GIF": _gif,
}
