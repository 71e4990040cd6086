"""Which statements control flow can reach the end of."""

from __future__ import annotations

from mochi_rules.compiler.names.symbols import Builtin
from mochi_rules.compiler.syntax import ast


def always_leaves(body: list[ast.Stmt]) -> bool:
    """Whether control never reaches the end of some statements."""
    for statement in body:
        match statement:
            case ast.Return() | ast.Break() | ast.Continue():
                return True
            case ast.If(otherwise=list() as otherwise):
                if always_leaves(statement.then) and always_leaves(otherwise):
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
        if isinstance(statement, ast.If) and (
            _breaks(statement.then) or _breaks(statement.otherwise or [])
        ):
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
                if returns_value(statement.then) or returns_value(statement.otherwise or []):
                    return True
            case ast.While() | ast.For() | ast.Test():
                if returns_value(statement.body):
                    return True
            case _:
                pass
    return False
