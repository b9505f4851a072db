"""What a bot can do to a post before it is rendered: choose it or not, and change it.

A step is a callable that takes a post and gives a post, or `Skip` with the reason. Steps are pure.
How posts are chosen is in `filters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.filters import Ruling, choose, rulings
from bridge.post import Post, Skip
from bridge.schema import StepSetting
from bridge.steps import changing, templates
from bridge.steps.kinds import BadStep, Example, Step, StepKind
from bridge.steps.naming import NAMES, unknown_names

__all__ = [
    "KINDS",
    "NAMES",
    "BadStep",
    "Example",
    "Ruling",
    "Step",
    "StepKind",
    "apply",
    "build",
    "choose",
    "make",
    "rulings",
    "stages",
    "unknown_names",
]


KINDS: Mapping[str, StepKind] = {
    kind.setting.name: kind for kind in (*changing.kinds(), *templates.kinds())
}


def make(kind: StepKind, setting: StepSetting) -> Step:
    """The step of a kind with a value as the configuration holds it. Raises BadStep."""
    return _made(kind, setting.value, setting.zone)


@lru_cache(maxsize=4096)
def _made(kind: StepKind, value: Any, zone: ZoneInfo | None) -> Step:
    """A step, made once for all posts: it keeps nothing of them, and making one can take long."""
    if kind.setting.kind == "section":
        return kind.make(**dict(value))
    if kind.zoned:
        return kind.make(value, zone)
    return kind.make() if value is None else kind.make(value)


def build(setting: StepSetting) -> Step:
    """The step that a setting names."""
    return make(setting.kind or KINDS[setting.name], setting)


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
