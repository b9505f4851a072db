"""What paid calls cost: sums of US dollars by account, UTC day and kind of call."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bridge.store.file import StateFile
from bridge.store.rows import QueuedDraft


@dataclass(frozen=True, slots=True)
class Spent:
    """A row of `spend`: what is settled, and what is set aside and may have been charged."""

    identity: str
    day: date
    kind: str
    reserved: float
    spent: float


class Spending(StateFile):
    """The table `spend`. Sums are rounded to the millionth of a dollar."""

    def reserve(self, identity: str, day: date, kind: str, usd: float, limit: float | None) -> bool:
        """Set a sum aside, unless it would take the month's total over the limit."""
        with self.write() as db:
            if limit is not None and round(self.month_total(identity, day) + usd, 6) > limit:
                return False
            _add(db, identity, day, kind, usd, 0)
            return True

    def settle(self, identity: str, day: date, kind: str, reserved: float, spent: float) -> None:
        """Give back a sum that was set aside on a day, and add what was spent of it."""
        with self.write() as db:
            _add(db, identity, day, kind, -reserved, spent)

    def keep_reserved(
        self, identity: str, day: date, kind: str, usd: float, limit: float | None
    ) -> bool:
        """See that a sum at least is set aside for a kind on a day, and no longer on earlier ones.

        Whether the month's total stays within the limit; else nothing changes. Nothing is written
        if the sum is there already.
        """
        total = self.month_total(identity, day)
        rows = self._rows(
            "SELECT reserved FROM spend WHERE identity=? AND kind=? AND day=?",
            (identity, kind, day.isoformat()),
        )
        kept = float(rows[0][0]) if rows else 0.0
        if kept >= usd:
            return limit is None or total <= limit
        with self.write() as db:
            before = (identity, kind, day.isoformat(), day.isoformat()[:7])
            of_month = self._rows(
                "SELECT coalesce(sum(reserved), 0) FROM spend"
                " WHERE identity=? AND kind=? AND day<? AND substr(day, 1, 7)=?",
                before,
            )
            total = round(self.month_total(identity, day) - of_month[0][0] + usd - kept, 6)
            if limit is not None and total > limit:
                return False
            db.execute(
                "UPDATE spend SET reserved=0 WHERE identity=? AND kind=? AND day<?", before[:3]
            )
            _add(db, identity, day, kind, usd - kept, 0)
            return True

    def spend(self, identity: str, day: date, costs: Mapping[str, float]) -> None:
        """Add what was spent on a day, by kind."""
        with self.write() as db:
            for kind, usd in costs.items():
                _add(db, identity, day, kind, 0, usd)

    def name_spender(self, name: str, identity: str) -> None:
        """Move what an account spent before its identity was known; writes only if it did."""
        if not self._rows("SELECT 1 FROM spend WHERE identity=?", (name,)):
            return
        with self.write() as db:
            for row in self._spent("identity=?", name):
                _add(db, identity, row.day, row.kind, row.reserved, row.spent)
            db.execute("DELETE FROM spend WHERE identity=?", (name,))

    def unsend(self, draft: QueuedDraft) -> None:
        """Let a draft be as before `Store.sending`: its call was not paid, so none was made."""
        with self.write() as db:
            db.execute(
                "UPDATE drafts SET state=?, payload=?, newest=?, attempted_at=?, doubted_at=?"
                " WHERE id=?",
                (
                    draft.state,
                    json.dumps(draft.payload, ensure_ascii=False) if draft.payload else None,
                    draft.newest,
                    draft.attempted_at.isoformat() if draft.attempted_at else None,
                    draft.doubted_at.isoformat() if draft.doubted_at else None,
                    draft.id,
                ),
            )

    def month_total(self, identity: str, day: date) -> float:
        """What is spent and reserved in the calendar month of a day."""
        rows = self._rows(
            "SELECT round(coalesce(sum(reserved + spent), 0), 6) FROM spend"
            " WHERE identity=? AND day>=? AND day<=?",
            (identity, f"{day:%Y-%m}-01", f"{day:%Y-%m}-31"),
        )
        return float(rows[0][0])

    def spent_since(self, day: date) -> list[Spent]:
        """All that was spent or reserved on a day and later, oldest first."""
        return self._spent("day>=?", day.isoformat())

    def _spent(self, where: str, value: str) -> list[Spent]:
        rows = self._rows(
            "SELECT identity, day, kind, reserved, spent FROM spend"
            f" WHERE {where} ORDER BY day, identity, kind",
            (value,),
        )
        return [Spent(row[0], date.fromisoformat(row[1]), *row[2:]) for row in rows]


def _add(db: Any, identity: str, day: date, kind: str, reserved: float, spent: float) -> None:
    db.execute(
        "INSERT INTO spend VALUES (?,?,?,?,?) ON CONFLICT DO UPDATE SET"
        " reserved=round(max(reserved + excluded.reserved, 0), 6),"
        " spent=round(spent + excluded.spent, 6)",
        (identity, day.isoformat(), kind, reserved, spent),
    )
