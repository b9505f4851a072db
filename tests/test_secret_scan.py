"""The search for secrets after each run of the suite finds what is planted, and fails the run.

The runs are processes of their own, with secrets that nothing else here uses.
"""

from __future__ import annotations

import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.pages import ROOT

CONFTEST = """
from tests.secret_scan import (
    pytest_configure, pytest_runtest_logreport, pytest_sessionfinish, pytest_testnodedown
)
"""
TEST = """
import logging, sqlite3, subprocess, sys
from contextlib import closing
from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator

def database(file, table, text):
    with closing(sqlite3.connect(file)) as db:
        db.execute(f"CREATE TABLE {table} (identity TEXT, data TEXT)")
        db.execute(f"INSERT INTO {table} VALUES ('a', ?)", (text,))
        db.commit()

def test_it(tmp_path):
    masto, bsky, x = MastodonSimulator(), BlueskySimulator(), TwitterSimulator()
    for simulator in (masto, bsky, x):
        simulator.start()
    token = masto.account("planted", "nobody")["access_token"]
    password = bsky.account("planted.test", "nobody")["app_password"]
    key = x.account("planted", "nobody")["access_token_secret"]
    session = bsky.token(bsky.made("planted.test"), "refresh", 1)
    (tmp_path / "config.yaml").write_text(f"access_token: {token}")
    database(tmp_path / "fine.db", "sessions", session)
    BODY
    for simulator in (masto, bsky, x):
        simulator.stop()
"""


def run(folder: Path, body: str, *options: str) -> tuple[int, str]:
    """How a suite of one test ends, and what it prints."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_it.py").write_text(TEST.replace("BODY", body))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--rootdir", str(folder), "--basetemp", str(folder / "temp")),
            *options,
            str(folder / "test_it.py"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        cwd=folder,
    )
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("(tmp_path / 'a.log').write_text(f'x{token}x')", r"a\.log: access_token of Mastodon"),
        ("(tmp_path / 'a.bin').write_bytes(b'\\0' + key.encode())", r"a\.bin: .* of Twitter"),
        ("print(password)", r"Captured stdout call: app_password of Bluesky"),
        ("logging.getLogger().error(session)", r"Captured log call: token of a session"),
        (
            "subprocess.run([sys.executable, '-c', f'print({key!r})'], capture_output=True)",
            r"output of .*: access_token_secret of Twitter",
        ),
        ("masto.note('planted', 'publish', '1', text=token)", r"journal of MastodonSimulator: "),
        ("database(tmp_path / 'a.db', 'drafts', session)", r"a\.db: token of a session"),
        ("database(tmp_path / 'a.db', 'sessions', password)", r"a\.db: app_password of Bluesky"),
    ],
)
def test_a_planted_secret_fails_the_run_which_names_the_place(
    tmp_path: Path, body: str, place: str
) -> None:
    code, said = run(tmp_path, body)
    assert code == 1, said
    (found,) = re.findall("^SECRET in .*", said, re.MULTILINE)
    assert re.search(place, found), found


def test_processes_that_share_the_tests_are_searched_too(tmp_path: Path) -> None:
    code, said = run(tmp_path, "print(password)", "-n", "2")
    assert code == 1, said
    (found,) = re.findall("^SECRET in .*", said, re.MULTILINE)
    assert "Captured stdout call: app_password of Bluesky" in found


def test_secrets_where_they_belong_are_no_finding(tmp_path: Path) -> None:
    code, said = run(tmp_path, textwrap.dedent("print('nothing', len(token) > 12)"))
    assert (code, "SECRET" in said) == (0, False), said
