"""States as earlier versions left them, one a migration: `NAME.sql`, a dump with rows in every table.

`python -m tests.old_schemas NAME` makes one from the present code, before the next migration is
written.
"""
