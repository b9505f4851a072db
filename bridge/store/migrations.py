"""The tables, migration by migration. One that was released is never edited."""

from __future__ import annotations

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

migrations = Migrations("bridge.store")


@migrations()
def m001_first(db: Database) -> None:
    """The tables of the first version."""
    text, number = str, int
    db.table("accounts").create(
        {"name": text, "network": text, "identity": text, "handle": text, "url": text}, pk="name"
    )
    db.table("sessions").create({"identity": text, "data": text}, pk="identity")
    db.table("cursors").create(
        {
            "bot": text,
            "source": text,
            "target": text,
            "stream": text,
            "cursor": text,
            "started_at": text,
        },
        pk=("bot", "source", "target", "stream"),
    )
    db.table("seen").create(
        {
            "bot": text,
            "source": text,
            "target": text,
            "post_id": text,
            "revision": text,
            "verdict": text,
            "reason": text,
            "url": text,
            "at": text,
        },
        pk=("bot", "source", "target", "post_id", "revision"),
    )
    db.table("seen").create_index(["source", "revision"])
    db.table("drafts").create(
        {
            "id": number,
            "bot": text,
            "target": text,
            "source": text,
            "source_id": text,
            "source_url": text,
            "part": number,
            "parts": number,
            "generation": number,
            "key": text,
            "draft": text,
            "backfill": number,
            "state": text,
            "attempts": number,
            "not_before": text,
            "blocks": text,
            "attempted_at": text,
            "doubted_at": text,
            "newest": text,
            "absences": number,
            "uploads": text,
            "uploaded_at": text,
            "payload": text,
            "error": text,
        },
        pk="id",
        not_null={"target", "source", "source_id", "part", "generation", "key", "draft", "state"},
    )
    db.table("drafts").create_index(
        ["target", "source", "source_id", "part", "generation"], unique=True
    )
    db.table("drafts").create_index(["target", "state", "id"])
    db.table("links").create(
        {
            "origin": text,
            "origin_id": text,
            "identity": text,
            "part": number,
            "role": text,
            "post_id": text,
            "url": text,
            "uri": text,
            "cid": text,
            "root": text,
            "at": text,
        },
        pk=("origin", "origin_id", "identity", "part"),
    )
    db.table("links").create_index(["identity", "post_id"], unique=True)
    db.table("spend").create(
        {"identity": text, "day": text, "kind": text, "reserved": float, "spent": float},
        pk=("identity", "day", "kind"),
    )


@migrations()
def m002_people_decide(db: Database) -> None:
    """What people decide about drafts and bots, what they were told, and what the state is."""
    text, number = str, int
    drafts = db.table("drafts")
    drafts.add_column("code", text, not_null_default="")
    drafts.add_column("approved", number, not_null_default=0)
    drafts.add_column("created_at", text, not_null_default="")
    drafts.add_column("follows", number, not_null_default=0)
    db.execute(
        "UPDATE drafts SET created_at=json_extract(draft, '$.created_at'),"
        " follows=(part>1 OR json_extract(draft, '$.reply_to') IS NOT NULL)"
    )
    drafts.create_index(["state", "target", "id"])
    drafts.create_index(["target", "attempted_at"])
    drafts.create_index(["target", "created_at"])
    db.execute("CREATE INDEX idx_seen_held ON seen (source, post_id) WHERE verdict='held'")
    # asked for each post that goes out, whatever else waits
    db.execute("CREATE INDEX idx_drafts_parent ON drafts (target, state) WHERE code='parent'")
    db.execute("CREATE INDEX idx_drafts_blocking ON drafts (target, state) WHERE blocks<>''")
    db.table("pauses").create({"kind": text, "name": text, "at": text}, pk=("kind", "name"))
    db.table("orders").create(
        {
            "id": number,
            "kind": text,
            "argument": text,
            "at": text,
            "done_at": text,
            "answer": text,
            "ok": number,
        },
        pk="id",
        not_null={"kind", "argument", "at"},
    )
    db.table("alerts").create(
        {"kind": text, "subject": text, "text": text, "began_at": text, "told_at": text},
        pk=("kind", "subject"),
    )
    db.table("facts").create({"name": text, "value": text}, pk="name")


@migrations()
def m003_originals_change(db: Database) -> None:
    """Edits and deletions: what is done to copies, and which posts are gone."""
    drafts = db.table("drafts")
    drafts.add_column("action", str, not_null_default="publish")
    drafts.add_column("version", int, not_null_default=0)
    drafts.add_column("queued_at", str, not_null_default="")
    drafts.add_column("watched", int, not_null_default=1)
    db.execute("UPDATE drafts SET queued_at=coalesce(attempted_at, created_at)")
    drafts.create_index(["source", "created_at"])
    db.execute("CREATE INDEX idx_drafts_delay ON drafts (source, not_before) WHERE code='delay'")
    db.execute(
        "CREATE INDEX idx_drafts_changes ON drafts (target, queued_at) WHERE action='delete'"
    )
    # a copy that is gone stays known beside the one that took its place; row numbers are kept,
    # since by them a state that was lost is noticed
    db.execute(
        "CREATE TABLE links_new (origin TEXT, origin_id TEXT, identity TEXT, part INTEGER,"
        " role TEXT, post_id TEXT, url TEXT, uri TEXT, cid TEXT, root TEXT, at TEXT,"
        " missing_at TEXT, gone_at TEXT, PRIMARY KEY (identity, post_id))"
    )
    columns = "origin, origin_id, identity, part, role, post_id, url, uri, cid, root, at"
    db.execute(
        f"INSERT INTO links_new (rowid, {columns})"
        f" SELECT rowid, {columns} FROM links ORDER BY rowid"
    )
    db.execute("DROP TABLE links")
    db.execute("ALTER TABLE links_new RENAME TO links")
    db.execute(
        "CREATE UNIQUE INDEX idx_links_standing ON links (origin, origin_id, identity, part)"
        " WHERE gone_at IS NULL"
    )
    db.execute("CREATE INDEX idx_links_origin ON links (origin, origin_id)")
