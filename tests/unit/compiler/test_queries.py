"""Which loops a query becomes. That its rows stay the same, the programs of tests/golden show."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir
from mochi_rules.compiler.ir.print import print_program

_DECLARATIONS = """
type Row { id: int, name: string, rate: float, maybe: any }
let records = [{id: 1}]
var total = 0
fun twice(n: int): int { return n * 2 }
fun add(n: int): int {
  total = total + n
  return total
}
"""


def _ir(query: str) -> str:
    function = f"fun f(xs: list<Row>, ys: list<Row>) {{ print({query}) }}\nf([], [])\n"
    request = CompileRequest("q.mochi", {"q.mochi": _DECLARATIONS + function})
    program = build_ir(request, Diagnostics())
    assert program is not None
    return print_program(program)


@pytest.mark.parametrize(
    "query",
    [
        "from x in xs join y in ys on x.id == y.id select x.id",
        "from x in xs join y in ys on y.name == x.name select x.id",
        "from x in xs join y in ys on x.id == y.rate select x.id",
        "from x in xs join y in ys on x.maybe == y.maybe select x.id",
        "from x in xs join y in records on x.id == y.id select x.id",
        "from x in xs left join y in ys on x.id == y.id select x.id",
        "from x in xs right join y in ys on x.id == y.id select y.id",
        "from x in xs outer join y in ys on x.id == y.id select 1",
        "from x in xs join y in ys on x.rate > 1.0 && x.id == y.id && 6 / x.id > 1 select x.id",
        "from x in xs from y in ys where x.id == y.id select x.id",
        "from x in xs join y in ys on x.id == y.id select twice(x.id)",
    ],
)
def test_an_equality_joins_by_hash(query) -> None:
    """The keys may be of any type, and on any side."""
    assert "call hash_chains" in _ir(query)


@pytest.mark.parametrize(
    "query",
    [
        "from x in xs join y in ys on x.id < y.id select x.id",
        "from x in xs join y in ys on x.id == y.id || x.id == 1 select x.id",
        "from x in xs join y in ys on x.id + y.id == 3 select x.id",
        "from x in xs join y in ys on 6 / x.id == y.id select x.id",
        "from x in xs join y in ys on 6 / x.id > 1 && x.id == y.id select x.id",
        "from x in xs join y in ys on x.id == y.id where add(x.id) > 1 select x.id",
        "from x in xs join y in ys on x.id == y.id select add(x.id)",
        "from x in xs from y in [{id: 1}] where x.id == y.id select y",
    ],
)
def test_what_could_be_noticed_stays_a_nested_loop(query) -> None:
    """A condition that may stop the program, or rows that change something, keep their order."""
    assert "call hash_chains" not in _ir(query)


def _is_inside(query: str, outer: str, inner: str) -> bool:
    """Return whether one constant is used after another one in the loops of a query."""
    text = _ir(query)
    return text.index(outer) < text.index(inner)


def test_a_filter_moves_to_the_loop_that_has_its_variables() -> None:
    """It runs before the joined elements are gone through."""
    query = "from x in xs join y in ys on x.rate < y.rate where x.id > 77 select y.id"
    assert _is_inside(query, "77", "list.len ys")


@pytest.mark.parametrize(
    "query",
    [
        "from x in xs join y in ys on x.rate < y.rate where 77 / x.id > 1 select y.id",
        "from x in xs join y in ys on 6 / y.id > 1 where x.id > 77 select y.id",
        "from x in xs join y in ys on x.rate < y.rate where 6 / y.id > 1 && x.id > 77 select y.id",
        "from x in xs join y in ys on x.rate < y.rate where x.id > 77 select add(y.id)",
        "from x in xs outer join y in ys on x?.id == 5 where x != nil && x.id > 77 select 1",
    ],
)
def test_a_filter_stays_where_a_stop_would_be_missed(query) -> None:
    """Nothing that may stop the program runs for more rows, or for fewer, than without a plan."""
    assert not _is_inside(query, "77", "list.len ys")
