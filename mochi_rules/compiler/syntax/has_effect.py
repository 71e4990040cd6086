"""Whether an expression does anything beside giving a value."""

from __future__ import annotations

from mochi_rules.base.dataclass import fields
from mochi_rules.compiler.syntax import ast

_EFFECTS = (ast.Call, ast.Fetch, ast.Load, ast.Save, ast.Generate)


def has_effect(expr: ast.Expr) -> bool:
    """Return whether something is called or transferred when the expression is evaluated.

    A function literal does nothing until it is called; a statement in an arm of a `match` is taken
    to do something.
    """
    waiting: list[object] = [expr]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _EFFECTS) or (
            isinstance(node, ast.Stmt) and not isinstance(node, ast.ExprStmt)
        ):
            return True
        if isinstance(node, (list, tuple)):
            waiting += node
        elif isinstance(node, ast.Node) and not isinstance(node, ast.FunExpr):
            waiting += [getattr(node, slot.name) for slot in fields(node)]
    return False
