"""Where a bot has `alt_text: required`: a post waits until its images are described."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bridge.accounts import Accounts
from bridge.network import ClientError, Limits
from bridge.outcome import Stop, Wait
from bridge.post import Loss, Post
from bridge.registry import NETWORKS
from bridge.render import shorten_alt
from bridge.schema import Policy
from bridge.store import QueuedDraft, Store

#: the shortest and the longest wait until the original is looked at again
SOONEST, LATEST = timedelta(minutes=1), timedelta(hours=2)


def lacking(
    draft: QueuedDraft, policy: Policy, limits: Limits, accounts: Accounts, store: Store
) -> Wait | Stop | None:
    """What an image without alt text means for a draft; None if it may go.

    The original is looked at each time that the draft comes up, after waits that grow with its age,
    until `max_age`. Alt texts that have come are written into all parts of the copy. What a person
    has released goes out with what is there by then. An original whose network charges for that is
    not looked at again.
    """
    if policy.alt_text != "required" or draft.draft.part > 1 or draft.attempted_at is not None:
        return None
    parts = store.drafts_of(draft.target, draft.source, draft.source_id)
    bare = sum(not media.alt.strip() for part in parts for media in part.draft.media)
    if not bare:
        return None
    now, post = accounts.now(), _original(draft, accounts)
    if post is not None and _describe(parts, post, limits, store):
        return Wait(now, "takes over the alt texts that its images have now", "alt")
    if draft.approved:
        return None
    created = draft.draft.created_at
    end = created + policy.max_age
    if now >= end or _is_paid(draft.source):
        return Stop("held", "an image has no alt text, and the bot asks for one", "alt")
    wait = min(max((now - created) / 2, SOONEST), LATEST)
    return Wait(min(now + wait, end), "waits for the alt text of an image", "alt")


def _is_paid(source: str) -> bool:
    return NETWORKS[source.partition(":")[0]].paid


def _original(draft: QueuedDraft, accounts: Accounts) -> Post | None:
    """The original as it is now; None if it cannot be had, which says nothing."""
    name = accounts.name_of(draft.source)
    if name is None or _is_paid(draft.source):
        return None
    try:
        return accounts.open(name).client.find(draft.source_id)
    except ClientError:
        return None


def _describe(parts: list[QueuedDraft], post: Post, limits: Limits, store: Store) -> bool:
    """Write alt texts of the original into parts that lack them; whether there were any."""
    told = [media for media in post.media if media.alt.strip()]
    alts = {url: media.alt for media in told for url in (media.poster, media.url)}
    written = False
    for part in parts:
        losses: list[Loss] = []
        described = tuple(
            media
            if media.alt.strip() or media.url not in alts
            else shorten_alt(replace(media, alt=alts[media.url]), limits, losses)
            for media in part.draft.media
        )
        if described != part.draft.media:
            known = part.draft.losses
            fresh = tuple(loss for loss in losses if loss not in known)
            store.amend(part, replace(part.draft, media=described, losses=known + fresh))
            written = True
    return written
