"""Plain text to the HTML that Mastodon serves. Only the simulator needs it. Pure."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge import text

#: characters of a link that stay visible (Mastodon cuts the rest away with CSS)
_VISIBLE = 30


@dataclass(frozen=True, slots=True)
class Markup:
    """What a server makes of a text: `html`, the entities of a status, and the links in it."""

    html: str
    mentions: tuple[dict[str, Any], ...]
    tags: tuple[dict[str, Any], ...]
    links: tuple[str, ...]


def mark_up(words: str, server: str, find: Callable[[str], Mapping[str, Any] | None]) -> Markup:
    """The text with links, mentions and hashtags made clickable.

    `find` gives the account entity of `user` or `user@host`, or None: then it stays plain text.
    """
    words = words.strip()
    out: list[str] = []
    mentions: dict[str, dict[str, Any]] = {}
    tags: dict[str, dict[str, Any]] = {}
    links: list[str] = []
    at = 0
    for span in text.mastodon_entities(words):
        piece = words[span.start : span.end]
        out.append(html.escape(words[at : span.start], quote=False))
        at = span.end
        if span.kind == "link":
            links.append(piece)
            out.append(_link(piece))
        elif span.kind == "hashtag":
            name = piece.lstrip("#＃")
            url = f"{server}/tags/{name.lower()}"
            tags[name.lower()] = {"name": name.lower(), "url": url}
            out.append(_anchor(url, "mention hashtag", f"#<span>{name}</span>", ' rel="tag"'))
        else:
            account = find(piece.lstrip("@"))
            if account is None:
                out.append(html.escape(piece, quote=False))
                continue
            kept = {name: account[name] for name in ("id", "username", "acct", "url")}
            mentions[kept["acct"]] = kept
            inner = f"@<span>{kept['username']}</span>"
            anchor = _anchor(kept["url"], "u-url mention", inner)
            out.append(f'<span class="h-card" translate="no">{anchor}</span>')
    out.append(html.escape(words[at:], quote=False))
    return Markup(
        _paragraphs("".join(out)), tuple(mentions.values()), tuple(tags.values()), tuple(links)
    )


def _link(url: str) -> str:
    """A link as Mastodon shows it: no scheme, and cut after 30 characters."""
    scheme = re.match(r"https?://(www\.)?", url)
    start = scheme.end() if scheme else 0
    shown, rest = url[start : start + _VISIBLE], url[start + _VISIBLE :]
    kind = ' class="ellipsis"' if rest else ' class=""'
    inner = (
        f'<span class="invisible">{html.escape(url[:start])}</span>'
        f"<span{kind}>{html.escape(shown)}</span>"
        f'<span class="invisible">{html.escape(rest)}</span>'
    )
    rel = ' target="_blank" rel="nofollow noopener" translate="no"'
    return f'<a href="{html.escape(url)}"{rel}>{inner}</a>'


def _anchor(url: str, kind: str, inner: str, more: str = "") -> str:
    return f'<a href="{html.escape(url)}" class="{kind}"{more}>{inner}</a>'


def _paragraphs(marked: str) -> str:
    if not marked:
        return ""
    parts = re.split(r"\n{2,}", marked.replace("\r\n", "\n"))
    return "".join(f"<p>{part.replace(chr(10), '<br />')}</p>" for part in parts)
