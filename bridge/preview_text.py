"""A preview for people, in 80 columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.preview import Preview, as_object
from bridge.readable import shown, sized, wrapped
from bridge.reasons_text import filters_text, steps_text


def as_text(preview: Preview) -> str:
    """What `preview.as_object` has, for people."""
    found = as_object(preview)
    lines = list(_head(preview, found))
    for post in found["posts"]:
        lines.append("")
        if not preview.typed:
            lines += wrapped(f"{post['url']} of {post['published'][:19].replace('T', ' ')} UTC")
        for target in post["targets"]:
            lines += _target_text(preview, target)
    for error in found["errors"]:
        lines += ["", *wrapped(f"-> {error['target']}: cannot be shown: {error['reason']}")]
    return "\n".join(lines)


def _head(preview: Preview, found: Mapping[str, Any]) -> Iterator[str]:
    yield from wrapped(f"{found['bot']}: what would be posted of {found['source']}")
    if preview.others:
        yield from wrapped(f"--from names another source: {', '.join(preview.others)}", "  ")
    for note in found["notes"]:
        yield from wrapped(note, "  ")


def _target_text(preview: Preview, target: Mapping[str, Any]) -> Iterator[str]:
    parts = target["parts"]
    if target["skipped"]:
        what = f"{'held' if target['held'] else 'skipped'}: {shown(target['skipped'])}"
    else:
        what = "1 post" if len(parts) == 1 else f"{len(parts)} posts"
        what += f", {target['usd']:.3f} USD" if target["usd"] is not None else ""
    yield from wrapped(f"-> {target['target']}: {what}")
    if target["earlier"]:
        yield from wrapped(target["earlier"], "   ")
    if preview.typed:
        yield from wrapped(f"limits: {target['limits']}", "   ")
    yield from filters_text(target["filters"], "   ")
    yield from steps_text(target["steps"], "   ")
    for part in parts:
        yield from _part_text(part)


def _part_text(part: Mapping[str, Any]) -> Iterator[str]:
    counts = ", ".join(f"{c['count']} of {c['maximum']} {c['unit']}" for c in part["counts"])
    number = f"{part['part']}/{part['parts']} " if part["parts"] > 1 else ""
    yield from wrapped(f"{number}{'boost' if part['boosts'] else counts}", "   ")
    if part["content_warning"]:
        yield from sized(f"[{part['content_warning']}]", "   | ")
    for line in part["text"].splitlines():
        yield from sized(line, "   | ")
    for fact in _facts(part):
        yield from wrapped(fact, "     ")


#: what a part may have several of
_LISTS = {"language": "languages", "labels": "labels", "hashtags beside the text": "tags"}


def _facts(part: Mapping[str, Any]) -> Iterator[str]:
    for item in part["media"]:
        yield f"{item['kind']}: {_medium(item)}"
    yield from _card(part["card"])
    if part["poll"]:
        yield f"poll: {' | '.join(map(shown, part['poll']))}"
    for name in ("answers", "quotes", "boosts"):
        if part[name]:
            yield f"{name} the copy of {part[name]}"
    for name, key in _LISTS.items():
        if part[key]:
            yield f"{name}: {', '.join(map(shown, part[key]))}"
    if part["visibility"] != "public":
        yield f"visibility: {part['visibility']}"
    if part["sensitive"] and part["media"]:
        yield "marked as sensitive"
    for loss in part["losses"]:
        yield f"loses {loss['what']}: {shown(loss['detail'])}"
    if part["cost"]:
        yield f"costs {part['cost']['usd']:.3f} USD ({', '.join(part['cost']['calls'])})"
    for kept in part["kept"]:
        until = f", until {kept['until'][:19].replace('T', ' ')} UTC" if kept["until"] else ""
        yield f"{'held: ' if kept['held'] else ''}{kept['reason']}{until}"


def _card(card: Mapping[str, Any] | None) -> Iterator[str]:
    if card is None:
        return
    title = f'"{shown(card["title"])}"' if card["title"] else "of the page"
    yield f"card: {title} {card['url']}"
    if card["picture"]:
        yield f"picture of the card: {_medium(card['picture'])}"


def _medium(item: Mapping[str, Any]) -> str:
    size = f", {item['width']} x {item['height']}" if item["width"] else ""
    weight = f", {item['bytes']:,} bytes" if item["bytes"] else ""
    alt = f', alt "{shown(item["alt"])}"' if item["alt"] else ", no alt text"
    return f"{item['type'] or 'type not told'}{size}{weight}{alt}"
