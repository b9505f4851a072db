"""What can be told of a state file's health; nothing here writes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from bridge.store.file import BUSY_TIMEOUT, StateFile
from bridge.store.migrations import migrations
from bridge.store.trouble import told

#: damages that are told of one file
MOST_TOLD = 5

#: what cannot be, as SQL that counts it, in words after the number, and what follows from it
_IMPOSSIBLE = (
    (
        "SELECT count(*) FROM drafts WHERE state NOT IN"
        " ('queued','sending','sent','held','dead','dropped')",
        "drafts in a state that there is not",
        "they will never go out: restore a backup, or report it",
    ),
    (
        "SELECT count(*) FROM drafts WHERE state='sending'"
        " AND (payload IS NULL OR attempted_at IS NULL OR doubted_at IS NULL)",
        "drafts on their way without what was sent",
        "they cannot be settled: look whether they stand, and `tribridge outbox` for their numbers",
    ),
    (
        "SELECT count(*) FROM drafts AS d WHERE state='sent' AND action='publish'"
        " AND NOT EXISTS (SELECT 1 FROM links AS l WHERE l.origin=d.source"
        " AND l.origin_id=d.source_id AND l.identity=d.target)",
        "drafts that were sent and whose copy is not known",
        "their copies could travel on as posts of their own: restore a backup, or report it",
    ),
    (
        "SELECT count(*) FROM drafts AS d WHERE part>1 AND NOT EXISTS (SELECT 1 FROM drafts AS b"
        " WHERE (b.target,b.source,b.source_id,b.generation)="
        "(d.target,d.source,d.source_id,d.generation) AND b.part=d.part-1)",
        "parts of posts whose part before is missing",
        "they are held when their turn comes; post them by hand",
    ),
    (
        "SELECT count(*) FROM links AS c WHERE role='copy' AND instr(origin_id, '#')=0"
        " AND NOT EXISTS (SELECT 1 FROM links AS o"
        " WHERE o.role='origin' AND (o.origin,o.origin_id)=(c.origin,c.origin_id))",
        "copies whose original is not known",
        "nothing is posted twice, but replies to those originals are not threaded",
    ),
    (
        "SELECT count(*) FROM seen AS s WHERE verdict='queued' AND NOT EXISTS (SELECT 1 FROM drafts"
        " AS d WHERE (d.source,d.source_id,d.target)=(s.source,s.post_id,s.target))",
        "posts that were taken and have no draft",
        "they were lost: see `mirror` in `tribridge --help`, or restore a backup",
    ),
)


def integrity(file: Path) -> list[str]:
    """What SQLite finds damaged in a file (`PRAGMA integrity_check`); nothing if it is whole.

    Raises Unusable if it cannot even be read.
    """
    in_use = file.with_name(file.name + "-wal").exists()
    uri = f"{file.absolute().as_uri()}?mode={'ro' if in_use else 'ro&immutable=1'}"
    with told(file), closing(sqlite3.connect(uri, uri=True, timeout=BUSY_TIMEOUT)) as db:
        try:
            found = db.execute(f"PRAGMA integrity_check({MOST_TOLD})").fetchall()
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CORRUPT:
                raise
            return [str(error)]
    return [str(row[0]) for row in found if row[0] != "ok"]


class Health(StateFile):
    """The part of `Store` that `tribridge doctor` asks."""

    def schema(self) -> str:
        """The name of the last migration that was applied."""
        with self._using():
            return migrations.applied(self._db())[-1].name

    def impossible(self) -> list[tuple[int, str, str]]:
        """What cannot be: how many of what, and what follows or can be done."""
        return [
            (number, what, then)
            for sql, what, then in _IMPOSSIBLE
            if (number := int(self._rows(sql)[0][0]))
        ]
