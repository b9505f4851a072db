"""The pages of the documentation, as the tests read them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
TUTORIAL = "docs/tutorial.md"
#: pages of docs/how-to/ that are about one wish, with a bot and its tests
WISHES = (
    *("both-ways", "one-hashtag", "opt-out", "languages", "twitter-announcements"),
    *("moving", "delay", "threads", "alt-texts", "forks"),
)
#: pages that are followed literally, from their first block to their last
FOLLOWED = (TUTORIAL, *(f"docs/how-to/{name}.md" for name in WISHES))
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [body for info, body in FENCE.findall(text) if info == language]


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return text.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def rows(text: str, mark: str) -> list[list[str]]:
    """The cells of the first table after a mark, without its head."""
    lines = text[text.index(mark) :].split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)
