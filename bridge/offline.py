"""Accounts and a memory that stand in for real ones where a post is judged without any network."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

from bridge.accounts import Opened
from bridge.network import Client, Identity, Limits, Network
from bridge.store import Store


@dataclass(frozen=True, slots=True)
class _Limited:
    """As much of a client as judging needs."""

    limits: Limits


def opened(name: str, network: Network, identity: Identity, limits: Limits) -> Opened:
    """An account that is asked for nothing but its limits."""
    return Opened(name, network, identity, cast("Client", _Limited(limits)))


def memory(mirrored: Iterable[str] = ()) -> Store:
    """A memory in which nothing is but that these posts of the source stand on every target."""
    return cast("Store", _Memory(frozenset(mirrored)))


@dataclass(frozen=True, slots=True)
class _Memory:
    """As much of a store as judging reads."""

    mirrored: Collection[str]

    def links(self, *_: object) -> dict[str, Any]:
        return {}

    accounts = links

    def copies(self, *_: object) -> list[Any]:
        return []

    def drafts_of(self, _target: str, _source: str, post_id: str) -> list[Any]:
        return [SimpleNamespace(state="sent")] if post_id in self.mirrored else []
