"""How long a text is: in graphemes, bytes, Mastodon's characters and X's weight."""

import unicodedata

import regex

from bridge.text.entities import mastodon_entities, x_links

_GRAPHEME = regex.compile(r"\X")
# An emoji is one whatever its parts: a flag, a keycap, or people joined to a family.
_EMOJI = regex.compile(
    r"\p{RI}\p{RI}|[#*0-9]\uFE0F?\u20E3|\U0001F3F4[\U000E0020-\U000E007E]+\U000E007F"
    r"|(?P<one>\p{Emoji_Modifier_Base}\p{Emoji_Modifier}\uFE0F?"
    r"|[©®™]\uFE0F|(?![©®™])\p{Extended_Pictographic}(?:\uFE0F|(?!\uFE0E))|\p{Emoji_Modifier})"
    r"(?:\u200D(?&one))*"
)
_HEAVY = regex.compile(r"[^\u0000-\u10FF\u2000-\u200D\u2010-\u201F\u2032-\u2037]")


def graphemes(text: str) -> int:
    """The number of extended grapheme clusters: what a reader takes for characters."""
    if text.isascii():
        return len(text) - text.count("\r\n")
    return len(_GRAPHEME.findall(text))


def clusters(text: str) -> list[str]:
    """The extended grapheme clusters of a text: what a reader takes for its characters."""
    return _GRAPHEME.findall(text)


def byte_length(text: str) -> int:
    """The number of bytes in UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def mastodon_length(text: str, warning: str = "", url_length: int = 23) -> int:
    """The characters of a post as Mastodon counts them (Mastodon documentation, user/posting).

    Graphemes of text and content warning; a URL with scheme counts `url_length` (the server's
    `characters_reserved_per_url`), and @user@host as much as @user.
    """
    length = graphemes(warning)
    at = 0
    if "@" in text or "://" in text:
        for span in mastodon_entities(text):
            if span.kind == "link":
                length += graphemes(text[at : span.start]) + url_length
                at = span.end
            elif span.kind == "mention":
                length += graphemes(text[at : span.start] + "@" + span.value.partition("@")[0])
                at = span.end
    return length + graphemes(text[at:])


def weighted_length(text: str) -> int:
    """The weight of a post on X, where 280 is the limit (twitter-text, configuration 3).

    Of the NFC form: a URL, with or without scheme, weighs 23, an emoji 2, a character of most
    alphabets 1, any other 2.
    """
    text = unicodedata.normalize("NFC", text)
    weight = at = 0
    for link in x_links(text):
        weight += _weight(text[at : link.start]) + 23
        at = link.end
    return weight + _weight(text[at:])


def _weight(text: str) -> int:
    if text.isascii():
        return len(text)
    rest, emoji = _EMOJI.subn("", text)
    return 2 * emoji + len(rest) + len(_HEAVY.findall(rest))
