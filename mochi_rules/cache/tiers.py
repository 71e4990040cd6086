"""Tiers: a cache of this machine before one that many machines share."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Protocol

from mochi_rules.cache.cache import Hit, make_result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mochi_rules.base.diagnostic import Diagnostic, MochiError
    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.cache import Cache
    from mochi_rules.cache.key import PreparedAction
    from mochi_rules.cache.messages import ActionResult
    from mochi_rules.cache.statistics import Statistics


_MAX_HELD = 64 << 20  # bytes of outputs in memory


class Tier(Protocol):
    """What a build needs of a cache, of one tier or of several; `Cache` says what each does."""

    @property
    def root(self) -> Path | None:
        """The directory of the tier on this machine."""

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is wrong, each kind of trouble once."""

    def lookup(self, action: PreparedAction, *, again: bool = False) -> Hit | None:
        """Return all outputs of a step, verified, or None."""

    def distrust(self, step: str, error: MochiError) -> None:
        """Note that what a lookup found is not what its step makes."""

    def store(
        self,
        action: PreparedAction,
        outputs: Mapping[str, bytes],
        *,
        stderr: bytes = b"",
        seconds: float = 0.0,
    ) -> None:
        """Keep all outputs of a step that succeeded."""

    def single_flight(self, key: Digest) -> AbstractContextManager[None]:
        """Be the only one at work on a key."""

    def refusal(self, key: Digest) -> str:
        """Return why an entry that is there was not taken, or an empty string."""

    def flush(self) -> None:
        """Finish what is under way; call it before the end."""


class Shared(Protocol):
    """The tier that many machines share. Its trouble fails no build that does not require it."""

    @property
    def statistics(self) -> Statistics:
        """What this process did so far."""

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is wrong, each kind of trouble once."""

    def fetch(self, action: PreparedAction) -> Hit | None:
        """Return all outputs of a step, verified, or None."""

    def refusal(self, key: Digest) -> str:
        """Return why an entry that is there was not taken, or an empty string."""

    def fetch_all(self, actions: Sequence[PreparedAction]) -> Mapping[Digest, Hit]:
        """Return all outputs of those steps that there are, by key."""

    def offer(self, action: PreparedAction, hit: Hit) -> None:
        """Store the outputs of a step, in the background."""

    def finish(self) -> None:
        """Wait for what is under way in the background, and end the connection."""


class TieredCache:
    """A cache of this machine before a shared one, whose hits it keeps. Safe for threads."""

    def __init__(self, local: Cache, shared: Shared) -> None:
        self.local = local
        self.shared = shared
        self._lock = Lock()
        self._asked: set[Digest] = set()
        self._fetched: set[Digest] = set()
        self._held: dict[Digest, tuple[PreparedAction, Hit]] = {}  # not kept locally yet
        self._held_size = 0  # bytes

    @property
    def root(self) -> Path | None:
        """The directory of the tier on this machine."""
        return self.local.root

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is wrong with a tier, each kind of trouble once."""
        return (*self.local.warnings, *self.shared.warnings)

    def lookup(self, action: PreparedAction, *, again: bool = False) -> Hit | None:
        """Return all outputs of a step from the first tier that has them.

        Raises:
            MochiError: The build requires the shared tier, and it fails.
        """
        key = action.key
        if (held := self._held.pop(key, None)) is not None:
            return self._keep(*held)
        hit = self.local.lookup(action, again=again)
        if hit is not None:
            return Hit(hit.result, hit.outputs, is_remote=key in self._fetched)
        with self._lock:
            if key in self._asked:
                return None
            self._asked.add(key)
        hit = self.shared.fetch(action)
        return hit and self._keep(action, hit)

    def _keep(self, action: PreparedAction, hit: Hit) -> Hit:
        self.local.keep(action, hit.result, hit.outputs)
        self._fetched.add(action.key)
        return hit

    def fetch_all(self, actions: Iterable[PreparedAction]) -> dict[Digest, ActionResult]:
        """Return what there is of the results of steps, by key.

        The local tier keeps the outputs when they are looked up: then the threads of a build do it,
        and need not read them again.

        Raises:
            MochiError: The build requires the shared tier, and it fails.
        """
        found, lacking = {}, []
        for action in actions:
            if (result := self.local.peek(action)) is not None:
                found[action.key] = result
            elif action.key not in self._asked:
                lacking.append(action)
        self._asked.update(action.key for action in lacking)
        hits = self.shared.fetch_all(lacking)
        for action in lacking:
            if (hit := hits.get(action.key)) is None:
                continue
            found[action.key] = hit.result
            self._held_size += sum(map(len, hit.outputs.values()))
            if self._held_size > _MAX_HELD:
                self._keep(action, hit)
            else:
                self._held[action.key] = action, hit
        return found

    def distrust(self, step: str, error: MochiError) -> None:
        """Note that what a lookup found is not what its step makes."""
        self.local.distrust(step, error)

    def store(
        self,
        action: PreparedAction,
        outputs: Mapping[str, bytes],
        *,
        stderr: bytes = b"",
        seconds: float = 0.0,
    ) -> None:
        """Keep all outputs of a step that succeeded, in both tiers."""
        result = make_result(action, outputs, stderr=stderr, seconds=seconds)
        self.local.keep(action, result, outputs)
        self.shared.offer(action, Hit(result, outputs))

    def single_flight(self, key: Digest) -> AbstractContextManager[None]:
        """Be the only one on this machine at work on a key."""
        return self.local.single_flight(key)

    def refusal(self, key: Digest) -> str:
        """Return why an entry of the shared tier was not taken, or an empty string."""
        return self.shared.refusal(key)

    def flush(self) -> None:
        """Finish the uploads, and add what was counted to the totals on disk."""
        self.shared.finish()
        while self._held:
            self._keep(*self._held.popitem()[1])
        self.local.flush(self.shared.statistics)
