"""Drafts made anew just before they go out, or because the network refused them as they were.

Each is written to the state before it is sent, so that a crash goes on from there.
"""

from __future__ import annotations

from dataclasses import replace

from bridge import render
from bridge.accounts import Opened
from bridge.network import Parents, Refused, Unreachable
from bridge.people import identified, unknown_handles
from bridge.store import SEVERAL, QueuedDraft, Store, is_change


def linked_here(
    draft: QueuedDraft, parents: Parents | None, target: Opened, store: Store
) -> tuple[QueuedDraft, Parents | None]:
    """A draft that quotes where the target has no quotes: a link leads to the copy."""
    limits, copy = target.client.limits, parents.shows if parents else None
    if parents is None or copy is None or draft.draft.boost or limits.quotes:
        return draft, parents
    content = render.to_copy(draft.draft, copy, limits)
    if content != draft.draft and draft.payload is None:
        draft = store.amend(draft, content)
    return draft, replace(parents, shows=None)


def addressed(draft: QueuedDraft, target: Opened, store: Store) -> QueuedDraft:
    """A draft whose mentions name identities, where the network wants those.

    One that cannot be found stays a name: it keeps no post back. A server that does not answer is
    asked again, as the post could not go out either, but not for ever. Raises the errors of the
    network that say that nothing goes out now.
    """
    wanted = target.network.live_mentions == "identity" and draft.payload is None
    handles = unknown_handles(draft.draft) if wanted else []
    if not handles:
        return draft
    found: dict[str, str] = {}
    for handle in handles:
        try:
            found[handle] = target.client.resolve(handle)
        except Refused:
            continue
        except Unreachable:
            if draft.attempts < SEVERAL:
                raise
    return store.amend(draft, identified(draft.draft, found, target.network))


def without_quote(draft: QueuedDraft, target: Opened, store: Store) -> None:
    """Make a draft one without what it quotes, which may be deleted: its words are to arrive."""
    fresh = store.forget_uploads(draft)
    store.amend(fresh, render.without_quote(draft.draft, target.network, target.client.limits))


def by_itself(draft: QueuedDraft, target: Opened, store: Store) -> None:
    """Make a draft an answer to nothing, so that the copy arrives whole."""
    fresh = store.forget_uploads(draft)
    store.amend(fresh, render.by_itself(draft.draft, target.network, target.client.limits))


def as_the_part_before(draft: QueuedDraft, target: Opened, store: Store) -> QueuedDraft:
    """A draft that stands by itself if the part before it does: the same would come of it."""
    content = draft.draft
    if content.part == 1 or content.alone or draft.payload is not None or is_change(draft):
        return draft
    parts = store.drafts_of(draft.target, draft.source, draft.source_id)
    if not any(d.draft.alone for d in parts if d.draft.part == content.part - 1):
        return draft
    return store.amend(draft, render.by_itself(content, target.network, target.client.limits))
