"""Effects: what the table of operations says, and that selection keeps to it."""

from __future__ import annotations

import pytest

from mochi_rules.compiler.driver import runtime_library
from mochi_rules.compiler.ir import types
from mochi_rules.compiler.ir.function import (
    Block,
    Function,
    Return,
    StructLayout,
    Value,
    effects_of,
)
from mochi_rules.compiler.ir.ops import OPS, OUTSIDE, Effects
from mochi_rules.compiler.ir.types import ANY, BOOL, CELL, FLOAT, INT, STRING, VOID, WORD
from mochi_rules.compiler.lower.operations import HANDLERS
from mochi_rules.compiler.lower.select import Selector
from mochi_rules.compiler.runtime.effects import LIBRARY_EFFECTS
from mochi_rules.wasm.pieces import instructions_of

STRUCTS = {"P": StructLayout("P", [("x", INT)])}
INTS, COUNTS = types.list_of(INT), types.map_of(STRING, INT)

# Of each operation that looks into an object and has a result: operands, result, attribute.
LOOKS = {
    "check.some": ([types.optional_of(FLOAT)], FLOAT, None),
    "list.len": ([INTS], INT, None),
    "list.room": ([INTS], INT, None),
    "list.load": ([INTS, INT], INT, None),
    "list.shortest": ([types.list_of(INTS)], INT, None),
    "string.len": ([STRING], INT, None),
    "string.size": ([STRING], INT, None),
    "string.room": ([STRING, INT], INT, None),
    "string.eq": ([STRING, STRING], BOOL, None),
    "string.compare": ([STRING, STRING], INT, None),
    "string.offset": ([STRING, INT], WORD, None),
    "string.next": ([STRING, WORD], WORD, None),
    "string.order": ([STRING], WORD, None),
    "string.order_at": ([STRING, WORD], WORD, None),
    "string.eq_at": ([STRING, WORD, STRING], BOOL, None),
    "string.eq_chars": ([STRING, WORD, STRING, WORD], BOOL, None),
    "string.order_cut": ([STRING, INT], WORD, None),
    "string.eq_cut": ([STRING, INT, STRING], BOOL, None),
    "byte.load": ([STRING, WORD], WORD, None),
    "byte.cut": ([STRING, INT], WORD, None),
    "map.len": ([COUNTS], INT, None),
    "map.find": ([COUNTS, STRING], WORD, None),
    "entry.load": ([COUNTS, WORD], INT, None),
    "field.load": ([types.struct_of("P")], INT, ("P", 0)),
    "struct.is": ([ANY], BOOL, "P"),
    "cell.load": ([CELL], INT, None),
    "closure.load": ([types.fun_of((), INT)], INT, (0, (INT,))),
    "any.to": ([ANY], FLOAT, None),
    "any.cast": ([ANY], FLOAT, None),
}


def _selected(params: list[Value], code: list[Value], result: Value) -> list[tuple]:
    block = Block()
    block.code, block.end = code, Return(result)
    function = Function("f", params, result.type, [block])
    return list(instructions_of(Selector(function, STRUCTS, HANDLERS).run().function.body))


def test_every_operation_that_looks_into_an_object_has_a_case() -> None:
    """A new operation joins the cases below."""
    found = {op.name for op in OPS.values() if op.effects.needs and op.effects.is_movable}
    assert found == set(LOOKS)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name in LOOKS for number in OPS[name].effects.needs]
)
def test_what_looks_into_an_object_runs_before_its_release(name, number) -> None:
    """Selection delays a value to its use, but not past the release of what it reads."""
    operands, type_, attr = LOOKS[name]
    params = [Value("param", (), operand) for operand in operands]
    value = Value(name, tuple(params), type_, attr)
    release = Value("release", (params[number],), VOID)
    body = _selected(params, [value, release], value)
    assert body[-2][0] == "local.get", body
    assert body[-1] == ("return",)


def test_two_stops_stay_in_their_order() -> None:
    """Where two operations would stop the program, the first one in the source does."""
    a, b = Value("param", (), INT), Value("param", (), INT)
    total = Value("add.checked", (a, b), INT)
    check = Value("check.nonzero", (b,), VOID)
    body = _selected([a, b], [total, check], total)
    called = [instruction[1] for instruction in body if instruction[0] == "call"]
    assert called == ["fail_overflow", "fail_zero"]


def test_a_long_chain_of_operations_needs_no_deep_stack() -> None:
    """However many operations wait for each other, selection does not recurse through them all."""
    value = Value("param", (), INT)
    params, code = [value], []
    for _ in range(5000):
        value = Value("neg", (value,), INT)
        code.append(value)
    assert _selected(params, code, value)[-1] == ("return",)


def test_a_store_of_numbers_frees_nothing() -> None:
    """The effects of a store depend on what it stores: only a reference replaces another."""
    xs, i, item = Value("param", (), INTS), Value("param", (), INT), Value("param", (), STRING)
    assert not effects_of(Value("list.store", (xs, i, i), VOID)).frees
    assert effects_of(Value("list.store", (xs, i, item), VOID)).frees


def test_the_length_of_a_list_does_not_wait_for_its_elements() -> None:
    """A store into a list leaves its length alone; an append does not."""
    length = OPS["list.len"].effects
    assert not length.conflicts(OPS["list.store"].mild)
    assert length.conflicts(OPS["list.append"].effects)


def test_a_stop_waits_for_output() -> None:
    """Whatever a program has written before it stops is seen."""
    stop = Effects(traps=True)
    assert stop.conflicts(Effects(writes=OUTSIDE))
    assert not stop.conflicts(Effects(writes=frozenset({"elements"})))


def test_effects_are_of_functions_that_the_library_has() -> None:
    """A name with a typing error, or of a function that has gone, would mean nothing."""
    library = runtime_library(check_leaks=False)
    assert [name for name in LIBRARY_EFFECTS if name not in library] == []


def test_functions_that_take_an_argument_over_may_free() -> None:
    """What they take may have been the last reference."""
    library = runtime_library(check_leaks=False)
    consuming = {name for name in LIBRARY_EFFECTS if library.signature(name).consumes}
    assert consuming == {name for name, effects in LIBRARY_EFFECTS.items() if effects.frees}
