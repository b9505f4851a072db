"""What a bot can do to a post before it is rendered: choose it or not, and change its text.

A step is a callable that takes a post and gives a post, or `Skip` with the reason. Steps are pure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import regex

from bridge.post import Post, Run, Skip, join_runs
from bridge.schema import Filter, Policy, StepSetting

#: letters of languages that write words without spaces between them, or endings onto them
_RUNNING_ON = regex.compile(
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々]"
)

Step = Callable[[Post], Post | Skip]

#: seconds that a regular expression of a config may take on one post
REGEX_TIMEOUT = 1.0


#: what `{{ NAME }}` in the text of a step can stand for
NAMES = ("url",)
_NAMED = regex.compile(r"\{\{\s*(.*?)\s*(?:\}\}|\Z)", regex.DOTALL)


def unknown_names(text: str) -> list[str]:
    """What stands in `{{ }}` in a text and is none of `NAMES`; with its `{{` if never closed."""
    return [
        found[1] if found[0].endswith("}}") else found[0]
        for found in _NAMED.finditer(text)
        if found[1] not in NAMES or not found[0].endswith("}}")
    ]


def filled(text: str, post: Post) -> tuple[Run, ...]:
    """A text with `{{ url }}` as a link to the post; nothing where the post has no address."""
    link = Run(post.url, "link", post.url)
    runs: list[Run] = []
    at = 0
    for found in _NAMED.finditer(text):
        runs += [Run(text[at : found.start()]), link]
        at = found.end()
    return join_runs([*runs, Run(text[at:])])


@dataclass(frozen=True, slots=True)
class Append:
    """Adds text at the end, after an empty line."""

    text: str

    def __call__(self, post: Post) -> Post:
        gap = Run("\n\n" if post.runs else "")
        return replace(post, runs=join_runs((*post.runs, gap, *filled(self.text, post))))


@dataclass(frozen=True, slots=True)
class Prepend:
    """Adds text at the beginning, before an empty line."""

    text: str

    def __call__(self, post: Post) -> Post:
        gap = Run("\n\n" if post.runs else "")
        return replace(post, runs=join_runs((*filled(self.text, post), gap, *post.runs)))


_STEPS: dict[str, Callable[[str], Step]] = {"append": Append, "prepend": Prepend}


def build(setting: StepSetting) -> Step:
    """The step that a setting names."""
    return _STEPS[setting.name](setting.value)


def apply(post: Post, settings: Iterable[StepSetting]) -> Post | Skip:
    """The post after every step in order, or the first `Skip`."""
    for setting in settings:
        result = build(setting)(post)
        if isinstance(result, Skip):
            return result
        post = result
    return post


def choose(post: Post, policy: Policy, *, thread_began_public: bool) -> Skip | None:
    """Why a bot leaves a post alone, or None if it takes it.

    Only public and unlisted posts ever pass, whatever the filters say. `thread_began_public` says
    that the post continues a thread whose earlier part was mirrored.
    """
    if post.visibility not in ("public", "unlisted"):
        return Skip(f"visibility {post.visibility}: never mirrored")
    goes_along = (
        post.visibility == "unlisted" and policy.unlisted_in_threads and thread_began_public
    )
    wanted = policy.only
    if wanted.visibility and post.visibility not in wanted.visibility and not goes_along:
        return Skip(f"visibility {post.visibility}: only {_either(wanted.visibility)}")
    return _missed(post, wanted) or _hit(post, policy.skip)


def _missed(post: Post, wanted: Filter) -> Skip | None:
    """The first demand of `only` that the post does not meet."""
    if wanted.hashtags and _hashtag(post, wanted.hashtags) is None:
        return Skip(f"only: no hashtag {_either(wanted.hashtags)}")
    if wanted.words and _word(post, wanted.words) is None:
        return Skip(f"only: no word {_either(wanted.words)}")
    if wanted.matching:
        found = _matches(post, wanted.matching)
        if isinstance(found, Skip):
            return found
        if not found:
            return Skip("only: does not match the expression")
    if wanted.languages and _language(post, wanted.languages) is None:
        return Skip(f"only: language is not {_either(wanted.languages)}")
    return None


def _hit(post: Post, unwanted: Filter) -> Skip | None:
    """The first refusal of `skip` that the post meets."""
    if (tag := _hashtag(post, unwanted.hashtags)) is not None:
        return Skip(f"skip: hashtag {tag}")
    if (word := _word(post, unwanted.words)) is not None:
        return Skip(f"skip: word {word}")
    if unwanted.matching:
        found = _matches(post, unwanted.matching)
        if isinstance(found, Skip):
            return found
        if found:
            return Skip("skip: matches the expression")
    if (language := _language(post, unwanted.languages)) is not None:
        return Skip(f"skip: language {language}")
    if post.visibility in unwanted.visibility:
        return Skip(f"skip: visibility {post.visibility}")
    return None


def _either(values: Iterable[str]) -> str:
    return " or ".join(values)


def _hashtag(post: Post, wanted: Iterable[str]) -> str | None:
    found = {run.target for run in post.runs if run.kind == "hashtag"} | set(post.tags)
    found = {tag.lstrip("#").casefold() for tag in found}
    return next((tag for tag in wanted if tag.lstrip("#").casefold() in found), None)


def _word(post: Post, wanted: Iterable[str]) -> str | None:
    text = "\n".join(_texts(post)).casefold()
    for word in wanted:
        folded = word.casefold()
        before = "" if _RUNNING_ON.match(folded) else r"(?<!\w)"
        after = "" if _RUNNING_ON.match(folded[-1:]) else r"(?!\w)"
        if regex.search(before + regex.escape(folded) + after, text):
            return word
    return None


def _texts(post: Post) -> tuple[str, ...]:
    """Everything that people read in a post."""
    return (post.content_warning, post.text, *(post.poll.options if post.poll else ()))


def _matches(post: Post, pattern: str) -> bool | Skip:
    """Whether the expression is found; one that takes too long skips, so that nothing leaks."""
    try:
        return any(regex.search(pattern, text, timeout=REGEX_TIMEOUT) for text in _texts(post))
    except TimeoutError:
        return Skip(f"matching: the expression took over {REGEX_TIMEOUT:g} s")


def _language(post: Post, wanted: Iterable[str]) -> str | None:
    for tag in wanted:
        for language in post.languages:
            if language.casefold() == tag.casefold() or language.casefold().startswith(
                tag.casefold() + "-"
            ):
                return tag
    return None
