"""Bots: their directions, and what `defaults` and `for` make of each one's settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import product
from typing import Any, TypeVar

import yaml

from bridge.config.accounts import check_name
from bridge.config.groups import Groups, several
from bridge.config.trials import TESTS, Trial, read_trials
from bridge.config.values import Context, Name, either, read_map, read_settings, shorten
from bridge.config.yaml_reader import Map, Node, Scalar, Source, compose, place
from bridge.registry import NETWORKS
from bridge.schema import ROUTING, TOP, Account, Bot, Filter, Person, Policy, Route, settings_of

MAX_ROUTES = 100_000

POLICY = {setting.name: setting for setting in settings_of(Policy)}
BOT = {setting.name: setting for setting in (*settings_of(Bot), *ROUTING, TESTS)} | POLICY
_OF_ONE_BOT = ("from", "to", "between", "was", "description", TESTS.name)
DEFAULTS = {name: setting for name, setting in BOT.items() if name not in _OF_ONE_BOT}

#: what `Bot` has in another form, or not at all
_NOT_KEPT = tuple(setting.name for setting in (*ROUTING, TESTS))
_IN_FILTERS = {
    setting.name: "belongs in only or skip"
    for setting in settings_of(Filter)
    if setting.name not in POLICY
}
_NOT_IN_DEFAULTS = _IN_FILTERS | dict.fromkeys(
    _OF_ONE_BOT, "belongs to one bot and cannot be a default"
)
_NOT_BY_TARGET = _IN_FILTERS | dict.fromkeys(
    BOT, "is a setting of the whole bot, not of one target"
)
_NOT_IN_BOT_FILE = _IN_FILTERS | {
    setting.name: "belongs in config.yaml; a file in bots/ holds the settings of one bot"
    for setting in TOP
}

Changes = dict[str, Any]
Settings = TypeVar("Settings")


@dataclass(slots=True)
class Layer:
    """What one map of settings says: of the bot, of all its targets, and of some targets."""

    keys: dict[str, Scalar] = field(default_factory=dict)  # of its map `for`
    bot: Changes = field(default_factory=dict)
    policy: Changes = field(default_factory=dict)
    by_target: dict[str, Changes] = field(default_factory=dict)


def apply(settings: Settings, changes: Changes) -> Settings:
    """Settings with changes: maps merge key by key, all else is replaced."""
    if not changes:
        return settings
    typed = {name: _merged(getattr(settings, name), value) for name, value in changes.items()}
    return replace(settings, **typed)  # type: ignore[type-var]


def _merged(weaker: Any, stronger: Any) -> Any:
    if not isinstance(stronger, dict):
        return stronger
    if isinstance(weaker, tuple):  # a map whose keys are no settings, as pairs
        return tuple((dict(weaker) | stronger).items())
    return apply(weaker, stronger)


def bot_node(root: Map, files: Mapping[str, Node], name: str) -> Map:
    """Where a bot is written: in a file of its own, or in `bots`. KeyError: nowhere."""
    node = files.get(name)
    if node is None:
        written = root.pairs["bots"][1]
        node = written.pairs[name][1] if isinstance(written, Map) else None
    if not isinstance(node, Map):
        raise KeyError(name)
    return node


def for_target(target: str, network: str, groups: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What `for` may call a target, the weakest first: its network, its groups, itself."""
    return [network, *(name for name, members in groups.items() if target in members), target]


class Bots:
    """Reads the bots one by one; they share the policies that are equal."""

    def __init__(
        self,
        context: Context,
        accounts: Mapping[str, Account],
        people: tuple[Person, ...] = (),
        groups: Groups | None = None,
    ) -> None:
        self.context = context
        self.problems = context.problems
        self.accounts = accounts
        self.groups = groups or {}
        self.built_in = Policy(people=people, zone=context.zone)
        self.bots: dict[str, Bot] = {}
        self.trials: dict[str, tuple[Trial, ...]] = {}
        self.places: dict[str, Node] = {}
        self.former: dict[str, Node] = {}
        self.routes = 0
        self.defaults = Layer()
        self.by_network = {
            name: self._built_in(network.policy) for name, network in NETWORKS.items()
        }
        #: before the bot's own settings
        self.weakest: dict[tuple[str, str], Policy] = {}
        self.policies: dict[Policy, Policy] = {}

    def _built_in(self, policy: Mapping[str, Any]) -> Changes:
        """What a manifest says, read as a file would be."""
        node = compose(Source("built-in", yaml.safe_dump(dict(policy))), self.problems)
        assert isinstance(node, Map)
        return read_settings(self.context, node, POLICY)

    def read_defaults(self, node: Map) -> None:
        """Take over `defaults`; before any bot."""
        self.defaults = self._layer(node, DEFAULTS, _NOT_IN_DEFAULTS)
        for name, key in self.defaults.keys.items():
            known = [*self.accounts, *self.groups, *NETWORKS]
            if name not in known:
                hint = self.problems.suggest(name, known)
                message = f"{shorten(name)} is no account, group or network{hint}"
                self.problems.add(key, message)

    def read_bot(self, name: str, key: Node, node: Node, *, own_file: bool = False) -> None:
        """Take over a bot; what is wrong with it is reported."""
        check_name(self.context, name, key)
        if name in self.places:
            first = place(self.places[name])
            self.problems.add(key, f"the bot {shorten(name)} stands twice; first at {first}")
            return
        self.places[name] = key
        given = read_map(self.context, node, name)
        if given is None:
            return
        own = self._layer(given, BOT, _NOT_IN_BOT_FILE if own_file else _IN_FILTERS)
        directions = self._directions(name, key, given, own.bot)
        self._check_targets(own, {target for _, target in directions})
        if own.bot.get(TESTS.name):
            folder = self.context.folder / "bots" if own_file else self.context.folder
            self.trials[name] = read_trials(self.context, folder, own.bot[TESTS.name], directions)
        if "was" in own.bot:
            self._check_former(own.bot["was"], given.pairs["was"][1])
        inherited = self.defaults.bot
        if "every" in own.bot or "cron" in own.bot:  # one takes the place of the other
            inherited = {k: v for k, v in inherited.items() if k not in ("every", "cron")}
        values = {k: v for k, v in {**inherited, **own.bot}.items() if k not in _NOT_KEPT}
        policies = {way: self._policy(*way, own) for way in {self._way(*d) for d in directions}}
        routes = tuple(Route(*d, policies[self._way(*d)]) for d in directions)
        self.bots[name] = Bot(name, routes, **values)

    def finish(self) -> dict[str, Bot]:
        """The bots by name, after what only all of them together show."""
        for name, node in self.former.items():
            if name in self.places:
                self.problems.add(node, f"'was' names {shorten(name)}, which is a bot still")
        return self.bots

    def _layer(self, node: Map, known: Mapping[str, Any], elsewhere: Mapping[str, str]) -> Layer:
        values = read_settings(self.context, node, known, elsewhere)
        pairs = node.pairs
        if "every" in pairs and "cron" in pairs:
            message = "'cron' and 'every' exclude each other; keep one"
            self.problems.add(pairs["cron"][0], message)
        if values.get("every", timedelta(days=1)) < timedelta(seconds=1):
            self.problems.add(pairs["every"][1], "'every' takes at least 1s")
        keys: dict[str, Scalar] = {}
        by_target: dict[str, Changes] = {}
        if "for" in values:
            for target, (key, changes) in values["for"].pairs.items():
                keys[target] = key
                if given := read_map(self.context, changes, target):
                    by_target[target] = read_settings(self.context, given, POLICY, _NOT_BY_TARGET)
        policy = {name: value for name, value in values.items() if name in POLICY}
        bot = {name: value for name, value in values.items() if name not in POLICY}
        return Layer(keys, bot, policy, by_target)

    def _directions(
        self, name: str, key: Node, node: Map, values: Changes
    ) -> list[tuple[str, str]]:
        """All pairs of source and target; none if they are not stated properly."""
        given = [word for word in ("from", "to", "between") if word in node.pairs]
        if given not in (["from", "to"], ["between"]):
            message = f"the bot {shorten(name)} needs either from and to, or between"
            at = node.pairs["between"][0] if len(given) > 1 and "between" in given else key
            self.problems.add(at, message)
        known = {word: list(self._known(values.get(word, ()))) for word in given}
        if "between" in given:
            listed = node.pairs["between"][1]
            names = [self.groups.get(word.text, (word.text,)) for word in values.get("between", ())]
            if sum(map(len, names)) < 2 and "between" in values:
                self.problems.add(listed, "'between' takes two accounts or more")
            sources = targets = known["between"]
        else:
            sources, targets = known.get("from", []), known.get("to", [])
            for word in values.get("to", ()):
                for account in self.groups.get(word.text, (word.text,)):
                    if account in sources:
                        message = f"the account {shorten(account)} stands in both from and to"
                        self.problems.add(word.node, message)
        self._check_sources((*values.get("from", ()), *values.get("between", ())))
        self.routes += len(sources) * len(targets)
        if self.routes > MAX_ROUTES:
            self.problems.add(key, f"more than {MAX_ROUTES:,} pairs of accounts up to this bot")
            return []
        return [pair for pair in product(sources, targets) if pair[0] != pair[1]]

    def _check_sources(self, listed: tuple[Name, ...]) -> None:
        """Report accounts that are to be read and cannot be; groups are named with theirs."""
        for name in listed:
            for account in self.groups.get(name.text, (name.text,)):
                network = NETWORKS.get(
                    self.accounts[account].network if account in self.accounts else ""
                )
                if network and not network.sources:
                    message = (
                        f"posts of {network.title} cannot be read: {shorten(account)} is no source"
                    )
                    self.problems.add(name.node, message)

    def _known(self, listed: tuple[Name, ...]) -> Iterator[str]:
        """The names that are accounts, those of groups too, each once."""
        seen: dict[str, str] = {}  # with the group that it came by
        for name in listed:
            if name.text not in self.accounts and name.text not in self.groups:
                if name.text not in seen:
                    names = [*self.accounts, *self.groups]
                    hint = several(name.text, names) or self.problems.suggest(name.text, names)
                    message = f"there is no account {shorten(name.text)}{hint}"
                    self.problems.add(name.node, message)
                else:
                    message = f"the account {shorten(name.text)} is named twice"
                    self.problems.add(name.node, message)
                seen.setdefault(name.text, "")
                continue
            group = name.text if name.text in self.groups else ""
            for account in self.groups.get(name.text, (name.text,)):
                if account in seen:
                    by = [f"in {shorten(g)}" for g in dict.fromkeys((seen[account], group)) if g]
                    how = f" ({' and '.join(by)})" if by else ""
                    message = f"the account {shorten(account)} is named twice{how}"
                    self.problems.add(name.node, message)
                else:
                    yield account
                    seen[account] = group

    def _check_targets(self, own: Layer, targets: set[str]) -> None:
        networks = {self.accounts[target].network for target in targets} - {""}
        groups = {name for name, members in self.groups.items() if targets & {*members}}
        for name, key in own.keys.items():
            if targets and name not in targets | networks | groups:
                names = sorted(targets | networks | groups)
                hint = self.problems.suggest(name, names) or f"; write {either(names)}"
                message = f"{shorten(name)} is no target of this bot{hint}"
                self.problems.add(key, message)

    def _check_former(self, name: str, node: Node) -> None:
        check_name(self.context, name, node)
        if name in self.former:
            first = place(self.former[name])
            self.problems.add(node, f"{shorten(name)} was another bot's name; see {first}")
        self.former.setdefault(name, node)

    def _way(self, source: str, target: str) -> tuple[str, str]:
        """What a policy depends on beside the bot: the language of the source, and the target."""
        return self.accounts[source].settings.get("language", ""), target

    def _policy(self, language: str, target: str, own: Layer) -> Policy:
        network = self.accounts[target].network
        policy = self.weakest.get((language, target))
        if policy is None:
            policy = replace(self.built_in, language=language)
            policy = apply(policy, self.by_network.get(network, {}))
            policy = self._with(policy, self.defaults, network, target)
            self.weakest[language, target] = policy
        policy = self._with(policy, own, network, target)
        return self.policies.setdefault(policy, policy)

    def _with(self, policy: Policy, layer: Layer, network: str, target: str) -> Policy:
        policy = apply(policy, layer.policy)
        for name in for_target(target, network, self.groups):
            policy = apply(policy, layer.by_target.get(name, {}))
        return policy
