"""Delivering: which draft is next, and what became of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Literal

from sqlite_utils import Database

from bridge.post import Draft, Loss, Ref, utc
from bridge.store.file import StateFile
from bridge.store.rows import EPOCH, Blocks, Code, QueuedDraft, ref_json


class Sending(StateFile):
    """The part of `Store` that deliveries use."""

    def next_draft(
        self, target: str, now: datetime, *, fresh: bool = True, backfill: bool = True
    ) -> QueuedDraft | None:
        """The draft to deal with next: one in doubt first, else the oldest that is due.

        `fresh` and `backfill` say whether posts of either kind may begin; what has begun, and what
        follows another post, goes on. None while a draft that blocks the account waits: what was
        posted later must not overtake.
        """
        if self.rests(target, now):
            return None
        at = now.isoformat()
        for state in ("sending", "queued"):  # one by one, so that the index gives them in order
            found = self._drafts(
                "target=? AND state=? AND (not_before IS NULL OR not_before<=?)"
                f" AND {_MAY_GO} ORDER BY id LIMIT 1",
                (target, state, at, backfill, fresh),
            )
            if found:
                return found[0]
        return None

    def begun_between(
        self, target: str, since: datetime, now: datetime
    ) -> tuple[int, datetime | None]:
        """How many posts went out to an account since a time, and when the first of them did.

        Parts and replies do not count: a thread is one post.
        """
        rows = self._rows(
            "SELECT count(*), min(attempted_at) FROM drafts WHERE target=? AND attempted_at>?"
            " AND attempted_at<=? AND NOT follows",
            (target, since.isoformat(), now.isoformat()),
        )
        return rows[0][0], utc(rows[0][1]) if rows[0][1] else None

    def backfilled_at(self, target: str, since: datetime) -> datetime | None:
        """When the last post that `backfill` chose went out to an account, if after `since`."""
        rows = self._rows(
            "SELECT max(attempted_at) FROM drafts WHERE target=? AND attempted_at>?"
            " AND backfill AND NOT follows",
            (target, since.isoformat()),
        )
        return utc(rows[0][0]) if rows[0][0] else None

    def rests(self, target: str, now: datetime) -> bool:
        """Whether a draft that failed keeps everything for an account waiting."""
        return bool(
            self._rows(
                "SELECT 1 FROM drafts WHERE target=? AND state IN ('queued','sending')"
                " AND blocks<>'' AND not_before>?",
                (target, now.isoformat()),
            )
        )

    def next_time(
        self, target: str, *, fresh: bool = True, backfill: bool = True
    ) -> datetime | None:
        """When a waiting draft of a target is due, or None if nothing waits; as `next_draft`."""
        waiting = "target=? AND state IN ('queued','sending')"
        rows = self._rows(
            f"SELECT coalesce((SELECT max(not_before) FROM drafts WHERE {waiting} AND blocks<>''),"
            f" (SELECT min(coalesce(not_before, '{EPOCH}')) FROM drafts WHERE {waiting}"
            f" AND {_MAY_GO}))",
            (target, target, backfill, fresh),
        )
        return utc(rows[0][0]) if rows[0][0] else None

    def forget_login_waits(self) -> None:
        """Let drafts that waited for a login go at once: at a start the login may be mended."""
        if self._rows("SELECT 1 FROM drafts WHERE blocks='login'"):
            with self.write() as db:
                db.execute("UPDATE drafts SET not_before=NULL, blocks='' WHERE blocks='login'")

    def forget_waits(self) -> None:
        """Let everything that waits for a time go at once: those of another clock mean nothing."""
        with self.write() as db:
            db.execute(
                f"UPDATE drafts SET not_before=iif(code='delay', '{EPOCH}', NULL), blocks=''"
                " WHERE not_before IS NOT NULL AND state IN ('queued','sending')"
            )

    def waiting_targets(self) -> list[str]:
        """The identities that have drafts waiting."""
        rows = self._rows(
            "SELECT DISTINCT target FROM drafts WHERE state IN ('queued','sending') ORDER BY 1"
        )
        return [row[0] for row in rows]

    def uploaded(
        self, draft: QueuedDraft, uploads: Sequence[Mapping[str, Any]], now: datetime
    ) -> None:
        """Remember the references of uploaded media, so that a crash does not upload twice.

        What was made of another version meanwhile, whose media may be others, is left alone.
        """
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET uploads=?, uploaded_at=coalesce(uploaded_at, ?)"
                " WHERE id=? AND version=?",
                (json.dumps(list(uploads)), now.isoformat(), draft.id, draft.version),
            )

    def lost(self, draft: QueuedDraft, losses: Sequence[Loss]) -> QueuedDraft:
        """The draft with what making its media fit has cost; the same is noted once."""
        known = draft.draft.losses
        fresh = tuple(loss for loss in dict.fromkeys(losses) if loss not in known)
        return self.amend(draft, replace(draft.draft, losses=known + fresh)) if fresh else draft

    def amend(self, draft: QueuedDraft, content: Draft) -> QueuedDraft:
        """The draft with other content; only for one of which nothing was sent.

        What was made of another version meanwhile is left alone.
        """
        with self.write() as db:
            done = db.execute(
                "UPDATE drafts SET draft=?, version=version+1 WHERE id=? AND version=?",
                (content.to_json(), draft.id, draft.version),
            )
            version = draft.version + done.rowcount
        return replace(draft, draft=content, version=version)

    def forget_uploads(self, draft: QueuedDraft) -> QueuedDraft:
        """The draft as it was before any upload; only for one that cannot stand anywhere."""
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET uploads=NULL, uploaded_at=NULL, payload=NULL, state='queued'"
                " WHERE id=? AND state IN ('queued','sending')",
                (draft.id,),
            )
        return replace(draft, uploads=(), uploaded_at=None, payload=None)

    def sending(
        self, draft: QueuedDraft, payload: Mapping[str, Any], newest: str, now: datetime
    ) -> bool:
        """Commit that a request is about to leave, with its frozen payload.

        False, and nothing is changed, if the draft was dropped or got other content meanwhile.
        """
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        at = now.isoformat()
        with self.write() as db:
            done = db.execute(
                "UPDATE drafts SET doubted_at=iif(state='sending', doubted_at, ?), state='sending',"
                " payload=?, newest=iif(attempted_at IS NULL, ?, newest), absences=0,"
                " attempted_at=?, not_before=NULL, blocks='', code=''"
                " WHERE id=? AND version=? AND state IN ('queued','sending')",
                (at, text, newest, at, draft.id, draft.version),
            )
            return done.rowcount > 0

    def has_twin(self, draft: QueuedDraft, since: datetime) -> bool:
        """Whether another draft with the same text went to the same account after a time."""
        others = self._drafts(
            "target=? AND id<>? AND action='publish' AND attempted_at>?",
            (draft.target, draft.id, since.isoformat()),
        )
        return any(other.draft.text == draft.draft.text for other in others)

    def is_sending(self, draft: QueuedDraft) -> bool:
        """Whether a request for a draft may have left and no outcome is recorded."""
        return bool(self._rows("SELECT 1 FROM drafts WHERE id=? AND state='sending'", (draft.id,)))

    def sent(self, draft: QueuedDraft, ref: Ref, root: Ref | None, now: datetime) -> None:
        """Record the copy: the draft is done and the link stands, in one transaction."""
        with self.write() as db:
            self._sent(db, draft, ref, root, now.isoformat())

    def _sent(self, db: Database, draft: QueuedDraft, ref: Ref, root: Ref | None, at: str) -> None:
        db.execute(
            "UPDATE drafts SET state='sent', error='', code='', not_before=NULL, blocks=''"
            " WHERE id=?",
            (draft.id,),
        )
        if draft.state in ("held", "dropped"):  # what it held back can go on
            db.execute(
                "UPDATE drafts SET state='queued', error='', code='' WHERE state='held'"
                " AND code='parent' AND target=?",
                (draft.target,),
            )
        origin = (draft.source, draft.source_id)
        self._link(db, origin, draft.draft.part, "copy", ref, root, at)
        # what waits for this copy: its later parts, changes to it, and what answers, quotes or
        # boosts a post of its group
        db.execute(
            "UPDATE drafts SET not_before=NULL WHERE target=? AND state='queued' AND code='parent'"
            " AND ((source, iif(instr(source_id, '#'), substr(source_id, 1,"
            " instr(source_id, '#')-1), source_id))=(?,?)"
            " OR EXISTS (SELECT 1 FROM links WHERE origin=? AND origin_id=? AND post_id IN"
            " (json_extract(draft, '$.reply_to.id'), json_extract(draft, '$.quote.id'),"
            " json_extract(draft, '$.boost.id'))))",
            (draft.target, *origin, *origin),
        )

    def put_off(
        self,
        draft: QueuedDraft,
        not_before: datetime,
        error: str,
        *,
        code: Code,
        state: Literal["queued", "sending"],
        blocks: Blocks = "",
        failed: bool = False,
        absent: bool = False,
    ) -> None:
        """Let a draft wait until `not_before`.

        `failed` counts an attempt that failed, `absent` a reading that did not find the draft.
        """
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET state=?, not_before=?, error=?, code=?, blocks=?,"
                " attempts=attempts+?, absences=absences+?"
                " WHERE id=? AND state IN ('queued','sending')",
                (
                    state,
                    not_before.isoformat(),
                    error,
                    code,
                    blocks,
                    int(failed),
                    int(absent),
                    draft.id,
                ),
            )

    def stop(
        self, draft: QueuedDraft, state: Literal["held", "dead"], reason: str, code: Code
    ) -> None:
        """Hold a draft for a person to decide, or bury it."""
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET state=?, error=?, code=?, not_before=NULL, blocks=''"
                " WHERE id=? AND state IN ('queued','sending')",
                (state, reason, code, draft.id),
            )

    @staticmethod
    def _link(
        db: Database,
        origin: tuple[str, str],
        part: int,
        role: str,
        ref: Ref,
        root: Ref | None,
        at: str,
    ) -> None:
        db.execute(
            "INSERT OR IGNORE INTO links (origin, origin_id, identity, part, role, post_id,"
            " url, uri, cid, root, at) VALUES (?,?,?,?,?,?,?,?,?,?,?)",
            (
                *origin,
                ref.account,
                part,
                role,
                ref.id,
                ref.url,
                ref.uri,
                ref.cid,
                ref_json(root),
                at,
            ),
        )


#: what has begun goes on; what has not, by its kind: takes `backfill` and `fresh`
_MAY_GO = "code<>'delay' AND (follows OR attempted_at IS NOT NULL OR iif(backfill, ?, ?))"
