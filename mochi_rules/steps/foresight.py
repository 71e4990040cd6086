"""Fetches the results of many steps at once, before the first of them runs.

A step asks for its result when its inputs are there: one question after the other, each as slow as
the way to the server. But a result has the digests of outputs, and these are all that the
keys of the next steps need. So whole levels of the graph are asked for together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from mochi_rules.base.digest import Digest
    from mochi_rules.cache.key import PreparedAction
    from mochi_rules.cache.tiers import TieredCache
    from mochi_rules.steps.pipeline import Pipeline
    from mochi_rules.steps.step import Step


@dataclass(frozen=True, slots=True)
class Plan:
    """A step that will run, called `name`.

    `read` returns its inputs, as bytes or digests, from the digests of outputs that are known, by
    the names of their plans; None while one is not known.
    """

    name: Hashable
    step: Step
    read: Callable[[Mapping[Any, Digest]], Mapping[str, bytes | Digest] | None]


def foresee(pipeline: Pipeline, cache: TieredCache, plans: Iterable[Plan]) -> None:
    """Let a thread fetch what the server has of the results of steps.

    The inputs of steps that need no others are read before, and engines are probed: both belong to
    the threads of the build, which wait for this one.

    Raises:
        MochiError: An engine cannot be probed.
    """
    first = _begin(pipeline, list(plans))
    cache.go_ahead(lambda: _fetch(pipeline, cache, *first))


def fetch_now(pipeline: Pipeline, cache: TieredCache, plans: Iterable[Plan]) -> int:
    """Fetch the results of steps, and return how many this machine has then.

    Raises:
        MochiError: An engine cannot be probed, or the build requires the server, and it fails.
    """
    found = _fetch(pipeline, cache, *_begin(pipeline, list(plans)))
    cache.keep_held()
    return found


def _begin(
    pipeline: Pipeline, plans: list[Plan]
) -> tuple[dict[Hashable, PreparedAction], list[Plan]]:
    """Probe the engines, and return as `_prepare` while no output is known."""
    for config in {plan.step.engine for plan in plans if plan.step.engine is not None}:
        pipeline.probe(config)
    return _prepare(pipeline, plans, {})


def _fetch(
    pipeline: Pipeline, cache: TieredCache, ready: dict[Hashable, PreparedAction], rest: list[Plan]
) -> int:
    """Fetch results level by level, for as long as the server has some; return how many."""
    known: dict[Hashable, Digest] = {}
    while ready:
        found = cache.fetch_all(ready.values())
        news = {name: found[action.key].output_files[0].digest
                for name, action in ready.items() if action.key in found}  # fmt: skip
        known |= news
        ready, rest = _prepare(pipeline, rest, known) if news else ({}, rest)
    return len(known)


def _prepare(
    pipeline: Pipeline, plans: Iterable[Plan], known: Mapping[Hashable, Digest]
) -> tuple[dict[Hashable, PreparedAction], list[Plan]]:
    """Return the actions of the steps whose inputs are known, by name, and the other plans."""
    ready, rest = {}, []
    for plan in plans:
        inputs = plan.read(known)
        if inputs is None:
            rest.append(plan)
        else:
            ready[plan.name] = pipeline.prepare(plan.step, inputs)
    return ready, rest
