"""Declarations at the top level of a module, and the module."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.syntax.ast.node import Node, Stmt

if TYPE_CHECKING:
    from mochi_rules.base.span import Source
    from mochi_rules.compiler.syntax.ast.functions import FunDecl, Param
    from mochi_rules.compiler.syntax.ast.node import TypeExpr
    from mochi_rules.compiler.syntax.ast.type_expressions import FieldDecl


@dataclass(slots=True, eq=False)
class Variant(Node):
    """One alternative of a union type."""

    name: str
    fields: list[FieldDecl]


@dataclass(slots=True, eq=False)
class StructDecl(Stmt):
    """`type Name { fields and methods }`. `info` is set by resolution."""

    name: str
    name_start: int
    fields: list[FieldDecl]
    methods: list[FunDecl]
    info: Any = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class UnionDecl(Stmt):
    """`type Name = A | B(x: int)`; one variant with fields is a union too."""

    name: str
    name_start: int
    variants: list[Variant]


@dataclass(slots=True, eq=False)
class AliasDecl(Stmt):
    """`type Name = type`."""

    name: str
    name_start: int
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
