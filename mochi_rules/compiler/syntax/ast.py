"""The syntax tree: what the parser makes and every later stage reads.

Offsets count code points of the module's source. Nodes compare by identity. `Expr.cell` is the
only slot that a later stage fills: inference puts the type of the expression there, so that no
stage copies the tree.
"""

from __future__ import annotations

from dataclasses import field
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass

if TYPE_CHECKING:
    from mochi_rules.base.span import Source


@dataclass(slots=True, eq=False)
class Node:
    """Anything with a place: the half-open range [start, end) of the module's source."""

    start: int
    end: int


# Types


@dataclass(slots=True, eq=False)
class TypeExpr(Node):
    """A written type; `optional` for a trailing `?`."""

    optional: bool


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
class RecordType(TypeExpr):
    """`{name: string, age: int}`."""

    fields: list[FieldDecl]


# Expressions


@dataclass(slots=True, eq=False)
class Expr(Node):
    """An expression; `cell` is set by inference."""

    cell: Any = field(default=None, init=False, repr=False)


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
class FunExpr(Expr):
    """A function literal, as a FunDecl without a name; `=> e` arrives as a body `return e`."""

    fun: FunDecl


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
class QuerySource(Node):
    """`from name in source`."""

    name: str
    source: Expr
    variable: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class QueryJoin(Node):
    """`[left|right|outer] join [from] name in source on condition`; `side` is "" for inner."""

    side: str
    name: str
    source: Expr
    condition: Expr
    variable: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class QueryGroup(Node):
    """`group by keys into name [having having]`.

    With a map literal as its key, `parts` has a variable for each name in it. `row` is the Struct
    of its elements, where they have several variables.
    """

    keys: list[Expr]
    name: str
    having: Expr | None
    variable: Any = field(default=None, init=False, repr=False)
    row: Any = field(default=None, init=False, repr=False)
    parts: dict[str, Any] = field(default_factory=dict, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Query(Expr):
    """`from … select …`; `sources` has at least one item."""

    sources: list[QuerySource]
    joins: list[QueryJoin]
    where: Expr | None
    group: QueryGroup | None
    sort: Expr | None
    skip: Expr | None
    take: Expr | None
    distinct: bool
    select: Expr


@dataclass(slots=True, eq=False)
class Predicate(Node):
    """`name(terms)` of facts, rules and logic queries; a term is a Name, StringLit or IntLit."""

    name: str
    terms: list[Expr]


@dataclass(slots=True, eq=False)
class LogicQuery(Expr):
    """`query p(X)`."""

    predicate: Predicate


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


# Statements


@dataclass(slots=True, eq=False)
class Stmt(Node):
    """A statement."""


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


# Declarations


@dataclass(slots=True, eq=False)
class FieldDecl(Node):
    """`name: type` in a struct, variant, record type or stream."""

    name: str
    type: TypeExpr


@dataclass(slots=True, eq=False)
class Variant(Node):
    """One alternative of a union type."""

    name: str
    fields: list[FieldDecl]


@dataclass(slots=True, eq=False)
class StructDecl(Stmt):
    """`type Name { fields and methods }`."""

    name: str
    fields: list[FieldDecl]
    methods: list[FunDecl]


@dataclass(slots=True, eq=False)
class UnionDecl(Stmt):
    """`type Name = A | B(x: int)`; one variant with fields is a union too."""

    name: str
    variants: list[Variant]


@dataclass(slots=True, eq=False)
class AliasDecl(Stmt):
    """`type Name = type`."""

    name: str
    type: TypeExpr


@dataclass(slots=True, eq=False)
class Import(Stmt):
    """`import [language] "path" [as alias] [auto]`; `language` is "" for Mochi itself."""

    language: str
    path: str
    path_start: int
    alias: str
    auto: bool


@dataclass(slots=True, eq=False)
class Extern(Stmt):
    """`extern type|var|let|fun|object name…`; `kind` is that word, `name` may have dots."""

    kind: str
    name: str
    params: list[Param]
    type: TypeExpr | None


@dataclass(slots=True, eq=False)
class Interpreted(Stmt):
    """A construct that no Mochi compiler implements; `construct` names it for the message.

    One of: agent, emit, fact, intent, model, on, rule, stream.
    """

    construct: str
    name: str


@dataclass(slots=True, eq=False)
class Module:
    """A parsed file; `package` is the declared name or empty."""

    source: Source
    package: str
    body: list[Stmt]
