"""Files on their way: fetched within limits, converted where ffmpeg is there, never kept."""

from __future__ import annotations

import io
import os
import stat
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bridge import ffmpeg, films, video, wire
from bridge.network import Film, Limits, PlayLimits, Unreachable
from bridge.post import Draft, Media
from bridge.simulation import Fault, Request, Response, Simulator
from tests.film_files import mp3, mp4
from tests.test_render import POST

ROOM = PlayLimits(frozenset({"video/mp4"}), 3000, longest=60.0, shortest=0.5)
LIMITS = Limits((), 4, 60_000, 1_000_000, frozenset({"image/png"}), 1000, video=ROOM)


class Files(Simulator):
    """Serves files by their paths."""

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, bytes] = {}

    def handle(self, request: Request) -> Response:
        data = self.files.get(request.path)
        return Response(404) if data is None else Response(200, data)


@pytest.fixture
def files() -> Iterator[Files]:
    made = Files()
    made.start()
    yield made
    made.stop()


def taken(files: Files, folder: Path, item: Media, limits: Limits = LIMITS) -> tuple[Film, bytes]:
    """What of an attachment would be uploaded, with its bytes."""
    host = files.url.partition("//")[2]
    with video.ready(item, limits, own_host=host, folder=folder) as (film, losses):
        taken.losses = [loss.detail for loss in losses]  # type: ignore[attr-defined]
        data = film.file.read()
        assert len(data) == film.bytes
        return film, data


def test_the_best_that_is_within_the_bytes_is_taken(files: Files, tmp_path: Path) -> None:
    for name, padding in (("best", 9000), ("good", 3500), ("small", 700), ("least", 5)):
        files.files[f"/{name}"] = mp4(padding=padding)
    names = [f"{files.url}/{name}" for name in ("best", "good", "small", "least")]
    item = Media("video", names[0], "Ord", others=tuple(names[1:]))
    film, data = taken(files, tmp_path, item)
    assert data == mp4(padding=700)
    assert (film.kind, film.mime, film.alt) == ("video", "video/mp4", "Ord")
    assert (film.width, film.height) == (64, 36)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (mp4(padding=9000), "the video has more than 3000 bytes"),
        (mp4(61), "the video is longer than 60 seconds (61)"),
        (mp4(0.3), "the video is shorter than 0.5 seconds"),
        (mp4(brand=b"qt  "), "a video of the type video/quicktime cannot be sent there"),
        (b"\x1aE\xdf\xa3" + bytes(99), "a video of this type cannot be sent there"),
        (mp4()[:-30], "a video of this type cannot be sent there"),
        (b"", "a video of this type cannot be sent there"),
    ],
)
def test_what_the_target_does_not_take_is_unfit(
    files: Files, tmp_path: Path, data: bytes, words: str
) -> None:
    files.files["/film"] = data
    with pytest.raises(video.Unfit) as error:
        taken(files, tmp_path, Media("video", f"{files.url}/film"))
    assert str(error.value) == words


def test_what_does_not_say_how_long_it_is_is_given_up_when_it_is_too_long(
    files: Files, tmp_path: Path
) -> None:
    files.files["/film"] = mp4(padding=2000)
    files.faults.append(Fault("pad", "GET /film"))
    with pytest.raises(video.Unfit, match="more than 3000 bytes"):
        taken(files, tmp_path, Media("video", f"{files.url}/film"))


def test_of_what_says_that_it_is_too_long_nothing_is_read(files: Files) -> None:
    files.files["/film"] = bytes(1_000_000)
    for most, expected in ((999_999, 0), (1_000_000, 1_000_000)):
        sink = io.BytesIO()
        with suppress(wire.TooLong):
            wire.send("GET", f"{files.url}/film", into=sink, max_answer=most)
        assert len(sink.getvalue()) == expected


@pytest.mark.parametrize("kind", ["drop_before", "truncate"])
def test_a_download_that_breaks_off_may_come_later(files: Files, tmp_path: Path, kind: Any) -> None:
    files.files["/film"] = mp4()
    files.faults.append(Fault(kind, "GET /film"))
    item = Media("video", f"{files.url}/film")
    with pytest.raises(Unreachable):
        taken(files, tmp_path, item)
    assert taken(files, tmp_path, item)[1] == mp4()


def test_addresses_that_are_not_public_are_not_asked(files: Files, tmp_path: Path) -> None:
    files.files["/film"] = mp4()
    item = Media("video", f"{files.url}/film")
    with (
        pytest.raises(Unreachable, match="not a public one"),
        video.ready(item, LIMITS, own_host="social.example", folder=tmp_path),
    ):
        pass
    assert not files.requests


def test_a_folder_that_is_not_there_may_come_back(files: Files, tmp_path: Path) -> None:
    with pytest.raises(Unreachable, match="cannot be kept there"):
        taken(files, tmp_path / "none", Media("video", f"{files.url}/film"))


# With ffmpeg


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program on PATH that takes ffmpeg's words: it notes them, and copies what stands beside it.

    As ffmpeg does, it reads the file after `-i`, writes the last word, and on failure says why on
    its standard error.
    """
    folder = tmp_path / "bin"
    folder.mkdir()
    script = folder / "ffmpeg"
    script.write_text(
        textwrap.dedent(f"""\
        #!{sys.executable}
        import pathlib, sys
        here = pathlib.Path(__file__).parent
        words = sys.argv[1:]
        (here / "words").write_text("\\n".join(words))
        source = [words[n + 1] for n, w in enumerate(words) if w == "-i"][-1]
        (here / "source").write_bytes(open(source, "rb").read())
        if not (here / "made").exists():
            sys.exit("Input #0\\n/dev/fd/5: Invalid data found when processing input")
        with open(words[-1], "w+b") as out:
            out.write((here / "made").read_bytes())
        """)
    )
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(ffmpeg, "PROGRAM", "ffmpeg")
    monkeypatch.setenv("PATH", str(folder), prepend=os.pathsep)
    return folder


@pytest.mark.parametrize(
    "data", [mp4(padding=9000), mp4(brand=b"qt  ", places=True), b"\x1aE\xdf\xa3" + bytes(99)]
)
def test_what_does_not_fit_is_converted(
    files: Files, tmp_path: Path, program: Path, data: bytes
) -> None:
    files.files["/film"] = data
    (program / "made").write_bytes(mp4(4, (1280, 720)))
    spool = tmp_path / "spool"
    spool.mkdir()
    film, made = taken(files, spool, Media("video", f"{files.url}/film", "Ord"))
    assert made == mp4(4, (1280, 720))
    assert (film.width, film.height, film.alt) == (1280, 720, "Ord")
    assert (program / "source").read_bytes() == data
    assert taken.losses == ["the video was converted"]  # type: ignore[attr-defined]
    assert list(spool.iterdir()) == []


def test_what_fits_is_not_converted(files: Files, tmp_path: Path, program: Path) -> None:
    files.files["/film"] = mp4()
    assert taken(files, tmp_path, Media("video", f"{files.url}/film"))[1] == mp4()
    assert not (program / "words").exists()


def test_a_sound_becomes_a_video(files: Files, tmp_path: Path, program: Path) -> None:
    files.files["/sound"] = mp3()
    (program / "made").write_bytes(mp4())
    film, _ = taken(files, tmp_path, Media("audio", f"{files.url}/sound", "En foss"))
    assert (film.kind, film.mime, film.alt) == ("video", "video/mp4", "En foss")
    words = (program / "words").read_text().split("\n")
    assert words[words.index("-f") + 1] == "lavfi"
    assert "-shortest" in words


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (None, "ffmpeg cannot convert it (/dev/fd/5: Invalid data found when processing input)"),
        (mp4(padding=9000), "the video has more than 3000 bytes (9682) after it was converted"),
        (b"nothing", "ffmpeg made nothing of it that can be sent there"),
    ],
)
def test_a_conversion_that_fails_says_why(
    files: Files, tmp_path: Path, program: Path, made: bytes | None, why: str
) -> None:
    files.files["/film"] = mp4(brand=b"qt  ")
    if made is not None:
        (program / "made").write_bytes(made)
    with pytest.raises(video.Unfit) as error:
        taken(files, tmp_path, Media("video", f"{files.url}/film"))
    assert why in str(error.value)


def test_a_conversion_that_does_not_end_is_given_up(
    files: Files, tmp_path: Path, program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.files["/film"] = mp4(brand=b"qt  ")

    def run(*_: Any, timeout: float, **__: Any) -> None:
        raise subprocess.TimeoutExpired("ffmpeg", timeout)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(video.Unfit, match="took longer than 900 seconds"):
        taken(files, tmp_path, Media("video", f"{files.url}/film"))


def test_the_words_for_ffmpeg() -> None:
    words = ffmpeg.arguments("IN", "OUT", PlayLimits(frozenset(), 20_000_000), 60.0, sound=False)
    assert words[-1] == "OUT"
    pairs = dict(pairwise(words))
    assert pairs["-i"] == "IN"
    # 90 per cent of 160 million bits in a minute, without those of the sound
    assert pairs["-b:v"] == pairs["-maxrate"] == "2272000"
    assert (pairs["-c:v"], pairs["-c:a"], pairs["-pix_fmt"]) == ("libx264", "aac", "yuv420p")
    assert pairs["-map_metadata"] == "-1"
    assert pairs["-protocol_whitelist"] == "file"
    # a playlist in place of a film could name any file of this machine
    assert not {"hls", "concat", "dash"} & set(pairs["-format_whitelist"].split(","))
    assert words.index("-format_whitelist") < words.index("-i")


# What is known before


@pytest.mark.parametrize(
    ("change", "without", "with_ffmpeg"),
    [
        ({}, "", ""),
        ({"duration": 61.0}, "longer than 60", "longer than 60"),
        ({"duration": 0.2}, "shorter than 0.5", "shorter than 0.5"),
        ({"bytes": 3001}, "more than 3000 bytes (3001)", ""),
        ({"bytes": 3001, "others": ("u",)}, "", ""),
        ({"mime": "video/webm"}, "type video/webm", ""),
        ({"kind": "audio"}, "no sound can be sent there", ""),
        ({"kind": "gif", "duration": 61.0}, "the animation is longer", "the animation is longer"),
    ],
)
def test_what_a_network_tells_decides_before_the_download(
    change: dict[str, Any], without: str, with_ffmpeg: str
) -> None:
    item = Media(**{"kind": "video", "url": "u", **change})
    for converts, expected in ((False, without), (True, with_ffmpeg)):
        found = films.unfit(item, LIMITS, converts=converts)
        assert expected in found
        assert bool(found) == bool(expected)


def test_films_stand_alone_in_the_order_of_the_post() -> None:
    still, film = Media("image", "i"), Media("video", "v")
    assert films.groups((still, film, still, still), 2) == [(still, still), (still,), (film,)]
    assert films.groups((film, still), 4) == [(film,), (still,)]
    assert films.groups((), 4) == []


def test_a_draft_keeps_all_that_is_known_of_a_film() -> None:
    item = Media("video", "u", duration=2.5, bytes=7, poster="p", others=("v", "w"))
    made = Draft((), POST.created_at, media=(item,))
    assert Draft.from_json(made.to_json()) == made
    old = made.to_json().replace(',"duration":2.5,"bytes":7,"poster":"p","others":["v","w"]', "")
    assert Draft.from_json(old).media == (Media("video", "u"),)
