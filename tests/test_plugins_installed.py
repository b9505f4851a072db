"""The plugins of the page, installed as a package: they are found, and what they do is done."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from bridge.networks.mastodon.simulator import MastodonSimulator
from tests.pages import ROOT, blocks, text_of
from tests.test_docs import PLUGINS
from tests.waiting import HANGS

PAGE = text_of("docs/how-to/extend.md")


def test_what_builds_packages_is_there() -> None:
    assert find_spec("hatchling"), "install what is in the group dev of pyproject.toml"


def run(*words: str, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    paths = (str(path), str(ROOT), os.environ.get("PYTHONPATH", ""))
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    return subprocess.run(
        [sys.executable, "-m", *words],
        check=False,
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=HANGS,
    )


@pytest.fixture
def mastodon() -> Iterator[MastodonSimulator]:
    simulator = MastodonSimulator()
    simulator.start()
    yield simulator
    simulator.stop()


def test_each_is_shown_in_under_thirty_lines() -> None:
    assert {"steps/weather.py", "networks/folder.py"} <= set(PLUGINS)
    for block in blocks(PAGE, "python"):
        assert len(block.splitlines()) < 30


def test_an_installed_package_brings_a_step_and_a_network(
    tmp_path: Path, mastodon: MastodonSimulator
) -> None:
    package, site, here = (tmp_path / name for name in ("package", "site", "here"))
    (project,) = blocks(PAGE, "toml")
    for name, text in {"pyproject.toml": project, **PLUGINS}.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text, encoding="utf-8")
    here.mkdir()
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    installed = run(
        "pip", "install", *offline, "--target", str(site), str(package), folder=here, path=package
    )
    assert installed.returncode == 0, installed.stderr
    assert sorted(folder.name for folder in site.iterdir() if "-" not in folder.name) == [
        "networks",
        "steps",
    ]

    config = {
        "accounts": {
            "masto": {"network": "mastodon", **mastodon.account("anna")},
            "archive": {"network": "folder", "path": "archive"},
        },
        "bots": {
            "b": {
                "from": "masto",
                "to": "archive",
                "delay": "0s",
                "steps": [{"weather": {"sign": "*"}}, {"append": "({{ author }})"}],
            }
        },
    }
    (here / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    checked = run("bridge", "check", "--format", "json", folder=here, path=site)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert run("bridge", "check", folder=here, path=here).returncode == 78  # it is not there

    assert run("bridge", "once", folder=here, path=site).returncode == 0
    mastodon.say("anna", "Sunshine all day")
    mastodon.say("anna", "Regn")
    done = run("bridge", "once", folder=here, path=site)
    assert done.returncode == 0, done.stderr
    copies = sorted(file.read_text(encoding="utf-8") for file in (here / "archive").iterdir())
    assert copies == ["* Sunshine all day\n\n(anna)", "Regn\n\n(anna)"]


def test_a_package_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    info = tmp_path / "broken-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[tribridge.steps]\na = broken\n")
    (tmp_path / "broken.py").write_text("x = 1\ny = x / 0\n")
    (tmp_path / "config.yaml").write_text("accounts: {}\n")
    told = run("bridge", "check", folder=tmp_path, path=tmp_path)
    assert told.returncode == 78
    assert told.stdout.startswith(
        "config.yaml:1:1: the installed package broken cannot be used: ZeroDivisionError: division"
        f" by zero ({tmp_path}/broken.py, line 2)\n"
    ), told.stdout
    assert "Traceback" not in told.stdout + told.stderr
