"""Written types to cells, and the declared structs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Severity
from mochi_rules.base.span import Span
from mochi_rules.base.suggest import count_text, did_you_mean
from mochi_rules.compiler.infer.cells import NULL, Cell, shape_of
from mochi_rules.compiler.names.duplicates import report_twice
from mochi_rules.compiler.names.symbols import Alias, Struct, Union
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.limits import MAX_NESTING, MAX_TYPE_PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.names.symbols import ModuleScope

_SCALARS = {
    "int": "int", "int64": "int", "float": "float", "bool": "bool", "string": "string",
    "bigint": "bigint",
}  # fmt: skip
_ARITY = {"list": 1, "map": 2}
_FORMS = {
    "list": "write the type of the elements: `list<int>`",
    "map": "write the types of the keys and of the values: `map<string, int>`",
}
_FOREIGN = {  # types of other languages, in lower case
    **dict.fromkeys(("dict", "dictionary", "hashmap", "object", "record"), "map<string, int>"),
    **dict.fromkeys(("array", "vec", "vector", "slice", "set", "seq"), "list<int>"),
    **dict.fromkeys(("double", "number", "real", "f64", "f32", "float64"), "float"),
    **dict.fromkeys(("i64", "i32", "u64", "u32", "long", "byte"), "int"),
    **dict.fromkeys(("char", "text", "str"), "string"),
}
_BUILTIN = {*_SCALARS, *_ARITY, "any"}
_UNKNOWN = frozenset({"void", "unit"})
_LATER = frozenset({"bigrat"})


class Annotations:
    """Makes cells of written types; each mention gets its own, so containers stay apart."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        self.structs: list[Struct] = []
        self.arities: dict[Cell, int] = {}  # of written function types
        self.sound: set[Alias] = set()  # aliases that end somewhere
        self.expanded: set[Alias] = set()  # aliases around the type that is being made
        self.has_bigint = False
        self.depth = self.parts = 0  # of the written type that is being made
        self.excess = ""  # why it is too large

    def declare_types(self, module: ModuleScope, structs: Iterable[Struct]) -> None:
        """Check a module's aliases, and give the fields of its structs their cells.

        `structs` are those of all modules, with those whose name was declared again.

        Emits: T025, T090 to T092, T095, T096.
        """
        for type_ in module.types.values():
            if isinstance(type_, Alias):
                self._check(type_.type, type_.module)
                self._check_alias(type_)
        for struct in structs:
            if struct.module is module:
                self.structs.append(struct)
                for name, annotation in struct.fields.items():
                    struct.cells[name] = self.cell(annotation, module)

    def structs_with(self, field: str) -> list[Struct]:
        """Return the structs that have a field."""
        return [struct for struct in self.structs if field in struct.cells]

    def cell(self, node: ast.TypeExpr | None, module: ModuleScope) -> Cell:
        """Return a fresh cell of a written type; unknown where nothing is written.

        A type that contains itself is any where it does.

        Emits: T025, T090, T091, T095, T096.
        """
        if node is None:
            return Cell()
        if not self.depth:
            self._check(node, module)
            self.parts, self.excess = 0, ""
        self.depth += 1
        self.parts += 1
        written, home, optional = node, module, node.optional
        entered = []
        while (alias := _alias_of(node, module)) is not None and alias not in self.expanded:
            self.expanded.add(alias)
            entered.append(alias)
            node, module = alias.type, alias.module
            optional = optional or node.optional
        cell = Cell("any") if alias or self._is_too_large() else self._cell(node, module)
        if cell.args:
            cell.shape = shape_of(cell)
        if optional:
            cell.nullable = NULL
        self.expanded.difference_update(entered)
        self.depth -= 1
        if not self.depth and self.excess:
            help_ = "declare a struct for a part of it: `type Part { … }`"
            self._report(Severity.ERROR, "T091", f"this type {self.excess}", written, home, help_)
            return Cell("any")
        return cell

    def _is_too_large(self) -> bool:
        """Whether a type is not to be made any larger; it stays so until the whole is made."""
        if self.depth > MAX_NESTING:
            self.excess = f"is nested more than {MAX_NESTING} levels deep"
        elif self.parts > MAX_TYPE_PARTS:
            self.excess = f"has more than {MAX_TYPE_PARTS} parts"
        return bool(self.excess)

    def _check_alias(self, alias: Alias) -> None:
        """Report an alias that leads back to itself, and let it be any."""
        path: dict[Alias, None] = {}
        following: object = alias
        while isinstance(following, Alias) and following not in self.sound:
            if following in path:
                ring = list(path)[list(path).index(following) :]
                notes = tuple(
                    f"`{one.name}` is `{other.name}`"
                    for one, other in zip(ring, [*ring[1:], following], strict=True)
                )
                span = Span(following.module.source, following.type.start, following.type.end)
                message = f"the type `{following.name}` is an alias of itself"
                self.diagnostics.add(Diagnostic("T092", message, span, notes=notes))
                following.type = ast.NamedType(span.start, span.end, False, "any", [])
                break
            path[following] = None
            following = _alias_of(following.type, following.module)
        self.sound.update(path)

    def _cell(self, node: ast.TypeExpr, module: ModuleScope) -> Cell:
        match node:
            case ast.NamedType():
                return self._named(node, module)
            case ast.FunType():
                args = (*node.params, node.result)
                cell = Cell("fun", tuple(self.cell(arg, module) for arg in args))
                self.arities[cell] = len(node.params)
                return cell
            case ast.RecordType():
                value = Cell()
                value.kind = "any" if len(node.fields) != 1 else ""
                key = _fixed("string")
                key.names = frozenset(field.name for field in node.fields)
                return Cell("map", (key, value))
            case _:
                return Cell()

    def _named(self, node: ast.NamedType, module: ModuleScope) -> Cell:
        name = node.name
        if name in _SCALARS:
            self.has_bigint |= name == "bigint"
            return _fixed(_SCALARS[name])
        if name in _ARITY:
            args = [self.cell(arg, module) for arg in node.args[: _ARITY[name]]]
            args += [Cell() for _ in range(_ARITY[name] - len(args))]
            if name == "map":
                args[0] = _key(args[0])
                args[0].is_open = True
            return Cell(name, tuple(args))
        if name == "any":
            return Cell("any")
        type_ = module.types.get(name)
        if isinstance(type_, (Struct, Union)):
            cell = Cell("struct" if isinstance(type_, Struct) else "union", of=type_)
            cell.fixed = True
            return cell
        if name in _LATER:
            message = f"type `{name}` is not supported yet"
            self._report(Severity.ERROR, "T090", message, node, module)
        elif name not in _UNKNOWN and len(name) > 1:
            other = _FOREIGN.get(name.lower())
            help_ = f"write `{other}`" if other else did_you_mean(name, {*_BUILTIN, *module.types})
            # Annotations are hints: the program runs, so this stops nothing.
            self._report(Severity.WARNING, "T025", f"unknown type: `{name}`", node, module, help_)
        return Cell()

    def _check(self, node: ast.TypeExpr | None, module: ModuleScope) -> None:
        """Report what is wrong with a type as it is written, whatever its names mean."""
        parts: list[ast.TypeExpr | None] = []
        match node:
            case ast.NamedType():
                self._check_arguments(node, module)
                parts += node.args
            case ast.FunType():
                parts += (*node.params, node.result)
            case ast.RecordType():
                names = ((field.name, field.start) for field in node.fields)
                report_twice(module.source, self.diagnostics, "field", names)
                parts += (field.type for field in node.fields)
        for part in parts:
            self._check(part, module)

    def _check_arguments(self, node: ast.NamedType, module: ModuleScope) -> None:
        """Report a wrong number of type arguments; `list` and `map` do without."""
        expected, given = _ARITY.get(node.name, 0), len(node.args)
        if given not in (0, expected) and (node.name in _BUILTIN or node.name in module.types):
            takes = count_text(expected, "type argument") if expected else "no type arguments"
            message = f"`{node.name}` takes {takes}, got {given}"
            help_ = _FORMS.get(node.name, f"write `{node.name}`")
            self._report(Severity.ERROR, "T096", message, node, module, help_)

    def _report(
        self, severity: Severity, code: str, message: str, node: ast.Node, module: ModuleScope,
        help: str = "",
    ) -> None:  # fmt: skip
        span = Span(module.source, node.start, node.end)
        self.diagnostics.add(Diagnostic(code, message, span, help=help, severity=severity))


def struct_named(name: str, module: ModuleScope) -> Struct | None:
    """Return a declared struct by its name or an alias."""
    type_ = module.types.get(name)
    while isinstance(type_, Alias) and isinstance(type_.type, ast.NamedType):
        type_ = type_.module.types.get(type_.type.name)
    return type_ if isinstance(type_, Struct) else None


def _alias_of(node: ast.TypeExpr, module: ModuleScope) -> Alias | None:
    """Return the alias that a written type names."""
    if not isinstance(node, ast.NamedType) or node.name in _BUILTIN:
        return None
    type_ = module.types.get(node.name)
    return type_ if isinstance(type_, Alias) else None


def _fixed(kind: str) -> Cell:
    cell = Cell(kind)
    cell.fixed = True
    return cell


def _key(cell: Cell) -> Cell:
    """Return the cell of a map's keys: ints, or text."""
    if not cell.kind:
        return cell
    return _fixed("int") if cell.kind == "int" else Cell("string")
