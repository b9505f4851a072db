"""The command `tribridge`: results on stdout, the log on stderr, exit codes that mean something."""

from __future__ import annotations

import errno
import json
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bridge import __version__, answering, authoring, deciding, logging_in, secrecy, trying, upkeep
from bridge.console import (
    FAILURE,
    OVERDUE,
    as_json,
    config_option,
    dry_run_option,
    fail,
    json_option,
    load,
    log_option,
    now,
    state_for_reading,
)

if TYPE_CHECKING:
    from bridge.schema import Config
    from bridge.store import Store


class _Commands(click.Group):
    """The commands; trouble with the state or stdout ends any of them with 1 and a sentence."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Exception as error:
            from bridge.store import StateError

            if isinstance(error, StateError):
                fail(str(error), FAILURE)
            if isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename:
                # what is left of the output would fail again when the process ends
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
                fail(f"the output cannot be written: {error.strerror}", FAILURE)
            raise


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="tribridge", message="%(prog)s %(version)s")
def main() -> None:
    """Mirror posts between Twitter (X), Mastodon and Bluesky, by bots declared in YAML.

    New here: `tribridge demo` shows it at work, `tribridge init` begins a configuration.
    """


@main.command()
@config_option
@click.option("-y", "--yes", is_flag=True, help="Ask nothing: write an example to fill in.")
def init(config_file: Path, *, yes: bool) -> None:
    """Write a commented configuration and a first bot.

    On a terminal it asks for networks, accounts and direction; elsewhere it writes an example to
    fill in.

    Example: tribridge init
    """
    from bridge import starter

    try:
        starter.check_absent(config_file)
        guided = not yes and sys.stdin.isatty()
        beginning = starter.ask(config_file.parent / "bots") if guided else starter.example()
        for file in starter.write(config_file, beginning):
            click.echo(f"wrote {file}")
    except FileExistsError as error:
        fail(f"{error.filename}: is there already; move it away or use another --config", FAILURE)
    except OSError as error:
        fail(f"{error.filename}: cannot be written ({error.strerror})", FAILURE)
    hint = beginning.hint.format(file=config_file)
    click.echo(f"Next: {hint}" if hint else "Next:")
    for command in beginning.next:
        click.echo(f"  tribridge {command} --config {config_file}")


@main.command()
@config_option
@log_option
@dry_run_option
def run(config_file: Path, log_format: str, *, dry_run: bool) -> None:
    """Run all bots by their schedules, until SIGTERM.

    Example: tribridge run --log json
    """
    from bridge import daemon
    from bridge.accounts import Accounts

    config = load(config_file)
    _log_to_stderr(log_format, config)
    store = _open_state(config, "run", dry_run=dry_run)
    accounts = Accounts(config, store)
    daemon.run(daemon.Daemon(config, store, accounts, report=_print_report, rehearse=dry_run))


@main.command()
@config_option
@log_option
@dry_run_option
def once(config_file: Path, log_format: str, *, dry_run: bool) -> None:
    """Make one pass over all bots and deliver what is due.

    Exits with 1 if an account could not be read, with 75 if something is overdue, held or dead.

    Example: tribridge once --dry-run
    """
    from bridge import daemon
    from bridge.accounts import Accounts
    from bridge.workers import Engine

    config = load(config_file)
    _log_to_stderr(log_format, config)
    store = _open_state(config, "once", dry_run=dry_run)
    accounts = Accounts(config, store)
    engine = Engine(config, store, accounts, report=_print_report, rehearse=dry_run)
    failed = daemon.once(engine, store, rehearse=dry_run)
    if failed:
        sys.exit(FAILURE)
    if not dry_run and (store.held_posts() or any(draft.overdue for draft in store.troubled())):
        sys.exit(OVERDUE)


def _open_state(config: Config, command: str, *, dry_run: bool) -> Store:
    """The state, owned by this process; a copy in memory for a dry run."""
    from bridge.store import StateError, Store

    try:
        if dry_run:
            return Store.in_memory(config.state.file)
        store = Store.open(config.state.file, durability=config.state.durability)
        store.own(command)
    except StateError as error:
        fail(str(error), FAILURE)
    return store


def _print_report(*what: Any) -> None:
    from bridge.overview import describe

    click.echo(describe(*what))


@main.command()
@config_option
@json_option
def status(config_file: Path, *, json_wanted: bool) -> None:
    """Show accounts, bots, last runs, what waits, and what went wrong.

    Asks no network. Exits with 75 if something is overdue, held or dead.

    Example: tribridge status --json
    """
    from bridge import overview

    config = load(config_file)
    found = overview.status(config, state_for_reading(config))
    click.echo(as_json(found) if json_wanted else overview.status_text(found))
    if found["posts"] or any(draft["overdue"] for draft in found["troubled"]):
        sys.exit(OVERDUE)


@main.command()
@config_option
@json_option
def links(config_file: Path, *, json_wanted: bool) -> None:
    """Show each mirrored original with its copies.

    Asks no network.

    Example: tribridge links --json
    """
    from bridge import overview

    config = load(config_file)
    found = overview.links(state_for_reading(config))
    click.echo(as_json(found) if json_wanted else overview.links_text(found))


@main.command()
@config_option
@json_option
def costs(config_file: Path, *, json_wanted: bool) -> None:
    """Show what paid calls cost this month, and a forecast.

    Asks no network. X alone charges; the budget is a setting of the account.

    Example: tribridge costs --json
    """
    from datetime import UTC, datetime

    from bridge import costs as told

    config = load(config_file)
    found = told.costs(config, state_for_reading(config), datetime.now(UTC).date())
    click.echo(as_json(found) if json_wanted else told.costs_text(found))


@main.command()
@config_option
@click.option("--shell", is_flag=True, help="Print the newsroom's keys as variables of a shell.")
def sandbox(config_file: Path, *, shell: bool) -> None:  # noqa: ARG001 - every command takes --config
    """Start the three networks on this machine and keep them running.

    Prints one JSON line with the settings of accounts to use.

    Example: tribridge sandbox
    """
    import signal

    from bridge.sandbox import Sandbox, as_shell

    networks = Sandbox()
    printed = networks.start()
    click.echo(as_shell(printed) if shell else json.dumps(printed, ensure_ascii=False))
    sys.stdout.flush()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        signal.pause()
    except KeyboardInterrupt:
        networks.stop()


@main.command()
@config_option
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("demo"),
    show_default=True,
    help="Where the demo's configuration and state go; emptied first.",
)
def demo(config_file: Path, folder: Path) -> None:  # noqa: ARG001 - every command takes --config
    """Run the bots of bots/ against sandbox networks.

    Shows what went where and what was skipped; exits with 1 if anything is missing or doubled.

    Example: tribridge demo
    """
    from bridge.demo import show

    try:
        sys.exit(show(folder, click.echo))
    except OSError as error:
        if error.filename is None:
            raise
        fail(
            f"{error.filename}: cannot be used ({error.strerror}): name another with --folder",
            FAILURE,
        )


for command in (
    *answering.COMMANDS,
    *authoring.COMMANDS,
    *deciding.COMMANDS,
    *logging_in.COMMANDS,
    *trying.COMMANDS,
    *upkeep.COMMANDS,
):
    main.add_command(command)


@main.group()
def alerts() -> None:
    """What people are told when something is stuck."""


@alerts.command()
@config_option
def test(config_file: Path) -> None:
    """Send a test message to the webhook.

    Exits with 1 if it was not taken, or if there is no webhook.

    Example: tribridge alerts test
    """
    from bridge.alerts import try_out

    wrong = try_out(load(config_file), now())
    if wrong:
        fail(wrong, FAILURE)
    click.echo("the webhook took the test message")


class _Redacting(logging.Formatter):
    """Formats a line and blots out every secret."""

    def __init__(self, form: Callable[[logging.LogRecord], str]) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        text = self._form(record)
        if record.exc_info:
            text += "\n" + self.formatException(record.exc_info)
        return secrecy.redact(text)


def _log_to_stderr(form: str, config: Config) -> None:
    from datetime import UTC, datetime

    from bridge.config import secrets_of

    def human(record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created).astimezone()
        return f"{at:%Y-%m-%d %H:%M:%S} {record.levelname.lower():7} {record.getMessage()}"

    def as_json(record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        return json.dumps(line, ensure_ascii=False)

    handler = logging.StreamHandler(sys.stderr)
    secrecy.keep(secrets_of(config))
    handler.setFormatter(_Redacting(as_json if form == "json" else human))
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("tribridge").setLevel(logging.INFO)
