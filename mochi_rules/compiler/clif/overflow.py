"""Overflow in CLIF: an addition that reports it, in place of the comparisons of WebAssembly.

`lower/overflow.py` emits the patterns that are recognised here. What they computed besides stays
behind unused, and Cranelift drops it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.clif.instructions import I8

if TYPE_CHECKING:
    from mochi_rules.compiler.clif.function import Handler, Translator
    from mochi_rules.wasm.module import Instruction

CONST = "i64.const"
_REPORTING = {"iadd": "sadd_overflow", "isub": "ssub_overflow", "imul": "smul_overflow"}


def _compare_signed(t: Translator, instruction: Instruction) -> None:
    left, right = t.pop_all(2)
    overflow = _of_sum(t, left) if t.made.get(right) == (CONST, 0) else None
    _push(t, instruction[0], [left, right], overflow)


def _compare_unsigned(t: Translator, instruction: Instruction) -> None:
    left, right = t.pop_all(2)
    _push(t, instruction[0], [left, right], _of_product(t, left, right))


def _push(t: Translator, mnemonic: str, operands: list[int], overflow: int | None) -> None:
    """Push whether a sum or a product overflowed, where a comparison asks just that."""
    if overflow is None:
        t.compute(mnemonic, operands)
    else:
        t.overflows.add(overflow)
        t.stack.append(overflow)


def _of_sum(t: Translator, signs: int) -> int | None:
    """Of `(a ^ r) & (b ^ r)` for r = a + b, and `(a ^ r) & (b ^ a)` for r = a - b."""
    match t.made.get(signs):
        case ("i64.and", int(first), int(second)):
            changed, other = t.made.get(first), t.made.get(second)
        case _:
            return None
    match changed:
        case ("i64.xor", int(a), int(result)):
            pass
        case _:
            return None
    match t.made.get(result):
        case ("i64.add", x, int(b)) if x == a and other == ("i64.xor", b, result):
            return _report(t, result, f"iadd v{a}, v{b}")
        case ("i64.sub", x, int(b)) if x == a and other == ("i64.xor", b, a):
            return _report(t, result, f"isub v{a}, v{b}")
    return None


def _of_product(t: Translator, bits: int, limit: int) -> int | None:
    """Where WebAssembly looks closer: an operand does not fit 32 bits, or 31 of naturals."""
    match t.made.get(bits), t.made.get(limit):
        case ("i64.or", int(a), int(b)), ("i64.const", number) if number == 2**31:
            pass
        case ("i64.or", int(x), int(y)), ("i64.const", number) if number == 2**32:
            found = _unshifted(t, x), _unshifted(t, y)
            if found[0] is None or found[1] is None:
                return None
            a, b = found[0], found[1]
        case _:
            return None
    product = t.products.get((a, b))
    return None if product is None else _report(t, product, f"imul v{a}, v{b}")


def _unshifted(t: Translator, value: int) -> int | None:
    match t.made.get(value):
        case ("i64.add", int(operand), int(constant)) if t.made.get(constant) == (CONST, 2**31):
            return operand
    return None


def _report(t: Translator, result: int, text: str) -> int | None:
    """Let the instruction that made a value report overflow, if it is in the current block."""
    assert t.block is not None
    written = f"v{result} = {text}"
    for index in range(len(t.block.lines) - 1, -1, -1):
        if t.block.lines[index].endswith(written):
            overflow = t.variables.new_value(I8)
            place = t.block.lines[index].removesuffix(written)
            operation, _, operands = text.partition(" ")
            reporting = f"{_REPORTING[operation]} {operands}"
            t.block.lines[index] = f"{place}v{result}, v{overflow} = {reporting}"
            return overflow
    return None


HANDLERS: dict[str, Handler] = {"i64.lt_s": _compare_signed, "i64.ge_u": _compare_unsigned}
