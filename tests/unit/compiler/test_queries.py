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
    request = CompileRequest("q.mochi", {"q.mochi": _DECLARATIONS + function}, optimize=0)
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


@pytest.mark.parametrize(
    "query",
    [
        "sum(from x in xs select x.id)",
        "max(from x in xs where x.id > 1 select x.rate)",
        "count(from x in xs join y in ys on x.id == y.id select x)",
        "exists(from x in xs select add(x.id))",
        "from x in xs select avg(x.id)",
    ],
)
def test_an_aggregate_of_a_query_makes_no_list(query) -> None:
    """Its value is kept while the rows come."""
    assert "list.append" not in _ir(query).replace("list.append hashes", "")


def test_an_aggregate_of_sorted_or_cut_rows_needs_the_list() -> None:
    """Which rows count is known at the end alone."""
    assert "list.append" in _ir("sum(from x in xs sort by x.rate take 2 select x.id)")


@pytest.mark.parametrize(
    "select",
    [
        "[g.key, count(g), g.count, len(g)]",
        "sum(from z in g select z.rate * 2.0)",
        "avg(from z in g where z.id > 1 select z.id)",
    ],
)
def test_a_group_of_which_aggregates_are_used_has_no_elements(select) -> None:
    """Neither the group nor a list of its elements is made."""
    ir = _ir(f"from x in xs group by x.id into g select {select}")
    assert "struct.new group" not in ir


@pytest.mark.parametrize(
    "select",
    [
        "g.items[0].id",
        "g",
        "sum(from z in g select z.id * 2)",
        "sum(from z in g select add(z.id))",
        "[count(g), add(sum(from z in g select z.id))]",
        "sum(from z in g sort by z.id take 1 select z.id)",
        "sum(from z in g select z.maybe)",
    ],
)
def test_a_group_keeps_elements_that_are_needed_later(select) -> None:
    """An int product may stop the program, and `add` could change what is read."""
    ir = _ir(f"from x in xs group by x.id into g select {select}")
    assert "struct.new group" in ir


def test_sorting_for_a_few_rows_does_not_sort_all() -> None:
    """With `take`, the runtime library looks for the first rows alone."""
    assert "list_top_by_keys" in _ir("from x in xs sort by x.id skip 1 take 5 select x")
