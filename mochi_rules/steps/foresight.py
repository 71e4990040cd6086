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
    """Fetch what the server has of the results of steps.

    Raises:
        MochiError: The build requires the server, and it fails.
    """
    known: dict[Hashable, Digest] = {}
    pending = list(plans)
    while pending:
        ready: dict[Digest, PreparedAction] = {}
        names: dict[Hashable, PreparedAction] = {}
        waiting = []
        for plan in pending:
            inputs = plan.read(known)
            if inputs is None:
                waiting.append(plan)
                continue
            action = pipeline.prepare(plan.step, inputs)
            names[plan.name] = ready[action.key] = action
        found = cache.fetch_all(ready.values())
        news = {name: found[action.key] for name, action in names.items() if action.key in found}
        known.update((name, result.output_files[0].digest) for name, result in news.items())
        if not news:
            return
        pending = waiting
