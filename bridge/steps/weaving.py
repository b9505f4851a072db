"""A text in which each link, mention and hashtag is one sign, so that editing it loses none."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bridge.post import Run, join_runs

#: the first of the signs: Supplementary Private Use Area-B, in which no script is written
_FIRST = 0x100000
_MOST = 0xFFFD


class TooMany(Exception):
    """There are more links, mentions and hashtags than signs for them."""


class Loom:
    """Gives runs their signs, and takes them back."""

    def __init__(self) -> None:
        self.signed: list[Run] = []

    def sign(self, run: Run) -> str:
        """A sign that stands for a run. Raises TooMany."""
        if len(self.signed) == _MOST:
            raise TooMany
        self.signed.append(run)
        return chr(_FIRST + len(self.signed) - 1)

    def weave(self, runs: Sequence[Run]) -> str:
        """The text of some runs with a sign for each that is more than text. Raises TooMany."""
        pieces: list[str] = []
        for run in runs:
            if run.kind != "text":
                pieces.append(self.sign(run))
            elif max(run.text, default="") < chr(_FIRST):
                pieces.append(run.text)
            else:  # the author wrote such signs
                chars = (c if c < chr(_FIRST) else self.sign(Run(c)) for c in run.text)
                pieces.append("".join(chars))
        return "".join(pieces)

    def signs_in(self, text: str) -> list[str]:
        """The signs in a text, in order."""
        return [char for char in text if 0 <= ord(char) - _FIRST < len(self.signed)]

    def unweave(
        self, text: str, plain: Callable[[str], Sequence[Run]] = lambda text: (Run(text),)
    ) -> tuple[Run, ...]:
        """The runs of a text: those of signs as often as they stand there, `plain` of the rest."""
        text = whole(text)
        runs: list[Run] = []
        start = 0
        for at, char in enumerate(text):
            number = ord(char) - _FIRST
            if 0 <= number < len(self.signed):
                runs += [*plain(text[start:at]), self.signed[number]]
                start = at + 1
        return join_runs([*runs, *plain(text[start:])])


def whole(text: str) -> str:
    """A text that UTF-8 can carry: halves of surrogate pairs are joined, or U+FFFD."""
    if text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text):
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
