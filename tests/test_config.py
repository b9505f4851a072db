"""Every rule of the configuration, with the exact message and place of what breaks it."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.config import ConfigError, Problem, duration, load
from bridge.registry import NETWORKS
from bridge.schema import (
    ROUTING,
    TOP,
    Alerts,
    BackfillSetting,
    Bot,
    Config,
    Filter,
    Policy,
    State,
    StepSetting,
    settings_of,
)
from bridge.steps import KINDS
from tests.config_files import ACCOUNTS, bot, complaints, load_text

STEP_SETTINGS = [
    setting for kind in KINDS.values() for setting in (kind.setting, *kind.setting.settings)
]
ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def policy(config: Config, target: str, name: str = "b") -> Policy:
    return next(route.policy for route in config.bots[name].routes if route.target == target)


# What is fine


def test_the_one_line_bot_has_every_default() -> None:
    config = load_text("bots:\n  simple: {from: masto, to: bsky}\n" + ACCOUNTS)
    simple = config.bots["simple"]
    assert [(route.source, route.target) for route in simple.routes] == [("masto", "bsky")]
    assert simple.routes[0].policy == Policy()
    assert (simple.every, simple.cron, simple.mode) == (timedelta(minutes=2), "", "live")
    assert config.state == State(Path("state/tribridge.db"))
    assert config.timezone is None


def test_an_account_has_its_settings_with_defaults_and_secrets_resolved(tmp_path: Path) -> None:
    text = (
        "accounts:\n  a:\n    network: bluesky\n    handle: a.example\n"
        "    app_password: ${file:secret/b}\n"
        "  m:\n    network: mastodon\n    server: http://127.0.0.1:8080/\n"
        "    access_token: x-${TOKEN}-$${TOKEN}\n"
    )
    config = load_text(text, {"TOKEN": "geheim"}, {"secret/b": "passord\r\n"})
    assert config.accounts["a"].settings == {
        "handle": "a.example",
        "app_password": "passord",
        "service": "https://bsky.social",
        "limits": {"posts_per_hour": 60, "deletes_per_hour": 10},
    }
    assert config.accounts["m"].settings == {
        "server": "http://127.0.0.1:8080",
        "access_token": "x-geheim-${TOKEN}",
        "limits": {"posts_per_hour": 60, "deletes_per_hour": 10},
    }


def test_between_makes_a_route_for_every_ordered_pair() -> None:
    config = load_text("bots:\n  b: {between: [masto, bsky, x]}\n" + ACCOUNTS)
    assert [(route.source, route.target) for route in config.bots["b"].routes] == [
        ("masto", "bsky"),
        ("masto", "x"),
        ("bsky", "masto"),
        ("bsky", "x"),
        ("x", "masto"),
        ("x", "bsky"),
    ]


def test_settings_come_from_the_weakest_to_the_strongest_place() -> None:
    def long_for_x(defaults: str, own: str) -> str:
        text = f"defaults: {{{defaults}}}\nbots:\n  b: {{from: masto, to: x, {own}}}\n"
        return policy(load_text(text + ACCOUNTS), "x").link_back

    assert policy(load_text(bot("")), "bsky").link_back == "truncated"  # built-in
    assert long_for_x("", "") == "never"  # the network's
    weakest_first = (
        ("link_back: always", ""),
        ("link_back: always, for: {twitter: {link_back: truncated}}", ""),
        ("for: {twitter: {link_back: always}, x: {link_back: never}}", ""),
        ("for: {x: {link_back: never}}", "link_back: always"),
        ("", "link_back: always, for: {twitter: {link_back: truncated}}"),
        ("", "for: {x: {link_back: never}, twitter: {link_back: always}}"),
    )
    assert [long_for_x(*places) for places in weakest_first] == [
        "always",
        "truncated",
        "never",
        "always",
        "truncated",
        "never",
    ]


def test_maps_merge_key_by_key_and_lists_replace() -> None:
    text = (
        "defaults:\n  skip: {words: [draft, kladde]}\n  steps: [append: one]\n"
        "bots:\n  b:\n    from: masto\n    to: [bsky, x]\n    skip: {matching: 'utkast$'}\n"
        "    for:\n      bsky: {skip: {words: [entwurf], hashtags: []}, steps: [prepend: two]}\n"
    )
    config = load_text(text + ACCOUNTS)
    assert policy(config, "x").skip == Filter(("nobridge",), ("draft", "kladde"), "utkast$")
    assert policy(config, "bsky").skip == Filter((), ("entwurf",), "utkast$")
    assert policy(config, "x").steps == (StepSetting("append", "one"),)
    assert policy(config, "bsky").steps == (StepSetting("prepend", "two"),)
    assert policy(config, "bsky").only == Filter(visibility=("public",))


def test_an_empty_expression_takes_back_the_one_of_defaults() -> None:
    text = "defaults: {skip: {matching: x}}\n" + bot("skip: {matching: ''}")
    assert policy(load_text(text), "x").skip == Filter(hashtags=("nobridge",))


def test_what_filters_take_back_from_defaults() -> None:
    defaults = (
        "timezone: Europe/Oslo\ndefaults: {skip: {kinds: boost, has: poll, longer_than: 5,"
        " shorter_than: 3, apps: a, hours: '22-6', weekdays: sat, older_than: 1h}}\n"
    )
    kept = policy(load_text(defaults + bot("skip: {hashtags: []}")), "x")
    assert kept.skip == Filter(
        kinds=("boost",),
        has=("poll",),
        longer_than=5,
        shorter_than=3,
        apps=("a",),
        hours=((22 * 60, 6 * 60),),
        weekdays=("sat",),
        older_than=timedelta(hours=1),
    )
    assert kept.zone == ZoneInfo("Europe/Oslo")
    back = (
        "hashtags: [], kinds: [], has: [], longer_than: 0, shorter_than: 0, apps: [], hours: [],"
        " weekdays: [], older_than: 0s"
    )
    assert policy(load_text(defaults + bot(f"skip: {{{back}}}")), "x").skip == Filter()


@pytest.mark.parametrize(
    ("written", "spans"),
    [
        ("7-22", ((420, 1320),)),
        ("07:00-22:30", ((420, 1350),)),
        ("22:00 - 6", ((1320, 360),)),
        ("0-24:00", None),
        ("18-24", ((1080, 1440),)),
        ("24:00-6:00", ((0, 360),)),
        ("['7-8', 23:59-0:00]", ((420, 480), (1439, 0))),
    ],
)
def test_spans_of_the_day(written: str, spans: tuple[tuple[int, int], ...] | None) -> None:
    text = "timezone: Europe/Oslo\n" + bot(f"only: {{hours: {written}}}")
    if spans is None:
        assert complaints(text)
    else:
        assert policy(load_text(text), "x").only.hours == spans


@pytest.mark.parametrize(
    ("written", "days"),
    [
        ("mon", "mon"),
        ("[Sun, mon-WED]", "mon tue wed sun"),
        ("fri-mon", "mon fri sat sun"),
        ("mon-sun", "mon tue wed thu fri sat sun"),
        ("tue-mon", "mon tue wed thu fri sat sun"),
        ("[tue-tue, tue]", "tue"),
    ],
)
def test_weekdays(written: str, days: str) -> None:
    text = "timezone: Europe/Oslo\n" + bot(f"only: {{weekdays: {written}}}")
    assert policy(load_text(text), "x").only.weekdays == tuple(days.split())


def test_every_and_cron_take_each_others_place() -> None:
    head = "timezone: Europe/Oslo\ndefaults: {cron: 30 8 * * Mon-Fri}\nbots:\n"
    config = load_text(
        head + "  a: {from: masto, to: x}\n  b: {from: masto, to: x, every: 1h30m}\n" + ACCOUNTS
    )
    assert config.bots["a"].cron == "30 8 * * mon-fri"
    assert (config.bots["b"].cron, config.bots["b"].every) == ("", timedelta(minutes=90))
    assert config.timezone == ZoneInfo("Europe/Oslo")


def test_a_file_in_bots_holds_the_settings_of_one_bot() -> None:
    files = {
        "bots/news.yaml": "from: masto\nto: bsky\nbackfill: {last: 20}\nlanguage: nb\n",
        "bots/.#news.yaml": "not read",
        "bots/README.md": "not read",
    }
    config = load_text(ACCOUNTS, files=files)
    assert list(config.bots) == ["news"]
    assert policy(config, "bsky", "news").backfill == BackfillSetting(last=20)
    assert policy(config, "bsky", "news").language == "nb"


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("none", BackfillSetting()),
        ("all", BackfillSetting(everything=True)),
        ("{since: 2026-01-31}", BackfillSetting(since="2026-01-31")),
    ],
)
def test_backfill_is_none_all_last_or_since(written: str, typed: BackfillSetting) -> None:
    assert policy(load_text(bot(f"backfill: {written}")), "x").backfill == typed


def test_equal_policies_are_one_object() -> None:
    bots = "".join(f"  b{n}: {{from: masto, to: bsky, skip: {{words: [x]}}}}\n" for n in range(100))
    config = load_text("bots:\n" + bots + ACCOUNTS)
    assert len({id(bot.routes[0].policy) for bot in config.bots.values()}) == 1


def test_the_state_file_is_found_from_the_folder_of_the_config(tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    (folder / "config.yaml").write_text("state: {file: memory.db, durability: process}")
    config = load(folder / "config.yaml", {})
    assert config.state == State(folder / "memory.db", "process")


def test_an_alias_repeats_a_value() -> None:
    text = "bots:\n  a: &a {from: masto, to: bsky}\n  b: *a\n" + ACCOUNTS
    assert load_text(text).bots["b"].routes == load_text(text).bots["a"].routes


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    assert list(load_text("\ufeff" + bot("description: Å være her 🏔️")).bots) == ["b"]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("5m", 300), ("2h", 7200), ("7d", 604800), ("1h30m", 5400), ("0s", 0)],
)
def test_a_duration_is_a_number_with_its_unit(text: str, seconds: int) -> None:
    assert duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1m1h", "5w", "٣m", "9999999999d"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="30s, 5m, 2h, 7d or 1h30m"):
        duration(text)


def test_a_duration_ends_within_the_calendar() -> None:
    with pytest.raises(ValueError, match="at most 3650d"):
        duration("99999d")


# The example


def example_environment() -> dict[str, str]:
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    names = re.findall(r"[^$]\$\{([A-Z_]+)\}", text)
    return {n: f"https://{n[0]}.example" if n.endswith("_URL") else f"value-of-{n}" for n in names}


def test_the_example_passes_alone_and_beside_the_bots_of_the_repository(tmp_path: Path) -> None:
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    alone = load(tmp_path / "config.yaml", example_environment())
    assert {account.network for account in alone.accounts.values()} == set(NETWORKS)
    assert len(load(ROOT / "config.example.yaml", example_environment()).bots) >= len(alone.bots)


def test_the_example_shows_every_setting() -> None:
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    shown = set(re.findall(r"^[ -]*(\w+):", text, re.MULTILINE))
    exist = {
        setting.name
        for cls in (Policy, Filter, Bot, State, Alerts)
        for setting in (*settings_of(cls), *ROUTING, *TOP, *STEP_SETTINGS)
    } | {setting.name for network in NETWORKS.values() for setting in network.settings}
    assert exist <= shown


def test_the_example_shows_the_built_in_defaults(tmp_path: Path) -> None:
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    (tmp_path / "config.yaml").write_text(text, encoding="utf-8")
    config = load(tmp_path / "config.yaml", example_environment())
    assert config.bots["simple"].routes[0].policy == Policy()
    assert config.bots["simple"] == Bot("simple", config.bots["simple"].routes)
    assert config.state.durability == State().durability


def test_secrets_of_the_example_stand_alone_on_their_lines() -> None:
    text = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
    secret = {
        setting.name
        for network in NETWORKS.values()
        for setting in network.settings
        if setting.kind == "secret"
    } | {"webhook"}
    for line in text.splitlines():
        if any(f"{name}:" in line for name in secret):
            assert re.fullmatch(r" +\w+: \$\{[A-Z_]+\}", line), line


# How problems are told


def test_all_problems_come_at_once_in_file_order() -> None:
    text = "bots:\n  b: {to: bsky, from: mast}\n  a: {from: masto, to: bsky, wait: 3m}\n"
    with pytest.raises(ConfigError) as caught:
        load_text(text + ACCOUNTS, files={"bots/a1.yaml": "from: masto\nto: bsky\nlnog: skip\n"})
    assert str(caught.value).splitlines() == [
        "bots/a1.yaml:3:1: unknown setting 'lnog'; did you mean 'long'?",
        "config.yaml:2:23: there is no account 'mast'; did you mean 'masto'?",
        "config.yaml:3:30: unknown setting 'wait'",
    ]
    assert caught.value.problems[0] == Problem(
        "bots/a1.yaml", 3, 1, "unknown setting 'lnog'; did you mean 'long'?"
    )


def test_a_problem_in_defaults_is_told_once_whatever_number_of_bots_there_is() -> None:
    text = "defaults: {long: cut}\nbots:\n  a: {between: [masto, bsky, x]}\n"
    assert complaints(text + ACCOUNTS) == [
        "1:18: 'long' takes thread, truncate, first_and_link, numbered or skip, not 'cut'"
    ]


def test_a_wrong_time_zone_is_one_problem_however_many_crontabs_need_it() -> None:
    assert complaints("timezone: Mars\n" + bot("cron: 0 0 * * *")) == [
        "1:11: there is no time zone 'Mars', such as Europe/Oslo"
    ]


def test_a_file_outside_the_current_folder_is_named_in_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    (tmp_path / "config.yaml").write_text("x: 1")
    with pytest.raises(ConfigError, match=f"^{re.escape(str(tmp_path))}/config.yaml:1:1: "):
        load(Path("../config.yaml"), {})


def test_a_wrong_path_is_one_problem_that_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("folder/bots").mkdir(parents=True)
    told = []
    for path in ("config.yaml", "folder", "/dev/zero"):
        with pytest.raises(ConfigError) as caught:
            load(Path(path), {})
        told.append(str(caught.value))
    assert told == [
        "config.yaml:1:1: there is no such file; `tribridge init` writes one, "
        "--config names another",
        "folder:1:1: this is a folder; give the path of the file in it",
        "/dev/zero:1:1: this is not an ordinary file",
    ]


def test_a_bots_file_that_would_not_be_read_is_told() -> None:
    assert complaints(ACCOUNTS, files={"bots/news.yml": "from: masto\nto: x\n"}) == [
        "bots/news.yml:1:1: this file is not read; rename it to news.yaml"
    ]


def test_a_top_setting_in_a_bots_file_is_sent_to_the_config() -> None:
    files = {"bots/news.yaml": "from: masto\nto: x\nbots: {news: {}}\n"}
    assert complaints(ACCOUNTS, files=files) == [
        "bots/news.yaml:3:1: 'bots' belongs in config.yaml; "
        "a file in bots/ holds the settings of one bot"
    ]


def test_a_bot_stands_in_one_place_only() -> None:
    files = {"bots/b.yaml": "from: masto\nto: x\n"}
    assert complaints(bot(""), files=files) == [
        "bots/b.yaml:1:1: the bot 'b' stands twice; first at config.yaml:2:3"
    ]


def test_a_mistake_in_the_syntax_hides_none_in_another_file() -> None:
    assert complaints("a: @x", files={"bots/b.yaml": "to: 'x"}) == [
        "bots/b.yaml:1:5: the quote that opens here is never closed",
        "1:4: put a value that begins with @ in quotes",
    ]


def test_no_secret_stands_in_a_problem() -> None:
    text = (
        "accounts:\n  a:\n    network: mastodon\n    server: https://hemmelig:hemmelig@x.example\n"
        "    access_token: ${T}\n"
        "  b:\n    network: bluesky\n    handle: ${T}\n    app_password: *hemmelig\n"
        "  c:\n    network: bluesky\n    handle: c\n    app_password: !hemmelig\n"
        "  d: {network: bluesky, handle: d, app_password: [hemmelig]}\n"
        "  e: {network: bluesky, handle: e, app_password: #hemmelig\n    }\n"
        "  f: {network: '${T}'}\n"
    )
    told = complaints(text, environ={"T": "hemmelig hemmelig"})
    assert len(told) == 7
    assert "hemmelig" not in "".join(told)


def test_reading_a_config_without_cron_imports_no_scheduler() -> None:
    import subprocess
    import sys

    code = "import sys, bridge.config; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "bridge.config" in loaded
    assert not loaded & {"apscheduler", "atproto", "mastodon", "httpx"}
