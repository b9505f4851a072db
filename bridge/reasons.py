"""What the filters and steps of a route say of a post: plain data for commands that tell of it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from bridge import standing, steps
from bridge.post import Post, Ref, Skip
from bridge.schema import VISIBILITIES, Policy
from bridge.store import Store


def is_hidden(post: Post) -> bool:
    """Whether nothing of a post may be shown."""
    return post.visibility not in VISIBILITIES


def filters(
    post: Post, policy: Policy, way: tuple[str, str], store: Store, now: datetime
) -> Iterator[dict[str, Any]]:
    """What each filter says of a post; of one that never travels only that.

    `way` are source and target, by identity.
    """
    source, target = way
    answered = post.reply_to if post.reply_to and post.reply_to.account == post.account else None
    goes_on = answered is not None and standing.stands((source, answered.id), target, store)
    for ruling in steps.rulings(post, policy, thread_began_public=goes_on, now=now):
        yield {
            "filter": ruling.name,
            "wants": ruling.wanted,
            "passes": ruling.skip is None,
            "reason": ruling.skip.reason if ruling.skip else None,
        }
        if is_hidden(post):
            return


def changes(post: Post, policy: Policy) -> Iterator[dict[str, Any]]:
    """What each step of a route makes of a post, its text before and after among it."""
    before = post
    for setting, after in steps.stages(post, policy.steps):
        told: dict[str, Any] = {"step": setting.name, "value": _plain(setting.value)}
        if isinstance(after, Skip):
            yield {**told, "skips": after.reason, "changes": [], "text": None}
            return
        changed = [
            f.name for f in fields(Post) if getattr(before, f.name) != getattr(after, f.name)
        ]
        names = ["text" if name == "runs" else name for name in changed]
        text = {"before": before.text, "after": after.text} if "text" in names else None
        yield {**told, "skips": None, "changes": names, "text": text}
        before = after


def paused(store: Store, bot: str, accounts: Collection[str]) -> list[str]:
    """What a person has paused that concerns a bot or accounts: names, and "" for everything."""
    concerned = {("all", ""), ("bot", bot), *(("account", name) for name in accounts)}
    return [name for kind, name in sorted(store.pauses()) if (kind, name) in concerned]


def _plain(value: Any) -> Any:
    """A setting as JSON can hold it."""
    match value:
        case None | str() | int() | float():
            return value
        case Mapping():
            return {str(name): _plain(each) for name, each in value.items()}
        case ((str(), _), *_) if all(isinstance(pair, tuple) for pair in value):
            return {name: _plain(each) for name, each in value}  # a step with several settings
        case list() | tuple():
            return [_plain(each) for each in value]
    return str(value)


def address(ref: Ref | None, store: Store) -> str | None:
    """The page of a post that another refers to; its id where no page is known."""
    if ref is None or ref.url:
        return ref.url if ref else None
    link = store.links(ref.account, [ref.id]).get(ref.id)
    return link.ref.url if link and link.ref.url else ref.id
