"""Action results by the digest of their action, on disk."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from mochi_rules.cache.entry import seal, touch, unseal
from mochi_rules.cache.messages import ActionResult, decode, encode
from mochi_rules.cache.store import read, set_aside, write
from mochi_rules.cache.wire import WireError

if TYPE_CHECKING:
    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.directory import Layout
    from mochi_rules.cache.statistics import Recorder

_MAX_SIZE = 64 << 20  # bytes; a result names files, it does not hold them
_TOUCH_AFTER = 3600  # seconds; once an hour is exact enough for "least recently used"


class ActionCache:
    """The action results of a cache directory."""

    def __init__(self, layout: Layout, recorder: Recorder) -> None:
        self._layout = layout
        self._recorder = recorder

    def get(self, digest: Digest) -> ActionResult | None:
        """Return the result of an action; None where it is absent, unreadable or damaged.

        Emits: K002 (of others), K006 (damaged), K007 (unreadable).
        """
        path = self._layout.result(digest)
        data = read(path, _MAX_SIZE, self._layout, self._recorder)
        if data is None:
            return None
        content = unseal(digest.hash, data)
        if content is not None:
            with suppress(WireError):
                return decode(ActionResult, content)
        set_aside(path, self._layout, self._recorder)
        return None

    def put(self, digest: Digest, value: ActionResult) -> None:
        """Keep the result of an action; every blob that it names must be there.

        Raises:
            OSError: The cache cannot be written.
        """
        write(self._layout.result(digest), seal(digest.hash, encode(value)), self._layout)

    def is_due(self, digest: Digest) -> bool:
        """Return whether the last noted use of a result is more than an hour ago."""
        try:
            used = self._layout.result(digest).stat().st_mtime
        except OSError:
            return False
        return time.time() - used > _TOUCH_AFTER

    def touch(self, digest: Digest) -> None:
        """Note that a result is in use."""
        touch(self._layout.result(digest))
