"""The command that tries bots before they post: `tribridge test`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from bridge.console import (
    CONFIGURATION,
    FAILURE,
    as_json,
    config_option,
    fail,
    json_option,
    load_offline,
    no_such,
)

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
    from bridge.config import ConfigError
    from bridge.trials import report
    from bridge.trials.update import update

    config, files = load_offline(config_file)
    names = list(config.bots)
    for unknown in (bot for bot in bots if bot not in names):
        no_such("bot", unknown, names, config_file)
    chosen = [bot for bot in names if not bots or bot in bots]
    results, problems = trials.run(files, chosen)
    if problems:
        fail(str(ConfigError(problems)), CONFIGURATION)
    if fill_in:
        for line in update(files, config_file, results):
            click.echo(line, err=True)
        _, files = load_offline(config_file)
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


COMMANDS = (test,)
