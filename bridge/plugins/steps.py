"""Steps of one's own: a function with the decorator `step`."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar, get_args, overload

from bridge.plugins.errors import PluginError, describe, ends_program
from bridge.post import Post, Run, RunKind, Skip
from bridge.schema import Kind, Setting
from bridge.steps.kinds import MAX_TEXT, Step, StepKind
from bridge.text import (
    is_language_tag,
)

logger = logging.getLogger(__name__)


#: the settings that a parameter of a step can be
_KINDS: Mapping[Any, Kind] = {
    str: "words",
    int: "number",
    bool: "flag",
    tuple[str, ...]: "strings",
    "str": "words",
    "int": "number",
    "bool": "flag",
    "tuple[str, ...]": "strings",
    inspect.Parameter.empty: "words",
}
#: what the name of a step or a network can be
NAME = re.compile(r"[a-z][a-z0-9_]*")

Function = TypeVar("Function", bound=Callable[..., Post | Skip])


@overload
def step(function: Function, /) -> Function: ...
@overload
def step(*, name: str) -> Callable[[Function], Function]: ...
def step(function: Any = None, /, *, name: str = "") -> Any:
    """A decorator that makes a step of a function from a post, and its settings, to a post or Skip.

    The step has the function's name, and the first line of its docstring as meaning. Further
    parameters are the step's settings: `str`, `int` (0 or more), `bool` or `tuple[str, ...]`; one
    without a default must be written. PluginError if that cannot be.
    """
    if function is None:
        return lambda decorated: _decorated(decorated, name)
    return _decorated(function, name)


def _decorated(function: Any, name: str) -> Any:
    kind = _kind(function, name or function.__name__)
    function.tribridge_step = kind
    return function


def _kind(function: Callable[..., Post | Skip], name: str) -> StepKind:
    if not NAME.fullmatch(name):
        raise PluginError(f"the step {name!r} needs a name of small letters, digits and _")
    doc = (inspect.getdoc(function) or "").partition("\n")[0].rstrip(".")
    if not doc:
        raise PluginError(f"the step {name!r} needs a docstring that says what it does")
    parameters = list(inspect.signature(function).parameters.values())
    if not parameters or parameters[0].kind in (
        inspect.Parameter.KEYWORD_ONLY,
        inspect.Parameter.VAR_KEYWORD,
    ):
        raise PluginError(f"the step {name!r} needs a parameter for the post")
    settings = tuple(_setting(name, parameter) for parameter in parameters[1:])

    def make(**values: Any) -> Step:
        return _Own(function, name, tuple(values.items()))

    bare = not any(setting.required for setting in settings)
    return StepKind(Setting(name, "section", doc, settings=settings), make, bare=bare)


def _setting(step_name: str, parameter: inspect.Parameter) -> Setting:
    try:
        kind = _KINDS.get(parameter.annotation)
    except TypeError:  # what cannot be hashed, such as a list
        kind = None
    if kind is None or parameter.kind not in (
        parameter.POSITIONAL_OR_KEYWORD,
        parameter.KEYWORD_ONLY,
    ):
        raise PluginError(
            f"the parameter {parameter.name!r} of the step {step_name!r} must be str, int, bool or"
            " tuple[str, ...]"
        )
    required = parameter.default is parameter.empty
    default = None if required else parameter.default
    if not (required or _fits(kind, default)):
        raise PluginError(
            f"the default of {parameter.name!r} of the step {step_name!r} is no value that it may"
            " have"
        )
    if isinstance(default, tuple):
        default = list(default)
    doc = parameter.name.replace("_", " ")
    return Setting(parameter.name, kind, doc, default, required=required)


def _fits(kind: Kind, value: Any) -> bool:
    """Whether a default is such as could be written."""
    if kind == "words":
        return isinstance(value, str)
    if kind == "flag":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, tuple) and all(isinstance(item, str) for item in value)


#: what a step of one's own may change of a post
_MAY_CHANGE = ("runs", "languages", "content_warning", "sensitive", "tags", "labels")


_TUPLES = ("runs", "languages", "tags", "labels")


def _check(made: Post, post: Post) -> None:
    """Raise TypeError or ValueError if what a step made of a post cannot be kept or sent."""
    new = [run for run in made.runs if run not in post.runs]
    for run in new:
        if not isinstance(run, Run) or run.kind not in get_args(RunKind):
            raise TypeError(f"in runs is {str(run)[:80]!r}, no Run of a kind that there is")
        if run.kind == "link" and not str(run.target).startswith(("https://", "http://")):
            raise ValueError(f"a link leads to {str(run.target)[:80]!r}, no address of a page")
    texts = [made.content_warning, *made.languages, *made.tags, *made.labels]
    for text in (*texts, *(text for run in new for text in (run.text, run.target, run.name))):
        if not isinstance(text, str):
            raise TypeError(f"{str(text)[:80]!r} is no text")
        text.encode()
    if not isinstance(made.sensitive, bool):
        raise TypeError("sensitive is true or false")
    for tag in made.languages:
        if tag not in post.languages and not is_language_tag(tag):
            raise ValueError(f"{tag[:80]!r} is not a language tag such as nb, en or en-GB")


@dataclass(frozen=True)
class _Own:
    """A function of a plugin as a step: whatever it does, no post is lost or let out by it."""

    function: Callable[..., Post | Skip]
    name: str
    values: tuple[tuple[str, Any], ...]

    def __call__(self, post: Post) -> Post | Skip:
        try:
            # of its own, so that nothing that it does to it comes through
            result = self.function(replace(post), **dict(self.values))
            if isinstance(result, Skip):
                reason = " ".join(str(result.reason).split())[:500] or f"the step {self.name}"
                return Skip(reason, held=bool(result.held))
            return self._taken(post, result)
        except BaseException as error:  # whatever a person's code may raise
            if ends_program(error):
                raise
            held = Skip(f"the step {self.name} failed: {describe(error)}", held=True)
            where = post.url or post.id
            logger.error("%s: held: %s", where, held.reason)  # noqa: TRY400 - told in one line
            return held

    @staticmethod
    def _taken(post: Post, result: Any) -> Post:
        """What may be taken over of a result: no other author or visibility, nobody notified."""
        if not isinstance(result, Post):
            raise TypeError(f"it returned {type(result).__name__}, no Post or Skip")
        changed: dict[str, Any] = {name: getattr(result, name) for name in _MAY_CHANGE}
        changed |= {name: tuple(changed[name]) for name in _TUPLES}
        made = replace(post, **changed)
        _check(made, post)
        if len(made.text) > MAX_TEXT:
            raise ValueError(f"the text has over {MAX_TEXT:,} characters")
        runs = (
            Run(run.text) if run.kind == "mention" and run not in post.runs else run
            for run in made.runs
        )
        return replace(made, runs=tuple(runs))
