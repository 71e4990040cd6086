"""Bounds against brute force: whatever is claimed of a value holds whenever the program runs.

Random programs are interpreted with the edges of their ints; at each instruction, everything that
the prover claims there is compared with the values of that moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir
from mochi_rules.compiler.ir.facts import Facts
from mochi_rules.compiler.ir.function import Branch, Function, Jump, Return, Value
from mochi_rules.compiler.ir.types import INT, VOID
from mochi_rules.compiler.passes.bounds import LEAST, MOST, Bounds
from mochi_rules.compiler.passes.context import Context
from mochi_rules.compiler.passes.hoist import hoist
from mochi_rules.compiler.passes.known import Place
from mochi_rules.compiler.passes.number import number_values
from mochi_rules.compiler.passes.ranges import drop_checks
from mochi_rules.compiler.passes.version import version_loops

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


ROUNDS = 400  # instructions of one run
VARIABLES = ("a", "b", "n", "i", "j")
NUMBERS = ("0", "1", "2", "3", "7", "-1", "-3", "9223372036854775807", "9223372036854775806")
EDGES = (0, 1, -1, 2, 5, MOST, LEAST, MOST - 1, LEAST + 1)

names = st.sampled_from(VARIABLES)
atoms = names | names | st.sampled_from([*NUMBERS, "len(xs)", "len(xs) - 1"])
expressions = st.one_of(
    atoms,
    st.builds("({} {} {})".format, atoms, st.sampled_from(["+", "-", "*", "/", "%"]), atoms),
    st.builds("({} {} {}) / 2".format, names, st.sampled_from(["+", "-"]), names),
    st.builds("xs[{} {} {}]".format, atoms, st.sampled_from(["+", "-"]), st.sampled_from("01")),
)
conditions = st.builds(
    "{} {} {}".format, atoms, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), atoms
)


def _blocks(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    body = st.lists(inner, min_size=1, max_size=4).map("\n".join)
    return st.one_of(
        st.builds("if {} {{ {} }}".format, conditions, body),
        st.builds("if {} {{ {} }} else {{ {} }}".format, conditions, body, body),
        st.builds("while {} {{ {} }}".format, conditions, body),
        st.builds("for k in {}..{} {{ {}\nj = k }}".format, atoms, atoms, body),
    )


assignments = st.builds("{} = {}".format, names, expressions)
steps = st.builds("{0} = {0} {1} 1".format, names, st.sampled_from("+-"))
stores = st.builds("xs[{}] = {}".format, names, names)
statements = st.recursive(assignments | steps | stores, _blocks, max_leaves=6)
programs = st.lists(statements, min_size=2, max_size=8).map(
    lambda lines: "\n".join((
        "fun f(a0: int, b0: int, n: int, xs: list<int>): int {", "var a = a0", "var b = b0",
        "var i = 0", "var j = len(xs) - 1", *lines, "return a + i }", "print(f(1, 1, 1, [1]))",
    )).replace("n =", "a =")
)  # fmt: skip


class Stop(Exception):  # noqa: N818
    """The program stops: a check failed."""


class TooLong(Stop):
    """The run of a program is longer than a test waits for."""


def check(holds: bool) -> None:  # noqa: FBT001
    """Stop unless a condition holds."""
    if not holds:
        raise Stop


def checked(value: int) -> int:
    """Return a result that fits, or stop."""
    check(LEAST <= value <= MOST)
    return value


def wrapped(value: int) -> int:
    """Return the low 64 bits of a result, signed."""
    return (value - LEAST) % 2**64 + LEAST


def quotient(a: int, b: int) -> int:
    """Divide towards zero, or stop."""
    check(b != 0)
    return checked(a // b if (a < 0) == (b < 0) else -(-a // b))


def index(i: int, n: int) -> int:
    """Return the place of an index, or stop."""
    place = i + n if i < 0 else i
    check(0 <= place < n)
    return place


def nonzero(a: int) -> int:
    """Return what is not 0, or stop."""
    check(a != 0)
    return a


COMPUTE: dict[str, Callable[..., int]] = {
    "add": lambda a, b: wrapped(a + b), "sub": lambda a, b: wrapped(a - b),
    "mul": lambda a, b: wrapped(a * b), "add.checked": lambda a, b: checked(a + b),
    "sub.checked": lambda a, b: checked(a - b), "mul.checked": lambda a, b: checked(a * b),
    "div": quotient, "div.checked": quotient,
    "rem": lambda a, b: a - b * quotient(a, b) if b != -1 else 0,
    "div_u": lambda a, b: a // b if min(a, b) >= 0 else 1 / 0,
    "rem_u": lambda a, b: a % b if min(a, b) >= 0 else 1 / 0,
    "lt": int.__lt__, "le": int.__le__, "gt": int.__gt__, "ge": int.__ge__, "eq": int.__eq__,
    "ne": int.__ne__, "not": lambda a: not a, "list.len": len, "list.load": list.__getitem__,
    "list.store": list.__setitem__, "check.index": index, "check.nonzero": nonzero,
    "check.upper": lambda i, n: index(i, n) if i >= 0 else 1 / 0,
    "index.known": lambda i, n: i if 0 <= i < n else 1 / 0,
    "nonzero.known": lambda a: a or 1 / 0,
    "neg": lambda a: wrapped(-a),
}  # fmt: skip

Moment = tuple[Place, dict[Value, int]]


def run(function: Function, args: tuple[object, ...], seen: list[object]) -> Iterator[Moment]:
    """Run a function; yield every place with the values there. `seen` gets what it computed."""
    values = dict(zip(function.params, args, strict=True))
    block, left = function.entry, ROUNDS
    while True:
        left -= 1  # a loop may be empty
        for position, value in enumerate(block.code):
            left -= 1
            if left <= 0:
                raise TooLong
            yield (block, position), values
            if value.op == "const":
                values[value] = value.attr
                continue
            result = COMPUTE[value.op](*map(values.__getitem__, value.args))
            if value.type is not VOID:
                values[value] = result
                seen.append(result)
        if left <= 0:
            raise TooLong
        match block.end:
            case Jump(target=target, args=passed):
                values.update(zip(target.params, [values[arg] for arg in passed], strict=True))
                block = target
            case Branch() as branch:
                block = branch.then if values[branch.condition] else branch.otherwise
            case Return(value=result):
                seen.append(values[result])
                return


def build(text: str) -> Function:
    """Return the function f of a program before any pass but pruning."""
    diagnostics = Diagnostics()
    program = build_ir(CompileRequest("m", {"m": text}, optimize=0), diagnostics, after="prune")
    assert program is not None, diagnostics.errors
    return program.functions["f"]


arguments = st.tuples(
    st.sampled_from(EDGES), st.sampled_from(EDGES), st.sampled_from(EDGES),
    st.lists(st.integers(-2, 9), max_size=5),
)  # fmt: skip


def claims_at(bounds: Bounds, place: Place, values: dict[Value, int]) -> Iterator[str]:
    """Return the claims that are wrong at a place with some values."""
    value = place[0].code[place[1]]
    ints = [arg for arg in dict.fromkeys(value.args) if arg.type is INT]
    for one in ints:
        if not bounds.least(one, place) <= values[one] <= bounds.most(one, place):
            yield f"{one!r} is {values[one]}"
        if bounds.is_nonzero(one, place) and not values[one]:
            yield f"{one!r} is 0"
        for other in filter(lambda other: is_defined(bounds, other, place), values):
            if bounds.is_below(one, other, place) and values[one] >= values[other]:
                yield f"{one!r}, {values[one]}, is not below {other!r}, {values[other]}"


def is_defined(bounds: Bounds, value: Value, place: Place) -> bool:
    """Whether a value may be used at a place; others are of a round before."""
    home = bounds.homes[value]
    if home is place[0]:
        return value.type is INT and bounds.positions.get(value, -1) < place[1]
    return value.type is INT and bounds.flow.dominates(home, place[0])


@pytest.mark.slow
@settings(max_examples=60)
@given(programs, st.lists(arguments, min_size=1, max_size=3))
def test_claims_hold_whenever_the_program_runs(text, inputs) -> None:
    """No value is ever outside of the bounds that are claimed where it is used."""
    function = build(text)
    bounds = Bounds(Facts(function))
    for *numbers, xs in inputs:
        try:
            for place, values in run(function, (*numbers, list(xs)), []):
                assert not list(claims_at(bounds, place, values)), text
        except Stop:
            pass


@pytest.mark.slow
@settings(max_examples=60)
@given(programs, st.lists(arguments, min_size=1, max_size=3))
def test_a_program_without_needless_checks_computes_the_same(text, inputs) -> None:
    """The same results and the same stop; what is known holds, and wrong hints do not happen."""
    function, simpler = build(text), build(text)
    drop_checks(simpler, Context({"f": simpler}, {}))
    for *numbers, xs in inputs:
        results = []
        for one in (function, simpler):
            seen: list[object] = []
            try:
                for _ in run(one, (*numbers, list(xs)), seen):
                    pass
            except Stop:
                seen.append("stop")
            results.append(seen)
        assert results[0] == results[1], text


@pytest.mark.slow
@settings(max_examples=60)
@given(programs, st.lists(arguments, min_size=1, max_size=3))
def test_a_program_with_copies_of_its_loops_ends_alike(text, inputs) -> None:
    """The same result, the same list and the same stop, whichever copy of a loop runs."""
    function, copied = build(text), build(text)
    context = Context({"f": copied}, {})
    for transform in (number_values, drop_checks, hoist, version_loops):
        transform(copied, context)
    for *numbers, xs in inputs:
        ends = [end_of(one, numbers, list(xs)) for one in (function, copied)]
        assert ends[0] == ends[1] or "too long" in ends, text


def end_of(function: Function, numbers: list[int], xs: list[int]) -> object:
    """Return what a run of a function ends with: its result and its list, or a stop."""
    seen: list[object] = []
    try:
        for _ in run(function, (*numbers, xs), seen):
            pass
    except TooLong:
        return "too long"
    except Stop:
        return "stop"
    return seen[-1], xs
