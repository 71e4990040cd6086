"""The mid-level IR: its text against goldens, and its invariants on every program we have."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import Diagnostics
from mochi_rules.compiler.driver import CompileRequest, build_ir
from mochi_rules.compiler.ir import Block, Branch, Function, Jump, Return, Value
from mochi_rules.compiler.ir_print import print_program
from mochi_rules.compiler.ir_verify import verify_function, verify_program
from mochi_rules.compiler.types import BOOL, INT, VOID

GOLDEN = Path(__file__).parents[2] / "golden"
PROGRAMS = sorted(GOLDEN.glob("[rfi]*/*.mochi"))


def _build(path):
    name = path.name
    request = CompileRequest(name, {name: path.read_text(encoding="utf-8")})
    program = build_ir(request, Diagnostics())
    assert program is not None
    return program


@pytest.mark.parametrize("path", sorted((GOLDEN / "ir").glob("*.mochi")), ids=lambda p: p.stem)
def test_ir_reads_as_its_golden(path, golden) -> None:
    """The IR after all passes, reference counts included, is the golden."""
    golden(path.with_suffix(".ir"), print_program(_build(path)))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_ir_keeps_its_invariants(path) -> None:
    """After all passes, every golden program is well formed."""
    assert verify_program(_build(path)) == []


def _function(*blocks: Block) -> Function:
    return Function("f", [], VOID, list(blocks))


def test_verifier_finds_a_use_before_the_definition() -> None:
    """A value that another path defines is no operand."""
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
