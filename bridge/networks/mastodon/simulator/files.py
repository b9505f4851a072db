"""What the simulator's server makes of an uploaded file."""

from __future__ import annotations

import io
from typing import Any

from bridge import atoms
from bridge.networks.mastodon.simulator.flavours import IMAGE_BYTES, IMAGE_PIXELS, IMAGE_TYPES


class Rejected(Exception):
    """A file that the server does not take."""


def looked_at(data: bytes, video_bytes: int) -> tuple[str, str, dict[str, Any]]:
    """Type, kind and `meta.original` of a file (Mastodon documentation, MediaAttachment)."""
    from PIL import Image

    try:
        film = atoms.nature(io.BytesIO(data))
    except ValueError:
        film = atoms.Nature()
    if film.mime:
        if len(data) > video_bytes:
            raise Rejected("File is too large")
        meta: dict[str, Any] = {"duration": film.duration, "bitrate": 128_000}
        if film.mime.startswith("audio/"):
            return film.mime, "audio", meta
        silent = b"soun" not in data
        size = {"width": film.width, "height": film.height, "frame_rate": "25/1"}
        return film.mime, "gifv" if silent else "video", meta | size
    try:
        with Image.open(io.BytesIO(data)) as image:
            kind, (width, height) = IMAGE_TYPES[image.format or ""], image.size
    except (OSError, KeyError, ValueError):
        raise Rejected("File content type is invalid") from None
    if len(data) > IMAGE_BYTES or width * height > IMAGE_PIXELS:
        raise Rejected("File is too large")
    shape = {"width": width, "height": height, "size": f"{width}x{height}"}
    return kind, "image", shape | {"aspect": width / height}
