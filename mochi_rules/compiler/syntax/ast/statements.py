"""Statements, except declarations of functions and types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.syntax.ast.node import Stmt

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.ast.expressions import Name
    from mochi_rules.compiler.syntax.ast.node import Expr, TypeExpr


@dataclass(slots=True, eq=False)
class Let(Stmt):
    """`let name: type = value` and, with `mutable`, `var …`. `decl` is set by resolution."""

    name: str
    name_start: int
    type: TypeExpr | None
    value: Expr | None
    mutable: bool
    decl: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Assign(Stmt):
    """`target = value`; the target is a Name, or Index and Field nodes over one."""

    target: Expr
    value: Expr


@dataclass(slots=True, eq=False)
class Return(Stmt):
    """`return [value]`."""

    value: Expr | None


@dataclass(slots=True, eq=False)
class If(Stmt):
    """`if … { } else { }`; `else if` arrives as an `otherwise` of one If."""

    condition: Expr
    then: list[Stmt]
    otherwise: list[Stmt] | None


@dataclass(slots=True, eq=False)
class While(Stmt):
    """`while condition { body }`."""

    condition: Expr
    body: list[Stmt]


@dataclass(slots=True, eq=False)
class For(Stmt):
    """`for name in low..high { }` or, with `high` None, `for name in collection { }`."""

    name: str
    name_start: int
    low: Expr
    high: Expr | None
    body: list[Stmt]
    decl: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Break(Stmt):
    """`break`."""


@dataclass(slots=True, eq=False)
class Continue(Stmt):
    """`continue`."""


@dataclass(slots=True, eq=False)
class ExprStmt(Stmt):
    """An expression for its effect."""

    value: Expr


@dataclass(slots=True, eq=False)
class Test(Stmt):
    """`test "name" { }`."""

    name: str
    body: list[Stmt]


@dataclass(slots=True, eq=False)
class Bench(Stmt):
    """`bench "name" { }`."""

    name: str
    body: list[Stmt]


@dataclass(slots=True, eq=False)
class Expect(Stmt):
    """`expect condition`."""

    condition: Expr


@dataclass(slots=True, eq=False)
class Update(Stmt):
    """`update name set {…} [where condition]`; `fields` are those of an element, by name."""

    target: Name
    items: list[tuple[str, Expr]]
    where: Expr | None
    fields: dict[str, Any] = field(default_factory=dict, init=False, repr=False)


@dataclass(slots=True, eq=False)
class FetchInto(Stmt):
    """`fetch url into name [with options]`."""

    url: Expr
    name: str
    options: Expr | None
