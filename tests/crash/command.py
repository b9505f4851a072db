"""The real command on the harness's clock: `python -m tests.crash.command SHARED run --config FILE`.

Everything but the clock is what a person starts: arguments, lock, signals, APScheduler, threads.
"""

from __future__ import annotations

import sys
from datetime import datetime, tzinfo
from pathlib import Path

import apscheduler.executors.base
import apscheduler.schedulers.base
import apscheduler.triggers.date
import apscheduler.triggers.interval

from bridge.accounts import Accounts
from bridge.cli import main
from tests.crash.shared import Shared


def set_clock(shared: Shared) -> None:
    """Let the command's own code and APScheduler ask for the time that everybody has."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return shared.now().astimezone(tz)

    Accounts.__init__.__defaults__ = (shared.now,)
    apscheduler.schedulers.base.datetime = Clock
    apscheduler.executors.base.datetime = Clock
    apscheduler.triggers.date.datetime = Clock
    apscheduler.triggers.interval.datetime = Clock


if __name__ == "__main__":
    memory = Shared(Path(sys.argv.pop(1)))
    set_clock(memory)
    memory.begin()
    main()
