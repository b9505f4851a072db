"""`tribridge export`: originals, their revisions, their copies, and when each came, as data."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

from bridge.store import QueuedDraft, Store, original_id

#: a row of the CSV is one post that was put on an account
COLUMNS = (
    "account", "original", "published", "revisions", "target", "kind", "part", "copy", "posted",
    "deleted", "state", "text", "losses",
)  # fmt: skip


def export(store: Store | None, since: datetime) -> dict[str, Any]:
    """Every original published since a time (UTC) that was taken, as one JSON object.

    Texts are those of the copies, as they stand or wait; that of an original stays on its network.
    """
    if store is None:
        return {"since": since.isoformat(), "originals": []}
    names = {who["identity"]: name for name, who in store.accounts().items()}
    groups: dict[tuple[str, str], list[QueuedDraft]] = {}
    for draft in store.drafts_since(since):
        name = (draft.source, original_id(draft.source_id))
        groups.setdefault(name, []).append(draft)
    found = []
    for (source, post_id), drafts in groups.items():
        copies = {
            (copy.identity, copy.origin_id, copy.part, copy.gone_at is None): copy
            for copy in store.all_copies(source, post_id)
        }
        first = drafts[0]
        found.append(
            {
                "account": names.get(source, source),
                "id": post_id,
                "url": first.source_url,
                "published": min(d.draft.created_at for d in drafts).isoformat(),
                "revisions": [
                    {"revision": revision, "seen": at}
                    for revision, at in store.revisions(source, post_id)
                ],
                "copies": [_copy(draft, copies, names) for draft in drafts],
            }
        )
    return {"since": since.isoformat(), "originals": found}


def _copy(draft: QueuedDraft, copies: dict[Any, Any], names: dict[str, str]) -> dict[str, Any]:
    kind = {"update": "edit", "delete": "deletion"}.get(draft.action)
    kind = kind or ("correction" if "#" in draft.source_id else "copy")
    at = (draft.target, draft.source_id, draft.draft.part)
    copy = copies.get((*at, draft.state == "sent"))
    if draft.action != "publish":
        copy = None
    return {
        "account": names.get(draft.target, draft.target),
        "kind": kind,
        "part": draft.draft.part,
        "state": draft.state,
        "reason": draft.error or None,
        "url": copy.ref.url if copy else None,
        "id": copy.ref.id if copy else None,
        "posted": copy.at if copy else None,
        "attempted": draft.attempted_at.isoformat() if draft.attempted_at else None,
        "deleted": copy.gone_at.isoformat() if copy and copy.gone_at else None,
        "text": draft.draft.lead + draft.draft.text,
        "losses": [{"what": loss.what, "detail": loss.detail} for loss in draft.draft.losses],
    }


def as_csv(found: dict[str, Any]) -> str:
    """The same as CSV with a heading (RFC 4180): a line for each post put on an account.

    A cell never begins as a formula does, so that no spreadsheet takes a post for one.
    """
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for original in found["originals"]:
        for copy in original["copies"]:
            values = (
                original["account"],
                original["url"],
                original["published"],
                len(original["revisions"]),
                copy["account"],
                copy["kind"],
                copy["part"],
                copy["url"],
                copy["posted"],
                copy["deleted"],
                copy["state"],
                copy["text"],
                "; ".join(f"{loss['what']}: {loss['detail']}" for loss in copy["losses"]),
            )
            rows.writerow([_cell(value) for value in values])
    return out.getvalue()


def _cell(value: object) -> object:
    """A cell that no spreadsheet reads as a formula (OWASP, CSV injection)."""
    text = value if isinstance(value, str) else ""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else value
