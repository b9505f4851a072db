"""The commands for those who write configurations: what is wrong, what results, what may stand."""

from __future__ import annotations

from pathlib import Path

import click

from bridge.console import CONFIGURATION, FAILURE, as_json, config_option, fail, json_option


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


COMMANDS = (show,)
