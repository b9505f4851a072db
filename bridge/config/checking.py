"""Checks a whole configuration, or some of its files, also ones that are not saved yet."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bridge.config import Files, examine
from bridge.config.report import Finding
from bridge.config.surprises import surprises
from bridge.config.yaml_reader import Problem, Source, source_of
from bridge.schema import Config

STDIN = "<stdin>"

#: a line as only `config.yaml` has it
_OF_CONFIG = re.compile(
    rb"^[{\s]*[\"']?(timezone|state|alerts|accounts|defaults|bots)[\"']?\s*:", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Given:
    """A file to check: its content, and its path; None where it has none."""

    data: bytes
    path: Path | None


@dataclass(slots=True)
class Checked:
    """What was found, where it stands, and how many problems other files have.

    `config` is that of a whole configuration without problems.
    """

    findings: list[Finding] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)
    elsewhere: int = 0
    config: Config | None = None

    @property
    def errors(self) -> int:
        """How many of the findings are problems."""
        return sum(severity == "error" for severity, _ in self.findings)


def check_all(config_file: Path, environ: Mapping[str, str] = os.environ) -> Checked:
    """Everything about a configuration."""
    files = examine(config_file, environ)
    return Checked(_findings(files), dict(files.sources), config=files.config)


def check_files(
    given: Iterable[Given], config_file: Path | None, environ: Mapping[str, str] = os.environ
) -> Checked:
    """What stands in these files; a bot is checked with the accounts of a configuration.

    That is `config_file`, or the `config.yaml` that the bot belongs to, or that of this folder.
    """
    names: dict[Path, dict[str, str]] = {}
    instead: dict[Path, dict[Path, bytes]] = {}
    for file in given:
        config, place = _place(file, config_file)
        shown = source_of(file.path).name if file.path else STDIN
        instead.setdefault(config, {})[place] = file.data
        names.setdefault(config, {})[source_of(place).name] = shown
    checked = Checked()
    for config, texts in instead.items():
        files = examine(config, environ, texts)
        shown_as = names[config]
        if files.root is None:  # nothing can be said of a bot without its accounts
            name = source_of(config).name
            shown_as.setdefault(name, name)
        for severity, problem in _findings(files):
            if problem.file in shown_as:
                checked.findings.append((severity, _renamed(problem, shown_as)))
            elif severity == "error":
                checked.elsewhere += 1
        checked.sources |= {
            shown_as[name]: source for name, source in files.sources.items() if name in shown_as
        }
    return checked


def _findings(files: Files) -> list[Finding]:
    found: list[Finding] = [("error", problem) for problem in files.problems]
    return found + [("warning", problem) for problem in surprises(files)]


def _renamed(problem: Problem, names: Mapping[str, str]) -> Problem:
    """A problem by the name that people gave the file; other places in it are told so too."""
    message = problem.message
    for name, shown in names.items():
        message = message.replace(f"{name}:", f"{shown}:") if name != shown else message
    return replace(problem, file=names[problem.file], message=message)


def _place(file: Given, config_file: Path | None) -> tuple[Path, Path]:
    """The configuration that a file belongs to, and where in it it stands, or would."""
    path = file.path
    default = config_file or Path("config.yaml")
    if path is None:
        is_bot = not _OF_CONFIG.search(file.data)
        return default, default.parent / "bots" / "stdin.yaml" if is_bot else default
    if path == default or (path.parent.name != "bots" and _OF_CONFIG.search(file.data)):
        return path, path
    beside = path.parent.parent / "config.yaml"
    if config_file is None and path.parent.name == "bots" and beside.is_file():
        default = beside
    name = path.name if path.suffix in (".yaml", ".yml") else f"{path.stem}.yaml"
    return default, default.parent / "bots" / name
