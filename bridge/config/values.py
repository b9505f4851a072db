"""One function for each kind of setting: from a node to the typed value, or `Wrong`."""

from __future__ import annotations

import ipaddress
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit
from zoneinfo import ZoneInfo

from bridge.config import clock_times
from bridge.config.crontab import crontab
from bridge.config.patterns import length
from bridge.config.variables import Missing, expand, files_in
from bridge.config.yaml_reader import Broken, Map, Node, Problems, Scalar, Sequence, Wrong, no_value
from bridge.hashtags import is_hashtag
from bridge.post import utc
from bridge.schema import (
    WEEKDAYS,
    BackfillSetting,
    Filter,
    Kind,
    Policy,
    Setting,
    StepSetting,
    settings_of,
)
from bridge.steps import NAMES, StepKind, unknown_names
from bridge.text import is_language_tag, tag_key

MAX_PATTERN = 10_000  # characters


@dataclass(slots=True)
class Context:
    """What reading values needs besides the values."""

    problems: Problems
    environ: Mapping[str, str]
    folder: Path  # relative paths start here
    zone: ZoneInfo | None = None
    #: the steps of plugins, by name
    steps: dict[str, StepKind] = field(default_factory=dict)
    #: filled while values are read, as in `schema.Config`
    secret_files: set[Path] = field(default_factory=set)
    literal_secrets: set[Path] = field(default_factory=set)
    #: the same by place: the setting's name, and the value
    clear_secrets: list[tuple[str, Node]] = field(default_factory=list)
    #: the stored logins by the name of their account; None while a login is being made
    logins: Mapping[str, Mapping[str, Any]] | None = field(default_factory=dict)
    #: leave out a value of a machine (see below) whose variable or file is not there
    lenient: bool = False


#: kinds of settings that say how to reach something, and nothing of what is done to a post
_OF_MACHINES = ("secret", "url", "webhook", "path", "string", "money", "count", "duration")

Parser: TypeAlias = Callable[[Context, Setting, Node], Any]
NOTHING = object()


@dataclass(frozen=True, slots=True)
class Name:
    """The name of an account, and where it stands."""

    text: str
    node: Node


def read_settings(
    context: Context,
    node: Map,
    known: Mapping[str, Setting],
    elsewhere: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The typed values of a map, by name. What is wrong is reported and left out.

    `elsewhere` says of settings that exist, but not here, where they belong.
    """
    values: dict[str, Any] = {}
    for name, (key, value) in node.pairs.items():
        if name in known:
            typed = attempt(context, known[name], value)
            if typed is not NOTHING:
                values[name] = typed
        elif elsewhere and name in elsewhere:
            context.problems.add(key, f"{name!r} {elsewhere[name]}")
        else:
            hint = context.problems.suggest(name, known)
            context.problems.add(key, f"unknown setting {shorten(name)}{hint}")
    return values


class AlreadyReported(Exception):
    """There is no value, and the reasons are among the problems."""


def attempt(context: Context, setting: Setting, node: Node, parser: Parser | None = None) -> Any:
    """The typed value of a setting or of one item of it; NOTHING, and a problem, if it has none."""
    try:
        if isinstance(node, Scalar) and node.type == "null" and not node.text:
            context.problems.add(node, f"{setting.name!r} {no_value(node)}")
        elif not isinstance(node, Broken):
            return (parser or _PARSERS[setting.kind])(context, setting, node)
    except Missing as missing:
        if not (context.lenient and setting.kind in _OF_MACHINES):
            context.problems.found.append(missing.problem)
    except Wrong as wrong:
        context.problems.found.append(wrong.problem)
    except AlreadyReported:
        pass
    return NOTHING


def read_map(context: Context, node: Node, name: str) -> Map | None:
    """The node if it is a map; None, and a problem, if it is something else."""
    found = attempt(context, Setting(name, "map", ""), node)
    return found if isinstance(found, Map) else None


def shorten(text: str) -> str:
    """A text in quotes for a message, cut if it is long."""
    return repr(text if len(text) <= 60 else text[:59] + "…")


def either(names: Iterable[str]) -> str:
    """Names for a message: `a, b or c`."""
    *most, last = names
    return f"{', '.join(most)} or {last}" if most else last


def duration(text: str) -> timedelta:
    """The length of time that `30s`, `5m`, `2h`, `7d` or `1h30m` says; ValueError if it says none.

    At most 3650 days, so that counting from today stays within the calendar.
    """
    found = _DURATION.fullmatch(text)
    if not text or not found:
        raise ValueError("a number with its unit: 30s, 5m, 2h, 7d or 1h30m")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    length = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    if length > timedelta(days=3650):
        raise ValueError("at most 3650d")
    return length


_DURATION = re.compile(
    r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?", re.ASCII
)


# Numbers


def _count(context: Context, setting: Setting, node: Node) -> int:
    text = _number(context, setting, node, "[1-9][0-9]{0,8}", "a whole number, 1 or more")
    return int(text)


def _whole(context: Context, setting: Setting, node: Node) -> int:
    takes = "a whole number, 0 or more"
    return int(_number(context, setting, node, "0|[1-9][0-9]{0,8}", takes))


def _money(context: Context, setting: Setting, node: Node) -> float:
    """US dollars, to the millionth."""
    form = r"(0|[1-9][0-9]{0,8})(\.[0-9]{1,6})?"
    return float(_number(context, setting, node, form, "US dollars, such as 30 or 0.015"))


def _number(context: Context, setting: Setting, node: Node, form: str, takes: str) -> str:
    """The digits of a number of a form, without the other ways in which YAML writes numbers."""
    scalar = _scalar(node, setting, takes)
    text = _expand(context, scalar)
    if not re.fullmatch(form, text, re.ASCII):
        raise Wrong(node, f"{setting.name!r} takes {takes}, not {shorten(scalar.text)}")
    return text


# Text, and what may stand in it


def _written(node: Node) -> str:
    if isinstance(node, Map):
        return "a map"
    return "a list" if isinstance(node, Sequence) else "a single value"


def _scalar(node: Node, setting: Setting, wanted: str) -> Scalar:
    if not isinstance(node, Scalar):
        raise Wrong(node, f"{setting.name!r} takes {wanted}, not {_written(node)}")
    return node


#: what YAML 1.1 takes an unquoted value for
_TAKEN_FOR = {
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "null": "nothing",
    "timestamp": "a date",
}


def _text(context: Context, setting: Setting, node: Node) -> str:
    """A text that is not empty, its variables expanded."""
    scalar = _scalar(node, setting, "a text")
    if taken := _TAKEN_FOR.get(scalar.type):
        if setting.kind == "secret":
            raise Wrong(node, f"YAML takes this for {taken}; put it in quotes")
        message = f'without quotes YAML takes {scalar.text} for {taken}; write "{scalar.text}"'
        raise Wrong(node, message)
    text = _expand(context, scalar)
    if not text.strip():
        raise Wrong(node, f"{setting.name!r} is empty; give it a value, or remove the line")
    return text


def _maybe_empty(context: Context, setting: Setting, node: Node) -> str:
    is_empty = isinstance(node, Scalar) and node.type == "str" and not node.text
    return "" if is_empty else _text(context, setting, node)


def _words(context: Context, setting: Setting, node: Node) -> str:
    if isinstance(node, Scalar) and node.type == "str" and not node.text.strip():
        return node.text
    return _text(context, setting, node)


def _named(context: Context, setting: Setting, node: Node) -> str:
    """A text that names nothing in `{{ }}` but what can be filled in."""
    text = _text(context, setting, node)
    for unknown in unknown_names(text):
        if unknown.startswith("{{"):
            said = f"{shorten(unknown)} is not closed with }}}}"
        else:
            hint = context.problems.suggest(unknown, NAMES) or f"; there is {either(NAMES)}"
            said = f"{shorten(f'{{{{ {unknown} }}}}')} stands for nothing{hint}"
        context.problems.add(node, said)
    return text


def _expand(context: Context, node: Scalar) -> str:
    context.secret_files |= files_in(node, context.folder)
    return expand(node, context.environ, context.folder)


def _secret(context: Context, setting: Setting, node: Node) -> str:
    text = _text(context, setting, node)
    if text == getattr(node, "text", None):
        context.literal_secrets.add(Path(node.source.name))
        context.clear_secrets.append((setting.name, node))
    if re.search(r"\s", text):
        raise Wrong(node, f"there is a space in {setting.name!r}; copy it again, without spaces")
    return text


# URLs


def _url(context: Context, setting: Setting, node: Node) -> str:
    """`https://host`, without a slash at the end; http where the host is this machine."""
    text = _text(context, setting, node).strip()
    parts = _address(setting, node, text, "a URL such as https://host.example")
    if parts.path not in ("", "/") or "?" in text or "#" in text:
        raise Wrong(node, f"{setting.name!r} takes a server alone: nothing after its name")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def _webhook(context: Context, setting: Setting, node: Node) -> str:
    """An address with its path and query, which are a secret."""
    text = _secret(context, setting, node)
    _address(setting, node, text, "an address such as https://host.example/path")
    return text


def _address(setting: Setting, node: Node, text: str, example: str) -> SplitResult:
    """The parts of an https address, or of an http address on this machine. Names none of them."""
    takes = f"{setting.name!r} takes {example}"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise Wrong(node, takes) from None
    if parts.username is not None or parts.password is not None:
        raise Wrong(node, f"{setting.name!r} may not hold a user name or password")
    if parts.scheme not in ("http", "https") or not _HOST.fullmatch(host) or port == 0:
        raise Wrong(node, takes)
    if parts.scheme == "http" and not _is_loopback(host):
        raise Wrong(
            node, f"{setting.name!r} must begin with https://; http is for this machine only"
        )
    return parts


#: names and IPv4 addresses in parts of at most 63 signs (RFC 1035, 2.3.4), or an IPv6 address
_HOST = re.compile(r"[\w-]{1,63}(\.[\w-]{1,63})*\.?|[0-9a-f:.]*:[0-9a-f:.]*")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host) in _LOOPBACK[":" in host]
    except ValueError:
        return False


_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))


# One value of a few


def _flag(_: Context, setting: Setting, node: Node) -> bool:
    scalar = _scalar(node, setting, "true or false")
    if scalar.type != "bool":
        raise Wrong(node, f"{setting.name!r} takes true or false, without quotes")
    return scalar.text.lower() in ("yes", "true", "on")


#: what only and skip list, and what may be meant where a setting of a bot has the same name
_IN_FILTERS = {setting.name for setting in settings_of(Filter)}


def _choice(context: Context, setting: Setting, node: Node) -> str:
    if isinstance(node, Sequence) and setting.name in _IN_FILTERS and setting.kind == "choice":
        takes = f"{setting.name!r} takes {either(setting.choices)}, not a list"
        raise Wrong(node, f"{takes}; a list belongs in only or skip")
    scalar = _scalar(node, setting, either(setting.choices))
    text = _expand(context, scalar)
    if text not in setting.choices:
        hint = context.problems.suggest(text, setting.choices) if text == scalar.text else ""
        takes = f"{setting.name!r} takes {either(setting.choices)}"
        raise Wrong(node, f"{takes}, not {shorten(scalar.text)}{hint}")
    return text


def _duration(context: Context, setting: Setting, node: Node) -> timedelta:
    scalar = _scalar(node, setting, "a duration such as 5m")
    try:
        return duration(_expand(context, scalar))
    except ValueError as error:
        message = f"{setting.name!r} takes {error}, not {shorten(scalar.text)}"
        raise Wrong(node, message) from None


# Lists


def _each(context: Context, setting: Setting, node: Node, parser: Parser) -> list[tuple[Any, Node]]:
    """The good items of a list, or a single value as a list of one; wrong ones are reported."""
    items = node.items if isinstance(node, Sequence) else [node]
    found = [(attempt(context, setting, item, parser), item) for item in items]
    if items and all(value is NOTHING for value, _ in found):
        raise AlreadyReported
    return [(value, item) for value, item in found if value is not NOTHING]


def _strings(context: Context, setting: Setting, node: Node) -> tuple[str, ...]:
    return tuple(text for text, _ in _each(context, setting, node, _text))


def _choices(context: Context, setting: Setting, node: Node) -> tuple[str, ...]:
    found = tuple(text for text, _ in _each(context, setting, node, _choice))
    if not found:  # an empty list would let everything through
        raise Wrong(
            node, f"{setting.name!r} is empty; name one or more of {either(setting.choices)}"
        )
    return found


def _subset(context: Context, setting: Setting, node: Node) -> tuple[str, ...]:
    return tuple(text for text, _ in _each(context, setting, node, _choice))


def _hours(context: Context, setting: Setting, node: Node) -> tuple[tuple[int, int], ...]:
    return tuple(span for span, _ in _each(context, setting, node, _span))


def _weekdays(context: Context, setting: Setting, node: Node) -> tuple[str, ...]:
    """Each day once, from Monday."""
    found = {day for days, _ in _each(context, setting, node, _days) for day in days}
    return tuple(day for day in WEEKDAYS if day in found)


def _languages(context: Context, setting: Setting, node: Node) -> tuple[str, ...]:
    return tuple(tag for tag, _ in _each(context, setting, node, _language_tag))


def _accounts(context: Context, setting: Setting, node: Node) -> tuple[Name, ...]:
    """The names; whether there are such accounts is for the caller to check."""
    found = _each(context, setting, node, _text)
    if isinstance(node, Sequence) and not node.items:
        raise Wrong(node, f"{setting.name!r} names no account")
    return tuple(Name(text, item) for text, item in found)


def _steps(context: Context, setting: Setting, node: Node) -> tuple[StepSetting, ...]:
    from bridge.config.step_settings import step

    if not isinstance(node, Sequence):
        message = f"{setting.name!r} takes a list of steps, such as: - append: text"
        raise Wrong(node, message)
    return tuple(found for found, _ in _each(context, setting, node, step))


def _tag_map(context: Context, setting: Setting, node: Node) -> dict[str, str]:
    """Hashtags by hashtags, the former by `tag_key`, none with `#`; wrong ones are reported."""
    found: dict[str, str] = {}
    for name, (key, value) in _map(context, setting, node).pairs.items():
        tag = tag_key(name)
        if not is_hashtag(tag):
            context.problems.add(key, f"{shorten(name)} is no hashtag: letters, digits and _ only")
        elif tag in found:
            context.problems.add(key, f"{shorten(name)} stands twice; case does not matter")
        else:
            other = attempt(context, Setting(name, "string", ""), value, _hashtag)
            found[tag] = other if other is not NOTHING else tag
    return found


def _warnings(
    context: Context, setting: Setting, node: Node
) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Content warnings, each with its words."""
    pairs = _map(context, setting, node).pairs
    if not pairs:
        raise Wrong(node, f"{setting.name!r} is empty; name a warning, and words that call for it")
    found: dict[str, tuple[str, ...]] = {}
    for name, (key, value) in pairs.items():
        if not name.strip():
            context.problems.add(key, "a content warning is empty; give it words")
            continue
        words = attempt(context, Setting(name, "strings", ""), value)
        if words == ():
            context.problems.add(value, f"{shorten(name)} names no words that call for it")
        elif words is not NOTHING:
            found[name] = words
    return tuple(found.items())


def _hashtag(context: Context, setting: Setting, node: Node) -> str:
    text = _text(context, setting, node)
    if not is_hashtag(text.lstrip("#")):
        raise Wrong(node, f"{shorten(text)} is no hashtag: letters, digits and _ only")
    return text.lstrip("#")


# Kinds with rules of their own


def _regex(context: Context, setting: Setting, node: Node) -> str:
    import regex

    if isinstance(node, Scalar) and node.type == "str" and not node.text:
        return ""  # takes back what `defaults` set
    text = _text(context, setting, node)
    if len(text) > MAX_PATTERN:
        raise Wrong(node, f"{setting.name!r} is longer than {MAX_PATTERN:,} characters")
    if length(text) > MAX_PATTERN:
        message = f"{setting.name!r} is longer than {MAX_PATTERN:,} characters"
        raise Wrong(node, f"{message} with its counts, such as {{99}}, written out")
    try:
        regex.compile(text)
    except (regex.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
        message = f"{setting.name!r} is not a regular expression: {error}"
        raise Wrong(node, message) from None
    return text


def _language_tag(context: Context, setting: Setting, node: Node) -> str:
    text = _text(context, setting, node)
    if not is_language_tag(text):
        raise Wrong(node, f"{shorten(text)} is not a language tag such as nb, en or en-GB")
    return text


def _language(context: Context, setting: Setting, node: Node) -> str:
    """A tag; "" for `keep`."""
    is_keep = isinstance(node, Scalar) and node.text == "keep"
    return "" if is_keep else _language_tag(context, setting, node)


def _path(context: Context, setting: Setting, node: Node) -> Path:
    return context.folder / _text(context, setting, node)


def _paths(context: Context, setting: Setting, node: Node) -> tuple[tuple[Path, Node], ...]:
    """The paths, each with its place."""
    return tuple(_each(context, setting, node, _path))


def _timezone(context: Context, setting: Setting, node: Node) -> ZoneInfo:
    text = _text(context, setting, node)
    try:
        return ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        # short names such as EST are no answer to CEST
        names = {name for name in zoneinfo.available_timezones() if "/" in name} | {"UTC"}
        hint = context.problems.suggest(text, names)
        message = f"there is no time zone {shorten(text)}{hint or ', such as Europe/Oslo'}"
        raise Wrong(node, message) from None


def _time(context: Context, setting: Setting, node: Node) -> datetime:
    """A time, UTC."""
    takes = f"{setting.name!r} takes a time, such as 2026-01-31T08:00"
    try:
        when = utc(_expand(context, _scalar(node, setting, "a time such as 2026-01-31T08:00")))
    except (ValueError, OverflowError):
        raise Wrong(node, takes) from None
    if not 1970 <= when.year < 9999:  # counting from the ends of the calendar fails
        raise Wrong(node, takes)
    return when


def _backfill(context: Context, setting: Setting, node: Node) -> BackfillSetting:
    takes = f"{setting.name!r} takes none, all, {{last: 20}} or {{since: 2026-01-31}}"
    if isinstance(node, Scalar) and node.text in ("none", "all"):
        return BackfillSetting(everything=node.text == "all")
    if not isinstance(node, Map) or len(node.pairs) != 1:
        raise Wrong(node, takes)
    ((name, (key, value)),) = node.pairs.items()
    if isinstance(value, Broken):
        raise AlreadyReported
    text = _expand(context, value) if isinstance(value, Scalar) else ""
    if name == "last":
        if not re.fullmatch("[1-9][0-9]{0,8}", text):
            raise Wrong(value, "'last' takes a number of posts, 1 or more")
        return BackfillSetting(last=int(text))
    if name == "since":
        try:
            utc(text)
        except (ValueError, OverflowError):
            raise Wrong(value, "'since' takes a date, such as 2026-01-31") from None
        return BackfillSetting(since=text)
    raise Wrong(key, takes)


def _zone(context: Context, setting: Setting, node: Node) -> ZoneInfo:
    """The zone of a clock time; Wrong if none is set."""
    if context.zone is None:
        message = "needs a time zone: set timezone in config.yaml, such as Europe/Oslo"
        raise Wrong(node, f"{setting.name!r} {message}")
    return context.zone


def _span(context: Context, setting: Setting, node: Node) -> tuple[int, int]:
    """A span of the day, in minutes; a single value may be what YAML takes for a number."""
    scalar = _scalar(node, setting, "a span of the day such as 7:00-22:30")
    text = _expand(context, scalar)
    try:
        span = clock_times.hours(text)
    except ValueError as error:
        message = f"{setting.name!r} takes {error}, not {shorten(scalar.text)}"
        raise Wrong(node, message) from None
    _zone(context, setting, node)
    return span


def _days(context: Context, setting: Setting, node: Node) -> tuple[str, ...]:
    text = _text(context, setting, node)
    try:
        days = clock_times.weekdays(text)
    except ValueError as error:
        raise Wrong(node, f"{setting.name!r} takes {error}, not {shorten(text)}") from None
    _zone(context, setting, node)
    return days


def _crontab(context: Context, setting: Setting, node: Node) -> str:
    """The five fields, in lower case, one space apart."""
    text = _text(context, setting, node)
    zone = _zone(context, setting, node)
    try:
        return crontab(text, zone)
    except ValueError as error:
        raise Wrong(node, str(error)) from None


# The kinds


#: settings that people look for in `only` and `skip`; with `language` they mean `languages`
_BESIDE_FILTERS = {
    setting.name: "stands beside only and skip, not in them"
    for setting in settings_of(Policy)
    if setting.name != "language"
} | {"between": "belongs to the whole bot; spans of the day are 'hours'"}


def _section(context: Context, setting: Setting, node: Node) -> dict[str, Any]:
    known = {part.name: part for part in setting.settings}
    given = _map(context, setting, node)
    elsewhere = _BESIDE_FILTERS if setting.name in ("only", "skip") else None
    values = read_settings(context, given, known, elsewhere)
    for part in setting.settings:
        if part.required and part.name not in given.pairs:
            message = f"{setting.name!r} needs {part.name}: {part.doc}"
            context.problems.add(node, message)
    return values


def _map(_: Context, setting: Setting, node: Node) -> Map:
    if not isinstance(node, Map):
        raise Wrong(node, f"{setting.name!r} takes a map of settings, not {_written(node)}")
    return node


def _sections(context: Context, setting: Setting, node: Node) -> tuple[dict[str, Any], ...]:
    if not isinstance(node, Sequence):
        raise Wrong(node, f"{setting.name!r} takes a list of maps, not {_written(node)}")
    return tuple(value for value, _ in _each(context, setting, node, _one_of_many))


def _one_of_many(context: Context, setting: Setting, node: Node) -> dict[str, Any]:
    if not isinstance(node, Map):
        names = either(part.name for part in setting.settings)
        raise Wrong(node, f"each of {setting.name!r} is a map with {names}, not {_written(node)}")
    return _section(context, setting, node)


def _card(context: Context, setting: Setting, node: Node) -> dict[str, Any]:
    """The card's settings; {} if there is none."""
    if isinstance(node, Map):
        return _section(context, setting, node)
    text = _text(context, setting, node)
    return {} if text == "none" else {"url": text}


def _tests(_: Context, setting: Setting, node: Node) -> Sequence:
    """The list; its bot reads it."""
    if not isinstance(node, Sequence):
        takes = f"{setting.name!r} takes a list, such as: - given: {{text: Hello}}"
        raise Wrong(node, f"{takes}, not {_written(node)}")
    return node


_PARSERS: dict[Kind, Parser] = {
    "string": _text,
    "words": _words,
    "named": _named,
    "template": _text,
    "secret": _secret,
    "url": _url,
    "webhook": _webhook,
    "flag": _flag,
    "choice": _choice,
    "strings": _strings,
    "choices": _choices,
    "subset": _subset,
    "number": _whole,
    "hours": _hours,
    "weekdays": _weekdays,
    "duration": _duration,
    "count": _count,
    "money": _money,
    "regex": _regex,
    "language": _language,
    "languages": _languages,
    "path": _path,
    "paths": _paths,
    "timezone": _timezone,
    "crontab": _crontab,
    "backfill": _backfill,
    "account": _accounts,
    "accounts": _accounts,
    "steps": _steps,
    "tag_map": _tag_map,
    "warnings": _warnings,
    "section": _section,
    "map": _map,
    "text": _maybe_empty,
    "texts": lambda context, setting, node: tuple(
        text for text, _ in _each(context, setting, node, _maybe_empty)
    ),
    "time": _time,
    "card": _card,
    "sections": _sections,
    "tests": _tests,
    "expectation": lambda _context, _setting, node: node,  # whose bot's targets say what it is
}
