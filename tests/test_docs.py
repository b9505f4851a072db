"""The documentation is true: its configs pass the checker, its commands run, its tables are the code's.

Conventions of the pages. A ```yaml block is a whole config.yaml; one that begins with
`# bots/NAME.yaml` is a bot's file, one that begins with `# part of config.yaml` a part, both completed
by config.example.yaml. ```sh blocks run here, but for those that install or call make.
"""

from __future__ import annotations

import ast
import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from sqlite_utils import Database

from bridge import config, network, outbox, overview
from bridge.cli import CONFIGURATION, FAILURE, OVERDUE, main
from bridge.demo.posts import POSTS
from bridge.sandbox import Sandbox
from bridge.schema import Kind
from bridge.simulation import Fault
from bridge.store.migrations import migrations
from tests import make_reference
from tests.world import World

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return [body for info, body in FENCE.findall(text) if info == language]


def section(text: str, heading: str) -> str:
    """What stands under a heading of the second level."""
    return text.split(f"\n## {heading}\n")[1].split("\n## ", maxsplit=1)[0]


def rows(text: str, mark: str) -> list[list[str]]:
    """The cells of the first table after a mark, without its head."""
    lines = text[text.index(mark) :].split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith("|"))
    table = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        table.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return table


def code(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# What is made from the code


def test_the_page_of_settings_is_current() -> None:
    assert make_reference.SETTINGS.read_text(encoding="utf-8") == make_reference.settings_page(), (
        "run python -m tests.make_reference"
    )


def test_the_help_on_the_page_of_commands_is_current() -> None:
    page = make_reference.COMMANDS.read_text(encoding="utf-8")
    assert page == make_reference.commands_page(page), "run python -m tests.make_reference"
    assert set(re.findall(r"^## (\w+)$", page, re.MULTILINE)) == set(main.commands)


def test_every_kind_of_setting_has_words() -> None:
    assert set(make_reference.KINDS) == set(get_args(Kind))


# Tables


def test_the_layers_are_those_that_are_enforced() -> None:
    contracts = tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    listed = text_of("docs/architecture.md").split("<!-- layers -->")[1].split("\n## ")[0]
    told = re.findall(r"^\d+\. (.*)$", listed, re.MULTILINE)
    assert [line.replace("`", "") for line in told] == layers


def test_the_tables_and_their_keys_are_those_of_the_state() -> None:
    db = Database(memory=True)
    migrations.apply(db)
    found = {}
    for name in db.table_names():
        if name.startswith(("_", "sqlite_")):
            continue
        unique = [i.columns for i in db.table(name).indexes if i.unique and i.origin == "c"]
        found[name] = (list(db.table(name).pks), *unique)
    told = {}
    for name, _, key in rows(text_of("docs/architecture.md"), "<!-- tables -->"):
        told[code(name)[0]] = tuple(code(part) for part in key.split("unique:"))
    assert told == found
    db.close()


def test_the_five_kinds_of_error_are_told() -> None:
    kinds = {kind.__name__ for kind in network.ClientError.__subclasses__()}
    told = rows(text_of("docs/architecture.md"), "## Five kinds of error")
    assert {code(name)[0] for name, *_ in told} == kinds


def test_the_exit_codes_are_those_of_the_program() -> None:
    told = {int(row[0]) for row in rows(text_of("docs/reference/commands.md"), "## Exit codes")}
    assert told == {0, 2, FAILURE, OVERDUE, CONFIGURATION}


def test_the_numbers_of_the_pages_are_those_of_the_code() -> None:
    from bridge.daemon import GRACE

    page = text_of("docs/how-to/operate.md")
    assert f"up to {GRACE:.0f} seconds" in page
    assert f"after {outbox.FIRST_WAIT.seconds} seconds, then" in page
    assert f"at most every {outbox.LONGEST_WAIT.seconds // 60} minutes" in page
    page = text_of("docs/architecture.md")
    assert f"not before {outbox.SERVER_MAY_ACT.seconds} seconds" in page
    assert f"not after {outbox.KEY_LIFE.seconds // 60} minutes" in page
    assert f"two readings {outbox.BETWEEN_READINGS.seconds} seconds apart" in page


REASONS = {
    "ingest": {"Skip"},
    "steps": {"Skip"},
    "render": {"Skip", "Loss"},
    "outbox": {"Wait", "Stop"},
    "media": {"Refused", "Unreachable"},
}


def reasons() -> Iterator[str]:
    """The fixed words of every reason that the program gives itself."""
    for module, names in REASONS.items():
        tree = ast.parse(text_of(f"bridge/{module}.py"))
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
                continue
            if node.func.id not in names:
                continue
            for argument in node.args:
                parts = argument.values if isinstance(argument, ast.JoinedStr) else [argument]
                for part in parts:
                    words = part.value if isinstance(part, ast.Constant) else None
                    if isinstance(words, str) and (" " in words.strip() or node.func.id == "Skip"):
                        yield words.strip(" (){}:,")


def test_every_reason_is_explained() -> None:
    page = " ".join(text_of("docs/how-to/operate.md").split())
    told = [reason for reason in reasons() if len(reason) > 3]
    assert len(told) > 40
    assert [reason for reason in told if reason not in page] == []


# JSON


def paths(value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf of a JSON value: its path and its type; keys below `accounts` are names."""
    if isinstance(value, dict):
        for key, inner in value.items():
            named = re.fullmatch(r"(mastodon|bluesky|twitter)\.accounts", at)
            yield from paths(inner, f"{at}.{'NAME' if named else key}".lstrip("."))
    elif isinstance(value, list):
        for item in value:
            yield from paths(item, at + "[]")
    else:
        kinds = {str: "string", int: "number", type(None): "null"}
        yield at, kinds[type(value)]


def assert_documented(command: str, *printed: Any) -> None:
    told = {
        code(field)[0]: set(kind.split(" or "))
        for field, kind, _ in rows(
            text_of("docs/reference/commands.md"), f"<!-- fields: {command} -->"
        )
    }
    found: dict[str, set[str]] = {}
    for value in printed:
        for path, kind in paths(json.loads(json.dumps(value))):
            found.setdefault(path, set()).add(kind)
    assert told == found


@pytest.fixture
def mirrored(tmp_path: Path) -> Iterator[World]:
    """A world where a long post with a video lost something, and another was refused."""
    made = World(tmp_path, "one: {from: m, to: [b, x], long: truncate}")
    made.read("m")
    made.say("m", "A sentence that goes on. " * 15)
    made.read("m")
    made.deliver("b")
    made.say("m", "Dette tar ikke nettverket imot")
    made.simulator("b").faults.append(Fault("answer", "POST ", status=400, body="{}"))
    made.read("m")
    made.deliver("b")
    yield made
    made.close()


def test_the_fields_of_status_are_documented(mirrored: World) -> None:
    from bridge.workers import Pulse

    before = overview.status(mirrored.config, None)
    pulse = Pulse()
    now = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
    pulse.read("m", ["one"], now, {})
    pulse.delivered("b", now, network.Unreachable("cannot reach it"))
    pulse.save(mirrored.config.state.file)
    after = overview.status(mirrored.config, mirrored.store)
    assert after["troubled"]
    assert_documented("status", before, after)


def test_the_fields_of_links_are_documented(mirrored: World) -> None:
    assert_documented("links", overview.links(mirrored.store))


def test_the_fields_of_sandbox_are_documented() -> None:
    sandbox = Sandbox()
    printed = sandbox.start()
    sandbox.stop()
    assert_documented("sandbox", printed)


# Configs


def environment_for(text: str, folder: Path) -> dict[str, str]:
    """A value for every variable that a config names, and a file for every `${file:...}`."""
    for name in re.findall(r"\$\{file:([^}]+)\}", text):
        (folder / name).write_text("secret")
    names = re.findall(r"(?<!\$)\$\{(\w+)\}", text)
    urls = ("_SERVER", "_SERVICE", "_API")
    return {
        n: f"https://{n.lower().replace('_', '-')}.example" if n.endswith(urls) else n
        for n in names
    }


def merged(base: Any, part: Any) -> Any:
    if isinstance(base, dict) and isinstance(part, dict):
        return base | {key: merged(base.get(key), value) for key, value in part.items()}
    return part


YAML = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page.read_text(encoding="utf-8"), "yaml"))
]


@pytest.mark.parametrize("block", YAML)
def test_every_config_of_the_pages_passes_the_check(block: str, tmp_path: Path) -> None:
    example = yaml.safe_load(text_of("config.example.yaml"))
    del example["bots"]
    first = block.split("\n", 1)[0]
    files = {"config.yaml": block}
    if first.startswith("# part of config.yaml"):
        files = {"config.yaml": yaml.safe_dump(merged(example, yaml.safe_load(block)))}
    elif name := re.fullmatch(r"# (bots/[\w-]+\.yaml)", first):
        files = {"config.yaml": yaml.safe_dump(example), name[1]: block}
    for name, text in files.items():  # type: ignore[assignment]
        file = tmp_path / str(name)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    environ = environment_for("\n".join(files.values()), tmp_path)
    loaded = config.load(tmp_path / "config.yaml", environ)
    assert loaded.accounts
    assert loaded.bots or "bots" not in block


def test_the_pages_have_configs() -> None:
    assert len(YAML) >= 4


def test_the_unit_starts_a_command_that_there_is() -> None:
    (text,) = blocks(text_of("docs/how-to/operate.md"), "ini")
    unit = configparser.ConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    program, name, *arguments = shlex.split(unit["Service"]["ExecStart"])
    assert program.endswith("/tribridge")
    main.commands[name].make_context(name, arguments, parent=main.make_context("tribridge", [name]))
    assert unit["Service"]["RestartPreventExitStatus"] == str(CONFIGURATION)


# Commands


def commands(block: str) -> list[str]:
    return [line for line in block.splitlines() if line.strip()]


INSTALLING = ("make ", "pip install .", "python -m tests.make_reference")
#: blocks that run below, as (page, section)
SESSIONS = [
    ("README.md", "With your own accounts"),
    ("README.md", "Try it by hand"),
    ("docs/how-to/operate.md", "As a service"),
    ("docs/how-to/operate.md", "Backups"),
    ("docs/how-to/operate.md", "Watching it"),
    ("docs/how-to/operate.md", "Why a post was not mirrored"),
]


def test_every_command_of_the_pages_is_tried_or_installs_something_that_there_is() -> None:
    targets = set(re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE))
    tried = {block for page, name in SESSIONS for block in to_run(page, name)}
    assert len(tried) >= 10
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for block in blocks(text, "sh"):
            for line in [] if block in tried else commands(block):
                assert line.startswith(INSTALLING), f"{page.name}: nothing tries {line!r}"
        for target in re.findall(r"(?:`|^)make (?:PYTHON=\S+ )?(\w+)", text, re.MULTILINE):
            assert target in targets
        for name in re.findall(r"`tribridge (\w+)", text):
            assert name in {*main.commands, "NAME"}


def to_run(page: str, name: str) -> list[str]:
    found = blocks(section(text_of(page), name), "sh")
    return [b for b in found if not all(line.startswith(INSTALLING) for line in commands(b))]


#: stands in for curl where there is none: the options that the pages use
CURL = """\
#!{python}
import sys
from urllib.request import Request, urlopen
from urllib.parse import quote
words = [word for word in sys.argv[1:] if word != "-s"]
headers, data = {{}}, None
while "-H" in words:
    at = words.index("-H")
    name, value = words[at + 1].split(": ", 1)
    headers[name] = value
    del words[at : at + 2]
if "-d" in words:
    at = words.index("-d")
    data = quote(words[at + 1], safe="=&").encode()
    del words[at : at + 2]
(url,) = words
print(urlopen(Request(url, data, headers)).read().decode())
"""

#: waits for words in a file, at most a minute
UNTIL = """
until_in() {
  for _ in $(seq 600); do if grep -q "$1" "$2"; then return; fi; sleep 0.1; done
  cat "$2" >&2; exit 99
}
stop_all() { kill $(jobs -p) 2>/dev/null || true; }
trap stop_all EXIT
"""


def shell(folder: Path, script: str, *, real_curl: bool = True, **environ: str) -> str:
    """What a script prints that runs as people would run it, with `tribridge` and `curl` on the path."""
    bin_folder = folder.parent / f"{folder.name}-bin"
    bin_folder.mkdir(exist_ok=True)
    tools = {"tribridge": f'#!/bin/sh\nexec "{sys.executable}" -m bridge "$@"\n'}
    tools["sqlite-utils"] = f'#!/bin/sh\nexec "{sys.executable}" -m sqlite_utils "$@"\n'
    tools["python3"] = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
    if not real_curl or shutil.which("curl") is None:
        tools["curl"] = CURL.format(python=sys.executable)
    for name, text in tools.items():
        (bin_folder / name).write_text(text)
        (bin_folder / name).chmod(0o755)
    env = {"PATH": f"{bin_folder}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **environ}
    done = subprocess.run(
        ["bash", "-euc", UNTIL + script],
        cwd=folder,
        env=env,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_stand_in_for_curl_can_do_what_the_pages_ask_of_it(tmp_path: Path) -> None:
    sandbox = Sandbox()
    printed = sandbox.start()
    *_, post, _, _ = to_run("README.md", "Try it by hand")
    token = printed["mastodon"]["accounts"]["newsroom"]["access_token"]
    where = {"MASTODON_SERVER": printed["mastodon"]["server"], "MASTODON_TOKEN": token}
    out = shell(tmp_path, post, real_curl=False, **where)
    assert json.loads(out)["content"] == "<p>Hello from curl</p>"
    sandbox.stop()


def test_trying_it_by_hand_as_the_readme_says_mirrors_a_post(tmp_path: Path) -> None:
    here = section(text_of("README.md"), "Try it by hand")
    (settings,) = blocks(here, "yaml")
    (tmp_path / "config.yaml").write_text(settings)
    keys, start, post, look, end = to_run("README.md", "Try it by hand")
    arrived = """
for _ in $(seq 600); do
  if [ "$(tribridge links | grep -c -- '->')" = 2 ]; then break; fi; sleep 0.1
done
"""
    run = start.replace("tribridge run &", "tribridge run 2> run.log &\nuntil_in running run.log")
    assert run != start
    out = shell(tmp_path, keys + run + post + arrived + look + end)
    assert "config.yaml: 3 accounts, 1 bots: fine" in out
    page, _ = json.JSONDecoder().raw_decode(out[out.index('{"cursor"') :])
    assert [record["value"]["text"] for record in page["records"]] == ["Hello from curl"]
    assert out.count("  -> newsroom_") == 2
    assert "Nothing is held, dead or late" in out
    assert sorted(f.name for f in tmp_path.iterdir()) == ["config.yaml", "run.log"]


def test_ones_own_accounts_and_the_commands_of_an_operator_as_the_pages_say(tmp_path: Path) -> None:
    sandbox = Sandbox()
    printed = sandbox.start()
    begin, go = to_run("README.md", "With your own accounts")
    shell(tmp_path, begin)
    text = (tmp_path / "config.yaml").read_text()
    for old, new in (
        ("server: https://mastodon.example", f"server: {printed['mastodon']['server']}"),
        (
            "handle: newsroom.example",
            f"handle: newsroom.test\n    service: {printed['bluesky']['service']}",
        ),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "config.yaml").write_text(text)
    keys = {
        "your token": printed["mastodon"]["accounts"]["newsroom"]["access_token"],
        "your app password": printed["bluesky"]["accounts"]["newsroom.test"]["app_password"],
    }
    for old, new in keys.items():
        assert f"'{old}'" in go
        go = go.replace(f"'{old}'", new)
    assert go.endswith("tribridge run\n")
    go = go.removesuffix("tribridge run\n")
    daemon = "tribridge run --log json 2> run.log &\nuntil_in 'from here on' run.log\n"
    operate = "docs/how-to/operate.md"
    at_work = "".join(
        block
        for name in ("As a service", "Watching it", "Why a post was not mirrored")
        for block in to_run(operate, name)
    )
    out = shell(
        tmp_path,
        go + daemon + at_work + "kill %1\nwait %1\n" + "".join(to_run(operate, "Backups")),
    )
    sandbox.stop()
    assert out.count("config.yaml: 2 accounts, 1 bots: fine") == 2
    assert '"troubled": []' in out
    assert {"tribridge.db", "tribridge.db-wal"} <= {f.name for f in (tmp_path / "backup").iterdir()}
    (line,) = blocks(text_of(operate), "json")
    logged = json.loads((tmp_path / "run.log").read_text().splitlines()[0])
    assert json.loads(line).keys() == logged.keys()


def test_files_beside_the_state_are_those_that_the_page_names(mirrored: World) -> None:
    from bridge.store import Store
    from bridge.workers import Pulse

    store = Store.open(mirrored.config.state.file)
    store.own("run")
    pulse = Pulse()
    pulse.delivered("b", datetime.fromisoformat("2026-11-22T12:00:00+00:00"), None)
    pulse.save(mirrored.config.state.file)
    found = {file.name for file in mirrored.config.state.file.parent.iterdir()}
    store.close()
    told = {
        name
        for files, _ in rows(text_of("docs/how-to/operate.md"), "## Where the state lives")
        for name in code(files)
    }
    assert told <= found | {"config.yaml"}


# Everything else


def test_the_recorded_demo_shows_posts_of_the_demo() -> None:
    recorded = blocks(section(text_of("README.md"), "See it, test it"), "text")[0]
    lines = re.findall(r"^│ (\w+_\w+) +│ (.*?)…? +│", recorded, re.MULTILINE)
    assert len(lines) >= 5
    for account, words in lines:
        assert any(said.account == account and said.text.startswith(words) for said in POSTS)
    assert f"{len(POSTS)} posts were published" in recorded
    assert f"{sum(sum(said.arrives.values()) for said in POSTS)} copies arrived" in recorded


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head).lower().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), target
        assert file.is_relative_to(ROOT)
        assert not anchor or anchor in anchors(file.read_text(encoding="utf-8")), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_are_named_exist_and_no_page_tells_where_it_was_written(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.findall(r"/(?:work|root|home|tmp|Users)/", text)
    made = ("bots/NAME.yaml", "bridge/networks/NAME/", "docs/reference/settings.md")
    named = re.findall(r"`((?:bridge|tests|docs|bots)/[\w./-]*)`", text)
    assert [n for n in named if n not in made and not (ROOT / n).exists()] == []


def test_the_page_is_reached_from_the_readme() -> None:
    linked = set(links_of(ROOT / "README.md"))
    assert {page.resolve() for page in PAGES} - {ROOT / "README.md"} <= linked


def links_of(page: Path) -> Iterable[Path]:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        yield (page.parent / target).resolve()
