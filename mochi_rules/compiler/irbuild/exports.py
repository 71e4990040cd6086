"""What C can call of a program: its exported functions, and what handles structs that they use.

A struct is a handle to C: it has a function that returns each of its fields, and one that makes it
where all fields have a form in C. Fields of other types stay hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import Diagnostic
from mochi_rules.base.span import Span
from mochi_rules.compiler.infer.cells import resolve
from mochi_rules.compiler.ir.function import CFunction
from mochi_rules.compiler.ir.types import (
    BOOL,
    FLOAT,
    INT,
    STRING,
    VOID,
    StructType,
    Type,
    list_of,
)
from mochi_rules.compiler.irbuild.items import FieldGetter, StructMaker

if TYPE_CHECKING:
    from collections.abc import Collection

    from mochi_rules.compiler.irbuild.state import ProgramState
    from mochi_rules.compiler.names.symbols import Function, Struct
    from mochi_rules.compiler.syntax import ast

_FORMS = {type_: type_.name for type_ in (INT, FLOAT, BOOL, STRING, list_of(INT), list_of(FLOAT))}
_RESERVED = frozenset({"free", "string", "ints", "floats"})  # what every library has
_TYPES = (
    "C can pass and get `int`, `float`, `bool`, `string`, `list<int>`, `list<float>` and structs"
)
_RENAME = "give the function another name"


def find_exports(state: ProgramState, sources: Collection[str]) -> list[CFunction]:
    """Return what C can call: the exported functions of sources, in the order of the program.

    Emits: T094.
    """
    finder = _Finder(state)
    for symbol in state.resolution.functions:
        is_exported = symbol.decl is not None and symbol.decl.exported and not symbol.is_copy
        if is_exported and symbol.module.source.name in sources:
            finder.add_function(symbol)
    if not finder.found:
        help_ = "write `export fun` where C is to call a function"
        names = ", ".join(f"`{name}`" for name in sorted(sources))
        state.diagnostics.add(Diagnostic("T094", f"nothing in {names} is exported", help=help_))
    finder.add_structs()
    return list(finder.found.values())


@dataclass(slots=True)
class _Finder:
    state: ProgramState
    found: dict[str, CFunction] = field(default_factory=dict)
    structs: dict[Struct, Function] = field(default_factory=dict)  # and the first to mention each
    function: Function = field(init=False)  # that is being added, with what it needs

    def add_function(self, symbol: Function) -> None:
        """Add an exported function, or report why C cannot call it."""
        assert symbol.decl is not None
        self.function = symbol
        params = []
        for param, node in zip(symbol.params, symbol.decl.params, strict=True):
            type_ = resolve(param.type)
            form = self._form(type_)
            if form is None:
                message = f"parameter `{param.name}` of type `{type_}` has no form in C"
                self._error(message, _TYPES, node)
            params.append((param.name, form or ""))
        result = self.state.result_of(symbol)
        form = "void" if result is VOID else self._form(result)
        if form is None:
            self._error(f"the result, of type `{result}`, has no form in C", _TYPES)
        self._add(symbol.name, self.state.name_of(symbol), tuple(params), form or "")

    def add_structs(self) -> None:
        """Add what handles the structs, and those that are their fields."""
        added: set[Struct] = set()
        while left := [struct for struct in self.structs if struct not in added]:
            for struct in left:
                self.function = self.structs[struct]
                self._add_struct(struct)
            added.update(left)

    def _add_struct(self, struct: Struct) -> None:
        handle = f"struct {struct.name}"
        forms = {name: self._form(resolve(cell)) for name, cell in struct.cells.items()}
        known = tuple((name, form) for name, form in forms.items() if form is not None)
        if len(known) == len(forms):
            maker = self.state.name_of(StructMaker(struct))
            self._add(f"{struct.name}_new", maker, known, handle)
        self._add(f"{struct.name}_release", "release", (("self", handle),), "void")
        for name, form in known:
            getter = self.state.name_of(FieldGetter(struct, name))
            self._add(f"{struct.name}_{name}", getter, (("self", handle),), form)

    def _add(
        self, name: str, function: str, params: tuple[tuple[str, str], ...], result: str
    ) -> None:
        if name in _RESERVED or name in {struct.name for struct in self.structs}:
            self._error(f"`{name}` has another meaning in C", _RENAME)
        elif name in self.found:
            self._error(f"two functions are called `{name}` in C", _RENAME)
        self.found[name] = CFunction(name, function, params, result)

    def _form(self, type_: Type) -> str | None:
        """Return what a type is in C, if it is anything."""
        if isinstance(type_, StructType):
            struct = self.state.struct_by_name(type_.name)
            if struct is None or struct.role or struct.union:
                return None
            self.structs.setdefault(struct, self.function)
            return f"struct {struct.name}"
        return _FORMS.get(type_)

    def _error(self, message: str, help_: str, node: ast.Param | None = None) -> None:
        decl, source = self.function.decl, self.function.module.source
        assert decl is not None
        start, end = decl.name_start, decl.name_start + len(decl.name)
        span = Span(source, node.start, node.end) if node else Span(source, start, end)
        self.state.diagnostics.add(Diagnostic("T094", message, span, help=help_))
