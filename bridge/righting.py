"""Putting right what is out: a reply under every copy of a post, or the end of every copy.

Both only queue drafts; what they are about may be named by the original or by any copy of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from bridge.accounts import Accounts
from bridge.changes import correction, removal
from bridge.post import Post, Ref, Skip
from bridge.render import render
from bridge.schema import Bot, Policy
from bridge.store import Change, Copy, RouteKey, Store, original_id
from bridge.text import to_runs


def known(identity: str, post_id: str, store: Store) -> Copy | None:
    """The original that a post of an account is, or is a copy of; None if it is neither."""
    first = store.first_id(identity, post_id)
    link = store.links(identity, [first]).get(first)
    if link is None:
        return None
    origin_id = original_id(link.origin_id)
    return store.links(link.origin, [origin_id]).get(origin_id)


def correct(
    origin: Copy,
    text: str,
    number: int,
    bots: Mapping[str, Bot],
    accounts: Accounts,
    store: Store,
) -> dict[str, str]:
    """Queue a reply under every copy of a post; what became of it, by target.

    `number` tells this correction from others of the same post: the same one is queued once.
    Raises the five kinds of error where a target cannot be opened.
    """
    told: dict[str, str] = {}
    now = accounts.now()
    for target, bot in store.wanted(origin.origin, origin.origin_id).items():
        name = accounts.name_of(target)
        policy = _policy(bots.get(bot), accounts.name_of(origin.origin), name)
        if name is None or policy is None:
            told[name or target] = f"left alone: the bot {bot} does not mirror there any more"
            continue
        copies = store.drafts_of(target, origin.origin, origin.origin_id)
        account = accounts.open(name)
        post = Post(
            origin.origin,
            origin.origin_id,
            origin.ref.url,
            now,
            to_runs(text),
            languages=copies[0].draft.languages,
            visibility=copies[0].draft.visibility,
        )
        drafts = render(post, policy, account.network, account.client.limits)
        if isinstance(drafts, Skip):
            told[name] = f"left alone: {drafts.reason}"
            continue
        key = RouteKey(bot, origin.origin, target)
        ref = Ref(origin.origin_id, origin.origin, origin.ref.url)
        new = correction(key, ref, drafts, f"correct-{number}", now, approved=True)
        store.change(Change(key, new=new), now)
        told[name] = "the correction is queued"
    return told


def delete(origin: Copy, accounts: Accounts, store: Store) -> dict[str, str]:
    """Queue the deletion of every copy of a post; what became of it, by target.

    What has not gone out yet never will. The original stays.
    """
    told: dict[str, str] = {}
    now = accounts.now()
    for target, bot in store.wanted(origin.origin, origin.origin_id).items():
        key = RouteKey(bot, origin.origin, target)
        change = removal(key, origin.origin_id, store, now)
        while not store.change(change, now):  # a draft began to go out meanwhile
            change = removal(key, origin.origin_id, store, now)
        name = accounts.name_of(target) or target
        posts = len(change.new)
        waiting = "; what waited is dropped" if change.dropped else ""
        told[name] = f"{posts} post{'' if posts == 1 else 's'} to delete{waiting}"
    return told


def _policy(bot: Bot | None, source: str | None, target: str | None) -> Policy | None:
    ways = (r for r in (bot.routes if bot else ()) if (r.source, r.target) == (source, target))
    return next((route.policy for route in ways), None)
