"""What a kind of step is, whether it comes along or is one of a person's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bridge.post import Post, Skip
from bridge.schema import Setting

Step = Callable[[Post], Post | Skip]

#: characters that a step may make of a text: over any network's limit, and soon handled
MAX_TEXT = 100_000


class BadStep(Exception):
    """A value that a step cannot work with: what to say, and which of its settings is wrong.

    `line` and `column` are a place in that setting's text, from 1; 0 where it is all of it. `word`
    is what would have to be one of `known`.
    """

    def __init__(
        self,
        message: str,
        part: str = "",
        *,
        line: int = 0,
        column: int = 0,
        word: str = "",
        known: Iterable[str] = (),
    ) -> None:
        super().__init__(message)
        self.part = part
        self.line = line
        self.column = column
        self.word = word
        self.known = tuple(known)


@dataclass(frozen=True, slots=True)
class Example:
    """A step as it is written, a post before it and the post after it: fields by name."""

    written: str
    before: Mapping[str, str]
    after: Mapping[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class StepKind:
    """A kind of step: its setting, and what makes a step of a value of that. Equal to itself only.

    The values of a setting that is a section come by name, those that are not written left out.
    `make` raises BadStep. One that is `bare` may be its name alone. `rules` say in JSON Schema what
    `make` demands of a section beside its settings. `zoned`: it gets the zone of clock times too.
    """

    setting: Setting
    make: Callable[..., Step]
    example: Example | None = None
    bare: bool = False
    zoned: bool = False
    rules: Mapping[str, Any] = field(default_factory=dict)
