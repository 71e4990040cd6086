"""Which statements control flow can reach the end of."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from mochi_rules.compiler.names.symbols import Builtin
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.chains import branches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def has_default(node: ast.Match) -> bool:
    """Whether some arm takes what no other does."""
    return any(isinstance(arm.pattern, ast.Name) and arm.pattern.name == "_" for arm in node.arms)


def always_leaves(
    body: list[ast.Stmt], is_complete: Callable[[ast.Match], bool] = has_default
) -> bool:
    """Whether control never reaches the end of some statements.

    `is_complete` says whether some arm of a `match` is always taken.
    """
    for statement in body:
        match statement:
            case ast.Return() | ast.Break() | ast.Continue():
                return True
            case ast.If():
                if all(always_leaves(each, is_complete) for each in _bodies(statement)):
                    return True
            case ast.While(condition=ast.BoolLit(value=True)):
                if not _breaks(statement.body):
                    return True
            case ast.ExprStmt(value=ast.Match() as node):
                blocks = (arm.block or [] for arm in node.arms)
                if is_complete(node) and all(always_leaves(each, is_complete) for each in blocks):
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
        if any(map(_breaks, _arms(statement))):
            return True
    return False


def returns_value(body: list[ast.Stmt]) -> bool:
    """Whether statements return a value somewhere."""
    return any(node.value is not None for node in _returns(body))


def returns_null(
    body: list[ast.Stmt], is_complete: Callable[[ast.Match], bool] = has_default
) -> bool:
    """Whether a function that returns values may return without one, or complete."""
    is_left = always_leaves(body, is_complete)
    return not is_left or any(node.value is None for node in _returns(body))


def _returns(body: list[ast.Stmt]) -> Iterator[ast.Return]:
    """Yield the `return`s of a function, without those of functions in it."""
    for statement in body:
        match statement:
            case ast.Return():
                yield statement
            case ast.If():
                yield from chain.from_iterable(map(_returns, _bodies(statement)))
            case ast.While() | ast.For() | ast.Test():
                yield from _returns(statement.body)
            case _:
                yield from chain.from_iterable(map(_returns, _arms(statement)))


def _arms(statement: ast.Stmt) -> Iterator[list[ast.Stmt]]:
    """Yield the blocks of the arms where a statement is a `match`."""
    match statement:
        case ast.ExprStmt(value=ast.Match(arms=arms)):
            yield from (arm.block or [] for arm in arms)


def _bodies(node: ast.If) -> Iterator[list[ast.Stmt]]:
    """Yield the bodies of an `if`, and last that of its `else`, empty where there is none."""
    for branch in branches(node):
        yield branch.then
    yield branch.otherwise or []
