"""Writes `NAME.sql`: what this version makes of a small story, as SQL."""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from bridge.simulation import Fault
from tests.world import World

BOTS = """
daily: {from: m, to: [b, x]}
pair: {between: [m2, b2]}
"""
#: rows of a kind that the story does not lead to
MADE_UP = {"TEXT": "'made up'", "INTEGER": "1", "FLOAT": "1.5", "REAL": "1.5"}


def story(w: World) -> None:
    """Drafts in every state, a thread, skipped posts, links and verdicts, in several scripts."""
    w.turn()
    first = w.say("m", "Første innlegg, med lenke https://example.com/a?b=1")
    w.say("m", "Og fortsettelsen 🧵", reply_to=first)
    w.say("m", "Ikke denne #nobridge")
    w.say("m2", "最初の投稿")
    w.turn()
    w.clock.advance(minutes=5)
    w.simulator("b").faults.append(Fault("answer", "POST ", status=400, body="{}"))
    w.say("m", "Nettverket vil ikke ha denne")
    w.turn()
    w.clock.advance(minutes=5)
    w.simulator("m2").faults.append(Fault("drop_before", "POST /api/v1/statuses"))
    w.say("b2", "В пути, и никто не знает")
    w.turn()
    w.say("m", "Blir for gammel")
    w.read("m")
    w.clock.advance(days=3)
    w.deliver("x")
    w.say("m", "Venter ennå")
    w.read("m")


def fill_empty(db: sqlite3.Connection) -> None:
    """One row in every table that has none, and no real session in any."""
    db.execute('UPDATE sessions SET data=\'{"made": "up"}\'')
    for (table,) in db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall():
        if not db.execute(f"SELECT 1 FROM [{table}]").fetchone():
            kinds = [row[2] for row in db.execute(f"PRAGMA table_info([{table}])")]
            values = ", ".join(MADE_UP[kind] for kind in kinds)
            db.execute(f"INSERT INTO [{table}] VALUES ({values})")
    db.commit()


def with_names(lines: Iterable[str], w: World) -> str:
    """A dump with names in the place of this machine's addresses."""
    text = "\n".join(lines) + "\n"
    for name, simulator in w.networks.items():
        text = text.replace(simulator.url, f"https://{name}.example")
        text = text.replace(simulator.url.removeprefix("http://"), f"{name}.example")
    return text


def main(name: str) -> None:
    """Make `NAME.sql`."""
    with tempfile.TemporaryDirectory() as folder:
        w = World(Path(folder), BOTS)
        story(w)
        file = w.store.file
        assert file is not None
        w.store.close()
        with closing(sqlite3.connect(file)) as db:
            fill_empty(db)
            text = with_names(db.iterdump(), w)
        w.close()
    (Path(__file__).parent / f"{name}.sql").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
