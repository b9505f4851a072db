"""When two words are the same to people, however they are written."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

import regex

#: letters of languages that write words without spaces between them, or endings onto them
_RUNNING_ON = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々]"
)


def composed(text: str) -> str:
    """A text in which é is one character (NFC), as most programs write it, and some do not."""
    return unicodedata.normalize("NFC", text)


def folded(text: str) -> str:
    """What is the same for two texts that differ in case only, or in how é is written."""
    return composed(composed(text).casefold())


def tag_key(tag: str) -> str:
    """What is the same for two spellings of one hashtag, with its sign or without."""
    return folded(tag.lstrip("#＃"))


def find_word(text: str, words: Iterable[str]) -> str | None:
    """The first of some words or phrases that stands in a text as a whole; None if none does.

    Where words run on, as in Japanese or Korean, it may be part of another.
    """
    text = folded(text)
    for word in words:
        meant = folded(word)
        before = "" if _RUNNING_ON.match(meant) else r"(?<!\w)"
        after = "" if _RUNNING_ON.match(meant[-1:]) else r"(?!\w)"
        if regex.search(before + regex.escape(meant) + after, text):
            return word
    return None
