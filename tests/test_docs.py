"""The documentation is true: its configs pass the checker, its commands run, its tables are the code's.

Conventions of the pages. A ```yaml block is a whole config.yaml; one that begins with
`# bots/NAME.yaml` is a bot's file, one that begins with `# part of config.yaml` a part, both completed
by config.example.yaml. Commands are tried in test_docs_commands.py.
"""

from __future__ import annotations

import ast
import configparser
import json
import re
import shlex
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from sqlite_utils import Database

from bridge import (
    alerts,
    config,
    costs,
    doctor,
    export,
    filters,
    network,
    outcome,
    overview,
    trials,
)
from bridge.alerts import Watch
from bridge.cli import main
from bridge.console import CONFIGURATION, FAILURE, OVERDUE
from bridge.daemon import ALERTS_EVERY
from bridge.demo.posts import POSTS
from bridge.sandbox import Sandbox
from bridge.schema import Kind
from bridge.simulation import Fault
from bridge.store import Alert, Recording, RouteKey, Verdict
from bridge.store.migrations import migrations
from bridge.store.rows import SEVERAL
from bridge.trials import report
from tests import make_reference
from tests.config_files import ACCOUNTS
from tests.pages import FOLLOWED, PAGES, ROOT, blocks, code, rows, section, text_of
from tests.test_mirroring import png
from tests.world import World, world

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
    assert f"after {outcome.FIRST_WAIT.seconds} seconds, then" in page
    assert f"at most every {outcome.LONGEST_WAIT.seconds // 60} minutes" in page
    assert f"held after {outcome.LAST_MEDIA_FAILURE} failures" in page
    assert (SEVERAL, "failed three times or more" in page) == (3, True)
    assert (outcome.LAST_FAILURE, "after eight attempts" in page) == (8, True)
    page = text_of("docs/architecture.md")
    assert f"not before {outcome.SERVER_MAY_ACT.seconds} seconds" in page
    assert f"not after {outcome.KEY_LIFE.seconds // 60} minutes" in page
    assert f"in doubt after {outcome.LONGEST_DOUBT.seconds // 3600} hours" in page
    assert f"two readings {outcome.BETWEEN_READINGS.seconds} seconds apart" in page


REASONS = {
    "ingest": {"Skip"},
    "standing": {"Skip"},
    "filters": {"Skip"},
    "steps/changing": {"Skip"},
    "steps/templates": {"Skip"},
    "plugins/steps": {"Skip"},
    "render": {"Skip", "Loss"},
    "polls": {"Loss"},
    "outbox": {"Wait", "Stop"},
    "amending": {"Wait", "Stop"},
    "changes": {"_nothing"},
    "cards": {"Loss"},
    "alt_texts": {"Wait", "Stop"},
    "outcome": {"Wait", "Stop"},
    "media": {"Refused", "Unreachable"},
    "images": {"Refused", "Loss"},
    "film_uploads": {"Wait", "Stop", "Loss"},
    "video": {"Unfit", "Loss"},
    "ffmpeg": {"Refused"},
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
    for word, filters_of in (("only", filters.MISSING), ("skip", filters.FOUND)):
        for reason in filters_of:
            assert f"{word}: {reason.partition('{')[0]}".strip() in page


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
        kinds = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
        yield at, kinds[type(value)]


def keys_of(value: Any) -> Iterator[str]:
    """Every name in a JSON value, but in a request, which is that of a network."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from keys_of(inner) if key != "request" else ()
    elif isinstance(value, list):
        for item in value:
            yield from keys_of(item)


def test_every_field_of_preview_and_explain_is_documented(tmp_path: Path) -> None:
    with world(tmp_path, "one: {from: m, to: [b, x], steps: [{append: hi}]}") as w:
        w.turn()
        post = w.say("m", "Et bilde", images=[(png(), "av et hus")])
        w.turn()
        named: set[str] = set()
        for command, *words in (("preview", "one"), ("explain", post)):  # which has parts of both
            told = json.loads(w.command(command, *words, "--json").stdout)
            table = rows(section(text_of("docs/reference/commands.md"), command), "| Field |")
            named |= {
                word.removesuffix("[]") for row in table for cell in row for word in code(cell)
            }
            assert set(keys_of(told)) - named == set()


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
    from bridge.pulse import Pulse

    before = overview.status(mirrored.config, None)
    pulse = Pulse()
    now = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
    pulse.read("m", ["one"], ["m"], now, {})
    pulse.delivered("b", now, network.Unreachable("cannot reach it"))
    pulse.read("m", ["one"], ["m"], now, {"m": network.LoginNeeded("renew the token")})
    pulse.save(mirrored.config.state.file)
    Watch(mirrored.config, mirrored.store, lambda: now).check(pulse.accounts())
    _, dead = mirrored.store.alerts()
    mirrored.store.save_alerts([replace(dead, told_at=now)], [])
    hold_and_pause(mirrored, now)
    after = overview.status(mirrored.config, mirrored.store)
    assert after["troubled"]
    assert [alert["kind"] for alert in after["alerts"]] == ["logged_out", "dead"]
    assert_documented("status", before, after)


def hold_and_pause(w: World, now: datetime) -> None:
    """A post that may be our own copy, and pauses of both kinds."""
    w.store.pause("bot", "one", now)
    w.store.pause("all", "", now)
    way = RouteKey("one", "mastodon:a.example/1", "bluesky:did:plc:b")
    held = Verdict(way, "1", "", "held", "may be our own copy", "https://a.example/@a/1")
    w.store.record(Recording(verdicts=[held]), now)


def test_the_fields_of_outbox_are_documented(mirrored: World) -> None:
    now = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
    hold_and_pause(mirrored, now)
    mirrored.simulator("x").faults.append(Fault("drop_before", "POST "))
    mirrored.deliver("x")
    assert_documented("outbox", overview.outbox(mirrored.store))


def test_the_message_to_a_webhook_is_as_the_page_shows_it() -> None:
    (shown,) = blocks(section(text_of("docs/how-to/operate.md"), "Alerts"), "json")
    told = json.loads(shown)

    def alert(item: dict[str, Any]) -> Alert:
        rest = {k: v for k, v in item.items() if k not in ("kind", "subject", "since")}
        since = datetime.fromisoformat(item["since"])
        return Alert(item["kind"], item["subject"], json.dumps(rest), since)

    began, ended = ([alert(item) for item in told[name]] for name in ("began", "ended"))
    assert alerts.message(began, ended, datetime.fromisoformat(told["at"])) == told


def test_every_kind_of_alert_is_told() -> None:
    page = text_of("docs/how-to/operate.md")
    told = {code(kind)[0]: when for kind, _, when in rows(page, "## Alerts")}
    assert set(told) == set(alerts.WORDS)
    now = datetime.fromisoformat("2026-11-22T12:00:00+00:00")
    at_once = {kind for kind, when in told.items() if when == "at once"}
    fresh = {kind: Alert(kind, "", "", now) for kind in told}
    assert at_once == {k for k, a in fresh.items() if alerts.is_due(a, now, timedelta(minutes=1))}
    assert f"at most {alerts.MOST};" in page
    assert f"has {alerts.DEADLINE:.0f} seconds" in page
    assert f"Every {ALERTS_EVERY} seconds" in page


def test_the_fields_of_links_are_documented(mirrored: World) -> None:
    delete_everything(mirrored)
    assert_documented("links", overview.links(mirrored.store))


def delete_everything(w: World) -> None:
    """What was mirrored is deleted, original and copies; another post stands."""
    (group,) = (group for group in w.store.groups() if len(group) > 1)
    assert w.command("delete", group[0].ref.url, "--yes").exit_code == 0
    w.store.original_gone(group[0].origin, group[0].origin_id, w.clock())
    w.say("m", "Denne står")
    w.turn()


def test_the_fields_of_the_export_are_documented(mirrored: World) -> None:
    delete_everything(mirrored)
    since = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    found = export.export(mirrored.store, since)
    assert_documented("export", found)


def test_the_fields_of_test_are_documented(tmp_path: Path) -> None:
    tests = "tests: [{given: {text: a}, expect: {x: a, bsky: b}}, {given: {text: a}}]"
    text = f"bots: {{b: {{from: masto, to: [bsky, x], {tests}}}, c: {{from: x, to: bsky}}}}\n"
    (tmp_path / "config.yaml").write_text(text + ACCOUNTS, encoding="utf-8")
    files = config.examine(tmp_path / "config.yaml", {}, offline=True)
    results, _ = trials.run(files, ["b", "c"])
    assert_documented("test", report.as_object(results, ["b", "c"]))


def test_the_fields_of_costs_are_documented(mirrored: World) -> None:
    del mirrored.settings["x2"]["budget"]
    mirrored.configure("one: {from: m, to: [b, x], long: truncate}")
    mirrored.deliver("x")
    today = mirrored.clock().date()
    assert_documented(
        "costs",
        costs.costs(mirrored.config, None, today),
        costs.costs(mirrored.config, mirrored.store, today),
    )


def test_the_fields_of_doctor_are_documented(mirrored: World) -> None:
    assert_documented("doctor", doctor.as_data(doctor.examine(mirrored.config, away=False)))


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
    urls = ("_SERVER", "_SERVICE", "_API", "_URL")
    return {
        n: f"https://{n.lower().replace('_', '-')}.example" if n.endswith(urls) else n
        for n in names
    }


def merged(base: Any, part: Any) -> Any:
    if isinstance(base, dict) and isinstance(part, dict):
        return base | {key: merged(base.get(key), value) for key, value in part.items()}
    return part


#: the files of plugins that the pages show, by name
PLUGINS = {
    name[1]: block
    for page in PAGES
    for block in blocks(page.read_text(encoding="utf-8"), "python")
    if (name := re.match(r"# (\S+\.py)\n", block))
}

YAML = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    if str(page.relative_to(ROOT)) not in FOLLOWED
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
    files |= PLUGINS
    for name, text in files.items():  # type: ignore[assignment]
        file = tmp_path / str(name)
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, encoding="utf-8")
    environ = environment_for("\n".join(files.values()), tmp_path)
    logging_in = first == "# config.yaml without secrets"
    loaded = config.load(tmp_path / "config.yaml", environ, logging_in=logging_in)
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


def test_files_beside_the_state_are_those_that_the_page_names(mirrored: World) -> None:
    from bridge.pulse import Pulse
    from bridge.store import Store

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
    made = (
        "bots/NAME.yaml",
        "bots/news.yaml",
        "bridge/networks/NAME/",
        "docs/reference/settings.md",
    )
    named = re.findall(r"`((?:bridge|tests|docs|bots)/[\w./-]*)`", text)
    assert [n for n in named if n not in made and not (ROOT / n).exists()] == []


def test_the_page_is_reached_from_the_readme() -> None:
    linked = set(links_of(ROOT / "README.md"))
    assert {page.resolve() for page in PAGES} - {ROOT / "README.md"} <= linked


def links_of(page: Path) -> Iterable[Path]:
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        yield (page.parent / target).resolve()
