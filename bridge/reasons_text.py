"""What `reasons` tells of filters and steps, for people. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.readable import shown, sized, wrapped


def filters_text(filters: Sequence[Mapping[str, Any]], indent: str) -> Iterator[str]:
    """What each filter said of a post: those that let it pass together, then those that did not."""
    passed = [f"{f['filter']} ({shown(f['wants'])})" for f in filters if f["passes"]]
    if passed:
        yield from wrapped(f"passes {', '.join(passed)}", indent)
    for ruling in filters:
        if not ruling["passes"]:
            yield from wrapped(f"stopped by {ruling['filter']} ({shown(ruling['wants'])})", indent)


def steps_text(steps: Sequence[Mapping[str, Any]], indent: str) -> Iterator[str]:
    """What each step made of a post, with the lines of its text that are other ones then."""
    for step in steps:
        if step["skips"]:
            yield from wrapped(f"step {step['step']}: skips it: {shown(step['skips'])}", indent)
            continue
        changed = ", ".join(step["changes"]) or "nothing"
        yield from wrapped(f"step {step['step']}: changes {changed}", indent)
        if step["text"]:
            before, after = (step["text"][name].splitlines() for name in ("before", "after"))
            # the first two lines are heads
            for line in list(difflib.unified_diff(before, after, n=0, lineterm=""))[2:]:
                if line[0] in "+-":
                    yield from sized(line[1:], f"{indent}  {line[0]} ")
