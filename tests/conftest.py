from __future__ import annotations

from collections.abc import Iterator

import pytest

from bridge import ffmpeg, registry
from bridge.ratelimit import SHARED
from tests.secret_scan import (  # noqa: F401 - hooks
    pytest_configure,
    pytest_runtest_logreport,
    pytest_sessionfinish,
    pytest_testnodedown,
)
from tests.servers.pds import Pds
from tests.waiting import standing_still


@pytest.fixture(scope="session", autouse=True)
def _time() -> Iterator[None]:
    """No request is given up because the machine was held up."""
    with standing_still():
        yield


@pytest.fixture(autouse=True)
def _no_limits_known() -> None:
    """Rate limits are kept for the life of a process, and a test's clock begins anew."""
    SHARED.forget()


@pytest.fixture(autouse=True)
def _no_networks_of_plugins() -> Iterator[None]:
    """They are joined to the registry for the life of a process."""
    ours = set(registry.NETWORKS)
    yield
    for name in set(registry.NETWORKS) - ours:
        registry.leave(name)


@pytest.fixture(autouse=True)
def _no_ffmpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a machine has installed must not decide what a test sees."""
    monkeypatch.setattr(ffmpeg, "PROGRAM", "no-such-program")


@pytest.fixture(scope="session")
def pds() -> Iterator[Pds]:
    """The official Bluesky PDS, for tests marked `pds`."""
    with Pds() as running:
        yield running
