"""Expressions, except queries and function literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.syntax.ast.node import Expr, Node

if TYPE_CHECKING:
    from mochi_rules.compiler.syntax.ast.node import Stmt, TypeExpr


@dataclass(slots=True, eq=False)
class IntLit(Expr):
    """An integer literal, 0 ≤ value < 2**63."""

    value: int


@dataclass(slots=True, eq=False)
class FloatLit(Expr):
    """A float literal."""

    value: float


@dataclass(slots=True, eq=False)
class BoolLit(Expr):
    """`true` or `false`."""

    value: bool


@dataclass(slots=True, eq=False)
class StringLit(Expr):
    """A string literal, escapes resolved; bytes, as a hexadecimal escape may not be UTF-8."""

    value: bytes


@dataclass(slots=True, eq=False)
class NoneLit(Expr):
    """`none`."""


@dataclass(slots=True, eq=False)
class Name(Expr):
    """An identifier used as a value. `decl` is set by name resolution."""

    name: str
    decl: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class ListLit(Expr):
    """`[a, b]`."""

    items: list[Expr]


@dataclass(slots=True, eq=False)
class MapLit(Expr):
    """`{k: v}`. A bare identifier as a key arrives here as the StringLit of its own name."""

    items: list[tuple[Expr, Expr]]


@dataclass(slots=True, eq=False)
class FieldInit(Node):
    """`name: value` in a struct literal or an emit."""

    name: str
    value: Expr


@dataclass(slots=True, eq=False)
class StructLit(Expr):
    """`Person { name: "Ann" }`."""

    name: str
    fields: list[FieldInit]


@dataclass(slots=True, eq=False)
class Call(Expr):
    """`callee(args)`."""

    callee: Expr
    args: list[Expr]


@dataclass(slots=True, eq=False)
class Index(Expr):
    """`base[index]`; `safe` for `base?[index]`."""

    base: Expr
    index: Expr
    safe: bool


@dataclass(slots=True, eq=False)
class Slice(Expr):
    """`base[low:high:step]`; at least one of the three is written."""

    base: Expr
    low: Expr | None
    high: Expr | None
    step: Expr | None


@dataclass(slots=True, eq=False)
class Field(Expr):
    """`base.name`; `safe` for `base?.name`. `name_start` is where the name begins."""

    base: Expr
    name: str
    name_start: int
    safe: bool


@dataclass(slots=True, eq=False)
class Cast(Expr):
    """`operand as type`."""

    operand: Expr
    type: TypeExpr


@dataclass(slots=True, eq=False)
class Unary(Expr):
    """`-operand` or `!operand`; `op` is the character."""

    op: str
    operand: Expr


@dataclass(slots=True, eq=False)
class Binary(Expr):
    """`left op right`, nested by precedence; `op` as written, `union all` with one space.

    `op_start` is where the operator begins.
    """

    op: str
    op_start: int
    left: Expr
    right: Expr


@dataclass(slots=True, eq=False)
class IfExpr(Expr):
    """`if c { a } else { b }` or `if c then a else b`; no `otherwise` means null."""

    condition: Expr
    then: Expr
    otherwise: Expr | None


@dataclass(slots=True, eq=False)
class MatchArm(Node):
    """`pattern => value`, or a block. Patterns are expressions of the allowed shapes; see §2."""

    pattern: Expr
    value: Expr | None
    block: list[Stmt] | None


@dataclass(slots=True, eq=False)
class Match(Expr):
    """`match subject { arms }`."""

    subject: Expr
    arms: list[MatchArm]


@dataclass(slots=True, eq=False)
class Generate(Expr):
    """`generate text { prompt: "…" }`."""

    kind: str
    fields: list[tuple[str, Expr]]


@dataclass(slots=True, eq=False)
class Fetch(Expr):
    """`fetch url [with options]`."""

    url: Expr
    options: Expr | None


@dataclass(slots=True, eq=False)
class Load(Expr):
    """`load ["path"] as type [with options]`."""

    path: str | None
    type: TypeExpr
    options: Expr | None


@dataclass(slots=True, eq=False)
class Save(Expr):
    """`save value [to "path"] [with options]`."""

    value: Expr
    path: str | None
    options: Expr | None
