"""Work that needs the state is done only while the state can be written.

While it cannot, nothing is read and nothing posted: what could not be remembered would be done
twice. It is said once when that begins and once when it ends.
"""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable

from bridge.store import Store, Unusable

log = logging.getLogger("tribridge")

#: bytes that must be free on the state's disk before work goes on
ROOM = 1024 * 1024


class Guard:
    """Runs tasks while the state can be written. Safe to use from several threads.

    `go_on` is called when it can be again.
    """

    def __init__(self, store: Store, go_on: Callable[[], object] = lambda: None) -> None:
        self._store = store
        self._go_on = go_on
        self._lock = threading.Lock()
        self._trouble = ""

    @property
    def trouble(self) -> str:
        """Why nothing is done now; "" if all is well."""
        return self._trouble

    def run(self, task: Callable[[], object]) -> bool:
        """Do a task; False if it was not done, or not to its end, because of the state."""
        try:
            if self._trouble:
                self._try()
            task()
        except Unusable as error:
            self._begin(str(error))
            return False
        return True

    def _try(self) -> None:
        """See whether the state can be written again; Unusable if not."""
        self._store.try_to_write()
        file = self._store.file
        if file is not None and shutil.disk_usage(file.parent).free < ROOM:
            raise Unusable(self._trouble)
        with self._lock:
            ended, self._trouble = bool(self._trouble), ""
        if ended:
            log.info("%s: can be written again: going on", file)
            self._go_on()

    def _begin(self, text: str) -> None:
        with self._lock:
            if not self._trouble:
                log.error("%s; nothing is read or posted until then, and nothing is lost", text)
            self._trouble = text
