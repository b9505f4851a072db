"""The story of a post for people, in 80 columns. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from bridge.post import utc
from bridge.readable import shown, wrapped
from bridge.reasons_text import filters_text, steps_text
from bridge.registry import NETWORKS

Told = Mapping[str, Any]


def as_text(story: Told, zone: ZoneInfo | None) -> str:
    """What `explain.as_object` has, with times in UTC and in a zone: if None, this machine's."""
    times = _Times(zone)
    lines = [*_head(story, times)]
    for way in story["ways"]:
        lines += ["", *_way(way, times)]
    return "\n".join(lines)


class _Times:
    """Tells times in UTC and in a zone."""

    def __init__(self, zone: ZoneInfo | None) -> None:
        self._zone = zone

    def __call__(self, at: str) -> str:
        """A time (ISO 8601) in both; only in UTC where they are the same."""
        when = utc(at)
        return f"{when:%Y-%m-%d %H:%M:%S} UTC{self._local(when)}"

    def _local(self, when: datetime) -> str:
        local = when.astimezone(self._zone)
        if not local.utcoffset():
            return ""
        day = "" if local.date() == when.date() else f"{local:%Y-%m-%d} "
        return f" ({day}{local:%H:%M:%S} {self._zone or f'{local:%Z}'})"


def _head(story: Told, times: _Times) -> Iterator[str]:
    yield from wrapped(story["url"] or f"{story['id']} of {story['identity']}")
    who = story["account"] or f"{story['identity']}, which is not in the config any more"
    title = NETWORKS[story["network"]].title
    yield from wrapped(f"a post of {who} ({title}), id {story['id']}", "  ")
    if story["is"] != "original":
        yield from wrapped(f"{story['asked']} is {_named(story['is'])} of it", "  ")
    if story["published"]:
        yield from wrapped(f"published {times(story['published'])}", "  ")
    yield from wrapped(
        f"first read {times(story['seen'])}" if story["seen"] else "never read", "  "
    )
    for version in story["versions"][1:]:
        yield from wrapped(f"a new version of it read {times(version['seen'])}", "  ")
    if story["deleted"]:
        yield from wrapped(f"deleted: noticed {times(story['deleted'])}", "  ")
    elif story["missing"]:
        yield from wrapped(f"missing on its network since {times(story['missing'])}", "  ")
    for ref in story["refers"]:
        yield from wrapped(f"{ref['how']} {ref['post']}", "  ")
        for url in ref["copies"]:
            yield from wrapped(f"whose copy is {url}", "    ")
    now = story["now"]
    if now["error"]:
        yield from wrapped(f"now: cannot be read again: {shown(now['error'])}", "  ")
    elif now["there"]:
        yield from wrapped(f"now: there, {now['visibility']}", "  ")
    if not story["ways"]:
        yield from wrapped("no bot mirrors its account", "  ")


def _named(what: str) -> str:
    return f"number {what.partition(' ')[2]} in the outbox, a draft" if what != "copy" else "a copy"


def _way(way: Told, times: _Times) -> Iterator[str]:
    mode = "" if way["mode"] in ("live", None) else f", mode {way['mode']}"
    gone = "" if way["mode"] else ", which is not in the config any more"
    why = f": {shown(way['why'])}" if way["why"] else ""
    yield from wrapped(f"-> {way['target']} (bot {way['bot']}{mode}{gone}): {way['outcome']}{why}")
    if way["remedy"]:
        yield from wrapped(f"what to do: {way['remedy']}", "   ")
    for verdict in way["verdicts"]:
        reason = f": {shown(verdict['reason'])}" if verdict["reason"] else ""
        yield from wrapped(f"{times(verdict['at'])}: {verdict['verdict']}{reason}", "   ")
    for draft in way["drafts"]:
        yield from _draft(draft, times)
        if draft["remedy"] and draft["remedy"] != way["remedy"]:
            yield from wrapped(f"what to do: {draft['remedy']}", "     ")
    for copy in way["copies"]:
        yield from _copy(copy, times)
    for loss in way["losses"]:
        yield from wrapped(f"lost {shown(loss)}", "   ")
    if way["today"]:
        yield from _today(way["today"])


def _draft(draft: Told, times: _Times) -> Iterator[str]:
    part = f" {draft['part']} of {draft['parts']}" if draft["parts"] > 1 else ""
    again = f", made anew ({draft['generation']})" if draft["generation"] else ""
    yield from wrapped(
        f"draft {draft['id']}: {draft['does']}{part}{again}: {draft['state']}", "   "
    )
    if draft["queued"]:
        yield from wrapped(f"queued {times(draft['queued'])}", "     ")
    if draft["attempted"]:
        failed = f", {draft['attempts']} failed attempts" if draft["attempts"] else ""
        yield from wrapped(f"last sent {times(draft['attempted'])}{failed}", "     ")
    elif draft["attempts"]:
        yield from wrapped(f"{draft['attempts']} failed attempts", "     ")
    if draft["approved"]:
        yield from wrapped("let go by a person", "     ")
    if draft["reason"]:
        yield from wrapped(shown(draft["reason"]), "     ")
    if draft["not_before"]:
        yield from wrapped(f"not before {times(draft['not_before'])}", "     ")
    if draft["waits_for"]:
        yield from wrapped(f"waits for draft {', '.join(map(str, draft['waits_for']))}", "     ")


def _copy(copy: Told, times: _Times) -> Iterator[str]:
    what = "correction" if copy["correction"] else "copy"
    part = f" {copy['part']}" if copy["part"] > 1 else ""
    yield from wrapped(f"{what}{part}: {copy['url'] or copy['id']}", "   ")
    if copy["deleted"]:
        yield from wrapped(f"deleted {times(copy['deleted'])}", "     ")


def _today(today: Told) -> Iterator[str]:
    """What today's configuration says of the post as it is now."""
    told = f"it would be skipped: {shown(today['skipped'])}" if today["skipped"] else "it is taken"
    yield from wrapped(f"read again now, with the config of today, {told}", "   ")
    yield from filters_text(today["filters"], "     ")
    yield from steps_text(today["steps"], "     ")
