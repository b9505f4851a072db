"""From what a person writes to what X shows: t.co links, entities, escapes."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bridge.networks.twitter.simulator.model import Media
from bridge.text import x_entities

#: a link to a post at the end of a text makes the post a quote of it
_CLOSING_STATUS = re.compile(r"https://(?:x|twitter)\.com/\w+/status/([0-9]+)(?:\?\S*)?$")
#: what a text over 280 is cut to; the whole of it is the note
CUT = 270


@dataclass(frozen=True, slots=True)
class Composed:
    """A text as X shows it, its entities, and where its links lead."""

    text: str
    entities: dict[str, list[dict[str, Any]]]
    links: tuple[str, ...]


def quoted_id(text: str) -> str:
    """The id of the post that a text quotes, "" if none."""
    found = _CLOSING_STATUS.search(text)
    return found[1] if found else ""


def compose(text: str, seed: str, media: Sequence[Media] = (), own_url: str = "") -> Composed:
    """Wrap links, list entities by code points of the escaped text, and add the media's link."""
    out = ""
    at = 0
    links: list[str] = []
    entities: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for span in x_entities(text):
        out += escape(text[at : span.start])
        at = span.end
        written = text[span.start : span.end]
        if span.kind == "link":
            target = written if "://" in written else f"http://{written}"
            links.append(target)
            short = _short(f"{seed} {len(links)}")
            entity = {"url": short, "expanded_url": target, "display_url": _display(target)}
            group, shown = "urls", short
        elif span.kind == "mention":
            name = span.value.partition("/")[0]
            entity = {"username": name, "id": str(len(name))}
            group, shown = "mentions", written
        else:
            entity, group, shown = {"tag": span.value}, f"{span.kind}s", written
        entities[group].append({"start": len(out), "end": len(out) + len(shown), **entity})
        out += shown
    out += escape(text[at:])
    if media:
        short = _short(f"{seed} media")
        out += f" {short}" if out else short
        place = {"start": len(out) - len(short), "end": len(out), "url": short}
        for number, each in enumerate(media, 1):
            kind = "video" if each.mime.startswith("video/") else "photo"
            expanded = {"expanded_url": f"{own_url}/{kind}/{number}"}
            shown = short.replace("https://t.co", "pic.x.com")
            entities["urls"].append(
                {**place, **expanded, "display_url": shown, "media_key": each.key}
            )
    return Composed(out, dict(entities), tuple(links))


def note(text: str, seed: str, media: Sequence[Media], own_url: str) -> dict[str, Any]:
    """The fields of a post over 280: the text cut short, and the whole of it as `note_post`."""
    cut = compose(text[:CUT].rsplit(" ", 1)[0] + "…", seed, media, own_url)
    whole = compose(text, seed)
    return {
        "text": cut.text,
        "entities": cut.entities,
        "note_post": {"text": whole.text, "entities": whole.entities},
    }


def escape(text: str) -> str:
    """The three escapes that X makes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _short(seed: str) -> str:
    """A t.co link: always 23 characters."""
    return f"https://t.co/{hashlib.sha256(seed.encode()).hexdigest()[:10]}"


def _display(url: str) -> str:
    shown = url.partition("://")[2].removeprefix("www.")
    return shown if len(shown) <= 27 else shown[:26] + "…"
