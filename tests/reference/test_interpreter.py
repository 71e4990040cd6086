"""The interpreter prints what goldens say, and generated programs are programs it can run."""

from __future__ import annotations

import random
from contextlib import suppress

import pytest

from tests.faults.harness import ROOT
from tests.reference.generate import generate
from tests.reference.interpreter import TooLongError, run

GOLDEN = ROOT / "tests" / "golden"
ENDED = ("aliasing", "arithmetic", "concat_few", "consumed_params", "control_flow",
         "declared_behind", "maps",
         "present_or", "unions", "unreached_arms", "unreached_loops")  # fmt: skip
FAILED = ("division", "list_index", "list_store", "null_field", "null_number", "overflow_add",
          "overflow_div", "overflow_mul", "overflow_sub", "panic", "string_index")  # fmt: skip


@pytest.mark.parametrize("name", ENDED)
def test_program_prints_its_golden(name) -> None:
    """Those of the subset print the same when they are interpreted."""
    program = (GOLDEN / "run" / f"{name}.mochi").read_text(encoding="utf-8")
    end = run(program, 100_000)
    assert end.output == (GOLDEN / "run" / f"{name}.out").read_text(encoding="utf-8")
    assert not end.error


@pytest.mark.parametrize("name", FAILED)
def test_failing_program_says_its_golden(name) -> None:
    """A failure has the same message and line."""
    program = (GOLDEN / "fail" / f"{name}.mochi").read_text(encoding="utf-8")
    error = run(program, 100_000).error.replace("m.mochi", f"{name}.mochi")
    assert error == (GOLDEN / "fail" / f"{name}.err").read_text(encoding="utf-8")


@pytest.mark.parametrize("seed", range(20))
def test_generated_program_is_interpreted(seed) -> None:
    """It has no operation that the interpreter does not know, and is the same for the same seed."""
    program = generate(random.Random(seed))
    assert program == generate(random.Random(seed))
    with suppress(TooLongError):
        run(program, 20_000)
