"""Random graphs of bots, with random settings."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from tests.loops.networks import PEOPLE, network_of

TAGS = ("news", "cats", "nobridge")


@dataclass(frozen=True)
class Rules:
    """The settings of one bot for one target, as far as they decide about a copy."""

    only_tags: tuple[str, ...] = ()
    skip_tags: tuple[str, ...] = ("nobridge",)
    visibility: tuple[str, ...] = ("public",)
    replies: str = "threads"
    boosts: str = "skip"
    quotes: str = "link"
    mentions: str = "text"
    warnings: str = "text"
    long: str = "thread"

    def settings(self) -> dict[str, Any]:
        """As a config has them."""
        only: dict[str, Any] = {"visibility": list(self.visibility)}
        if self.only_tags:
            only["hashtags"] = list(self.only_tags)
        return {
            "only": only,
            "skip": {"hashtags": list(self.skip_tags)},
            "replies": self.replies,
            "boosts": self.boosts,
            "quotes": self.quotes,
            "mentions": self.mentions,
            "content_warning": self.warnings,
            "long": self.long,
        }


@dataclass
class Bot:
    """A bot: what it says of each direction."""

    name: str
    routing: dict[str, list[str]]
    rules: Rules
    step: str = ""
    copy_visibility: str = "same"
    by_target: dict[str, Rules] = field(default_factory=dict)

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Its directions, in order."""
        ends = self.routing.get("between")
        pairs = product(ends or self.routing["from"], ends or self.routing["to"])
        return [(source, target) for source, target in pairs if source != target]

    def rules_for(self, target: str) -> Rules:
        """The settings towards a target: those for the account go before those for its network."""
        network = self.by_target.get(network_of(target), self.rules)
        return self.by_target.get(target, network)

    @property
    def mark(self) -> str:
        """What its step puts into every copy; "" without a step."""
        return f"via-{self.name}" if self.step else ""

    def settings(self) -> dict[str, Any]:
        """As a config has them."""
        made: dict[str, Any] = {**self.routing, **self.rules.settings()}
        made["visibility"] = self.copy_visibility
        if self.step:
            made["steps"] = [{self.step: self.mark}]
        if self.by_target:
            made["for"] = {name: rules.settings() for name, rules in self.by_target.items()}
        return made


@dataclass
class Graph:
    """Accounts and the bots between them."""

    accounts: list[str]
    bots: list[Bot]

    @property
    def targets(self) -> dict[str, list[str]]:
        """Where anything of each account may go."""
        found: dict[str, list[str]] = {}
        for bot in self.bots:
            for source, target in bot.routes:
                if target not in found.setdefault(source, []):
                    found[source].append(target)
        return found

    def write(self, folder: Path, settings: dict[str, dict[str, Any]]) -> Path:
        """The config file."""
        data: dict[str, Any] = {
            "state": {"durability": "process"},
            "accounts": {name: settings[name] for name in self.accounts},
            "defaults": {"delay": "0s", "cards": "source"},
            "bots": {bot.name: bot.settings() for bot in self.bots},
        }
        file = folder / "config.yaml"
        file.write_text(yaml.dump(data, Dumper=yaml.CSafeDumper))
        return file


def draw(choose: random.Random) -> Graph:
    """A graph."""
    accounts = choose.sample(sorted(PEOPLE), choose.randint(2, 8))
    bots: list[Bot] = []
    for number in range(choose.randint(1, 5)):
        bots.append(_bot(choose, f"bot{number}", accounts, bots))
    used = {name for bot in bots for pair in bot.routes for name in pair}
    return Graph([name for name in accounts if name in used], bots)


def _bot(choose: random.Random, name: str, accounts: list[str], others: list[Bot]) -> Bot:
    rules = _rules(choose)
    bot = Bot(name, _routing(choose, accounts, others), rules)
    if choose.random() < 0.3:
        bot.step = choose.choice(("append", "prepend"))
    if choose.random() < 0.2:
        bot.copy_visibility = choose.choice(("unlisted", "public", "private"))
    if choose.random() < 0.25:
        target = choose.choice([target for _, target in bot.routes])
        where = choose.choice((target, network_of(target)))
        bot.by_target[where] = _changed(choose, rules)
    return bot


def _routing(choose: random.Random, accounts: list[str], others: list[Bot]) -> dict[str, list[str]]:
    kind = choose.random()
    if others and kind < 0.4:  # the same way again, or the way back
        pair = choose.choice(choose.choice(others).routes)
        there, back = pair if choose.random() < 0.6 else pair[::-1]
        return {"from": [there], "to": [back]}
    if kind < 0.7:
        most = min(4, len(accounts))
        return {"between": choose.sample(accounts, choose.randint(2, most))}
    mixed = choose.sample(accounts, len(accounts))
    cut = choose.randint(1, len(mixed) - 1)
    sources, targets = mixed[:cut][:3], mixed[cut:][:3]
    return {"from": sources, "to": targets}


def _rules(choose: random.Random) -> Rules:
    rules = Rules(boosts="link" if choose.random() < 0.5 else "skip")
    for _ in range(choose.randint(0, 3)):
        rules = _changed(choose, rules)
    return rules


def _changed(choose: random.Random, rules: Rules) -> Rules:
    """The same with one setting drawn anew."""
    match choose.choice((0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8)):
        case 0:
            return replace(rules, only_tags=(choose.choice(TAGS[:2]),))
        case 1:
            return replace(rules, skip_tags=choose.choice(((), ("cats",), ("nobridge", "news"))))
        case 2:
            return replace(rules, visibility=("public", "unlisted"))
        case 3:
            return replace(rules, replies="skip")
        case 4:
            return replace(rules, quotes="skip")
        case 5:
            return replace(rules, mentions=choose.choice(("skip", "link", "text")))
        case 6:
            return replace(rules, warnings="skip")
        case 7:
            return replace(rules, long=choose.choice(("numbered", "truncate", "skip")))
    return replace(rules, boosts="link")
