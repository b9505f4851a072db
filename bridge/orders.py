"""What people ask of the process that runs the bots: mirror a post, leave one out, know a copy.

Such an order needs the accounts, which one process owns. So commands write it into the state, and
the daemon, or the command itself where none runs, carries it out in the lane of its account.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bridge import ingest, righting
from bridge.accounts import Accounts, Opened
from bridge.network import ClientError, Identity
from bridge.post import ref_to
from bridge.registry import NETWORKS
from bridge.schema import Config
from bridge.store import Copy, Order, Store

Kind = Literal["mirror", "skip", "sent", "correct", "delete"]


@dataclass(frozen=True, slots=True)
class Place:
    """The account that an order is about, and the id of the post there."""

    account: str
    post_id: str


@dataclass(frozen=True, slots=True)
class Done:
    """What came of an order: whether it was carried out, what to tell, who has new drafts."""

    ok: bool
    answer: str
    targets: frozenset[str] = field(default_factory=frozenset)


def place(order: Order, config: Config, accounts: Accounts, store: Store) -> Place | Done:
    """Which account's lane an order belongs to; `Done` if there is none.

    Raises the five kinds of error where an account that was never used cannot be opened, and the
    order is about none of the others.
    """
    names: Iterable[str] = config.accounts
    if order.kind == "sent":
        draft = store.draft(int(order.argument.partition(" ")[0]))
        name = accounts.name_of(draft.target) if draft else None
        if draft is None or name is None:
            return Done(ok=False, answer="there is no such draft for an account of the config")
        names = [name]
    url = order.argument.rpartition(" ")[2]
    known = known_accounts(config, store)
    found = places(url, {name: known[name] for name in names if name in known}, config)
    failed: ClientError | None = None
    for name in (name for name in names if name not in known and not found):
        try:
            found = places(url, {name: accounts.open(name).identity}, config)
        except ClientError as error:  # it may be a post of another
            failed = failed or error
    if len(found) == 1:
        return found[0]
    if found:
        return Done(
            ok=False,
            answer=f"{url}: may be a post of {_either(place.account for place in found)}: "
            "give its address with the account's name in it",
        )
    if failed is not None:
        raise failed
    return Done(
        ok=False,
        answer=f"{url}: not the address of a post of {_either(names)}: give the address of its "
        "page, as the network shows it",
    )


def known_accounts(config: Config, store: Store) -> dict[str, Identity]:
    """Who the configured accounts are, by name, as far as earlier logins told."""
    return {
        name: Identity(row["identity"], row["handle"], row["url"])
        for name, row in store.accounts().items()
        if name in config.accounts
    }


def places(url: str, whose: Mapping[str, Identity], config: Config) -> list[Place]:
    """What an address may be, of some accounts by name: more than one where it names no account."""
    ids = {
        name: NETWORKS[config.accounts[name].network].locate(url, who)
        for name, who in whose.items()
    }
    return [Place(name, post_id) for name, post_id in ids.items() if post_id]


def carry_out(order: Order, where: Place, config: Config, accounts: Accounts, store: Store) -> Done:
    """Do what an order says. In the lane of its account; raises the five kinds of error."""
    account = accounts.open(where.account)
    if order.kind == "sent":
        return _sent(order, where, account, accounts, store)
    if order.kind in ("correct", "delete"):
        return _put_right(order, where, account, config, accounts, store)
    routes = [
        (bot.name, route)
        for bot in config.bots.values()
        if bot.mode in ("live", "approve")
        for route in bot.routes
        if route.source == where.account
    ]
    if not routes:
        return Done(ok=False, answer=f"no bot that is live mirrors {where.account}")
    url = order.argument
    if order.kind == "skip":
        return Done(True, _lines(ingest.skip(account, where.post_id, url, routes, accounts, store)))
    post = account.client.find(where.post_id)
    told = ingest.mirror(account, post, routes, accounts, store)
    return Done(True, _lines(told), frozenset(told))


def _put_right(
    order: Order, where: Place, account: Opened, config: Config, accounts: Accounts, store: Store
) -> Done:
    """Correct or delete every copy of a post."""
    text, _, url = order.argument.rpartition(" ")
    origin = righting.known(account.identity.id, where.post_id, store)
    if origin is None:
        return Done(ok=False, answer=f"{url}: was never mirrored, and is no copy")
    if order.kind == "correct":
        told = righting.correct(origin, text, order.id, config.bots, accounts, store)
    else:
        told = righting.delete(origin, accounts, store)
    if not told:
        return Done(ok=False, answer=f"{url}: has no copy that stands or waits")
    return Done(True, _lines(told), frozenset(told) & config.accounts.keys())


def look_up(url: str, config: Config, store: Store) -> Copy | None:
    """The original that an address is of, or of a copy of; as far as the state tells."""
    known = known_accounts(config, store)
    found = places(url, known, config)
    origins = [righting.known(known[at.account].id, at.post_id, store) for at in found]
    return next((origin for origin in origins if origin is not None), None)


def _lines(told: dict[str, str]) -> str:
    return "\n".join(f"{target}: {what}" for target, what in told.items())


def _sent(order: Order, where: Place, account: Opened, accounts: Accounts, store: Store) -> Done:
    """Take a post that stands on a target for the copy that a draft was to become."""
    draft = store.draft(int(order.argument.partition(" ")[0]))
    assert draft is not None
    if draft.state == "sent":
        return Done(ok=False, answer=f"draft {draft.id} is sent already")
    if draft.state == "sending":
        return Done(ok=False, answer=f"draft {draft.id} is on its way: look again in a minute")
    post = account.client.find(where.post_id)
    if post.id in store.links(account.identity.id, [post.id]):
        return Done(ok=False, answer=f"{post.url} is known already, as another copy or an original")
    store.sent(draft, ref_to(post), post.root, accounts.now())
    return Done(
        True, f"draft {draft.id} is sent: its copy is {post.url}", frozenset([where.account])
    )


def _either(names: Iterable[str]) -> str:
    return " or ".join(names)
