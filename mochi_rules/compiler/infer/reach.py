"""Which statements control flow can reach the end of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.names.symbols import Builtin
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches

if TYPE_CHECKING:
    from collections.abc import Iterator


def always_leaves(body: list[ast.Stmt]) -> bool:
    """Whether control never reaches the end of some statements."""
    for statement in body:
        match statement:
            case ast.Return() | ast.Break() | ast.Continue():
                return True
            case ast.If():
                if all(map(always_leaves, _bodies(statement))):
                    return True
            case ast.While(condition=ast.BoolLit(value=True)):
                if not _breaks(statement.body):
                    return True
            case ast.ExprStmt(value=ast.Call(callee=ast.Name(decl=Builtin(name="panic")))):
                return True
            case _:
                pass
    return False


def _breaks(body: list[ast.Stmt]) -> bool:
    """Whether statements leave the loop around them by `break`."""
    for statement in body:
        if isinstance(statement, ast.Break):
            return True
        if isinstance(statement, ast.If) and any(map(_breaks, _bodies(statement))):
            return True
    return False


def returns_value(body: list[ast.Stmt]) -> bool:
    """Whether statements return a value somewhere."""
    for statement in body:
        match statement:
            case ast.Return():
                if statement.value is not None:
                    return True
            case ast.If():
                if any(map(returns_value, _bodies(statement))):
                    return True
            case ast.While() | ast.For() | ast.Test():
                if returns_value(statement.body):
                    return True
            case _:
                pass
    return False


def _bodies(node: ast.If) -> Iterator[list[ast.Stmt]]:
    """Yield the bodies of an `if`, and last that of its `else`, empty where there is none."""
    for branch in branches(node):
        yield branch.then
    yield branch.otherwise or []
