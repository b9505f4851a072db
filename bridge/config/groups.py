"""The section `groups`: names for lists of accounts, for wherever accounts are listed."""

from __future__ import annotations

from collections.abc import Container, Mapping

from bridge.config.accounts import check_name
from bridge.config.values import Context, Name, attempt, shorten
from bridge.config.yaml_reader import Map
from bridge.registry import NETWORKS
from bridge.schema import Account, Setting

Groups = dict[str, tuple[str, ...]]


def read_groups(context: Context, node: Map, accounts: Mapping[str, Account]) -> Groups:
    """The accounts of each group; what is wrong is reported and left out."""
    groups: Groups = {}
    for name, (key, value) in node.pairs.items():
        check_name(context, name, key)
        for taken, what in ((accounts, "an account"), (NETWORKS, "a network")):
            if name in taken:
                said = f"{shorten(name)} is also {what}; give the group another name"
                context.problems.add(key, said)
        found = attempt(context, Setting(name, "account", ""), value)
        members: tuple[Name, ...] = found if isinstance(found, tuple) else ()
        known: list[str] = []
        for member in members:
            if member.text in known:
                said = f"the account {shorten(member.text)} is named twice"
            elif member.text in accounts:
                known.append(member.text)
                continue
            elif member.text in node.pairs:
                said = f"{shorten(member.text)} is a group; a group holds accounts"
            else:
                hint = several(member.text, accounts)
                hint = hint or context.problems.suggest(member.text, accounts)
                said = f"there is no account {shorten(member.text)}{hint}"
            context.problems.add(member.node, said)
        groups[name] = tuple(known)
    return groups


def several(text: str, accounts: Container[str]) -> str:
    """A hint for names of accounts that were written as one text; "" if they are none."""
    parts = text.replace(",", " ").split()
    if len(parts) > 1 and all(part in accounts for part in parts):
        return f"; several are a list: [{', '.join(parts)}]"
    return ""
