"""The configuration: `config.yaml`, and one bot in each file `bots/NAME.yaml` beside it.

A file in `bots/` holds the settings of its bot at the top (`from: masto`, `to: bsky`); the bot's
name is the file's. Settings come from the weakest to the strongest: built-in, the target's network,
`defaults`, `for` in `defaults`, the bot, `for` in the bot (a network, then an account). Maps merge
key by key, lists replace.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bridge import credentials
from bridge.config import own
from bridge.config.accounts import check_targets, read_accounts
from bridge.config.bots import Bots, apply
from bridge.config.groups import read_groups
from bridge.config.people import read_people
from bridge.config.trials import Trial
from bridge.config.values import Context, duration, read_map, read_settings
from bridge.config.yaml_reader import (
    ConfigError,
    Node,
    Problem,
    Problems,
    Source,
    read,
    source_of,
)
from bridge.plugins import PluginError
from bridge.registry import NETWORKS
from bridge.schema import TOP, Alerts, Config, State, settings_of
from bridge.steps import StepKind

__all__ = ["ConfigError", "Files", "Problem", "duration", "examine", "load", "secrets_of"]

_STATE_FILE = next(s.default for s in settings_of(State) if s.name == "file")
_TOP = {setting.name: setting for setting in TOP}


@dataclass(frozen=True, slots=True)
class Files:
    """The files of a configuration as they were read, and all that came of it.

    `config` is None if anything is wrong; `root` and `bots` (each bot's file by the bot's name) are
    what is written. `clear_secrets` are the secrets that stand in a file as they are: the setting's
    name, and the value.
    """

    config: Config | None
    problems: tuple[Problem, ...]
    root: Node | None = field(repr=False)
    bots: Mapping[str, Node] = field(repr=False)
    sources: Mapping[str, Source] = field(repr=False)
    clear_secrets: tuple[tuple[str, Node], ...] = field(repr=False)
    #: the steps of plugins, by name
    steps: Mapping[str, StepKind] = field(default_factory=dict, repr=False)
    #: the tests of each bot that has any
    trials: Mapping[str, tuple[Trial, ...]] = field(repr=False, default_factory=dict)


def load(
    path: Path, environ: Mapping[str, str] = os.environ, *, logging_in: bool = False
) -> Config:
    """The configuration that `path` and the files in `bots/` beside it state.

    Variables come from `environ`; relative paths start in the folder of `path`. Raises ConfigError
    with everything that is wrong. With `logging_in` the secrets that log accounts in are left out,
    whether they are there or not.
    """
    files = examine(path, environ, logging_in=logging_in)
    if files.config is None:
        raise ConfigError(files.problems)
    return files.config


def examine(
    path: Path,
    environ: Mapping[str, str] = os.environ,
    instead: Mapping[Path, bytes] | None = None,
    *,
    logging_in: bool = False,
    offline: bool = False,
) -> Files:
    """All files of a configuration, and everything that is wrong with them; see `load`.

    `instead` holds what is to be taken for the content of some files, whether they exist or not.
    With `offline` nothing is asked for that only networks need: logins are left out as with
    `logging_in`, and so is what else of accounts, state and alerts names a variable or a file that
    is not there.
    """
    problems = Problems(instead=instead or {})
    root = read(path, problems)
    there = os.path.isfile(path) or root is not None  # noqa: PTH113  never raises
    bots = _read_bots(path.parent / "bots", problems) if there else {}
    context = Context(problems, environ, path.parent, lenient=offline)
    context.steps.update(own.installed()[0].steps)
    if logging_in or offline:
        context.logins = None
    config, trials = _check(root, bots, context, path) if root is not None else (None, {})
    return Files(
        None if problems.found else config,
        ConfigError(problems.found).problems,
        root,
        bots,
        problems.sources,
        tuple(context.clear_secrets),
        steps=context.steps,
        trials=trials,
    )


def _read_bots(folder: Path, problems: Problems) -> dict[str, Node]:
    """The top of each bot's file, by the bot's name; hidden files are left alone."""
    files = {file for file in problems.instead if file.parent == folder}
    try:
        files |= set(folder.iterdir())
    except FileNotFoundError:
        pass
    except OSError as error:
        problems.add(source_of(folder).start, f"the folder cannot be read: {error.strerror}")
        return {}
    nodes = {}
    for file in sorted(files):
        if file.name.startswith("."):
            continue
        if file.suffix == ".yml":
            message = f"this file is not read; rename it to {file.stem}.yaml"
            problems.add(source_of(file).start, message)
        elif file.suffix == ".yaml" and (node := read(file, problems)) is not None:
            nodes[file.stem] = node
    return nodes


def _check(
    root: Node, bot_files: Mapping[str, Node], context: Context, path: Path
) -> tuple[Config, Mapping[str, tuple[Trial, ...]]]:
    """The configuration, and the tests of its bots; of no use if it leaves problems."""
    given = read_map(context, root, path.name)
    top = read_settings(context, given, _TOP) if given else {}
    context.zone = top.get("timezone")
    if context.zone is None and given and "timezone" in given.pairs:
        context.zone = ZoneInfo("UTC")  # one problem for it is enough
    _read_plugins(context, root, top.get("plugins", ()))
    state = apply(State(context.folder / _STATE_FILE), top.get("state", {}))
    if context.logins is not None:
        context.logins = _stored_logins(context, state.file)
    accounts = read_accounts(context, top["accounts"]) if "accounts" in top else {}
    context.lenient = False  # what follows decides what becomes of posts
    people = read_people(context, top["people"]) if "people" in top else ()
    groups = read_groups(context, top["groups"], accounts) if "groups" in top else {}
    bots = Bots(context, accounts, people, groups)
    if "defaults" in top:
        bots.read_defaults(top["defaults"])
    if "bots" in top:
        for name, (key, node) in top["bots"].pairs.items():
            bots.read_bot(name, key, node)
    for name, node in bot_files.items():
        bots.read_bot(name, node.source.start, node, own_file=True)
    found = bots.finish()
    if "accounts" in top:
        check_targets(context, top["accounts"], accounts, found.values())
    alerts = apply(Alerts(), top.get("alerts", {}))
    config = Config(
        path,
        accounts,
        found,
        state,
        context.zone,
        alerts,
        frozenset(context.secret_files),
        frozenset(context.literal_secrets),
        groups,
    )
    return config, bots.trials


def _read_plugins(context: Context, root: Node, listed: Iterable[tuple[Path, Node]]) -> None:
    """The steps of plugins; their networks are in the registry then."""
    for message in own.installed()[1]:
        context.problems.add(root, message)
    for path, node in listed:
        try:
            plugin = own.from_file(path)
        except PluginError as error:
            context.problems.add(node, f"this plugin cannot be used: {error}")
            continue
        for name in plugin.steps.keys() & context.steps.keys():
            context.problems.add(node, f"this plugin has a step {name!r}, as another has")
        context.steps.update(plugin.steps)


def _stored_logins(context: Context, state_file: Path) -> dict[str, dict[str, Any]]:
    file = credentials.file_of(state_file)
    try:
        found = credentials.read(file)
    except credentials.CredentialsError as error:
        context.problems.add(source_of(file).start, str(error).partition(": ")[2])
        return {}
    if found:
        context.secret_files.add(file)
    return found


def secrets_of(config: Config) -> list[str]:
    """Every secret of a configuration: what may stand in no log, error, page or message."""
    found = [
        account.settings[setting.name]
        for account in config.accounts.values()
        for setting in NETWORKS[account.network].settings
        if setting.kind == "secret" and account.settings.get(setting.name)
    ]
    if webhook := config.alerts.webhook:
        # a server that refuses it may name its path alone
        path = webhook.split("/", 3)[3] if webhook.count("/") > 2 else ""
        found += [webhook, path] if len(path) > 7 else [webhook]
    return found
