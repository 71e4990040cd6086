"""The mid-level IR: its text against goldens, and its invariants on every program we have."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir, runtime_library
from mochi_rules.compiler.ir.function import (
    Block,
    Branch,
    Function,
    Jump,
    Program,
    Return,
    Value,
)
from mochi_rules.compiler.ir.ownership import ownership_faults
from mochi_rules.compiler.ir.print import print_program
from mochi_rules.compiler.ir.types import BOOL, FLOAT, INT, VOID, list_of
from mochi_rules.compiler.ir.verify import verify_function, verify_program
from mochi_rules.compiler.passes import BUILD, PASSES
from mochi_rules.compiler.passes.context import Context

GOLDEN = Path(__file__).parents[2] / "golden"
PROGRAMS = [  # one in four in the quick run
    pytest.param(path, marks=[pytest.mark.slow] if at % 4 else [])
    for at, path in enumerate(sorted(GOLDEN.glob("[rfi]*/*.mochi")))
]


def _build(path, after=""):
    name = path.name
    request = CompileRequest(name, {name: path.read_text(encoding="utf-8")}, optimize=0)
    program = build_ir(request, Diagnostics(), after)
    assert program is not None
    return program


@pytest.mark.parametrize("path", sorted((GOLDEN / "ir").glob("*.mochi")), ids=lambda p: p.stem)
def test_ir_reads_as_its_golden(path, golden) -> None:
    """The IR as it is written, with reference counts, is the golden."""
    golden(path.with_suffix(".ir"), print_program(_build(path)))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_ir_keeps_its_invariants(path) -> None:
    """After every pass, every golden program is well formed, its reference counts included."""
    library = runtime_library(check_leaks=True, level=2)
    program = _build(path, BUILD)
    assert verify_program(program, counted=False) == []
    context = Context(program.functions, program.signatures, program, library)
    is_counted = False
    for row in PASSES:
        row.run(context)
        is_counted |= row.name == "refcount"
        assert verify_program(program, counted=is_counted) == [], row.name


@pytest.mark.parametrize("level", [pytest.param(0, marks=pytest.mark.slow), 2])
def test_runtime_library_keeps_the_invariants(level) -> None:
    """Every function of the runtime library is well formed, as written and optimized."""
    library = runtime_library(check_leaks=True, level=level)
    assert [f for name in library.entries for f in verify_function(library.function(name))] == []


@pytest.mark.parametrize("name", ["append_in_place", "fields", "optional"])
def test_verifier_finds_every_missing_and_doubled_count(name) -> None:
    """Without any one of its retains and releases, or with it twice, a program is not sound."""
    program = _build(GOLDEN / "ir" / f"{name}.mochi")
    for function in program.functions.values():
        for block in function.blocks:
            code = block.code
            for at, value in enumerate(code):
                if value.op in ("retain", "release"):
                    for times in (0, 2):
                        block.code = code[:at] + [value] * times + code[at + 1 :]
                        assert list(ownership_faults(function, program.signatures)), (name, at)
            block.code = code


def test_verifier_finds_a_use_after_the_last_reference() -> None:
    """What was released, or taken over, is not there any more."""
    block, xs = Block(), Value("list.new", (), list_of(INT))
    length = Value("list.len", (xs,), INT)
    block.code, block.end = [xs, Value("release", (xs,), VOID), length], Return(length)
    [fault] = ownership_faults(Function("f", [], INT, [block]), {})
    assert fault.startswith("list.len uses")


def _function(*blocks: Block) -> Function:
    return Function("f", [], VOID, list(blocks))


def test_verifier_finds_a_use_before_the_definition() -> None:
    """A value that another path defines is not an operand."""
    start, left, right, end = Block(), Block(), Block(), Block()
    condition, one = Value("const", (), BOOL, 1), Value("const", (), INT, 1)
    start.code, start.end = [condition], Branch(condition, left, right)
    left.code, left.end = [one], Jump(end)
    right.end = Jump(end)
    end.code, end.end = [Value("neg", (one,), INT)], Return(None)
    [fault] = verify_function(_function(start, left, right, end))
    assert "neg uses" in fault


def test_verifier_finds_a_jump_without_arguments() -> None:
    """A jump passes one value for each parameter."""
    start, end = Block(), Block()
    start.end = Jump(end)
    end.params, end.end = [Value("param", (), INT)], Return(None)
    assert verify_function(_function(start, end)) == [
        "f: a jump with the wrong number of arguments"
    ]


def test_verifier_finds_a_branch_into_a_shared_block() -> None:
    """The target of a branch has no other predecessor."""
    start, end = Block(), Block()
    condition = Value("const", (), BOOL, 1)
    start.code, start.end = [condition], Branch(condition, end, end)
    end.end = Return(None)
    assert (
        verify_function(_function(start, end))
        == ["f: a branch to a block with parameters or other predecessors"] * 2
    )


def test_verifier_knows_the_operations() -> None:
    """An operation that does not exist, or has too many arguments, is found."""
    block = Block()
    one = Value("const", (), INT, 1)
    block.code = [one, Value("frob", (), INT), Value("neg", (one, one), INT)]
    block.end = Return(None)
    assert verify_function(_function(block)) == [
        "f: unknown operation frob",
        "f: neg with 2 arguments",
    ]


def test_verifier_knows_the_types_of_operands() -> None:
    """Operands and results have the types of the signature in the table of operations."""
    block = Block()
    one, half = Value("const", (), INT, 1), Value("const", (), FLOAT, 0.5)
    block.code = [one, half, Value("add", (one, half), INT), Value("list.len", (one,), INT)]
    block.end = Return(None)
    assert verify_function(_function(block)) == [
        "f: add of int, float gives int",
        "f: list.len of int gives int",
    ]


def test_verifier_finds_what_a_branch_or_a_return_uses_too_early() -> None:
    """The condition of a branch and the value of a return are uses like any other."""
    start, left, right = Block(), Block(), Block()
    late, other = Value("const", (), BOOL, 1), Value("const", (), INT, 1)
    start.end = Branch(late, left, right)
    left.code, left.end = [late, other], Return(other)
    right.end = Return(other)
    faults = verify_function(Function("f", [], INT, [start, left, right]))
    assert [fault.split(" uses ")[0] for fault in faults] == ["f: branch", "f: return"]


def test_verifier_finds_an_element_at_an_index_that_nothing_checked() -> None:
    """The index of an element is the result of a check, whatever moves between the two."""
    xs, i = Value("param", (), list_of(INT)), Value("param", (), INT)
    load, block = Value("list.load", (xs, i), INT), Block()
    block.code, block.end = [load], Return(load)
    function = Function("f", [xs, i], INT, [block])
    assert verify_function(function) == []
    [fault] = verify_program(Program([], {"f": function}, {}, {}, "f"), counted=False)
    assert "which nothing has checked" in fault
