"""Cutting runs to a limit, at the best place that there is."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace

import regex

from bridge.post import Run, join_runs

_CLOSING = r"[\p{Pe}\p{Pf}\"'»”’]*"
_PARAGRAPH = regex.compile(r"\s*\n\s*\n\s*")
_LINE = regex.compile(r"\s*\n\s*")
_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_SENTENCE = regex.compile(
    rf"[.!?…؟۔।॥።]+{_CLOSING}(?=\s)|[!?]+{_CLOSING}(?=[{_SPACELESS}])|[。！？｡]+{_CLOSING}"
)
_END = regex.compile(rf"[.!?…؟۔।॥。！？｡]{_CLOSING}\s*\Z")
# A space that must not break a line is one at which a post must not be cut either.
_SPACE = regex.compile(r"[^\S\u00A0\u2007\u202F]+")
# A vowel of Thai or Lao that is written before its consonant, and what stands after one; small kana
# and marks of repetition begin no line (Unicode Standard Annex #14, classes NS and SA).
_BOUND_TO_NEXT = r"\u0E40-\u0E44\u0EC0-\u0EC4"
_BOUND_TO_LAST = (
    r"\u0E2F\u0E30\u0E32\u0E33\u0E45\u0E46\u0EAF\u0EB0\u0EB2\u0EB3\u0EC6々〻"
    r"ぁぃぅぇぉっゃゅょゎゕゖゝゞァィゥェォッャュョヮヵヶヽヾ\u31F0-\u31FF"
)
_BETWEEN_SIGNS = regex.compile(
    rf"\b(?<=[{_SPACELESS}、，；：」』）])(?<![{_BOUND_TO_NEXT}])"
    rf"(?=[{_SPACELESS}「『（])(?![{_BOUND_TO_LAST}])",
    regex.WORD,
)
_ISOLATE = "\u2066\u2067\u2068"
_END_OF_ISOLATE = "\u2069"
_WORD = regex.compile(r"\b(?<![\p{Ps}\p{Pi}@＠#＃$])(?![\p{Pe}\p{Pf}\p{Po}\p{Pd}])", regex.WORD)


def split_runs(runs: tuple[Run, ...], fits: Callable[[str], bool]) -> list[tuple[Run, ...]]:
    """The runs in parts, in order, so that `fits` holds for the text of each.

    A part is as long as fits, but ends after a paragraph, else a line, a sentence, a word, where
    that fills at least half of it. Links, mentions, hashtags and isolates of another direction stay
    whole unless one alone is too long: that one is cut as plain text. White space at a cut is
    dropped; no part is empty. `fits` has to be monotone. ValueError if not even one grapheme fits.
    """
    runs = _cuttable(runs, fits)
    breaks = _Breaks(runs, fits)
    text = breaks.text
    parts: list[tuple[Run, ...]] = []
    start = breaks.skip_space(0)
    while start < len(text):
        end = breaks.trim(start, len(text))
        if not fits(text[start:end]):

            def holds(cut: int, start: int = start) -> bool:
                return fits(text[start : breaks.trim(start, cut)])

            furthest = breaks.furthest(start, holds)
            if furthest == start:
                raise ValueError(f"no part of {text[start : start + 20]!r} fits the limit")
            end = breaks.best(start, furthest, holds)
        parts.append(_slice(runs, start, breaks.trim(start, end)))
        start = breaks.skip_space(end)
    return parts


def ends_sentence(text: str) -> bool:
    """Whether a text ends where a sentence does."""
    return bool(_END.search(text))


def truncate_runs(
    runs: tuple[Run, ...], fits: Callable[[str], bool], ending: tuple[Run, ...] = (Run("…"),)
) -> tuple[Run, ...]:
    """The runs as they are if they fit, else their longest start, cut after a word, with `ending`.

    Between a link, mention or hashtag and the ending stands a space, lest the ending becomes part
    of it. ValueError if not even the ending fits.
    """
    if fits("".join(run.text for run in runs)):
        return runs
    tail = "".join(run.text for run in ending)
    if not fits(tail):
        raise ValueError(f"not even the ending {tail!r} fits the limit")

    def fits_before_tail(text: str) -> bool:
        return fits(f"{text} {tail}")

    runs = _cuttable(runs, fits_before_tail)
    breaks = _Breaks(runs, fits_before_tail)
    start = breaks.skip_space(0)

    def space(end: int) -> str:
        return " " if breaks.is_whole[end - 1] and not tail[:1].isspace() else ""

    def holds(cut: int) -> bool:
        end = breaks.trim(start, cut)
        return fits(breaks.text[start:end] + space(end) + tail)

    furthest = breaks.furthest(start, holds)
    if furthest == start:
        return ending
    end = breaks.trim(start, breaks.best(start, furthest, holds, half=False))
    return join_runs((*_slice(runs, start, end), Run(space(end)), *ending))


class _Breaks:
    """The places at which a text can be cut. A place is an index; the cut is before it."""

    def __init__(self, runs: tuple[Run, ...], fits: Callable[[str], bool]) -> None:
        self.text = text = "".join(run.text for run in runs)
        self.is_whole = bytearray(len(text))
        edges = {0, len(text)}
        inside: set[int] = set()
        at = 0
        for run in runs:
            stop = at + len(run.text)
            if run.kind != "text":
                self.is_whole[at:stop] = b"\1" * len(run.text)
                edges |= {at, stop}
                inside.update(range(at + 1, stop))
            at = stop
        for start, end in _isolates(text):
            if fits(text[start:end]):
                inside.update(range(start + 1, end))
        self.is_space = bytearray(len(text))
        for cluster in regex.finditer(r"\X", text):
            edges.add(cluster.end())
            if cluster[0].isspace():
                for at in range(*cluster.span()):
                    self.is_space[at] = not self.is_whole[at]
        self.cuts = sorted(edges - inside)
        allowed = set(self.cuts)
        self.paragraphs = self._places(_PARAGRAPH, allowed)
        self.lines = self._places(_LINE, allowed)
        self.sentences = [m.end() for m in _SENTENCE.finditer(text) if m.end() in allowed]
        self.spaces = self._places(_SPACE, allowed)
        self.between_signs = self._places(_BETWEEN_SIGNS, allowed)
        self.words = self._places(_WORD, allowed)

    def _places(self, pattern: regex.Pattern[str], allowed: set[int]) -> list[int]:
        """The first place in each match at which a cut is allowed."""
        places = (
            next((place for place in range(match.start(), match.end() + 1) if place in allowed), 0)
            for match in pattern.finditer(self.text)
        )
        return [place for place in places if place]

    def skip_space(self, start: int) -> int:
        while start < len(self.text) and self.is_space[start]:
            start += 1
        return start

    def trim(self, start: int, end: int) -> int:
        while end > start and self.is_space[end - 1]:
            end -= 1
        return end

    def furthest(self, start: int, holds: Callable[[int], bool]) -> int:
        """The last cut for which `holds`, or `start` if there is none."""
        low = bisect_right(self.cuts, start) - 1
        step = 64  # of the order of a post: most searches end within two steps
        while low + step < len(self.cuts) and holds(self.cuts[low + step]):
            low += step
            step *= 2
        high = min(low + step, len(self.cuts))
        while high - low > 1:
            middle = (low + high) // 2
            if holds(self.cuts[middle]):
                low = middle
            else:
                high = middle
        return max(start, self.cuts[low])

    def best(
        self, start: int, furthest: int, holds: Callable[[int], bool], *, half: bool = True
    ) -> int:
        """The cut at the best kind of place up to `furthest`."""

        def last(places: list[int]) -> int:
            at = bisect_right(places, furthest)
            return places[at - 1] if at else -1

        levels = (self.paragraphs, self.lines, self.sentences, self.spaces)
        choices = [last(places) for places in levels if half]
        choices = [place for place in choices if 2 * (place - start) >= furthest - start]
        choices.append(max(map(last, (*levels, self.between_signs))))
        choices.append(last(self.words))
        return next((at for at in choices if at > start and holds(at)), furthest)


def _isolates(text: str) -> list[tuple[int, int]]:
    """The outermost isolates that are closed within their paragraph (Unicode Standard Annex #9)."""
    found = []
    opened: list[int] = []
    for sign in regex.finditer(rf"[{_ISOLATE}{_END_OF_ISOLATE}\n]", text):
        if sign[0] == "\n":
            opened.clear()
        elif sign[0] != _END_OF_ISOLATE:
            opened.append(sign.start())
        elif opened:
            start = opened.pop()
            if not opened:
                found.append((start, sign.end()))
    return found


def _cuttable(runs: tuple[Run, ...], fits: Callable[[str], bool]) -> tuple[Run, ...]:
    """The runs, those that alone do not fit (or show nothing) made plain text."""
    return join_runs(
        [
            run if run.kind == "text" or (run.text.strip() and fits(run.text)) else Run(run.text)
            for run in runs
        ]
    )


def _slice(runs: tuple[Run, ...], start: int, end: int) -> tuple[Run, ...]:
    out: list[Run] = []
    at = 0
    for run in runs:
        stop = at + len(run.text)
        if stop > start and at < end:
            out.append(replace(run, text=run.text[max(0, start - at) : end - at]))
        at = stop
    return tuple(out)
