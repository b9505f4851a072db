"""JSON Schema (draft 2020-12) of the files, for editors and other programs.

What it refuses, `tribridge check` refuses too; the latter sees more: names of accounts, time zones,
crontabs, regular expressions. A value may hold `${NAME}`, so whatever may be a text is then let be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal

from bridge.config.bots import BOT, DEFAULTS, POLICY
from bridge.config.values import MAX_PATTERN
from bridge.registry import NETWORKS
from bridge.schema import OF_ACCOUNTS, TOP, Kind, Setting
from bridge.steps import KINDS, NAMES
from bridge.steps.sandbox import MAX_TEMPLATE

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: Schema = {"$ref": "#/$defs/variable"}
_TEXT: Schema = {"type": "string", "pattern": r"\S"}
_TAG = "[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"
_TIME = "([01]?[0-9]|2[0-4])(:[0-5][0-9])?"
_SPAN = rf"^\s*{_TIME}\s*-\s*{_TIME}\s*$"
_DAY = (
    "([Mm][Oo][Nn]|[Tt][Uu][Ee]|[Ww][Ee][Dd]|[Tt][Hh][Uu]|[Ff][Rr][Ii]|[Ss][Aa][Tt]|[Ss][Uu][Nn])"
)
_DAYS = rf"^\s*{_DAY}(\s*-\s*{_DAY})?\s*$"
_NAME: Schema = {"pattern": "^[A-Za-z0-9_.-]+$"}
_UNITS = "".join(f"([0-9]{{1,9}}{unit})?" for unit in "dhms")


def json_schema(of: Literal["config", "bot"]) -> Schema:
    """The schema of `config.yaml`, or of a file in `bots/`."""
    title = {"config": "config.yaml of Tribridge", "bot": "a bot of Tribridge: bots/NAME.yaml"}
    defs = _defs()
    if of == "bot":
        defs = {name: defs[name] for name in ("variable", "bot", "target")}
    return {"$schema": _DIALECT, "title": title[of], "$ref": f"#/$defs/{of}", "$defs": defs}


def _defs() -> Schema:
    accounts = {f"account-{name}": _account(name) for name in NETWORKS}
    one_way: Schema = {"required": ["from", "to"], "properties": {"between": False}}
    all_ways: Schema = {"required": ["between"], "properties": {"from": False, "to": False}}
    return {
        "variable": {
            "description": "holds ${NAME}, a variable, or ${file:PATH}, the content of a file",
            "type": "string",
            "pattern": r"\$\{",
        },
        "config": _object(TOP),
        "account": {
            "type": "object",
            "required": ["network"],
            "oneOf": [{"$ref": f"#/$defs/{name}"} for name in accounts],
        },
        **accounts,
        "defaults": _not_both(_object(DEFAULTS.values())),
        "bot": _not_both(_object(BOT.values())) | {"oneOf": [one_way, all_ways]},
        "target": _object(POLICY.values()),
    }


def _account(network: str) -> Schema:
    own = Setting("network", "choice", "the network", choices=(network,), required=True)
    found = _object((own, *NETWORKS[network].settings, *OF_ACCOUNTS))
    found["properties"]["network"] = {"const": network, "description": own.doc}
    return found


def _not_both(found: Schema) -> Schema:
    return found | {"not": {"required": ["every", "cron"]}}


def _object(settings: Iterable[Setting]) -> Schema:
    settings = tuple(settings)
    found: Schema = {
        "type": "object",
        "properties": {setting.name: _property(setting) for setting in settings},
        "additionalProperties": False,
    }
    if required := [setting.name for setting in settings if setting.required]:
        found["required"] = required
    return found


def _property(setting: Setting) -> Schema:
    found: Schema = {"description": setting.doc}
    if setting.default is not None:
        found["default"] = setting.default
    return found | _KINDS[setting.kind](setting)


# The kinds


def _or_variable(found: Schema) -> Schema:
    return {"anyOf": [found, _VARIABLE]}


def _text(pattern: str) -> Callable[[Setting], Schema]:
    return lambda _: _or_variable({"type": "string", "pattern": pattern})


def _plain(found: Schema) -> Callable[[Setting], Schema]:
    return lambda _: dict(found)


def _choice(setting: Setting) -> Schema:
    return _or_variable({"enum": list(setting.choices)})


def _or_list(one: Schema, **more: Any) -> Schema:
    """A value, or a list of such."""
    return {"anyOf": [one, {"type": "array", "items": one, **more}]}


def _map(setting: Setting) -> Schema:
    if setting.name == "defaults":
        return {"$ref": "#/$defs/defaults"}
    if setting.name == "groups":
        return {"type": "object", "propertyNames": _NAME, "additionalProperties": _ACCOUNTS}
    if setting.name == "people":
        handles: Schema = {"type": "object", "propertyNames": {"enum": sorted(NETWORKS)}}
        handles |= {"minProperties": 1, "additionalProperties": _TEXT}
        return {"type": "object", "additionalProperties": handles}
    item = {"accounts": "account", "bots": "bot", "for": "target"}[setting.name]
    found: Schema = {"type": "object", "additionalProperties": {"$ref": f"#/$defs/{item}"}}
    return found if setting.name == "for" else found | {"propertyNames": _NAME}


def _step(setting: Setting) -> Schema:
    return _object([setting]) | {"required": [setting.name]}


def _named(_: Setting) -> Schema:
    """Text that may name what is filled in, such as {{ url }}, and nothing else."""
    known = "|".join(NAMES)
    pattern = rf"^([^{{]|\{{(?!\{{)|\{{\{{\s*({known})\s*\}}\}})*$"
    return _TEXT | {"allOf": [{"pattern": pattern}]}


def _steps(_: Setting) -> Schema:
    bare = [name for name, kind in KINDS.items() if kind.bare]
    kinds = []
    for name, kind in KINDS.items():
        found = _step(kind.setting)
        found["properties"][name] |= kind.rules
        kinds.append(found)
    return {"type": "array", "items": {"anyOf": [{"enum": bare}, *kinds]}}


def _backfill(_: Setting) -> Schema:
    last = Setting("last", "count", "so many posts, the newest")
    since = Setting("since", "string", "posts since a date, such as 2026-01-31")
    either = [_step(last), _step(since)]
    return {"anyOf": [{"enum": ["none", "all"]}, *either]}


def _listed(setting: Setting) -> Schema:
    return {"type": "array", "items": _object(setting.settings)}


def _card(setting: Setting) -> Schema:
    return {"anyOf": [_TEXT, _object(setting.settings)]}


def _expectation(setting: Setting) -> Schema:
    """A word, or what is expected of each target, whose names only the bot tells."""
    alone = Setting("skipped", "string", "why no target has a copy")
    one: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
    one["anyOf"].append(_object(setting.settings) | {"minProperties": 1})
    either: list[Schema] = [
        {"type": "null"},
        {"type": "string", "pattern": r"^(mirrored|skipped|skipped:\s*\S.*)$"},
        _step(alone),
        {"type": "object", "minProperties": 1, "additionalProperties": one},
    ]
    return {"anyOf": either}


_WARNINGS: Schema = {
    "type": "object",
    "propertyNames": {"pattern": r"\S"},
    "minProperties": 1,
    "additionalProperties": {"anyOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 1}]},
}
_ACCOUNTS = _or_list(_TEXT, minItems=1)
_KINDS: dict[Kind, Callable[[Setting], Schema]] = {
    "string": _plain(_TEXT),
    "words": _plain({"type": "string"}),
    "named": _named,
    "template": _plain(_TEXT | {"maxLength": MAX_TEMPLATE}),
    "secret": _text(r"^\S+$"),
    "url": _text(r"^\s*https?://[^\s/?#@]+/?\s*$"),
    "webhook": _text(r"^https?://\S+$"),
    "flag": _plain({"type": "boolean"}),
    "choice": _choice,
    "strings": _plain(_or_list(_TEXT)),
    "choices": lambda setting: _or_list(_choice(setting), minItems=1),
    "subset": lambda setting: _or_list(_choice(setting)),
    "number": _plain(_or_variable({"type": "integer", "minimum": 0, "maximum": 999_999_999})),
    "hours": _plain(_or_list(_or_variable({"type": "string", "pattern": _SPAN}))),
    "weekdays": _plain(_or_list(_or_variable({"type": "string", "pattern": _DAYS}))),
    "duration": _text(f"^(?=.){_UNITS}$"),
    "count": _plain(_or_variable({"type": "integer", "minimum": 1, "maximum": 999_999_999})),
    "money": _plain(_or_variable({"type": "number", "minimum": 0, "exclusiveMaximum": 10**9})),
    "regex": _plain({"type": "string", "maxLength": MAX_PATTERN}),
    "language": _text(f"^(keep|{_TAG})$"),
    "languages": _plain(_or_list(_or_variable({"type": "string", "pattern": f"^{_TAG}$"}))),
    "path": _plain(_TEXT),
    "timezone": _plain(_TEXT),
    "crontab": _text(r"^\s*\S+(\s+\S+){4}\s*$"),
    "backfill": _backfill,
    "account": _plain(_ACCOUNTS),
    "accounts": _plain(_ACCOUNTS),  # one may be a group
    "steps": _steps,
    "warnings": _plain(_WARNINGS),
    "tag_map": _plain({"type": "object", "additionalProperties": {"type": "string"}}),
    "section": lambda setting: _object(setting.settings),
    "map": _map,
    "text": _plain({"type": "string"}),
    "texts": _plain(_or_list({"type": "string"})),
    "time": _plain(_TEXT),
    "card": _card,
    "sections": _listed,
    "tests": _listed,
    "expectation": _expectation,
}
