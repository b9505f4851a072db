"""The commands by which people look after the state: backups, and a look at its health."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from bridge.console import FAILURE, as_json, config_option, json_option, load, state_for_reading


@click.command()
@config_option
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path))
def backup(config_file: Path, file: Path) -> None:
    """Copy the state into FILE, as it is at this moment; the daemon may run.

    FILE is for its owner alone: it holds the sessions of the accounts. One that exists is left
    alone.

    Example: tribridge backup tribridge-backup.db
    """
    from bridge.store.backup import back_up

    config = load(config_file)
    made = back_up(config.state.file, file)
    rows = made.rows
    click.echo(
        f"{made.file}: {made.size} bytes: {rows['drafts']} drafts, {rows['links']} links, "
        f"{rows['seen']} verdicts, {rows['cursors']} cursors"
    )


@click.command()
@config_option
@json_option
@click.option("--offline", is_flag=True, help="Ask no network.")
def doctor(config_file: Path, *, json_wanted: bool, offline: bool) -> None:
    """Look for what is wrong or will be: state file, room, rights, clock, servers.

    Writes nothing. Each server is asked for one page, without a login. Exits with 1 if there is a
    problem.

    Example: tribridge doctor --offline
    """
    from bridge import doctor as checks

    findings = checks.examine(load(config_file), away=not offline)
    click.echo(as_json(checks.as_data(findings)) if json_wanted else checks.as_text(findings))
    if not checks.is_fine(findings):
        sys.exit(FAILURE)


@click.command()
@config_option
@click.option(
    "--since",
    type=click.DateTime(["%Y-%m-%d"]),
    required=True,
    help="Originals published on this day (UTC) or later.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "csv"]),
    default="json",
    show_default=True,
    help="One JSON object, or a line for each copy.",
)
def export(config_file: Path, since: datetime, form: str) -> None:
    """Print originals, their revisions, their copies and when each came.

    Asks no network.

    Example: tribridge export --since 2026-01-31 --format csv
    """
    from bridge import export as exporting

    config = load(config_file)
    found = exporting.export(state_for_reading(config), since.replace(tzinfo=UTC))
    click.echo(as_json(found) if form == "json" else exporting.as_csv(found), nl=form == "json")


COMMANDS = (backup, doctor, export)
