"""How an account logs in: by what its settings say, or else by what `tribridge login` stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bridge.config.values import Context, either, shorten
from bridge.config.yaml_reader import Map, Node
from bridge.network import Network


def way_of(network: Network, names: Mapping[str, Any]) -> tuple[str, ...]:
    """The settings that log an account in, by the first one of a set that is among `names`."""
    first, *others = network.logins
    return next((way for way in others if way[0] in names), first)


def place_of(network: Network, settings: Mapping[str, Any]) -> dict[str, str]:
    """What a login is good for: the account's server, service or app, and its handle.

    A token that one server gave is never sent to another, however the account is changed.
    """
    return {
        setting.name: str(settings[setting.name]).rstrip("/")
        for setting in network.settings
        if setting.kind in ("url", "string") and setting.name in settings
    }


def _folded(place: object) -> dict[str, str]:
    """A place as it is compared: names of hosts and people have no case."""
    return {k: str(v).lower() for k, v in place.items()} if isinstance(place, dict) else {}


def without_logins(network: Network, given: Map) -> Map:
    """The settings as written, but for the secrets that log in: for whoever is to make them."""
    names = {name for way in network.logins for name in way if _is_secret(network, name)}
    pairs = {name: pair for name, pair in given.pairs.items() if name not in names}
    return replace(given, pairs=pairs)


def _is_secret(network: Network, name: str) -> bool:
    return any(s.name == name and s.kind == "secret" for s in network.settings)


def add_login(
    context: Context, name: str, key: Node, given: Map, network: Network, values: dict[str, Any]
) -> None:
    """Fill in what the stored login of an account holds; report what it lacks to log in."""
    way = way_of(network, given.pairs)
    for other in network.logins:
        if other != way and (strange := next((s for s in other if s in given.pairs), None)):
            node = given.pairs[strange][0]
            message = f"{strange!r} and {way[0]!r} belong to two ways of logging in: remove one"
            context.problems.add(node, message)
            return
    stored = (context.logins or {}).get(name, {})
    secrets = stored.get("secrets", {})
    here = place_of(network, values)
    fits = stored.get("network") == network.name and _folded(stored.get("for")) == _folded(here)
    missing = [setting for setting in way if setting not in given.pairs]
    if not missing:
        return
    if fits and all(isinstance(secrets.get(setting), str) for setting in missing):
        values.update({setting: secrets[setting] for setting in missing})
        return
    # what is begun by hand is to be ended by hand
    begun = any(setting in given.pairs for setting in way if _is_secret(network, setting))
    how = f"log in with `tribridge login {name}`"
    if secrets and not fits:
        how = f"its stored login is for another {either(here)}: {how}"
    if way != network.logins[0]:
        context.problems.add(key, f"account {shorten(name)} is not logged in: {how}")
        return
    if len(network.logins) > 1:
        how = f"write {network.logins[1][0]} and {how}"
    for setting in missing:
        doc = next(s.doc for s in network.settings if s.name == setting)
        hint = "" if begun else f"; or {how}"
        context.problems.add(key, f"account {shorten(name)} needs {setting}: {doc}{hint}")
