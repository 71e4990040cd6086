"""The types that a module declares."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.names.scopes import declarations
from mochi_rules.compiler.names.symbols import Alias, Function, Struct, Union
from mochi_rules.compiler.syntax import ast

if TYPE_CHECKING:
    from mochi_rules.compiler.names.scopes import Resolution
    from mochi_rules.compiler.names.symbols import ModuleScope


_TYPES = (ast.StructDecl, ast.UnionDecl, ast.AliasDecl)


class TypeDeclarations:
    """Makes the types of a module; each declaration makes one, however often it is met."""

    def __init__(self, module: ModuleScope, resolution: Resolution) -> None:
        self.module = module
        self.resolution = resolution
        self.declared: set[ast.Stmt] = set()

    def declare_all(self) -> None:
        """Declare the types of the module and of its imports."""
        for imported in self.module.imports.values():
            self.module.types.update(imported.types)
        for statement in declarations(self.module.tree.body):
            self.declare(statement)

    def declare(self, statement: ast.Stmt) -> None:
        """Declare the type that a statement declares, if it does."""
        if not isinstance(statement, _TYPES) or statement in self.declared:
            return
        self.declared.add(statement)
        if isinstance(statement, ast.StructDecl):
            self._struct(statement)
        elif isinstance(statement, ast.UnionDecl):
            self._union(statement)
        else:
            alias = Alias(statement.name, statement.type, self.module)
            self.module.types[statement.name] = alias

    def _struct(self, node: ast.StructDecl) -> None:
        struct = self._new_struct(node.name, node.fields)
        for method in node.methods:
            name = f"{struct.name}.{method.name}"
            struct.methods[method.name] = Function(name, self.module, method, None, receiver=struct)

    def _union(self, node: ast.UnionDecl) -> None:
        types = self.module.types
        variants = [self._new_struct(v.name, v.fields) for v in node.variants]
        union = types[node.name] = Union(node.name, variants)
        for variant in variants:
            variant.union = union
            types.setdefault(variant.name, variant)
            self.module.names[variant.name] = variant

    def _new_struct(self, name: str, fields: list[ast.FieldDecl]) -> Struct:
        types = {field.name: field.type for field in fields}
        struct = self.resolution.register(Struct(name, self.module, types))
        self.module.types[name] = struct
        return struct
