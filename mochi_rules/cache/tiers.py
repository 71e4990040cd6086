"""Tiers: a cache of this machine before one that many machines share."""

from __future__ import annotations

from contextlib import suppress
from threading import Condition, Thread
from typing import TYPE_CHECKING, Protocol

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.cache.cache import Hit, make_result

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.cache import Cache
    from mochi_rules.cache.explain import KeyRecord
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

    def at_hand(self, action: PreparedAction) -> Hit | None:
        """Return as `lookup` what takes no longer than to ask another thread for it."""

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

    def interrupt(self) -> None:
        """End what is under way, and keep nobody waiting: the build was interrupted."""

    def flush(self) -> None:
        """Finish what is under way; call it before the end."""


class Shared(Protocol):
    """The tier that many machines share. Its trouble fails no build that does not require it."""

    def take_statistics(self) -> Statistics:
        """Return what this process did since the last call."""

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is wrong, each kind of trouble once."""

    def fetch(self, action: PreparedAction) -> Hit | None:
        """Return all outputs of a step, verified, or None."""

    def refusal(self, key: Digest) -> str:
        """Return why an entry that is there was not taken, or an empty string."""

    def fetch_all(self, actions: Sequence[PreparedAction]) -> Mapping[Digest, Hit]:
        """Return all outputs of those steps that there are, by key."""

    def other_keys(self, records: Mapping[str, KeyRecord]) -> Mapping[str, KeyRecord | None]:
        """Return the nearest other key by which each target has a result; None for none."""

    def offer(self, action: PreparedAction, hit: Hit) -> None:
        """Store the outputs of a step, in the background."""

    def interrupt(self) -> None:
        """End what is under way; no call succeeds any more."""

    def finish(self) -> None:
        """Wait for what is under way in the background, and end the connection."""


class TieredCache:
    """A cache of this machine before a shared one, whose hits it keeps. Safe for threads.

    A build with nothing to do does not open the shared one, nor load what it needs.
    """

    def __init__(self, local: Cache, open_shared: Callable[[], Shared]) -> None:
        self.local = local
        self._open_shared = open_shared
        self._shared: Shared | None = None
        self._changed = Condition()  # guards all of these
        self._is_ahead = False  # a thread fetches what will be looked up
        self._asked: set[Digest] = set()
        self._fetched: set[Digest] = set()
        self._held: dict[Digest, tuple[PreparedAction, Hit]] = {}  # not kept locally yet

    @property
    def root(self) -> Path | None:
        """The directory of the tier on this machine."""
        return self.local.root

    @property
    def shared(self) -> Shared:
        """The shared tier, which is opened now if it was not needed before."""
        with self._changed:
            if self._shared is None:
                self._shared = self._open_shared()
            return self._shared

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is wrong with a tier, each kind of trouble once."""
        return (*self.local.warnings, *(self._shared.warnings if self._shared else ()))

    def lookup(self, action: PreparedAction, *, again: bool = False) -> Hit | None:
        """Return all outputs of a step from the first tier that has them.

        Raises:
            MochiError: The build requires the shared tier, and it fails.
        """
        key = action.key
        with self._changed:
            held = self._held.pop(key, None)
        if held is not None:
            return self._keep(*held)
        hit = self.local.lookup(action, again=again)
        if hit is not None:
            return Hit(hit.result, hit.outputs, is_remote=key in self._fetched)
        with self._changed:
            self._changed.wait_for(lambda: key in self._asked or not self._is_ahead)
            held = self._held.pop(key, None)
            was_asked = key in self._asked
            self._asked.add(key)
        if held is not None:
            return self._keep(*held)
        if was_asked:
            return None
        hit = self.shared.fetch(action)
        return hit and self._keep(action, hit)

    def at_hand(self, action: PreparedAction) -> Hit | None:
        """Return as `lookup` what has been fetched already, or is small and on this machine."""
        with self._changed:
            held = self._held.pop(action.key, None)
        if held is not None:
            return self._keep(*held)
        hit = self.local.at_hand(action)
        return hit and Hit(hit.result, hit.outputs, is_remote=action.key in self._fetched)

    def _keep(self, action: PreparedAction, hit: Hit) -> Hit:
        self.local.keep(action, hit.result, hit.outputs, is_copy=True)
        self._fetched.add(action.key)
        return hit

    def fetch_all(self, actions: Iterable[PreparedAction]) -> dict[Digest, ActionResult]:
        """Return the results of steps that are found, by key.

        The local tier keeps the outputs when they are looked up: then the threads of a build do it,
        and need not read them again.

        Raises:
            MochiError: The build requires the shared tier, and it fails.
        """
        found, lacking = {}, {}
        for action in actions:
            if (result := self.local.peek(action)) is not None:
                found[action.key] = result
            elif action.key not in self._asked:
                lacking[action.key] = action
        hits = self.shared.fetch_all(list(lacking.values()))
        with self._changed:
            size = sum(len(data) for _, hit in self._held.values() for data in hit.outputs.values())
        for key, hit in hits.items():
            found[key] = hit.result
            size += sum(map(len, hit.outputs.values()))
            if size > _MAX_HELD:
                self._keep(lacking[key], hit)
        with self._changed:
            news = {key: (lacking[key], hit) for key, hit in hits.items()
                    if key not in self._asked and key not in self._fetched}  # fmt: skip
            self._held |= news
            self._asked.update(lacking)
            self._changed.notify_all()
        return found

    def keep_held(self) -> None:
        """Keep what was fetched and not looked up."""
        with self._changed:
            held, self._held = self._held, {}
        for action, hit in held.values():
            self._keep(action, hit)

    def go_ahead(self, work: Callable[[], object]) -> None:
        """Let a thread fetch what will be looked up; meanwhile, lookups wait for what it finds.

        What it fails to fetch is fetched by the lookup.
        """

        def run() -> None:
            try:
                with suppress(MochiError):
                    work()
            finally:
                with self._changed:
                    self._is_ahead = False
                    self._changed.notify_all()

        self._is_ahead = True
        Thread(target=run, daemon=True).start()

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
        return self._shared.refusal(key) if self._shared else ""

    def interrupt(self) -> None:
        """End what the shared tier does: an upload may take longer than people wait."""
        if self._shared is not None:
            self._shared.interrupt()

    def flush(self) -> None:
        """Finish the uploads, and add what was counted to the totals on disk."""
        if self._shared is None:
            self.local.flush()
            return
        self._shared.finish()
        self.keep_held()
        self.local.flush(self._shared.take_statistics())
