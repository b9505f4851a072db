"""Video and sound files: what they are, and what they tell about their making taken out in place.

Files are read and changed where they lie, a few bytes at a time, and their sizes stay: nothing is
encoded anew. What is kept is a list, as in `metadata`, so that what nobody has thought of goes.
Boxes are those of ISO/IEC 14496-12, and of the QuickTime File Format, from which it comes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

#: boxes that are needed to play a file, by where they stand; anything else becomes free space
_KEPT = {
    b"": frozenset(b"ftyp styp moov moof mdat mfra sidx ssix prft pdin".split()),
    b"moov": frozenset(b"mvhd trak mvex iods".split()),
    b"trak": frozenset(b"tkhd edts mdia tref trgr tapt load clip matt".split()),
    b"moof": frozenset(b"mfhd traf".split()),
    b"traf": frozenset(b"tfhd trun tfdt sdtp sbgp sgpd subs saiz saio senc".split()),
    b"mdia": frozenset(b"mdhd hdlr minf elng".split()),
}
#: kinds of track that are kept (handler types): drones and action cameras write where they were
#: into others, such as `meta`, and even into subtitles
_SHOWN = frozenset((b"vide", b"soun"))
#: boxes at the top of a file that a QuickTime file without `ftyp` may begin with
_FIRST = frozenset(b"moov mdat wide free skip pnot".split())
#: no box is nested deeper in what is read here
_DEEPEST = 8
#: bytes of the largest `moov` that is read: hours of film have a tenth of it
MAX_INDEX = 64 * 1024 * 1024
_PIECE = bytes(64 * 1024)


@dataclass(frozen=True, slots=True)
class Box:
    """A box: its type, where it begins, where its content begins, and where both end."""

    kind: bytes
    start: int
    body: int
    end: int


@dataclass(frozen=True, slots=True)
class Nature:
    """What a file is: its type, "" if none that is known here; seconds and pixels, 0 if untold."""

    mime: str = ""
    duration: float = 0.0
    width: int = 0
    height: int = 0


def nature(file: IO[bytes]) -> Nature:
    """What a file is, by what stands in it. ValueError if it is damaged."""
    file.seek(0)
    head = file.read(16)
    if head[:3] == b"ID3" or (len(head) > 1 and head[0] == 0xFF and head[1] & 0xE6 == 0xE2):
        return Nature("audio/mpeg")  # MPEG layer III, its frames or a tag before them
    if head[4:8] != b"ftyp" and head[4:8] not in _FIRST:
        return Nature()
    size = file.seek(0, 2)
    moov = next((box for box in boxes(file, 0, size) if box.kind == b"moov"), None)
    if moov is None:
        raise ValueError("it has no `moov`")
    if moov.end - moov.start > MAX_INDEX:
        raise ValueError("its index is larger than any film's")
    width, height, seen = 0, 0, False
    for track in _of(file, moov, b"trak"):
        if _handler(file, track) == b"vide":
            seen = True
            for box in _of(file, track, b"tkhd"):
                file.seek(box.end - 8)
                wide, high = struct.unpack(">II", _exactly(file, 8))
                width, height = max(width, wide >> 16), max(height, high >> 16)
    brand = head[8:12] if head[4:8] == b"ftyp" else b"qt  "
    picture = "video/quicktime" if brand == b"qt  " else "video/mp4"
    return Nature(picture if seen else "audio/mp4", _duration(file, moov), width, height)


def _duration(file: IO[bytes], moov: Box) -> float:
    """Seconds by `mvhd`, or by `mehd` where the file is in fragments; 0 if neither tells."""
    scale: int = 0
    length: int
    for box in _of(file, moov, b"mvhd"):
        file.seek(box.body)
        long = _exactly(file, 4)[0] == 1
        form, skip = (">IQ", 16) if long else (">II", 8)
        file.seek(skip, 1)
        scale, length = struct.unpack(form, _exactly(file, struct.calcsize(form)))
        if scale and length and length != (1 << (64 if long else 32)) - 1:
            return length / scale
    for extended in (
        found for box in _of(file, moov, b"mvex") for found in _of(file, box, b"mehd")
    ):
        file.seek(extended.body)
        form = ">Q" if _exactly(file, 4)[0] == 1 else ">I"
        (length,) = struct.unpack(form, _exactly(file, struct.calcsize(form)))
        return length / scale if scale else 0.0
    return 0.0


def strip(file: IO[bytes]) -> None:
    """Take places, names and comments out of a file that is open for reading and writing.

    Every box that is not needed to play it becomes free space; so do the tracks that nobody sees or
    hears, and what stands in them is overwritten with zeros; so is the tag of an MP3. ValueError
    if the file is damaged, of a kind that `nature` does not know, or cannot be cleaned for sure.
    """
    mime = nature(file).mime
    if not mime:
        raise ValueError("it is of no known kind")
    size = file.seek(0, 2)
    if mime == "audio/mpeg":
        _strip_mp3(file, size)
    else:
        _strip_boxes(file, Box(b"", 0, 0, size), 0)
    file.flush()


def _strip_boxes(file: IO[bytes], outer: Box, depth: int) -> None:
    found = list(boxes(file, outer.body, outer.end))
    in_fragments = any(box.kind == b"mvex" for box in found)
    for box in found:
        if box.kind == b"trak" and _handler(file, box) not in _SHOWN:
            if in_fragments:
                raise ValueError("a track that nobody sees, in fragments")
            for start, length in _chunks(file, box):
                _zero(file, start, length)
        elif box.kind in _KEPT[outer.kind]:
            if box.kind in _KEPT and depth < _DEEPEST:
                _strip_boxes(file, box, depth + 1)
            continue
        file.seek(box.start + 4)
        file.write(b"free")
        _zero(file, box.body, box.end - box.body)


def _strip_mp3(file: IO[bytes], size: int) -> None:
    """Overwrite the tags with padding: ID3v2 at the beginning (its 3.1), ID3v1 at the end."""
    file.seek(0)
    head = file.read(10)
    if head[:3] == b"ID3":
        length = sum((byte & 0x7F) << 7 * (3 - at) for at, byte in enumerate(head[6:10]))
        file.seek(5)
        file.write(b"\0")  # its flags: no extended header, no footer
        _zero(file, 10, min(length, size - 10))
    file.seek(max(size - 128, 0))
    if file.read(3) == b"TAG":
        _zero(file, size - 128, 128)


def boxes(file: IO[bytes], start: int, end: int) -> Iterator[Box]:
    """The boxes between two places of a file. ValueError if one does not end where it should."""
    while start < end:
        if end - start < 8:
            if _is_padding(file, start, end):
                return
            raise ValueError("a box without its head")
        file.seek(start)
        size, kind = struct.unpack(">I4s", _exactly(file, 8))
        body = start + 8
        if size == 0 and kind == b"\0\0\0\0":
            return  # QuickTime ends some lists with 32 bits of zero
        if size == 1:
            (size,) = struct.unpack(">Q", _exactly(file, 8))
            body += 8
        elif size == 0:
            size = end - start
        if size < body - start or start + size > end:
            raise ValueError(f"a box {kind!r} that ends beyond what it is in")
        yield Box(kind, start, body, start + size)
        start += size


def _is_padding(file: IO[bytes], start: int, end: int) -> bool:
    """Whether nothing but zeros stands between two places."""
    file.seek(start)
    return not _exactly(file, end - start).strip(b"\0")


def _of(file: IO[bytes], outer: Box, kind: bytes) -> list[Box]:
    return [box for box in boxes(file, outer.body, outer.end) if box.kind == kind]


def _path(file: IO[bytes], outer: Box, *kinds: bytes) -> Box | None:
    """The first box along a path of kinds."""
    found: Box | None = outer
    for kind in kinds:
        found = next(iter(_of(file, found, kind)), None) if found else None
    return found


def _handler(file: IO[bytes], track: Box) -> bytes:
    """What plays a track; b"" if it does not say."""
    box = _path(file, track, b"mdia", b"hdlr")
    if box is None or box.end - box.body < 12:
        return b""
    file.seek(box.body + 8)
    return _exactly(file, 4)


def _chunks(file: IO[bytes], track: Box) -> list[tuple[int, int]]:
    """Where the content of a track lies in the file: places and lengths."""
    table = _path(file, track, b"mdia", b"minf", b"stbl")
    if table is None:
        return []
    offsets: list[int] = []
    for kind, width in ((b"stco", 4), (b"co64", 8)):
        for box in _of(file, table, kind):
            offsets += _numbers(file, box, 4, width)
    sizes, each = _sample_sizes(file, table)
    runs = [
        numbers
        for box in _of(file, table, b"stsc")
        for flat in [_numbers(file, box, 4, 4, 3)]
        for numbers in zip(flat[::3], flat[1::3], strict=True)
    ]
    if offsets and (not runs or runs[0][0] != 1):
        raise ValueError("a track that does not say what is in its chunks")
    end = file.seek(0, 2)
    found, sample = [], 0
    for index, offset in enumerate(offsets, 1):
        count = next((n for first, n in reversed(runs) if first <= index), 0)
        length = each * count if each else sum(sizes[sample : sample + count])
        sample += count
        found.append((min(offset, end), min(length, max(end - offset, 0))))
    return found


def _sample_sizes(file: IO[bytes], table: Box) -> tuple[list[int], int]:
    """The size of each sample, or one of all of them."""
    for box in _of(file, table, b"stsz"):
        file.seek(box.body + 4)
        (each,) = struct.unpack(">I", _exactly(file, 4))
        return ([] if each else _numbers(file, box, 8, 4)), each
    raise ValueError("a track without the sizes of its samples")


def _numbers(file: IO[bytes], box: Box, skip: int, width: int, columns: int = 1) -> list[int]:
    """The numbers of a table, `skip` bytes into a box, where their count stands."""
    file.seek(box.body + skip)
    (count,) = struct.unpack(">I", _exactly(file, 4))
    count *= columns
    if box.body + skip + 4 + count * width > box.end:
        raise ValueError(f"a table {box.kind!r} that is longer than its box")
    raw = _exactly(file, count * width)
    return list(struct.unpack(f">{count}{'Q' if width == 8 else 'I'}", raw))


def _zero(file: IO[bytes], start: int, length: int) -> None:
    file.seek(start)
    while length > 0:
        file.write(_PIECE[:length] if length < len(_PIECE) else _PIECE)
        length -= len(_PIECE)


def _exactly(file: IO[bytes], count: int) -> bytes:
    found = file.read(count)
    if len(found) < count:
        raise ValueError("it ends too early")
    return found
