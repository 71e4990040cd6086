"""Cells by themselves: how what is known of types flows, meets and spreads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mochi_rules.compiler.infer.cells import (
    NEVER,
    NULL,
    PERHAPS,
    STORED,
    Cell,
    Conflict,
    Solver,
    resolve,
    shape_of,
)
from mochi_rules.compiler.names.symbols import Struct, Union

BLAME = ("the module", "the node to blame")
KINDS = ["int", "float", "string", "bool", "any"]


def fixed(kind: str) -> Cell:
    """Return the cell of a declared type."""
    cell = Cell(kind)
    cell.fixed = True
    return cell


def list_of(element: Cell) -> Cell:
    """Return the cell of a list."""
    return Cell("list", (element,))


@pytest.fixture(name="solver")
def _solver() -> Solver:
    return Solver()


def test_scalars_flow_one_way(solver) -> None:
    """A place learns of its values; a value does not learn of its place."""
    value, place = Cell("int"), Cell()
    solver.flow(value, place)
    solver.learn(place, "string")
    solver.run()
    assert (str(value), str(place)) == ("int", "any")


def test_what_is_learnt_later_arrives_too(solver) -> None:
    """A flow is for good, whatever its source becomes."""
    one, two, three = Cell(), Cell(), Cell()
    solver.flow(two, three)
    solver.flow(one, two)
    solver.learn(one, "bool")
    solver.run()
    assert str(three) == "bool"


def test_elements_are_shared(solver) -> None:
    """Where a list goes, it is the same list: what is stored there is stored here."""
    here, there = list_of(Cell("int")), Cell()
    solver.flow(here, there)
    solver.run()
    solver.learn(there.find().args[0], "string")
    solver.run()
    assert (str(here), str(there)) == ("list<any>", "list<any>")


@pytest.mark.parametrize("other", [list_of(Cell("int")), Cell("map", (Cell(), Cell())), Cell()])
def test_kinds_that_differ_make_any(solver, other) -> None:
    """A place of an int and of something else holds anything, null apart."""
    place = Cell("int")
    solver.flow(other, place)
    solver.run()
    assert str(place) == ("any" if other.kind else "int")


def test_declared_type_stays_and_the_conflict_is_noted(solver) -> None:
    """With the node that the value comes from."""
    value, place = Cell("string"), fixed("int")
    solver.flow(value, place, BLAME)
    solver.run()
    assert solver.conflicts == [Conflict(value, place, BLAME)]
    assert str(place) == "int"


@pytest.mark.parametrize(("source", "target"), [("int", "float"), ("any", "int")])
def test_what_is_converted_or_checked_at_run_time_is_no_conflict(solver, source, target) -> None:
    """An int becomes a float where one is declared; the run checks what is any."""
    place = fixed(target)
    solver.flow(Cell(source), place, BLAME)
    solver.run()
    assert (solver.conflicts, str(place)) == ([], target)


def test_list_of_declared_elements_that_meets_others_is_of_any(solver) -> None:
    """Where the list itself is not declared."""
    place = list_of(fixed("int"))
    solver.flow(list_of(Cell("string")), place, BLAME)
    solver.run()
    assert (solver.conflicts, str(place)) == ([], "list<any>")


@pytest.mark.parametrize(
    ("element", "conflicts"),
    [("string", [("list<int>", "list<string>")]), ("int", []), ("any", []), ("", [])],
)
def test_declared_list_is_compared_with_what_goes_there(solver, element, conflicts) -> None:
    """Of the types as they were before they met; what may be anything may go there."""
    place = list_of(fixed("int"))
    place.shape = shape_of(place)
    solver.flow(list_of(Cell(element)), place, BLAME)
    solver.run()
    found = [(conflict.expected, conflict.got) for conflict in solver.conflicts]
    assert (found, all(conflict.is_real() for conflict in solver.conflicts)) == (conflicts, True)


def test_container_that_gets_into_itself_is_a_conflict(solver) -> None:
    """Where the declaration has scalars, no value is both."""
    element = fixed("int")
    groups = Cell("map", (Cell("string"), list_of(element)))
    solver.flow(list_of(groups), groups.args[1], BLAME)
    solver.run()
    [found] = solver.conflicts
    assert (found.source.kind, found.target.kind, found.blame) == ("map", "int", BLAME)


@pytest.mark.parametrize(
    ("how", "target", "nullable"),
    [
        (NULL, fixed("int"), True),
        (PERHAPS, fixed("int"), False),
        (PERHAPS, fixed("string"), True),
        (PERHAPS, Cell("int"), True),
    ],
)
def test_null_flows(solver, how, target, nullable) -> None:
    """What a read may miss is checked where a number is declared; null itself gets in."""
    value = Cell(target.kind)
    value.nullable = how
    solver.flow(value, target)
    solver.run()
    assert (target.nullable != NEVER) == nullable


def union() -> tuple[Struct, Struct, Union]:
    """Return a union and its two variants."""
    variants = [Struct(name, None, {}, type_name=name) for name in ("Leaf", "Node")]
    whole = Union("Tree", variants)
    for variant in variants:
        variant.union = whole
    return (*variants, whole)


def test_variants_that_meet_make_their_union(solver) -> None:
    """A place of one variant and another one holds the union."""
    leaf, node, _ = union()
    place = Cell("struct", of=leaf)
    solver.flow(Cell("struct", of=node), place)
    solver.run()
    assert str(place) == "Tree"


def test_structs_that_meet_make_any(solver) -> None:
    """But where one is declared, the other one is a conflict."""
    one, other = Struct("P", None, {}, type_name="P"), Struct("Q", None, {}, type_name="Q")
    free, declared = Cell("struct", of=one), Cell("struct", of=one)
    declared.fixed = True
    for place in (free, declared):
        solver.flow(Cell("struct", of=other), place, BLAME)
    solver.run()
    assert (str(free), str(declared), len(solver.conflicts)) == ("any", "P", 1)


def test_what_is_seen_as_any_gets_what_is_stored_through_any(solver) -> None:
    """A list of ints that escapes may be given a string."""
    numbers = list_of(Cell("int"))
    solver.flow(numbers, Cell("any"))
    solver.store_dynamically(Cell("string"))
    solver.run()
    assert str(numbers) == "list<any>"


def test_store_through_any_does_not_change_a_checked_declaration(solver) -> None:
    """The run checks such a store."""
    numbers = list_of(fixed("int"))
    solver.flow(numbers, Cell("any"))
    solver.flow(Cell("string"), solver.stored, STORED)
    solver.run()
    assert str(numbers) == "list<int>"


def test_type_that_contains_itself_is_any_where_it_does() -> None:
    """Types are finite."""
    element = Cell()
    whole = list_of(element)
    element.parent = whole
    assert str(resolve(whole)) == "list<any>"


def test_watcher_hears_of_every_change(solver) -> None:
    """Also through cells that were united with the one that it watches."""
    one, other, heard = Cell(), Cell(), []
    solver.watch(lambda: heard.append(one.find().kind), one)
    solver.run()
    solver.unite(one, other)
    solver.learn(other, "int")
    solver.run()
    assert (heard[0], heard[-1]) == ("", "int")


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("flow"), st.integers(0, 5), st.integers(0, 5)),
        st.tuples(st.just("learn"), st.integers(0, 5), st.sampled_from(KINDS)),
        st.tuples(st.just("null"), st.integers(0, 5), st.sampled_from([PERHAPS, NULL])),
    ),
    max_size=8,
)  # fmt: skip


def solved(steps) -> list[str]:
    """Return the types of six cells after some steps."""
    solver, cells = Solver(), [Cell() for _ in range(6)]
    for step, cell, other in steps:
        match step:
            case "flow":
                solver.flow(cells[cell], cells[other])
            case "learn":
                solver.learn(cells[cell], other)
            case _:
                solver.make_nullable(cells[cell], other)
    solver.run()
    return [str(resolve(cell)) for cell in cells]


@given(data=st.data(), steps=STEPS)
def test_order_of_what_is_said_does_not_matter(data, steps) -> None:
    """Knowledge only grows, so what is said of scalars may come in any order."""
    assert solved(steps) == solved(data.draw(st.permutations(steps)))
