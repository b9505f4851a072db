"""Whether a post that was read back is the copy that a draft in doubt became. Pure.

Likeness settles one known draft; it never decides whether a post has been mirrored.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.network import Network
from bridge.post import Post
from bridge.store import QueuedDraft

#: how far the clocks of this machine and a server may differ
CLOCK_SKEW = timedelta(minutes=10)


def may_be_copy(network: Network, draft: QueuedDraft, post: Post, now: datetime) -> bool:
    """Whether a post could be what a draft became: alike, and not older than the attempt.

    Where the clock has been set back since the attempt, nobody knows when that was.
    """
    if draft.payload is None or draft.doubted_at is None:
        return False
    young = draft.doubted_at > now or post.created_at >= draft.doubted_at - CLOCK_SKEW
    return young and network.matches(draft.payload, draft.key, post)


def is_telling(draft: QueuedDraft, post: Post) -> bool:
    """Whether a match proves that a post is the copy: pictures without words look alike.

    A post is boosted once by an account: there is no other boost of it.
    """
    told = bool(draft.draft.text.strip()) or draft.draft.boost is not None
    return told or post.mark == draft.key
