"""Linking: what a program needs, and nothing else, becomes one wasm module.

A selected function lists the functions that it calls, the globals that it uses, and the places of
words that only the linker knows; what it needs is selected in turn. Addresses and indices follow
the order of requests, which is deterministic.
"""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.compiler.ir.types import WORD, Type
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.host import WASI
from mochi_rules.compiler.lower.kept import load_function
from mochi_rules.compiler.lower.operations import HANDLERS
from mochi_rules.compiler.lower.select import Selector
from mochi_rules.compiler.lower.static import StaticData
from mochi_rules.wasm.instruction import CODES
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
    from mochi_rules.compiler.ir import function as ir
    from mochi_rules.compiler.lower.select import Selected
    from mochi_rules.compiler.runtime.library import Library
    from mochi_rules.wasm.module import Piece


# What the runtime library has for callers in C.
FOR_C = ("release", "string_blank", "list_make")
HEAP_BASE = "heap_end"  # the runtime's variable that starts at the end of static data


@dataclass(slots=True)
class Linker:
    """Collects a program; see the module's docstring."""

    program: ir.Program
    library: Library
    has_build_info: bool = False  # whether or not it is read
    static: StaticData = field(default_factory=StaticData)
    selected: list[Selected] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    queue: list[str] = field(default_factory=list)
    wanted: set[str] = field(default_factory=set)
    imports: dict[str, Import] = field(default_factory=dict)
    globals: dict[str, Global] = field(default_factory=dict)
    table: dict[str, int] = field(default_factory=dict)
    uses_table: bool = False
    metas: dict[tuple[str, object], int] = field(default_factory=dict)
    signatures: dict[tuple[str, ...], int] = field(default_factory=dict)

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

    # Relocations

    def _resolve(self, kind: str, key: Any) -> int:
        """Return the word that a relocation stands for."""
        match kind:
            case "string":
                return self.static.string(key)
            case "table":
                return self.static.table(key)
            case "function":
                return self.table.setdefault(key, len(self.table) + 1)  # 0 stays empty
            case "signature":
                return self._role(key)
            case _:
                return self._meta(kind, key)

    def _role(self, signature: tuple[str, ...]) -> int:
        """Return the role of the functions of a signature, which object_layout.py describes."""
        number = self.signatures.setdefault(signature, len(self.signatures))
        return number << layout.ROLE_PARAMS | signature.index("->")

    def _meta(self, kind: str, key: Any) -> int:
        """Return the meta word of a struct's or a closure's objects."""
        if (kind, key) not in self.metas:
            describe = self._describe_struct if kind == "struct" else self._describe_closure
            self.metas[kind, key] = describe(key)
        return self.metas[kind, key]

    def _describe_struct(self, name: str) -> int:
        """Place the descriptor of a struct; its rows are in the order of printing."""
        described = self.program.structs[name]
        types = tuple(type_ for _, type_ in described.fields)
        offsets, size = layout.struct_shape(types)
        rows = [] if described.role == "row" else [("__name", 0, layout.SLOT_NAME)]
        for (field_name, type_), offset in zip(described.fields, offsets, strict=True):
            rows.append((field_name, offset, layout.slot_of(type_)))
        rows.sort(key=lambda row: row[0].encode())
        role = layout.ROLE_ROW if described.role else 0
        if described.role == "group":
            role = dict(zip(dict(described.fields), offsets, strict=True))["items"]
        return self.static.descriptor(described.name, size, role, rows) | layout.KIND_STRUCT

    def _describe_closure(self, key: tuple[tuple[str, ...], tuple[Type, ...]]) -> int:
        signature, types = key
        offsets, size = layout.closure_shape(types)
        rows = [
            ("", offset, layout.slot_of(type_))
            for type_, offset in zip(types, offsets, strict=True)
        ]
        return self.static.descriptor("", size, self._role(signature), rows) | layout.KIND_CLOSURE

    # The program

    def link(self) -> Module:
        """Link everything that the program needs."""
        for name in (*self.program.entries, "finish"):
            self.need(name)
        for name in FOR_C if self.program.exports else ():
            self.need(name)
        if self._checks_leaks:
            self.need("release")
        self.static.files(self.program.files)
        if self.has_build_info:
            self.static.table("build_info")
        self.need_global(HEAP_BASE, WORD)
        for name in self.queue:  # which grows
            self._add(name)
        for selected in self.selected:
            self._place(selected)
        return self._module()

    def _add(self, name: str) -> None:
        if name in self.program.functions:
            self._take(self._select(self.program.functions[name]))
        elif name in self.library.entries:
            self._take(self._runtime_function(name))
        else:
            signature = self.library.imports[name]
            params = tuple(layout.machine_type(type_) for type_ in signature.params)
            type_ = FuncType(params, layout.results_of(signature.result))
            self.imports[name] = Import(WASI, name.removeprefix("wasi_"), type_, name)

    def _take(self, selected: Selected) -> None:
        """Have linked what a function needs."""
        self.selected.append(selected)
        self.uses_table |= selected.uses_table
        if not self.wanted.issuperset(selected.calls):
            for callee in selected.calls:
                self.need(callee)
        for variable, type_ in selected.globals.items():
            if variable not in self.globals:
                self.need_global(variable, type_)
        for place in selected.relocations:
            if place.kind == "function":
                self.need(place.key)
            elif place.key == "ascii" and place.kind == "table":
                self.static.has_characters = True

    def _place(self, selected: Selected) -> None:
        """Put a function into the module."""
        function = selected.function
        if selected.relocations:
            body = function.body.copy()
            for place in selected.relocations:
                word = self._resolve(place.kind, place.key)
                body[place.position] = CODES["i32.const", word]
            function = function.with_body(body)
        self.functions.append(function)

    def _select(self, function: ir.Function) -> Selected:
        structs, counts_objects = self.program.structs, self._checks_leaks
        return Selector(function, structs, HANDLERS, counts_objects=counts_objects).run()

    def _runtime_function(self, name: str) -> Selected:
        """Select and encode a function of the library, once in a process, or take a kept one."""
        known: dict[str, Selected] = self.library.selected
        if name not in known:
            kept = self.library.kept.get(name)
            if kept is None:
                known[name] = Selector(self.library.function(name), {}, HANDLERS).run()
                known[name].join()
            else:
                known[name] = load_function(kept, self.library.globals)
        return known[name]

    @property
    def _checks_leaks(self) -> bool:
        return bool(self.library.constants["CHECK_LEAKS"])

    def _entry(self, name: str, test: int) -> Function:
        """Return an exported function that runs the program, or one of its tests."""
        selected: list[Piece] = [("i64.const", test)] if self.program.tests is not None else []
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
            name=PurePosixPath(self.program.files[-1]).stem,
            imports=list(self.imports.values()),
            functions=[*entries, *self.functions],
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
        if self.uses_table or self.table:
            module.table = TableType(len(self.table) + 1, len(self.table) + 1)
        if self.table:
            module.elements = [ElementSegment(1, list(self.table))]
        return module
