"""The settings of a bot as they come out for each target, each with the place that it came from.

Values are shown as they are written: `${NAME}` stays as it is, so that nothing secret is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import yaml

from bridge.config import Files
from bridge.config.bots import BOT, POLICY, bot_node, for_target
from bridge.config.yaml_reader import Map, Node, Scalar, Sequence, place
from bridge.registry import NETWORKS
from bridge.schema import Config, Setting
from bridge.text import tag_key

BUILT_IN = "built-in"


@dataclass(frozen=True, slots=True)
class Value:
    """A value: as it is in JSON, as it is written in YAML on one line, and where it came from.

    `origin` is `built-in`, `default of NETWORK` or `file:line:column`.
    """

    plain: Any
    written: str
    origin: str
    node: Node | None = None


#: by name, in the order of the schema; a section is a map of its own
Settings: TypeAlias = dict[str, "Value | Settings"]


@dataclass(frozen=True, slots=True)
class Effective:
    """A bot: its own settings, and those of each target."""

    name: str
    own: Settings
    targets: dict[str, Settings]
    routes: tuple[tuple[str, str], ...]
    #: of the sources that have one: it stands in for the built-in `language`
    languages: Mapping[str, Value]


def effective(files: Files, name: str) -> Effective:
    """The settings of a bot of a configuration that has no problems. KeyError: no such bot."""
    config = files.config
    assert config is not None
    assert isinstance(files.root, Map)
    routes = tuple((route.source, route.target) for route in config.bots[name].routes)
    bot = bot_node(files.root, files.bots, name)
    defaults = child(files.root, "defaults")
    own = _built_in(setting for setting in BOT.values() if setting.name not in POLICY)
    for layer in (defaults, bot):
        if layer and {"every", "cron"} & set(layer.pairs):  # one takes the place of the other
            own.pop("every", None)
            own.pop("cron", None)
        _put(own, layer, {n: s for n, s in BOT.items() if n not in POLICY and n != "for"})
    own = {word: own[word] for word in BOT if word in own}
    targets = {
        target: policy(config, target, [defaults, bot])
        for target in dict.fromkeys(target for _, target in routes)
    }
    accounts = child(files.root, "accounts")
    languages = {}
    for source in dict.fromkeys(source for source, _ in routes):
        account = child(accounts, source)
        if account and "language" in account.pairs:
            languages[source] = _value(account.pairs["language"][1])
    return Effective(name, own, targets, routes, languages)


def policy(config: Config, target: str, layers: Iterable[Map | None]) -> Settings:
    """What a target's settings come to; `layers` are `defaults` and the bot, the weaker first."""
    network = config.accounts[target].network
    found = dict(_weakest(network))
    for layer in layers:
        by_target = child(layer, "for")
        names = for_target(target, network, config.groups)
        for part in (layer, *(child(by_target, name) for name in names)):
            _put(found, part, POLICY)
    return {word: found[word] for word in POLICY if word in found}


@cache
def _weakest(network: str) -> Settings:
    """What holds where no file says anything; not to be changed."""
    found = _built_in(POLICY.values())
    for name, value in NETWORKS[network].policy.items():
        found[name] = Value(value, written(value), f"default of {NETWORKS[network].title}")
    return found


def child(node: Map | None, name: str) -> Map | None:
    """What a map holds under a name, if that is a map."""
    found = node.pairs[name][1] if node and name in node.pairs else None
    return found if isinstance(found, Map) else None


def _built_in(settings: Iterable[Setting]) -> Settings:
    found: Settings = {}
    for setting in settings:
        if setting.kind == "section":
            given = setting.default or {}
            parts = _built_in(setting.settings)
            parts |= {k: Value(v, written(v), BUILT_IN) for k, v in given.items()}
            found[setting.name] = parts
        elif setting.default is not None:
            found[setting.name] = Value(setting.default, written(setting.default), BUILT_IN)
    return found


def _put(found: Settings, node: Map | None, known: Mapping[str, Setting]) -> None:
    """Take over what a map says: maps merge key by key, all else is replaced."""
    for name, (_, value) in node.pairs.items() if node else ():
        setting = known.get(name)
        if setting is None:
            continue
        before = found.get(name)
        if setting.kind == "section" and isinstance(value, Map):
            parts = dict(before) if isinstance(before, dict) else {}
            order = {part.name: part for part in setting.settings}
            _put(parts, value, order)
            found[name] = {word: parts[word] for word in order if word in parts}
        elif setting.kind == "tag_map" and isinstance(value, Map) and value.pairs:
            parts = dict(before) if isinstance(before, dict) else {}
            for tag, (_, other) in value.pairs.items():
                parts[tag_key(tag)] = _value(other)
            found[name] = parts
        elif setting.kind != "tag_map" or not isinstance(before, dict):
            found[name] = _value(value)


def _value(node: Node) -> Value:
    return Value(_plain(node), _as_written(node), place(node), node)


def _plain(node: Node) -> Any:
    """What a node is in JSON."""
    if isinstance(node, Map):
        return {name: _plain(value) for name, (_, value) in node.pairs.items()}
    if isinstance(node, Sequence):
        return [_plain(item) for item in node.items]
    assert isinstance(node, Scalar)
    if node.type == "bool":
        return node.text.lower() in ("yes", "true", "on")
    if node.type == "int" and node.text.isdecimal():
        return int(node.text)
    return node.text


def _as_written(node: Node) -> str:
    """A node in YAML's flow style, on one line."""
    if isinstance(node, Map):
        pairs = (f"{written(k)}: {_as_written(v)}" for k, (_, v) in node.pairs.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(node, Sequence):
        return "[" + ", ".join(map(_as_written, node.items)) + "]"
    assert isinstance(node, Scalar)
    return written(node.text) if node.type == "str" else node.text


def written(value: Any) -> str:
    """A value in YAML's flow style, on one line."""
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    # in a list: so that commas and brackets are quoted wherever the value comes to stand
    style = '"' if isinstance(value, str) and not value.isprintable() else None
    text: str = yaml.safe_dump(
        [value], default_flow_style=True, width=2**31, allow_unicode=True, default_style=style
    )
    return text.strip().removeprefix("[").removesuffix("]")


# What is shown


def as_yaml(shown: Effective) -> str:
    """A bot's file that says it all, with a comment for each origin.

    What the built-in `follow_for` and `language` come to depends on the source, so they stay
    comments.
    """
    lines = [f"# the bot {shown.name}: every setting, and where it comes from"]
    lines += _lines(shown.own, 0)
    lines.append("for:")
    for target, settings in shown.targets.items():
        sources = [source for source, to in shown.routes if to == target]
        lines.append(f"  {written(target)}:  # from {', '.join(sources)}")
        tongues = {s: shown.languages[s] for s in sources if s in shown.languages}
        lines += _lines(settings, 4, tongues)
    return "\n".join(lines)


def _lines(
    settings: Settings, indent: int, languages: Mapping[str, Value] | None = None
) -> Iterator[str]:
    margin = " " * indent
    for name, value in settings.items():
        if isinstance(value, Value):
            if name == "follow_for" and value.origin == BUILT_IN:
                yield f"{margin}# {name}: {value.written}  # {BUILT_IN}; from Twitter (X): 0s"
            elif name == "language" and value.origin == BUILT_IN and languages:
                each = (f"; from {s}: {v.written} ({v.origin})" for s, v in languages.items())
                yield f"{margin}# {name}: {value.written}  # {BUILT_IN}{''.join(each)}"
            else:
                yield f"{margin}{name}: {value.written}  # {value.origin}"
        elif value:
            yield f"{margin}{name}:"
            yield from _lines(value, indent + 2)


def as_object(shown: Effective, config: Config) -> dict[str, Any]:
    """The same for `--json`: each setting is `{"value": …, "from": …}`."""
    routes = []
    for source, target in shown.routes:
        settings = dict(shown.targets[target])
        follow = settings.get("follow_for")
        paid = NETWORKS[config.accounts[source].network].paid
        if paid and isinstance(follow, Value) and follow.origin == BUILT_IN:
            settings["follow_for"] = Value("0s", "0s", BUILT_IN)
        language = settings["language"]
        if isinstance(language, Value) and language.origin == BUILT_IN:
            settings["language"] = shown.languages.get(source, language)
        routes.append({"source": source, "target": target, "settings": _object(settings)})
    return {"bot": shown.name, "settings": _object(shown.own), "routes": routes}


def _object(settings: Settings) -> dict[str, Any]:
    return {
        name: {"value": value.plain, "from": value.origin}
        if isinstance(value, Value)
        else _object(value)
        for name, value in settings.items()
    }
