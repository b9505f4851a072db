"""Edits and deletions of originals: what is watched, what changes, what is gone."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlite_utils import Database

from bridge.post import Draft, idempotency_key, utc
from bridge.store.reading import Reading
from bridge.store.rows import COPY_DELETED, Change, Copy, NewDraft, QueuedDraft, change_id

#: an original that a person or a bot still wants mirrored
_WANTED = "source=? AND action='publish' AND state<>'dropped' AND instr(source_id, '#')=0"
#: nothing of it stands, nor will without a look at the row
_UNTOUCHED = "(state='dead' OR (attempted_at IS NULL AND state IN ('queued','held')))"
#: a post of which a part stands, or may: what is half told is told to its end
_HAS_BEGUN = (
    "(action='publish' AND EXISTS (SELECT 1 FROM drafts AS first WHERE first.target=drafts.target"
    " AND first.source=drafts.source AND first.source_id=drafts.source_id"
    " AND first.attempted_at IS NOT NULL))"
)
#: a part that an edit, or a person before it left, took away: nothing of it stands
_GIVEN_UP = "state='dropped' AND attempted_at IS NULL AND instr(source_id, '#')=0"


@dataclass(frozen=True, slots=True)
class Watched:
    """An original that is watched: when it was published, and since when it seems to be gone.

    `waits` says that some of it is still to go out.
    """

    post_id: str
    created_at: datetime
    missing_at: datetime | None
    waits: bool


class Changing(Reading):
    """The part of `Store` that follows what becomes of originals."""

    # Waiting for the final version.

    def delays(self, source: str) -> dict[str, datetime]:
        """The posts of an account that wait for their delay, and when each is over."""
        rows = self._rows(
            "SELECT source_id, min(not_before) FROM drafts WHERE source=? AND code='delay'"
            " AND state='queued' GROUP BY source_id ORDER BY 2",
            (source,),
        )
        return {post_id: utc(at) for post_id, at in rows}

    def end_delay(self, source: str, ids: Iterable[str], now: datetime) -> set[str]:
        """Let posts go whose delay is over; the identities that have something to send now."""
        targets: set[str] = set()
        with self.write() as db:
            for post_id in ids:
                rows = db.execute(
                    "UPDATE drafts SET code='', error='', not_before=NULL WHERE source=?"
                    " AND source_id=? AND code='delay' AND state='queued' AND not_before<=?"
                    " RETURNING target",
                    (source, post_id, now.isoformat()),
                ).fetchall()
                targets |= {row[0] for row in rows}
        return targets

    def delays_any(self, source: str, target: str) -> bool:
        """Whether a post of an account waits for its delay before it goes to another account."""
        return bool(
            self._rows(
                "SELECT 1 FROM drafts WHERE source=? AND target=? AND code='delay'"
                " AND state='queued' LIMIT 1",
                (source, target),
            )
        )

    # Watching.

    def followed(self, source: str, since: datetime) -> list[Watched]:
        """The originals of an account, published after a time, that have copies or drafts.

        Oldest first, without those that are known to be gone.
        """
        rows = self._rows(
            "SELECT post_id, created, missing_at, waits FROM (SELECT source_id,"
            " min(created_at) AS created, max(state='queued') AS waits"
            f" FROM drafts WHERE {_WANTED} AND watched AND created_at>=? GROUP BY source_id)"
            " JOIN links ON (identity, post_id)=(?, source_id) WHERE role='origin'"
            " AND gone_at IS NULL ORDER BY created",
            (source, since.isoformat(), source),
        )
        return [
            Watched(post_id, utc(at), utc(missing) if missing else None, bool(waits))
            for post_id, at, missing, waits in rows
        ]

    def wanted(self, source: str, post_id: str) -> dict[str, str]:
        """Where a post goes: the bot that takes it there, by the identity of the target."""
        rows = self._rows(
            f"SELECT target, bot FROM drafts WHERE {_WANTED} AND source_id=? ORDER BY id",
            (source, post_id),
        )
        return dict(rows)

    def original(self, source: str, post_id: str) -> Copy | None:
        """An original, as it is known; None if it was never taken."""
        link = self.links(source, [post_id]).get(post_id)
        return link if link is not None and link.role == "origin" else None

    def missed(self, source: str, post_id: str, at: datetime | None) -> None:
        """Note when the network first said that an original is gone; None that it is there."""
        with self.write() as db:
            db.execute(
                "UPDATE links SET missing_at=? WHERE identity=? AND post_id=? AND role='origin'",
                (at.isoformat() if at else None, source, post_id),
            )

    def original_gone(self, source: str, post_id: str, now: datetime) -> None:
        """Note that an original is gone for certain: it is not watched any more."""
        with self.write() as db:
            db.execute(
                "UPDATE links SET gone_at=? WHERE identity=? AND post_id=? AND role='origin'",
                (now.isoformat(), source, post_id),
            )

    def standing(self, target: str, source: str, post_id: str) -> list[Copy]:
        """Every copy of a post on a target that is not gone, its corrections included."""
        sql = "SELECT DISTINCT origin_id FROM links WHERE origin=? AND (origin_id=? OR origin_id"
        rows = self._rows(
            # a prefix, by its bounds, so that the index is used
            f"{sql}>=? AND origin_id<?) AND identity=? AND gone_at IS NULL ORDER BY 1",
            (source, post_id, f"{post_id}#", f"{post_id}$", target),
        )
        return [
            copy
            for (origin_id,) in rows
            for copy in self.copies(source, origin_id)
            if copy.identity == target and copy.role == "copy"
        ]

    def standing_everywhere(self, source: str, post_id: str) -> list[Copy]:
        """Every copy of a post that is not gone, its corrections included, on every account."""
        return [
            copy
            for target in self.wanted(source, post_id)
            for copy in self.standing(target, source, post_id)
        ]

    def changes_of(self, source: str, post_id: str) -> list[QueuedDraft]:
        """Every change to the copies of a post, oldest first."""
        return self._drafts(
            "source=? AND source_id>=? AND source_id<? ORDER BY id",
            (source, f"{post_id}#", f"{post_id}$"),
        )

    def is_answered(self, target: str, source: str, post_id: str) -> bool:
        """Whether other posts answer, quote or boost the copy of a post on a target, or are to.

        They are copies there, or that account's own; what they refer to is any post of the group.
        """
        return bool(
            self._rows(
                "SELECT 1 FROM drafts JOIN links ON post_id IN (json_extract(draft,"
                " '$.reply_to.id'), json_extract(draft, '$.quote.id'),"
                " json_extract(draft, '$.boost.id'))"
                " WHERE (target=? OR source=?) AND state<>'dropped' AND action='publish'"
                " AND links.origin=? AND links.origin_id=? LIMIT 1",
                (target, target, source, post_id),
            )
        )

    def boosts_of(self, target: str, source: str, post_id: str) -> list[QueuedDraft]:
        """The boosts of a post, or of one of its copies, on a target that have not gone out."""
        return self._drafts(
            f"target=? AND action='publish' AND {_UNTOUCHED}"
            " AND json_extract(draft, '$.boost.id') IN"
            " (SELECT post_id FROM links WHERE origin=? AND origin_id=?) ORDER BY id",
            (target, source, post_id),
        )

    # Changing.

    def change(self, change: Change, now: datetime) -> bool:
        """Write what an edit or a deletion means for one target.

        False, and nothing is written, if a draft that it gives other content, or drops, has begun
        to go out meanwhile: then it is to be thought over again.
        """
        route, at = change.route, now.isoformat()
        with self.write() as db:
            untouched = [draft for draft, _ in change.amended] + list(change.dropped)
            for draft in untouched:
                row = (draft.id, draft.version)
                if not db.execute(
                    f"SELECT 1 FROM drafts WHERE id=? AND version=? AND {_UNTOUCHED}", row
                ).fetchone():
                    return False
            for draft, content in change.amended:
                self._give(db, draft, content)
            for draft in change.dropped:
                db.execute(
                    "UPDATE drafts SET state='dropped', not_before=NULL, blocks='', code=''"
                    " WHERE id=?",
                    (draft.id,),
                )
            if change.supersedes:
                db.execute(
                    "UPDATE drafts SET state='dropped', not_before=NULL, blocks='', code='',"
                    " error='another edit came' WHERE target=? AND source=? AND source_id>=?"
                    f" AND source_id<? AND {_UNTOUCHED} AND (? OR NOT {_HAS_BEGUN})",
                    (
                        route.target,
                        route.source,
                        change_id(change.supersedes, "edit-"),
                        change_id(change.supersedes, "edit."),
                        change.end,
                    ),
                )
            for new in change.new:
                self._queue_change(db, new, at)
            verdict = change.verdict
            if verdict is not None:
                db.execute(
                    "INSERT OR IGNORE INTO seen VALUES (?,?,?,?,?,?,?,?,?)",
                    (
                        route.bot,
                        route.source,
                        route.target,
                        verdict.post_id,
                        verdict.revision,
                        verdict.verdict,
                        verdict.reason,
                        verdict.url,
                        at,
                    ),
                )
            return True

    @staticmethod
    def _give(db: Database, draft: QueuedDraft, content: Draft) -> None:
        """Other content for a draft; what was uploaded for it stays if it shows the same.

        The picture of a card does not: it may be of another page, or the page another picture.
        """
        has_card = content.card is not None or draft.draft.card is not None
        same = content.media == draft.draft.media and not has_card
        db.execute(
            "UPDATE drafts SET draft=?, parts=?, version=version+1, payload=NULL,"
            " uploads=iif(?, uploads, NULL), uploaded_at=iif(?, uploaded_at, NULL) WHERE id=?",
            (content.to_json(), content.parts, same, same, draft.id),
        )

    def _queue_change(self, db: Database, new: NewDraft, at: str) -> None:
        """Queue a change, unless the same one waits already; one that is done can come again."""
        which = "target=? AND source=? AND source_id=? AND part=?"
        name = (new.route.target, new.route.source, new.source_id, new.draft.part)
        if new.action == "delete":
            if db.execute(
                f"SELECT 1 FROM drafts WHERE {which} AND state NOT IN ('sent','dropped')", name
            ).fetchone():
                return
            (last,) = db.execute(
                f"SELECT max(generation) FROM drafts WHERE {which}", name
            ).fetchone()
            new = replace(new, generation=0 if last is None else last + 1)
        elif known := db.execute(
            f"SELECT id, version, {_GIVEN_UP} FROM drafts WHERE {which} AND generation=?",
            (*name, new.generation),
        ).fetchone():
            draft_id, version, given_up = known
            if given_up:
                self._revive(db, draft_id, version + 1, new)
            return
        self._queue(db, new, at, None)

    @staticmethod
    def _revive(db: Database, draft_id: int, version: int, new: NewDraft) -> None:
        """Queue once more a part that an edit took away, under another key: it may have stood."""
        kept_as = change_id(new.source_id, f"again-{version}")
        part = new.draft.part
        key = idempotency_key(new.route.target, new.route.source, kept_as, part, new.generation)
        db.execute(
            "UPDATE drafts SET draft=?, parts=?, version=?, key=?, state=?, code=?, error=?,"
            " not_before=?, payload=NULL, uploads=NULL, uploaded_at=NULL, attempts=0, absences=0"
            " WHERE id=?",
            (
                new.draft.to_json(),
                new.draft.parts,
                version,
                key,
                "held" if new.held else "queued",
                new.code,
                new.reason,
                new.not_before.isoformat() if new.not_before else None,
                draft_id,
            ),
        )

    def deletions_since(self, target: str, since: datetime) -> int:
        """How many posts were given up on an account since a time because their originals were."""
        rows = self._rows(
            "SELECT count(*) FROM drafts WHERE target=? AND action='delete' AND part=1"
            " AND state NOT IN ('held','dropped') AND queued_at>? AND NOT approved",
            (target, since.isoformat()),
        )
        return int(rows[0][0])

    def holds_deletions(self, target: str) -> bool:
        """Whether deletions on an account wait for a person since they were too many."""
        return bool(
            self._rows(
                "SELECT 1 FROM drafts WHERE target=? AND action='delete' AND state='held'"
                " AND code='purge' LIMIT 1",
                (target,),
            )
        )

    # What came of it.

    def updated(
        self,
        change: QueuedDraft,
        base: QueuedDraft,
        payload: Mapping[str, Any],
        uploads: Sequence[Mapping[str, Any]],
    ) -> None:
        """Record that a copy was edited in place: its draft holds what stands now.

        `payload` is what would have published it like that.
        """
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET draft=?, version=version+1, payload=?, uploads=? WHERE id=?",
                (
                    change.draft.to_json(),
                    json.dumps(payload, ensure_ascii=False),
                    json.dumps(list(uploads)),
                    base.id,
                ),
            )
            self._done(db, change)

    def deleted(self, change: QueuedDraft, copy: Copy | None, now: datetime) -> None:
        """Record that a copy is gone: it stays known, and its draft is as if it had never left."""
        with self.write() as db:
            if copy is not None:
                db.execute(
                    "UPDATE links SET gone_at=? WHERE identity=? AND post_id=?",
                    (now.isoformat(), copy.identity, copy.ref.id),
                )
                db.execute(
                    f"UPDATE drafts SET state='dropped', error='{COPY_DELETED}', code='',"
                    " payload=NULL, uploads=NULL, uploaded_at=NULL, attempted_at=NULL,"
                    " doubted_at=NULL WHERE target=? AND source=? AND source_id=? AND part=?"
                    " AND state='sent'",
                    (change.target, copy.origin, copy.origin_id, copy.part),
                )
            self._done(db, change)

    @staticmethod
    def _done(db: Database, change: QueuedDraft) -> None:
        db.execute(
            "UPDATE drafts SET state='sent', error='', code='', not_before=NULL, blocks=''"
            " WHERE id=?",
            (change.id,),
        )
        # what replaces this copy, or was to be told once it is settled
        db.execute(
            "UPDATE drafts SET not_before=NULL WHERE target=? AND state='queued'"
            " AND code='parent' AND source=? AND source_id=?",
            (change.target, change.source, change.source_id.partition("#")[0]),
        )
