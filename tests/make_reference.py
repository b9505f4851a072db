"""Writes what in the documentation comes from the code: `python -m tests.make_reference`.

The whole of docs/reference/settings.md, the files in schema/, and the help of every command in docs/reference/commands.md
between its marks. Tests hold that all are current.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

import click
import yaml
from click.testing import CliRunner

from bridge.cli import main
from bridge.config.bots import BOT, DEFAULTS, POLICY
from bridge.config.json_schema import json_schema
from bridge.config.trials import TESTS
from bridge.console import as_json
from bridge.registry import NETWORKS
from bridge.schema import OF_ACCOUNTS, TOP, Filter, Kind, Setting, settings_of
from bridge.steps import KINDS as STEP_KINDS
from bridge.steps import Example, sandbox
from bridge.steps.kinds import MAX_TEXT

ROOT = Path(__file__).parents[1]
#: where the JSON Schema of each file stands, and in which files editors look for it
SCHEMAS: Mapping[Literal["config", "bot"], Path] = {
    "config": ROOT / "schema" / "config.json",
    "bot": ROOT / "schema" / "bot.json",
}
SETTINGS = ROOT / "docs" / "reference" / "settings.md"
COMMANDS = ROOT / "docs" / "reference" / "commands.md"

#: how a value of each kind is written
KINDS: Mapping[Kind, str] = {
    "string": "text",
    "words": "text, also none",
    "named": "text",
    "template": "template",
    "secret": "secret",
    "url": "address of a server",
    "webhook": "secret address",
    "flag": "`true` or `false`",
    "choice": "one of",
    "strings": "list of texts",
    "choices": "list out of",
    "subset": "list out of",
    "number": "whole number",
    "hours": "span of the day, or list of such",
    "weekdays": "list of weekdays",
    "duration": "length of time",
    "count": "whole number",
    "money": "US dollars",
    "regex": "regular expression",
    "language": "`keep` or a language tag",
    "languages": "list of language tags",
    "path": "path",
    "paths": "list of paths",
    "timezone": "time zone",
    "crontab": "crontab",
    "backfill": "`none`, `all`, `{last: N}` or `{since: DATE}`",
    "account": "account or group, or list of such",
    "accounts": "list of accounts or groups",
    "steps": "list of steps",
    "tag_map": "map of hashtags",
    "warnings": "map of lists of words",
    "section": "map",
    "map": "map",
    "text": 'text, or `""`',
    "texts": "list of texts",
    "time": "date and time",
    "card": "`none`, an address, or a map",
    "sections": "list of maps",
    "tests": "list of tests",
    "expectation": "a word or a map",
}

SETTINGS_HEAD = """\
# Settings

Made from the code by `python -m tests.make_reference`; do not edit.
`config.example.yaml` shows every setting in place.

## Where settings stand

`config.yaml` holds `timezone`, `state`, `alerts`, `plugins`, `accounts`, `groups`, `people`, `defaults` and
`bots`. A bot may also be a file:
`bots/NAME.yaml` beside `config.yaml` holds the settings of the bot NAME.
Relative paths start in the folder of `config.yaml`.

What a bot does to one target is put together from these, the weakest first:

1. the built-in default, and the network's own where it differs (see [below](#defaults-of-a-network));
2. `defaults`;
3. `for` in `defaults`: the network, then the account's groups in their order, then the account;
4. the bot;
5. `for` in the bot: the network, then the account's groups, then the account.

Maps merge key by key; lists replace. `every` and `cron` replace each other.
A setting that does not exist is an error, never ignored: `tribridge check` names every problem with
file, line and column.

## How values are written

- **secret**: text without spaces. It is blotted out of log lines.
- **address of a server**: `https://` and a host, nothing after it. `http://` is for this machine only.
- **secret address**: the same with a path and a query, blotted out as a secret is.
- **length of time**: `30s`, `5m`, `2h`, `7d`, `1h30m`; at most `3650d`;
  `every` at least `1s`.
- **US dollars**: `30`, `0.015`; 0 or more.
- **list**: `[one, two]`; a list of one may be written without brackets.
- **anchor**: `only: &alerts {hashtags: [alert]}` in one place, `only: *alerts` in another of the same
  file repeats it.
- **language tag**: BCP 47, such as `nb`, `en-GB`. Write `"no"` with quotes.
- **crontab**: minute, hour, day, month, weekday; weekdays by name: `30 8,17 * * mon-fri`.
- **span of the day**: `7:00-22:30`, in `timezone`; over midnight too: `22-6`. Its end is no part of it.
- **list of weekdays**: `mon`, `[mon-thu, sun]`, by the date in `timezone`.
- **regular expression**: of the Python module `regex`; in single quotes, at most 10,000 characters
  with counts such as `{99}` written out. One that takes over a second on a post skips it, in a step
  holds it.
- **DATE**: ISO 8601, such as `2026-01-31`; without a zone it is UTC.
- `${NAME}` in a value is an environment variable, `${file:PATH}` the content of a file of one line;
  `$${` stands for `${`.
- Names of accounts and bots hold `A-Z a-z 0-9 _ . -`.
"""


TESTS_HEAD = """\
## `tests`

Each item of the list is a test: a post that is given, and what is expected of it. `tribridge test`
tries them: see [Test a bot](../how-to/test-a-bot.md). Only what is named is compared, and a target
that is not named is not judged. A test without `expect` fails until it is filled in, which
`tribridge test --update` does.

"""


def settings_page() -> str:
    """The text of docs/reference/settings.md."""
    parts = [SETTINGS_HEAD]
    parts.append("## At the top of config.yaml\n\n" + table(TOP))
    state = next(setting for setting in TOP if setting.name == "state")
    parts.append("## `state`\n\n" + table(state.settings))
    alerts = next(setting for setting in TOP if setting.name == "alerts")
    parts.append("## `alerts`\n\n" + table(alerts.settings))
    parts.append(
        "## `accounts`\n\nA map: names of your own, each with these settings. "
        "One account may stand here once only.\n"
    )
    for network in NETWORKS.values():
        own = Setting("network", "choice", "the network", required=True, choices=(network.name,))
        parts.append(f"### {network.title}\n\n" + table((own, *network.settings, *OF_ACCOUNTS)))
        parts += _sections(network.settings, f"an account of {network.title}")
    parts += _sections(OF_ACCOUNTS, "any account")
    parts.append(
        "## `groups`\n\nA map: names of your own, each with a list of accounts. Where a bot lists"
        " accounts, and in `for`,\nsuch a name stands for all of them:"
        " `groups: {newsrooms: [oslo, bergen]}` and `to: newsrooms`.\n"
    )
    parts.append(
        "## Bots\n\nA bot needs either `from` and `to`, or `between`. The last column says where a"
        " setting may stand:\nin a **bot**, in **defaults**, and in **for** (of a bot or of"
        " `defaults`).\n\n" + table(BOT.values(), places=True)
    )
    parts.append(
        "## `only` and `skip`\n\nA post is taken if it meets each part of `only`, and none of `skip`."
        " Posts that are neither public nor unlisted\nnever travel, whatever these say.\n\n"
        + table(settings_of(Filter))
    )
    parts.append(_steps())
    parts.append(TESTS_HEAD + _tests(TESTS))
    parts.append("## Defaults of a network\n\nWhere the target is on this network:\n\n" + _own())
    return "\n".join(parts)


def _tests(setting: Setting) -> str:
    """The tables of what a test holds."""
    given, expected = (
        next(s for s in setting.settings if s.name == n) for n in ("given", "expect")
    )
    parts = [table(setting.settings)]
    for title, section in (("`given`", given), ("`expect`, by target", expected)):
        parts.append(f"### {title}\n\n" + table(section.settings))
        parts += [
            f"`{part.name}` of {title.split(',')[0]}:\n\n" + table(part.settings)
            for part in section.settings
            if part.settings
        ]
    return "\n".join(parts)


def _steps() -> str:
    """The steps, what they take, and an example of each."""
    kinds = STEP_KINDS.values()
    bare = ", ".join(f"`{kind.setting.name}`" for kind in kinds if kind.bare)
    parts = [
        "## `steps`\n\nEach item of the list is one of these, and they are done in order. A step"
        " changes the post, never its media; what a step\nadds may hold addresses and hashtags, which"
        f" are live, but notifies nobody. These may stand without a value: {bare}.\n",
        table(kind.setting for kind in kinds),
    ]
    parts += [
        f"`{kind.setting.name}` takes:\n\n" + table(kind.setting.settings)
        for kind in kinds
        if kind.setting.settings
    ]
    names = "\n".join(f"| `{name}` | {doc} |" for name, doc in sandbox.NAMES.items())
    filters = ", ".join(f"`{name}`" for name in sandbox.FILTERS)
    parts.append(
        "A `template` names what the post has:\n\n| Name | Stands for |\n| --- | --- |\n"
        f"{names}\n\nIt may hold `{{% if %}}`, `{{% for %}}` over a list of the post, comparisons, and the"
        f" filters {filters};\nno calls, no `set`, no loop within a loop. A text of more than"
        f" {MAX_TEXT:,} characters, or a failure on a post, leaves the post out. Space around the"
        " text is cut.\n"
    )
    shown = "\n\n".join(_example(kind.example) for kind in kinds if kind.example)
    parts.append(f"Each with a post before it and after it:\n\n```text\n{shown}\n```\n")
    return "\n".join(parts)


def _example(example: Example) -> str:
    lines = [f"- {example.written}"]
    for sign, post in (("<", example.before), (">", example.after)):
        for name, value in post.items():
            head = f"{sign} " if name == "text" else f"{sign} {name}: "
            if name != "url":
                lines += [f"  {head}{line}".rstrip() for line in value.split("\n")]
    return "\n".join(lines)


def _sections(settings: Iterable[Setting], owner: str) -> list[str]:
    """A table of each section among settings."""
    return [
        f"`{setting.name}` of {owner}:\n\n" + table(setting.settings)
        for setting in settings
        if setting.kind == "section"
    ]


def _own() -> str:
    lines = ["| Network | Setting | Default |", "| --- | --- | --- |"]
    for network in NETWORKS.values():
        lines += [f"| {network.title} | `{k}` | `{v}` |" for k, v in network.policy.items()]
    return "\n".join(lines) + "\n"


def table(settings: Iterable[Setting], *, places: bool = False) -> str:
    """A Markdown table of settings; `places` adds where each may stand."""
    heads = ["Setting", "Default", "Takes", "Meaning", *(["May stand in"] if places else [])]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    for setting in settings:
        cells = [f"`{setting.name}`", _default(setting), _takes(setting), _meaning(setting)]
        cells += [_places(setting.name)] if places else []
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"


def _default(setting: Setting) -> str:
    if setting.required:
        return "required"
    if setting.required_of_targets:
        return "required of a target"
    if setting.default in (None, {}):
        return "-"
    text = yaml.safe_dump(setting.default, default_flow_style=True, width=1000)
    return f"`{text.removesuffix('...' + chr(10)).strip()}`"


def _takes(setting: Setting) -> str:
    choices = ", ".join(f"`{choice}`" for choice in setting.choices)
    if len(setting.choices) == 1:
        return choices
    return f"{KINDS[setting.kind]} {choices}" if choices else KINDS[setting.kind]


def _meaning(setting: Setting) -> str:
    more = " (see [below](#only-and-skip))" if setting.name in ("only", "skip") else ""
    return setting.doc + more


def _places(name: str) -> str:
    places = {"bot": BOT, "defaults": DEFAULTS, "for": POLICY}
    return ", ".join(place for place, known in places.items() if name in known)


def every_command(group: click.Group = main, before: str = "") -> Iterator[str]:
    """Every command as people write it after `tribridge`; those in groups too: `alerts test`."""
    for name, command in group.commands.items():
        if not isinstance(command, click.Group):
            yield before + name
            continue
        if command.invoke_without_command:
            yield before + name
        yield from every_command(command, f"{before}{name} ")


def commands_page(old: str) -> str:
    """docs/reference/commands.md with the help between its marks made current."""
    found = re.findall(r"<!-- help: ([\w ]*) -->", old)
    missing = {"", *every_command()} - set(found)
    if missing:
        raise ValueError(f"{COMMANDS.name} has no place for the help of {sorted(missing)}")
    return re.sub(
        r"<!-- help: ([\w ]*) -->.*?<!-- end -->",
        lambda mark: (
            f"<!-- help: {mark[1]} -->\n\n```text\n{help_of(mark[1])}\n```\n\n<!-- end -->"
        ),
        old,
        flags=re.DOTALL,
    )


def schema_file(of: Literal["config", "bot"]) -> str:
    """The text of a file in schema/."""
    return as_json(json_schema(of)) + "\n"


def help_of(name: str) -> str:
    """What `tribridge NAME --help` prints on a terminal of 80 columns."""
    done = CliRunner().invoke(
        main, [*name.split(), "--help"], prog_name="tribridge", terminal_width=80
    )
    return done.stdout.rstrip()


if __name__ == "__main__":
    for of, file in SCHEMAS.items():
        file.parent.mkdir(exist_ok=True)
        file.write_text(schema_file(of), encoding="utf-8")
    SETTINGS.write_text(settings_page(), encoding="utf-8")
    COMMANDS.write_text(commands_page(COMMANDS.read_text(encoding="utf-8")), encoding="utf-8")
