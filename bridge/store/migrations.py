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
