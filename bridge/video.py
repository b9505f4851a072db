"""Videos, animations and sounds on their way: from the network into a file, and ready for a target.

Nothing is held in memory as a whole. Files are in the state's folder and have no name, so that
nothing of them is left, however the process ends.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO

from bridge import atoms, ffmpeg, films, media, wire
from bridge.network import Film, Limits, PlayLimits, Refused, Unreachable
from bridge.post import Loss, Media

#: the largest file that is downloaded to be converted, in bytes
MAX_DOWNLOAD = 1024 * 1024 * 1024
#: seconds that a download may take in all
DOWNLOAD_SECONDS = 900.0
#: bytes that are left free on the disk, so that the state can still be written
RESERVE = 64 * 1024 * 1024
#: bytes after which the disk is looked at again
_LOOK = 4 * 1024 * 1024


class Unfit(Refused):
    """The target does not take it as it is, and it cannot be made to fit."""


@contextmanager
def ready(
    item: Media, limits: Limits, *, own_host: str, folder: Path
) -> Iterator[tuple[Film, tuple[Loss, ...]]]:
    """An attachment in a file that the target takes, without places in it, and what that has cost.

    It is passed on as it is where the target's types, bytes and seconds allow, else converted where
    ffmpeg is installed. `own_host` is as in `media.fetch`. Raises Unfit if the target cannot take
    it, Refused if it cannot be had, Unreachable if it may come later, or the disk is full.
    """
    converts = ffmpeg.is_installed()
    room = films.room_for(item, limits, converts=converts)
    if room is None:
        raise Unfit(films.unfit(item, limits, converts=converts))
    with _file(folder) as file:
        _download(item, room, file, own_host, folder, converts=converts)
        found = _nature(file)
        duration = found.duration or item.duration
        size = (found.width, found.height) if found.width else (item.width, item.height)
        known = replace(item, duration=duration, width=size[0], height=size[1])
        wrong = films.length_unfit(known, room)
        if wrong:
            raise Unfit(wrong)
        length = file.seek(0, os.SEEK_END)
        if found.mime in room.types and length <= room.bytes and _stripped(file):
            yield _film(known, file, found.mime), ()
        elif converts and limits.video is not None:
            with _converted(known, file, limits.video, folder) as made:
                kind = films.WORDS[item.kind]
                yield made, (Loss("media", f"the {kind} was converted"),)
        elif length > room.bytes:
            raise Unfit(films.too_heavy(item, length, room))
        else:
            told = f"of the type {found.mime}" if found.mime else "of this type"
            raise Unfit(f"a {films.WORDS[item.kind]} {told} cannot be sent there")


def _film(item: Media, file: IO[bytes], mime: str) -> Film:
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    return Film(file, size, mime, item.kind, item.alt, width=item.width, height=item.height)


@contextmanager
def _file(folder: Path) -> Iterator[IO[bytes]]:
    """A file without a name in a folder."""
    try:
        file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed below
    except OSError as error:
        raise _full(folder, error) from None
    with file:
        yield file


def _full(folder: Path, error: OSError) -> Unreachable:
    why = error.strerror or "no room"
    return Unreachable(f"{folder}: a video on its way cannot be kept there ({why}): make room")


class _Spool:
    """Writes into a file as long as the disk keeps RESERVE bytes free."""

    def __init__(self, file: IO[bytes], folder: Path) -> None:
        self._file = file
        self._folder = folder
        self._unseen = 0

    def write(self, data: bytes) -> int:
        self._unseen -= len(data)
        if self._unseen < 0:
            if shutil.disk_usage(self._folder).free < RESERVE + _LOOK:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._unseen = _LOOK
        return self._file.write(data)


def _download(
    item: Media,
    room: PlayLimits,
    file: IO[bytes],
    own_host: str,
    folder: Path,
    *,
    converts: bool,
) -> None:
    """The best of an attachment's files that is within the bytes, else one to be converted."""
    tries = [(url, room.bytes) for url in (item.url, *item.others)]
    if converts:
        tries.append((item.url, max(MAX_DOWNLOAD, room.bytes)))
    for url, most in tries:
        file.seek(0)
        file.truncate()
        try:
            media.pour(
                url,
                _Spool(file, folder),
                own_host=own_host,
                most=most,
                what=films.WORDS[item.kind],
                seconds=DOWNLOAD_SECONDS,
            )
            file.flush()
        except wire.TooLong:
            continue
        except OSError as error:
            raise _full(folder, error) from None
        return
    raise Unfit(films.too_heavy(item, item.bytes, room))


def _nature(file: IO[bytes]) -> atoms.Nature:
    """What a file is; of what is damaged nothing is known."""
    try:
        return atoms.nature(file)
    except ValueError:
        return atoms.Nature()


def _stripped(file: IO[bytes]) -> bool:
    """Take places out of a file; whether that could be done."""
    try:
        atoms.strip(file)
    except ValueError:
        return False
    return True


@contextmanager
def _converted(item: Media, file: IO[bytes], limits: PlayLimits, folder: Path) -> Iterator[Film]:
    with _file(folder) as made:
        sound = item.kind == "audio"
        try:
            ffmpeg.convert(file, made, limits, item.duration, sound=sound)
        except Refused as error:
            raise Unfit(str(error)) from None
        found = _nature(made)
        film = replace(item, width=found.width, height=found.height)
        film = replace(film, kind="video") if sound else film
        size = made.seek(0, os.SEEK_END)
        if found.mime not in limits.types:
            raise Unfit("ffmpeg made nothing of it that can be sent there")
        wrong = films.length_unfit(replace(film, duration=found.duration), limits)
        if size > limits.bytes:
            wrong = films.too_heavy(film, size, limits)
        if wrong:
            raise Unfit(f"{wrong} after it was converted")
        yield _film(film, made, found.mime)
