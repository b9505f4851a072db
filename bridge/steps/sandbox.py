"""The sandbox of templates, in which nothing can grow or last.

What a template may hold is a list of what is harmless: no calls, no assignments, no loops within
loops, no arithmetic but on small numbers. So what it takes is bounded by its own length and that of
the post.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bridge.steps.kinds import MAX_TEXT, BadStep
from bridge.text import clusters

if TYPE_CHECKING:
    import jinja2
    from jinja2 import nodes

#: characters of a template
MAX_TEMPLATE = 10_000
#: how deep what stands in a template may be nested
_DEPTH = 40
#: characters that the filters of a template may handle on one post
_WORK = 3_000_000
_NUMBER = 10**9

#: what a template can name, and what that is
NAMES: Mapping[str, str] = {
    "text": "the post's text, with its links, mentions and hashtags",
    "plain": "the text as a reader sees it, without them, to compare with",
    "url": "a link to the original",
    "author": "who wrote it",
    "network": "where it stands",
    "language": "the first language that it declares",
    "languages": "the list of them",
    "tags": "the list of its hashtags, without #",
    "alts": "the list of the descriptions of its media",
    "content_warning": "its content warning",
    "date": "when it was published, such as 2026-01-31, by the clock of `timezone`",
    "time": "the same, such as 18:05",
}
#: what are lists among them, and what is told by the clock
_LISTS = ("languages", "tags", "alts")
_CLOCK = ("date", "time")
_OF_LOOPS = ("index", "index0", "first", "last", "length")


class TooMuch(Exception):
    """A template makes or handles more than it may."""


#: in the context of a template: what its filters have handled so far. No name can begin so
SPENT = "0spent"


@lru_cache(maxsize=256)
def compiled(source: str, has_clock: bool) -> jinja2.Template:  # noqa: FBT001 - for the cache
    """A template that may be run. Raises BadStep."""
    import jinja2

    if len(source) > MAX_TEMPLATE:
        raise BadStep(f"this template is longer than {MAX_TEMPLATE:,} characters")
    environment = _environment()
    deep = BadStep("what stands in this template is nested too deep")
    try:
        tree = environment.parse(source)
        _Check(source, has_clock=has_clock).check(tree)
        return environment.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        message = (error.message or "").rstrip(".")
        raise BadStep(f"this template is wrong: {message}", line=error.lineno) from None
    except (RecursionError, MemoryError, SyntaxError):
        raise deep from None
    except (ValueError, OverflowError):
        raise BadStep("a number in this template is too large") from None


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    class Sandbox(ImmutableSandboxedEnvironment):
        intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])
        intercepted_unops = frozenset(["+", "-"])

        def is_safe_callable(self, obj: Any) -> bool:  # noqa: ARG002
            return False

        def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
            return attr in _OF_LOOPS

        def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
            if operator == "**" or not (_is_number(left) and _is_number(right)):
                raise TypeError(f"{operator} is for small numbers only")
            return super().call_binop(context, operator, left, right)

        def call_unop(self, context: Any, operator: str, arg: Any) -> Any:
            if not _is_number(arg):
                raise TypeError(f"{operator} is for small numbers only")
            return super().call_unop(context, operator, arg)

    made = Sandbox(trim_blocks=True, lstrip_blocks=True, optimized=False, finalize=_shown)
    made.globals.clear()
    made.filters.clear()
    made.filters.update({name: _counted(f, of_text=True) for name, f in _OF_TEXTS.items()})
    made.filters.update({name: _counted(f, of_text=False) for name, f in _OF_VALUES.items()})
    tests = {name: made.tests[name] for name in _TESTS}
    made.tests.clear()
    made.tests.update(tests)
    return made


def _shown(value: Any) -> Any:
    """What stands in the text for a value: a long list is not even spelled."""
    if _weight(value, MAX_TEXT) > MAX_TEXT:
        raise TooMuch
    return value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and abs(value) <= _NUMBER


def failures() -> tuple[type[Exception], ...]:
    """What a template may raise that passed the check."""
    import jinja2

    kinds = (TypeError, ValueError, LookupError, ArithmeticError, AttributeError, RecursionError)
    return jinja2.TemplateError, *kinds


def line_of(error: BaseException) -> int:
    """The line of a template in which an error was raised; 0 if that is not known."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == "<template>":
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


_TESTS = ("defined", "even", "odd")


# The filters


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]


def _truncate(text: str, length: int) -> str:
    """At most so many characters, the last of them `…` where there were more."""
    if not isinstance(length, int) or length < 1:
        raise TypeError("truncate takes a number of characters, 1 or more")
    found = clusters(text)
    return text if len(found) <= length else "".join(found[: length - 1]).rstrip() + "…"


def _replace(text: str, old: str, new: str) -> str:
    if not isinstance(old, str) or not isinstance(new, str) or not old:
        raise TypeError("replace takes two texts, of which the first is not empty")
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise TooMuch
    return text.replace(old, new)


def _join(items: Any, between: str = ", ") -> str:
    listed, gap = items if isinstance(items, list | tuple) else [items], str(between)
    if len(listed) * len(gap) > MAX_TEXT:
        raise TooMuch
    return gap.join(map(str, listed))


def _length(value: Any) -> int:
    return len(value) if isinstance(value, list | tuple) else len(clusters(str(value)))


def _default(value: Any, other: Any) -> Any:
    return value or other


#: filters of texts, and filters of what they get as it is
_OF_TEXTS: Mapping[str, Callable[..., Any]] = {
    "upper": str.upper,
    "lower": str.lower,
    "capitalize": _capitalize,
    "trim": str.strip,
    "truncate": _truncate,
    "replace": _replace,
}
_OF_VALUES: Mapping[str, Callable[..., Any]] = {
    "length": _length,
    "join": _join,
    "default": _default,
}
FILTERS = (*_OF_TEXTS, *_OF_VALUES)


def _counted(work: Callable[..., Any], *, of_text: bool) -> Callable[..., Any]:
    """A filter that counts what it handles."""
    import jinja2

    @jinja2.pass_context
    def counted(context: Any, value: Any, *args: Any) -> Any:
        spent: list[int] = context[SPENT]
        spent[0] += _weight((value, *args), _WORK)
        if spent[0] > _WORK:
            raise TooMuch
        return work(str(value) if of_text else value, *args)

    return counted


def _weight(value: Any, most: int) -> int:
    """How many characters a value is, or a list of values is together; soon over `most` if more."""
    if not isinstance(value, list | tuple):
        return len(value if isinstance(value, str) else str(value)) + 1
    total = 1
    for item in value:
        total += _weight(item, most)
        if total > most:
            break
    return total


# What a template may hold


@dataclass(frozen=True, slots=True)
class _Place:
    """How deep a part of a template is, the names it can use, and whether it is in a loop."""

    depth: int = 0
    names: frozenset[str] = frozenset(NAMES)
    in_loop: bool = False


#: what is harmless wherever it stands, by the names of Jinja2's nodes
_HARMLESS = frozenset(
    (
        *("Template", "Output", "TemplateData", "Const", "If", "CondExpr", "Compare", "Operand"),
        *("And", "Or", "Not", "Neg", "Pos", "Add", "Sub", "Mul", "Div", "FloorDiv", "Mod"),
        *("List", "Tuple", "Slice"),
    )
)
#: what people would miss, in their words
_REFUSED = {
    "Call": "a call: functions and methods cannot be called, only filters: " + ", ".join(FILTERS),
    "Assign": "set",
    "AssignBlock": "set",
    "Macro": "macro",
    "Include": "include",
    "Import": "import",
    "FromImport": "import",
    "Extends": "extends",
    "Concat": "~; write {{ a }}{{ b }}",
    "Pow": "**",
}


class _Check:
    """Refuses whatever is not known to be harmless."""

    def __init__(self, source: str, *, has_clock: bool) -> None:
        self.lines = source.splitlines()
        self.has_clock = has_clock

    def check(self, tree: nodes.Template) -> None:
        """Raise BadStep for the first thing that may not stand in a template."""
        waiting: list[tuple[nodes.Node, _Place]] = [(tree, _Place())]
        while waiting:  # no recursion, for it may be nested without end
            node, place = waiting.pop()
            if place.depth > _DEPTH:
                raise BadStep("what stands in this template is nested too deep", line=node.lineno)
            kind = type(node).__name__
            if kind not in _HARMLESS:
                look = getattr(self, f"_{kind.lower()}", None)
                if look is None:
                    what = _REFUSED.get(kind, kind.lower())
                    raise self._bad(node, f"a template may not hold {what}")
                place = look(node, place)
            deeper = replace(place, depth=place.depth + 1)
            waiting += [(child, deeper) for child in self._children(node)]

    @staticmethod
    def _children(node: nodes.Node) -> Iterator[nodes.Node]:
        children = list(node.iter_child_nodes())
        if type(node).__name__ == "Getitem":  # its index was looked at
            children = children[:1]
        return reversed(children)

    def _bad(self, node: nodes.Node, message: str, word: str = "", **more: Any) -> BadStep:
        line = self.lines[node.lineno - 1] if node.lineno <= len(self.lines) else ""
        return BadStep(message, line=node.lineno, column=line.find(word) + 1, word=word, **more)

    def _name(self, node: nodes.Name, place: _Place) -> _Place:
        if node.ctx == "load" and node.name not in place.names:
            known = [name for name in place.names if name != "loop"]
            raise self._bad(node, f"{node.name!r} stands for nothing", node.name, known=known)
        if node.name in _CLOCK and node.ctx == "load" and not self.has_clock:
            message = "needs a time zone: set timezone in config.yaml, such as Europe/Oslo"
            raise self._bad(node, f"{node.name!r} {message}")
        return place

    def _for(self, node: nodes.For, place: _Place) -> _Place:
        if place.in_loop or node.recursive:
            raise self._bad(node, "a template may not hold a loop within a loop")
        iterated, target = node.iter, node.target
        name = getattr(iterated, "name", "")
        if type(iterated).__name__ != "Name" or name not in _LISTS:
            listed = ", ".join(_LISTS)
            raise self._bad(node, f"a loop goes through one of the post's lists: {listed}")
        if type(target).__name__ != "Name":
            raise self._bad(node, "a loop gives its items one name")
        own = {getattr(target, "name", ""), "loop"}
        return _Place(place.depth, place.names | own, in_loop=True)

    def _filter(self, node: nodes.Filter, place: _Place) -> _Place:
        if node.name not in FILTERS:
            message = f"there is no filter {node.name!r}"
            raise self._bad(node, message, node.name, known=FILTERS)
        if node.dyn_args or node.dyn_kwargs or node.kwargs:
            raise self._bad(node, f"the filter {node.name!r} takes values without names")
        return place

    def _test(self, node: nodes.Test, place: _Place) -> _Place:
        if node.name not in _TESTS:
            raise self._bad(node, f"there is no test {node.name!r}", node.name, known=_TESTS)
        return place

    def _getattr(self, node: nodes.Getattr, place: _Place) -> _Place:
        if getattr(node.node, "name", "") != "loop" or node.attr not in _OF_LOOPS:
            known = ", ".join(f"loop.{name}" for name in _OF_LOOPS)
            raise self._bad(node, f"there is no .{node.attr}: names with a dot are {known}")
        return place

    def _getitem(self, node: nodes.Getitem, place: _Place) -> _Place:
        index = node.arg
        parts: Iterable[nodes.Node | None] = [index]
        if type(index).__name__ == "Slice":
            parts = [getattr(index, part) for part in ("start", "stop", "step")]
        if not all(part is None or _is_whole(part) for part in parts):
            raise self._bad(node, "between [ ] there may only be numbers, such as tags[0]")
        return place


def _is_whole(node: nodes.Node) -> bool:
    if type(node).__name__ == "Neg":
        node = getattr(node, "node", node)
    value = getattr(node, "value", None)
    return isinstance(value, int) and abs(value) <= _NUMBER
