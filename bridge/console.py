"""What all commands share: their options, how they fail, and how they open config and state.

Exit codes: 0 fine; 1 findings or failures; 2 wrong usage; 75 something is overdue, held or dead; 78
the configuration is wrong.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from bridge.config import Files
    from bridge.schema import Config
    from bridge.store import Store

FAILURE, USAGE, OVERDUE, CONFIGURATION = 1, 2, 75, 78

#: as many names are listed where one is not there
LISTED = 20

config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    envvar="TRIBRIDGE_CONFIG",
    help="The configuration file; bots/*.yaml beside it are read too.",
)
log_option = click.option(
    "--log",
    "log_format",
    type=click.Choice(["human", "json"]),
    default="human",
    show_default=True,
    help="The form of the log lines on stderr.",
)
dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Show what would be posted; write nothing anywhere."
)
json_option = click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")


def now() -> datetime:
    """The time, UTC: one place, so that tests can have a time of their own."""
    return datetime.now(UTC)


def fail(message: str, code: int) -> NoReturn:
    """End with a message on stderr and an exit code."""
    click.echo(message, err=True)
    sys.exit(code)


def no_such(what: str, name: str, names: Collection[str], config_file: Path) -> NoReturn:
    """End with 2: a command names a bot or an account that is not in the configuration."""
    from bridge.config.yaml_reader import suggestion

    near = suggestion(name, names)
    listed = ", ".join(list(names)[:LISTED]) or "none"
    if len(names) > LISTED:
        listed += f" and {len(names) - LISTED} more"
    fail(f"there is no {what} {name!r} in {config_file}{near or f'; there are: {listed}'}", USAGE)


def load(config_file: Path, *, logging_in: bool = False) -> Config:
    """The configuration; every problem on stderr and exit 78 if there are any.

    With `logging_in`, the secrets that log accounts in are left out, and need not be there.
    """
    from bridge.config import ConfigError, load

    try:
        return load(config_file, logging_in=logging_in)
    except ConfigError as error:
        fail(str(error), CONFIGURATION)


def load_offline(config_file: Path) -> tuple[Config, Files]:
    """The same for what asks nobody, with its files: what only networks need may be missing."""
    from bridge.config import ConfigError, examine

    files = examine(config_file, offline=True)
    if files.config is None:
        fail(str(ConfigError(files.problems)), CONFIGURATION)
    return files.config, files


def state_for_reading(config: Config) -> Store | None:
    """The state, opened so that nothing is ever written; None if there is none yet."""
    from bridge.store import StateError, Store

    try:
        return Store.open_for_reading(config.state.file)
    except StateError as error:
        fail(str(error), FAILURE)


def state_for_writing(config: Config) -> Store:
    """The state, opened beside whoever owns it; ends with 1 if there is none yet."""
    from bridge.store import StateError, Store
    from bridge.store.trouble import is_there

    try:
        if not is_there(config.state.file):
            fail(
                f"{config.state.file}: there is no state yet: `tribridge once` or `tribridge run` "
                "makes it",
                FAILURE,
            )
        store = Store.open(config.state.file, durability=config.state.durability)
    except StateError as error:
        fail(str(error), FAILURE)
    click.get_current_context().call_on_close(store.close)
    return store


def as_json(value: Any) -> str:
    """One JSON value, for stdout."""
    return json.dumps(value, ensure_ascii=False, indent=1)
