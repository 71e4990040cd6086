"""The cache as rules and the command line use it. A cache in trouble never fails a build."""

from __future__ import annotations

import os
import sys
import time
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import MochiError, environment_error
from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.base.files import reason
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.directory import USE_ANOTHER, Layout, examine, prepare, unusable
from mochi_rules.cache.entry import read_entry, write_entry
from mochi_rules.cache.limits import Limits
from mochi_rules.cache.lock import file_lock
from mochi_rules.cache.messages import (
    ActionResult,
    ExecutedActionMetadata,
    OutputFile,
    duration,
)
from mochi_rules.cache.statistics import Recorder, Statistics, parse_statistics
from mochi_rules.cache.store import ContentStore, Store, warning

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.cache.key import PreparedAction
    from mochi_rules.cache.maintenance import Refusal, Removal, Report, Verification

_MAX_STATISTICS = 1 << 16  # bytes
_SMALL = 1 << 20  # bytes of outputs; to read and verify more, a thread of its own pays
_CHECKS = 64  # after each such part of the cap is written, the size is estimated


@dataclass(frozen=True, slots=True)
class Hit:
    """All outputs of a step, by path, verified; `result` holds what was printed and how long.

    `is_remote` is for one that another machine made.
    """

    result: ActionResult
    outputs: Mapping[str, bytes]
    is_remote: bool = False


class _Mode(Enum):
    OFF = "off"
    NEW = "does not exist yet"
    READ = "read only"
    WRITE = "read and write"


class Cache:
    """The outputs of steps by the digest of everything that decides them.

    Safe for threads and for many processes on one directory. `root` None is a cache that is off:
    it finds nothing and keeps nothing. A directory that cannot be used is as good as off, and one
    that fills up is only read from then on; `warnings` says so, once. Nothing on disk is touched
    before the first call. A result that `accepts` returns False for is as good as absent.

    Emits: K001 to K004 (see `examine`), K005 (cannot be written), K006, K007 (see `ContentStore`),
    K008 (a result is wrong).
    """

    def __init__(
        self,
        root: Path | None,
        *,
        read_only: bool = False,
        limits: Limits = Limits(),  # noqa: B008 - it is immutable
        accepts: Callable[[Digest, ActionResult], bool] = lambda _key, _result: True,
    ) -> None:
        self.root = root and root.absolute()  # a build may change its directory
        self.limits = limits
        self._read_only = read_only
        self._accepts = accepts
        self._started = time.time_ns()
        self._lock = Lock()
        self._mode = _Mode.OFF if root is None else None
        self._trouble: MochiError | None = None
        self._unchecked = limits.size  # bytes written since the size was last estimated: never yet
        self._recorder = Recorder()
        self._layout = Layout(self.root or Path())
        self._blobs = ContentStore(self._layout, self._recorder)
        self._results = ActionCache(self._layout, self._recorder)

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """What is wrong with the cache, each kind of trouble once."""
        return self._recorder.warnings

    @property
    def statistics(self) -> Statistics:
        """What this process did so far."""
        return self._recorder.counted

    def lookup(self, action: PreparedAction, *, again: bool = False) -> Hit | None:
        """Return all outputs of a step, or None where one of them is absent or damaged.

        `again` is for a second look, inside `single_flight`: the two count as one lookup.
        """
        if not self._reads():
            return None
        hit = find(action, self._results, self._blobs)
        if hit is not None and not self._accepts(action.key, hit.result):
            hit = None
        self._note_lookup(action, hit.result if hit else None, again=again)
        return hit

    def at_hand(self, action: PreparedAction) -> Hit | None:
        """Return as `lookup` what takes no longer than to ask another thread for it.

        That it is not at hand does not count as a lookup.
        """
        if not self._reads():
            return None
        hit = find(action, self._results, self._blobs, _SMALL)
        if hit is None or not self._accepts(action.key, hit.result):
            return None
        self._note_lookup(action, hit.result, again=False)
        return hit

    def peek(self, action: PreparedAction) -> ActionResult | None:
        """Return the result of a step, without its outputs; does not count as a lookup."""
        if not self._reads():
            return None
        result = self._results.get(action.key)
        if result is None or not is_complete(action, result):
            return None
        return result if self._accepts(action.key, result) else None

    def distrust(self, step: str, error: MochiError) -> None:
        """Note that what a lookup found is not what its step makes; `error` says why.

        Emits: K008.
        """
        self._recorder.count(Statistics(corrupted=1))
        self._recorder.warn(
            warning(
                "K008", f"the cache `{self.root}` had a wrong result for the step `{step}`",
                note=error.diagnostics[0].message,
                help="its step ran again; if you do not know why, run `mochi-rules cache clear`",
            )
        )  # fmt: skip

    def store(
        self,
        action: PreparedAction,
        outputs: Mapping[str, bytes],
        *,
        stderr: bytes = b"",
        seconds: float = 0.0,
    ) -> None:
        """Keep all outputs of a step that succeeded; one that failed must not be stored.

        `outputs` has the content for each output path of the action, and `seconds` is how long the
        step took.

        Raises:
            ValueError: `outputs` are not those that the action declares.
        """
        self.keep(action, make_result(action, outputs, stderr=stderr, seconds=seconds), outputs)

    def keep(
        self,
        action: PreparedAction,
        result: ActionResult,
        outputs: Mapping[str, bytes],
        *,
        is_copy: bool = False,
    ) -> None:
        """Keep a result of a step with the outputs that it names.

        The messages of the key of a copy stay where it came from: they are most of its files.
        """
        if not self._writes():
            self._recorder.count(Statistics(skipped=1))
            return
        try:
            for file in result.output_files:
                self._blobs.put(file.digest, outputs[file.path])
            for digest, message in () if is_copy else action.messages.items():
                self._blobs.put(digest, message)
            self._results.put(action.key, result)
        except OSError as error:
            self._stop_writing(error)
            self._recorder.count(Statistics(skipped=1))
            return
        self._recorder.count(Statistics(stores=1))
        self._evict_when_full(sum(file.digest.size for file in result.output_files))

    @contextmanager
    def single_flight(self, key: Digest) -> Iterator[None]:
        """Be the only one, of all threads and processes, at work on a key; to be used after a miss.

        Look up `again` inside: whoever waited finds what the one before has stored. Where the cache
        cannot be written there is no lock, since nothing can be shared. A thread must not enter
        twice with one key.
        """
        if not self._writes():
            yield
            return
        with file_lock(self._layout.locks / key.hash):
            yield

    def refusal(self, _key: Digest) -> str:
        """Return why an entry that is there was not taken: this tier reports no such thing."""
        return ""

    def interrupt(self) -> None:
        """End what is under way: here, nothing takes long."""

    def flush(self, shared: Statistics = Statistics()) -> None:  # noqa: B008 - it is immutable
        """Add what this process counted to the totals on disk; call it before the end.

        `shared` is what it counted of a shared tier.
        """
        self._add(self._layout.statistics, self._recorder.take_pending())
        self._add(self._layout.shared_statistics, shared)

    def _add(self, path: Path, counted: Statistics) -> None:
        if self._mode is not _Mode.WRITE or counted == Statistics():
            return
        with file_lock(self._layout.locks / path.name) as held:
            try:
                if held:
                    write_entry(path, (_totals(path) + counted).to_text().encode(), 0o644)
            except OSError as error:
                self._stop_writing(error)

    def report(self) -> Report:
        """Return the state of the cache.

        Raises:
            MochiError: The directory cannot be used.
        """
        from mochi_rules.cache.maintenance import Report, usage  # noqa: PLC0415 - not for a build

        if not self._is_there():
            return Report()
        self.flush()
        totals = _totals(self._layout.statistics), _totals(self._layout.shared_statistics)
        return Report(totals[0], usage(self._layout), totals[1])

    def gc(self) -> Statistics:
        """Bring the cache under its limits, unless another process does; return what was evicted.

        Raises:
            MochiError: The directory cannot be used, or not be written.
        """
        return self._evict() if self._is_there(writable=True) else Statistics()

    def verify(self, refusal: Refusal = lambda _: None) -> Verification:
        """Check every entry, set aside what is damaged, and remove what has a `refusal`.

        Raises:
            MochiError: The directory cannot be used, or not be written.
        """
        from mochi_rules.cache.maintenance import Verification, verify  # noqa: PLC0415 - as above

        if not self._is_there(writable=True):
            return Verification()
        return verify(self._layout, self._recorder, refusal)

    def clear(self) -> Removal:
        """Remove every entry and the totals.

        Raises:
            MochiError: The directory cannot be used, or not be written.
        """
        from mochi_rules.cache.maintenance import Removal, clear  # noqa: PLC0415 - as above

        return clear(self._layout) if self._is_there(writable=True) else Removal()

    def _note_lookup(
        self, action: PreparedAction, result: ActionResult | None, *, again: bool
    ) -> None:
        """Count a lookup, and keep what it found from being evicted."""
        if result is None:
            self._recorder.count(Statistics(misses=0 if again else 1))
            return
        self._recorder.count(Statistics(hits=1, misses=-1 if again else 0))
        if self._mode is _Mode.WRITE and self._results.is_due(action.key):
            for digest in (*action.messages, *(file.digest for file in result.output_files)):
                self._blobs.touch(digest)
            self._results.touch(action.key)  # after its blobs: see `evict`

    def _evict_when_full(self, written: int) -> None:
        with self._lock:
            self._unchecked += written
            if self._unchecked < self.limits.size // _CHECKS:
                return
            self._unchecked = 0
        from mochi_rules.cache.evict import is_due  # noqa: PLC0415 - a build of hits needs none

        if is_due(self._layout, self.limits):
            self._evict()

    def _evict(self) -> Statistics:
        from mochi_rules.cache.evict import evict  # noqa: PLC0415 - as above

        evicted = evict(self._layout, self.limits, self._started)
        self._recorder.count(evicted)
        return evicted

    def _reads(self) -> bool:
        """Return whether there may be something to read; a first call looks at the directory."""
        with self._lock:
            if self._mode is None:
                self._mode = self._examine()
            return self._mode is not _Mode.OFF

    def _examine(self) -> _Mode:
        root = self._layout.root
        try:
            exists = examine(root)
        except MochiError as error:
            return self._turn_off(error)
        if exists:
            return _Mode.WRITE if not self._read_only and os.access(root, os.W_OK) else _Mode.READ
        return _Mode.OFF if self._read_only else _Mode.NEW

    def _turn_off(self, error: MochiError) -> _Mode:
        self._trouble = error
        self._recorder.warn(*error.diagnostics)
        return _Mode.OFF

    def _writes(self) -> bool:
        """Return whether the cache can be written; a first call may make it."""
        if not self._reads():
            return False
        with self._lock:
            if self._mode is _Mode.NEW:
                try:
                    prepare(self._layout.root)
                    self._mode = _Mode.WRITE
                except OSError as error:
                    self._mode = self._turn_off(unusable(self._layout.root, error))
            return self._mode is _Mode.WRITE

    def _stop_writing(self, error: OSError) -> None:
        """Only read from now on: each further write would fail as slowly as this one."""
        with self._lock:
            self._mode = _Mode.READ
        self._recorder.count(Statistics(errors=1))
        self._recorder.warn(
            warning(
                "K005", f"cannot write the cache `{self.root}`: {reason(error)}",
                note="its entries are still used", help=USE_ANOTHER,
            )
        )  # fmt: skip

    def _is_there(self, *, writable: bool = False) -> bool:
        """Return whether there is a cache; raise why it cannot be used."""
        if not self._reads():
            if self._trouble:
                raise self._trouble
            return False
        if writable and self._mode is _Mode.READ:
            raise environment_error("K005", f"the cache `{self.root}` is read-only")
        return self._mode is not _Mode.NEW


def _totals(path: Path) -> Statistics:
    try:
        return parse_statistics(read_entry(path, _MAX_STATISTICS).decode("utf-8", "replace"))
    except OSError:
        return Statistics()


def make_result(
    action: PreparedAction,
    outputs: Mapping[str, bytes],
    *,
    stderr: bytes = b"",
    seconds: float = 0.0,
) -> ActionResult:
    """Return the result of a step that succeeded and took so long.

    Raises:
        ValueError: `outputs` are not those that the action declares.
    """
    if tuple(sorted(outputs)) != action.output_paths:
        raise ValueError(f"declared {action.output_paths}, but got {sorted(outputs)}")
    return ActionResult(
        output_files=tuple(OutputFile(path, digest_bytes(outputs[path]))
                           for path in action.output_paths),
        stderr_raw=stderr,
        execution_metadata=ExecutedActionMetadata(duration(seconds)),
    )  # fmt: skip


def find(
    action: PreparedAction,
    results: Store[ActionResult],
    blobs: Store[bytes],
    most: int = sys.maxsize,
) -> Hit | None:
    """Return all outputs of a step from a pair of stores, or None where one is absent.

    Outputs of more than `most` bytes together are not looked for.
    """
    result = results.get(action.key)
    if result is None or not is_complete(action, result):
        return None
    if sum(file.digest.size for file in result.output_files) > most:
        return None
    outputs: dict[str, bytes] = {}
    for file in result.output_files:
        data = blobs.get(file.digest)
        if data is None:
            return None
        outputs[file.path] = data
    return Hit(result, outputs)


def is_complete(action: PreparedAction, result: ActionResult) -> bool:
    """Return whether the step succeeded and made exactly the outputs that it declares."""
    paths = tuple(sorted(file.path for file in result.output_files))
    return result.exit_code == 0 and paths == action.output_paths
