"""Each pass by itself: tests/golden/passes, PASS.NAME.before and what becomes of it, .after.

A case is one function. Adding a case adds a `before`; `pytest --bless` writes the other.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.compiler.ir.ownership import ownership_faults
from mochi_rules.compiler.ir.parse import parse_function
from mochi_rules.compiler.ir.print import print_function
from mochi_rules.compiler.ir.verify import verify_function
from mochi_rules.compiler.passes import PASSES
from mochi_rules.compiler.passes.context import Context

CASES = sorted((Path(__file__).parents[2] / "golden" / "passes").glob("*.before"))


@pytest.mark.parametrize("path", CASES, ids=lambda p: p.stem)
def test_pass_makes_its_golden(path, golden) -> None:
    """The function after the pass is the golden, and both are sound."""
    name, by_name = path.name.split(".")[0], {row.name: row for row in PASSES}
    function = parse_function(path.read_text(encoding="utf-8"))
    assert verify_function(function) == []
    by_name[name].run(Context({function.name: function}, {}))
    assert verify_function(function) == []
    if name == "refcount":
        assert list(ownership_faults(function, {})) == []
    golden(path.with_suffix(".after"), print_function(function))
