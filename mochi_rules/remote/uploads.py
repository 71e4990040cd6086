"""Results on their way up, in the background."""

from __future__ import annotations

from collections import deque
from threading import Condition, Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.cache.cache import Hit
    from mochi_rules.cache.key import PreparedAction

_MAX_WAITING = 64 << 20  # bytes; who has more waits
_MAX_BATCH = 4 << 20  # bytes
_MAX_ENTRIES = 64

Entry = tuple["PreparedAction", "Hit"]


class Uploads:
    """A queue of results, and the thread that works it off; the thread ends with the process.

    `upload` is called with some of them at a time, and must not raise.
    """

    def __init__(self, upload: Callable[[list[Entry]], None]) -> None:
        self._upload = upload
        self._changed = Condition()
        self._waiting: deque[Entry] = deque()
        self._size = 0  # bytes, of those that wait
        self._busy = 0  # entries that are being uploaded
        self._thread: Thread | None = None

    def add(self, entry: Entry, seconds: float) -> bool:
        """Queue a result; return False where there was no room for so long."""
        with self._changed:
            if not self._changed.wait_for(self._has_room, seconds):
                return False
            self._waiting.append(entry)
            self._size += _size(entry)
            if self._thread is None:
                self._thread = Thread(target=self._work, daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return True

    def drain(self, seconds: float) -> int:
        """Wait until everything is up; return how many results are not, after so long."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._busy, seconds)
            return len(self._waiting) + self._busy

    def _has_room(self) -> bool:
        return self._size < _MAX_WAITING

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting))
                batch = self._take()
                self._busy = len(batch)
            self._upload(batch)
            with self._changed:
                self._busy = 0
                self._changed.notify_all()

    def _take(self) -> list[Entry]:
        """Take some results off the queue; at least one."""
        batch: list[Entry] = []
        size = 0
        while self._waiting and size < _MAX_BATCH and len(batch) < _MAX_ENTRIES:
            batch.append(self._waiting.popleft())
            size += _size(batch[-1])
        self._size -= size
        self._changed.notify_all()
        return batch


def _size(entry: Entry) -> int:
    return sum(file.digest.size for file in entry[1].result.output_files)
