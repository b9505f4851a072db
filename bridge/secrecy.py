"""The secrets that this process holds, and texts without them.

A server may repeat a token in what it says of it; no error, log line or page may pass that on.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from urllib.parse import quote

#: what is shorter is too likely to stand in a text for another reason
SHORTEST = 6

_known: dict[str, None] = {}


def keep(secrets: Iterable[str]) -> None:
    """From now on, leave these out of every text."""
    _known.update(dict.fromkeys(secret for secret in secrets if len(secret) >= SHORTEST))


def forget(secrets: Iterable[str]) -> None:
    """These are secret no more: they were exchanged for others."""
    for secret in secrets:
        _known.pop(secret, None)


def redact(text: str) -> str:
    """A text with each known secret, as it is or as JSON or a URL spells it, blotted out."""
    # the longest first: one may begin with another
    for secret in sorted(_known, key=len, reverse=True):
        for written in {secret, json.dumps(secret)[1:-1], quote(secret, "")}:
            if written in text:
                text = text.replace(written, "[secret]")
    return text
