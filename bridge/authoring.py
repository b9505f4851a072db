"""The commands for those who write configurations: what is wrong, what results, what may stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from click.core import ParameterSource

from bridge import console
from bridge.console import (
    CONFIGURATION,
    FAILURE,
    as_json,
    config_option,
    fail,
    json_option,
    load_offline,
    no_such,
    state_for_writing,
)
from bridge.registry import NETWORKS

if TYPE_CHECKING:
    from bridge.config.checking import Checked, Given
    from bridge.online import Visited

#: read of a file: more than a configuration may have
_TOO_MUCH = 1024 * 1024 + 1


@click.command()
@config_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "github"]),
    default="text",
    show_default=True,
    help="For people, as one JSON object, or as annotations of GitHub Actions.",
)
@click.option(
    "--stdin-filename",
    "stdin_name",
    type=click.Path(path_type=Path),
    help="The file that standard input is the content of.",
)
@click.option(
    "--online",
    is_flag=True,
    help="Log in with each account too; X charges for that. Shows who it is, and what it may do.",
)
@click.argument(
    "given",
    metavar="[FILE|-]...",
    nargs=-1,
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path),
)
@click.pass_context
def check(
    ctx: click.Context,
    config_file: Path,
    form: str,
    stdin_name: Path | None,
    given: tuple[Path, ...],
    *,
    online: bool,
) -> None:
    """Check the configuration and every bot, or only what stands in each FILE.

    Prints all problems with their places, and warnings. Logs in nowhere without --online.

    Example: tribridge check bots/newsroom.yaml
    """
    from bridge.config import report
    from bridge.config.checking import check_all, check_files

    if given and online:
        raise click.UsageError("--online is for the whole configuration: leave out FILE")
    visited: Visited | None = None
    if given:
        said = ctx.get_parameter_source("config_file") is not ParameterSource.DEFAULT
        files = [_given(path, stdin_name) for path in given]
        checked = check_files(files, config_file if said else None)
    else:
        checked = check_all(config_file)
        if online and not checked.errors:
            visited = _visited(checked)
    if form == "json":
        more = {"accounts": visited.as_object()} if visited else {}
        click.echo(as_json(report.as_object(checked.findings) | more))
    elif form == "github":
        click.echo(report.as_github(checked.findings), nl=bool(checked.findings))
    else:
        if checked.findings:
            click.echo(report.as_text(checked.findings, checked.sources))
        if visited and (told := visited.as_text()):
            click.echo(told)
        if not checked.errors:
            click.echo(_fine(checked, config_file, given))
    if checked.errors:
        unreached = visited.unreached if visited else 0
        sys.exit(FAILURE if checked.errors == unreached else CONFIGURATION)


def _visited(checked: Checked) -> Visited:
    """What the networks say of each account; what is wrong with it is among the findings then."""
    from bridge import online
    from bridge.config.checking import referred
    from bridge.config.surprises import surprises
    from bridge.store.trouble import is_there

    config, files = checked.config, checked.files
    assert config is not None
    assert files is not None
    paid = any(NETWORKS[account.network].paid for account in config.accounts.values())
    store = state_for_writing(config) if paid and is_there(config.state.file) else None
    visited = online.visit_all(config, store, console.now)
    findings = online.findings(visited, files)
    findings += [("warning", problem) for problem in surprises(files, visited.limits)]
    checked.findings = referred(files, findings)
    return visited


def _given(path: Path, stdin_name: Path | None) -> Given:
    from bridge.config.checking import Given

    if str(path) == "-":
        return Given(sys.stdin.buffer.read(_TOO_MUCH), stdin_name)
    try:
        with path.open("rb") as file:
            return Given(file.read(_TOO_MUCH), path)
    except OSError as error:
        fail(f"{path}: cannot be read ({error.strerror})", FAILURE)


def _fine(checked: Checked, config_file: Path, given: tuple[Path, ...]) -> str:
    """The line that ends a check without errors."""
    if checked.config is None:
        what = ", ".join("<stdin>" if str(path) == "-" else str(path) for path in given)
    else:
        accounts, bots = len(checked.config.accounts), len(checked.config.bots)
        what = f"{config_file}: {_many(accounts, 'account')}, {_many(bots, 'bot')}"
    warnings = len(checked.findings)
    line = f"{what}: fine" + (f", with {_many(warnings, 'warning')}" if warnings else "")
    if checked.elsewhere:
        line += f"; other files have {_many(checked.elsewhere, 'problem')}: see `tribridge check`"
    return line


def _many(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


@click.command()
@config_option
@json_option
@click.argument("bot")
def show(config_file: Path, bot: str, *, json_wanted: bool) -> None:
    """Show all settings of BOT, each with the place that it comes from.

    Asks no network, and needs no secrets. What is printed is the bot's file with nothing left out.

    Example: tribridge show newsroom
    """
    from bridge.config.effective import as_object, as_yaml, effective

    config, files = load_offline(config_file)
    if bot not in config.bots:
        no_such("bot", bot, config.bots, config_file)
    found = effective(files, bot)
    click.echo(as_json(as_object(found, config)) if json_wanted else as_yaml(found))


@click.command()
@config_option
@click.argument(
    "of", metavar="[config|bot]", type=click.Choice(["config", "bot"]), default="config"
)
def schema(config_file: Path, of: Literal["config", "bot"]) -> None:
    """Print the JSON Schema of config.yaml, or of a bot's file, for editors.

    With the steps and networks of plugins, those that the configuration names too.

    Example: tribridge schema bot
    """
    from bridge.config import examine
    from bridge.config.json_schema import json_schema

    click.echo(as_json(json_schema(of, examine(config_file).steps)))


COMMANDS = (check, schema, show)
