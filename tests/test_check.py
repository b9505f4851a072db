"""`tribridge check`: the line with a caret, its forms, single files and standard input, warnings."""

from __future__ import annotations

import json
import random
import re
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli import main
from bridge.config import reference
from bridge.config.checking import check_all
from bridge.config.excerpt import excerpt
from bridge.config.reference import OF_NETWORKS, OTHERS, SECTIONS, page
from bridge.config.report import as_github, as_text
from bridge.config.yaml_reader import Problem, Source
from bridge.registry import NETWORKS
from bridge.schema import Policy, settings_of
from tests.pages import ROOT

#: accounts without a secret in the file; a bot's section is added at the end
ACCOUNTS = """\
accounts:
  masto: {network: mastodon, server: https://mastodon.example, access_token: "${T}"}
  bsky: {network: bluesky, handle: newsroom.example, app_password: "${T}"}
  x: {network: twitter, api_key: "${T}", api_key_secret: "${T}", access_token: "${T}",
    access_token_secret: "${T}", budget: {usd_per_month: 30}}
"""
#: the first line that follows it
NEXT = 6


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("T", "token")
    Path("bots").mkdir()


def check(*args: str, config: str | None = None, stdin: str | None = None) -> Result:
    """What `tribridge check` says after a configuration was written."""
    if config is not None:
        Path("config.yaml").write_text(config, encoding="utf-8")
    return CliRunner().invoke(main, ["check", *args], input=stdin, catch_exceptions=False)


def warnings(bots: str, **files: str) -> list[str]:
    """The warnings about a configuration that is not wrong, one a line, without their excerpts."""
    for name, text in files.items():
        Path(f"bots/{name}.yaml").write_text(text, encoding="utf-8")
    told = check("--format", "json", config=ACCOUNTS + bots)
    assert told.exit_code == 0, told.stdout
    found = json.loads(told.stdout)
    assert found["errors"] == 0
    assert found["warnings"] == len(found["findings"])
    return [f"{f['file']}:{f['line']}:{f['column']}: {f['message']}" for f in found["findings"]]


# The line and the caret


def test_the_line_is_shown_with_a_caret_below_the_place() -> None:
    told = check(config=ACCOUNTS + "bots:\n  b: {from: masto, to: bksy}\n")
    assert told.exit_code == 78
    assert told.stdout == (
        "config.yaml:7:24: there is no account 'bksy'; did you mean 'bsky'?\n"
        "  7 |   b: {from: masto, to: bksy}\n"
        "    |                        ^\n"
        f"  see {page()}#bots\n"
    )


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("from: 新闻 x", 7, "from: 新闻 x", 6),
        ("from: 新闻 x", 10, "from: 新闻 x", 11),  # each of the two takes two columns
        ("to:\tx", 5, "to: x", 4),
        ("to: x", 6, "to: x", 5),  # after the end
        ("to: x", 99, "to: x", 5),
        ("to: [" + "a, " * 40 + "b]", 127, "a, " * 16 + "b]", 49),
    ],
)
def test_where_the_caret_stands(line: str, column: int, shown: str, caret: int) -> None:
    source = Source("b.yaml", f"mode: live\n{line}\n")
    first, second = excerpt(Problem("b.yaml", 2, column, ""), source).splitlines()
    assert first.removeprefix("  2 | ").strip() == shown.strip()
    kept = first.removeprefix("  2 | ")
    at = second.removeprefix("    | ").index("^")
    assert at == caret + len(kept) - len(kept.lstrip()), (kept, second)


def test_a_line_that_is_not_there_empty_or_endless_is_not_shown() -> None:
    source = Source("b.yaml", "from: a\n   \nto: " + "a" * 3000)
    for line in (0, 2, 3, 4):
        assert excerpt(Problem("b.yaml", line, 1, ""), source) == ""


@pytest.mark.parametrize(
    ("text", "line", "shown"),
    [
        (
            "accounts:\n  m: {access_token: S3CRET, server: https://m.example}\n",
            2,
            "  m: {access_token: ***, server: https://m.example}",
        ),
        ("accounts:\n  m:\n    access_token:\n      S3CRET\n", 4, "      ***"),
        ("accounts:\n  m:\n    acces_token: 'S3 CRET'\n", 3, "    acces_token: ***"),
        ("accounts:\n  m:\n    server: https://u:S3CRET@m.example\n", 3, "    server: ***"),
        ("accounts:\n  m:\n    # access_token: S3CRET\n", 3, "    *** access_token: ***"),
        (
            "accounts:\n  m: {app_password: S3,CRET, S3CRET}\n",
            2,
            "  m: {app_password: ***,***, ***}",
        ),
        ("accounts:\n  m:\n    access_token: ${T}\n", 3, "    access_token: ${T}"),
        ("accounts:\n  m:\n    - S3CRET\n", 3, "    - ***"),
        ('"accounts":\n  m:\n   S3CRET\n', 3, "   ***"),
        ("{accounts: {m: {access_token: S3CRET", 1, "{accounts: {m: {access_token: ***"),
        ("alerts:\n  webhook: https://h.example/S3CRET\n", 2, "  webhook: ***"),
        (
            "bots:\n  m: {network: mastodon, access_token: S3CRET}\n",
            2,
            "  m: {network: mastodon, access_token: ***}",
        ),
        ("bots:\n  m:\n    acess_token: S3CRET\n", 3, "    acess_token: ***"),
        (
            "bots:\n  b:\n    steps:\n      - append: (first here)\n",
            4,
            "      - append: (first here)",
        ),
        ("only:\n  hashtags: [one, two, no]\n", 2, "  hashtags: [one, two, no]"),
    ],
)
def test_the_line_shows_no_secret(text: str, line: int, shown: str) -> None:
    told = excerpt(Problem("c.yaml", line, 1, ""), Source("c.yaml", text))
    assert told.splitlines()[0] == f"  {line} | {shown}"
    assert "S3CRET" not in told


MARK = "S3CR3T"
WITH_SECRETS = f"""\
alerts:
  webhook: https://hooks.example/{MARK}
accounts:
  masto:
    network: mastodon
    server: https://mastodon.example
    access_token: {MARK}
  bsky:
    network: bluesky
    handle: newsroom.example
    app_password: "{MARK}"
  x: {{network: twitter, api_key: {MARK}, api_key_secret: {MARK}, access_token: {MARK},
    access_token_secret: '{MARK}', budget: {{usd_per_month: 30}}}}
bots:
  b: {{from: masto, to: [bsky, x], long: thread}}
"""


def test_no_mistake_makes_it_show_a_secret() -> None:
    seed = 20
    chance = random.Random(seed)
    shown = 0
    for turn in range(1500):
        text = WITH_SECRETS
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(text))
            while MARK[:3] in text[max(0, at - 6) : at + 7]:  # else it is no secret any more
                at = chance.randrange(len(text))
            text = chance.choice(
                [
                    text[:at] + text[at + 1 :],
                    text[:at] + chance.choice("{}[]:,'\"&*#|>-\t \n@%") + text[at:],
                    text[:at] + "\n" + " " * chance.randrange(6) + text[at:],
                ]
            )
        Path("config.yaml").write_text(text, encoding="utf-8")
        checked = check_all(Path("config.yaml"), {})
        told = as_text(checked.findings, checked.sources)
        lines = [line for line in told.splitlines() if line.startswith("  ")]
        shown += bool(lines)
        assert MARK not in "\n".join(lines), f"seed {seed}, turn {turn}:\n{text}\n{told}"
    assert shown > 1000


# Where to read about it


@pytest.mark.parametrize(
    ("text", "anchor"),
    [
        ("timezon: UTC\n", "at-the-top-of-configyaml"),
        ("timezone: 1\n", "at-the-top-of-configyaml"),
        ("state: {fil: a}\n", "state"),
        ("alerts: {after: 1}\n", "alerts"),
        ("groups: {a: [nobody]}\n", "groups"),
        ("people: {a: {myspace: b}}\n", "at-the-top-of-configyaml"),
        ("defaults: {long: no}\n", "bots"),
        ("defaults: {skip: {word: a}}\n", "only-and-skip"),
        ("defaults: {for: {x: {only: {words: 1}}}}\n", "only-and-skip"),
        ("bots: {b: {from: masto, to: bsky, steps: [{append: 1}]}}\n", "steps"),
        ("bots: {b: {from: masto, to: bsky, steps: [{apend: a}]}}\n", "steps"),
        ("bots: {b: {from: masto, to: x, tests: [{given: {text: a, txt: a}}]}}\n", "tests"),
        ("bots: {b: {from: masto}}\n", "bots"),
    ],
)
def test_a_mistake_names_the_part_of_the_page_that_tells(text: str, anchor: str) -> None:
    told = json.loads(check("--format", "json", config=text + ACCOUNTS).stdout)
    assert [f["see"] for f in told["findings"]] == [f"{page()}#{anchor}"]
    Path("config.yaml").write_text(ACCOUNTS, encoding="utf-8")
    told = json.loads(check("--format", "json", "-", stdin="from: masto\nto: x\nlng: a\n").stdout)
    assert [f["see"] for f in told["findings"]] == [f"{page()}#bots"]


@pytest.mark.parametrize("network", NETWORKS)
def test_a_mistake_in_an_account_names_its_network(network: str) -> None:
    told = check("--format", "json", config=f"accounts: {{a: {{network: {network}, nmae: b}}}}\n")
    findings = json.loads(told.stdout)["findings"]
    assert {f["see"] for f in findings} == {f"{page()}#{OF_NETWORKS[network]}"}
    unknown = check("--format", "json", config="accounts: {a: {network: myspace}}\n")
    assert json.loads(unknown.stdout)["findings"][0]["see"] == f"{page()}#accounts"


def test_what_is_no_yaml_names_no_setting() -> None:
    told = check("--format", "json", config="bots: [\n")
    assert [f["see"] for f in json.loads(told.stdout)["findings"]] == [""]
    assert "see " not in check(config="bots: [\n").stdout


def test_the_page_has_every_part_that_is_named() -> None:
    text = Path(page()).read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    assert anchors >= {*OF_NETWORKS.values(), *SECTIONS, *OTHERS}
    assert set(OF_NETWORKS) == set(NETWORKS)


def test_the_wheel_has_the_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    packed = build["build"]["targets"]["wheel"]["force-include"]
    assert packed["docs/reference/settings.md"] == "bridge/_shipped/settings.md"
    monkeypatch.setattr(reference, "PACKAGE", tmp_path / "bridge")
    (tmp_path / "bridge" / "_shipped").mkdir(parents=True)
    (tmp_path / "bridge" / "_shipped" / "settings.md").touch()
    assert page() == "bridge/_shipped/settings.md"  # from the current folder


# Forms


def test_the_form_for_programs() -> None:
    told = check("--format", "json", config="bots:\n  b: {from: a}\n")
    assert told.exit_code == 78
    assert json.loads(told.stdout) == {
        "errors": 2,
        "warnings": 0,
        "findings": [
            {
                "severity": "error",
                "file": "config.yaml",
                "line": 2,
                "column": column,
                "message": message,
                "see": f"{page()}#bots",
            }
            for column, message in (
                (3, "the bot 'b' needs either from and to, or between"),
                (13, "there is no account 'a'"),
            )
        ],
    }
    fine = check("--format", "json", config=ACCOUNTS)
    assert json.loads(fine.stdout) == {"errors": 0, "warnings": 0, "findings": []}


def test_the_form_for_github() -> None:
    bots = "bots:\n  b: {from: masto, to: bksy}\n"
    told = check("--format", "github", config=ACCOUNTS + bots)
    assert told.exit_code == 78
    assert told.stdout == (
        "::error file=config.yaml,line=7,col=24::there is no account 'bksy'; did you mean 'bsky'?\n"
    )
    assert check("--format", "github", config=ACCOUNTS).stdout == ""
    warned = check("--format", "github", config=ACCOUNTS.replace('"${T}"', "t", 1))
    assert warned.stdout.startswith("::warning file=config.yaml,line=2,col=78::the secret")


def test_what_github_would_take_for_its_own_signs_is_escaped() -> None:
    told = as_github([("error", Problem("a,b:c%.yaml", 1, 2, "100 %\n::error::x"))])
    assert told == "::error file=a%2Cb%3Ac%25.yaml,line=1,col=2::100 %25%0A::error::x"


# Single files


def test_only_what_stands_in_the_files_is_told() -> None:
    Path("bots/one.yaml").write_text("from: masto\nto: bksy\n")
    Path("bots/two.yaml").write_text("from: masto\nto: x\n")
    Path("bots/three.yaml").write_text("from: masto\nlong: no\nto: x\n")
    one = check("bots/one.yaml", config=ACCOUNTS)
    assert (one.exit_code, one.stdout.splitlines()[0]) == (
        78,
        "bots/one.yaml:2:5: there is no account 'bksy'; did you mean 'bsky'?",
    )
    assert "three" not in one.stdout
    two = check("bots/two.yaml")
    assert two.exit_code == 0
    assert two.stdout == (
        "bots/two.yaml: fine; other files have 2 problems: see `tribridge check`\n"
    )
    both = check("--format", "json", "bots/one.yaml", "bots/three.yaml")
    assert [f["file"] for f in json.loads(both.stdout)["findings"]] == [
        "bots/one.yaml",
        "bots/three.yaml",
    ]


def test_a_bot_that_is_not_in_its_folder_yet() -> None:
    Path("config.yaml").write_text(ACCOUNTS)
    Path("draft.txt").write_text("from: masto\nto: [x, bksy]\n")
    told = check("draft.txt")
    assert told.exit_code == 78
    assert told.stdout.startswith("draft.txt:2:9: there is no account 'bksy'")
    assert list(Path("bots").iterdir()) == []


def test_a_bot_is_checked_with_the_accounts_beside_its_folder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("config.yaml").write_text(ACCOUNTS)
    Path("bots/b.yaml").write_text("from: masto\nto: bksy\n")
    Path("elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    file = Path("..").resolve() / "bots" / "b.yaml"
    assert "did you mean 'bsky'?" in check(str(file)).stdout
    told = check("--config", "nowhere.yaml", str(file))
    assert told.exit_code == 78
    assert "nowhere.yaml:1:1: there is no such file" in told.stdout


def test_standard_input_is_a_bot_or_a_configuration() -> None:
    Path("config.yaml").write_text(ACCOUNTS)
    bot = check("-", stdin="from: masto\nto: bksy\n")
    assert bot.exit_code == 78
    assert bot.stdout.startswith("<stdin>:2:5: there is no account 'bksy'; did you mean 'bsky'?\n")
    fine = check("-", stdin="from: masto\nto: bsky\n")
    assert (fine.exit_code, fine.stdout) == (0, "<stdin>: fine\n")
    config = check("-", stdin="accounts:\n  a: {network: blusky}\n")
    assert config.stdout.startswith("<stdin>:2:16: 'network' takes twitter, mastodon or bluesky")
    assert Path("config.yaml").read_text() == ACCOUNTS


def test_standard_input_stands_for_the_file_that_it_will_be() -> None:
    Path("config.yaml").write_text(ACCOUNTS)
    Path("bots/b.yaml").write_text("from: masto\nto: nobody\n")
    told = check("--stdin-filename", "bots/b.yaml", "-", stdin="from: masto\nto: x\n")
    assert (told.exit_code, told.stdout) == (0, "<stdin>: fine\n")
    told = check("--stdin-filename", "bots/b.yaml", "-", stdin="from: masto\nto: y\n")
    assert told.stdout.startswith("bots/b.yaml:2:5: there is no account 'y'")


@pytest.mark.parametrize(
    "data", [b"", b"\xff", b"\0", b"[" * 2_000_000, b"from: {{ x }}", b"a: &a [*a]"]
)
def test_standard_input_that_is_no_bot(data: bytes) -> None:
    Path("config.yaml").write_text(ACCOUNTS)
    told = CliRunner().invoke(main, ["check", "-"], input=data, catch_exceptions=False)
    assert told.exit_code == 78
    assert told.stdout.startswith("<stdin>:1:")


def test_a_file_that_is_not_there_is_wrong_usage() -> None:
    told = check("bots/none.yaml", config=ACCOUNTS)
    assert told.exit_code == 2
    assert "bots/none.yaml" in told.stderr


# Warnings


def test_nothing_surprising_is_no_warning() -> None:
    bots = (
        "bots:\n"
        "  a: {from: masto, to: bsky, only: {hashtags: [a, nobridge], languages: [en]},"
        " skip: {languages: [en-GB]}}\n"
        "  b: {from: bsky, to: masto, steps: [append: (first on Bluesky)]}\n"
        "  c: {from: masto, to: bsky, mode: disabled, only: {hashtags: nobridge}}\n"
        "  d: {from: masto, to: x, only: {matching: a}, skip: {matching: b}}\n"
    )
    assert warnings(bots) == []
    assert check().stdout == "config.yaml: 3 accounts, 4 bots: fine\n"


def test_two_bots_for_the_same_pair_are_told_once() -> None:
    bots = "bots:\n  a: {between: [masto, bsky, x]}\n  b: {from: masto, to: bsky}\n"
    assert warnings(bots, c="from: [masto, bsky]\nto: x\n") == [
        "bots/c.yaml:1:1: the bot 'c' mirrors 'masto' to 'x', as 'a' does (config.yaml:7:3):"
        " a post goes out once, by the first that takes it",
        "config.yaml:8:3: the bot 'b' mirrors 'masto' to 'bsky', as 'a' does (config.yaml:7:3):"
        " a post goes out once, by the first that takes it",
    ]


@pytest.mark.parametrize(
    ("only", "skip", "what"),
    [
        ("hashtags: ['#News', b]", "hashtags: [B, news, c]", "hashtags"),
        ("words: [Utkast]", "words: [utkast, kladd]", "words"),
        ("languages: [en-GB, nb]", "languages: [en, NB]", "languages"),
        ("visibility: unlisted", "visibility: [unlisted]", "visibility"),
        ("matching: 'a+'", "matching: 'a+'", "matching"),
        ("kinds: [boost]", "kinds: [reply, boost]", "kinds"),
        ("has: [image, poll]", "has: [poll, media]", "has"),
        ("apps: Buffer", "apps: [buffer, IFTTT]", "apps"),
        ("weekdays: sat-sun", "weekdays: fri-mon", "weekdays"),
        ("hours: [22-6, 12-13]", "hours: [12:00-14:00, 21:30-6:00]", "hours"),
        ("longer_than: 500", "longer_than: 500", "longer_than"),
        ("shorter_than: 50", "shorter_than: 60", "shorter_than"),
    ],
)
def test_a_bot_that_can_never_take_a_post(only: str, skip: str, what: str) -> None:
    bots = f"bots:\n  a:\n    from: masto\n    to: x\n    only: {{{only}}}\n    skip: {{{skip}}}\n"
    bots += "timezone: Europe/Oslo\n"
    at = len(f"    only: {{{what}: ") + 1
    assert warnings(bots) == [
        f"config.yaml:10:{at}: no post can pass: 'only' asks for {what} that 'skip' leaves out"
        f" (only: config.yaml:10:{at}, skip: config.yaml:11:{at})"
    ]


@pytest.mark.parametrize(
    ("only", "skip"),
    [
        ("has: [image, link]", "has: media"),
        ("weekdays: sat-mon", "weekdays: sat-sun"),
        ("hours: 22-6", "hours: 22:01-6"),
        ("longer_than: 499", "longer_than: 500"),
        ("shorter_than: 50, longer_than: 48", "shorter_than: 49"),
        ("kinds: [reply, quote]", "kinds: reply"),
    ],
)
def test_what_leaves_something_is_no_contradiction(only: str, skip: str) -> None:
    bots = f"bots: {{a: {{from: masto, to: x, only: {{{only}}}, skip: {{{skip}}}}}}}\n"
    assert warnings(bots + "timezone: Europe/Oslo\n") == []


@pytest.mark.parametrize(
    ("only", "told"),
    [
        (
            "shorter_than: 50, longer_than: 49",
            "no post can pass: none is longer than 49 and shorter than 50 characters"
            " (longer_than: config.yaml:6:70, shorter_than: config.yaml:6:53)",
        ),
        ("kinds: reply", "no post can pass: a reply goes out only where what it answers did"),
        (
            "older_than: 1h",
            "a post is judged when the bot first reads it: one that is newer is left out for good",
        ),
    ],
)
def test_only_may_ask_for_what_never_comes(only: str, told: str) -> None:
    (found,) = warnings(f"bots: {{a: {{from: masto, to: x, only: {{{only}}}}}}}\n")
    assert found.partition(": ")[2] == told
    assert found.startswith("config.yaml:6:")


def test_only_one_network_names_programs() -> None:
    bots = "bots:\n  a: {from: [bsky, masto], to: x, only: {apps: Buffer}}\n"
    assert warnings(bots) == [
        "config.yaml:7:48: no post can pass: Bluesky does not tell with which program a post was"
        " written"
    ]


def test_a_contradiction_is_told_where_it_is_made_for_a_target() -> None:
    bots = (
        "defaults: {skip: {words: [draft]}}\n"
        "bots:\n  a:\n    from: masto\n    to: [bsky, x]\n    for: {x: {only: {words: Draft}}}\n"
    )
    assert warnings(bots) == [
        "config.yaml:11:29: no post can pass: 'only' asks for words that 'skip' leaves out"
        " (only: config.yaml:11:29, skip: config.yaml:6:26)"
    ]
    assert warnings("bots: {a: {from: masto, to: x, only: {hashtags: nobridge}}}") == [
        "config.yaml:6:49: no post can pass: 'only' asks for hashtags that 'skip' leaves out"
        " (only: config.yaml:6:49, skip: built-in)"
    ]


@pytest.mark.parametrize(
    ("long", "becomes"),
    [
        ("thread", "every copy becomes a thread"),
        ("numbered", "every copy becomes a thread"),
        ("truncate", "every copy is cut"),
        ("skip", "every post is skipped"),
    ],
)
def test_text_that_no_post_has_room_for(long: str, becomes: str) -> None:
    bots = f"bots:\n  a: {{from: masto, to: [x], long: {long}, steps: [append: '{'å' * 281}']}}\n"
    at = bots.splitlines()[1].index("[append") + 1
    assert warnings(bots) == [
        f"config.yaml:7:{at}: the text that steps add has 281 weighted characters, and Twitter (X)"
        f" takes 280: {becomes}"
    ]


@pytest.mark.parametrize(
    ("to", "text", "told"),
    [
        ("x", "新" * 140, ""),
        ("x", "新" * 141, "282 weighted characters"),
        ("x", "https://city.no/" + "a" * 300, ""),  # X counts 23 for any address
        ("bsky", "新" * 300, ""),
        ("bsky", "新" * 301, "301 characters"),
        ("bsky", "👨‍👩‍👧‍👦" * 121, "3025 bytes"),
        ("masto", "a" * 600, ""),  # each server has its own limit
    ],
)
def test_how_long_the_text_may_be_is_what_the_network_counts(to: str, text: str, told: str) -> None:
    source = "masto" if to != "masto" else "bsky"
    found = warnings(f"bots: {{a: {{from: {source}, to: {to}, steps: [append: '{text}']}}}}")
    assert [told in line for line in found] == ([True] if told else [])


def test_what_is_read_more_seldom_than_it_may_be_old() -> None:
    bots = """\
bots:
  a: {from: masto, to: [bsky, x], every: 1h, for: {x: {max_age: 30m}, bsky: {max_age: 1h}}}
  b: {from: bsky, to: x, every: 3d}
  c: {from: x, to: bsky, every: 3d, max_age: 1d, mode: disabled}
  d: {from: x, to: masto, cron: 0 8 * * mon, max_age: 1d}
timezone: Europe/Oslo
"""
    assert warnings(bots) == [
        f"config.yaml:{NEXT + 1}:65: max_age (30m) is shorter than every (1h): what the bot 'a'"
        " finds late is held as too old",
        f"config.yaml:{NEXT + 2}:33: max_age (2d) is shorter than every (3d): what the bot 'b'"
        " finds late is held as too old",
    ]


def test_every_way_with_a_long_text_has_words_for_it() -> None:
    (long,) = (setting for setting in settings_of(Policy) if setting.name == "long")
    for choice in long.choices:
        text = "ord " * 100
        told = warnings(
            f"bots:\n  b: {{from: masto, to: bsky, long: {choice}, steps: [append: {text}]}}\n"
        )
        assert len(told) == 1


def test_all_that_steps_add_counts_together() -> None:
    steps = f"[prepend: {'a' * 139}, append: {'b' * 139}]"
    assert warnings(f"bots: {{a: {{from: masto, to: x, steps: {steps}}}}}") == []
    steps = steps.replace("a]", "aa]").replace(f"{'b' * 139}", "b" * 140)
    (found,) = warnings(f"bots: {{a: {{from: masto, to: x, steps: {steps}}}}}")
    assert "281 weighted characters" in found


@pytest.mark.parametrize(
    ("step", "warned"),
    [
        (f"template: '{{{{ text }}}} {'a' * 281}'", True),
        (f"template: '{{% if tags %}}{'a' * 281}{{% endif %}}'", False),  # not of every post
        (f"template: '{{{{ text }}}} {'a' * 280}'", False),
        (f"attribution: '{{{{ url }}}}{'a' * 281}'", True),
        (f"replace: {{text: a, by: {'b' * 300}}}", False),
        (f"content_warning: {{{'a' * 300}: b}}", False),
    ],
)
def test_whatever_a_step_adds_to_every_post_counts(step: str, warned: bool) -> None:
    bots = f"bots:\n  a:\n    from: masto\n    to: x\n    steps:\n      - {step}\n"
    assert [("281 weighted characters" in line) for line in warnings(bots)] == [True] * warned


def test_what_steps_add_is_what_comes_after_the_last(tmp_path: Path) -> None:
    bots = (
        "bots:\n  a:\n    from: masto\n    to: x\n    steps:\n"
        f"      - append: {'a' * 200}\n      - replace: {{text: a, by: bb}}\n"
    )
    (found,) = warnings(bots)
    assert "400 weighted characters" in found


def test_a_secret_in_the_file_is_told_and_not_shown() -> None:
    config = ACCOUNTS.replace('"${T}"', "S3CRET", 1)
    told = check(config="alerts: {webhook: https://h.example/S3CRET}\n" + config)
    assert told.exit_code == 0
    assert "S3CRET" not in told.stdout
    lines = [line for line in told.stdout.splitlines() if not line.startswith("  ")]
    move = "move it out: ${NAME} is an environment variable, ${file:PATH} a file"
    assert lines == [
        f"config.yaml:1:19: warning: the secret 'webhook' stands here as it is; {move}",
        f"config.yaml:3:78: warning: the secret 'access_token' stands here as it is; {move}",
        "config.yaml: 3 accounts, 0 bots: fine, with 2 warnings",
    ]


def test_warnings_wait_until_nothing_is_wrong() -> None:
    bots = "bots: {a: {from: masto, to: x, only: {hashtags: nobridge}, long: no}}"
    told = json.loads(check("--format", "json", config=ACCOUNTS + bots).stdout)
    assert (told["errors"], told["warnings"]) == (1, 0)
