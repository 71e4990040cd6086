"""Action results by the digest of their action, on disk."""

from __future__ import annotations

import os
import time
from typing import IO, TYPE_CHECKING

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.messages import ActionResult, decode, encode
from mochi_rules.cache.store import read_failed, set_aside, touch, write_entry
from mochi_rules.cache.wire import WireError

if TYPE_CHECKING:
    from mochi_rules.cache.layout import Layout
    from mochi_rules.cache.statistics import Recorder

_MAX_SIZE = 64 << 20  # bytes; a result names files, it does not hold them
_TOUCH_AFTER = 3600  # seconds; once an hour is exact enough for "least recently used"


class ActionCache:
    """The action results of a cache directory, each with its seal (see Layout)."""

    def __init__(self, layout: Layout, recorder: Recorder) -> None:
        self._layout = layout
        self._recorder = recorder

    def get(self, digest: Digest) -> ActionResult | None:
        """Return the result of an action; None where it is absent, unreadable or damaged.

        Emits: K006 (damaged), K007 (unreadable).
        """
        path = self._layout.result(digest)
        try:
            with path.open("rb") as file:
                fits = os.fstat(file.fileno()).st_size <= _MAX_SIZE
                data = file.read() if fits else b""
                result = self._unseal(digest, data)
                damaged = result is None and self._is_damaged(digest, file)
        except FileNotFoundError:
            return None
        except OSError as error:
            read_failed(error, path, self._recorder)
            return None
        if damaged:
            set_aside(path, self._layout, self._recorder)
        return result

    def _unseal(self, digest: Digest, data: bytes) -> ActionResult | None:
        if not self._layout.seal(digest, digest_bytes(data)).exists():
            return None
        try:
            return decode(ActionResult, data)
        except WireError:
            return None

    def _is_damaged(self, digest: Digest, file: IO[bytes]) -> bool:
        """Return whether a result that was refused is more than one that is being removed."""
        path = self._layout.result(digest)
        if not os.path.samestat(os.fstat(file.fileno()), path.stat()):
            return False
        return any(path.parent.glob(f"{digest.hash}.*"))

    def put(self, digest: Digest, value: ActionResult) -> None:
        """Keep the result of an action; every blob that it names must be there.

        Raises:
            OSError: The cache cannot be written.
        """
        data = encode(value)
        seal = self._layout.seal(digest, digest_bytes(data))
        seal.parent.mkdir(parents=True, exist_ok=True)
        seal.touch()
        write_entry(self._layout.result(digest), data)

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
