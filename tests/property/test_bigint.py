"""Integers of any size against those of Python."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from mochi_rules.compiler.driver import CompileRequest, compile_program
from tests.unit.compiler.conftest import run_wasm

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

PROGRAM = """\
var line = input()
while line != "" {
  let a = line as bigint
  let b = input() as bigint
  print(a + b, a - b, a * b, -a, abs(b), a < b, a <= b, a == b)
  if b != 0 { print(a / b, a % b) }
  line = input()
}
"""
BASE = 10**9  # of the limbs

# Limbs at the ends of their range make the carries and the guesses that are rare otherwise.
limbs = st.lists(
    st.sampled_from([0, 1, BASE // 2, BASE - 1]) | st.integers(0, BASE - 1), max_size=9
)
edges = st.sampled_from([2**bits + more for bits in (31, 62, 63, 64) for more in (-1, 0, 1)])


@st.composite
def numbers(draw: st.DrawFn) -> int:
    """Draw an integer."""
    value = draw(edges | limbs.map(value_of))
    return draw(st.sampled_from([value, -value]))


def value_of(found: list[int]) -> int:
    """Return the number that limbs are."""
    return sum(limb * BASE**i for i, limb in enumerate(found))


@cache
def wasm() -> bytes:
    """Return the program, which looks for objects that it has not freed."""
    request = CompileRequest("t.mochi", {"t.mochi": PROGRAM}, check_leaks=True, optimize=1)
    return compile_program(request).wasm


def expected(a: int, b: int) -> str:
    """Return the lines that the program prints for two numbers."""
    truths = [str(truth).lower() for truth in (a < b, a <= b, a == b)]
    lines = " ".join(map(str, [a + b, a - b, a * b, -a, abs(b), *truths])) + "\n"
    if b == 0:
        return lines
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
    return lines + f"{quotient} {a - quotient * b}\n"


@settings(max_examples=20, phases=[Phase.explicit, Phase.generate])
@given(pairs=st.lists(st.tuples(numbers(), numbers()), min_size=20, max_size=40))
def test_arithmetic_is_that_of_integers(
    pairs: list[tuple[int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Sums, products, quotients toward zero, remainders and comparisons."""
    folder: Path = tmp_path_factory.mktemp("bigint")
    outcome = run_wasm(wasm(), folder, "".join(f"{a}\n{b}\n" for a, b in pairs).encode())
    assert (outcome.status, outcome.stderr) == (0, "")
    assert outcome.stdout == "".join(expected(a, b) for a, b in pairs)
