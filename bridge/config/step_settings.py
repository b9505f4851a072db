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
    if typed is NOTHING or len(context.problems.found) > before:
        raise AlreadyReported
    found = StepSetting(name, _frozen(typed))
    try:
        make(kind, found.value)
    except BadStep as bad:
        raise Wrong(_place(bad, kind, key, value), str(bad)) from None
    return found


def _frozen(value: Any) -> Any:
    """A value that can be compared and hashed: maps are pairs."""
    if isinstance(value, dict):
        return tuple((name, _frozen(inner)) for name, inner in value.items())
    return value


def _place(bad: BadStep, kind: StepKind, key: Scalar, value: Node) -> Node:
    """Where what is wrong with a step is written."""
    if bad.part and isinstance(value, Map):
        return value.pairs[bad.part][1]
    return value if kind.setting.kind != "section" else key
