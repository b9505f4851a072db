"""Said once, used often: named groups of accounts, and YAML's anchors inside a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.cli import main
from bridge.schema import Filter
from tests.config_files import ACCOUNTS, complaints, load_text

MORE = ACCOUNTS + "  m2: {network: mastodon, server: https://m2.example, access_token: m2}\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def ways(text: str, bot: str = "b") -> list[tuple[str, str]]:
    return [(route.source, route.target) for route in load_text(text).bots[bot].routes]


def test_a_group_stands_for_its_accounts_wherever_accounts_are_listed() -> None:
    groups = "groups: {all: [masto, bsky, x], loud: x, two: [bsky, x]}\n"
    assert ways(f"{groups}bots: {{b: {{from: masto, to: two}}}}\n{MORE}") == [
        ("masto", "bsky"),
        ("masto", "x"),
    ]
    assert ways(f"{groups}bots: {{b: {{from: [m2, two], to: masto}}}}\n{MORE}") == [
        ("m2", "masto"),
        ("bsky", "masto"),
        ("x", "masto"),
    ]
    three = ways(f"bots: {{b: {{between: [masto, bsky, x]}}}}\n{MORE}")
    assert ways(f"{groups}bots: {{b: {{between: all}}}}\n{MORE}") == three
    assert ways(f"{groups}bots: {{b: {{between: [masto, two]}}}}\n{MORE}") == three


def test_settings_for_a_group_stand_between_those_of_its_network_and_of_the_account() -> None:
    config = load_text(
        f"""
groups:
  few: [masto, bsky]
  all: [masto, m2, bsky, x]
defaults:
  for:
    all: {{long: skip, mentions: link}}
    mastodon: {{long: numbered, links: drop}}
    masto: {{mentions: skip}}
bots:
  b:
    from: x
    to: [masto, m2, bsky]
    for:
      few: {{edits: hold, deletes: hold}}
      all: {{edits: ignore, boosts: link}}
      mastodon: {{edits: replace, boosts: quote}}
      masto: {{boosts: skip}}
{MORE}"""
    )
    policies = {route.target: route.policy for route in config.bots["b"].routes}
    told = {
        name: (p.long, p.links, p.mentions, p.edits, p.deletes, p.boosts)
        for name, p in policies.items()
    }
    assert told == {
        "masto": ("skip", "drop", "skip", "ignore", "hold", "skip"),
        "m2": ("skip", "drop", "link", "ignore", "follow", "link"),
        "bsky": ("skip", "keep", "link", "ignore", "hold", "link"),
    }
    shown = CliRunner().invoke(main, ["show", "b", "--json"], catch_exceptions=False)
    by_target = {r["target"]: r["settings"] for r in json.loads(shown.stdout)["routes"]}
    assert {
        name: tuple(
            settings[word]["value"]
            for word in ("long", "links", "mentions", "edits", "deletes", "boosts")
        )
        for name, settings in by_target.items()
    } == told
    assert by_target["bsky"]["edits"]["from"] == "config.yaml:16:20"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("groups: [masto]", ["1:9: 'groups' takes a map of settings, not a list"]),
        ("groups: {a: []}", ["1:13: 'a' names no account"]),
        ("groups: {a: }", ["1:10: 'a' has no value; give it one, or remove the line"]),
        ("groups: {a: [mosto]}", ["1:14: there is no account 'mosto'; did you mean 'masto'?"]),
        (
            "groups: {a: masto bsky}",
            ["1:13: there is no account 'masto bsky'; several are a list: [masto, bsky]"],
        ),
        ("groups: {a: [masto, masto]}", ["1:21: the account 'masto' is named twice"]),
        ("groups: {a: masto, b: [a, x]}", ["1:24: 'a' is a group; a group holds accounts"]),
        ("groups: {masto: [x]}", ["1:10: 'masto' is also an account; give the group another name"]),
        (
            "groups: {bluesky: [x]}",
            ["1:10: 'bluesky' is also a network; give the group another name"],
        ),
        ("groups: {a b: [x]}", ["1:10: the name 'a b' may hold only A-Z a-z 0-9 _ . and -"]),
        (
            "groups: {all: [masto, x]}\nbots: {b: {from: bsky, to: al}}",
            ["2:28: there is no account 'al'; did you mean 'all'?"],
        ),
        (
            "groups: {all: [masto, x]}\nbots: {b: {from: masto, to: all}}",
            ["2:29: the account 'masto' stands in both from and to"],
        ),
        (
            "groups: {all: [masto, x]}\nbots: {b: {from: bsky, to: [x, all]}}",
            ["2:32: the account 'x' is named twice (in 'all')"],
        ),
        (
            "groups: {p: [masto, x], q: x}\nbots: {b: {from: bsky, to: [p, q]}}",
            ["2:32: the account 'x' is named twice (in 'p' and in 'q')"],
        ),
        (
            "groups: {one: [masto]}\nbots: {b: {between: one}}",
            ["2:21: 'between' takes two accounts or more"],
        ),
        (
            "groups: {one: [masto]}\nbots: {b: {from: x, to: bsky, for: {one: {long: skip}}}}",
            ["2:37: 'one' is no target of this bot; write bluesky or bsky"],
        ),
        (
            "groups: {one: [masto]}\ndefaults: {for: {on: {long: skip}}}",
            ["2:18: 'on' is no account, group or network; did you mean 'one'?"],
        ),
    ],
)
def test_what_is_wrong_with_a_group(text: str, told: list[str]) -> None:
    assert complaints(f"{text}\n{ACCOUNTS}") == told


def test_an_anchor_is_repeated_by_its_aliases_in_the_same_file() -> None:
    text = f"""
bots:
  a:
    from: masto
    to: &targets [bsky, x]
    only: &alerts {{hashtags: [alert], words: &words [fire, flood]}}
    for: {{x: &quiet {{links: drop}}}}
  b:
    from: m2
    to: *targets
    only: *alerts
    skip: {{words: *words}}
    for: {{bsky: *quiet, x: *quiet}}
{MORE}"""
    bots = load_text(text).bots
    policy = bots["b"].routes[1].policy
    assert [route.target for route in bots["b"].routes] == ["bsky", "x"]
    assert policy.only == Filter(
        hashtags=("alert",), words=("fire", "flood"), visibility=("public",)
    )
    assert policy.skip.words == ("fire", "flood")
    assert {route.policy.links for route in bots["b"].routes} == {"drop"}
    shown = CliRunner().invoke(main, ["show", "b", "--json"], catch_exceptions=False)
    (first, _) = json.loads(shown.stdout)["routes"]
    assert first["settings"]["links"] == {"value": "drop", "from": "config.yaml:7:29"}


def test_what_is_wrong_below_an_anchor_is_told_once_at_the_anchor() -> None:
    assert complaints(
        f"bots:\n  a: {{from: masto, to: bsky, only: &o {{words: [1]}}}}\n"
        f"  b: {{from: x, to: bsky, only: *o}}\n{ACCOUNTS}"
    ) == ['2:48: without quotes YAML takes 1 for a number; write "1"']


def test_an_anchor_ends_with_its_file() -> None:
    Path("bots").mkdir()
    Path("bots/a.yaml").write_text("from: &here masto\nto: bsky\n", encoding="utf-8")
    assert complaints(ACCOUNTS, files={"bots/b.yaml": "from: *here\nto: bsky\n"}) == [
        "bots/b.yaml:1:7: a value that begins with * must be in quotes (an alias would need an anchor)"
    ]
