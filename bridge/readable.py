"""Lines for a terminal of 80 columns; what others wrote cannot upset it. Pure."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Iterator

WIDTH = 80
_FIRST_STRONG, _POP = "\u2068", "\u2069"
_ISOLATES = ("\u2066", "\u2067", _FIRST_STRONG)
_OTHER_WAY = ("R", "AL", "AN", "RLE", "RLO", "LRE", "LRO", "RLI", "LRI", "FSI")


def wrapped(words: str, indent: str = "") -> Iterator[str]:
    """A sentence in lines; the second and later ones are set in.

    What stands in it of a post should have gone through `shown`.
    """
    depth = 0
    for line in textwrap.wrap(
        plain(words),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=f"{indent}  ",
        break_long_words=False,
        break_on_hyphens=False,
    ):
        margin = len(line) - len(line.lstrip(" "))
        opened = depth
        depth += line.count(_FIRST_STRONG) - line.count(_POP)
        # every line is a paragraph of its own: what goes on in the next one is kept apart there too
        yield line[:margin] + _FIRST_STRONG * opened + line[margin:] + _POP * depth


def shown(words: str) -> str:
    """Words of a post within a line of ours."""
    return isolated(plain(words))


def sized(line: str, margin: str) -> Iterator[str]:
    """A line of a post behind a margin, cut where the terminal ends, as it stands otherwise."""
    room = WIDTH - len(margin)
    pieces = textwrap.wrap(
        plain(line),
        room,
        break_long_words=False,
        break_on_hyphens=False,
        replace_whitespace=False,
    )
    for piece in pieces or [""]:
        yield margin + isolated(piece)


def plain(words: str) -> str:
    """A text without what a terminal would obey: controls are shown as `�`."""
    return "".join(
        " " if char in "\n\t" else "�" if unicodedata.category(char) == "Cc" else char
        for char in words
    )


def isolated(words: str) -> str:
    """A text with letters of a script that runs leftwards, kept apart from what stands around it.

    Unicode Bidirectional Algorithm (UAX 9, 2.4): so that counts and brackets beside it stay where
    they belong. Any other text is given back as it is.
    """
    if not any(unicodedata.bidirectional(char) in _OTHER_WAY for char in words):
        return words
    depth, kept = 0, ""
    for char in words:
        if char == _POP and depth == 0:
            continue  # it would end what is around it
        depth += (char in _ISOLATES) - (char == _POP)
        kept += char
    return f"{_FIRST_STRONG}{kept}{_POP * depth}{_POP}"
