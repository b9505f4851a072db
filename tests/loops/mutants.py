"""The program with one of its guards taken away: the test must notice."""

from __future__ import annotations

from collections.abc import Callable

from bridge import bridges, ingest, standing


def _no_links() -> None:
    """Posts that links know as copies count as sources."""
    judge = ingest._judge
    ingest._judge = lambda way, post, _link, *rest: judge(way, post, None, *rest)


def _no_match() -> None:
    """Pages are not matched against drafts in doubt."""
    ingest._find_echoes = lambda *_: {}


def _no_marks() -> None:
    """Nobody looks who made a post."""
    bridges.maker = lambda post: ""


def _no_standing() -> None:
    """What is boosted or quoted is taken to stand nowhere."""
    standing.shown = lambda *_: None


def _no_boosts() -> None:
    """Boosts and wordless quotes of one's own, or of the target's own, go out like any other."""
    standing.shows_in_vain = lambda *_: None


def _no_twins() -> None:
    """The twin that another server or bridge shows of a post counts as a stranger's."""
    bridges.home_page = lambda url: ""


MUTANTS: dict[str, Callable[[], None]] = {
    "": lambda: None,
    "no-links": _no_links,
    "no-match": _no_match,
    "no-marks": _no_marks,
    "no-boosts": _no_boosts,
    "no-standing": _no_standing,
    "no-twins": _no_twins,
}
