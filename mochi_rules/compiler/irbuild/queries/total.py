"""Whether an expression is total: quiet, and it never stops the program.

So it may be evaluated for rows that its query never reaches. What each kind of node needs is in a
table; what is not there is not total.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.types import (
    ANY,
    FLOAT,
    INT,
    SCALARS,
    STRING,
    ListType,
    MapType,
    OptionalType,
    StructType,
    Type,
)
from mochi_rules.compiler.names.symbols import Builtin, Null, Variable
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.compiler.irbuild.state import ProgramState


@dataclass(frozen=True, slots=True)
class Known:
    """What is known where an expression is evaluated: which variables are not null."""

    program: ProgramState
    present: frozenset[Variable]


if TYPE_CHECKING:
    # The expressions that a node needs to be total; None where it may stop the program.
    _Rule = Callable[[Known, Any], list[ast.Expr] | None]

_NUMBERS = (INT, FLOAT)
_SIMPLE = (*SCALARS, STRING)
_TEXT_BUILTINS = frozenset({"upper", "lower", "trim"})
_ORDER = frozenset({"<", "<=", ">", ">="})


def is_total(known: Known, node: ast.Expr) -> bool:
    """Return whether an expression is total."""
    waiting = [node]
    while waiting:
        node = waiting.pop()
        rule = _RULES.get(type(node))
        needed = rule(known, node) if rule else None
        if needed is None:
            return False
        waiting += needed
    return True


def _type(node: ast.Expr) -> Type:
    return ANY if node.cell is None else resolve(node.cell)


def _name(known: Known, node: ast.Name) -> list[ast.Expr] | None:
    del known
    return [] if isinstance(node.decl, (Variable, Null)) else None


def _field(known: Known, node: ast.Field) -> list[ast.Expr] | None:
    base = _type(node.base)
    is_present = isinstance(node.base, ast.Name) and node.base.decl in known.present
    if isinstance(base, OptionalType) and (node.safe or is_present):
        base = base.inner
    struct = known.program.struct_by_name(base.name) if isinstance(base, StructType) else None
    if isinstance(base, MapType):
        return [node.base] if _may_be_null(node, base.key is STRING) else None
    if struct is None or not (node.name in struct.cells or struct.role == "row"):
        return None
    return [node.base]


def _index(known: Known, node: ast.Index) -> list[ast.Expr] | None:
    del known
    base = _type(node.base)
    if not isinstance(base, MapType) or base.key is not _type(node.index):
        return None
    return [node.base, node.index] if _may_be_null(node, True) else None


def _may_be_null(node: ast.Expr, has_key: bool) -> bool:  # noqa: FBT001
    """Whether a missing key is null; as a scalar it would stop the program."""
    return has_key and _type(node) not in SCALARS


def _unary(known: Known, node: ast.Unary) -> list[ast.Expr] | None:
    del known
    return [node.operand] if node.op == "!" or _type(node.operand) in _NUMBERS else None


def _binary(known: Known, node: ast.Binary) -> list[ast.Expr] | None:
    del known
    types = (_type(node.left), _type(node.right))
    match node.op:
        case "&&" | "||" | "==" | "!=":
            fits = True
        case "in":
            fits = types[1] is STRING is types[0] or isinstance(types[1], (ListType, MapType))
        case "+":
            fits = _are_floats(types) or (STRING in types and set(types) <= set(_SIMPLE))
        case "-" | "*":
            fits = _are_floats(types)
        case "/" | "%":
            divisor = node.right
            fits = types[0] in _NUMBERS and (
                isinstance(divisor, (ast.IntLit, ast.FloatLit)) and divisor.value != 0
            )
        case op:
            fits = op in _ORDER and not any(map(_is_optional_scalar, types))
    return [node.left, node.right] if fits else None


def _are_floats(types: tuple[Type, Type]) -> bool:
    return FLOAT in types and set(types) <= {INT, FLOAT}


def _is_optional_scalar(type_: Type) -> bool:
    return isinstance(type_, OptionalType) and type_.inner in SCALARS


def _if(known: Known, node: ast.IfExpr) -> list[ast.Expr] | None:
    del known
    parts = [node.then] if node.otherwise is None else [node.then, node.otherwise]
    alike = all(_type(part) is _type(node) for part in parts)
    return [node.condition, *parts] if alike else None


def _call(known: Known, node: ast.Call) -> list[ast.Expr] | None:
    del known
    name = node.callee.decl if isinstance(node.callee, ast.Name) else None
    if not isinstance(name, Builtin) or len(node.args) != 1:
        return None
    type_ = _type(node.args[0])
    match name.name:
        case "len" | "count":
            fits = type_ is STRING or isinstance(type_, (ListType, MapType))
        case "str":
            fits = type_ in _SIMPLE
        case "float":
            fits = type_ in _NUMBERS
        case "abs":
            fits = type_ is FLOAT
        case other:
            fits = other in _TEXT_BUILTINS and type_ is STRING
    return node.args if fits else None


def _cast(known: Known, node: ast.Cast) -> list[ast.Expr] | None:
    del known
    widens = _type(node) is FLOAT and _type(node.operand) in _NUMBERS
    return [node.operand] if widens or _type(node) is _type(node.operand) in _SIMPLE else None


_RULES: dict[type, _Rule] = {
    **dict.fromkeys(
        (ast.IntLit, ast.FloatLit, ast.BoolLit, ast.StringLit, ast.NoneLit), lambda *_: []
    ),
    ast.Name: _name, ast.Field: _field, ast.Index: _index, ast.Unary: _unary, ast.Binary: _binary,
    ast.IfExpr: _if, ast.Call: _call, ast.Cast: _cast, ast.ListLit: lambda _, node: node.items,
}  # fmt: skip
