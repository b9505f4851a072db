"""Links, mentions and tags in plain text, as X and Mastodon find them, and what follows from it."""

import html
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

import regex

from bridge.post import Run, join_runs
from bridge.text import patterns

_GRAPHEME = regex.compile(r"\X")
_SCHEME = regex.compile(r"https?://", regex.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Span:
    """An entity at code points [start, end) of a text.

    `value` is a link as written, and a mention, hashtag or cashtag without its sign.
    """

    start: int
    end: int
    kind: Literal["link", "mention", "hashtag", "cashtag"]
    value: str


def x_entities(text: str) -> list[Span]:
    """What X makes live in a post: in order, none overlapping another.

    URLs with or without scheme, @mentions, #hashtags, $cashtags, by the rules of twitter-text; a
    list (@user/list) counts as a mention of its owner, which is the cautious reading.
    """
    found = x_links(text)
    if "@" in text or "＠" in text:
        found += (
            Span(match.start(), match.end(1), "mention", match[1])
            for match in patterns.x_mention().finditer(text)
        )
    if "#" in text or "＃" in text:
        found += _spans(patterns.x_hashtag(), "hashtag", text)
    if "$" in text:
        found += _spans(patterns.x_cashtag(), "cashtag", text)
    return _first_of_overlapping(found)


def x_links(text: str) -> list[Span]:
    """The URLs, with or without scheme, that X makes links, in order."""
    if "." not in text or not patterns.x_top_level().search(text):
        return []
    matches = patterns.x_url().finditer(text)
    return [span for match in matches if match["url"] for span in _x_links_in(match)]


def _x_links_in(match: regex.Match[str]) -> Iterator[Span]:
    url, domain = match["url"], match["domain"]
    start, end = match.span("url")
    if not _is_host(domain) or len(url) > 4096:
        return
    if match["scheme"]:
        shortened = patterns.x_shortened().match(url)
        if shortened and len(shortened[1]) > 40:
            return
        url = shortened[0] if shortened else url
        yield Span(start, start + len(url), "link", url)
        return
    if (match["before"] or " ") in "-_./":
        return
    bare = [part for part in patterns.x_ascii_domain().finditer(domain) if part["domain"]]
    for part in bare:
        # Only the last domain of a chain of them can have the path.
        stop = end if match["path"] and part is bare[-1] else start + part.end()
        value = match.string[start + part.start() : start + part.end()]
        if stop == end and match["path"]:
            value += match.string[match.end("domain") : end]
        yield Span(start + part.start(), stop, "link", value)


def _is_host(domain: str) -> bool:
    """Whether the domain can be written as DNS labels of at most 63 bytes."""
    if domain.lower().startswith("xn--") and not domain.isascii():
        return False
    for label in domain.split("."):
        size = len(label) if label.isascii() else len("xn--" + label.encode("punycode").decode())
        if size > 63:
            return False
    return True


def mastodon_entities(text: str) -> list[Span]:
    """What Mastodon makes live in a post: in order, none overlapping another.

    URLs with http or https, @user and @user@host, and #hashtags that are not all digits. Whether
    the host has a known top-level domain is not asked.
    """
    found = _spans(patterns.mastodon_link(), "link", text) if "://" in text else []
    if "@" in text:
        found += _spans(patterns.mastodon_mention(), "mention", text)
    if "#" in text or "＃" in text:
        found += _spans(patterns.mastodon_hashtag(), "hashtag", text)
    return _first_of_overlapping(found)


def to_runs(text: str) -> tuple[Run, ...]:
    """Plain text that a person typed, as runs: its URLs are links and its hashtags hashtags."""
    runs: list[Run] = []
    at = 0
    for span in mastodon_entities(text):
        words = text[span.start : span.end]
        if span.kind == "link":
            run = Run(words, "link", words)
        elif span.kind == "hashtag":
            run = Run(words, "hashtag", words[1:])
        else:
            continue
        runs += [Run(text[at : span.start]), run]
        at = span.end
    return join_runs((*runs, Run(text[at:])))


def _spans(
    pattern: regex.Pattern[str], kind: Literal["link", "mention", "hashtag", "cashtag"], text: str
) -> list[Span]:
    group = 0 if kind == "link" else 1
    return [Span(*match.span(), kind, match[group]) for match in pattern.finditer(text)]


def _first_of_overlapping(spans: list[Span]) -> list[Span]:
    out: list[Span] = []
    for span in sorted(spans, key=lambda span: span.start):
        if not out or span.start >= out[-1].end:
            out.append(span)
    return out


def plain_name(handle: str) -> str:
    """The name in a handle without sign or server: "@alice@example.social" gives "alice".

    A handle that is a domain gives its first label ("@alice.bsky.social": "alice"), for X would
    make a link of the whole.
    """
    name, _, server = handle.lstrip("@＠").partition("@")
    if not server or x_links(name):
        name = name.split(".")[0] or name
    return name


def shorten_url(url: str, limit: int = 30) -> str:
    """A URL for display: no scheme, no "www.", at most `limit` graphemes, the last of them "…" when
    cut. The host is never cut, however long it is.
    """
    shown = regex.sub(r"^(?:https?://)?(?:www\.)?", "", url, flags=regex.IGNORECASE)
    host = regex.match(r"[^/?#]*", shown)
    assert host is not None
    if shown == host[0] + "/":
        shown = host[0]
    clusters = _GRAPHEME.findall(shown)
    if len(clusters) <= limit or shown == host[0]:
        return shown
    kept = max(limit - 1, len(_GRAPHEME.findall(host[0])))
    # what is cut inside %C3 shows nothing of it
    return regex.sub(r"%[0-9A-Fa-f]?$", "", "".join(clusters[:kept])) + "…"


def defuse_mentions(text: str) -> str:
    """The text without the @ of anything that X or Mastodon would take for a mention.

    Nobody is notified by what remains. E-mail addresses stay as they are.
    """
    text = regex.sub(r"[@＠]+(?=[@＠]\w)", "", text)
    for _ in range(8):  # What is left can make a new mention: rt@rt@rt@bob.
        found = (*x_entities(text), *mastodon_entities(text))
        signs = {span.start for span in found if span.kind == "mention"}
        if not signs:
            return text
        text = "".join(char for at, char in enumerate(text) if at not in signs)
    return regex.sub("[@＠]", "", text)


#: servers give `＃tag` back as `#tag`
_FULL_WIDTH = str.maketrans("＃＠", "#@")


def comparable(text: str) -> str:
    """The form in which a post read back from a network equals the text that was sent.

    HTML entities are unescaped, the text is NFC, white space is single spaces, and a URL is host
    (lower case), path and query: X gives `example.com` back as `http://example.com`.
    """
    text = " ".join(unicodedata.normalize("NFC", html.unescape(text)).split())
    text = text.translate(_FULL_WIDTH)
    links = [span for span in mastodon_entities(text) if span.kind == "link"]
    out, at = "", 0
    for link in _first_of_overlapping(links + x_links(text)):
        out += text[at : link.start] + _bare_url(link.value)
        at = link.end
    return out + text[at:]


def is_web(url: str) -> bool:
    """Whether a URL is one of the web; in capitals too (RFC 3986, 3.1)."""
    return _SCHEME.match(url) is not None


def escape_url(url: str) -> str:
    """A URL whose path, query and fragment are ASCII; what is escaped already stays as it is."""
    start = url.find("/", url.find("://") + 3) if "://" in url else url.find("/")
    if start < 0:
        return url
    return url[:start] + quote(url[start:], safe="%/:?#[]@!$&'()*+,;=~-._")


def _bare_url(url: str) -> str:
    parts = regex.match(r"([^/?#]*)([^?#]*)", _SCHEME.sub("", url, count=1))
    assert parts is not None
    return parts[1].lower() + parts[2].rstrip("/") + parts.string[parts.end() :].rstrip("/")
