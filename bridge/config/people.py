"""The section `people`: one person's handles by network, and no handle of two people."""

from __future__ import annotations

import re

from bridge.config.accounts import check_name
from bridge.config.values import Context, attempt, either, read_map, shorten
from bridge.config.yaml_reader import Map, Node, place
from bridge.registry import NETWORKS
from bridge.schema import Person, Setting


def read_people(context: Context, node: Map) -> tuple[Person, ...]:
    """All people; what is wrong is reported and left out."""
    people = []
    seen: dict[tuple[str, str], str] = {}
    for name, (key, value) in node.pairs.items():
        check_name(context, name, key)
        given = read_map(context, value, name)
        if given is None:
            continue
        handles = []
        for network, (at, written) in given.pairs.items():
            if network not in NETWORKS:
                hint = context.problems.suggest(network, NETWORKS)
                said = f"there is no network {shorten(network)}{hint or f': {either(NETWORKS)}'}"
                context.problems.add(at, said)
                continue
            handle = _handle(context, network, written)
            first = seen.get((network, handle.casefold()))
            if handle and first:
                said = f"{shorten(handle)} is one person's handle already: {first}"
                context.problems.add(written, said)
            elif handle:
                seen[network, handle.casefold()] = f"{shorten(name)} at {place(written)}"
                handles.append((network, handle))
        people.append(Person(name, tuple(handles)))
    return tuple(people)


def _handle(context: Context, network: str, node: Node) -> str:
    """A handle without `@` before it; "", and a problem, if it is none."""
    found = attempt(context, Setting(network, "string", ""), node)
    if not isinstance(found, str):
        return ""
    handle = found.removeprefix("@")
    about = NETWORKS[network]
    if not re.fullmatch(about.handle, handle, re.ASCII | re.IGNORECASE):
        said = f"{shorten(found)} is no handle on {about.title}, such as {about.handle_example}"
        context.problems.add(node, said)
        return ""
    return handle
