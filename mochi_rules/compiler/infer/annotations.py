"""Written types to cells, and the declared structs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Severity
from mochi_rules.base.span import Span
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.compiler.infer.cells import NULL, Cell
from mochi_rules.compiler.names.symbols import Alias, Struct, Union
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.names.symbols import ModuleScope

_SCALARS = {"int": "int", "int64": "int", "float": "float", "bool": "bool", "string": "string"}
_ARITY = {"list": 1, "map": 2}
_UNKNOWN = frozenset({"void", "unit"})
_LATER = frozenset({"bigint", "bigrat"})


class Annotations:
    """Makes cells of written types; each mention gets its own, so containers stay apart."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self.diagnostics = diagnostics
        self.structs: list[Struct] = []
        self.arities: dict[Cell, int] = {}  # of written function types

    def declare_structs(self, module: ModuleScope) -> None:
        """Give the fields of a module's structs their cells."""
        for type_ in module.types.values():
            if isinstance(type_, Struct) and type_.module is module:
                self.structs.append(type_)
                for name, annotation in type_.fields.items():
                    type_.cells[name] = self.cell(annotation, module)

    def structs_with(self, field: str) -> list[Struct]:
        """Return the structs that have a field."""
        return [struct for struct in self.structs if field in struct.cells]

    def struct_named(self, name: str, module: ModuleScope) -> Struct | None:
        """Return a struct by its name or an alias."""
        type_ = module.types.get(name)
        if isinstance(type_, Alias) and isinstance(type_.type, ast.NamedType):
            return self.struct_named(type_.type.name, module)
        return type_ if isinstance(type_, Struct) else None

    def cell(self, node: ast.TypeExpr | None, module: ModuleScope) -> Cell:
        """Return a fresh cell of a written type; unknown where nothing is written.

        Emits: T025, T090.
        """
        if node is None:
            return Cell()
        cell = self._cell(node, module)
        if node.optional:
            cell.nullable = NULL
        return cell

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
        if isinstance(type_, Alias):
            return self.cell(type_.type, module)
        if name in _LATER:
            message = f"type `{name}` is not supported yet"
            self._report(Severity.ERROR, "T090", message, node, module)
        elif name not in _UNKNOWN and len(name) > 1:
            help_ = did_you_mean(name, {*_SCALARS, *_ARITY, "any", *module.types})
            # Annotations are hints: the program runs, so this stops nothing.
            self._report(Severity.WARNING, "T025", f"unknown type: `{name}`", node, module, help_)
        return Cell()

    def _report(
        self, severity: Severity, code: str, message: str, node: ast.Node, module: ModuleScope,
        help: str = "",
    ) -> None:  # fmt: skip
        span = Span(module.source, node.start, node.end)
        self.diagnostics.add(Diagnostic(code, message, span, help=help, severity=severity))


def _fixed(kind: str) -> Cell:
    cell = Cell(kind)
    cell.fixed = True
    return cell


def _key(cell: Cell) -> Cell:
    """Return the cell of a map's keys: ints, or text."""
    return Cell("int" if cell.kind == "int" else "string") if cell.kind else cell
