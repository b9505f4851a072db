"""`tribridge login` and `logout` at the official Bluesky PDS. Run by `make pds`."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.secret_scan import remember
from tests.servers.pds import PASSWORD, Pds
from tests.test_cli import TRIBRIDGE
from tests.waiting import HANGS

pytestmark = pytest.mark.pds


def run(folder: Path, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    process = subprocess.Popen(
        [*TRIBRIDGE, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
    )
    out, err = process.communicate(typed, timeout=HANGS)
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def test_an_app_password_logs_in_and_out_and_others_are_told_apart(
    tmp_path: Path, pds: Pds
) -> None:
    person, other = pds.account(), pds.account()
    remember(person.settings["app_password"], "app password at the PDS")
    (tmp_path / "config.yaml").write_text(
        "accounts:\n"
        f"  b: {{network: bluesky, service: '{pds.address}', handle: {person.handle}}}\n"
        f"  b2: {{network: bluesky, service: '{pds.address}', handle: {other.handle},"
        " app_password: x}\n"
        "bots:\n  one: {from: b, to: b2}\n"
    )
    own = run(tmp_path, "login", "b", typed=PASSWORD + "\n")
    assert own.returncode == 1
    assert f"that is the password of the account {person.handle} itself" in own.stderr
    wrong = run(tmp_path, "login", "b", typed="aaaa-bbbb-cccc-dddd\n")
    assert wrong.returncode == 1
    assert f"knows no {person.handle} with that password" in wrong.stderr
    logins = tmp_path / "state" / "tribridge.db.logins.json"
    assert not logins.exists()

    done = run(tmp_path, "login", "b", typed=person.settings["app_password"] + "\n")
    assert (done.returncode, done.stdout) == (0, f"b: logged in as {person.handle}\n"), done.stderr
    assert json.loads(logins.read_text())["b"]["for"]["handle"] == person.handle
    assert run(tmp_path, "check").returncode == 0

    refresh = session_of(tmp_path)["refresh"]
    assert run(tmp_path, "logout", "b").returncode == 0
    token = {"Authorization": f"Bearer {refresh}"}
    answer = pds.http.post("com.atproto.server.refreshSession", headers=token)
    assert (answer.status_code, answer.json()["error"]) == (400, "ExpiredToken")
    assert json.loads(logins.read_text()) == {}
    assert run(tmp_path, "check").returncode == 78


def session_of(folder: Path) -> dict[str, str]:
    from bridge.store import Store

    store = Store.open_for_reading(folder / "state" / "tribridge.db")
    assert store is not None
    text = store.session("b")
    store.close()
    assert text
    found: dict[str, str] = json.loads(text)
    return found
