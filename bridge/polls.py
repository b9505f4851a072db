"""A poll as its target takes it, or as text. Pure."""

from __future__ import annotations

from dataclasses import replace

from bridge.network import Limits, Network
from bridge.post import Loss, Poll, Post, Run
from bridge.schema import Policy
from bridge.text import defuse_mentions, has_link


def ballot(
    post: Post, policy: Policy, target: Network, limits: Limits, losses: list[Loss]
) -> Poll | None:
    """The poll as the target takes it; None if there is none, it is over, or it does not fit.

    A poll with media stays text: no network takes both in one post.
    """
    poll, room = post.poll, limits.polls
    if poll is None or room is None or poll.closed or post.media or not post.text.strip():
        return None
    options = tuple(
        defuse_mentions(option) if target.mentions_in_text else option for option in poll.options
    )
    fitting = [o for o in options if 1 <= room.count(o) <= room.characters and o.strip()]
    if (
        (poll.multiple and not room.multiple)
        or not 2 <= len(options) <= room.options
        or len(fitting) < len(options)
        or len(set(options)) < len(options)
        or (policy.links == "drop" and has_link(tuple(Run(option) for option in options)))
    ):
        return None
    if poll.ends_at and (poll.ends_at - post.created_at).total_seconds() > room.longest:
        losses.append(Loss("poll", f"the poll ends earlier than the original on {target.title}"))
    return replace(poll, options=options, votes=(), shortest=room.shortest, longest=room.longest)


def as_text(poll: Poll) -> Run:
    """A poll as lines of its options, with the result if it is over."""
    lines = [f"\n- {option}" for option in poll.options]
    if poll.closed and poll.votes:
        total = sum(poll.votes)
        shares = [f" ({votes * 100 / total:.0f}%)" if total else "" for votes in poll.votes]
        # several choices of one person add up to more than everybody
        shares = [""] * len(shares) if poll.multiple else shares
        lines = [
            f"{line}: {votes}{share}"
            for line, votes, share in zip(lines, poll.votes, shares, strict=True)
        ]
    return Run("".join(lines))
