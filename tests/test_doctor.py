"""What `tribridge doctor` finds; each finding is caused by what it is about."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import namedtuple
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge import config, doctor
from bridge.doctor import Finding, examine
from bridge.pulse import trust_state
from bridge.simulation import Fault
from bridge.store import Store
from tests.test_backup import damage
from tests.test_cli import real_time, tribridge
from tests.test_old_schemas import OLD, lay_down
from tests.world import World

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def w(tmp_path: Path) -> Iterator[World]:
    """A world in which a post was mirrored, and nothing is wrong."""
    made = World(tmp_path, "one: {from: m, to: [b, x]}")
    made.file.chmod(0o600)
    made.turn()
    made.say("m", "Alt er i orden")
    made.turn()
    made.store.close()
    for network in made.networks.values():
        network.now = real_time
    yield made
    made.close()


def found(w: World, *, away: bool = False) -> list[Finding]:
    return [f for f in examine(w.config, away=away) if f.level != "fine"]


def change(w: World, sql: str) -> None:
    with closing(sqlite3.connect(w.config.state.file)) as db:
        db.execute(sql)
        db.commit()


def test_a_healthy_installation_is_fine(w: World) -> None:
    everything = examine(w.config)
    assert [f for f in everything if f.level != "fine"] == []
    assert {f.check for f in everything} == {
        *("state", "schema", "rows", "age", "space", "rights", "servers", "clock")
    }
    hosts = {n.url.removeprefix("http://") for n in w.networks.values()}
    assert {f.what.partition(": ")[0] for f in everything if f.check == "servers"} == hosts


def test_an_installation_that_has_not_begun_is_fine(w: World) -> None:
    shutil.rmtree(w.config.state.file.parent)
    assert found(w) == []
    assert not w.config.state.file.exists()


def test_a_look_writes_nothing(w: World) -> None:
    folder = w.config.state.file.parent
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    examine(w.config)
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before


def test_a_damaged_state_is_found(w: World) -> None:
    damage(w.config.state.file)
    (first, *_) = found(w)
    assert first.level == "problem"
    assert "damaged" in first.what
    w.config.state.file.write_bytes(b"not a database at all, but notes" * 200)
    assert any("no state file of tribridge" in f.what for f in found(w))


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("UPDATE drafts SET state='lost' WHERE id=1", "1 drafts in a state that there is not"),
        ("UPDATE drafts SET state='sending', payload=NULL WHERE id=1", "without what was sent"),
        ("DELETE FROM links WHERE role='copy'", "2 drafts that were sent and whose copy"),
        ("UPDATE drafts SET part=2 WHERE id=1", "1 parts of posts whose part before is missing"),
        ("DELETE FROM links WHERE role='origin'", "2 copies whose original is not known"),
        ("DELETE FROM drafts WHERE id=1", "1 posts that were taken and have no draft"),
    ],
)
def test_rows_that_refer_to_nothing_are_found(w: World, sql: str, words: str) -> None:
    change(w, sql)
    (finding,) = found(w)
    assert (finding.check, finding.level) == ("rows", "problem")
    assert words in finding.what
    assert finding.remedy


def test_a_state_that_is_older_than_the_last_run_is_found(w: World) -> None:
    with closing(Store.open(w.config.state.file)) as store:
        trust_state(store)
    assert found(w) == []
    change(w, "UPDATE facts SET value='another' WHERE name='id'")
    (finding,) = found(w)
    assert (finding.check, finding.level) == ("age", "problem")
    assert "`tribridge relink`" in finding.remedy


def test_attempts_that_lie_in_the_future_are_found(w: World) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    change(w, f"UPDATE drafts SET state='held', attempted_at='{later}' WHERE id=1")
    (finding,) = found(w)
    assert (finding.check, finding.level) == ("times", "warning")


@pytest.mark.parametrize("name", OLD)
def test_a_state_of_an_earlier_version_is_fine(w: World, name: str) -> None:
    w.config.state.file.unlink()
    lay_down(name, w.config.state.file)
    w.config.state.file.chmod(0o600)
    said = [f.what for f in examine(w.config, away=False) if f.check == "schema"]
    assert "of an earlier version" in said[0]


def test_a_state_of_a_newer_version_is_a_problem(w: World) -> None:
    change(
        w,
        "INSERT INTO _sqlite_migrations (migration_set, name, applied_at)"
        " VALUES ('bridge.store', 'm999_future', '2030-01-01')",
    )
    (finding,) = found(w)
    assert (finding.check, finding.level) == ("state", "problem")
    assert "newer version of tribridge" in finding.what


@pytest.mark.parametrize(
    ("free", "level"), [(10 * 2**20, "problem"), (100 * 2**20, "warning"), (10 * 2**30, "fine")]
)
def test_room_is_looked_at(
    w: World, free: int, level: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(2**40, 0, free))
    (finding,) = (f for f in examine(w.config, away=False) if f.check == "space")
    assert finding.level == level
    assert bool(finding.remedy) == (level != "fine")


@pytest.mark.parametrize(
    ("mode", "level", "who"),
    [
        (0o640, "warning", "its group may read"),
        (0o660, "problem", "its group may read or change"),
        (0o644, "problem", "everybody may read"),
        (0o604, "problem", "everybody may read"),
    ],
)
def test_a_config_with_a_secret_in_it_is_for_its_owner(
    w: World, mode: int, level: str, who: str
) -> None:
    w.file.chmod(mode)
    (finding,) = found(w)
    assert (finding.check, finding.level) == ("rights", level)
    assert who in finding.what
    assert finding.remedy == f"chmod 600 {w.file}"


@pytest.mark.parametrize("mode", [0o640, 0o644])
def test_the_state_is_for_its_owner(w: World, mode: int) -> None:
    w.config.state.file.chmod(mode)
    (finding,) = found(w)
    assert (finding.check, finding.level) == ("rights", "problem")
    assert "sessions" in finding.what


def test_files_of_secrets_are_known_and_looked_at(w: World, tmp_path: Path) -> None:
    text = w.file.read_text()
    made = []
    for name, settings in w.settings.items():
        for setting, value in settings.items():
            if isinstance(value, str) and (
                "token" in setting or "key" in setting or "pass" in setting
            ):
                file = tmp_path / f"{name}.{setting}"
                made.append(file)
                file.write_text(f"{value}\n")
                file.chmod(0o400)
                text = text.replace(value, f"${{file:{file.name}}}")
    w.file.write_text(text)
    w.file.chmod(0o644)
    w.config = config.load(w.file)
    assert w.config.literal_secrets == frozenset()
    assert tmp_path / "m.access_token" in w.config.secret_files
    assert found(w) == []
    (tmp_path / "m.access_token").chmod(0o444)
    (finding,) = found(w)
    assert finding.what.startswith(f"{tmp_path / 'm.access_token'}: holds a secret, and everybody")
    for file in made:
        file.unlink()


def test_a_secret_from_the_environment_is_in_no_file(tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        "accounts:\n"
        "  a: {network: mastodon, server: https://a.example, access_token: '${TOKEN}'}\n"
        "  b: {network: bluesky, handle: b.example, app_password: 'x${TOKEN}'}\n"
    )
    loaded = config.load(file, {"TOKEN": "t"})
    assert (loaded.literal_secrets, loaded.secret_files) == (frozenset(), frozenset())
    file.write_text(file.read_text().replace("'${TOKEN}'", "word"))
    assert config.load(file, {"TOKEN": "t"}).literal_secrets == {file}


def test_a_state_of_another_user_is_told(w: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.os, "geteuid", lambda: 4711)  # type: ignore[attr-defined]
    findings = found(w)
    assert {f.level for f in findings} == {"warning"}
    assert all("this is user 4711" in f.what for f in findings)


@pytest.mark.parametrize(("days", "which"), [(1, "behind"), (-1, "ahead of")])
def test_a_clock_that_is_off_is_found(w: World, days: int, which: str) -> None:
    w.networks["twitter"].now = lambda: datetime.now(UTC) + timedelta(days=days)
    (finding,) = found(w, away=True)
    assert (finding.check, finding.level) == ("clock", "problem")
    assert f"{which} {w.networks['twitter'].url.removeprefix('http://')}'s" in finding.what
    w.networks["twitter"].now = lambda: datetime.now(UTC) + timedelta(minutes=4 * days)
    assert found(w, away=True) == []


def test_a_server_that_is_away_or_in_trouble_is_found(w: World) -> None:
    w.networks["mastodon"].faults = [Fault("answer", "HEAD", status=503)]
    w.networks["bluesky"].faults = [Fault("drop_before", "HEAD")]
    w.networks["twitter"].stop()
    levels = {f.what.split()[-1] if f.level == "warning" else f.level for f in found(w, away=True)}
    assert levels == {"503", "problem"}
    assert sum(f.level == "problem" for f in found(w, away=True)) >= 1


def test_a_look_needs_no_login_and_one_request_a_server(w: World) -> None:
    for network in w.networks.values():
        network.requests.clear()
    examine(w.config)
    assert [dict(n.requests) for n in w.networks.values()] == [{"HEAD /": 1}] * 3
    examine(w.config, away=False)
    assert [sum(n.requests.values()) for n in w.networks.values()] == [1] * 3


def test_the_command_prints_a_line_a_check_and_ends_with_1_at_a_problem(w: World) -> None:
    done = tribridge("doctor", "--config", str(w.file))
    assert (done.returncode, done.stderr) == (0, "")
    assert all(line.startswith("fine ") for line in done.stdout.splitlines())
    w.file.chmod(0o644)
    done = tribridge("doctor", "--offline", "--json", "--config", str(w.file))
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert said["fine"] is False
    assert [f["check"] for f in said["findings"] if f["level"] == "problem"] == ["rights"]
    text = tribridge("doctor", "--offline", "--config", str(w.file)).stdout
    assert f"chmod 600 {w.file}" in text
