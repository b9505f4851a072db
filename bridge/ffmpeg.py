"""Films and sounds converted by ffmpeg, where it is installed; nothing here needs it."""

from __future__ import annotations

import shutil
import subprocess
from typing import IO

from bridge.network import PlayLimits, Refused

#: the program, looked for on PATH each time that it may be needed
PROGRAM = "ffmpeg"
#: seconds that a conversion may take
SECONDS = 900.0
#: bits a second of sound, and the least and most that a picture is given
SOUND, LEAST, MOST = 128_000, 200_000, 5_000_000
#: the longest side of a converted picture, in pixels
SIDE = 1280
_SCALE = (
    f"scale=w='min({SIDE},iw)':h='min({SIDE},ih)'"
    ":force_original_aspect_ratio=decrease:force_divisible_by=2"
)
_FORMATS = "mov,matroska,webm,ogg,mp3,flac,wav,aac,avi,mpeg,mpegts,gif,asf,flv"
#: what is made: H.264 with AAC in MP4 plays everywhere
MIME = "video/mp4"


def is_installed() -> bool:
    """Whether films can be converted on this machine."""
    return shutil.which(PROGRAM) is not None


def convert(
    source: IO[bytes], made: IO[bytes], limits: PlayLimits, seconds: float, *, sound: bool = False
) -> None:
    """Make an MP4 of a film, `seconds` long, that should be within the target's bytes.

    `source` and `made` are open files of the system's; a `sound` is given a black picture. Nothing
    that the source tells about its making is taken along. Raises Refused if ffmpeg cannot read it,
    fails, or takes longer than SECONDS.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise Refused("ffmpeg is not installed any more")
    source.seek(0)  # some systems open it where it stands
    files = (source.fileno(), made.fileno())
    read, write = (f"/dev/fd/{number}" for number in files)
    words = arguments(read, write, limits, seconds, sound=sound)
    try:
        done = subprocess.run(  # noqa: S603 - no shell, and no word of it is a stranger's
            [program, *words],
            pass_fds=files,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Refused(f"ffmpeg took longer than {SECONDS:.0f} seconds") from None
    except OSError as error:
        raise Refused(f"ffmpeg cannot be run ({error.strerror})") from None
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
        said = "".join(c if c.isprintable() else " " for c in last)[:200]
        raise Refused(f"ffmpeg cannot convert it ({said or done.returncode})")


def arguments(
    source: str, made: str, limits: PlayLimits, seconds: float, *, sound: bool
) -> list[str]:
    """The words after the program's name (ffmpeg's documentation: ffmpeg, -formats, -protocols).

    A file is opened by no demuxer but those of _FORMATS, so that no playlist in it is followed.
    """
    length = seconds or min(limits.longest, 3600.0)
    room = 8 * 0.9 * limits.bytes / length - SOUND
    rate = int(min(max(room, LEAST), MOST))
    black = ["-f", "lavfi", "-i", "color=c=black:s=640x360:r=5"] if sound else []
    maps = ["-map", "0:v", "-map", "1:a:0", "-shortest"] if sound else ["-map", "0:v:0"]
    return [
        *("-nostdin", "-hide_banner", "-loglevel", "error", "-y"),
        *black,
        *("-protocol_whitelist", "file", "-format_whitelist", _FORMATS, "-i", source),
        *(maps if sound else [*maps, "-map", "0:a:0?"]),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-c:v", "libx264", "-preset", "veryfast", "-pix_fmt", "yuv420p", "-vf", _SCALE),
        *("-b:v", str(rate), "-maxrate", str(rate), "-bufsize", str(2 * rate)),
        *("-c:a", "aac", "-b:a", str(SOUND), "-movflags", "+faststart", "-f", "mp4", made),
    ]
