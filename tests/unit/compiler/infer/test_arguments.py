"""The arguments of the language's own functions: what is accepted has an answer."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.compiler.names.builtins import BUILTINS, KINDS, accepted
from tests.unit.compiler.conftest import run_wasm

VALUES = {
    "int": "1", "float": "1.5", "bool": "true", "string": '"1"', "list": "[1, 2]", "map": "{a: 1}",
    "fun": "(fun(n: int): int => n)",
}  # fmt: skip
# Good arguments, where the first value of an accepted kind is not one.
GOOD = {
    "join": ['["a"]', '","'], "contains": ['"abc"', '"a"'], "indexOf": ['"abc"', '"a"'],
}  # fmt: skip
# They take anything, read or end the program, or call what they get.
SKIPPED = {"print", "json", "input", "now", "panic", "error", "reduce", "build_info"}


def good(name: str, position: int, count: int) -> str:
    """Return an argument that is accepted."""
    if name in GOOD:
        return GOOD[name][position]
    kinds = KINDS.get(accepted(name, position, count), VALUES)
    return next(value for kind, value in VALUES.items() if kind in kinds)


def calls(*, right: bool) -> list[str]:
    """Return each function with each kind of argument that is accepted, or is not."""
    found = []
    for name, builtin in BUILTINS.items():
        count = max(builtin.least, 1)
        for position in range(count if name not in SKIPPED else 0):
            words = accepted(name, position, count)
            for kind, value in VALUES.items():
                is_right = not words or kind in KINDS[words]
                if is_right is right and not (name in GOOD and position == 1 and right):
                    args = [good(name, other, count) for other in range(count)]
                    args[position] = value
                    found.append(f"print({name}({', '.join(args)}))")
    return found


def test_arguments_that_are_refused() -> None:
    """One error for each call."""
    lines = calls(right=False)
    errors = compile_program(CompileRequest("t.mochi", {"t.mochi": "\n".join(lines)})).diagnostics
    places = [(error.code, error.span.source.position(error.span.start)[0]) for error in errors]
    assert places == [("T007", row + 1) for row in range(len(lines))]


@pytest.mark.slow
def test_arguments_that_are_accepted_run(tmp_path) -> None:
    """No call stops the program."""
    lines = calls(right=True)
    request = CompileRequest("t.mochi", {"t.mochi": "\n".join(lines)}, optimize=0)
    outcome = run_wasm(compile_program(request).wasm, tmp_path)
    assert (outcome.status, outcome.stderr) == (0, "")
