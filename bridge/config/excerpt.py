"""The line of a file that a problem stands in, with a caret, and without what may be a secret.

A line is read word by word, for a file with problems may be no YAML at all. What follows the name
of a secret is blotted out, and so is what follows a name that is no setting: it may be a secret
under a misspelt name. Among accounts and alerts, and where it cannot be told, nothing is shown but
names, settings that are no secrets, and variables.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache

from bridge.config.bots import BOT
from bridge.config.trials import TESTS
from bridge.config.yaml_reader import Problem, Source
from bridge.registry import NETWORKS
from bridge.schema import OF_ACCOUNTS, TOP, Setting
from bridge.steps import KINDS

#: characters shown of a line
WIDTH = 100
#: a longer line is not shown at all
LONGEST = 2000
#: stands where something is blotted out
BLOT = "***"

#: a name with its colon; what comes after it to the end of the value; anything else
_NAMED = r"""["']?[^\s:"'{}\[\],#]+["']?\s*:(?=\s|$)"""
_WORD = r"(?:\$\{[^{}\s]*\}|[^\s,{}\[\]])+"
_TOKEN = re.compile(
    r"(?P<space>[\s{}\[\],]+|-\s+)"
    rf"|(?P<name>{_NAMED})"
    rf"""|(?P<text>(?:"[^"]*"?|'[^']*'?|{_WORD})(?:[ \t]+(?!{_NAMED}){_WORD})*)"""
)
_VARIABLE = re.compile(r"[\"']?\$\{[^{}\s]*\}[\"']?")
_TOP_NAME = re.compile(r"[\"']?([\w-]+)[\"']?\s*:(?:\s|$)")
#: sections in which secrets stand
_SECRET = {"accounts", "alerts"}
_OPEN = ({setting.name for setting in TOP} | set(BOT)) - _SECRET


def _all(settings: Iterable[Setting]) -> Iterator[Setting]:
    for setting in settings:
        yield setting
        yield from _all(setting.settings)


_KNOWN = {
    setting.name: setting.kind
    for setting in _all(
        (
            *TOP,
            *(setting for setting in BOT.values() if setting != TESTS),
            *(kind.setting for kind in KINDS.values()),
            *OF_ACCOUNTS,
            *(setting for network in NETWORKS.values() for setting in network.settings),
            Setting("network", "choice", ""),
            Setting("last", "count", ""),
            Setting("since", "string", ""),
        )
    )
}
#: names that are common elsewhere too: they are known among bots only
_IN_TESTS = {setting.name: setting.kind for setting in _all([TESTS])}


def excerpt(problem: Problem, source: Source) -> str:
    """The line and a caret below its column, after a margin; "" if there is nothing to show."""
    if not 1 <= problem.line <= len(source.lines):
        return ""
    line = source.lines[problem.line - 1]
    if not line.strip() or len(line) > LONGEST:
        return ""
    at = min(problem.column - 1, len(line))
    shown, at = _blotted(line, at, strict=_is_strict(source, problem.line))
    start = max(0, at - WIDTH // 2) if len(shown) > WIDTH else 0
    part = shown[start : start + WIDTH].replace("\t", " ")
    margin = str(problem.line)
    caret = " " * sum(map(_columns, part[: at - start])) + "^"
    return f"  {margin} | {part}\n  {' ' * len(margin)} | {caret}"


def _columns(character: str) -> int:
    """The columns of a terminal that a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_strict(source: Source, line: int) -> bool:
    """Whether a line stands among what may be secrets."""
    tops = _tops(source.text)
    found = bisect_right(tops, (line, "\U0010ffff"))
    return found == 0 or tops[found - 1][1] not in _OPEN


@lru_cache(maxsize=1)
def _tops(text: str) -> list[tuple[int, str]]:
    """The lines that are not indented, from 1, and the name that each begins with, or ""."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line and not line[0].isspace() and line[0] != "#":
            name = _TOP_NAME.match(line)
            found.append((number, name[1] if name else ""))
    return found


def _blotted(line: str, at: int, *, strict: bool) -> tuple[str, int]:
    """A line without what may be a secret, and where a place of it is then."""
    parts: list[str] = []
    length, moved, name = 0, at, ""

    def put(written: str, begin: int, end: int) -> None:
        nonlocal length, moved
        if begin <= at < end:
            moved = length + min(at - begin, len(written) - 1)
        parts.append(written)
        length += len(written)

    end = 0
    for token in _TOKEN.finditer(line):
        if token.start() > end:  # signs that are none of these
            put(BLOT if strict else line[end : token.start()], end, token.start())
        end = token.end()
        text = token[0]
        if token["name"]:
            name = text.rstrip(": \t").strip("\"'")
            put(text if _may_show(name, text) else BLOT + ":", token.start(), end)
        elif token["space"]:
            put(text, token.start(), end)
        else:
            put(text if _shown(name, text, strict=strict) else BLOT, token.start(), end)
            name = "" if strict else name
    if end < len(line):
        put(BLOT if strict else line[end:], end, len(line))
    if at >= len(line):
        moved = length
    return "".join(parts), moved


def _may_show(name: str, text: str) -> bool:
    """Whether a name may be shown: a long one may be a secret with a colon after it."""
    return name in _KNOWN or len(text) <= 40


def _shown(name: str, text: str, *, strict: bool) -> bool:
    """Whether a value may be shown that stands after a name, or after none."""
    if _VARIABLE.fullmatch(text):
        return True
    kind = _KNOWN.get(name) or (None if strict else _IN_TESTS.get(name))
    if kind in ("secret", "webhook") or (kind == "url" and re.search("[@?#]", text)):
        return False
    if kind is None:
        return not (strict or name)
    return True
