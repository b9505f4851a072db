"""`tribridge show`: what results for a bot, and from where; pasted, it is the same bot."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.cli import main
from bridge.config import examine, load
from bridge.config.bots import BOT, POLICY
from bridge.config.effective import BUILT_IN, as_yaml, effective
from bridge.starter import BOT as STARTER_BOT
from bridge.starter import CONFIG as STARTER
from tests.config_files import ACCOUNTS
from tests.pages import ROOT
from tests.test_docs import environment_for

LAYERS = """\
defaults:
  every: 5m
  skip: {words: [utkast]}
  hashtag_map: {"#OsloBy": Oslo, by: stad}
  for:
    twitter: {long: truncate, links: drop}
    x: {links: hold}
bots:
  b:
    from: masto
    to: [bsky, x]
    cron: "0 8 * * mon"
    only: {hashtags: ["#新闻", "a, b"]}
    language: "no"
    for:
      x: {edits: hold, hashtag_map: {osloby: oslo}}
      twitter: {edits: ignore, skip: {words: []}}
      bsky:
        steps: [append: "linje\\nto: [1]", prepend: '{"é"}']
        backfill: {since: 2026-01-31}
timezone: Europe/Oslo
"""


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(files: dict[str, str]) -> dict[str, str]:
    """The variables that files name, which stand in the current folder then."""
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
    return environment_for("\n".join(files.values()), Path())


def tribridge(*args: str) -> Result:
    return CliRunner().invoke(main, args, catch_exceptions=False)


EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
SETS = {
    "the example": {"config.yaml": EXAMPLE},
    "the files of bots/": {
        "config.yaml": EXAMPLE[: EXAMPLE.index("\nbots:")],
        **{f"bots/{f.name}": f.read_text("utf-8") for f in (ROOT / "bots").glob("*.yaml")},
    },
    "what init writes": {"config.yaml": STARTER, "bots/newsroom.yaml": STARTER_BOT},
    "every layer": {"config.yaml": LAYERS + ACCOUNTS},
    "languages of accounts": {
        "config.yaml": "bots:\n  b: {between: [masto, bsky, x]}\n"
        + ACCOUNTS.replace("mastodon,", "mastodon, language: nb,", 1).replace(
            "bluesky,", "bluesky, language: '${nn}',", 1
        )
    },
}


@pytest.mark.parametrize("name", SETS)
def test_what_is_shown_is_the_same_bot_when_it_is_pasted(name: str) -> None:
    environ = written(SETS[name])
    files = examine(Path("config.yaml"), environ)
    assert files.config is not None, files.problems
    assert files.config.bots
    config = files.config
    for bot in config.bots:
        pasted = as_yaml(effective(files, bot))
        alone = {
            "config.yaml": "timezone: Europe/Oslo\n" + accounts_of(SETS[name]["config.yaml"]),
            f"bots/{bot}.yaml": pasted,
        }
        folder = Path(f"alone-{bot}")
        folder.mkdir()
        for file, text in alone.items():
            (folder / file).parent.mkdir(exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
        assert load(folder / "config.yaml", environ).bots == {bot: config.bots[bot]}, pasted


def accounts_of(text: str) -> str:
    """The sections of accounts and groups."""
    found = re.findall(r"^(?:accounts|groups):.*\n(?:(?:[ #].*)?\n)*", text, re.MULTILINE)
    assert found
    return "".join(found)


def test_each_value_names_the_place_of_the_layer_that_won() -> None:
    written({"config.yaml": LAYERS + ACCOUNTS})
    shown = json.loads(tribridge("show", "b", "--json").stdout)
    own = shown["settings"]
    assert own["cron"] == {"value": "0 8 * * mon", "from": "config.yaml:12:11"}
    assert "every" not in own
    assert own["mode"] == {"value": "live", "from": BUILT_IN}
    by_target: dict[str, Any] = {r["target"]: r["settings"] for r in shown["routes"]}
    assert [(r["source"], r["target"]) for r in shown["routes"]] == [
        ("masto", "bsky"),
        ("masto", "x"),
    ]
    x, bsky = by_target["x"], by_target["bsky"]
    assert x["link_back"] == {"value": "never", "from": "default of Twitter (X)"}
    assert x["long"] == {"value": "truncate", "from": "config.yaml:6:21"}
    assert x["links"] == {"value": "hold", "from": "config.yaml:7:16"}
    assert x["edits"] == {"value": "hold", "from": "config.yaml:16:18"}
    assert x["skip"]["words"] == {"value": [], "from": "config.yaml:17:46"}
    assert x["skip"]["hashtags"] == {"value": ["nobridge"], "from": BUILT_IN}
    assert bsky["skip"]["words"] == {"value": ["utkast"], "from": "config.yaml:3:17"}
    assert bsky["only"]["hashtags"]["value"] == ["#新闻", "a, b"]
    assert bsky["only"]["visibility"] == {"value": ["public"], "from": BUILT_IN}
    assert bsky["language"]["value"] == "no"
    assert bsky["link_back"]["from"] == BUILT_IN
    assert bsky["backfill"]["value"] == {"since": "2026-01-31"}


def test_every_setting_is_shown() -> None:
    written({"config.yaml": LAYERS + ACCOUNTS})
    text = tribridge("show", "b").stdout
    for name in POLICY:
        assert len(re.findall(rf"^    (?:# )?{name}:", text, re.MULTILINE)) == 2, name
    without = ("description", "was", "every", "between")  # not said, or another's place
    for name in BOT.keys() - POLICY.keys() - set(without):
        assert re.search(rf"^{name}:", text, re.MULTILINE), name
    for line in text.splitlines():
        assert line.endswith(":") or "#" in line, line


def test_a_value_from_the_environment_stays_in_its_variable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bot = "from: masto\nto: bsky\ndescription: ${WHAT}\n"
    written({"config.yaml": ACCOUNTS, "bots/b.yaml": bot})
    monkeypatch.setenv("WHAT", "for-nobody")
    for form in ([], ["--json"]):
        text = tribridge("show", "b", *form).stdout
        assert "${WHAT}" in text
        assert "for-nobody" not in text


def test_how_long_originals_are_followed_depends_on_the_source() -> None:
    bot = "bots:\n  b: {between: [bsky, x]}\n"
    written({"config.yaml": bot + ACCOUNTS})
    routes = json.loads(tribridge("show", "b", "--json").stdout)["routes"]
    found = {r["source"]: r["settings"]["follow_for"]["value"] for r in routes}
    assert found == {"bsky": "7d", "x": "0s"}


def test_the_language_of_an_account_takes_the_place_of_the_built_in_one() -> None:
    config = "bots:\n  b: {between: [masto, bsky], for: {masto: {language: da}}}\n" + ACCOUNTS
    written({"config.yaml": config.replace("mastodon,", "mastodon, language: nb,", 1)})
    routes = json.loads(tribridge("show", "b", "--json").stdout)["routes"]
    assert {r["source"]: r["settings"]["language"] for r in routes} == {
        "masto": {"value": "nb", "from": "config.yaml:5:40"},
        "bsky": {"value": "da", "from": "config.yaml:2:55"},
    }
    assert (
        "    # language: keep  # built-in; from masto: nb (config.yaml:5:40)\n"
        in tribridge("show", "b").stdout
    )


def test_a_map_of_hashtags_is_merged_tag_by_tag() -> None:
    written({"config.yaml": LAYERS + ACCOUNTS})
    routes = json.loads(tribridge("show", "b", "--json").stdout)["routes"]
    assert {r["target"]: r["settings"]["hashtag_map"] for r in routes} == {
        "bsky": {
            "osloby": {"value": "Oslo", "from": "config.yaml:4:28"},
            "by": {"value": "stad", "from": "config.yaml:4:38"},
        },
        "x": {
            "osloby": {"value": "oslo", "from": "config.yaml:16:46"},
            "by": {"value": "stad", "from": "config.yaml:4:38"},
        },
    }


def test_a_bot_that_is_not_there_and_a_config_that_is_wrong() -> None:
    written({"config.yaml": "bots:\n  b: {from: masto, to: bsky}\n" + ACCOUNTS})
    none = tribridge("show", "c")
    assert (none.exit_code, none.stdout) == (2, "")
    assert none.stderr == "there is no bot 'c' in config.yaml; there are: b\n"
    many = "".join(f"  b{n}: {{from: masto, to: bsky}}\n" for n in range(22))
    Path("config.yaml").write_text("bots:\n" + many + ACCOUNTS, encoding="utf-8")
    assert tribridge("show", "news").stderr.endswith("b18, b19 and 2 more\n")
    Path("config.yaml").write_text("bots: {b: {from: masto}}", encoding="utf-8")
    wrong = tribridge("show", "b")
    assert wrong.exit_code == 78
    assert "config.yaml:1:" in wrong.stderr


def test_no_secret_and_no_address_needs_to_be_there() -> None:
    written({"config.yaml": "bots:\n  b: {from: masto, to: bsky, delay: 5m}\n" + ACCOUNTS})
    text = Path("config.yaml").read_text(encoding="utf-8")
    words = r"(server|access_token|app_password): ([^\s,}]+)"
    variables = re.sub(words, r'\1: "${NOT_THERE}"', text)
    assert "${NOT_THERE}" in variables
    Path("config.yaml").write_text(variables, encoding="utf-8")
    done = tribridge("show", "b")
    assert done.exit_code == 0, done.output
    assert "delay: 5m  # config.yaml:2:" in done.stdout
