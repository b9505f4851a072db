"""Uploads to the simulated X, and the files that it serves (X API, Media)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bridge import atoms
from bridge.networks.twitter.simulator.model import Media, invalid, problem
from bridge.simulation import STILL, Part, Request, Response

TYPES = frozenset(["image/jpeg", "image/png", "image/gif", "image/webp", "video/mp4"])
#: bytes of an image, of a GIF, and of any other file
IMAGE, GIF, FILE = 5 * 1024 * 1024, 15 * 1024 * 1024, 512 * 1024 * 1024
SEGMENTS = 1000
ALT = 1000
#: the longest video, in seconds
LONGEST = 140.0


class Files:
    """Every file, by id. `processing` is how long X works on a video, and `fails` how that ends."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._files: dict[str, Media] = {}
        self._now = now
        self.processing = timedelta(0)
        self.fails = False

    def answer(self, owner: str, kind: str, request: Request, body: Mapping[str, Any]) -> Response:
        """Answer one step of an upload by the account `owner`."""
        named = request.path.split("/")[4:5]
        match kind:
            case "POST /2/media/upload/initialize":
                file = self.begin(owner, str(body.get("media_type")), body.get("total_bytes"))
                file.category = str(body.get("media_category"))
                data = {"id": file.id, "media_key": file.key, "expires_after_secs": 86400}
            case "POST /2/media/upload/:id/append":
                self._append(self._file(owner, named[0]), dict(request.form()))
                data = {"expires_at": 86400}
            case "POST /2/media/upload/:id/finalize":
                file = self._file(owner, named[0])
                finish(file, b"".join(file.segments[i] for i in sorted(file.segments)))
                if file.mime.startswith("video/"):
                    file.ready_at = self._now() + self.processing
                    file.fails = self.fails or file.duration > LONGEST
                data = {"id": file.id, "media_key": file.key, "size": file.size}
                data |= self._processing(file)
            case "GET /2/media/upload":
                file = self._file(owner, request.get("media_id"))
                if request.get("command") != "STATUS":
                    raise invalid("command", request.get("command"), "must be STATUS")
                data = {"id": file.id, "media_key": file.key, "size": file.size}
                data |= self._processing(file)
            case "POST /2/media/metadata":
                file = self._file(owner, str(body.get("id")))
                alt = body.get("metadata", {}).get("alt_text", {}).get("text")
                if not isinstance(alt, str) or not 0 < len(alt) <= ALT:
                    raise invalid("metadata.alt_text.text", "", f"must be 1 to {ALT} characters")
                file.alt = alt
                data = {"id": file.id, "associated_metadata": body["metadata"]}
            case _:
                raise problem(404, "Not Found")
        return Response(200, {"data": data})

    def begin(self, owner: str, mime: str, size: Any) -> Media:
        """A new file, still empty."""
        if mime not in TYPES:
            raise invalid("media_type", mime, "not a known media type")
        most = GIF if mime == "image/gif" else IMAGE if "image/" in mime else FILE
        if not isinstance(size, int) or not 0 < size <= most:
            raise invalid("total_bytes", str(size), "the file is empty or too large")
        file = Media(str(17 * 10**17 + len(self._files)), owner, mime, size)
        self._files[file.id] = file
        return file

    def add(self, owner: str, mime: str, data: bytes, alt: str) -> Media:
        """A whole file at once."""
        file = self.begin(owner, mime, len(data))
        finish(file, data)
        file.alt = alt
        return file

    def attached(self, owner: str, body: Mapping[str, Any]) -> tuple[Media, ...]:
        """The files that a new post names: up to four images, or one GIF or video."""
        ids = body.get("media", {}).get("media_ids", [])
        files = tuple(self._file(owner, str(media_id)) for media_id in ids)
        videos = sum(
            file.mime.startswith("video/") or file.category == "tweet_gif" for file in files
        )
        if len(files) > 4 or (videos and len(files) > 1) or not all(map(self._done, files)):
            raise problem(400, "Your media IDs are invalid.")
        return files

    def _done(self, file: Media) -> bool:
        waits = file.ready_at is not None and self._now() < file.ready_at
        return bool(file.data) and not waits and not file.fails

    def _processing(self, file: Media) -> dict[str, Any]:
        """How far X is with a video (X API, Media upload status)."""
        if file.ready_at is None or (self.processing == timedelta(0) and not file.fails):
            return {}
        if self._now() < file.ready_at:
            info: dict[str, Any] = {"state": "in_progress", "check_after_secs": 5}
            return {"processing_info": info | {"progress_percent": 40}}
        if file.fails:
            error = {"code": 1, "name": "InvalidMedia", "message": "Unsupported video format"}
            return {"processing_info": {"state": "failed", "error": error}}
        return {"processing_info": {"state": "succeeded", "progress_percent": 100}}

    def serve(self, media_id: str, *, still: bool = False) -> Response:
        """The file itself, or the image that stands for a video."""
        file = self._files.get(media_id)
        if file is not None and still:
            return Response(200, STILL, {"content-type": "image/png"})
        if file is None:
            return Response(404, {"error": "not found"})
        return Response(200, file.data, {"content-type": file.mime})

    def _append(self, file: Media, form: Mapping[str, Part]) -> None:
        index = form.get("segment_index", Part(b"")).text
        if not index.isdecimal() or int(index) >= SEGMENTS or "media" not in form:
            raise invalid("segment_index", index, f"must be below {SEGMENTS}, beside `media`")
        file.segments[int(index)] = form["media"].data

    def _file(self, owner: str, media_id: str) -> Media:
        file = self._files.get(media_id)
        if file is None or file.owner != owner:
            raise problem(400, "Your media IDs are invalid.")
        return file


def finish(file: Media, data: bytes) -> None:
    """Complete a file: measure it, or refuse what cannot be read."""
    from PIL import Image, UnidentifiedImageError

    if len(data) != file.size:
        raise problem(400, "the segments are not as long as total_bytes")
    if file.mime.startswith("image/"):
        try:
            with Image.open(io.BytesIO(data)) as image:
                file.width, file.height = image.size
                file.mime = image.get_format_mimetype() or file.mime
        except UnidentifiedImageError:
            raise problem(400, "the media could not be read") from None
    if file.mime == "video/mp4":
        try:
            film = atoms.nature(io.BytesIO(data))
        except ValueError:
            film = atoms.Nature()
        if film.mime != "video/mp4":
            raise problem(400, "the media could not be read")
        file.width, file.height, file.duration = film.width, film.height, film.duration
        file.animated = b"soun" not in data
    file.data = data
    file.segments.clear()
