"""What a server has of the results of this machine, checked: nothing lists all that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.digest import digest_bytes
from mochi_rules.cache.action_cache import ActionCache
from mochi_rules.cache.evict import digests_of, scan_results
from mochi_rules.cache.statistics import Recorder
from mochi_rules.cache.store import EMPTY, read
from mochi_rules.remote.server import batches, concurrently, results
from mochi_rules.remote.trust import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.directory import Layout
    from mochi_rules.cache.messages import ActionResult
    from mochi_rules.remote.server import Server
    from mochi_rules.remote.settings import Trust

_MAX_ACTION = 1 << 20  # bytes
_MAX_SIZE, _MAX_COUNT = 64 << 20, 1000  # of the outputs that are in memory
_THREADS = 64  # calls at a time

LACKING, DAMAGED = "the server lacks an output", "an output has wrong bytes"
DIFFERENT = "its outputs are not those of this machine"


@dataclass(frozen=True, slots=True)
class RemoteVerification:
    """How many results the server has of those of this machine, and what is wrong, by key."""

    checked: int
    faults: Mapping[Digest, str]


def verify_remote(server: Server, layout: Layout, trust: Trust) -> RemoteVerification:
    """Fetch what a server has of the results of a cache, with all outputs, and check it.

    Raises:
        ServerError: The server fails.
    """
    checked, faults = 0, {}
    size = lambda item: sum(file.digest.size for file in item[1].output_files)  # noqa: E731
    for batch in batches(_results(layout), size, _MAX_SIZE, _MAX_COUNT):
        get = lambda item: server.get_result(item[0], ())  # noqa: E731
        answers = results(concurrently(get, batch, _THREADS))
        there = [(key, ours, theirs) for (key, ours), theirs in zip(batch, answers, strict=True)
                 if theirs is not None]  # fmt: skip
        wanted = {file.digest for _, _, theirs in there for file in theirs.output_files}
        blobs = server.read([digest for digest in wanted if digest.size])
        checked += len(there)
        for key, ours, theirs in there:
            fault = refusal(trust, key, theirs) or _fault(ours, theirs, blobs)
            if fault:
                faults[key] = fault
    return RemoteVerification(checked, faults)


def _results(layout: Layout) -> Iterator[tuple[Digest, ActionResult]]:
    """Yield the results of a cache, by their keys."""
    recorder = Recorder()
    cache = ActionCache(layout, recorder)
    for name in digests_of(scan_results(layout)):
        result = cache.get(name)
        action = read(layout.blob(name), _MAX_ACTION, layout, recorder)
        if result is not None and action is not None:
            yield digest_bytes(action), result


def _fault(ours: ActionResult, theirs: ActionResult, blobs: Mapping[Digest, bytes]) -> str:
    """Return what is wrong with a result of the server, or an empty string."""
    for file in theirs.output_files:
        data = b"" if file.digest == EMPTY else blobs.get(file.digest)
        if data is None:
            return LACKING
        if digest_bytes(data) != file.digest:
            return DAMAGED
    files = [sorted((file.path, file.digest) for file in item.output_files)
             for item in (ours, theirs)]  # fmt: skip
    return "" if files[0] == files[1] else DIFFERENT
