"""Functions: declared ones and literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.syntax.ast.node import Expr, Node, Stmt

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.ast.node import TypeExpr


@dataclass(slots=True, eq=False)
class Param(Node):
    """A parameter."""

    name: str
    type: TypeExpr | None


@dataclass(slots=True, eq=False)
class FunDecl(Stmt):
    """A function; `name` is empty for a literal. `info` is set by resolution."""

    name: str
    name_start: int
    type_params: list[str]
    params: list[Param]
    result: TypeExpr | None
    effects: list[str]
    body: list[Stmt]
    exported: bool
    info: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class FunExpr(Expr):
    """A function literal, as a FunDecl without a name; `=> e` arrives as a body `return e`."""

    fun: FunDecl
