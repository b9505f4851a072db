"""The memory: one SQLite file. Only this folder has SQL.

The functions of `Store` are named after what happens; `rows` is what they take and give.
"""

from __future__ import annotations

from bridge.store.alerts import Alert, Alerts, TroubledCopy
from bridge.store.changing import Changing, Watched
from bridge.store.decisions import Decisions
from bridge.store.file import AlreadyRunning, Closed, StateError, Unusable
from bridge.store.health import Health
from bridge.store.reports import Reports
from bridge.store.rows import (
    COPY_DELETED,
    DOUBTED,
    SEVERAL,
    STATE_ID,
    Action,
    Blocks,
    Change,
    Code,
    Copy,
    HeldPost,
    NewDraft,
    Order,
    PauseKind,
    QueuedDraft,
    Recording,
    RouteKey,
    State,
    Verdict,
    change_id,
    changed_id,
    is_change,
    original_id,
)
from bridge.store.spending import Spending, Spent

__all__ = [
    "COPY_DELETED",
    "DOUBTED",
    "SEVERAL",
    "STATE_ID",
    "Action",
    "Alert",
    "AlreadyRunning",
    "Blocks",
    "Change",
    "Closed",
    "Code",
    "Copy",
    "HeldPost",
    "NewDraft",
    "Order",
    "PauseKind",
    "QueuedDraft",
    "Recording",
    "RouteKey",
    "Spent",
    "State",
    "StateError",
    "Store",
    "TroubledCopy",
    "Unusable",
    "Verdict",
    "Watched",
    "change_id",
    "changed_id",
    "is_change",
    "original_id",
]


class Store(Changing, Alerts, Decisions, Reports, Health, Spending):
    """What the program remembers. Safe to use from several threads."""
