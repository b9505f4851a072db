"""Links of a text: whether it has any, and the text without them. Pure.

X has the widest notion of a link among the networks (a bare `example.com` is one), and charges for
it, so it is the measure for every target.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import regex

from bridge.post import Run, join_runs, replace_in_runs
from bridge.text.entities import Span, mastodon_entities, x_links

Runs = tuple[Run, ...]


def has_link(runs: Runs) -> bool:
    """Whether a text has a link, or words that X makes one."""
    return any(run.kind == "link" for run in runs) or _first_link(runs) is not None


def drop_links(runs: Runs) -> Runs:
    """A text without its links: URLs are left out, words that were a link stay as words."""
    out: list[Run] = []
    gap = False  # a URL was left out just before
    for run in (part for whole in runs for part in _apart(whole)):
        if run.kind == "link" and shows_url(run):
            gap = True
            continue
        text = run.text
        if gap:
            text, gap = _close(out, text), False
        out.append(Run(text) if run.kind == "link" else replace(run, text=text))
    if gap:
        _close(out, "")
    return join_runs(out)


def _apart(run: Run) -> Iterator[Run]:
    """Plain text, its URLs with a scheme as links of their own."""
    if run.kind != "text":
        yield run
        return
    at = 0
    for span in mastodon_entities(run.text):
        if span.kind == "link":
            yield Run(run.text[at : span.start])
            yield Run(span.value, "link", span.value)
            at = span.end
    yield Run(run.text[at:])


def _close(before: list[Run], after: str) -> str:
    """Close the gap between runs and the text after it; what remains of that text."""
    if before and before[-1].text.endswith("(") and after.startswith(")"):
        before[-1] = replace(before[-1], text=before[-1].text[:-1])
        after = after[1:]
    # no space is left before the end of a line or sentence
    ends = not after.strip() or after[0] in "\n.,;:!?…"
    if before and before[-1].kind == "text" and ends:
        before[-1] = replace(before[-1], text=before[-1].text.rstrip(" "))
    last = before[-1].text if before else ""
    if not last or last.endswith("\n"):
        return after.lstrip()
    return after.lstrip(" ") if last.endswith(" ") else after


def defuse_links(runs: Runs) -> Runs:
    """A text in which X finds no link: `example.com` becomes `example(.)com`."""
    while (span := _first_link(runs)) is not None:
        dot = span.start + span.value.index(".")
        runs = replace_in_runs(runs, dot, dot + 1, "(.)")
    return runs


def _first_link(runs: Runs) -> Span | None:
    return next(iter(x_links("".join(run.text for run in runs))), None)


def shows_url(run: Run) -> bool:
    """Whether a link's text is its URL, whole or shortened, and not words of its own."""
    shown = run.text.strip().removesuffix("…").removesuffix("...")
    bare = run.target.split("://", 1)[-1]
    forms = (run.target, bare, bare.removeprefix("www."))
    shown_bare = shown.split("://", 1)[-1].casefold()
    return bool(shown_bare) and any(form.casefold().startswith(shown_bare) for form in forms)


def shows_other_site(run: Run) -> bool:
    """Whether a link's text is an address of another site than the one that it leads to."""
    shown = run.text.strip()
    spans = x_links(shown)
    if "://" not in shown and (len(spans) != 1 or spans[0].value != shown):
        return False
    return _host(shown) != _host(run.target)


def _host(url: str) -> str:
    bare = url.partition("://")[2] or url
    return regex.split(r"[/?#:\s]", bare, maxsplit=1)[0].casefold().removeprefix("www.")
