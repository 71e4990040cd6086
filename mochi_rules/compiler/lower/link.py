"""Linking: what a program needs, and nothing else, becomes one wasm module.

Selection asks for functions, static data, table slots and globals by name; what is asked for
is selected in turn. Addresses and indices follow the order of asking, which is deterministic.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import layout
from mochi_rules.compiler.lower.host import WASI
from mochi_rules.compiler.lower.operations import HANDLERS
from mochi_rules.compiler.lower.select import select_function
from mochi_rules.compiler.lower.static import StaticData
from mochi_rules.compiler.types import WORD, StructType, Type
from mochi_rules.wasm.module import (
    CustomSection,
    DataSegment,
    ElementSegment,
    Export,
    Function,
    Global,
    Import,
    Module,
)
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType

if TYPE_CHECKING:
    from mochi_rules.compiler import ir
    from mochi_rules.compiler.lowlevel import Library
    from mochi_rules.wasm.module import Instruction


HEAP_BASE = "heap_end"  # the runtime's variable that starts at the end of static data


@dataclass(frozen=True, slots=True)
class Shape:
    """How a struct or a closure lies in memory; `offsets` in the order of its fields."""

    meta: int
    size: int
    offsets: list[int]


@dataclass(slots=True)
class Linker:
    """Collects a program; see the module's text."""

    program: ir.Program
    library: Library
    static: StaticData = field(default_factory=StaticData)
    functions: dict[str, Function] = field(default_factory=dict)
    queue: list[str] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    imports: dict[str, Import] = field(default_factory=dict)
    globals: dict[str, Global] = field(default_factory=dict)
    table: dict[str, int] = field(default_factory=dict)
    shapes: dict[object, Shape] = field(default_factory=dict)

    # What selection asks for

    def need(self, name: str) -> None:
        """Have a function linked."""
        if name not in self.wanted:
            self.wanted.add(name)
            self.queue.append(name)

    def need_global(self, name: str, type_: Type) -> None:
        """Have a global linked."""
        if name in self.globals:
            return
        initial: float = 0
        if name in self.library.globals:
            type_, initial = self.library.globals[name]
        machine = layout.machine_type(type_)
        value = initial + 0.0 if machine == "f64" else initial
        self.globals[name] = Global(
            name, GlobalType(machine, mutable=True), (f"{machine}.const", value)
        )

    def table_index(self, name: str) -> int:
        """Return the table index of a function; 0 stays empty."""
        self.need(name)
        return self.table.setdefault(name, len(self.table) + 1)

    def signature(self, params: tuple[str, ...], results: tuple[str, ...]) -> FuncType:
        """Return the type that an indirect call names."""
        return FuncType(params, results)

    def shape(self, struct: str) -> Shape:
        """Return the shape of a struct."""
        if struct not in self.shapes:
            described = self.program.structs[struct]
            names = [name for name, _ in described.fields]
            types = [type_ for _, type_ in described.fields]
            self.shapes[struct] = self._describe(
                layout.KIND_STRUCT, struct, names, types, layout.HEADER
            )
        return self.shapes[struct]

    def shape_of(self, type_: Type) -> Shape | None:
        """Return the shape of a struct type, or None for other types."""
        return self.shape(type_.name) if isinstance(type_, StructType) else None

    def closure_shape(self, captures: tuple[Type, ...]) -> Shape:
        """Return the shape of closures that capture values of some types."""
        if captures not in self.shapes:
            names = [""] * len(captures)
            base = layout.CLOSURE_CAPTURES
            self.shapes[captures] = self._describe(
                layout.KIND_CLOSURE, "", names, list(captures), base
            )
        return self.shapes[captures]

    def _describe(
        self, kind: int, name: str, names: list[str], types: list[Type], base: int
    ) -> Shape:
        offsets, size = layout.field_offsets(types, base)
        slots = [layout.slot_of(type_) for type_ in types]
        rows = list(zip(names, offsets, slots, strict=True))
        if kind == layout.KIND_STRUCT:
            rows = sorted([*rows, ("__name", 0, layout.SLOT_NAME)], key=lambda row: row[0].encode())
        address = self.static.descriptor(name, size, rows)
        return Shape(address | kind, size, offsets)

    # The whole

    def link(self) -> Module:
        """Link everything that the program needs."""
        for name in (self.program.main, "finish", *(("release",) if self._checks_leaks else ())):
            self.need(name)
        self.static.files(self.program.files)
        self.need_global(HEAP_BASE, WORD)
        position = 0
        while position < len(self.queue):
            self._add(self.queue[position])
            position += 1
        return self._module()

    def _add(self, name: str) -> None:
        if name in self.program.functions:
            self._select(self.program.functions[name])
        elif name in self.library:
            self._select(self.library.function(name))
        else:
            signature = self.library.imports[name]
            params = tuple(layout.machine_type(type_) for type_ in signature.params)
            type_ = FuncType(params, layout.results_of(signature.result))
            self.imports[name] = Import(WASI, name.removeprefix("wasi_"), type_, name)

    def _select(self, function: ir.Function) -> None:
        selected = select_function(function, self, HANDLERS)
        self.functions[function.name] = Function(
            function.name,
            [layout.machine_type(param.type) for param in function.params],
            list(layout.results_of(function.result)),
            selected.locals,
            selected.body,
        )

    @property
    def _checks_leaks(self) -> bool:
        return bool(self.library.constants["CHECK_LEAKS"])

    def _entry(self, name: str, test: int) -> Function:
        """Return an exported function that runs the program, or one of its tests."""
        selected: list[Instruction] = (
            [("i64.const", test)] if self.program.tests is not None else []
        )
        body = [*selected, ("call", self.program.main)]
        if self._checks_leaks:
            for variable, type_ in self.program.globals.items():
                if type_.is_counted and variable in self.globals:
                    body += [("global.get", variable), ("call", "release")]
        return Function(name, body=[*body, ("call", "finish")])

    def _module(self) -> Module:
        tests = self.program.tests or []
        entries = [self._entry("_start", -1)]
        entries += [self._entry(f"test_{number}", number) for number in range(len(tests))]
        heap = self.static.end
        self.globals[HEAP_BASE] = Global(
            HEAP_BASE, GlobalType("i32", mutable=True), ("i32.const", heap)
        )
        pages = -(-heap // layout.PAGE) + 1
        module = Module(
            imports=list(self.imports.values()),
            functions=[*entries, *self.functions.values()],
            memory=MemoryType(pages),
            globals=list(self.globals.values()),
            exports=[
                Export("memory", "memory"),
                *(Export(entry.name, "func", entry.name) for entry in entries),
            ],
            data=[DataSegment("static", self.static.content(), layout.STATIC_BASE)],
        )
        if tests:
            names = json.dumps(tests, ensure_ascii=False).encode()
            module.custom_sections.append(CustomSection("mochi.tests", names))
        if self.table:
            module.table = TableType(len(self.table) + 1, len(self.table) + 1)
            module.elements = [ElementSegment(1, list(self.table))]
        return module
