"""Any function of the IR is read back from its text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mochi_rules.compiler.ir import types
from mochi_rules.compiler.ir.function import (
    Block,
    Branch,
    Function,
    Jump,
    Return,
    Unreachable,
    Value,
)
from mochi_rules.compiler.ir.parse import parse_function
from mochi_rules.compiler.ir.print import print_function
from mochi_rules.compiler.ir.types import BOOL, FLOAT, INT, STRING, VOID, WORD

NAMES = st.sampled_from(["", "x", "xs", "x1", "v", "v1", "null", "nan", "true", "größe", "_"])
TYPES = st.recursive(
    st.sampled_from([INT, FLOAT, BOOL, STRING, WORD, types.ANY, types.CELL, types.struct_of("P")]),
    lambda inner: st.one_of(
        inner.map(types.list_of),
        inner.map(types.optional_of),
        inner.map(lambda value: types.map_of(STRING, value)),
        st.tuples(st.lists(inner, max_size=2).map(tuple), inner).map(lambda f: types.fun_of(*f)),
    ),
    max_leaves=4,
)
CONSTANTS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda n: Value("const", (), INT, n)),
    st.integers(0, 2**32 - 1).map(lambda n: Value("const", (), WORD, n)),
    st.booleans().map(lambda b: Value("const", (), BOOL, int(b))),
    st.floats().map(lambda x: Value("const", (), FLOAT, x)),
    st.binary(max_size=8).map(lambda b: Value("string", (), STRING, b)),
    st.text(max_size=8).map(lambda t: Value("string", (), WORD, t.encode("utf-8", "replace"))),
    TYPES.map(lambda type_: Value("null", (), type_)),
)


@st.composite
def functions(draw: st.DrawFn) -> Function:
    """Return a function of the right form, though not of the right types."""
    params = [Value("param", (), draw(TYPES), name=draw(NAMES)) for _ in range(2)]
    values = list(params)
    blocks = [Block() for _ in range(draw(st.integers(1, 4)))]
    for block in blocks[1:]:
        block.params = [Value("param", (), draw(TYPES), name=draw(NAMES))]
        values += block.params

    def operand(block: Block) -> Value:
        constant = draw(st.none() | CONSTANTS)
        if constant is not None:
            block.code.append(constant)
            return constant
        return draw(st.sampled_from(values))

    for block in blocks:
        for op, attr in draw(st.lists(st.sampled_from([
            ("add", None), ("call", "f.value"), ("field.load", ("P", 3)),
            ("check.expect", b'"\\\n'), ("mem.load", (4, False, 8)),
            ("closure.load", (0, (INT, types.map_of(STRING, types.fun_of((INT, INT), INT))))),
        ]), max_size=4)):  # fmt: skip
            args = tuple(operand(block) for _ in range(draw(st.integers(0, 3))))
            type_ = draw(st.just(VOID) | TYPES)
            value = Value(op, args, type_, attr, name="" if type_ is VOID else draw(NAMES))
            block.code.append(value)
            if type_ is not VOID:
                values.append(value)
        target = st.sampled_from(blocks)
        block.end = draw(st.sampled_from([
            Unreachable(), Return(None), Return(operand(block)),
            Jump(draw(target), [operand(block)]),
            Branch(operand(block), draw(target), draw(target), draw(st.none() | st.booleans())),
        ]))  # fmt: skip
    return Function("f", params, draw(TYPES), blocks)


@given(functions())
def test_text_is_the_same_after_reading(function) -> None:
    """What is printed of what was read is what was read."""
    text = print_function(function)
    assert print_function(parse_function(text)) == text
