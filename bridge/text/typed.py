"""Text that a person typed as runs: links, hashtags and mentions are found in it. Pure."""

from __future__ import annotations

from collections.abc import Callable

import regex

from bridge.post import Run, join_runs
from bridge.text.entities import plain_name, to_runs

#: `@name`, `@name@host` or `@a.domain`, not within a word or an address of a page
_HANDLE = regex.compile(r"(?<![\w/@.])@(\w[\w-]*(?:\.\w[\w-]*)*(?:@\w[\w-]*(?:\.\w[\w-]*)+)?)")


def typed_runs(text: str, profile: Callable[[str], str]) -> tuple[Run, ...]:
    """A text as a network would read it; `profile` gives the address of a person by the handle."""
    runs: list[Run] = []
    for run in to_runs(text):
        if run.kind != "text":
            runs.append(run)
            continue
        at = 0
        for found in _HANDLE.finditer(run.text):
            handle = found[1]
            runs.append(Run(run.text[at : found.start()]))
            runs.append(Run(found[0], "mention", profile(handle), plain_name(handle)))
            at = found.end()
        runs.append(Run(run.text[at:]))
    return join_runs(runs)
