"""Which steps of a build will run, as far as that can be known before SCons visits them."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.rules.scons.nodes import read_node
from mochi_rules.steps.foresight import Plan, fetch_now, foresee

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.tiers import TieredCache
    from mochi_rules.rules.workspace import Task, Workspace


def fetch_ahead(space: Workspace, cache: TieredCache) -> None:
    """Begin to fetch what the server has of the results of all steps that will run."""
    foresee(space.pipeline, cache, _plans(space, space.requested_steps()))


def prefetch(space: Workspace, cache: TieredCache) -> tuple[int, int]:
    """Fetch the results of the steps that a build of `space.wanted` would run.

    Return how many there are on this machine now, and how many steps such a build has.
    """
    plans = _plans(space, space.reach(space.wanted))
    return fetch_now(space.pipeline, cache, plans), len(plans)


def _plans(space: Workspace, steps: set[Any]) -> list[Plan]:
    """Return those of some steps that will run, and have results that are stored."""
    stale: set[Any] = set()
    pending = {node for node in steps if _may_be_stored(space.tasks[node])}
    while news := {node for node in pending if _is_stale(space.tasks[node], node, stale)}:
        stale |= news
        pending = pending - news
    return [Plan(node, space.tasks[node].step, partial(_read, space.tasks[node], stale))
            for node in stale]  # fmt: skip


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
