"""Video and sound files made by code: whole in their structure, with nothing to be seen or heard."""

from __future__ import annotations

import struct

#: what a telephone writes where a film was taken (Bergen), in each of its ways
PLACE = b"+60.3913+005.3221/"


def box(kind: bytes, *content: bytes) -> bytes:
    """A box (ISO/IEC 14496-12, 4.2)."""
    body = b"".join(content)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def track(handler: bytes, *, size: tuple[int, int] = (0, 0), at: int = 0, length: int = 0) -> bytes:
    """A track of one sample, which lies at a place of the file."""
    width, height = size
    head = struct.pack(">IIIIIII", 7, 0, 0, 1, 0, 0, 0) + bytes(52)
    return box(
        b"trak",
        box(b"tkhd", head, struct.pack(">II", width << 16, height << 16)),
        box(
            b"mdia",
            box(b"mdhd", bytes(24)),
            box(b"hdlr", bytes(8), handler, bytes(13)),
            box(
                b"minf",
                box(
                    b"stbl",
                    box(b"stsz", struct.pack(">IIII", 0, 0, 1, length)),
                    box(b"stsc", struct.pack(">IIIII", 0, 1, 1, 1, 1)),
                    box(b"stco", struct.pack(">III", 0, 1, at)),
                ),
            ),
        ),
    )


def mp4(
    seconds: float = 3.0,
    size: tuple[int, int] = (64, 36),
    *,
    sound: bool = True,
    picture: bool = True,
    places: bool = False,
    padding: int = 0,
    brand: bytes = b"isom",
) -> bytes:
    """An MP4; with `places` it tells where it was made in all the ways that telephones do."""
    start = box(b"ftyp", brand, bytes(4), brand)
    media = b"picture!" + (PLACE if places else b"") + b"\x11" * padding
    # `mdat` stands first: the places of its samples do not depend on what follows
    data = box(b"mdat", media)
    at = len(start) + 8
    tracks = [track(b"vide", size=size, at=at, length=8)] if picture else []
    tracks += [track(b"soun", at=at, length=8)] if sound else []
    extra = []
    if places:
        tracks.append(track(b"meta", at=at + 8, length=len(PLACE)))
        text = struct.pack(">HH", len(PLACE), 0x15C7) + PLACE
        extra = [
            box(b"udta", box(b"\xa9xyz", text), box(b"loci", bytes(6), PLACE)),
            box(b"meta", box(b"keys", b"com.apple.quicktime.location.ISO6709"), PLACE),
            box(b"gps ", PLACE),
        ]
        data += box(b"uuid", b"\xbe\x7a\xcf\xcb\x97\xa9\x42\xe8", b"<x:xmpmeta>", PLACE)
        data += box(b"free", PLACE)
    head = box(b"mvhd", struct.pack(">IIIII", 0, 0, 0, 1000, round(seconds * 1000)), bytes(80))
    return start + data + box(b"moov", head, *tracks, *extra)


def mp3(*, tag: bytes = b"") -> bytes:
    """An MP3: a frame of MPEG-1 layer III of 128 kbit/s, with a tag before it."""
    frame = b"\xff\xfb\x90\x00" + bytes(413)
    size = bytes((len(tag) >> 7 * at) & 0x7F for at in (3, 2, 1, 0))
    return (b"ID3\x03\x00\x00" + size + tag if tag else b"") + frame * 3
