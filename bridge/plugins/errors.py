"""What goes wrong in code of a person's own, and how it is told."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from bridge import secrecy


class PluginError(Exception):
    """What is wrong with a plugin, for people."""


def ends_program(error: BaseException) -> bool:
    """Whether an error is a person's Ctrl-C, and not what their code made up."""
    in_front = threading.current_thread() is threading.main_thread()
    return isinstance(error, KeyboardInterrupt) and in_front


_HERE = str(Path(__file__).parents[1]) + os.sep


def describe(error: BaseException) -> str:
    """An error of a person's own code: its kind, its words, and the line of it that was reached."""
    trace, own, where = error.__traceback__, "", ""
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not own and not file.startswith(("<", _HERE)) and "importlib" not in file:
            own = file
        if file == own:
            where = f" ({file}, line {trace.tb_lineno})"
        trace = trace.tb_next
    try:
        words = " ".join(str(error).split())[:500]
    except Exception:  # noqa: BLE001 - how it spells itself is a person's own code too
        words = ""
    return secrecy.redact(f"{type(error).__name__}{f': {words}' if words else ''}{where}")
