"""`tribridge schema`: an independent validator takes what is right, and refuses what is wrong.

Every setting of the code stands in the JSON Schema and on the page of settings, alike in both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from bridge.cli import main
from bridge.config.bots import BOT, DEFAULTS, POLICY
from bridge.config.trials import TESTS
from bridge.registry import NETWORKS
from bridge.schema import OF_ACCOUNTS, TOP, Filter, Kind, Labels, Setting, settings_of
from bridge.starter import BOT as STARTER_BOT
from bridge.starter import CONFIG as STARTER
from bridge.steps import KINDS as STEP_KINDS
from tests.config_files import ACCOUNTS
from tests.make_reference import KINDS, SCHEMAS, schema_file
from tests.pages import ROOT, rows, text_of
from tests.test_config_problems import SETTINGS
from tests.test_docs import YAML


class _AsJson(yaml.SafeLoader):
    """YAML whose values are those of JSON: dates are texts."""


_AsJson.yaml_implicit_resolvers = {
    sign: [(tag, form) for tag, form in known if not tag.endswith(":timestamp")]
    for sign, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def values(text: str) -> Any:
    return yaml.load(text, _AsJson)


def printed(*args: str) -> Any:
    done = CliRunner().invoke(main, ["schema", *args], catch_exceptions=False)
    assert done.exit_code == 0
    return json.loads(done.stdout)


CONFIG, BOT_FILE = printed(), printed("bot")
VALIDATORS = {"config": Draft202012Validator(CONFIG), "bot": Draft202012Validator(BOT_FILE)}


def complaints(of: Literal["config", "bot"], text: str) -> list[str]:
    return [error.message for error in VALIDATORS[of].iter_errors(values(text))]


@pytest.mark.parametrize("schema", [CONFIG, BOT_FILE], ids=["config", "bot"])
def test_it_is_json_schema(schema: Any) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


def test_every_example_is_right() -> None:
    assert complaints("config", text_of("config.example.yaml")) == []
    assert complaints("config", STARTER) == []
    assert complaints("bot", STARTER_BOT) == []
    files = sorted((ROOT / "bots").glob("*.yaml"))
    assert len(files) >= 3
    for file in files:
        assert complaints("bot", file.read_text(encoding="utf-8")) == [], file.name
    for example in YAML:
        (block,) = example.values
        if str(block).startswith("# part of config.yaml"):
            continue
        is_bot = str(block).startswith("# bots/")
        assert complaints("bot" if is_bot else "config", str(block)) == [], block


@pytest.mark.parametrize("of", SCHEMAS)
def test_the_files_of_schema_are_current(of: Literal["config", "bot"]) -> None:
    assert SCHEMAS[of].read_text(encoding="utf-8") == schema_file(of)
    assert json.loads(SCHEMAS[of].read_text(encoding="utf-8")) == printed(of)


def test_editors_find_the_schema_of_each_example() -> None:
    files = [ROOT / "config.example.yaml", *sorted((ROOT / "bots").glob("*.yaml"))]
    for file in files:
        first = file.read_text(encoding="utf-8").partition("\n")[0]
        named = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
        assert named, file
        wanted = SCHEMAS["bot" if file.parent.name == "bots" else "config"]
        assert (file.parent / named[1]).resolve() == wanted


# What it refuses

#: mistakes that only who knows more than the file can see, or that YAML itself makes
NOT_SEEN = {
    "skip: {matching: '('}",  # what a regular expression is
    "every: 0s",
    "steps: [replace: {matching: '(a', by: b}]",
    "steps: [replace: {matching: '(?:a{1,99}){99999}', by: b}]",
    "steps: [replace: {matching: '(a)', by: '\\2'}]",
    "steps: [replace: {matching: '(?P<x>a)', by: '\\g<y>'}]",
    "steps: [replace: {matching: a, by: 'C:\\'}]",
    "steps: [hashtags: {add: [a b]}]",  # what a hashtag is
    "only: {hours: 7:00-22:00}",  # without a time zone
    "only: {weekdays: [mon-fri]}",
    "only: {hours: 7:00-24:30}",
    "only: {hours: 0:00-24:00}",
    "max_age: 4000d",
    "cron: 0 0 * * *",  # without a time zone
    "backfill: {since: yesterday}",
    "for: {bksy: {}}",  # what a bot's targets are
    "for: {mastodon: {}}",
    "was: b",
    "was: a/b",
    "description: 2026-01-31",  # a text in JSON
    'description: "${A"',  # what a variable holds
    'description: "${A b}"',
    'description: "${NOPE}"',
    'description: "${EMPTY}"',
    'description: "${LINES}"',
    "description: '${file:nope}'",
    "description: '${file:empty}'",
    "description: '${file:.}'",
    'description: "\\a"',
    "mode: live, mode: disabled",
    "mode: !!str live",
    "<<: {}",
}


def readable(settings: str) -> bool:
    try:
        values(f"{{{settings}}}")
    except (yaml.YAMLError, TypeError):
        return False
    return True


MISTAKES = [s for s, _ in SETTINGS if s not in NOT_SEEN and readable(s)]


@pytest.mark.parametrize("settings", MISTAKES)
def test_what_check_refuses_it_refuses_too(settings: str) -> None:
    text = f"bots:\n  b: {{from: masto, to: [bsky, x], {settings}}}\n{ACCOUNTS}"
    assert complaints("config", text)


def test_most_mistakes_are_seen() -> None:
    assert len(MISTAKES) >= 40
    assert {s for s, _ in SETTINGS} >= NOT_SEEN


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("{from: a, to: b}", True),
        ("{from: a, to: [b, c]}", True),
        ("{between: [a, b]}", True),
        ("{from: a}", False),
        ("{}", False),
        ("{from: a, to: b, between: [a, b]}", False),
        ("{between: [a]}", True),  # it may be a group
        ("{between: a}", True),
        ("{between: []}", False),
        ("{from: a, to: []}", False),
        ("{from: a, to: b, every: 1m, cron: 0 0 * * mon}", False),
        ("{from: a, to: b, for: {b: {long: skip, every: 1m}}}", False),
        ("{from: a, to: b, for: {b: {long: skip}}}", True),
        ("{from: a, to: b, accounts: {}}", False),
    ],
)
def test_how_a_bot_is_made_up(text: str, right: bool) -> None:
    assert (complaints("bot", text) == []) is right


@pytest.mark.parametrize(
    ("account", "right"),
    [
        ("{network: mastodon, server: 'https://m.example', access_token: t}", True),
        ("{network: mastodon, server: '${S}', access_token: '${T}'}", True),
        # it may be logged in: only `check` can tell
        ("{network: mastodon, server: 'https://m.example'}", True),
        ("{network: mastodon, access_token: t}", False),
        ("{network: mastodon, server: 'https://m.example/x', access_token: t}", False),
        ("{network: mastodon, server: 'https://m.example', access_token: t t}", False),
        ("{network: mastodon, handle: a, app_password: p}", False),
        ("{network: myspace}", False),
        ("{server: 'https://m.example', access_token: t}", False),
        ("{network: bluesky, handle: a, app_password: p, limits: {posts_per_hour: 0}}", False),
        ("{network: bluesky, handle: a, app_password: p, limits: {posts_per_hour: 1}}", True),
    ],
)
def test_how_an_account_is_made_up(account: str, right: bool) -> None:
    assert (complaints("config", f"accounts: {{a: {account}}}") == []) is right
    assert complaints("config", f"accounts: {{a/b: {account}}}")


# Every setting


@dataclass(frozen=True)
class Place:
    """A setting, its schema, and the part of the page that its table is in."""

    where: str
    setting: Setting
    found: Any
    heading: str
    lead: str = ""


def places() -> Iterator[Place]:
    defs = CONFIG["$defs"]
    top = defs["config"]["properties"]
    for setting in TOP:
        yield Place("", setting, top[setting.name], "At the top of config.yaml")
        for part in setting.settings:
            found = top[setting.name]["properties"][part.name]
            yield Place(setting.name, part, found, f"`{setting.name}`")
    for network in NETWORKS.values():
        known = defs[f"account-{network.name}"]["properties"]
        assert set(known) == {"network"} | {s.name for s in (*network.settings, *OF_ACCOUNTS)}
        for setting in (*network.settings, *OF_ACCOUNTS):
            yield Place(network.name, setting, known[setting.name], network.title)
            for part in setting.settings:
                found = known[setting.name]["properties"][part.name]
                owner = (
                    "any account" if setting in OF_ACCOUNTS else f"an account of {network.title}"
                )
                lead = f"`{setting.name}` of {owner}:"
                heading = "`accounts`" if setting in OF_ACCOUNTS else network.title
                yield Place(f"{network.name}.{setting.name}", part, found, heading, lead)
    for where, known_as in (("bot", BOT), ("defaults", DEFAULTS), ("target", POLICY)):
        assert set(defs[where]["properties"]) == set(known_as)
        for setting in known_as.values():
            yield Place(where, setting, defs[where]["properties"][setting.name], "Bots")
    for where in ("only", "skip"):
        for part in settings_of(Filter):
            found = defs["target"]["properties"][where]["properties"][part.name]
            yield Place(where, part, found, "`only` and `skip`")
    for name, kind in STEP_KINDS.items():
        (found,) = (
            item["properties"][name]
            for item in defs["bot"]["properties"]["steps"]["items"]["anyOf"]
            if name in item.get("properties", ())
        )
        yield Place("steps", kind.setting, found, "`steps`")
        for part in kind.setting.settings:
            yield Place(
                f"steps.{name}", part, found["properties"][part.name], "`steps`", f"`{name}` takes"
            )
    yield from places_of_tests(defs["bot"]["properties"]["tests"]["items"]["properties"])
    for part in settings_of(Labels):
        yield Place(
            "labels", part, defs["bot"]["properties"]["labels"]["properties"][part.name], ""
        )


def places_of_tests(test: Any) -> Iterator[Place]:
    given, expect = (next(s for s in TESTS.settings if s.name == n) for n in ("given", "expect"))
    (target,) = (
        kind["additionalProperties"]
        for kind in test["expect"]["anyOf"]
        if "additionalProperties" in kind and kind.get("minProperties")
    )
    known = {"given": test["given"]["properties"], "expect": target["anyOf"][-1]["properties"]}
    for setting in TESTS.settings:
        yield Place("test", setting, test[setting.name], "`tests`")
    for where, heading, owner in (
        ("given", "`given`", given),
        ("expect", "`expect`, by target", expect),
    ):
        assert set(known[where]) == {setting.name for setting in owner.settings}
        for setting in owner.settings:
            yield Place(where, setting, known[where][setting.name], heading)


PLACES = list(places())

#: by kind: values that are right, and values that are wrong, as in YAML
EXAMPLES: Mapping[Kind, tuple[list[str], list[str]]] = {
    "string": (["a", "'12'", "${A}"], ["12", "true", "[a]", "{a: b}", "''"]),
    "words": (["a", "''", "' '"], ["12", "[a]"]),
    "named": (["a", "'{{ url }} {{author}}'", "'{ }}'"], ["12", "'{{ ulr }}'", "'{{ url'", "''"]),
    "template": (["'{{ text }}'", "'{% if'"], ["12", "''", "[a]", "a" * 10_001]),
    "warnings": (["{a: b, c d: [e, f]}"], ["{}", "{a: []}", "{a: 1}", "a"]),
    "secret": (["a", "${A}", "'${file:a b}'"], ["a b", "12", "[a]"]),
    "url": (["https://a.example", "http://127.0.0.1:80/", "${A}"], ["a", "https://a.example/b"]),
    "webhook": (["https://a.example/b?c", "${A}"], ["a", "https://a b", "1"]),
    "flag": (["true", "false"], ["'true'", "1", "${A}"]),
    "choice": (["${A}"], ["a thing", "1", "[]"]),
    "strings": (["a", "[a, b]", "[]"], ["1", "[1]", "[[a]]", "{}"]),
    "choices": (["${A}"], ["[]", "a thing", "[a thing]", "1"]),
    "subset": (["[]", "${A}"], ["a thing", "[a thing]", "1"]),
    "number": (["0", "280", "${A}"], ["-1", "1.5", "'60'", "[1]"]),
    "hours": (["7-22", "[7:00-9:30, '22:00 - 6']", "[]"], ["7", "7-25", "[7:0-8]", "{}"]),
    "weekdays": (["mon", "[Mon-fri, sun]", "[]"], ["monday", "mon,tue", "1-5", "{}"]),
    "duration": (["30s", "1h30m", "${A}"], ["30", "''", "1m1h", "5 m", "m"]),
    "count": (["1", "60", "${A}"], ["0", "-1", "1.5", "'60'", "[1]"]),
    "money": (["0", "0.015", "30", "${A}"], ["-1", "'30'", "[1]"]),
    "regex": (["'(?i)a'", "''"], ["1", "[a]"]),
    "language": (["keep", "nb", "en-GB", "${A}"], ["no", "en_GB", "norsk bokmål"]),
    "languages": (["nb", "[en-GB, '${A}']", "[]"], ["no", "[en_GB]", "{}"]),
    "path": (["a/b.db", "${A}"], ["1", "[a]", "''"]),
    "timezone": (["Europe/Oslo", "${A}"], ["1", "[a]"]),
    "crontab": (["30 8,17 * * mon-fri", "${A}"], ["30 8 * *", "1", "[a]"]),
    "tag_map": (["{oslo: Oslo}", "{}", '{"#a": b}'], ["[a]", "x", "{a: [b]}", "{a: 1}"]),
    "backfill": (
        ["none", "all", "{last: 3}", "{since: 2026-01-31}", "{last: '${A}'}"],
        ["some", "{last: 0}", "{last: 1, since: 2026-01-31}", "{first: 1}", "{}"],
    ),
    "account": (["a", "[a, b]"], ["[]", "1", "{}"]),
    "accounts": (["[a, b]", "a"], ["[]", "[1, 2]", "{}"]),
    "steps": (
        ["[]", "[append: a]", "[strip_tracking, {replace: {text: a, by: ''}}]"],
        ["a", "[append]", "[{append: a, prepend: b}]", "[x: a]", "[{replace: {text: a}}]"],
    ),
    "section": ([], ["a", "[]", "{nothing: 1}"]),
    "map": (["{}"], ["a", "[]", "{a: 1}"]),
    "text": (["a", "''", "'12'"], ["12", "[a]", "{}"]),
    "texts": (["a", "[a, '']", "[]"], ["1", "[1]", "{}"]),
    "time": (["2026-01-31", "'2026-01-31T08:00+01:00'"], ["1", "[a]", "''"]),
    "card": (["none", "https://a.example", "{url: a, title: b}"], ["1", "{title: b}", "[]", "''"]),
    "sections": (["[]", "[{kind: gif, alt: ''}]"], ["a", "[a]", "{}", "[{nothing: a}]"]),
    "tests": (
        ["[]", "[{given: {text: a}}]", "[{given: {}, name: a, expect: skipped}]"],
        ["a", "[a]", "[{given: a}]", "[{expect: skipped}]", "[{given: {}, expects: a}]"],
    ),
    "expectation": (
        [
            *("skipped", "mirrored", "null", "'skipped: so'", "{skipped: so}", "{b: a, x: [a, b]}"),
            *("{b: {text: ''}}", "{b: {skipped: so}}", "{b: {card: none, media: [{kind: gif}]}}"),
        ],
        ["skip", "'skipped:'", "[]", "{}", "1", "{b: {}}", "{b: {txt: a}}", "{b: 1}", "{b: [1]}"],
    ),
}


def test_every_kind_has_examples() -> None:
    assert set(EXAMPLES) == set(get_args(Kind))
    assert len(PLACES) > 140
    assert {place.setting.kind for place in PLACES} == set(get_args(Kind))


@pytest.mark.parametrize("place", PLACES, ids=lambda p: f"{p.where}.{p.setting.name}")
def test_a_setting_is_alike_in_code_schema_and_page(place: Place) -> None:
    setting, found = place.setting, place.found
    assert found["description"] == setting.doc
    assert ("default" in found) == (setting.default is not None)
    assert found.get("default") == setting.default
    validator = Draft202012Validator(
        {"$ref": "#/$defs/it", "$defs": CONFIG["$defs"] | {"it": found}}
    )
    right, wrong = EXAMPLES[setting.kind]
    choices = list(setting.choices)
    listed = [choices] if setting.kind in ("choices", "subset") else []
    for value in [*map(values, right), *choices, *listed]:
        assert validator.is_valid(value), value
    for value in map(values, wrong):
        assert not validator.is_valid(value), value
    if setting.default is not None and not any(part.required for part in setting.settings):
        assert validator.is_valid(setting.default)
    if place.heading:
        row = row_of(place)
        told = "-" if setting.default in (None, {}) else row[1].strip("`")
        if setting.default not in (None, {}):
            assert values(told) == found["default"]
        elif setting.required or setting.required_of_targets:
            assert row[1].startswith("required")
        else:
            assert row[1] == "-"
        assert row[2].startswith(KINDS[setting.kind])
        assert all(f"`{choice}`" in row[2] for choice in choices)


def row_of(place: Place) -> list[str]:
    """The row of the page of settings about a setting."""
    text = text_of("docs/reference/settings.md")
    mark = next(
        m
        for m in (place.lead, f"\n## {place.heading}\n", f"\n### {place.heading}\n")
        if m and m in text
    )
    (found,) = [row for row in rows(text, mark) if row[0] == f"`{place.setting.name}`"]
    return found
