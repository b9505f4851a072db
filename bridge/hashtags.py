"""Where the hashtags of a post stand in its copy, and how they are spelled. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

import regex

from bridge.network import Network
from bridge.post import Loss, Post, Run, join_runs, replace_in_runs
from bridge.schema import Policy
from bridge.text import mastodon_entities, tag_key, x_entities
from bridge.text.entities import x_links

Runs = tuple[Run, ...]

#: what may stand between a sentence and the tags that follow it, and signs that end a sentence
_ENDS = regex.compile(r"[\p{P}\p{S}](?<![,;#@＃＠\p{Ps}\p{Pi}\-])\s*\Z")
_NO_WORD = regex.compile(r"[^\w\u200c]+")


def is_hashtag(tag: str) -> bool:
    """Whether a word makes one whole hashtag behind `#`: letters, digits, _, not digits alone."""
    spans = mastodon_entities(f"#{tag}")
    return [(span.kind, span.value) for span in spans] == [("hashtag", tag)]


def arrange(post: Post, policy: Policy, target: Network) -> tuple[Post, list[Loss]]:
    """A post whose hashtags stand as `hashtags` and `hashtag_map` say, and what that cost.

    Tags beside the text (Bluesky's `tags`) come to its end, where the target has no field for such.
    """
    names = {tag_key(tag): other for tag, other in policy.hashtag_map}
    runs = tuple(renamed(run, names) for run in post.runs)
    # of a boost, the words and tags are another person's
    beside = () if post.boost is not None else post.tags
    beside = tuple(names.get(tag_key(tag), tag) for tag in beside)
    found = [run.target for run in runs if run.kind == "hashtag"]
    losses: list[Loss] = []
    if policy.hashtags == "strip":
        if gone := _once([*found, *beside]):
            losses.append(Loss("hashtags", f"left out: {', '.join(gone)}"))
        return replace(post, runs=without(runs), tags=()), losses
    added: list[str] = []
    if not target.tags_beside_text:
        added = [tag for tag in map(_joined, beside) if is_hashtag(tag)]
        lost = [tag for tag in beside if not is_hashtag(_joined(tag))]
        if lost:
            losses.append(Loss("hashtags", f"no hashtag there: {', '.join(lost)}"))
        beside = ()
    if policy.hashtags == "move":
        runs, added = without(runs), _once([*found, *added])
    else:
        there = {tag_key(tag) for tag in found}
        added = [tag for tag in _once(added) if tag_key(tag) not in there]
    return replace(post, runs=at_end(runs, added), tags=beside), losses


def one_cashtag(runs: Runs) -> Runs:
    """Runs of which X makes one cashtag at most: every further one is a word, without its `$`."""
    text = "".join(run.text for run in runs)
    spans = [span for span in x_entities(text) if span.kind == "cashtag"] if "$" in text else []
    words = runs
    for span in reversed(spans[1:]):
        words = replace_in_runs(words, span.start, span.start + 1, "")
    return _defused(words, runs) if words != runs else runs


def renamed(run: Run, names: Mapping[str, str]) -> Run:
    """A hashtag by its name among `names`, by `tag_key`, behind the sign that it has."""
    name = names.get(tag_key(run.target)) if run.kind == "hashtag" else None
    return run if name is None else replace(run, text=f"{run.text[:1]}{name}", target=name)


def _joined(tag: str) -> str:
    """A tag beside the text as one word: `public transport` gives `PublicTransport`."""
    words = [word for word in _NO_WORD.split(tag.lstrip("#＃")) if word]
    return words[0] if len(words) == 1 else "".join(w[:1].upper() + w[1:] for w in words)


def _once(tags: Iterable[str]) -> list[str]:
    """The tags in order, each once, as it was spelled first."""
    kept: dict[str, str] = {}
    for tag in tags:
        kept.setdefault(tag_key(tag), tag)
    return list(kept.values())


def at_end(runs: Runs, tags: list[str]) -> Runs:
    """Runs with hashtags after an empty line, or after the hashtags of a last line of such."""
    if not tags:
        return runs
    *_, last = _lines(runs) or [(0, 0, False)]
    gap = "" if not runs else " " if last[2] else "\n\n"
    out = [*runs, Run(gap)]
    for at, tag in enumerate(tags):
        out += [Run(" " if at else ""), Run(f"#{tag}", "hashtag", tag)]
    return join_runs(out)


def without(runs: Runs, tags: Collection[str] | None = None) -> Runs:
    """Runs without hashtags, or without `tags`, each a `tag_key`. One that is a word of a sentence
    stays as a word.

    No word of a sentence is what fills a line, what follows the end of a sentence or a link up to
    the end of the line, and two or more at the end of a line.
    """
    cut = [(start, end) for line in _lines(runs) for start, end in [line[:2]] if end > start]
    if tags is not None:
        cut = list(_some(runs, tags, cut))
    for start, end in reversed(cut):
        runs = replace_in_runs(runs, start, end, "")
    words = join_runs(
        [_word(run) if run.kind == "hashtag" and _is_in(run, tags) else run for run in runs]
    )
    words = _defused(words, runs)
    # no empty lines are left where lines of hashtags stood
    text = "".join(run.text for run in words)
    for gap in reversed(list(regex.finditer(r"[^\S\n]+(?=\n|\Z)|(?<=\n\n)\n+|\n+\Z|\A\n+", text))):
        if cut and not any(_inside(words, at) for at in range(*gap.span())):
            words = replace_in_runs(words, *gap.span(), "")
    return words


def _some(
    runs: Runs, tags: Collection[str], places: list[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Where some of the hashtags in `places` stand, with the space before, or else after, each."""
    text = "".join(run.text for run in runs)
    at = 0
    for run in runs:
        start, end = at, at + len(run.text)
        at = end
        within = any(first <= start and end <= last for first, last in places)
        if run.kind != "hashtag" or not _is_in(run, tags) or not within:
            continue
        while start and text[start - 1] in " \t":
            start -= 1
        if not start or text[start - 1] == "\n":
            while text[end : end + 1] in (" ", "\t"):
                end += 1
        yield start, end


def _is_in(run: Run, tags: Collection[str] | None) -> bool:
    return tags is None or tag_key(run.target) in tags


def _word(run: Run) -> Run:
    return Run(run.text.lstrip("#＃"))


def _inside(runs: Runs, at: int) -> bool:
    """Whether the character at an index of the text belongs to something other than plain text."""
    for run in runs:
        if at < len(run.text):
            return run.kind != "text"
        at -= len(run.text)
    return False


def _defused(words: Runs, before: Runs) -> Runs:
    """Runs in which no word is the name of a site only because its `#` or `$` is gone."""
    known = {span.value for span in x_links("".join(run.text for run in before))}
    while True:
        links = x_links("".join(run.text for run in words))
        new = next((span for span in links if span.value not in known), None)
        if new is None or "." not in new.value or _inside(words, new.start):
            return words
        dot = new.start + new.value.index(".")
        words = replace_in_runs(words, dot, dot + 1, "(.)")


def _lines(runs: Runs) -> list[tuple[int, int, bool]]:
    """Of each line: where the hashtags that are no words of a sentence start and end, and whether
    they are all there is.
    """
    text = "".join(run.text for run in runs)
    tags = set(_spans(runs))
    out = []
    start = 0
    for line in text.split("\n"):
        end = start + len(line)
        first, stop = end, start + len(line.rstrip())
        count, at = 0, stop
        while (
            tag := next((tag for tag in tags if tag[1] == at and tag[0] >= start), None)
        ) is not None:
            first, count = tag[0], count + 1
            at = start + len(text[start:first].rstrip())
        whole = count > 0 and not text[start:first].strip()
        # `at` is where what stands before the hashtags ends
        ended = _ENDS.search(text[start:at]) or (at > start and _inside(runs, at - 1))
        apart = whole or count > 1 or (count > 0 and bool(ended))
        out.append((at if apart else end, stop if apart else end, whole))
        start = end + 1
    return out


def _spans(runs: Runs) -> Iterator[tuple[int, int]]:
    at = 0
    for run in runs:
        if run.kind == "hashtag":
            yield at, at + len(run.text)
        at += len(run.text)
