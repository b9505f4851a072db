"""Tests of bots: what comes of posts that are given, by the code that the daemon runs, offline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.config import Files
from bridge.config.trials import Trial
from bridge.config.yaml_reader import Node, Problem, Wrong
from bridge.ingest import judge
from bridge.offline import memory, opened
from bridge.post import Skip
from bridge.registry import NETWORKS
from bridge.schema import Config
from bridge.trials import outcome
from bridge.trials.given import Given, nobody, read


@dataclass(frozen=True, slots=True)
class Failure:
    """An expectation that was not met: of which target ("" for all), where it stands.

    `expected` and `actual` are as they are written, in YAML.
    """

    target: str
    node: Node
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a test of a bot: by target, and where that is not what was expected."""

    bot: str
    trial: Trial
    outcomes: Mapping[str, Mapping[str, Any]]
    failures: tuple[Failure, ...]


def run(files: Files, bots: Iterable[str]) -> tuple[list[Result], list[Problem]]:
    """The result of each test of some bots; and posts in files that cannot be used.

    The configuration has no problems. Nothing is opened but the files that tests name.
    """
    assert files.config is not None
    results, problems = [], []
    for bot in bots:
        for trial in files.trials.get(bot, ()):
            try:
                results.append(_result(files.config, bot, trial))
            except Wrong as wrong:
                problems.append(wrong.problem)
    return results, problems


def _result(config: Config, bot: str, trial: Trial) -> Result:
    network = NETWORKS[config.accounts[trial.source].network]
    given = read(trial, network)
    outcomes = _outcomes(config, bot, trial, given)
    if trial.expected is None:
        shown = {target: outcome.filled(found) for target, found in outcomes.items()}
        return Result(bot, trial, outcomes, (Failure("", trial.node, "", outcome.written(shown)),))
    failures = []
    for target, wanted in trial.expected.items():
        expected, actual = outcome.compared(wanted.values, outcomes[target])
        if expected != actual:
            texts = outcome.written(expected), outcome.written(actual)
            failures.append(Failure(target, wanted.node, *texts))
    return Result(bot, trial, outcomes, tuple(failures))


def _outcomes(config: Config, bot: str, trial: Trial, given: Given) -> dict[str, Mapping[str, Any]]:
    network = NETWORKS[config.accounts[trial.source].network]
    source = opened(trial.source, network, given.identity, network.limits()[0])
    known = memory(given.mirrored)
    found = {}
    for route in config.bots[bot].routes:
        if route.source != trial.source:
            continue
        there = NETWORKS[config.accounts[route.target].network]
        target = opened(route.target, there, nobody(there, route.target), there.limits()[0])
        # what this machine can convert must not decide what passes
        drafts = judge(bot, route, source, target, given.post, known, converts=False)
        if isinstance(drafts, Skip):
            found[route.target] = outcome.of_skip(drafts)
        else:
            found[route.target] = outcome.of_drafts(drafts, there)
    return found
