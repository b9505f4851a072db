"""The page that tells what becomes of all that a post can carry, made of `matrix.yaml` and cases.

`matrix.yaml` has groups of rows. A row's name is the feature in the names of its cases; it holds
`title`, what happens by default on each target (`bluesky`, or `mastodon-bluesky` for one direction
alone), `settings` that change it, and `absent`: networks whose posts cannot carry it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import yaml

from bridge.registry import NETWORKS
from tests.corpus import HERE, Case

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "matrix.md"
SHORT = {"mastodon": "Mastodon", "bluesky": "Bluesky", "twitter": "X"}
DIRECTIONS = tuple(permutations(("mastodon", "bluesky", "twitter"), 2))
NOTHING = "–"

HEAD = """\
# What becomes of all that a post can carry

Made from the golden cases in `tests/corpus/` by `python -m tests.corpus --update`; do not edit.

A cell says what happens by default, and in brackets how many cases show it; – is what the source
cannot carry. Under each table stand the [settings](settings.md) that change it, and the names of the
cases: `one-line.mastodon` in the row `plain` is `tests/corpus/cases/plain--one-line.mastodon.yaml`.
What of a post is lost on the way is kept with the copy, and a post is never mirrored at all unless
it is public enough by the bot's settings.
"""


def groups() -> list[dict[str, Any]]:
    """The groups of rows, in order."""
    found: list[dict[str, Any]] = yaml.safe_load((HERE / "matrix.yaml").read_text("utf-8"))
    return found


def rows() -> dict[str, dict[str, Any]]:
    """Every row by its name."""
    return {name: row for group in groups() for name, row in group["rows"].items()}


def cell(row: dict[str, Any], source: str, target: str) -> str:
    """What happens by default in one direction; "" if nothing is told."""
    if source in row.get("absent", ()):
        return NOTHING
    return str(row.get(f"{source}-{target}") or row.get(target) or "")


def shown_by(cases: Sequence[Case], name: str, source: str) -> list[Case]:
    """The cases of a row from one network."""
    return [case for case in cases if case.feature == name and case.network == source]


def without_case(cases: Sequence[Case]) -> list[str]:
    """The cells that no case shows."""
    return [
        f"{name}: {SHORT[source]} to {SHORT[target]}"
        for name, row in rows().items()
        for source, target in DIRECTIONS
        if cell(row, source, target) != NOTHING and not shown_by(cases, name, source)
    ]


def page(cases: Sequence[Case]) -> str:
    """The whole page."""
    text = HEAD
    for group in groups():
        titles = " | ".join(f"{SHORT[a]} to {SHORT[b]}" for a, b in DIRECTIONS)
        text += f"\n## {group['title']}\n\n| | {titles} |\n|{' --- |' * (len(DIRECTIONS) + 1)}\n"
        for name, row in group["rows"].items():
            cells = [_counted(cases, name, row, *direction) for direction in DIRECTIONS]
            text += f"| {row['title']} | {' | '.join(cells)} |\n"
        for name, row in group["rows"].items():
            text += f"\n{_listed(cases, name, row)}\n"
    return text


def _counted(cases: Sequence[Case], name: str, row: dict[str, Any], a: str, b: str) -> str:
    told = cell(row, a, b)
    return told if told == NOTHING else f"{told} ({len(shown_by(cases, name, a))})"


def _listed(cases: Sequence[Case], name: str, row: dict[str, Any]) -> str:
    """The settings of a row and the names of its cases, those that have settings with them."""
    settings = ", ".join(f"`{setting}`" for setting in row.get("settings", ()))
    names = [
        f"`{case.variant}.{case.source}`"
        for network in NETWORKS
        for case in shown_by(cases, name, network)
    ]
    changed = f" Changed by {settings}." if settings else ""
    told = f"**{row['title']}** (`{name}`).{changed} Cases: {', '.join(sorted(names))}."
    return textwrap.fill(told, 100, break_long_words=False, break_on_hyphens=False)


def settings_of(case: Case) -> set[str]:
    """The names of the settings that a case changes, those for one target too."""
    own = {name for name in case.settings if name != "for"} | ({"people"} if case.people else set())
    return own.union(*(set(each) for each in case.settings.get("for", {}).values()))
