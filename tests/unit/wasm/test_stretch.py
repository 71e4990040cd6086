"""Stretches: instructions that are encoded once for many modules."""

from __future__ import annotations

from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.module import Function, Global, Module
from mochi_rules.wasm.stretch import expand_stretches, join_stretches
from mochi_rules.wasm.types import FuncType, GlobalType
from mochi_rules.wasm.wat import print_module

PAIR = FuncType((), ("i32", "i32"))
BODY = [
    ("i32.const", 1),
    ("i32.const", -2),
    ("call", "f"),
    ("f64.const", -0.0),
    ("f64.const", 0.0),
    ("f64.add",),
    ("global.set", "g"),
    ("block", PAIR),
    ("i32.const", 3),
    ("i32.const", 4),
    ("end",),
    ("drop",),
    ("drop",),
    ("br_table", (0,), 0),
]


def module(body) -> Module:
    """Return a module with a function of that body."""
    functions = [
        Function("f", params=["i32", "i32"]),
        Function("main", locals=["i64", "i64"], body=body),
    ]
    cell = Global("g", GlobalType("f64", mutable=True), ("f64.const", 0.0))
    return Module(functions=functions, globals=[cell])


def test_joined_bodies_have_the_same_bytes() -> None:
    """A body encodes to the same bytes whether it is joined or not."""
    joined, _ = join_stretches(BODY)
    assert encode_module(module(joined)).data == encode_module(module(BODY)).data


def test_joined_bodies_print_the_same_text() -> None:
    """The text format shows the instructions of a stretch one by one."""
    joined, _ = join_stretches(BODY)
    assert print_module(module(joined)) == print_module(module(BODY))


def test_what_names_something_of_the_module_stays_alone() -> None:
    """Calls, globals and blocks with a type of the module are not part of a stretch."""
    joined, positions = join_stretches(BODY)
    alone = [instruction for instruction in joined if instruction[0] != "stretch"]
    assert alone == [("call", "f"), ("global.set", "g"), ("block", PAIR)]
    assert [joined[positions[BODY.index(instruction)]] for instruction in alone] == alone


def test_a_place_stays_alone_on_request() -> None:
    """An instruction that a linker replaces later keeps a position of its own."""
    joined, positions = join_stretches(BODY, alone={0})
    assert (positions[0], joined[0]) == (0, BODY[0])


def test_locations_are_never_joined() -> None:
    """A `loc` stays between the instructions around it."""
    body = [("nop",), ("nop",), ("loc", 0, 7), ("nop",), ("nop",)]
    joined, _ = join_stretches(body)
    assert [item[0] for item in joined] == ["stretch", "loc", "stretch"]
    assert encode_module(module(joined)).locations == encode_module(module(body)).locations


def test_expanding_gives_the_instructions_back() -> None:
    """Expanding a joined body yields what was joined."""
    joined, _ = join_stretches(BODY)
    assert list(expand_stretches(joined)) == BODY
