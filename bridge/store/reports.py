"""What the memory tells people: nothing here writes."""

from __future__ import annotations

from datetime import datetime

from bridge.store.file import StateFile
from bridge.store.rows import LINK, Copy, QueuedDraft, RouteKey, Verdict, copy_of, original_id


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

    def drafts_since(self, since: datetime) -> list[QueuedDraft]:
        """Every draft of originals published since a time, and every change to their copies."""
        return self._drafts(
            "EXISTS (SELECT 1 FROM drafts AS first WHERE first.source=drafts.source AND"
            " first.source_id=iif(instr(drafts.source_id, '#'), substr(drafts.source_id, 1,"
            " instr(drafts.source_id, '#')-1), drafts.source_id) AND first.created_at>=?)"
            " ORDER BY id",
            (since.isoformat(),),
        )

    def all_copies(self, origin: str, post_id: str) -> list[Copy]:
        """Every copy of a post, and of corrections of it, those that are gone too."""
        rows = self._rows(
            f"SELECT {LINK} FROM links WHERE role='copy' AND origin=? AND (origin_id=? OR"
            " origin_id>=? AND origin_id<?) ORDER BY at",
            (origin, post_id, f"{post_id}#", f"{post_id}$"),
        )
        return [copy_of(row) for row in rows]

    def revisions(self, source: str, post_id: str) -> list[tuple[str, str]]:
        """The versions of a post that were seen, and when each was first; oldest first."""
        return self._rows(
            "SELECT revision, min(at) FROM seen WHERE source=? AND post_id=? GROUP BY revision"
            " ORDER BY min(at), min(rowid)",
            (source, post_id),
        )

    def named(self, word: str) -> list[tuple[str, str]]:
        """The originals, account and id, that a word names: by the id or address of the original,
        of a version of it, or of any copy.
        """
        rows = self._rows(
            "SELECT source, post_id FROM seen WHERE ? IN (post_id, revision, url)"
            " UNION SELECT origin, origin_id FROM links WHERE ? IN (post_id, url)"
            " UNION SELECT source, source_id FROM drafts WHERE ? IN (source_id, source_url)",
            (word, word, word),
        )
        return sorted({self.origin_of(source, original_id(post_id)) for source, post_id in rows})

    def origin_of(self, identity: str, post_id: str) -> tuple[str, str]:
        """The original, account and id, that a post is a copy of; itself if it is none."""
        rows = self._rows(
            "SELECT origin, origin_id FROM links WHERE role='copy' AND identity=? AND post_id=?",
            (identity, post_id),
        )
        return (rows[0][0], original_id(rows[0][1])) if rows else (identity, post_id)

    def verdicts_on(self, source: str, post_id: str) -> list[tuple[Verdict, str]]:
        """Every verdict on a post and its versions with its time, oldest first."""
        rows = self._rows(
            "SELECT bot, source, target, post_id, revision, verdict, reason, url, at FROM seen"
            " WHERE source=? AND post_id=? ORDER BY at, rowid",
            (source, post_id),
        )
        return [(Verdict(RouteKey(*row[:3]), *row[3:8]), row[8]) for row in rows]

    def every_draft(self, source: str, post_id: str) -> list[tuple[QueuedDraft, str]]:
        """Every draft of a post and of changes to its copies, and when it was queued, by id."""
        which = "source=? AND (source_id=? OR source_id>=? AND source_id<?)"
        name = (source, post_id, f"{post_id}#", f"{post_id}$")
        times = dict(self._rows(f"SELECT id, queued_at FROM drafts WHERE {which}", name))
        drafts = self._drafts(f"{which} ORDER BY id", name)
        return [(draft, times[draft.id]) for draft in drafts]

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
        """Every original with its copies, corrections last, in the order in which they came up."""
        rows = self._rows(f"SELECT {LINK} FROM links ORDER BY rowid")
        groups: dict[tuple[str, str], list[Copy]] = {}
        for copy in map(copy_of, rows):
            groups.setdefault((copy.origin, original_id(copy.origin_id)), []).append(copy)
        return [sorted(group, key=_as_told) for group in groups.values()]


def _as_told(copy: Copy) -> tuple[bool, bool, str, str, int]:
    """The original, then copies account by account and part by part, then corrections."""
    correction = "#" in copy.origin_id
    return copy.role == "copy", correction, copy.identity, copy.at if correction else "", copy.part
