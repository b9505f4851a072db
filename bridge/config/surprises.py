"""What is legal in a configuration, and hardly meant: it is told, and nothing is refused for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from typing import Any

from bridge.config import Files
from bridge.config.bots import bot_node
from bridge.config.effective import Value, child, effective, policy
from bridge.config.values import shorten
from bridge.config.yaml_reader import Map, Node, Problem, Problems, place
from bridge.network import Limits, Network
from bridge.registry import NETWORKS
from bridge.schema import Bot, Config, Filter, Policy, Route


def surprises(files: Files, limits: Mapping[str, Limits] | None = None) -> tuple[Problem, ...]:
    """Everything surprising in a configuration that has no problems, in file order.

    `limits` are those of the servers of accounts, by name, as far as they are known.
    """
    limits = limits or {}
    config = files.config
    if config is None:
        return ()
    told = Problems()
    for name, node in files.clear_secrets:
        message = (
            f"the secret {name!r} stands here as it is; move it out: ${{NAME}} is an environment"
            " variable, ${file:PATH} a file"
        )
        told.add(node, message)
    for trials in files.trials.values():
        for trial in trials:
            if trial.expected is None:
                message = "this test expects nothing yet: `tribridge test --update` fills it in"
                told.add(trial.node, message)
    active = [bot for bot in config.bots.values() if bot.mode != "disabled"]
    _pairs(files, active, told)
    judged: dict[tuple[int, str], tuple[str, ...]] = {}
    for bot in active:
        for route in bot.routes:
            network = NETWORKS[config.accounts[route.target].network]
            # bots share the policies that are equal
            key = id(route.policy), route.target if route.target in limits else network.name
            if key not in judged:
                known = limits.get(route.target) or _limits(network)
                long = _too_long(route.policy, network, known)
                judged[key] = (*_contradictions(route.policy), *long)
            if not bot.cron and route.policy.max_age < bot.every:
                told.add(*_too_old(files, bot, route))
            for what in judged[key]:
                _tell(files, config, bot, route, what, told)
    return tuple(sorted(set(told.found)))


def key_of(files: Files, bot: str) -> Node:
    """Where a bot begins: its name, or its file."""
    if bot in files.bots:
        return files.bots[bot].source.start
    assert isinstance(files.root, Map)
    written = child(files.root, "bots")
    assert written is not None
    return written.pairs[bot][0]


def _pairs(files: Files, bots: list[Bot], told: Problems) -> None:
    """Bots that mirror the same account to the same account: the first that comes takes a post."""
    first: dict[tuple[str, str], str] = {}
    known: set[tuple[str, str]] = set()
    for bot in bots:
        for route in bot.routes:
            other = first.setdefault((route.source, route.target), bot.name)
            if other == bot.name or (other, bot.name) in known:
                continue
            known.add((other, bot.name))
            message = (
                f"the bot {shorten(bot.name)} mirrors {shorten(route.source)} to"
                f" {shorten(route.target)}, as {shorten(other)} does"
                f" ({place(key_of(files, other))}): a post goes out once, by the first that takes"
                " it"
            )
            told.add(key_of(files, bot.name), message)


# A bot that never takes a post


def _tag(word: str) -> str:
    return word.lstrip("#").casefold()


def _same_tag(wanted: str, unwanted: str) -> bool:
    return _tag(wanted) == _tag(unwanted)


def _same_word(wanted: str, unwanted: str) -> bool:
    return wanted.casefold() == unwanted.casefold()


def _same_language(wanted: str, unwanted: str) -> bool:
    """`en` covers `en-GB`."""
    return f"{wanted.casefold()}-".startswith(f"{unwanted.casefold()}-")


#: when what `only` asks for is what `skip` leaves out, by the name of the part
_SAME: dict[str, Callable[[str, str], bool]] = {
    "hashtags": _same_tag,
    "words": _same_word,
    "languages": _same_language,
    "visibility": _same_word,
}


def _contradictions(settings: Policy) -> Iterator[str]:
    """The parts of `only` that `skip` leaves nothing of."""
    only, skip = settings.only, settings.skip
    for part, same in _SAME.items():
        wanted, unwanted = _listed(only, part), _listed(skip, part)
        if wanted and all(any(same(w, u) for u in unwanted) for w in wanted):
            yield part
    if only.matching and only.matching == skip.matching:
        yield "matching"


def _listed(filters: Filter, part: str) -> tuple[str, ...]:
    values: tuple[str, ...] = getattr(filters, part)
    return values


# Text that never fits


#: what becomes of every post then, by `long`
_BECOMES = {
    "thread": "every copy becomes a thread",
    "numbered": "every copy becomes a thread",
    "truncate": "every copy is cut",
    "first_and_link": "every copy is cut after its first part",
    "skip": "every post is skipped",
}


def _too_long(settings: Policy, network: Network, limits: Limits | None) -> Iterator[str]:
    text = "\n\n".join(str(step.value) for step in settings.steps)
    if len(text.encode()) <= 140:  # X counts at most 2 for a character, and takes 280
        return
    for measure in limits.measures if limits else ():
        count = measure.count(text, "")
        if count > measure.maximum:
            yield (
                f"the text that steps add has {count} {measure.unit}, and {network.title} takes"
                f" {measure.maximum}: {_BECOMES[settings.long]}"
            )
            return


def _limits(network: Network) -> Limits | None:
    """The limits of a network; None where each server has its own."""
    found: Limits | None = getattr(import_module(f"{network.package}.client"), "LIMITS", None)
    return found


def _too_old(files: Files, bot: Bot, route: Route) -> tuple[Node, str]:
    """What is read so seldom that it is too old by then: where that is said, and what to say."""
    found: Any = effective(files, bot.name)
    age, every = found.targets[route.target]["max_age"], found.own["every"]
    return _node(age) or _node(every) or key_of(files, bot.name), (
        f"max_age ({age.written}) is shorter than every ({every.written}): what the bot"
        f" {shorten(bot.name)} finds late is held as too old"
    )


# Where it stands


def _tell(files: Files, config: Config, bot: Bot, route: Route, what: str, told: Problems) -> None:
    assert isinstance(files.root, Map)
    own = bot_node(files.root, files.bots, bot.name)
    settings: Any = policy(config, route.target, [child(files.root, "defaults"), own])
    if what not in ("matching", *_SAME):
        told.add(_node(settings["steps"]) or key_of(files, bot.name), what)
        return
    wanted, unwanted = settings["only"][what], settings["skip"][what]
    message = (
        f"no post can pass: 'only' asks for {what} that 'skip' leaves out"
        f" (only: {wanted.origin}, skip: {unwanted.origin})"
    )
    told.add(_node(wanted) or _node(unwanted) or key_of(files, bot.name), message)


def _node(value: Value) -> Node | None:
    return value.node
