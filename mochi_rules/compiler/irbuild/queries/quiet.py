"""Whether code is quiet: it has a value and no side effect that a program can observe.

It may stop the program. While all that the rows of a query run is quiet, whatever they read stays
as it is, so it can be read earlier, or once for many rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.methods import VALUE_METHODS
from mochi_rules.compiler.ir.types import StructType
from mochi_rules.compiler.names.builtins import BUILTINS
from mochi_rules.compiler.names.symbols import (
    Builtin,
    ForeignModule,
    Function,
    ModuleScope,
    Struct,
    Variable,
)
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.walk import nodes_of

if TYPE_CHECKING:
    from mochi_rules.compiler.irbuild.state import ProgramState

_LOUD_BUILTINS = frozenset({"print", "json", "input", "now", "panic", "error", "reduce"})
_QUIET_STATEMENTS = (
    ast.Let, ast.Return, ast.If, ast.While, ast.For, ast.Break, ast.Continue, ast.ExprStmt,
)  # fmt: skip
_LOUD_EXPRESSIONS = (ast.Fetch, ast.Load, ast.Save, ast.Generate, ast.LogicQuery, ast.FunExpr)


def is_quiet(program: ProgramState, *roots: object) -> bool:
    """Return whether some expressions are quiet, with all functions that they call."""
    called: dict[Function, None] = {}
    if not _is_quiet_here(roots, None, called):
        return False
    waiting = list(called)
    while waiting:
        function = waiting.pop()
        if function not in program.quiet:
            callees: dict[Function, None] = {}
            body = function.decl.body if function.decl is not None else []
            is_calm = _is_quiet_here([body], function, callees)
            program.quiet[function] = list(callees) if is_calm else None
        known = program.quiet[function]
        if known is None:
            return False
        waiting += [callee for callee in known if callee not in called]
        called |= dict.fromkeys(known)
    return True


def _is_quiet_here(roots: object, function: Function | None, called: dict[Function, None]) -> bool:
    """Return whether nodes themselves are quiet; add the functions that they call."""
    for node in nodes_of(roots):
        if isinstance(node, ast.Call):
            if not _is_quiet_call(node, called):
                return False
        elif isinstance(node, ast.Assign):
            if not _is_own(node.target, function):
                return False
        elif isinstance(node, _LOUD_EXPRESSIONS) or (
            isinstance(node, ast.Stmt) and not isinstance(node, _QUIET_STATEMENTS)
        ):
            return False
    return True


def _is_own(target: ast.Expr, function: Function | None) -> bool:
    """Return whether an assignment is to a local variable of its function."""
    variable = target.decl if isinstance(target, ast.Name) else None
    return (
        isinstance(variable, Variable)
        and variable.owner is function
        and not (variable.is_global or variable.is_captured)
    )


def _is_quiet_call(node: ast.Call, called: dict[Function, None]) -> bool:
    callee = node.callee
    symbol = callee.decl if isinstance(callee, ast.Name) else None
    if isinstance(callee, ast.Field):
        owner = callee.base.decl if isinstance(callee.base, ast.Name) else None
        if isinstance(owner, ForeignModule):
            return True
        if not isinstance(owner, ModuleScope):
            base = resolve(callee.base.cell)
            return callee.name in VALUE_METHODS and not isinstance(base, StructType)
        symbol = owner.names.get(callee.name)
    if isinstance(symbol, Function):
        called[symbol] = None
        return symbol.receiver is None
    if isinstance(symbol, Builtin):
        return symbol.name in BUILTINS and symbol.name not in _LOUD_BUILTINS
    return isinstance(symbol, Struct)
