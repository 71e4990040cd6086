"""Steps of the command line as a person sees them."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from mochi_rules.base.events import Outcome, StepFinished, StepStarted
from mochi_rules.cli.options import color_choice
from mochi_rules.cli.shown import show
from mochi_rules.ui.color import use_color
from mochi_rules.ui.console import Console
from mochi_rules.ui.output import Output
from mochi_rules.ui.watched import watched_streams

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.platforms.toolchain import Resolution
    from mochi_rules.steps.pipeline import Pipeline
    from mochi_rules.steps.step import Step


@contextmanager
def open_console(steps: int) -> Iterator[Console]:
    """Give a console on stderr for so many steps; end it with what was done, if anything."""
    stream = Output(sys.stderr)
    color = use_color(color_choice[0], os.environ, is_terminal=stream.is_terminal)
    console = Console(stream, stream, color=color, total=lambda: steps)
    with watched_streams(console):
        try:
            yield console
        finally:
            console.close(summary=console.tally.done > 0)


def run_shown(
    pipeline: Pipeline,
    console: Console | None,
    step: Step,
    target: str,
    inputs: Mapping[str, bytes],
) -> bytes:
    """Run a step, and return its output; a console of None shows nothing but warnings.

    Raises:
        MochiError: The step failed.
    """
    with _shown(console, StepStarted(step.verb, target)) as ended:
        result = pipeline.run(step, inputs)
        ended.append((result.outcome, result.made.remark, len(result.made.data)))
    show(result.made.warnings)
    return result.made.data


def install(resolution: Resolution, pipeline: Pipeline, console: Console | None) -> None:
    """Build what was chosen, if that has to be done before it can be used.

    Emits: C002 (nothing was chosen), C022 (cargo failed), B014.

    Raises:
        MochiError: The tool is not available.
    """
    # Most runs need no tool but the wheel.
    from mochi_rules.platforms.native_files import native_sources  # noqa: PLC0415
    from mochi_rules.steps.outputs import place  # noqa: PLC0415
    from mochi_rules.steps.step import recipe_step  # noqa: PLC0415
    from mochi_rules.steps.tools.tool_choice import pending  # noqa: PLC0415

    recipe = pending(resolution)
    if recipe is None:
        return
    name = f"{recipe.program} for {recipe.triple}"
    report = partial(console.progressed, name) if console is not None else lambda _: None
    step = recipe_step(recipe, report)
    if console is not None:
        console.say(f"note: cargo builds {name}: about {recipe.minutes} minutes on two cores, once")
    data = run_shown(pipeline, console, step, name, native_sources(recipe.tree))
    place(step, recipe.path, data, str(recipe.path))


@contextmanager
def _shown(console: Console | None, step: StepStarted) -> Iterator[list[tuple[Outcome, str, int]]]:
    ended: list[tuple[Outcome, str, int]] = []
    if console is None:
        yield ended
        return
    console.started(step)
    unfinished = Outcome.FAILED
    try:
        yield ended
    except KeyboardInterrupt:
        unfinished = Outcome.INTERRUPTED
        raise
    finally:
        outcome, remark, size = ended[0] if ended else (unfinished, "", 0)
        console.finished(step, StepFinished(step.verb, step.target, outcome, remark, size=size))
