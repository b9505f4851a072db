"""The demo: sandbox networks, the bots of bots/, a few dozen posts, and a table of what arrived.

The judge reads the journals of the networks, never the program's own memory.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table

from bridge import config
from bridge.accounts import Accounts
from bridge.daemon import Daemon
from bridge.demo.posts import BEFORE, MENDED, POSTS
from bridge.demo.second_act import Clock, SecondAct
from bridge.demo.stage import Stage
from bridge.sandbox import Sandbox
from bridge.simulation import Simulator
from bridge.store import Store

#: tells a folder of the demo, which the next demo may empty, from anything else
MARK = "this-is-a-demo.txt"
#: seconds after which what has not arrived counts as missing
PATIENCE = 40.0
#: seconds between two looks
PAUSE = 0.1
#: seconds without news after which the networks count as being at rest
REST = 3.5


def show(folder: Path, echo: Callable[[str], Any]) -> int:
    """Run the demo in `folder`, tell what happens through `echo`; 0 if all is as it should be."""
    if not _clear(folder):
        echo(f"{folder}: is there and is not an earlier demo's; name another with --folder")
        return 1
    clock = Clock()
    sandbox = Sandbox(clock)
    settings = sandbox.start()
    people = _accounts(sandbox, settings)
    _write_config(folder, people)
    echo(f"Three networks run on this machine; the bots of bots/ mirror {len(people)} accounts.\n")
    stage = Stage(people)
    stage.say(BEFORE)
    loaded = config.load(folder / "config.yaml")
    store = Store.open(loaded.state.file, durability=loaded.state.durability)
    store.own("demo")
    daemon = Daemon(loaded, store, Accounts(loaded, store, clock), report=lambda *_: None)
    began = time.monotonic()
    daemon.start()
    _wait(lambda: len(store.first_runs()) >= sum(len(b.routes) for b in loaded.bots.values()))
    for said in POSTS:
        stage.say(said)
    _wait(lambda: stage.arrived() >= stage.expected())
    _rest(stage)
    seconds = time.monotonic() - began
    problems, arrived = stage.problems(), stage.arrived()
    _print_table(stage)
    act = SecondAct(stage, MENDED)
    act.play(clock, daemon.engine, _wait)
    _rest(stage)
    daemon.stop()
    problems += act.problems()
    act.print_table()
    _print_skipped(store)
    echo(
        f"\n{len(POSTS)} posts were published and {arrived} copies arrived,"
        f" in {seconds:.0f} seconds."
    )
    for problem in problems:
        echo(f"WRONG: {problem}")
    if not problems:
        echo("Nothing is missing, nothing is doubled, nothing leaked.")
    echo(
        f"\nLook around:        {_command()} status --config {folder}/config.yaml\n"
        f"                    {_command()} links --config {folder}/config.yaml\n"
        f"The memory:         {loaded.state.file} (SQLite)\n"
        f"With real accounts: {_command()} init"
    )
    store.close()
    sandbox.stop()
    return 1 if problems else 0


def _clear(folder: Path) -> bool:
    """Make room for the demo; False if there is something that the demo did not put there."""
    if folder.exists() and not (folder / MARK).exists():
        return folder.is_dir() and not any(folder.iterdir())
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _command() -> str:
    """How to call the program from here."""
    if shutil.which("tribridge"):
        return "tribridge"
    return os.path.relpath(sys.argv[0])


def _accounts(
    sandbox: Sandbox, settings: dict[str, Any]
) -> dict[str, tuple[Simulator, str, dict[str, Any]]]:
    """Every account of the demo by its name in the config: network, name there, settings."""
    people: dict[str, tuple[Simulator, str, dict[str, Any]]] = {}
    for network, simulator in (
        ("mastodon", sandbox.mastodon),
        ("bluesky", sandbox.bluesky),
        ("twitter", sandbox.twitter),
    ):
        for name in settings[network]["accounts"]:
            short = name.split(".")[0]
            mine: dict[str, Any] = {"network": network, **simulator.account(name)}
            if network == "twitter":
                mine["budget"] = {"usd_per_month": 5}
            people[f"{short}_{network}"] = (simulator, name, mine)
    return people


def _write_config(folder: Path, people: dict[str, tuple[Simulator, str, dict[str, Any]]]) -> None:
    (folder / "bots").mkdir(parents=True)
    (folder / MARK).write_text("made by `tribridge demo`, and removed by the next one\n")
    for file in shipped("bots").iterdir():
        if file.name.endswith(".yaml"):
            (folder / "bots" / file.name).write_bytes(file.read_bytes())
    content = {
        "state": {"file": "tribridge.db"},
        "accounts": {name: settings for name, (_, _, settings) in people.items()},
        "defaults": {"every": "1s", "delay": "0s", "cards": "source"},
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / "config.yaml").write_text(text, encoding="utf-8")


def shipped(name: str) -> Any:
    """A folder or file that comes with the program: in a checkout, or inside the wheel."""
    checkout = Path(__file__).parents[2] / name
    if (checkout.parent / "pyproject.toml").exists():
        return checkout
    return resources.files("bridge") / "_shipped" / name


def _wait(done: Callable[[], bool]) -> None:
    """Wait for something to become true, at most PATIENCE seconds.

    Pauses are counted, not the time: a machine that is held up must not make a bot look slow.
    """
    for _ in range(round(PATIENCE / PAUSE)):
        if done():
            return
        threading.Event().wait(PAUSE)


def _rest(stage: Stage) -> None:
    """Wait until nothing has arrived for REST seconds: whatever doubles would have come by then."""
    count, calm = stage.arrived(), 0
    while calm < round(REST / PAUSE):
        threading.Event().wait(PAUSE)
        calm += 1
        if stage.arrived() != count:
            count, calm = stage.arrived(), 0


def _print_table(stage: Stage) -> None:
    table = Table(title="What went where", title_justify="left", row_styles=["", "dim"])
    for heading in ("from", "post", "Mastodon", "Bluesky", "Twitter"):
        table.add_column(heading, max_width=52, overflow="ellipsis", no_wrap=True)
    for said, copies in stage.table():
        city, network = said.account.split("_")
        cells = []
        for column in ("mastodon", "bluesky", "twitter"):
            here = copies.get(f"{city}_{column}", [])
            if column == network:
                cells.append("original")
            elif not here:
                cells.append("-")
            else:
                cells.append("yes" if len(here) == 1 else f"{len(here)} parts")
        pictures = (
            f" [{len(said.images)} image{'s' * (len(said.images) > 1)}]" if said.images else ""
        )
        table.add_row(said.account, stage.shows(said)[:60] + pictures, *cells, style="")
    Console(width=110).print(table)


def _print_skipped(store: Store) -> None:
    names = {row["identity"]: name for name, row in store.accounts().items()}
    table = Table(title="What was skipped, and why", title_justify="left")
    for heading in ("bot", "from", "to", "reason", "posts"):
        table.add_column(heading)
    reasons: dict[tuple[str, ...], int] = {}
    for verdict in store.verdicts():
        if verdict.verdict == "queued":
            continue
        route = verdict.route
        reason = "our own copy" if verdict.reason.startswith("copy of") else verdict.reason
        row = (route.bot, names[route.source], names[route.target], reason)
        reasons[row] = reasons.get(row, 0) + 1
    for cells, count in sorted(reasons.items()):
        table.add_row(*cells, str(count))
    Console(width=110).print(table)
