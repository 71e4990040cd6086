"""Types as they are written."""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass
from mochi_rules.compiler.syntax.ast.node import Node, TypeExpr


@dataclass(slots=True, eq=False)
class NamedType(TypeExpr):
    """`int`, `Person`, and with arguments `list<int>`, `map<string, int>`."""

    name: str
    args: list[TypeExpr]


@dataclass(slots=True, eq=False)
class FunType(TypeExpr):
    """`fun(int, string): bool`; `result` is None where nothing is written."""

    params: list[TypeExpr]
    result: TypeExpr | None


@dataclass(slots=True, eq=False)
class FieldDecl(Node):
    """`name: type` in a struct, variant, record type or stream."""

    name: str
    type: TypeExpr


@dataclass(slots=True, eq=False)
class RecordType(TypeExpr):
    """`{name: string, age: int}`."""

    fields: list[FieldDecl]
