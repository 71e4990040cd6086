"""Checks in emitted code, against Python: each shape of them at the edges of its operands."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest
import wasmtime

from mochi_rules.aot.config import canonical, engine_config
from mochi_rules.aot.engine import make_loader
from mochi_rules.compiler.driver import runtime_library
from mochi_rules.compiler.ir.function import Program
from mochi_rules.compiler.ir.parse import parse_function
from mochi_rules.compiler.lower.link import Linker
from mochi_rules.platforms.platform import host_platform
from mochi_rules.wasm.encode import encode_module
from mochi_rules.wasm.module import Export

LEAST, MOST = -(2**63), 2**63 - 1
_FACTORS = (0, 1, -1, 2, -2, 3, 10, 2**31, -(2**31), 2**32, 3037000500, MOST, LEAST)
_BASES = {*_FACTORS, *(MOST // f for f in _FACTORS if f), *(LEAST // f for f in _FACTORS if f)}
EDGES = sorted({
    n + change for n in _BASES for change in (-1, 0, 1) if LEAST <= n + change <= MOST
})  # fmt: skip
CONSTANTS = (0, 1, -1, 2, -3, 10, 2**31, MOST, LEAST)
EXACT = {"add": int.__add__, "sub": int.__sub__, "mul": int.__mul__}
_ALL, _NATURAL = range(LEAST, MOST + 1), range(MOST + 1)
_NEGATIVE = range(LEAST, 1)
# For each operation and attribute, the operands that it is right for.
HINTS = {
    "add": {"": (_ALL, _ALL), " up": (_ALL, _NATURAL), " down": (_ALL, _NEGATIVE)},
    "sub": {"": (_ALL, _ALL), " up": (_ALL, _NEGATIVE), " down": (_ALL, _NATURAL)},
    "mul": {
        "": (_ALL, _ALL),
        " natural": (_NATURAL, _NATURAL),
        " [3]": (_ALL, range(-3, 4)),
        " [2147483647]": (_ALL, range(-(2**31) + 1, 2**31)),
    },
}


class Functions:
    """Functions of two ints, by their instructions; None is the result of one that stops."""

    def __init__(self, instructions: tuple[str, ...]) -> None:
        names = {f"f{number}": text for number, text in enumerate(instructions)}
        functions = {"main": parse_function("fun main() {\nb0:\n  return\n}\n")}
        for name, text in names.items():
            body = f"fun {name}(a: int, b: int): int {{\nb0:\n  v1: int = {text}\n  return v1\n}}\n"
            functions[name] = parse_function(body)
        linker = Linker(Program(["f"], functions, {}, {}, "main"), runtime_library(check_leaks=0))
        for name in names:
            linker.need(name)
        module = linker.link()
        module.exports += [Export(name, "func", name) for name in names]
        engine = make_loader(canonical(engine_config(host_platform())), 1 << 20)
        self.store = wasmtime.Store(engine)
        wasi = wasmtime.WasiConfig()
        self.store.set_wasi(wasi)
        link = wasmtime.Linker(engine)
        link.define_wasi()
        compiled = wasmtime.Module(engine, encode_module(module).data)
        exports = link.instantiate(self.store, compiled).exports(self.store)
        self.functions = {text: exports[name] for name, text in names.items()}

    def call(self, instruction: str, a: int, b: int = 0) -> int | None:
        """Return the result, or None."""
        try:
            return self.functions[instruction](self.store, a, b)
        except wasmtime.ExitTrap:
            return None


@cache
def functions(*instructions: str) -> Functions:
    """Return the functions of some instructions."""
    return Functions(instructions)


def exact(op: str, a: int, b: int) -> int | None:
    """Return the result if it fits."""
    result = EXACT[op](a, b)
    return result if LEAST <= result <= MOST else None


@pytest.mark.parametrize("op", EXACT)
def test_results_that_do_not_fit_stop_the_program(op) -> None:
    """An operation is exact or stops, whatever is known of its operands."""
    texts = {f"{op}.checked{hint} a, b": operands for hint, operands in HINTS[op].items()}
    f = functions(*texts)
    for (text, (left, right)), a, b in product(texts.items(), EDGES[::2], EDGES[1::2]):
        if a in left and b in right:
            assert f.call(text, a, b) == exact(op, a, b), (text, a, b)


@pytest.mark.parametrize("op", EXACT)
def test_constant_operands_are_checked_alike(op) -> None:
    """An operation with a constant is exact or stops, on either side."""
    rights = {constant: f"{op}.checked a, {constant}" for constant in CONSTANTS}
    lefts = {constant: f"{op}.checked {constant}, a" for constant in CONSTANTS}
    f = functions(*rights.values(), *lefts.values())
    for constant, a in product(CONSTANTS, EDGES):
        assert f.call(rights[constant], a) == exact(op, a, constant), (a, constant)
        assert f.call(lefts[constant], a) == exact(op, constant, a), (constant, a)


def test_indices_are_counted_from_either_end() -> None:
    """An index in range gives its place from the start; any other one stops the program."""
    texts = ("check.index list a, b", "check.upper list a, b")
    constants = {i: f"check.index list {i}, b" for i in (0, 1, 3, -1, -3)}
    f = functions(*texts, *constants.values())
    for length, i in product((0, 1, 3, 2**31), (*EDGES, 2, 3, -4)):
        place = i + length if i < 0 else i
        wanted = place if 0 <= place < length else None
        assert f.call(texts[0], i, length) == wanted
        if i >= 0:
            assert f.call(texts[1], i, length) == wanted
        if i in constants:
            assert f.call(constants[i], 0, length) == wanted
