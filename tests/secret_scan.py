"""Nothing that the suite writes may hold a secret that is in use in it.

`tests/conftest.py` takes the hooks of this module. The simulators tell every secret that they hand
out; when the session ends every file under pytest's folder for temporary files is searched for
them, and so is what tests, commands and simulators have put out: captured streams and log, the
output of processes, journals. A finding fails the run and names the place, never the secret.

Where a secret may stand: configs (`*.yaml`), where its owner put it; rotated tokens in the table
`sessions`; the file of `tribridge login`, if it is for its owner alone; what `tribridge sandbox`
and `tribridge login --print` print, which are there to tell them.
"""

from __future__ import annotations

import functools
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.networks.bluesky.simulator import BlueskySimulator
from bridge.networks.bluesky.simulator.pds import Pds
from bridge.networks.mastodon.simulator import MastodonSimulator
from bridge.networks.twitter.simulator import TwitterSimulator
from bridge.oauth_server import AuthorizationServer
from bridge.simulation import Simulator

#: shorter texts are no secrets of a simulator, and would be found everywhere
SHORTEST = 12


class Scan:
    """What is looked for, and where besides files."""

    def __init__(self) -> None:
        #: what each secret is; one that a client may keep in `sessions` is in `rotating` too
        self.secrets: dict[str, str] = {}
        self.rotating: set[str] = set()
        self._spool = Path(tempfile.mkdtemp(prefix="said-"))
        self._places: dict[str, str] = {}

    def remember(self, secret: str, what: str, *, rotates: bool = False) -> None:
        """A secret that is in use from now on."""
        if len(secret) >= SHORTEST:
            self.secrets[secret] = what
            if rotates:
                self.rotating.add(secret)

    def hear(self, place: str, said: str | bytes | None) -> None:
        """Something that was put out."""
        if said:
            name = str(len(self._places))
            self._places[name] = place
            data = said if isinstance(said, bytes) else said.encode("utf-8", "surrogatepass")
            (self._spool / name).write_bytes(data)

    def findings(self, folder: Path) -> list[str]:
        """Each place that holds a secret, and which kind of secret that is."""
        found = [
            f"{self._places[file.name]}: {self._what(self._in(file.read_bytes()))}"
            for file in self._hits(self._spool)
        ]
        for file in self._hits(folder):
            if file.suffix != ".yaml":
                found += [f"{file}: {self._what(each)}" for each in self._in_file(file) if each]
        return sorted(found)

    def close(self) -> None:
        """Forget what was put out."""
        shutil.rmtree(self._spool)

    def _hits(self, folder: Path) -> Iterator[Path]:
        """The files that may hold a secret: grep looks for hundreds of them at once."""
        if self.secrets and folder.exists():
            done = subprocess.run(
                ["grep", "-rlaF", "-f", "-", "--", str(folder)],
                input="\n".join(self.secrets).encode(),
                capture_output=True,
                check=False,
            )
            assert done.returncode in (0, 1, 2), done.stderr
            for name in done.stdout.splitlines():
                yield Path(name.decode())

    def _in(self, data: bytes, secrets: Iterable[str] | None = None) -> set[str]:
        return {s for s in (self.secrets if secrets is None else secrets) if s.encode() in data}

    def _in_file(self, file: Path) -> Iterator[set[str]]:
        data = file.read_bytes()
        fixed = self.secrets.keys() - self.rotating
        if data.startswith(b"SQLite format 3\0"):
            yield self._in(data, fixed)
            yield self._in(_outside_sessions(file))
        elif file.name.endswith("-wal"):
            yield self._in(data, fixed)
        elif not is_private_login(file):
            yield self._in(data)

    def _what(self, secrets: set[str]) -> str:
        return ", ".join(sorted({self.secrets[secret] for secret in secrets}))


def _outside_sessions(file: Path) -> bytes:
    """Every row of a database but those of `sessions`; nothing if it is a broken one."""
    said = []
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)) as db:
            tables = db.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
            for (name,) in tables:
                if name != "sessions":
                    said += [repr(row) for row in db.execute(f"SELECT * FROM [{name}]")]
    except sqlite3.Error:
        pass
    return "\n".join(said).encode("utf-8", "surrogatepass")


def is_private_login(file: Path) -> bool:
    """Whether a file is where `tribridge login` keeps what it is told to keep, for its owner alone."""
    return ".logins.json" in file.name and file.stat().st_mode & 0o077 == 0


SCAN = Scan()
remember = SCAN.remember


def _after(owner: Any, name: str, then: Callable[..., None]) -> None:
    """Have `then` called with what a method returned and was called with."""
    whole = getattr(owner, name)

    @functools.wraps(whole)
    def method(*args: Any, **more: Any) -> Any:
        result = whole(*args, **more)
        then(result, *args)
        return result

    setattr(owner, name, method)


def _account(settings: Mapping[str, Any], simulator: Simulator, *_: Any) -> None:
    for name, value in settings.items():
        if isinstance(value, str) and name not in ("handle", "server", "service", "api"):
            remember(value, f"{name} of {type(simulator).__name__}")


def _token(token: str, *_: Any) -> None:
    remember(token, "token of a session", rotates=True)


def _process(output: Any, process: Any, *_: Any) -> None:
    words = process.args if isinstance(process.args, list | tuple) else [process.args]
    if not {"sandbox", "grep", "--print"} & {*map(str, words)}:
        for said in output:
            SCAN.hear(f"output of {' '.join(map(str, words))[:200]}", said)


def _issued(secret: str, _server: Any, kind: str) -> None:
    remember(secret, f"{kind} of OAuth")


def _invoked(result: Any, _runner: Any, _command: Any, args: Any = (), *_: Any) -> None:
    if "--print" not in (args or ()):
        SCAN.hear(f"output of {args}", result.output)


def _stopped(_: None, simulator: Simulator) -> None:
    SCAN.hear(f"journal of {type(simulator).__name__}", repr(simulator.journal))


def pytest_configure(config: pytest.Config) -> None:
    for simulator in (MastodonSimulator, BlueskySimulator, TwitterSimulator):
        _after(simulator, "account", _account)
    _after(Pds, "token", _token)
    _after(AuthorizationServer, "issue", _issued)
    _after(subprocess.Popen, "communicate", _process)
    _after(CliRunner, "invoke", _invoked)
    _after(Simulator, "stop", _stopped)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        for title, said in report.sections:
            SCAN.hear(f"{report.nodeid}: {title}", said)


#: findings of the processes among which pytest-xdist has divided the tests
_IN_WORKERS: list[str] = []


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    _IN_WORKERS.extend(getattr(node, "workeroutput", {}).get("secrets", ()))


def pytest_sessionfinish(session: pytest.Session) -> None:
    folder = session.config._tmp_path_factory.getbasetemp()  # type: ignore[attr-defined]
    found = SCAN.findings(folder)
    SCAN.close()
    if hasattr(session.config, "workeroutput"):  # one process of several: the first one tells
        session.config.workeroutput["secrets"] = found
        return
    found += _IN_WORKERS
    if found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.write_line("")
        for line in found:
            reporter.write_line(f"SECRET in {line}", red=True)
