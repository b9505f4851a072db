"""A text in which each link, mention and hashtag is one sign, so that editing it loses none."""

from __future__ import annotations

from collections.abc import Sequence

from bridge.post import Run, join_runs

#: the first of the signs: Supplementary Private Use Area-B, in which no script is written
_FIRST = 0x100000
_MOST = 0xFFFD


class TooMany(Exception):
    """There are more links, mentions and hashtags than signs for them."""


def weave(runs: Sequence[Run]) -> tuple[str, tuple[Run, ...]]:
    """The text of some runs, and the runs for which a sign stands in it. Raises TooMany."""
    pieces: list[str] = []
    atoms: list[Run] = []

    def sign(run: Run) -> None:
        if len(atoms) == _MOST:
            raise TooMany
        pieces.append(chr(_FIRST + len(atoms)))
        atoms.append(run)

    for run in runs:
        if run.kind != "text":
            sign(run)
        elif max(run.text, default="") < chr(_FIRST):
            pieces.append(run.text)
        else:
            for char in run.text:
                if char < chr(_FIRST):
                    pieces.append(char)
                else:  # which the author wrote
                    sign(Run(char))
    return "".join(pieces), tuple(atoms)


def unweave(text: str, atoms: Sequence[Run]) -> tuple[Run, ...]:
    """The runs of a text whose signs stand for `atoms`; each as often as its sign stands there."""
    runs: list[Run] = []
    start = 0
    for at, char in enumerate(text):
        number = ord(char) - _FIRST
        if 0 <= number < len(atoms):
            runs += [Run(text[start:at]), atoms[number]]
            start = at + 1
    return join_runs([*runs, Run(text[start:])])
