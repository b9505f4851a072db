"""What people decide: pauses, drafts let go or dropped, posts mirrored or skipped by hand.

Commands write these small rows while the daemon runs; it notices that the file has changed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlite_utils import Database

from bridge.store.file import StateFile
from bridge.store.rows import (
    DOUBTED,
    FORGOTTEN,
    HeldPost,
    Order,
    PauseKind,
    QueuedDraft,
    RouteKey,
)


class Decisions(StateFile):
    """The part of `Store` that people write."""

    # Pauses.

    def pauses(self) -> frozenset[tuple[PauseKind, str]]:
        """What is paused: ("bot", NAME), ("account", NAME), or ("all", "")."""
        return frozenset((row[0], row[1]) for row in self._rows("SELECT kind, name FROM pauses"))

    def pause(self, kind: PauseKind, name: str, now: datetime) -> bool:
        """Pause a bot, an account or everything; whether it was not paused before."""
        with self.write() as db:
            done = db.execute(
                "INSERT OR IGNORE INTO pauses VALUES (?,?,?)", (kind, name, now.isoformat())
            )
            return done.rowcount > 0

    def resume(self, kind: PauseKind, name: str) -> bool:
        """End a pause (of "all": every one); whether there was one. Drafts go on at once."""
        with self.write() as db:
            done = db.execute(
                "DELETE FROM pauses WHERE ?='all' OR (kind=? AND name=?)", (kind, kind, name)
            )
            db.execute(
                "UPDATE drafts SET not_before=NULL, code='', error='' WHERE code='paused'"
                " AND state='queued'"
            )
            return done.rowcount > 0

    # The outbox.

    def draft(self, draft_id: int) -> QueuedDraft | None:
        """The draft with an id; None if there is none, as of a number that SQLite cannot hold."""
        if abs(draft_id) >= 2**63:
            return None
        found = self._drafts("id=?", (draft_id,))
        return found[0] if found else None

    def stopped(self, bot: str = "") -> list[QueuedDraft]:
        """Drafts that are held or dead, oldest first; of one bot, or of all."""
        return self._drafts(
            "state IN ('held','dead') AND (?='' OR bot=?) ORDER BY created_at, id", (bot, bot)
        )

    def release(self, drafts: Iterable[QueuedDraft]) -> int:
        """Let stopped, dropped or waiting drafts go out after all, as approved; how many that were.

        What they held back goes along, and later parts that were dropped with them. A draft in
        doubt keeps its payload, so that it is still known by it; one that was refused, or whose
        image failed, is made anew.
        """
        ids = _ids(drafts)
        with self.write() as db:
            done = db.execute(
                "UPDATE drafts SET"
                " payload=iif(state='dead' OR code='media', NULL, payload),"
                " uploads=iif(state='dead' OR code='media', NULL, uploads),"
                " uploaded_at=iif(state='dead' OR code='media', NULL, uploaded_at),"
                " state='queued', approved=1, attempts=0, not_before=NULL, blocks='', code='',"
                " error='' WHERE state IN ('held','dead','queued','dropped')"
                " AND id IN (SELECT value FROM json_each(?) UNION SELECT later.id FROM drafts AS"
                " named JOIN drafts AS later USING (target, source, source_id, generation)"
                " WHERE named.id IN (SELECT value FROM json_each(?)) AND later.part>named.part"
                " AND (named.state, later.state)=('dropped', 'dropped'))",
                (ids, ids),
            )
            db.execute(
                "UPDATE drafts SET state='queued', not_before=NULL, code='', error=''"
                " WHERE state='held' AND code='parent' AND target IN"
                " (SELECT target FROM drafts WHERE id IN (SELECT value FROM json_each(?)))",
                (ids,),
            )
            return done.rowcount

    def drop(self, drafts: Iterable[QueuedDraft]) -> int:
        """Give up drafts, and later parts of the same copies, for good; how many that were."""
        with self.write() as db:
            done = db.execute(
                "UPDATE drafts SET state='dropped', not_before=NULL, blocks='' WHERE id IN"
                " (SELECT later.id FROM drafts AS later JOIN drafts AS named"
                " USING (target, source, source_id, generation)"
                " WHERE later.part>=named.part AND named.id IN (SELECT value FROM json_each(?)))"
                " AND state IN ('held','dead','queued')",
                (_ids(drafts),),
            )
            return done.rowcount

    def drop_whole(self, drafts: Sequence[QueuedDraft]) -> bool:
        """Give up all parts of one copy; False, and nothing is done, if any has begun to go out."""
        with self.write() as db:
            begun = "state IN ('sending','sent') AND id IN (SELECT value FROM json_each(?))"
            if db.execute(f"SELECT 1 FROM drafts WHERE {begun}", (_ids(drafts),)).fetchone():
                return False
            db.execute(
                "UPDATE drafts SET state='dropped', not_before=NULL, blocks=''"
                " WHERE id IN (SELECT value FROM json_each(?))",
                (_ids(drafts),),
            )
            return True

    def hold_waiting(self, where: str, values: Sequence[str], code: str, reason: str) -> int:
        """Hold every waiting draft that meets a condition; how many that were."""
        if not self._rows(
            f"SELECT 1 FROM drafts WHERE state IN ('queued','sending') AND {where} LIMIT 1", values
        ):
            return 0
        with self.write() as db:
            return db.execute(
                "UPDATE drafts SET state='held', code=?, error=?, not_before=NULL, blocks=''"
                f" WHERE state IN ('queued','sending') AND {where}",
                (code, reason, *values),
            ).rowcount

    def hold_orphans(self, bots: Iterable[str]) -> int:
        """Hold what waits for bots that are not in the config any more; how many that were."""
        return self.hold_waiting(
            "bot NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(list(bots)),),
            "bot",
            "its bot is not in the config any more",
        )

    def hold_unclaimed(self, targets: Iterable[str]) -> int:
        """Hold what waits for accounts other than these; how many that were."""
        return self.hold_waiting(
            "target NOT IN (SELECT value FROM json_each(?))",
            (json.dumps(sorted(targets)),),
            "bot",
            "no bot posts to its target any more",
        )

    def forget_doubted(self, routes: Iterable[RouteKey]) -> dict[tuple[str, str, str, str], str]:
        """Forget what these routes hold because of the state, as if those posts were never read.

        Returns (bot, target, source, post id) of each, and when it was published; also of those
        that were forgotten before, until `trust` says that they were looked for. Whether those
        posts are originals is to be found out first.
        """
        which = (
            "state='held' AND attempted_at IS NULL AND (code='state' OR (code='parent' AND EXISTS"
            " (SELECT 1 FROM drafts AS d WHERE d.code='state' AND d.target=drafts.target)))"
            " AND (bot, source, target) IN"
            " (SELECT value->>0, value->>1, value->>2 FROM json_each(?))"
        )
        these = (json.dumps([(way.bot, way.source, way.target) for way in routes]),)
        rows = [tuple(row) for row in json.loads(self.fact(FORGOTTEN) or "[]")]
        fresh = self._rows(
            f"SELECT bot, target, source, source_id, created_at FROM drafts WHERE {which}", these
        )
        found = {row[:4]: row[4] for row in (*rows, *fresh)}
        if not fresh:
            return found
        with self.write() as db:
            db.execute(f"DELETE FROM drafts WHERE {which}", these)
            _set_fact(db, FORGOTTEN, json.dumps([(*key, at) for key, at in found.items()]))
            for bot, target, source, post_id, _at in fresh:
                db.execute(
                    "DELETE FROM seen WHERE bot=? AND source=? AND target=? AND post_id=?",
                    (bot, source, target, post_id),
                )
                db.execute(
                    "DELETE FROM links WHERE origin=? AND origin_id=? AND role='origin' AND NOT"
                    " EXISTS (SELECT 1 FROM drafts WHERE source=origin AND source_id=origin_id)"
                    " AND NOT EXISTS (SELECT 1 FROM links AS copy WHERE copy.origin=links.origin"
                    " AND copy.origin_id=links.origin_id AND copy.role='copy')",
                    (source, post_id),
                )
        return found

    def trust(self, routes: Iterable[RouteKey]) -> None:
        """Doubt no more what these routes may have done before.

        What was under way when the state was kept, and was not found, is settled as any doubt.
        """
        these = json.dumps([(way.bot, way.source, way.target) for way in routes])
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET state='sending', code='', error='' WHERE state='held'"
                " AND code='state' AND payload IS NOT NULL AND doubted_at IS NOT NULL"
                " AND (bot, source, target) IN"
                " (SELECT value->>0, value->>1, value->>2 FROM json_each(?))",
                (these,),
            )
            _set_fact(db, DOUBTED, "")
            _set_fact(db, FORGOTTEN, "")

    # Posts that a person must look at.

    def held_posts(self) -> list[HeldPost]:
        """Posts that are neither mirrored nor skipped, oldest first: a person should decide."""
        rows = self._rows(
            "SELECT source, post_id, url, reason, min(at), group_concat(DISTINCT bot) FROM seen"
            " WHERE verdict='held' GROUP BY source, post_id ORDER BY min(at)"
        )
        return [
            HeldPost(source, post_id, url, reason, at, tuple(bots.split(",")))
            for source, post_id, url, reason, at, bots in rows
        ]

    # Orders to whoever runs the bots.

    def order(self, kind: str, argument: str, now: datetime) -> int:
        """Ask the process that runs the bots to do something; the id of the order."""
        with self.write() as db:
            done = db.execute(
                "INSERT INTO orders (kind, argument, at) VALUES (?,?,?)",
                (kind, argument, now.isoformat()),
            )
            return int(done.lastrowid or 0)

    def open_orders(self) -> list[Order]:
        """Orders that nobody has carried out, oldest first."""
        return [
            Order(*row)
            for row in self._rows(f"SELECT {_ORDER} FROM orders WHERE done_at IS NULL ORDER BY id")
        ]

    def order_by_id(self, order_id: int) -> Order | None:
        """How an order stands; None if it was withdrawn."""
        rows = self._rows(f"SELECT {_ORDER} FROM orders WHERE id=?", (order_id,))
        return Order(*rows[0]) if rows else None

    def is_done(self, order_id: int) -> bool:
        """Whether an order was carried out or withdrawn: there is nothing left to do about it."""
        order = self.order_by_id(order_id)
        return order is None or order.done

    def answer_order(self, order_id: int, answer: str, now: datetime, *, ok: bool) -> None:
        """Say what came of an order."""
        with self.write() as db:
            db.execute(
                "UPDATE orders SET done_at=?, answer=?, ok=? WHERE id=?",
                (now.isoformat(), answer, int(ok), order_id),
            )

    def withdraw_order(self, order_id: int) -> bool:
        """Take back an order that nobody has carried out; whether that was in time."""
        with self.write() as db:
            done = db.execute("DELETE FROM orders WHERE id=? AND done_at IS NULL", (order_id,))
            return done.rowcount > 0

    # Facts about the state itself.

    def fact(self, name: str) -> str:
        """A fact that was stored; "" if none was."""
        rows = self._rows("SELECT value FROM facts WHERE name=?", (name,))
        return str(rows[0][0]) if rows else ""

    def set_fact(self, name: str, value: str) -> None:
        """Store a fact; "" forgets it."""
        with self.write() as db:
            _set_fact(db, name, value)


_ORDER = "id, kind, argument, coalesce(answer, ''), done_at IS NOT NULL, coalesce(ok, 0)"


def _set_fact(db: Database, name: str, value: str) -> None:
    if value:
        db.execute("INSERT OR REPLACE INTO facts VALUES (?,?)", (name, value))
    else:
        db.execute("DELETE FROM facts WHERE name=?", (name,))


def _ids(drafts: Iterable[QueuedDraft]) -> str:
    return json.dumps([draft.id for draft in drafts])
