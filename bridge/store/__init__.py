"""The memory: one SQLite file. Only this folder has SQL.

The functions of `Store` are named after what happens; `rows` is what they take and give.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlite_utils import Database

from bridge.post import Ref, utc
from bridge.store.alerts import Alert, Alerts, TroubledCopy
from bridge.store.decisions import Decisions
from bridge.store.file import AlreadyRunning, StateError, Unusable
from bridge.store.health import Health
from bridge.store.reports import Reports
from bridge.store.rows import (
    DOUBTED,
    EPOCH,
    LINK,
    SEVERAL,
    STATE_ID,
    Blocks,
    Code,
    Copy,
    HeldPost,
    NewDraft,
    Order,
    PauseKind,
    QueuedDraft,
    Recording,
    RouteKey,
    State,
    Verdict,
    copy_of,
    ref_json,
)
from bridge.store.spending import Spending, Spent

__all__ = [
    "DOUBTED",
    "SEVERAL",
    "STATE_ID",
    "Alert",
    "AlreadyRunning",
    "Blocks",
    "Code",
    "Copy",
    "HeldPost",
    "NewDraft",
    "Order",
    "PauseKind",
    "QueuedDraft",
    "Recording",
    "RouteKey",
    "Spent",
    "State",
    "StateError",
    "Store",
    "TroubledCopy",
    "Unusable",
    "Verdict",
]

#: within which more originals than an account's limit look like a loop
HOUR = timedelta(hours=1)


class Store(Alerts, Decisions, Reports, Health, Spending):
    """What the program remembers. Safe to use from several threads."""

    # Accounts and sessions.

    def know_account(self, name: str, network: str, identity: str, handle: str, url: str) -> None:
        """Remember who a configured account is; writes only if that changed."""
        row = (name, network, identity, handle, url)
        if self._rows(
            "SELECT 1 FROM accounts WHERE (name,network,identity,handle,url)=(?,?,?,?,?)", row
        ):
            return
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO accounts VALUES (?,?,?,?,?)", row)

    def accounts(self) -> dict[str, dict[str, str]]:
        """What is known of each configured account, by name."""
        rows = self._rows("SELECT name, network, identity, handle, url FROM accounts")
        keys = ("network", "identity", "handle", "url")
        return {row[0]: dict(zip(keys, row[1:], strict=True)) for row in rows}

    def session(self, name: str) -> str | None:
        """What the client of the account `name` saved last."""
        rows = self._rows(
            "SELECT data FROM sessions JOIN accounts USING (identity) WHERE name=?", (name,)
        )
        return rows[0][0] if rows else None

    def save_session(self, identity: str, data: str) -> None:
        """Store what a client must find again after a restart."""
        with self.write() as db:
            db.execute("INSERT OR REPLACE INTO sessions VALUES (?,?)", (identity, data))

    # Reading: cursors, verdicts, loop guards.

    def cursor(self, route: RouteKey) -> tuple[str, datetime] | None:
        """How far a route has taken its source, and when its first run was (UTC)."""
        rows = self._rows(
            "SELECT cursor, started_at FROM cursors"
            " WHERE bot=? AND source=? AND target=? AND stream='posts'",
            (route.bot, route.source, route.target),
        )
        return (rows[0][0], utc(rows[0][1])) if rows else None

    def name_target(self, route: RouteKey, target: str) -> None:
        """Give a route, begun before its target's identity was known, its real target."""
        with self.write() as db:
            for table in ("cursors", "seen"):
                db.execute(
                    f"UPDATE {table} SET target=? WHERE bot=? AND source=? AND target=?",
                    (target, route.bot, route.source, route.target),
                )

    def seen(self, route: RouteKey, ids: Iterable[str]) -> dict[str, set[str]]:
        """The revisions on which the route has a verdict, by the ids of these posts."""
        rows = self._rows(
            "SELECT post_id, revision FROM seen WHERE bot=? AND source=? AND target=?"
            " AND post_id IN (SELECT value FROM json_each(?))",
            (route.bot, route.source, route.target, json.dumps(list(ids))),
        )
        found: dict[str, set[str]] = {}
        for post_id, revision in rows:
            found.setdefault(post_id, set()).add(revision)
        return found

    def first_id(self, source: str, revision: str) -> str:
        """The id of the post of which this is a revision; where edits get ids of their own."""
        rows = self._rows(
            "SELECT post_id FROM seen WHERE source=? AND revision=? LIMIT 1", (source, revision)
        )
        return str(rows[0][0]) if rows else revision

    def links(self, identity: str, ids: Iterable[str]) -> dict[str, Copy]:
        """What is known of these posts of an account, by post id."""
        rows = self._rows(
            f"SELECT {LINK} FROM links WHERE identity=?"
            " AND post_id IN (SELECT value FROM json_each(?))",
            (identity, json.dumps(list(ids))),
        )
        return {copy.ref.id: copy for copy in map(copy_of, rows)}

    def copies(self, origin: str, origin_id: str) -> list[Copy]:
        """The original and all its copies, by account and part."""
        rows = self._rows(
            f"SELECT {LINK} FROM links WHERE origin=? AND origin_id=? ORDER BY identity, part",
            (origin, origin_id),
        )
        return [copy_of(row) for row in rows]

    def drafts_of(self, target: str, source: str, source_id: str) -> list[QueuedDraft]:
        """The drafts that copy one post to one target, by part."""
        return self._drafts(
            "target=? AND source=? AND source_id=? ORDER BY generation, part",
            (target, source, source_id),
        )

    def doubtful(self, identity: str, since: datetime) -> list[QueuedDraft]:
        """Drafts that may stand on an account without being linked.

        Those on their way, and those held, dropped or waiting that were attempted after `since`.
        """
        return self._drafts(
            "target=? AND (state='sending' OR (state IN ('queued','held','dropped')"
            " AND attempted_at > ?)) ORDER BY id",
            (identity, since.isoformat()),
        )

    def record(self, page: Recording, now: datetime) -> None:
        """Write what a page of posts led to: verdicts, drafts, moved cursors, in one transaction.

        A draft that another bot queued before is left alone, and its verdict says so.
        """
        if page.empty:
            return
        at = now.isoformat()
        with self.write() as db:
            taken: dict[tuple[RouteKey, str], str] = {}
            for new in page.drafts:
                name = (new.route, new.origin.id)
                if new.draft.part == 1 and (other := self._queued_by(db, new)):
                    taken[name] = other
                if name not in taken:
                    self._queue(db, new, at, page.posts_per_hour.get(new.route.target))
            for verdict in page.verdicts:
                bot = taken.get((verdict.route, verdict.post_id))
                word, reason = verdict.verdict, verdict.reason
                if bot is not None and word == "queued":
                    word, reason = "skipped", f"already queued by {bot}"
                route = verdict.route
                db.execute(
                    f"INSERT OR {'REPLACE' if page.overrule else 'IGNORE'} INTO seen"
                    " VALUES (?,?,?,?,?,?,?,?,?)",
                    (
                        route.bot,
                        route.source,
                        route.target,
                        verdict.post_id,
                        verdict.revision,
                        word,
                        reason,
                        verdict.url,
                        at,
                    ),
                )
            for route, cursor in page.cursors.items():
                db.execute(
                    "INSERT INTO cursors VALUES (?,?,?,'posts',?,?)"
                    " ON CONFLICT DO UPDATE SET cursor=excluded.cursor",
                    (route.bot, route.source, route.target, cursor, at),
                )
            for draft, ref, root in page.adopted:
                self._sent(db, draft, ref, root, at)

    @staticmethod
    def _queued_by(db: Database, new: NewDraft) -> str:
        """The bot that has queued this copy before, whatever parts it made of it; "" if none."""
        first = db.execute(
            "SELECT bot FROM drafts WHERE target=? AND source=? AND source_id=? AND generation=?",
            (new.route.target, new.route.source, new.origin.id, new.generation),
        ).fetchone()
        return str(first[0]) if first else ""

    def _queue(self, db: Database, new: NewDraft, at: str, posts_per_hour: int | None) -> None:
        """Insert a draft and its original's link.

        It is held if more originals than are right were published within an hour.
        """
        route, draft = new.route, new.draft
        follows = draft.part > 1 or draft.reply_to is not None
        flood = (
            posts_per_hour is not None
            and not (follows or new.backfill or new.approved)
            and self._published_before(db, new, posts_per_hour) >= posts_per_hour
        )
        reason = f"more than {posts_per_hour} posts within an hour for this account"
        row = (
            route.bot,
            route.target,
            route.source,
            new.origin.id,
            new.origin.url,
            draft.part,
            draft.parts,
            new.generation,
            new.key,
            draft.to_json(),
            int(new.backfill),
            draft.created_at.isoformat(),
            int(follows),
            int(new.approved),
            *(("held", "breaker", reason) if flood else ("queued", "", "")),
        )
        db.execute(
            "INSERT INTO drafts (bot, target, source, source_id, source_url, part, parts,"
            " generation, key, draft, backfill, created_at, follows, approved, state, code,"
            " error, attempts, absences, blocks)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,0,'')",
            row,
        )
        if draft.part == 1:
            self._link(
                db, (route.source, new.origin.id), 1, "origin", new.origin, new.origin_root, at
            )

    @staticmethod
    def _published_before(db: Database, new: NewDraft, limit: int) -> int:
        """How many originals for the same account came out in the hour up to a draft's own.

        At most `limit` are counted. Parts, replies and what `backfill` chose do not count.
        """
        until = new.draft.created_at
        row = db.execute(
            "SELECT count(*) FROM (SELECT 1 FROM drafts WHERE target=? AND created_at BETWEEN ?"
            " AND ? AND NOT follows AND NOT backfill LIMIT ?)",
            (new.route.target, (until - HOUR).isoformat(), until.isoformat(), limit),
        ).fetchone()
        return int(row[0])

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
            "INSERT OR IGNORE INTO links VALUES (?,?,?,?,?,?,?,?,?,?,?)",
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

    # Sending.

    def next_draft(
        self, target: str, now: datetime, *, fresh: bool = True, backfill: bool = True
    ) -> QueuedDraft | None:
        """The draft to deal with next: one in doubt first, else the oldest that is due.

        `fresh` and `backfill` say whether posts of either kind may begin; what has begun, and what
        follows another post, goes on. None while a draft that blocks the account waits: what was
        posted later must not overtake.
        """
        at = now.isoformat()
        waiting = "target=? AND state IN ('queued','sending')"
        if self._rows(
            f"SELECT 1 FROM drafts WHERE {waiting} AND blocks<>'' AND not_before>?", (target, at)
        ):
            return None
        found = self._drafts(
            f"{waiting} AND (not_before IS NULL OR not_before<=?)"
            f" AND {_MAY_GO} ORDER BY state='queued', id LIMIT 1",
            (target, at, backfill, fresh),
        )
        return found[0] if found else None

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

    def backfilled_at(self, target: str) -> datetime | None:
        """When the last post that `backfill` chose went out to an account."""
        rows = self._rows(
            "SELECT max(attempted_at) FROM drafts WHERE target=? AND backfill AND NOT follows",
            (target,),
        )
        return utc(rows[0][0]) if rows[0][0] else None

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
                "UPDATE drafts SET not_before=NULL, blocks='' WHERE not_before IS NOT NULL"
                " AND state IN ('queued','sending')"
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
        """Remember the references of uploaded media, so that a crash does not upload twice."""
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET uploads=?, uploaded_at=coalesce(uploaded_at, ?) WHERE id=?",
                (json.dumps(list(uploads)), now.isoformat(), draft.id),
            )

    def forget_uploads(self, draft: QueuedDraft) -> QueuedDraft:
        """The draft as it was before any upload; only for one that cannot stand anywhere."""
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET uploads=NULL, uploaded_at=NULL, payload=NULL, state='queued'"
                " WHERE id=?",
                (draft.id,),
            )
        return replace(draft, uploads=(), uploaded_at=None, payload=None)

    def sending(
        self, draft: QueuedDraft, payload: Mapping[str, Any], newest: str, now: datetime
    ) -> bool:
        """Commit that a request is about to leave, with its frozen payload.

        False, and nothing is changed, if a person has dropped the draft meanwhile.
        """
        text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        at = now.isoformat()
        with self.write() as db:
            done = db.execute(
                "UPDATE drafts SET doubted_at=iif(state='sending', doubted_at, ?), state='sending',"
                " payload=?, newest=iif(attempted_at IS NULL, ?, newest), absences=0,"
                " attempted_at=?, not_before=NULL, blocks='', code=''"
                " WHERE id=? AND state IN ('queued','sending')",
                (at, text, newest, at, draft.id),
            )
            return done.rowcount > 0

    def has_twin(self, draft: QueuedDraft, since: datetime) -> bool:
        """Whether another draft with the same text went to the same account after a time."""
        others = self._drafts(
            "target=? AND id<>? AND attempted_at>?", (draft.target, draft.id, since.isoformat())
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

    # Bots that change.

    def rename_bot(self, old: str, new: str) -> bool:
        """Let a bot's memory follow its new name; whether there was anything to move."""
        if not self._rows(
            "SELECT 1 FROM cursors WHERE bot=? AND NOT EXISTS (SELECT 1 FROM cursors WHERE bot=?)",
            (old, new),
        ):
            return False
        with self.write() as db:
            for table in ("cursors", "seen", "drafts"):
                db.execute(f"UPDATE {table} SET bot=? WHERE bot=?", (new, old))
        return True


#: what has begun goes on; what has not, by its kind: takes `backfill` and `fresh`
_MAY_GO = "(follows OR attempted_at IS NOT NULL OR iif(backfill, ?, ?))"
