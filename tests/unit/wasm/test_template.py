"""Templates: instructions as text, with holes for operands."""

from __future__ import annotations

from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.instruction import CODES
from mochi_rules.wasm.module import Function, Module
from mochi_rules.wasm.pieces import instructions_of
from mochi_rules.wasm.template import Template


def instructions(text: str, *operands: int) -> list[tuple[object, ...]]:
    """Return the instructions of a template with its holes filled."""
    first, pieces, last = Template(text).fill(operands)
    return list(instructions_of([first, *pieces, last]))


def test_operands_fill_holes_in_their_order() -> None:
    """A hole that appears twice gets the same operand, however long its encoding is."""
    found = instructions("local.get $a i64.const $n local.tee $b local.get $a", 1, -999, 300)
    assert found == [
        ("local.get", 1), ("i64.const", -999), ("local.tee", 300), ("local.get", 1),
    ]  # fmt: skip


def test_alignment_is_natural_unless_written() -> None:
    """What an access carries besides is an offset, which may be a hole."""
    found = instructions("i64.load offset=$o i64.load offset=8 align=1 i32.load8_u", 37)
    assert found == [("i64.load", 3, 37), ("i64.load", 0, 8), ("i32.load8_u", 0, 0)]


def test_blocks_may_have_a_result() -> None:
    """As in the text format."""
    found = instructions("if (result i64) unreachable else unreachable end if end")
    assert [found[0], found[-2]] == [("if", "i64"), ("if", None)]


def test_calls_stand_alone() -> None:
    """They name something of the module, and so have no bytes yet."""
    first, pieces, last = Template("call f local.get $a call g drop").fill((2,))
    assert (first, last) == (b"", CODES[("drop",)])
    assert pieces == [("call", "f"), CODES["local.get", 2], ("call", "g")]


def test_a_percent_sign_is_a_byte_as_others() -> None:
    """The local 37 and the code of `global.set` and of nothing else are that byte."""
    assert instructions("local.get 37 local.get $a", 37) == [("local.get", 37)] * 2


def test_bodies_of_bytes_are_those_of_their_instructions() -> None:
    """An encoded module does not tell what was encoded before."""
    body = [("i64.const", -1), ("f64.const", -0.0), ("call", "f"), ("drop",), ("br_table", (0,), 0)]
    pieces = [CODES[body[0]] + CODES[body[1]], ("call", "f"), CODES[body[3]] + CODES[body[4]]]
    one, other = (Module(functions=[Function("f", body=code)]) for code in (body, pieces))
    assert encode_module(one).data == encode_module(other).data
    assert list(instructions_of(pieces)) == body
