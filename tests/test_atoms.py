from __future__ import annotations

import io
import random
from contextlib import suppress

import pytest

from bridge import atoms
from tests.film_files import PLACE, box, mp3, mp4, track


def opened(data: bytes) -> io.BytesIO:
    return io.BytesIO(data)


@pytest.mark.parametrize(
    ("data", "mime", "duration", "size"),
    [
        (mp4(2.5, (640, 360)), "video/mp4", 2.5, (640, 360)),
        (mp4(9, sound=False), "video/mp4", 9.0, (64, 36)),
        (mp4(brand=b"qt  "), "video/quicktime", 3.0, (64, 36)),
        (mp4(picture=False), "audio/mp4", 3.0, (0, 0)),
        (mp3(), "audio/mpeg", 0.0, (0, 0)),
        (mp3(tag=b"TIT2"), "audio/mpeg", 0.0, (0, 0)),
        (b"OggS" + bytes(50), "", 0.0, (0, 0)),
        (b"\x1aE\xdf\xa3" + bytes(50), "", 0.0, (0, 0)),
        (b"", "", 0.0, (0, 0)),
    ],
)
def test_what_a_file_is(data: bytes, mime: str, duration: float, size: tuple[int, int]) -> None:
    found = atoms.nature(opened(data))
    assert (found.mime, found.duration, (found.width, found.height)) == (mime, duration, size)


def test_a_film_in_fragments_tells_its_length_elsewhere() -> None:
    head = box(b"mvhd", bytes(12) + (1000).to_bytes(4, "big") + bytes(84))
    mehd = box(b"mvex", box(b"mehd", bytes(4), (61_000).to_bytes(4, "big")))
    data = box(b"ftyp", b"isom") + box(b"moov", head, mehd)
    assert atoms.nature(opened(data)).duration == 61.0


def test_no_place_is_left_in_a_film_and_its_size_stays() -> None:
    data = mp4(places=True)
    assert data.count(PLACE) == 7
    file = opened(data)
    atoms.strip(file)
    clean = file.getvalue()
    assert PLACE not in clean
    assert len(clean) == len(data)
    assert b"picture!" in clean
    assert atoms.nature(file) == atoms.nature(opened(data))
    kinds = [each.kind for each in atoms.boxes(file, 0, len(clean))]
    assert kinds == [b"ftyp", b"mdat", b"free", b"free", b"moov"]


def test_a_film_without_places_is_not_changed() -> None:
    file = opened(mp4())
    atoms.strip(file)
    assert file.getvalue() == mp4()


def test_the_tags_of_an_mp3_are_overwritten() -> None:
    data = mp3(tag=b"GEOB" + PLACE) + b"TAG" + PLACE.ljust(125, b"\0")
    file = opened(data)
    atoms.strip(file)
    assert PLACE not in file.getvalue()
    assert len(file.getvalue()) == len(data)
    assert atoms.nature(file).mime == "audio/mpeg"


def test_what_is_of_no_known_kind_is_not_passed_on_as_clean() -> None:
    with pytest.raises(ValueError, match="no known kind"):
        atoms.strip(opened(b"OggS" + PLACE))


def test_damaged_files_are_said_to_be_so() -> None:
    whole = mp4(places=True)
    dice = random.Random(5)
    for _ in range(3000):
        data = bytearray(whole[: dice.randrange(len(whole))] if dice.random() < 0.3 else whole)
        for _ in range(dice.randrange(1, 6)):
            if data:
                data[dice.randrange(len(data))] = dice.choice((0, 1, 255, dice.randrange(256)))
        file = opened(bytes(data))
        with suppress(ValueError):
            atoms.strip(file)
        assert len(file.getvalue()) == len(data)


@pytest.mark.parametrize("handler", [b"meta", b"camm", b"text", b"sbtl", b"tmcd"])
def test_what_a_track_beside_picture_and_sound_holds_is_overwritten(handler: bytes) -> None:
    data = with_track(track(handler, at=28, length=len(PLACE)))
    file = opened(data)
    atoms.strip(file)
    assert PLACE not in file.getvalue()
    assert handler not in file.getvalue()
    assert b"picture!" in file.getvalue()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ((b"stsz", b"stz2"), "sizes of its samples"),
        ((b"stsc", b"xxxx"), "what is in its chunks"),
        ((b"edts", b"mvex"), "in fragments"),
    ],
)
def test_a_track_that_cannot_be_found_for_sure_lets_no_file_pass(
    change: tuple[bytes, bytes], why: str
) -> None:
    hidden = track(b"meta", at=28, length=len(PLACE)).replace(*change)
    data = with_track(hidden + box(b"edts")).replace(
        b"edts", change[1] if change[0] == b"edts" else b"free"
    )
    with pytest.raises(ValueError, match=why):
        atoms.strip(opened(data))


def with_track(more: bytes) -> bytes:
    """A film with a place in its `mdat`, at 28, and further boxes in its `moov`."""
    data = mp4()
    start = box(b"ftyp", b"isom", bytes(4), b"isom") + box(b"mdat", PLACE, b"picture!")
    at = data.index(b"moov") - 4
    moov = data[at + 8 :]
    return start + box(b"moov", moov, more)
