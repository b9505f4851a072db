"""What people are told of: copies in trouble, and the alerts that have begun and are not over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bridge.post import utc
from bridge.store.file import StateFile
from bridge.store.rows import Code, State


@dataclass(frozen=True, slots=True)
class TroubledCopy:
    """The first part of a copy that is held, dead, or waits with a reason."""

    id: int
    bot: str
    target: str
    source: str
    source_id: str
    generation: int
    source_url: str
    state: State
    code: Code
    error: str


@dataclass(frozen=True, slots=True)
class Alert:
    """A row of `alerts`: something that is so since `began_at`; `text` is JSON.

    `told_at` is None until people were told.
    """

    kind: str
    subject: str
    text: str
    began_at: datetime
    told_at: datetime | None = None


class Alerts(StateFile):
    """The part of `Store` that alerts need."""

    def troubled_copies(self) -> list[TroubledCopy]:
        """Copies that need a look or fail, oldest first, each by its first part that does.

        Not those that wait because a person or a bot's settings want it so, or for another part.
        """
        rows = self._rows(
            # with min() SQLite takes the other columns from the same row
            "SELECT id, bot, target, source, source_id, generation, source_url, state, code,"
            " error, min(part) FROM drafts WHERE state IN ('held','dead')"
            " OR (state IN ('queued','sending') AND error<>''"
            " AND code NOT IN ('approve','mode','parent','paused'))"
            " GROUP BY target, source, source_id, generation ORDER BY id"
        )
        return [TroubledCopy(*row[:-1]) for row in rows]

    def alerts(self) -> list[Alert]:
        """What has begun and is not over, oldest first."""
        rows = self._rows(
            "SELECT kind, subject, text, began_at, told_at FROM alerts ORDER BY began_at, rowid"
        )
        return [
            Alert(kind, subject, text, utc(began), utc(told) if told else None)
            for kind, subject, text, began, told in rows
        ]

    def save_alerts(self, changed: Iterable[Alert], over: Iterable[Alert]) -> None:
        """Store alerts that began or were told, forget those that are over; nothing if none."""
        saved = [
            (a.kind, a.subject, a.text, a.began_at.isoformat(), a.told_at and a.told_at.isoformat())
            for a in changed
        ]
        forgotten = [(a.kind, a.subject) for a in over]
        if not saved and not forgotten:
            return
        with self.write() as db:
            # not REPLACE, which would change the order
            db.conn.executemany(
                "INSERT INTO alerts (kind, subject, text, began_at, told_at) VALUES (?,?,?,?,?)"
                " ON CONFLICT DO UPDATE SET text=excluded.text, told_at=excluded.told_at",
                saved,
            )
            db.conn.executemany("DELETE FROM alerts WHERE kind=? AND subject=?", forgotten)
