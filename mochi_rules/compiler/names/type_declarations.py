"""The types that a module declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.names.duplicates import Declared, report_twice
from mochi_rules.compiler.names.scopes import declarations
from mochi_rules.compiler.names.symbols import Alias, Function, Struct, Union
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.names.scopes import Resolution
    from mochi_rules.compiler.names.symbols import ModuleScope


_TYPES = (ast.StructDecl, ast.UnionDecl, ast.AliasDecl)


class TypeDeclarations:
    """Makes the types of a module; each declaration makes one, however often it is met."""

    def __init__(
        self, module: ModuleScope, resolution: Resolution, diagnostics: Diagnostics
    ) -> None:
        self.module = module
        self.resolution = resolution
        self.diagnostics = diagnostics
        self.declared: set[ast.Stmt] = set()
        self.names = Declared(module.source, diagnostics)

    def declare_all(self) -> None:
        """Declare the types of the module and of its imports."""
        for imported in self.module.imports.values():
            self.module.types.update(imported.types)
        for statement in declarations(self.module.tree.body):
            self.declare(statement)

    def declare(self, statement: ast.Stmt) -> None:
        """Declare the type that a statement declares, if it does.

        Emits: T095.
        """
        if not isinstance(statement, _TYPES) or statement in self.declared:
            return
        self.declared.add(statement)
        self.names.add("type", statement.name, statement.name_start)
        if isinstance(statement, ast.StructDecl):
            self._struct(statement)
        elif isinstance(statement, ast.UnionDecl):
            self._union(statement)
        else:
            alias = Alias(statement.name, statement.type, self.module)
            self.module.types[statement.name] = alias

    def _struct(self, node: ast.StructDecl) -> None:
        struct = node.info = self._new_struct(node.name, node.fields)
        for method in node.methods:
            name = f"{struct.name}.{method.name}"
            struct.methods[method.name] = Function(name, self.module, method, None, receiver=struct)
        members = [(field.name, field.start) for field in node.fields]
        members += [(method.name, method.name_start) for method in node.methods]
        report_twice(self.module.source, self.diagnostics, "member", members)

    def _union(self, node: ast.UnionDecl) -> None:
        types = self.module.types
        variants = [self._new_struct(v.name, v.fields) for v in node.variants]
        for variant in node.variants:
            if variant.name != node.name:
                self.names.add("type", variant.name, variant.start)
            fields = [(field.name, field.start) for field in variant.fields]
            report_twice(self.module.source, self.diagnostics, "field", fields)
        union = types[node.name] = Union(node.name, variants)
        for struct in variants:
            struct.union = union
            types.setdefault(struct.name, struct)
            self.module.names[struct.name] = struct

    def _new_struct(self, name: str, fields: list[ast.FieldDecl]) -> Struct:
        types = {field.name: field.type for field in fields}
        struct = self.resolution.register(Struct(name, self.module, types))
        self.module.types[name] = struct
        return struct
