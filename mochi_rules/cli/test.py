"""`mochi-rules test`: run programs as tests; what passed before is not run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.events import Outcome, StepFinished, StepStarted
from mochi_rules.cli.options import CACHE, COLOR, CPU, ENGINE, MODE, Verb
from mochi_rules.cli.products import Products
from mochi_rules.cli.session import configuration_of, open_pipeline, show
from mochi_rules.cli.shown import open_console
from mochi_rules.cli.start import cache_root
from mochi_rules.rules.lazy import LazyEngines
from mochi_rules.rules.steps import CWASM
from mochi_rules.rules.testing import Case, case_step

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed
    from mochi_rules.rules.configuration import Configuration
    from mochi_rules.rules.pipeline import Pipeline
    from mochi_rules.ui.console import Console

_MANY = 1000  # files


def test(parsed: Parsed) -> int:
    """Run tests; the status is 1 when one fails."""
    configuration = configuration_of(parsed)
    engines = LazyEngines(configuration.platform)
    names = parsed.operands
    with (
        open_console(len(names)) as console,
        open_pipeline(cache_root(parsed), engines) as pipeline,
    ):
        return max(_test(Path(name), pipeline, configuration, console) for name in names)


def _test(path: Path, pipeline: Pipeline, configuration: Configuration, console: Console) -> int:
    """Run one test; the status is that of its worst error, or 1 when the test itself fails."""
    started = StepStarted("test", str(path))
    console.started(started)
    is_built = False
    try:
        products = Products(path, Path.cwd(), pipeline, configuration)
        artifact = products.artifact()
        is_built = True
        limits = tuple(configuration.limits().items())
        step = case_step(Case(path.stem, limits=limits), products.config)
        result = pipeline.run(step, {CWASM: artifact})
    except MochiError as error:
        console.finished(started, StepFinished("test", str(path), Outcome.FAILED))
        show(error.diagnostics)
        return 1 if is_built else error.exit_status
    ended = StepFinished("test", str(path), result.outcome, "passed", result.seconds)
    console.finished(started, ended)
    return 0


VERB = Verb(
    "test",
    "test FILE... [OPTIONS]",
    "Run programs as tests: each passes when it ends with status 0.",
    test,
    (MODE, CPU, ENGINE, CACHE, COLOR),
    operands=(1, _MANY),
)
