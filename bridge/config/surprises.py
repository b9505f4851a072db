"""What is legal in a configuration, and hardly meant: it is told, and nothing is refused for it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bridge.config import Files
from bridge.config.bots import bot_node
from bridge.config.effective import Value, child, effective, policy
from bridge.config.values import shorten
from bridge.config.yaml_reader import Map, Node, Problem, Problems, place
from bridge.network import Limits, Network
from bridge.post import Post, Skip
from bridge.registry import NETWORKS
from bridge.schema import Bot, Config, Filter, Policy, Route
from bridge.steps import apply
from bridge.text import folded, tag_key


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
            file = trial.given.get("file")
            if file is not None and not os.path.isfile(file):  # noqa: PTH113  never raises
                node = trial.given_node.pairs["file"][1]
                told.add(
                    node, f"there is no file {shorten(file.name)} in {shorten(str(file.parent))}"
                )
    active = [bot for bot in config.bots.values() if bot.mode != "disabled"]
    _pairs(files, active, told)
    judged: dict[tuple[int, str], tuple[_Surprise, ...]] = {}
    for bot in active:
        for route in bot.routes:
            network = NETWORKS[config.accounts[route.target].network]
            # bots share the policies that are equal
            key = id(route.policy), route.target if route.target in limits else network.name
            if key not in judged:
                known = limits.get(route.target) or _limits(network)
                long = _too_long(route.policy, network, known)
                judged[key] = (*_in_vain(route.policy), *long)
            if not bot.cron and route.policy.max_age < bot.every:
                told.add(*_too_old(files, bot, route))
            source = NETWORKS[config.accounts[route.source].network]
            if route.policy.only.apps and not source.names_apps:
                why = f"{source.title} does not tell with which program a post was written"
                nameless = _Surprise(f"no post can pass: {why}", (("only", "apps"),))
                _tell(files, config, bot, route, nameless, told)
            for surprise in judged[key]:
                _tell(files, config, bot, route, surprise, told)
    return tuple(sorted(set(told.found)))


@dataclass(frozen=True, slots=True)
class _Surprise:
    """What is surprising in the settings of a target, and which settings make it so."""

    message: str
    settings: tuple[tuple[str, ...], ...]


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


def _same_tag(wanted: str, unwanted: str) -> bool:
    return tag_key(wanted) == tag_key(unwanted)


def _same_word(wanted: str, unwanted: str) -> bool:
    return folded(wanted) == folded(unwanted)


def _same_language(wanted: str, unwanted: str) -> bool:
    """`en` covers `en-GB`."""
    return f"{wanted.casefold()}-".startswith(f"{unwanted.casefold()}-")


def _same_part(wanted: str, unwanted: str) -> bool:
    """Images and their like are media."""
    is_media = wanted in ("image", "video", "animation", "audio")
    return wanted == unwanted or (is_media and unwanted == "media")


#: when what `only` asks for is what `skip` leaves out, by the name of the part
_SAME: dict[str, Callable[[str, str], bool]] = {
    "hashtags": _same_tag,
    "words": _same_word,
    "languages": _same_language,
    "kinds": _same_word,
    "has": _same_part,
    "apps": _same_word,
    "weekdays": _same_word,
    "visibility": _same_word,
}


def _in_vain(settings: Policy) -> Iterator[_Surprise]:
    """What `only` asks for in vain, since no post can be so and pass."""
    only, skip = settings.only, settings.skip
    for part in _contradictions(only, skip):
        message = f"no post can pass: 'only' asks for {part} that 'skip' leaves out"
        yield _Surprise(message, (("only", part), ("skip", part)))
    if only.longer_than and 0 < only.shorter_than <= only.longer_than + 1:
        yield _Surprise(
            f"no post can pass: none is longer than {only.longer_than} and shorter than"
            f" {only.shorter_than} characters",
            (("only", "longer_than"), ("only", "shorter_than")),
        )
    if only.kinds == ("reply",):
        message = "no post can pass: a reply goes out only where what it answers did"
        yield _Surprise(message, (("only", "kinds"),))
    if only.older_than:
        message = (
            "a post is judged when the bot first reads it: one that is newer is left out for good"
        )
        yield _Surprise(message, (("only", "older_than"),))


def _contradictions(only: Filter, skip: Filter) -> Iterator[str]:
    """The parts of `only` that `skip` leaves nothing of."""
    for part, same in _SAME.items():
        wanted, unwanted = getattr(only, part), getattr(skip, part)
        if wanted and all(any(same(w, u) for u in unwanted) for w in wanted):
            yield part
    if only.matching and only.matching == skip.matching:
        yield "matching"
    if only.hours and _minutes(only.hours) <= _minutes(skip.hours):
        yield "hours"
    if 0 < skip.longer_than <= only.longer_than:
        yield "longer_than"
    if 0 < only.shorter_than <= skip.shorter_than:
        yield "shorter_than"
    if timedelta() < skip.older_than <= only.older_than:
        yield "older_than"


def _minutes(spans: Iterable[tuple[int, int]]) -> set[int]:
    """The minutes of the day that lie in any of some spans."""
    return {
        minute % (24 * 60)
        for start, end in spans
        for minute in range(start, end if end > start else end + 24 * 60)
    }


# Text that never fits


#: what becomes of every post then, by `long`
_BECOMES = {
    "thread": "every copy becomes a thread",
    "numbered": "every copy becomes a thread",
    "truncate": "every copy is cut",
    "first_and_link": "every copy is cut after its first part",
    "skip": "every post is skipped",
}


#: what steps make of it, they add to every post
_NOTHING = Post("", "", "", datetime(2026, 1, 31, tzinfo=UTC), ())


def _too_long(settings: Policy, network: Network, limits: Limits | None) -> Iterator[_Surprise]:
    # X counts at most 2 for a character, and takes 280
    if sum(len(str(step.value).encode()) for step in settings.steps) <= 140:
        return
    added = apply(_NOTHING, settings.steps)
    text = "" if isinstance(added, Skip) else added.text
    for measure in limits.measures if limits else ():
        count = measure.count(text, "")
        if count > measure.maximum:
            yield _Surprise(
                f"the text that steps add has {count} {measure.unit}, and {network.title} takes"
                f" {measure.maximum}: {_BECOMES[settings.long]}",
                (("steps",),),
            )
            return


def _limits(network: Network) -> Limits | None:
    """The limits of a network; None where each server has its own."""
    found, its_own = network.limits()
    return found if its_own else None


def _too_old(files: Files, bot: Bot, route: Route) -> tuple[Node, str]:
    """What is read so seldom that it is too old by then: where that is said, and what to say."""
    found: Any = effective(files, bot.name)
    age, every = found.targets[route.target]["max_age"], found.own["every"]
    return _node(age) or _node(every) or key_of(files, bot.name), (
        f"max_age ({age.written}) is shorter than every ({every.written}): what the bot"
        f" {shorten(bot.name)} finds late is held as too old"
    )


# Where it stands


def _tell(
    files: Files, config: Config, bot: Bot, route: Route, surprise: _Surprise, told: Problems
) -> None:
    """Tell a surprise where the first of its settings that a file has is written."""
    assert isinstance(files.root, Map)
    own = bot_node(files.root, files.bots, bot.name)
    settings = policy(config, route.target, [child(files.root, "defaults"), own])
    values = [_at(settings, path) for path in surprise.settings]
    message = surprise.message
    if len(values) > 1:
        level = 0 if surprise.settings[0][0] != surprise.settings[1][0] else 1
        names = (path[level] for path in surprise.settings)
        origins = (f"{n}: {v.origin}" for n, v in zip(names, values, strict=True))
        message = f"{message} ({', '.join(origins)})"
    node = next((value.node for value in values if value.node), None)
    told.add(node or key_of(files, bot.name), message)


def _at(settings: Any, path: Iterable[str]) -> Value:
    for name in path:
        settings = settings[name]
    found: Value = settings
    return found


def _node(value: Value) -> Node | None:
    return value.node
