"""The compiler on damaged programs: a diagnostic or valid wasm, never anything else."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
import wasmtime

from mochi_rules.compiler.driver import CompileRequest, compile_program

GOLDEN = Path(__file__).parents[1] / "golden"
PROGRAMS = [path.read_text(encoding="utf-8") for path in sorted(GOLDEN.glob("[rfi]*/*.mochi"))]
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|\w+|\s+|[^\w\s]')
TOKENS = [token for text in PROGRAMS for token in TOKEN.findall(text) if not token.isspace()]
WORD = re.compile(r'[a-z_]\w*$|\d+$|"')
PER_SEED = 60


def _mutate(text: str, chance: random.Random) -> str:
    """Replace, drop, insert or swap a few tokens; swapping words keeps most programs parsable."""
    tokens = TOKEN.findall(text)
    for _ in range(chance.choice((1, 1, 2, 3))):
        at = chance.randrange(len(tokens))
        match chance.randrange(6):
            case 0:
                tokens[at] = chance.choice(TOKENS)
            case 1:
                tokens[at] = ""
            case 2:
                tokens.insert(at, chance.choice(TOKENS) + " ")
            case _:
                words = [number for number, token in enumerate(tokens) if WORD.match(token)]
                tokens[chance.choice(words)] = tokens[chance.choice(words)]
    return "".join(tokens)


@pytest.mark.parametrize("seed", range(8))
def test_mutated_program_gives_diagnostics_or_valid_wasm(seed) -> None:
    """No mutation makes the compiler raise, or emit what Wasmtime refuses."""
    chance, engine = random.Random(seed), wasmtime.Engine()
    for _ in range(PER_SEED):
        text = _mutate(chance.choice(PROGRAMS), chance)
        result = compile_program(CompileRequest("m.mochi", {"m.mochi": text}))
        assert bool(result.wasm) or result.diagnostics
        if result.wasm:
            wasmtime.Module.validate(engine, result.wasm)


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
