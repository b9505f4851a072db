"""Whether what a post refers to stands on a target: itself, or a copy of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from bridge import bridges
from bridge.post import Post, Ref, Skip
from bridge.schema import Policy
from bridge.store import Store


def referred_first(posts: Sequence[Post]) -> list[Post]:
    """Posts of one account in their order, but each after those that it answers, quotes or boosts.

    An edit on X moves a post behind its answers, and keys on Bluesky are what clients make them.
    """
    here: dict[str, list[Post]] = {}
    for post in posts:
        here.setdefault(post.id, []).append(post)
    ordered: list[Post] = []
    begun: set[int] = set()
    for post in posts:
        waiting = [] if id(post) in begun else [post]
        while waiting:  # a stack, for a thread can be longer than Python's own
            last = waiting[-1]
            begun.add(id(last))
            refs = (ref for ref in (last.reply_to, last.quote, last.boost) if ref is not None)
            before = (each for ref in refs for each in here.get(ref.id, ()))
            first = next((each for each in before if id(each) not in begun), None)
            if first is None:
                ordered.append(waiting.pop())
            else:
                waiting.append(first)
    return ordered


def stands(post: tuple[str, str], target: str, store: Store) -> bool:
    """Whether a post (account and id) has a copy on the target, or one that is on its way."""
    account, post_id = post
    link = store.links(account, [post_id]).get(post_id)
    origin = (link.origin, link.origin_id) if link else post
    if link and any(copy.identity == target for copy in store.copies(*origin)):
        return True
    drafts = store.drafts_of(target, *origin)
    return any(draft.state != "dropped" for draft in drafts)


def shown(post: Post, target: str, queued: Collection[tuple[str, str]], store: Store) -> Ref | None:
    """What a post boosts or quotes, under the account that wrote it, if the target has it or will.

    It is known through other servers and other bridges too. `queued` are posts of the same account,
    (target, id), that are about to be.
    """
    ref = post.boost or post.quote
    if ref is None:
        return None
    account, post_id = _author(ref, store)
    # where the network does not tell the author, the post may be one's own
    named = replace(ref, id=post_id, account=account or post.account)
    here = named.account == post.account and (target, post_id) in queued
    return named if here or stands((named.account, post_id), target, store) else None


def shows_in_vain(
    post: Post, there: Ref | None, target: str, policy: Policy, store: Store
) -> Skip | None:
    """Why a post that only shows another one, a boost or a quote without words, is left alone.

    `there` is what `shown` gave. A boost of what stands on the target becomes a boost there. What
    is left alone is one of the account's own or the target's that is not mirrored, and a quote that
    adds nothing to what stands there.
    """
    says_nothing = not (post.runs or post.media or post.poll)
    ref = post.boost or (post.quote if says_nothing else None)
    if ref is None or (post.boost and there):
        return None
    what = "boost" if post.boost else "quote without words"
    account, _ = _author(ref, store)
    if account == post.account:
        return Skip(f"{what} of the account's own post")
    if account == target or there:
        return Skip(f"{what} of a mirrored post")
    return Skip("boost") if post.boost and policy.boosts == "skip" else None


def _author(ref: Ref, store: Store) -> tuple[str, str]:
    """The account that a post is by ("" if that is not known), and its id there."""
    pages = {row["identity"]: row["url"] for row in store.accounts().values()}
    if ref.account not in pages and (home := bridges.at_home(ref, pages)):
        return home
    return ref.account, ref.id
