"""Each pass by itself: tests/golden/passes, PASS.NAME.before and what becomes of it, .after.

A case is a function, or several of which the program starts at the first, after its structs.
Adding a case adds a `before`; `pytest --bless` writes the other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.compiler.ir.function import Program
from mochi_rules.compiler.ir.ownership import ownership_faults
from mochi_rules.compiler.ir.parse import parse_function, parse_struct
from mochi_rules.compiler.ir.print import print_function
from mochi_rules.compiler.ir.verify import verify_function
from mochi_rules.compiler.passes import PASSES
from mochi_rules.compiler.passes.context import Context

if TYPE_CHECKING:
    from mochi_rules.compiler.ir.function import Function

CASES = sorted((Path(__file__).parents[2] / "golden" / "passes").glob("*.before"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_pass_makes_its_golden(path, golden) -> None:
    """The function after the pass is the golden, and both are sound."""
    name, by_name = path.name.split(".")[0], {row.name: row for row in PASSES}
    texts = path.read_text(encoding="utf-8").split("\n\n")
    structs = [parse_struct(text.strip()) for text in texts if text.startswith("struct ")]
    bodies = [parse_function(text) for text in texts if not text.startswith("struct ")]
    functions = {function.name: function for function in bodies}
    layouts = {struct.name: struct for struct in structs}
    program = Program([], functions, {}, layouts, next(iter(functions)))
    assert _faults(functions) == []
    by_name[name].run(Context(functions, {}, program))
    assert _faults(functions) == []
    if name == "refcount":
        assert [fault for f in functions.values() for fault in ownership_faults(f, {})] == []
    golden(path.with_suffix(".after"), "\n".join(map(print_function, functions.values())))


def test_every_pass_has_a_case() -> None:
    """A new row of the table comes with a function before and after it."""
    assert {row.name for row in PASSES} == {path.name.split(".")[0] for path in CASES}


def _faults(functions: dict[str, Function]) -> list[str]:
    return [fault for function in functions.values() for fault in verify_function(function)]
