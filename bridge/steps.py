"""What a bot can do to a post before it is rendered: choose it or not, and change it.

A step is a callable that takes a post and gives a post, or `Skip` with the reason. Steps are pure.
How posts are chosen is in `filters`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import regex

from bridge.filters import Ruling, choose, rulings
from bridge.post import Post, Run, Skip, join_runs
from bridge.schema import StepSetting

__all__ = ["NAMES", "Ruling", "apply", "build", "choose", "rulings", "stages", "unknown_names"]

Step = Callable[[Post], Post | Skip]

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
    done = stages(post, settings)
    return done[-1][1] if done else post


def stages(
    post: Post, settings: Iterable[StepSetting]
) -> tuple[tuple[StepSetting, Post | Skip], ...]:
    """Each step with what it made of the post, in order; the first `Skip` is the last."""
    done: list[tuple[StepSetting, Post | Skip]] = []
    for setting in settings:
        result = build(setting)(post)
        done.append((setting, result))
        if isinstance(result, Skip):
            break
        post = result
    return tuple(done)
