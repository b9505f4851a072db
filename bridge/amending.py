"""Carrying out what became of an original on one of its copies: an edit in place, a deletion.

Both can be repeated without harm, so one whose answer was lost is simply sent again.
"""

from __future__ import annotations

from collections.abc import Callable

from bridge.accounts import Accounts, Opened
from bridge.network import Gone
from bridge.outcome import PARENT_WAIT, Dropped, Sent, Stop, Wait
from bridge.store import Copy, QueuedDraft, Store, changed_id

#: what an edit cannot change, of a payload that published a post
_STAYS = ("in_reply_to_id", "quoted_status_id", "visibility")
#: what uploads a draft's media: the draft with them, or what keeps it from going on
Upload = Callable[[QueuedDraft], QueuedDraft | Wait | Stop]


def amend(
    change: QueuedDraft, target: Opened, accounts: Accounts, store: Store, upload: Upload
) -> Sent | Dropped | Wait | Stop:
    """Change one part of a copy. Raises the five kinds of error."""
    base = _base(change, store)
    copy = _copy(change, target, store)
    if change.action == "delete" and (copy is not None or _names_its_copy(change)):
        return _delete(change, copy, target, accounts, store)
    if base is not None and base.state in ("queued", "sending"):
        until = accounts.now() + PARENT_WAIT
        return Wait(until, "waits until it is known whether the copy stands", "parent")
    if base is not None and base.state in ("held", "dead"):
        reason = f"the copy that it would change is {base.state}: {base.error}"
        return Stop("held", reason, "parent")
    if change.action == "delete":
        return _delete(change, copy, target, accounts, store)
    if base is None or copy is None:  # deleted by hand: it stays so
        store.deleted(change, None, accounts.now())
        return Sent()
    return _update(change, base, copy, target, accounts, store, upload)


def _base(change: QueuedDraft, store: Store) -> QueuedDraft | None:
    """The draft that became the part of the copy which is to change."""
    drafts = store.drafts_of(change.target, change.source, changed_id(change.source_id))
    return next((d for d in drafts if d.draft.part == change.draft.part), None)


def _names_its_copy(change: QueuedDraft) -> bool:
    """Whether a deletion says which post it is about: it was known when that was decided."""
    return not change.source_id.endswith("#delete-")


def _copy(change: QueuedDraft, target: Opened, store: Store) -> Copy | None:
    """The post that is to change; None if it is not known, or gone."""
    if change.action == "delete" and _names_its_copy(change):
        named = change.source_id.rpartition("#delete-")[2]
        link = store.links(target.identity.id, [named]).get(named)
        return link if link is not None and link.gone_at is None else None
    copies = store.copies(change.source, changed_id(change.source_id))
    here = (c for c in copies if c.identity == target.identity.id and c.role == "copy")
    return next((c for c in here if c.part == change.draft.part), None)


def _delete(
    change: QueuedDraft, copy: Copy | None, target: Opened, accounts: Accounts, store: Store
) -> Sent | Dropped:
    if copy is not None:
        if not store.sending(change, {"delete": copy.ref.id}, "", accounts.now()):
            return Dropped()
        target.client.delete(copy.ref)
    store.deleted(change, copy, accounts.now())
    return Sent()


def _update(
    change: QueuedDraft,
    base: QueuedDraft,
    copy: Copy,
    target: Opened,
    accounts: Accounts,
    store: Store,
    upload: Upload,
) -> Sent | Dropped | Wait | Stop:
    try:
        if change.state != "sending" and not change.approved:
            standing = target.client.find(copy.ref.id)
            if base.payload and not target.network.matches(base.payload, base.key, standing):
                return Stop("held", "the copy was edited by hand since", "edit")
        # what is uploaded already keeps its place; other descriptions go along with the edit
        uploads = base.uploads
        if not _shows_same_media(change, base):
            uploaded = upload(change)
            if isinstance(uploaded, Wait | Stop):
                return uploaded
            change, uploads = uploaded, uploaded.uploads
        payload = change.payload or target.network.to_update(change.draft, uploads, accounts.now())
        if not store.sending(change, payload, "", accounts.now()):
            return Dropped()
        target.client.update(copy.ref, payload)
    except Gone:
        store.deleted(change, copy, accounts.now())
        return Sent()
    kept = {name: value for name, value in (base.payload or {}).items() if name in _STAYS}
    store.updated(change, base, {**kept, **payload}, uploads)
    return Sent()


def _shows_same_media(change: QueuedDraft, base: QueuedDraft) -> bool:
    old, new = ([media.url for media in draft.draft.media] for draft in (base, change))
    return old == new and len(base.uploads) == len(new)
