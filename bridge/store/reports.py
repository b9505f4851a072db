"""What the memory tells people: nothing here writes."""

from __future__ import annotations

from bridge.store.file import StateFile
from bridge.store.rows import LINK, Copy, QueuedDraft, RouteKey, Verdict, copy_of


class Reports(StateFile):
    """The part of `Store` that commands show."""

    def counts(self) -> list[tuple[str, str, int]]:
        """How many drafts each target has in each state: (target, state, number)."""
        return self._rows(
            "SELECT target, state, count(*) FROM drafts GROUP BY target, state ORDER BY 1, 2"
        )

    def troubled(self) -> list[QueuedDraft]:
        """Drafts that wait for a reason or need a person, oldest first."""
        return self._drafts(
            "state IN ('held','dead') OR (state IN ('queued','sending') AND error <> '')"
            " ORDER BY id",
            (),
        )

    def unsent(self) -> list[QueuedDraft]:
        """Drafts that are neither sent nor dropped, oldest original first."""
        return self._drafts(
            "state IN ('queued','sending','held','dead') ORDER BY created_at, source_id, part, id",
            (),
        )

    def growth(self) -> tuple[int, int]:
        """Numbers that only ever grow: of drafts queued, and of posts and copies known."""
        (row,) = self._rows(
            "SELECT (SELECT coalesce(max(id), 0) FROM drafts),"
            " (SELECT coalesce(max(rowid), 0) FROM links)"
        )
        return row[0], row[1]

    def first_runs(self) -> list[RouteKey]:
        """The routes that have had their first run."""
        return [RouteKey(*row) for row in self._rows("SELECT bot, source, target FROM cursors")]

    def verdicts(self) -> list[Verdict]:
        """Every verdict, oldest first."""
        rows = self._rows(
            "SELECT bot, source, target, post_id, revision, verdict, reason, url FROM seen"
            " ORDER BY rowid"
        )
        return [Verdict(RouteKey(*row[:3]), *row[3:]) for row in rows]

    def groups(self) -> list[list[Copy]]:
        """Every original with its copies, in the order in which they were taken up."""
        rows = self._rows(
            f"SELECT {LINK} FROM links JOIN (SELECT origin AS o, origin_id AS i, min(rowid) AS n"
            " FROM links GROUP BY 1, 2) ON o=origin AND i=origin_id ORDER BY n, role DESC,"
            " identity, part"
        )
        groups: dict[tuple[str, str], list[Copy]] = {}
        for copy in map(copy_of, rows):
            groups.setdefault((copy.origin, copy.origin_id), []).append(copy)
        return list(groups.values())
