"""What names mean: variables, functions, types and modules of a program.

Name resolution makes these and hangs them on the tree; inference fills in their cells; the IR
builder reads them. They compare by identity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field

if TYPE_CHECKING:
    from mochi_rules.base.span import Source
    from mochi_rules.compiler.syntax import ast


@dataclass(slots=True, eq=False)
class Variable:
    """A variable, parameter or loop variable.

    `owner` is the function whose activation holds it. A variable of a module's top level that a
    function uses is global. A captured variable that is assigned after its declaration lives in
    a cell on the heap, so that all who share it see the changes.
    """

    name: str
    owner: Function
    is_top_level: bool = False
    is_global: bool = False
    is_captured: bool = False
    is_reassigned: bool = False
    is_used_early: bool = False  # a global that a function may read before its declaration
    annotation: ast.TypeExpr | None = None
    type: Any = None  # a cell of infer/cells.py

    @property
    def needs_cell(self) -> bool:
        """Whether it lives in a cell on the heap."""
        return self.is_captured and self.is_reassigned and not self.is_global


@dataclass(slots=True, eq=False)
class Function:
    """A function; `decl` is None for a module's top level. `captures` are in order of use.

    `mentions` are the functions it may call; the captures of nested ones become its own.
    """

    name: str
    module: ModuleScope
    decl: ast.FunDecl | None
    parent: Function | None
    params: list[Variable] = field(default_factory=list)
    captures: dict[Variable, None] = field(default_factory=dict)
    mentions: dict[Function, None] = field(default_factory=dict)
    globals: dict[Variable, None] = field(default_factory=dict)
    receiver: Struct | None = None
    fields: dict[str, Variable] = field(default_factory=dict)  # of a method: copies, on use
    result: Any = None  # a cell
    type: Any = None  # a cell, where it is used as a value

    @property
    def is_copy(self) -> bool:
        """Whether it is a copy for some of the calls of another function."""
        return "." in self.name


@dataclass(slots=True, eq=False)
class Struct:
    """A struct, a variant of a union, what a query groups into, or a row of a join.

    `type_name` is unique in the program. Field cells are made by inference. A row has a field for
    each variable of its query; it looks like a map, and also gives the fields of these records.
    The `role` of these is "group" or "row".
    """

    name: str
    module: ModuleScope
    fields: dict[str, ast.TypeExpr]
    union: Union | None = None
    methods: dict[str, Function] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)
    type_name: str = ""
    role: str = ""

    @property
    def items(self) -> Any:
        """The cell of the items of a group; None for other structs."""
        return self.cells["items"] if self.role == "group" else None


@dataclass(slots=True, eq=False)
class Union:
    """A union type."""

    name: str
    variants: list[Struct]


@dataclass(slots=True, eq=False)
class Alias:
    """A type by another name; the names in it are those of its module."""

    name: str
    type: ast.TypeExpr
    module: ModuleScope


@dataclass(slots=True, eq=False)
class Builtin:
    """A function of the language itself, by name."""

    name: str


@dataclass(slots=True, eq=False)
class Null:
    """`nil` and `null`, which are ordinary names in Mochi."""


@dataclass(slots=True, eq=False)
class ModuleScope:
    """A source file: its tree, its names, what it imports under which alias."""

    source: Source
    tree: ast.Module
    number: int
    names: dict[str, Any] = field(default_factory=dict)
    types: dict[str, Struct | Union | Alias] = field(default_factory=dict)
    imports: dict[str, ModuleScope] = field(default_factory=dict)
    top: Function | None = None


@dataclass(slots=True, eq=False)
class ForeignModule:
    """An `import python` or `import go` that we answer ourselves; see builtins.py."""

    path: str


Symbol = Variable | Function | Struct | Builtin | Null | ModuleScope | ForeignModule
