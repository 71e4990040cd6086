"""What the functions of a program share while they are built: names, and the work list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.infer.reach import returns_value
from mochi_rules.compiler.ir import function as ir
from mochi_rules.compiler.ir.types import CELL, VOID, FunType, Type, struct_of
from mochi_rules.compiler.irbuild.items import FieldGetter, StructCast, StructMaker, Thunk

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import Diagnostics
    from mochi_rules.compiler.irbuild.items import Item
    from mochi_rules.compiler.names.scopes import Resolution
    from mochi_rules.compiler.names.symbols import Function, Struct, Variable
    from mochi_rules.compiler.runtime.library import Library


@dataclass(slots=True)
class ProgramState:
    """What the functions of a program share while they are built."""

    resolution: Resolution
    library: Library
    diagnostics: Diagnostics
    program: ir.Program = field(init=False)
    names: dict[Item, str] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)
    queue: list[Item] = field(default_factory=list)
    global_names: dict[Variable, str] = field(default_factory=dict)
    thunks: dict[tuple[Function, int], Thunk] = field(default_factory=dict)
    casts: dict[Struct, StructCast] = field(default_factory=dict)
    fields: dict[tuple[Struct, str], int] = field(default_factory=dict)  # their numbers
    quiet: dict[Function, list[Function] | None] = field(default_factory=dict)  # see queries/quiet

    def name_of(self, item: Item) -> str:
        """Return the name of a function in the IR; it will be built."""
        if item not in self.names:
            match item:
                case Thunk():
                    base = f"{item.target.name}.value"
                case StructCast():
                    base = f"{item.struct.name}.cast"
                case StructMaker():
                    base = f"{item.struct.name}.new"
                case FieldGetter():
                    base = f"{item.struct.name}.{item.field}"
                case _:
                    base = item.name
            self.names[item] = self._unique(base)
            self.queue.append(item)
        return self.names[item]

    def global_name(self, variable: Variable) -> str:
        """Return the name of a global variable in the IR."""
        if variable not in self.global_names:
            name = self.global_names[variable] = self._unique(variable.name)
            self.program.globals[name] = resolve(variable.type)
        return self.global_names[variable]

    def result_of(self, function: Function) -> Type:
        """Return the result of a function; void where it never returns a value."""
        if function.decl is None or not returns_value(function.decl.body):
            return VOID
        return resolve(function.result)

    def capture_types(self, function: Function) -> list[Type]:
        """Return the types of the captures of a function."""
        return [self.holder_type(variable) for variable in function.captures]

    def holder_type(self, variable: Variable) -> Type:
        """Return the type of a variable's value in SSA form: its own, or that of its cell."""
        return CELL if variable.needs_cell else resolve(variable.type)

    def value_type(self, function: Function) -> FunType:
        """Return the type of a function as a value."""
        type_ = resolve(function.type)
        assert isinstance(type_, FunType)
        return type_

    def struct_name(self, struct: Struct) -> str:
        """Return the name of a struct in the IR; its layout will be known."""
        name = struct.type_name
        if name not in self.program.structs:
            fields: list[tuple[str, Type]] = []
            self.program.structs[name] = ir.StructLayout(struct.name, fields, struct.role)
            fields += [(field_name, resolve(cell)) for field_name, cell in struct.cells.items()]
        return name

    def field_attribute(self, struct: Struct, name: str) -> tuple[str, int]:
        """Return the attribute of an operation on a field: the struct's name, its number."""
        if (struct, name) not in self.fields:
            self.fields |= {(struct, each): number for number, each in enumerate(struct.cells)}
        return self.struct_name(struct), self.fields[struct, name]

    def struct_type(self, struct: Struct) -> Type:
        """Return the type of a struct."""
        return struct_of(self.struct_name(struct))

    def cast_to(self, struct: Struct, site: ir.Site | None) -> str:
        """Return the name of the function that makes a struct of a map."""
        return self.name_of(self.casts.setdefault(struct, StructCast(struct, site)))

    def thunk(self, target: Function, bound: int) -> Thunk:
        """Return the thunk of a function with some arguments bound."""
        return self.thunks.setdefault((target, bound), Thunk(target, bound))

    def struct_by_name(self, name: str) -> Struct | None:
        """Return a struct by the name of its type."""
        return self.resolution.structs.get(name)

    def _unique(self, base: str) -> str:
        name, number = base, 1
        while name in self.taken or self.library.owns(name):
            number += 1
            name = f"{base}.{number}"
        self.taken.add(name)
        return name
