"""The commands for those who write configurations: what is wrong, what results, what may stand."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click
from click.core import ParameterSource

from bridge.console import CONFIGURATION, FAILURE, as_json, config_option, fail, json_option

if TYPE_CHECKING:
    from bridge.config.checking import Checked, Given

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
) -> None:
    """Check the configuration and every bot, or only what stands in each FILE.

    Prints all problems with their places, and warnings; logs in nowhere.

    Example: tribridge check bots/newsroom.yaml
    """
    from bridge.config import report
    from bridge.config.checking import check_all, check_files

    if given:
        said = ctx.get_parameter_source("config_file") is not ParameterSource.DEFAULT
        files = [_given(path, stdin_name) for path in given]
        checked = check_files(files, config_file if said else None)
    else:
        checked = check_all(config_file)
    if form == "json":
        click.echo(as_json(report.as_object(checked.findings)))
    elif form == "github":
        click.echo(report.as_github(checked.findings), nl=bool(checked.findings))
    else:
        if checked.findings:
            click.echo(report.as_text(checked.findings, checked.sources))
        if not checked.errors:
            click.echo(_fine(checked, config_file, given))
    if checked.errors:
        sys.exit(CONFIGURATION)


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

    Asks no network. What is printed is the bot's file with nothing left out.

    Example: tribridge show newsroom
    """
    from bridge.config import ConfigError, examine
    from bridge.config.effective import as_object, as_yaml, effective

    files = examine(config_file)
    if files.config is None:
        fail(str(ConfigError(files.problems)), CONFIGURATION)
    if bot not in files.config.bots:
        names = ", ".join(files.config.bots) or "none"
        fail(f"there is no bot {bot!r} in {config_file}; there are: {names}", FAILURE)
    found = effective(files, bot)
    click.echo(as_json(as_object(found, files.config)) if json_wanted else as_yaml(found))


@click.command()
@config_option
@click.argument(
    "of", metavar="[config|bot]", type=click.Choice(["config", "bot"]), default="config"
)
def schema(config_file: Path, of: Literal["config", "bot"]) -> None:  # noqa: ARG001 - every command takes --config
    """Print the JSON Schema of config.yaml, or of a bot's file, for editors.

    Example: tribridge schema bot
    """
    from bridge.config.json_schema import json_schema

    click.echo(as_json(json_schema(of)))


COMMANDS = (check, schema, show)
