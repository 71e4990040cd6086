"""What each instruction is in CLIF: one table from WebAssembly's mnemonics.

The operations of both are nearly the same; where WebAssembly pushes 0 or 1, a comparison of CLIF
gives a value of type i8, which `function.py` widens where it is wanted as a number.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass

_ARITHMETIC = {
    "add": "iadd", "sub": "isub", "mul": "imul", "div_s": "sdiv", "div_u": "udiv",
    "rem_s": "srem", "rem_u": "urem", "and": "band", "or": "bor", "xor": "bxor",
    "shl": "ishl", "shr_s": "sshr", "shr_u": "ushr", "rotl": "rotl", "rotr": "rotr",
}  # fmt: skip
_COMPARISONS = {
    "eq": "eq", "ne": "ne", "lt_s": "slt", "lt_u": "ult", "gt_s": "sgt", "gt_u": "ugt",
    "le_s": "sle", "le_u": "ule", "ge_s": "sge", "ge_u": "uge",
}  # fmt: skip
_BITS = {"clz": "clz", "ctz": "ctz", "popcnt": "popcnt"}
_FLOAT_ARITHMETIC = {
    "add": "fadd", "sub": "fsub", "mul": "fmul", "div": "fdiv", "min": "fmin", "max": "fmax",
    "copysign": "fcopysign",
}  # fmt: skip
_FLOAT_UNARY = {
    "abs": "fabs", "neg": "fneg", "ceil": "ceil", "floor": "floor", "trunc": "trunc",
    "nearest": "nearest", "sqrt": "sqrt",
}  # fmt: skip
_FLOAT_COMPARISONS = ("eq", "ne", "lt", "gt", "le", "ge")
_CONVERSIONS = {
    "i32.wrap_i64": "ireduce.i32",
    "i64.extend_i32_s": "sextend.i64",
    "i64.extend_i32_u": "uextend.i64",
    "i64.trunc_sat_f64_s": "fcvt_to_sint_sat.i64",
    "f64.convert_i64_s": "fcvt_from_sint.f64",
    "i64.reinterpret_f64": "bitcast.i64",
    "f64.reinterpret_i64": "bitcast.f64",
}
# Bits of `I8` are those of a comparison.
I8, I32, I64, F64 = "i8", "i32", "i64", "f64"


@dataclass(frozen=True, slots=True)
class Operation:
    """An instruction of CLIF, how many operands it takes, and the type of its result."""

    text: str
    operands: int
    result: str


def _operations() -> dict[str, Operation]:
    found = {}
    for type_ in (I32, I64):
        for name, clif in _ARITHMETIC.items():
            found[f"{type_}.{name}"] = Operation(clif, 2, type_)
        for name, clif in _BITS.items():
            found[f"{type_}.{name}"] = Operation(clif, 1, type_)
        for name, clif in _COMPARISONS.items():
            found[f"{type_}.{name}"] = Operation(f"icmp {clif}", 2, I8)
    for name, clif in _FLOAT_ARITHMETIC.items():
        found[f"f64.{name}"] = Operation(clif, 2, F64)
    for name, clif in _FLOAT_UNARY.items():
        found[f"f64.{name}"] = Operation(clif, 1, F64)
    for name in _FLOAT_COMPARISONS:
        found[f"f64.{name}"] = Operation(f"fcmp {name}", 2, I8)
    for name, clif in _CONVERSIONS.items():
        found[name] = Operation(clif, 1, name.partition(".")[0])
    return found


OPERATIONS: dict[str, Operation] = _operations()

# Accesses to the memory, whose bytes are little-endian on every machine.
LOADS: dict[str, Operation] = {
    "i32.load": Operation("load.i32 little", 1, I32),
    "i64.load": Operation("load.i64 little", 1, I64),
    "f64.load": Operation("load.f64 little", 1, F64),
    "i32.load8_u": Operation("uload8.i32 little", 1, I32),
    "i32.load16_u": Operation("uload16.i32 little", 1, I32),
    "i64.load8_u": Operation("uload8.i64 little", 1, I64),
    "i64.load16_u": Operation("uload16.i64 little", 1, I64),
    "i64.load32_u": Operation("uload32.i64 little", 1, I64),
    "i64.load32_s": Operation("sload32.i64 little", 1, I64),
}
STORES: dict[str, str] = {
    "i32.store": "store little",
    "i64.store": "store little",
    "f64.store": "store little",
    "i32.store8": "istore8 little",
    "i32.store16": "istore16 little",
    "i64.store8": "istore8 little",
    "i64.store16": "istore16 little",
    "i64.store32": "istore32 little",
}


def constant(mnemonic: str, value: float) -> str:
    """Return the instruction that makes a constant; integers are written as `iconst` wants them."""
    if mnemonic == "f64.const":
        return f"f64const {_float(float(value))}"
    bits = 32 if mnemonic == "i32.const" else 64
    number = int(value) % (1 << bits)
    if bits == 64 and number >> 63:
        number -= 1 << 64
    return f"iconst.i{bits} {number}"


def _float(value: float) -> str:
    if value != value:  # noqa: PLR0124 - NaN
        return "+NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return value.hex().replace("p+", "p")
