"""The items of a list of steps: from a node to the step as it is configured."""

from __future__ import annotations

from typing import Any

from bridge.config.values import (
    NOTHING,
    AlreadyReported,
    Context,
    attempt,
    either,
    shorten,
)
from bridge.config.yaml_reader import Map, Node, Scalar, Wrong
from bridge.schema import Setting, StepSetting
from bridge.steps import KINDS, BadStep, StepKind, make


def step(context: Context, setting: Setting, node: Node) -> StepSetting:
    """One step: a map of its name and its value, or the name of one that needs none."""
    if isinstance(node, Scalar) and node.text in KINDS:
        if not KINDS[node.text].bare:
            example = KINDS[node.text].example
            such = f", such as {example.written}" if example else ""
            raise Wrong(node, f"the step {shorten(node.text)} needs a value{such}")
        return StepSetting(node.text, () if KINDS[node.text].setting.kind == "section" else None)
    if not isinstance(node, Map) or len(node.pairs) != 1:
        takes = f"{setting.name!r} takes steps of one name each"
        raise Wrong(node, f"{takes}, such as append: text")
    ((name, (key, value)),) = node.pairs.items()
    if name not in KINDS:
        hint = context.problems.suggest(name, KINDS)
        raise Wrong(key, f"unknown step {shorten(name)}{hint or f'; there is {either(KINDS)}'}")
    kind = KINDS[name]
    before = len(context.problems.found)
    typed = attempt(context, kind.setting, value)
    left_out = (
        isinstance(typed, dict)
        and isinstance(value, Map)
        and not value.pairs.keys() <= typed.keys()
    )
    if typed is NOTHING or left_out or len(context.problems.found) > before:
        raise AlreadyReported
    found = StepSetting(name, _frozen(typed), context.zone if kind.zoned else None)
    try:
        make(kind, found)
    except BadStep as bad:
        hint = ""
        if bad.known:
            hint = context.problems.suggest(bad.word, bad.known)
            hint = hint or f"; there is {either(bad.known)}"
        raise Wrong(_place(bad, kind, key, value), f"{bad}{hint}") from None
    return found


def _frozen(value: Any) -> Any:
    """A value that can be compared and hashed: maps are pairs."""
    if isinstance(value, dict):
        return tuple((name, _frozen(inner)) for name, inner in value.items())
    return value


def _place(bad: BadStep, kind: StepKind, key: Scalar, value: Node) -> Node:
    """Where what is wrong with a step is written."""
    if bad.part and isinstance(value, Map):
        value = value.pairs[bad.part][1]
    elif kind.setting.kind == "section":
        return key
    return _within(value, bad.line, bad.column) if bad.line else value


def _within(node: Node, line: int, column: int) -> Node:
    """A place in a text, both from 1, as far as the file shows it as it is."""
    if not isinstance(node, Scalar):
        return node
    written = node.text.splitlines()[line - 1 : line] or [""]
    starts = node.source.rest_of_line(node.line, node.column)[:1]
    at = node.line + line - (0 if starts in ("|", ">") else 1)
    begin = node.source.rest_of_line(at, 1).find(written[0])
    if begin < 0 or not written[0]:
        return node
    return Node(node.source, at, begin + max(column, 1))
