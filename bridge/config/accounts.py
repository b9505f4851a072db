"""The section `accounts`: what each network's manifest asks for, and no account twice."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from bridge.config.logins import add_login, way_of, without_logins
from bridge.config.values import Context, attempt, either, read_map, read_settings, shorten
from bridge.config.yaml_reader import Map, Node, Scalar, place
from bridge.registry import NETWORKS
from bridge.schema import OF_ACCOUNTS, Account, Bot, Setting

_NAME = re.compile(r"[A-Za-z0-9_.-]+")


def _network() -> Setting:
    return Setting("network", "choice", "the network", choices=tuple(NETWORKS), required=True)


def check_name(context: Context, name: str, node: Node) -> None:
    """Report a name that an account or bot may not have."""
    if "/" in name:
        context.problems.add(node, f"the name {shorten(name)} holds /, which is reserved")
    elif not _NAME.fullmatch(name):
        message = f"the name {shorten(name)} may hold only A-Z a-z 0-9 _ . and -"
        context.problems.add(node, message)


def read_accounts(context: Context, node: Map) -> dict[str, Account]:
    """All accounts by name; one with problems has a part of its settings, or an empty network."""
    accounts: dict[str, Account] = {}
    seen: dict[tuple[str, ...], str] = {}
    for name, (key, value) in node.pairs.items():
        check_name(context, name, key)
        account = _account(context, name, key, value)
        accounts[name] = account
        if name in NETWORKS and account.network not in ("", name):
            message = (
                f"{name!r} is also a network; give this {account.network} account another name"
            )
            context.problems.add(key, message)
        identity = _identity(account)
        if identity and identity in seen:
            message = f"the same account twice: {shorten(name)} is {seen[identity]}"
            context.problems.add(key, message)
        elif identity:
            seen[identity] = f"{shorten(name)} at {place(key)}"
    return accounts


def _account(context: Context, name: str, key: Scalar, node: Node) -> Account:
    given = read_map(context, node, name)
    if given is None:
        return Account(name, "", {})
    if "network" not in given.pairs:
        message = f"account {shorten(name)} needs a network: {either(NETWORKS)}"
        context.problems.add(key, message)
        return Account(name, "", {})
    which = _network()
    network = attempt(context, which, given.pairs["network"][1])
    if network not in NETWORKS:
        return Account(name, "", {})
    written = frozenset(given.pairs)
    if context.logins is None:
        given = without_logins(NETWORKS[network], given)
    known = {setting.name: setting for setting in (*NETWORKS[network].settings, *OF_ACCOUNTS)}
    values = read_settings(context, given, {which.name: which} | known)
    del values[which.name]
    for setting in known.values():
        if setting.required and setting.name not in given.pairs:
            message = f"account {shorten(name)} needs {setting.name}: {setting.doc}"
            context.problems.add(key, message)
        elif setting.kind == "section" and (setting.name in values or not _is_optional(setting)):
            values[setting.name] = _defaults(setting) | values.get(setting.name, {})
        elif setting.default is not None:
            values.setdefault(setting.name, setting.default)
    if context.logins is not None:
        add_login(context, name, key, given, NETWORKS[network], values)
    return Account(name, network, values, written)


def _defaults(section: Setting) -> dict[str, Any]:
    return {part.name: part.default for part in section.settings if part.default is not None}


def _is_optional(section: Setting) -> bool:
    """Whether a section that is not written is not there, since something in it must be said."""
    return any(part.required for part in section.settings)


def check_targets(
    context: Context, node: Map, accounts: dict[str, Account], bots: Iterable[Bot]
) -> None:
    """Report accounts that bots post to, and that lack what their network asks of a target."""
    posting: dict[str, str] = {}
    for bot in bots:
        for route in bot.routes:
            posting.setdefault(route.target, bot.name)
    for name, (key, value) in node.pairs.items():
        account = accounts[name]
        if name not in posting or account.network not in NETWORKS or not isinstance(value, Map):
            continue
        for setting in NETWORKS[account.network].settings:
            if setting.required_of_targets and setting.name not in value.pairs:
                needs = f"account {shorten(name)} needs {setting.name}"
                why = f"because bot {shorten(posting[name])} posts to it"
                context.problems.add(key, f"{needs}, {why}: {setting.doc}")


def _identity(account: Account) -> tuple[str, ...]:
    """What tells one account from another; () if not all of it is known.

    Where an account has a name, that is its name and server; else its keys say who it is.
    """
    if account.network not in NETWORKS:
        return ()
    network = NETWORKS[account.network]
    way = way_of(network, account.settings)
    ways = {name for each in network.logins for name in each}
    settings = tuple(
        s
        for s in network.settings
        if s.name in way or (s.kind in ("string", "url") and s.name not in ways)
    )
    if any(s.kind == "string" and s.name not in way for s in settings):
        settings = tuple(setting for setting in settings if setting.kind != "secret")
    if any(setting.name not in account.settings for setting in settings):
        return ()
    values = ((setting.kind, account.settings[setting.name]) for setting in settings)
    return account.network, *(v if kind == "secret" else v.lower() for kind, v in values)
