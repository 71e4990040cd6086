"""Which steps of a build will run, as far as that can be known before SCons visits them."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.rules.scons.nodes import read_node
from mochi_rules.steps.foresight import Plan, foresee

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.tiers import TieredCache
    from mochi_rules.rules.workspace import Task, Workspace


def fetch_ahead(space: Workspace, cache: TieredCache) -> None:
    """Begin to fetch what the server has of the results of all steps that will run."""
    nodes = {node for node in space.requested_steps() if _may_be_stored(space.tasks[node])}
    stale: set[Any] = set()
    pending = nodes
    while news := {node for node in pending if _is_stale(space.tasks[node], node, stale)}:
        stale |= news
        pending = pending - news
    plans = [Plan(node, space.tasks[node].step, partial(_read, space.tasks[node], stale))
             for node in stale]  # fmt: skip
    foresee(space.pipeline, cache, plans)


def _may_be_stored(task: Task) -> bool:
    return task.step.is_stored and task.has_file


def _is_stale(task: Task, node: Any, stale: set[Any]) -> bool:
    """Return whether a step will run: its output is missing, or older than a source."""
    inputs = task.inputs.values() if task.inputs else node.sources
    if not stale.isdisjoint(inputs):
        return True
    with suppress(OSError):
        made = Path(node.get_abspath()).stat().st_mtime_ns
        return any(_changed(source) > made for source in inputs)
    return True


def _changed(node: Any) -> int:
    """Return when a file was changed; a missing one is for its own step."""
    with suppress(OSError):
        return Path(node.rfile().get_abspath()).stat().st_mtime_ns
    return 0


def _read(
    task: Task, stale: set[Any], known: Mapping[Any, Digest]
) -> Mapping[str, bytes | Digest] | None:
    """Return the inputs of a step; None where one is still to be made."""
    with suppress(MochiError, OSError):
        if task.inputs is None:
            return task.read()
        if all(node in known or node not in stale for node in task.inputs.values()):
            return {name: known.get(node) or digest_bytes(read_node(node))
                    for name, node in task.inputs.items()}  # fmt: skip
    return None
