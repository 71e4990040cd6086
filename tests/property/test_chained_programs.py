"""The compiler on long and deep programs. Mutated ones are in tests/faults."""

from __future__ import annotations

import pytest
import wasmtime

from mochi_rules.compiler.driver import CompileRequest, compile_program


@pytest.mark.parametrize(
    "text",
    [
        'let a = "x"\nprint(' + " + ".join(["a"] * 999) + ")",
        "let a = 1\nprint(" + " + ".join(["a"] * 999) + ")",
        "fun f(x) { return x }\nprint(" + "f(" * 140 + "1" + ")" * 140 + ")",
        "let x = 1\n" + "if x == 0 { print(1) } else " * 900 + "{ print(2) }",
        "let x = 1\n" + "if x == 1 { " * 140 + "print(2)" + "}" * 140,
        "let x = 1\n" + "\n".join(f"if x == {n} {{ print({n}) }}" for n in range(2000)),
    ],
    ids=["concatenations", "sums", "calls", "else-if", "nested-if", "statements"],
)
def test_long_and_deep_programs_compile(text) -> None:
    """What the parser lets through, the later stages can walk."""
    result = compile_program(CompileRequest("m.mochi", {"m.mochi": text}))
    assert result.wasm
    wasmtime.Module.validate(wasmtime.Engine(), result.wasm)
