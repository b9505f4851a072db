"""The command as people run it: a process of its own, its streams and its exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from bridge import __version__
from tests.make_reference import every_command
from tests.waiting import HANGS
from tests.world import World

TRIBRIDGE = [sys.executable, "-m", "bridge"]


def tribridge(
    *args: str, cwd: Path | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "COLUMNS": "100", "PYTHONWARNINGS": "", **environ}
    root = str(Path(__file__).parents[1])
    env["PYTHONPATH"] = root
    return subprocess.run(
        [*TRIBRIDGE, *args],
        capture_output=True,
        check=False,
        text=True,
        cwd=cwd,
        env=env,
        timeout=HANGS,
    )


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, "one: {from: m, to: [b, x], every: 1s}")
    made.networks["mastodon"].now = made.networks["bluesky"].now = made.networks["twitter"].now
    made.store.close()
    for network in made.networks.values():
        network.now = real_time
    yield made
    made.close()


def real_time() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)


def config(w: World) -> str:
    return str(w.file)


def said(w: World, text: str) -> None:
    w.simulator("m").say("anna", text)


def test_the_version_is_told() -> None:
    done = tribridge("--version")
    assert (done.returncode, done.stdout) == (0, f"tribridge {__version__}\n")


@pytest.mark.parametrize(
    "command",
    [*every_command()],
)
def test_every_command_explains_itself_and_takes_a_config(command: str) -> None:
    done = tribridge(*command.split(), "--help")
    assert done.returncode == 0
    assert "--config" in done.stdout
    assert f"Example: tribridge {command}" in " ".join(done.stdout.split())


def test_a_wrong_command_is_wrong_usage() -> None:
    done = tribridge("mirorr")
    assert done.returncode == 2
    assert "No such command 'mirorr'" in done.stderr
    assert done.stdout == ""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no such device")
def test_output_that_finds_no_room_is_told_in_a_sentence() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*TRIBRIDGE, "schema"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            cwd=Path(__file__).parents[1],
        )
    assert done.returncode == 1
    assert done.stderr == "the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("command", ["check", "run", "once", "status", "links", "alerts test"])
def test_without_a_config_every_command_says_how_to_begin(tmp_path: Path, command: str) -> None:
    done = tribridge(*command.split(), cwd=tmp_path)
    assert done.returncode == 78
    assert "config.yaml" in done.stdout + done.stderr
    assert "tribridge init" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_check_tells_every_problem_with_its_place_at_once(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(
        "accounts:\n"
        "  a: {network: mastodon, server: https://a.example, access_token: t}\n"
        "  b: {network: blusky, handle: x.example, app_password: p}\n"
        "bots:\n"
        "  one: {from: a, to: c, visiblity: same}\n"
    )
    done = tribridge("check", cwd=tmp_path)
    assert done.returncode == 78
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert len(lines) == 3
    assert lines[0].startswith("config.yaml:3:16: ")
    assert "bluesky" in lines[0]
    assert lines[1].startswith("config.yaml:5:22: ")
    assert lines[2].startswith("config.yaml:5:25: ")
    assert "did you mean 'visibility'?" in lines[2]


def test_init_writes_files_that_check_accepts_once_the_tokens_are_there(tmp_path: Path) -> None:
    done = tribridge("init", cwd=tmp_path)
    assert done.returncode == 0
    assert (tmp_path / "bots" / "newsroom.yaml").exists()
    missing = tribridge("check", cwd=tmp_path)
    assert missing.returncode == 78
    assert "MASTODON_TOKEN" in missing.stdout
    assert "BLUESKY_APP_PASSWORD" in missing.stdout
    tokens = {"MASTODON_TOKEN": "t", "BLUESKY_APP_PASSWORD": "p"}
    done = tribridge("check", cwd=tmp_path, **tokens)
    assert (done.returncode, done.stdout) == (0, "config.yaml: 2 accounts, 1 bot: fine\n")


def test_init_never_overwrites(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("mine")
    done = tribridge("init", cwd=tmp_path)
    assert done.returncode == 1
    assert "is there already" in done.stderr
    assert (tmp_path / "config.yaml").read_text() == "mine"
    assert not (tmp_path / "bots").exists()


def test_once_mirrors_and_status_and_links_tell_of_it(w: World) -> None:
    assert tribridge("once", "--config", config(w)).returncode == 0
    said(w, "Hei fra kommandolinjen")
    done = tribridge("once", "--config", config(w))
    assert (done.returncode, done.stdout) == (0, "")
    assert "m: read 1 posts: 2 queued, 0 skipped" in done.stderr
    assert "b: posted 1" in done.stderr
    (copy,) = w.journal("b")
    status = json.loads(tribridge("status", "--json", "--config", config(w)).stdout)
    assert [a["drafts"]["sent"] for a in status["accounts"] if a["name"] in ("b", "x")] == [1, 1]
    assert status["bots"][0]["last_run"] is not None
    assert status["troubled"] == []
    links = json.loads(tribridge("links", "--json", "--config", config(w)).stdout)
    (link,) = links["links"]
    assert link["original"]["account"] == "m"
    assert {(c["account"], c["id"]) for c in link["copies"]} >= {("b", copy.id)}
    people = tribridge("links", "--config", config(w)).stdout
    assert link["original"]["url"] in people


def test_status_before_anything_ran_makes_no_file(tmp_path: Path, w: World) -> None:
    w.config.state.file.unlink()
    for name in ("status", "links"):
        assert tribridge(name, "--config", config(w)).returncode == 0
    assert not w.config.state.file.exists()


def test_once_without_a_source_that_answers_is_a_failure(w: World) -> None:
    tribridge("once", "--config", config(w))
    w.simulator("m").stop()
    done = tribridge("once", "--config", config(w))
    assert done.returncode == 1
    assert "cannot reach 127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr
    status = json.loads(tribridge("status", "--json", "--config", config(w)).stdout)
    (error,) = [a["error"] for a in status["accounts"] if a["name"] == "m"]
    assert "cannot reach" in error


def test_what_is_dead_or_late_is_shown_and_changes_the_exit_code(w: World) -> None:
    from bridge.simulation import Fault

    tribridge("once", "--config", config(w))
    w.simulator("b").faults = [
        Fault("answer", "POST /xrpc/com.atproto.repo.putRecord", status=400, body='{"error":"x"}')
    ]
    said(w, "Kommer ikke frem til Bluesky")
    done = tribridge("once", "--config", config(w))
    assert done.returncode == 75
    status = tribridge("status", "--json", "--config", config(w))
    assert status.returncode == 75
    (trouble,) = json.loads(status.stdout)["troubled"]
    assert (trouble["state"], trouble["target"]) == ("dead", "b")
    people = tribridge("status", "--config", config(w))
    assert "dead" in people.stdout
    assert [c.text for c in w.journal("x")] == ["Kommer ikke frem til Bluesky"]


def test_a_dry_run_posts_nothing_and_prints_what_it_would(w: World, tmp_path: Path) -> None:
    tribridge("once", "--config", config(w))
    said(w, "Bare en prøve")
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    done = tribridge("once", "--dry-run", "--config", config(w))
    assert done.returncode == 0
    assert "one: m -> b" in done.stdout
    assert "| Bare en prøve" in done.stdout
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert w.journal("b") == []


def test_a_daemon_in_dry_run_shows_and_writes_nothing(
    w: World, start: Start, tmp_path: Path
) -> None:
    tribridge("once", "--config", config(w))
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    said(w, "Vises, men sendes ikke")
    daemon = start("run", "--dry-run", "--config", config(w))
    assert daemon.stdout is not None
    assert "one: m -> " in daemon.stdout.readline()
    code, _ = finish(daemon)
    assert code == 0
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
    assert w.journal("b") == w.journal("x") == []


def test_secrets_never_reach_output_or_log(w: World) -> None:
    from bridge.simulation import Fault

    secrets = [
        value
        for settings in w.settings.values()
        for name, value in settings.items()
        if isinstance(value, str) and name not in ("network", "server", "service", "api", "handle")
    ]
    assert len(secrets) >= 10
    w.simulator("m").faults = [Fault("answer", status=401, body='{"error":"token is bad"}')]
    told = ""
    for args in (["once"], ["once", "--log", "json"], ["status"], ["links"], ["check"]):
        done = tribridge(*args, "--config", config(w))
        told += done.stdout + done.stderr
    assert [secret for secret in secrets if secret in told] == []


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stderr is not None
    while line := process.stderr.readline():
        yield line


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts commands that keep running; whatever still does when the test ends is killed."""
    with ExitStack() as stack:

        def begin(*args: str) -> subprocess.Popen[str]:
            env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
            process = stack.enter_context(
                subprocess.Popen(
                    [*TRIBRIDGE, *args],
                    stdout=subprocess.PIPE,
                    stderr=subprocess.PIPE,
                    text=True,
                    env=env,
                )
            )
            stack.callback(process.kill)
            return process

        yield begin


def read_until(process: subprocess.Popen[str], words: str) -> list[str]:
    """The log up to the line that has `words`; the process must say them sooner or later."""
    seen = []
    for line in lines_of(process):
        seen.append(line)
        if words in line:
            return seen
    raise AssertionError("".join(seen))


def finish(process: subprocess.Popen[str]) -> tuple[int, str]:
    process.send_signal(signal.SIGTERM)
    _, rest = process.communicate(timeout=HANGS)
    return process.returncode, rest


def test_the_daemon_mirrors_until_it_is_told_to_stop(w: World, start: Start) -> None:
    daemon = start("run", "--log", "json", "--config", config(w))
    read_until(daemon, "first run on m")
    said(w, "Hei fra tjenesten")
    read_until(daemon, "b: posted 1")
    second = tribridge("run", "--config", config(w))
    assert second.returncode == 1
    assert f"`tribridge run`, process {daemon.pid}" in second.stderr
    code, rest = finish(daemon)
    assert code == 0
    for line in rest.splitlines():
        assert set(json.loads(line)) == {"at", "level", "message"}
    assert [c.text for c in w.journal("b")] == ["Hei fra tjenesten"]


def test_a_request_that_hangs_does_not_keep_the_daemon(w: World, start: Start) -> None:
    from bridge.simulation import Fault

    daemon = start("run", "--config", config(w))
    read_until(daemon, "first run on m")
    w.simulator("b").faults = [Fault("hang_after", "POST /xrpc/com.atproto.repo.putRecord")]
    said(w, "Henger, men bare én gang")
    read_until(daemon, "x: posted 1")
    code, rest = finish(daemon)
    assert code == 0
    assert "settled at the next start" in rest
    again = start("run", "--config", config(w))
    read_until(again, "b: posted 1")
    finish(again)
    assert [c.text for c in w.journal("b")] == ["Henger, men bare én gang"]


def test_a_running_daemon_obeys_pauses_and_orders(w: World, start: Start) -> None:
    def told(*args: str) -> str:
        done = tribridge(*args, "--config", config(w))
        assert done.returncode == 0, done.stderr
        return done.stdout

    daemon = start("run", "--config", config(w))
    read_until(daemon, "first run on m")
    assert told("pause", "b") == "b is paused\n"
    said(w, "Mens b hviler")
    read_until(daemon, "x: posted 1")
    assert w.journal("b") == []
    assert "waits for its turn" in tribridge("outbox", "--config", config(w)).stdout
    assert told("resume", "b") == "b goes on\n"
    read_until(daemon, "b: posted 1")
    said(w, "Bare her #nobridge")
    read_until(daemon, "0 queued, 2 skipped")
    url = f"{w.simulator('m').url}/@anna/{w.journal('m')[-1].id}"
    assert told("mirror", url) == "b: queued\nx: queued\n"
    read_until(daemon, "x: posted 1")
    finish(daemon)
    assert [c.text for c in w.journal("x")] == ["Mens b hviler", "Bare her #nobridge"]


def test_what_is_held_is_told_at_the_start(w: World, start: Start) -> None:
    from bridge.simulation import Fault

    tribridge("once", "--config", config(w))
    w.simulator("b").faults = [Fault("answer", "POST ", status=400, body="{}")]
    said(w, "Dette vil de ikke ha")
    assert tribridge("once", "--config", config(w)).returncode == 75
    daemon = start("run", "--config", config(w))
    log = read_until(daemon, "running 1 bots")
    assert any("dead: " in line and "`tribridge outbox drop 1`" in line for line in log)
    finish(daemon)


def test_the_sandbox_serves_the_accounts_that_it_prints(tmp_path: Path, start: Start) -> None:
    sandbox = start("sandbox")
    assert sandbox.stdout is not None
    told = json.loads(sandbox.stdout.readline())
    server = told["mastodon"]["server"]
    (name, settings), *_ = told["mastodon"]["accounts"].items()
    handle, secret = next(iter(told["bluesky"]["accounts"].items()))
    x_name, keys = next(iter(told["twitter"]["accounts"].items()))
    (tmp_path / "config.yaml").write_text(
        yaml.safe_dump(
            {
                "accounts": {
                    "m": {"network": "mastodon", "server": server, **settings},
                    "b": {
                        "network": "bluesky",
                        "service": told["bluesky"]["service"],
                        "handle": handle,
                        **secret,
                    },
                    "x": {
                        "network": "twitter",
                        "api": told["twitter"]["api"],
                        "budget": {"usd_per_month": 5},
                        **keys,
                    },
                },
                "bots": {"one": {"between": ["m", "b", "x"], "delay": "0s"}},
            }
        )
    )
    assert name
    assert x_name
    file = str(tmp_path / "config.yaml")
    assert tribridge("once", "--config", file).returncode == 0
    httpx.post(
        f"{server}/api/v1/statuses",
        headers={"Authorization": f"Bearer {settings['access_token']}"},
        data={"status": "Posted with curl"},
        timeout=HANGS,
    ).raise_for_status()
    assert tribridge("once", "--config", file).returncode == 0
    links = json.loads(tribridge("links", "--json", "--config", file).stdout)["links"]
    assert sorted(c["account"] for c in links[0]["copies"]) == ["b", "x"]
    code, _ = finish(sandbox)
    assert code == 0


@pytest.mark.parametrize("sdk", ["atproto", "mastodon", "apscheduler", "httpx", "sqlite_utils"])
def test_importing_the_command_imports_no_sdk(sdk: str) -> None:
    code = f"import sys, bridge.cli; print({sdk!r} in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
    )
    assert done.stdout == "False\n"


def test_a_state_that_cannot_be_written_is_one_clear_message(w: World, tmp_path: Path) -> None:
    (tmp_path / "in-the-way").write_text("")
    text = w.file.read_text() + "\nstate: {file: in-the-way/t.db}\n"
    w.file.write_text(text)
    for command in ("run", "once"):
        done = tribridge(command, "--config", config(w))
        assert done.returncode == 1
        assert "cannot make the state folder" in done.stderr
        assert "Traceback" not in done.stderr
