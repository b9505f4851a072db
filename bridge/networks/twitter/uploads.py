"""Uploads to X: parts of a file, read while they are sent, and how far X is with them. Pure."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import IO, Any


class Part:
    """A stretch of an open file, as a file to be read; httpx asks for no more than this."""

    def __init__(self, file: IO[bytes], start: int, size: int) -> None:
        self._file = file
        self._start = start
        self._size = size
        self._at = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes from where it stands; all that is left if that is negative."""
        left = max(self._size - self._at, 0)
        self._file.seek(self._start + self._at)
        found = self._file.read(left if size < 0 else min(size, left))
        self._at += len(found)
        return found

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Stand at a place of the part."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        """Where it stands."""
        return self._at


def parts(file: IO[bytes], size: int, most: int) -> Iterator[Part]:
    """The parts of a file of so many bytes, each of at most `most`."""
    for start in range(0, size, most):
        yield Part(file, start, min(most, size - start))


def processing(said: Mapping[str, Any]) -> tuple[str, float, str]:
    """How far X is with an upload: its state, seconds until to ask again, and why it failed."""
    info = said.get("processing_info")
    if not isinstance(info, dict):
        return "succeeded", 0.0, ""
    after, error = info.get("check_after_secs"), info.get("error")
    told = isinstance(after, int | float) and not isinstance(after, bool) and 0 < after < 3600
    words = [error.get("message"), error.get("name")] if isinstance(error, dict) else []
    why = next((word for word in words if isinstance(word, str) and word), "")
    return str(info.get("state")), float(after) if told and after else 5.0, why[:200]
