"""The demo: sandbox networks, the bots of bots/, a few dozen posts, and a table of what arrived.

The judge reads the journals of the networks, never the program's own memory.
"""

from __future__ import annotations

import io
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
from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table

from bridge import config
from bridge.accounts import Accounts
from bridge.daemon import Daemon
from bridge.demo.posts import BEFORE, POSTS, M, Said
from bridge.sandbox import Sandbox
from bridge.simulation import Entry, Simulator
from bridge.store import Store

#: tells a folder of the demo, which the next demo may empty, from anything else
MARK = "this-is-a-demo.txt"
#: seconds after which what has not arrived counts as missing
PATIENCE = 40.0
#: seconds without news after which the networks count as being at rest
REST = 3.5


def show(folder: Path, echo: Callable[[str], Any]) -> int:
    """Run the demo in `folder`, tell what happens through `echo`; 0 if all is as it should be."""
    if not _clear(folder):
        echo(f"{folder}: is there and is not an earlier demo's; name another with --folder")
        return 1
    sandbox = Sandbox()
    settings = sandbox.start()
    people = _accounts(sandbox, settings)
    _write_config(folder, people)
    echo(f"Three networks run on this machine; the bots of bots/ mirror {len(people)} accounts.\n")
    stage = _Stage(people)
    stage.say(BEFORE)
    loaded = config.load(folder / "config.yaml")
    store = Store.open(loaded.state.file, durability=loaded.state.durability)
    store.own("demo")
    daemon = Daemon(loaded, store, Accounts(loaded, store), report=lambda *_: None)
    began = time.monotonic()
    daemon.start()
    _wait(lambda: len(store.first_runs()) >= sum(len(b.routes) for b in loaded.bots.values()))
    for said in POSTS:
        stage.say(said)
    _wait(lambda: stage.arrived() >= stage.expected())
    _rest(stage)
    daemon.stop()
    seconds = time.monotonic() - began
    _print_table(stage)
    _print_skipped(store)
    problems = stage.problems()
    echo(
        f"\n{len(POSTS)} posts were published and {stage.arrived()} copies arrived,"
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
        f"With real accounts: {_command()} init, fill in config.yaml, {_command()} run"
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
        "defaults": {"every": "1s", "delay": "0s"},
    }
    text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    (folder / "config.yaml").write_text(text, encoding="utf-8")


def shipped(name: str) -> Any:
    """A folder or file that comes with the program: in a checkout, or inside the wheel."""
    checkout = Path(__file__).parents[2] / name
    if (checkout.parent / "pyproject.toml").exists():
        return checkout
    return resources.files("bridge") / "_shipped" / name


def picture(alt: str) -> bytes:
    """A small picture of its own for every description."""
    shade = sum(alt.encode()) % 200
    image = Image.new("RGB", (320, 200), (shade, 90, 255 - shade))
    ImageDraw.Draw(image).ellipse((40, 40, 160, 160), fill=(255, 255 - shade, 120))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


class _Stage:
    """What was said, and what stands on the networks because of it."""

    def __init__(self, people: dict[str, tuple[Simulator, str, dict[str, Any]]]) -> None:
        self._people = people
        self._said: dict[tuple[str, str], Said] = {}
        self._ids: list[str] = []
        self._order: list[Said] = []

    def say(self, said: Said) -> None:
        """Publish a post as its author would."""
        simulator, name, _ = self._people[said.account]
        more: dict[str, Any] = dict(said.more)
        if said.answers is not None:
            more["reply_to"] = self._ids[said.answers]
        if said.images:
            more["images"] = [(picture(alt), alt) for alt in said.images]
        if said.quotes is not None:
            quoting = "quoted_status_id" if said.account == M else "quote"
            more[quoting] = self._ids[said.quotes]
        speak: Any = simulator
        if said.boosts is not None:
            post_id = speak.boost(name, self._ids[said.boosts])
        else:
            post_id = speak.say(name, said.text, **more)
        self._said[said.account, post_id] = said
        if said is not BEFORE:
            self._ids.append(post_id)
            self._order.append(said)

    def _published(self, account: str) -> list[Entry]:
        simulator, name, _ = self._people[account]
        with simulator.lock:
            return [e for e in simulator.journal if e.account == name and e.action == "publish"]

    def copies(self) -> list[tuple[str, Entry]]:
        """Everything on the networks that nobody said: (account, entry)."""
        return [
            (account, entry)
            for account in self._people
            for entry in self._published(account)
            if (account, entry.id) not in self._said
        ]

    def arrived(self) -> int:
        """How many copies stand."""
        return len(self.copies())

    def expected(self) -> int:
        """How many copies should stand."""
        return sum(sum(said.arrives.values()) for said in self._said.values())

    def table(self) -> list[tuple[Said, dict[str, list[Entry]]]]:
        """Every post that was said with its copies by account, and the strays under BEFORE."""
        found: dict[int, dict[str, list[Entry]]] = {id(said): {} for said in self._said.values()}
        for account, entry in self.copies():
            said = self._copied(account, entry)
            found[id(said)].setdefault(account, []).append(entry)
        return [(said, found[id(said)]) for said in self._said.values()]

    def _copied(self, account: str, entry: Entry) -> Said:
        """What was said of which a post on an account must be the copy: the likest."""
        if not entry.boost_of:
            return max(self._said.values(), key=lambda said: likeness(entry.text, said))
        boosted = next(e for e in self._published(account) if e.id == entry.boost_of)
        first = self._said.get((account, boosted.id)) or self._copied(account, boosted)
        at = self._order.index(first)
        return next((said for said in self._order if said.boosts == at), BEFORE)

    def shows(self, said: Said) -> str:
        """A post in one line."""
        if said.boosts is not None:
            return f"boost of: {self._order[said.boosts].text}"
        return said.text.split("\n")[0]

    def problems(self) -> list[str]:
        """What is missing, doubled or leaked, and threads or pictures that came apart."""
        wrong = []
        for said, copies in self.table():
            head = f"{said.account}: {said.text[:40]!r}"
            for account in said.arrives.keys() | copies.keys():
                want, have = said.arrives.get(account, 0), len(copies.get(account, []))
                if have != want:
                    wrong.append(f"{head} stands {have} times on {account}, not {want}")
                alts = [alt for entry in copies.get(account, []) for alt in entry.alts]
                if have == want and alts != list(said.images):
                    wrong.append(f"{head} has other pictures on {account}: {alts}")
                if have == want and said.answers is not None:
                    wrong += [
                        f"{head} left its thread on {account}"
                        for entry in copies[account]
                        if not entry.reply_to
                    ]
                if have == want and said.quotes is not None:
                    wrong += [
                        f"{head} quotes nothing on {account}"
                        for entry in copies[account]
                        if not entry.quote_of
                    ]
        return wrong


def likeness(text: str, said: Said) -> float:
    """The share of the words of `text` that a post has, its warning included."""
    words = _words(text)
    return len(words & _words(said.text + " " + said.more.get("warning", ""))) / max(len(words), 1)


def _words(text: str) -> set[str]:
    return {word.strip(".,:;!?#@()").casefold() for word in text.split()} - {""}


def _wait(done: Callable[[], bool]) -> None:
    """Wait for something to become true, at most PATIENCE seconds."""
    pause, end = threading.Event(), time.monotonic() + PATIENCE
    while not done() and time.monotonic() < end:
        pause.wait(0.1)


def _rest(stage: _Stage) -> None:
    """Wait until nothing has arrived for REST seconds: whatever doubles would have come by then."""
    count, since = stage.arrived(), time.monotonic()
    while time.monotonic() - since < REST:
        threading.Event().wait(0.2)
        if stage.arrived() != count:
            count, since = stage.arrived(), time.monotonic()


def _print_table(stage: _Stage) -> None:
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
