"""Reading: accounts and their sessions, how far each route has come, verdicts, loop guards."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlite_utils import Database

from bridge.post import utc
from bridge.store.rows import (
    LINK,
    Copy,
    NewDraft,
    QueuedDraft,
    Recording,
    RouteKey,
    copy_of,
)
from bridge.store.sending import Sending

#: within which more originals than an account's limit look like a loop
HOUR = timedelta(hours=1)


class Reading(Sending):
    """The part of `Store` that passes over sources use."""

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
                    f"UPDATE OR IGNORE {table} SET target=? WHERE bot=? AND source=? AND target=?",
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
        """The original and all its copies that are not gone, by account and part."""
        rows = self._rows(
            f"SELECT {LINK} FROM links WHERE origin=? AND origin_id=? AND gone_at IS NULL"
            " ORDER BY identity, part",
            (origin, origin_id),
        )
        return [copy_of(row) for row in rows]

    def drafts_of(self, target: str, source: str, source_id: str) -> list[QueuedDraft]:
        """The drafts that copy one post to one target, by part; the latest, if it was replaced."""
        which = "target=? AND source=? AND source_id=?"
        name = (target, source, source_id)
        return self._drafts(
            f"{which} AND generation=(SELECT max(generation) FROM drafts WHERE {which})"
            " ORDER BY part",
            (*name, *name),
        )

    def doubtful(self, identity: str, since: datetime) -> list[QueuedDraft]:
        """Drafts that may stand on an account without being linked, or once more than is known.

        Those on their way; and those attempted after `since` that are held, dropped or waiting, or
        that were sent again while they were in doubt.
        """
        return self._drafts(
            "id IN (SELECT id FROM drafts WHERE target=? AND state='sending' AND action='publish'"
            " UNION ALL SELECT id FROM drafts WHERE target=? AND action='publish' AND"
            " attempted_at>? AND (state IN"
            " ('queued','held','dropped') OR (state='sent' AND attempted_at<>doubted_at)))"
            " ORDER BY id",
            (identity, identity, since.isoformat()),
        )

    def record(self, page: Recording, now: datetime) -> int:
        """Write what a page of posts led to: verdicts, drafts, moved cursors, in one transaction.

        A draft that another bot queued before is left alone, and its verdict says so. Returns how
        many drafts were held since too many posts were published within an hour.
        """
        if page.empty:
            return 0
        at, flood = now.isoformat(), 0
        with self.write() as db:
            taken: dict[tuple[RouteKey, str], str] = {}
            for new in page.drafts:
                name = (new.route, new.source_id)
                if new.draft.part == 1 and (other := self._queued_by(db, new)):
                    taken[name] = other
                if name not in taken:
                    flood += self._queue(db, new, at, page.posts_per_hour.get(new.route.target))
            for verdict in page.verdicts:
                bot = taken.get((verdict.route, verdict.post_id))
                word, reason = verdict.verdict, verdict.reason
                if bot is not None and word == "queued":
                    word, reason = "skipped", f"already queued by {bot}"
                route = verdict.route
                if page.overrule:  # what was held before the post was edited is decided too
                    db.execute(
                        "UPDATE seen SET verdict=?, reason=? WHERE bot=? AND source=?"
                        " AND target=? AND post_id=? AND verdict='held'",
                        (word, reason, route.bot, route.source, route.target, verdict.post_id),
                    )
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
        return flood

    @staticmethod
    def _queued_by(db: Database, new: NewDraft) -> str:
        """The bot that has queued this copy before, whatever parts it made of it; "" if none."""
        first = db.execute(
            "SELECT bot FROM drafts WHERE target=? AND source=? AND source_id=? AND generation=?",
            (new.route.target, new.route.source, new.source_id, new.generation),
        ).fetchone()
        return str(first[0]) if first else ""

    def _queue(self, db: Database, new: NewDraft, at: str, posts_per_hour: int | None) -> bool:
        """Insert a draft and its original's link.

        It is held, and the answer True, if too many originals were published within an hour.
        """
        route, draft = new.route, new.draft
        flood = (
            posts_per_hour is not None
            and not (new.follows or new.backfill or new.approved)
            and self._published_before(db, new, posts_per_hour) >= posts_per_hour
        )
        state, code, error = ("held" if new.held else "queued"), new.code, new.reason
        if flood:
            state, code = "held", "breaker"
            error = f"more than {posts_per_hour} posts within an hour for this account"
        row = (
            route.bot,
            route.target,
            route.source,
            new.source_id,
            new.origin.url,
            draft.part,
            draft.parts,
            new.generation,
            new.key,
            draft.to_json(),
            int(new.backfill),
            draft.created_at.isoformat(),
            int(new.follows),
            int(new.approved),
            state,
            code,
            error,
            new.not_before.isoformat() if new.not_before and state == "queued" else None,
            new.action,
            at,
            int(new.watched),
        )
        db.execute(
            "INSERT INTO drafts (bot, target, source, source_id, source_url, part, parts,"
            " generation, key, draft, backfill, created_at, follows, approved, state, code,"
            " error, not_before, action, queued_at, watched, attempts, absences, blocks)"
            " VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,0,0,'')",
            row,
        )
        if draft.part == 1 and new.source_id == new.origin.id:
            self._link(
                db, (route.source, new.origin.id), 1, "origin", new.origin, new.origin_root, at
            )
        return flood

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

    # What is only tried.

    def forget_post(self, source: str, post_id: str) -> None:
        """Let a state in memory be as if a post had never been read; no state on a disk can be.

        What its copies were is forgotten too, and every verdict on it.
        """
        assert self.file is None, "what was posted is never forgotten"
        of_post = (source, post_id, f"{post_id}#", f"{post_id}$")
        with self.write() as db:
            for table, owner, name in (
                ("drafts", "source", "source_id"),
                ("links", "origin", "origin_id"),
            ):
                which = f"{owner}=? AND ({name}=? OR {name}>=? AND {name}<?)"
                db.execute(f"DELETE FROM {table} WHERE {which}", of_post)
            db.execute("DELETE FROM seen WHERE source=? AND post_id=?", of_post[:2])

    # Bots that change.

    def rename_bot(self, old: str, new: str) -> bool:
        """Let a bot's memory follow its new name; whether there was anything to move."""
        if not self._rows(
            "SELECT 1 FROM cursors WHERE bot=? AND NOT EXISTS (SELECT 1 FROM cursors WHERE bot=?)",
            (old, new),
        ):
            return False
        with self.write() as db:
            for table in ("cursors", "drafts"):
                db.execute(f"UPDATE {table} SET bot=? WHERE bot=?", (new, old))
            # what was decided under the new name already stands
            db.execute("UPDATE OR IGNORE seen SET bot=? WHERE bot=?", (new, old))
            db.execute("DELETE FROM seen WHERE bot=?", (old,))
            db.execute("UPDATE OR IGNORE pauses SET name=? WHERE kind='bot' AND name=?", (new, old))
        return True
