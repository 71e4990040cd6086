"""`mochi-rules test`: run programs as tests; what passed before is not run again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Fault
from mochi_rules.base.events import Outcome, StepFinished, StepStarted
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.options import CACHE, COLOR, CPU, ENGINE, MODE, OPTIMIZE, Verb
from mochi_rules.cli.products import Products, kind_of
from mochi_rules.cli.session import configuration_of, open_pipeline
from mochi_rules.cli.shown import show
from mochi_rules.cli.step_console import open_console
from mochi_rules.steps.engines.lazy_engines import LazyEngines
from mochi_rules.steps.exceptions import as_mochi_error
from mochi_rules.steps.step import CWASM, WASM
from mochi_rules.steps.test_case import Case, case_step, directory_inputs

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed
    from mochi_rules.project.configuration import Configuration
    from mochi_rules.steps.pipeline import Pipeline
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
        run = configuration.run()
        limits = tuple(run.limits.items())
        case = Case(path.stem, limits=limits, directories=run.directories)
        inputs = {CWASM: artifact, **directory_inputs(case, Path.cwd())}
        if kind_of(path) != ".cwasm":
            inputs[WASM] = products.wasm()
        is_built = True
        result = pipeline.run(case_step(case, products.config), inputs)
    except Exception as error:  # noqa: BLE001 - the other tests are run all the same
        console.finished(started, StepFinished("test", str(path), Outcome.FAILED))
        fault = as_mochi_error(error)
        show(fault.diagnostics)
        is_failed = is_built and fault.exit_status == Fault.INPUT.value
        return 1 if is_failed else fault.exit_status
    ended = StepFinished("test", str(path), result.outcome, "passed", result.seconds)
    console.finished(started, ended)
    return 0


VERB = Verb(
    "test",
    "test FILE... [OPTIONS]",
    "Run programs as tests: each passes when it ends with status 0.",
    test,
    (MODE, OPTIMIZE, CPU, ENGINE, CACHE, COLOR),
    operands=(1, _MANY),
)
