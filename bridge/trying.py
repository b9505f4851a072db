"""The command that tries bots before they post: `tribridge test`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from bridge.console import (
    CONFIGURATION,
    FAILURE,
    as_json,
    config_option,
    fail,
    json_option,
    no_such,
)

if TYPE_CHECKING:
    from bridge.config import Problem

#: as click takes colours; it leaves them out where no terminal is
_COLOURS: dict[str, dict[str, Any]] = {
    "place": {"bold": True},
    "out": {"fg": "red"},
    "in": {"fg": "green"},
}


@click.command()
@config_option
@json_option
@click.option(
    "--junit",
    "junit_file",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the results to FILE too, as JUnit's XML.",
)
@click.option(
    "--update",
    "fill_in",
    is_flag=True,
    help="Write what comes of each test that fails into its file, as what it expects.",
)
@click.argument("bots", metavar="[BOT]...", nargs=-1)
def test(
    config_file: Path,
    bots: tuple[str, ...],
    junit_file: Path | None,
    *,
    json_wanted: bool,
    fill_in: bool,
) -> None:
    """Try the tests of all bots, or of each BOT, by the code that runs them.

    Asks no network and opens no state; accounts need no login, and no secret needs to be there.
    With --update nothing in a file changes but expectations; read what it wrote. Exits with 1 if a
    test fails.

    Example: tribridge test newsroom
    """
    from bridge import trials
    from bridge.config import examine
    from bridge.trials import report
    from bridge.trials.update import update

    files = examine(config_file, offline=True)
    if files.config is None:
        _fail(files.problems)
    names = list(files.config.bots)
    for unknown in (bot for bot in bots if bot not in names):
        no_such("bot", unknown, names, config_file)
    chosen = [bot for bot in names if not bots or bot in bots]
    results, problems = trials.run(files, chosen)
    if problems:
        _fail(problems)
    if fill_in:
        for line in update(files, config_file, results):
            click.echo(line, err=True)
        files = examine(config_file, offline=True)
        results, _ = trials.run(files, chosen)
    if junit_file is not None:
        try:
            junit_file.write_bytes(report.as_junit(results))
        except OSError as error:
            fail(f"{junit_file}: cannot be written ({error.strerror})", FAILURE)
    if json_wanted:
        click.echo(as_json(report.as_object(results, chosen)))
    else:
        for kind, line in report.lines(results, chosen):
            click.echo(click.style(line, **_COLOURS[kind]) if kind else line)
    if any(result.failures for result in results):
        sys.exit(FAILURE)


def _fail(problems: Sequence[Problem]) -> NoReturn:
    from bridge.config import ConfigError

    fail(str(ConfigError(problems)), CONFIGURATION)


COMMANDS = (test,)
