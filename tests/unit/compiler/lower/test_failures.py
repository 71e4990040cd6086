"""What stops a program stays out of the way of what does not."""

from __future__ import annotations

from mochi_rules.compiler.driver import CompileRequest, compile_program

PROGRAM = """\
let n = int(input())
let xs = [1, 2, 3]
let text = "abc"
print(xs[n], text[n])
"""


def test_the_numbers_of_a_failing_index_are_no_arguments() -> None:
    """Where a check fails, it calls with the place in the source alone; see lower/checks.py."""
    module = compile_program(CompileRequest("t.mochi", {"t.mochi": PROGRAM})).module
    params = {function.name: function.params for function in module.functions}
    assert params["fail_index_list"] == params["fail_index_string"] == ["i32"]
