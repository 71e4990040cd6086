"""What a foreign binary is, imports and exports. Any bytes may come; code is not looked at.

Sources: core 3.0, §5.5; the component model's Binary.md; the tool conventions' Linking.md.
"""

from __future__ import annotations

import itertools
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Literal, TypeVar, cast

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.wasm.reader.cursor import Cursor
from mochi_rules.wasm.reader.preamble import read_layer
from mochi_rules.wasm.reader.read_types import (
    read_global_type,
    read_memory_type,
    read_rec_type,
    read_table,
    read_table_type,
    skip_constant,
)
from mochi_rules.wasm.reader.sections import MAX_SECTIONS
from mochi_rules.wasm.types import EXTERN_KINDS, FuncType, GlobalType, MemoryType, Section

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mochi_rules.wasm.types import ExternKind, ExternType

_KINDS: dict[int, ExternKind] = {number: kind for kind, number in EXTERN_KINDS.items()}
_ORDER: list[int] = [section for section in Section if section is not Section.CUSTOM]
_NAMES: dict[int, str] = {s: s.name.lower().replace("_", " ") + " section" for s in Section}
_COMPONENT_NAMES = {0: _NAMES[Section.CUSTOM]}  # the other numbers have other meanings there

# What every engine takes at most: the limits of the JavaScript API, which Wasmtime has too.
_MAX_ITEMS = 1_000_000

_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class ImportSummary:
    """Something a module needs; a tag has the type of a function."""

    module: str
    name: str
    kind: ExternKind
    type: ExternType


@dataclass(frozen=True, slots=True)
class ExportSummary:
    """Something a module gives; a tag has the type of a function."""

    name: str
    kind: ExternKind
    type: ExternType


@dataclass(frozen=True, slots=True)
class ModuleSummary:
    """What a binary is, as far as its sections and types show.

    `defined_functions` counts those that are not imported; `memories` has imported ones first.
    `features` are sorted and named as LLVM names them: what the section `target_features`
    declares, and what the sections and types themselves show. Of a component only the custom
    sections are read.
    """

    kind: Literal["module", "component"]
    imports: tuple[ImportSummary, ...] = ()
    exports: tuple[ExportSummary, ...] = ()
    defined_functions: int = 0
    memories: tuple[MemoryType, ...] = ()
    custom_sections: tuple[str, ...] = ()
    features: tuple[str, ...] = ()


def read_summary(data: bytes) -> ModuleSummary:
    """Read what a binary is.

    Emits: A010 (not WebAssembly), A011 (malformed).

    Raises:
        MochiError: The only exception there is, whatever the bytes are.
    """
    cursor = Cursor(data, "preamble")
    if read_layer(data, cursor) == 0:
        return ModuleReader().read(cursor)
    sections = _sections(cursor, _COMPONENT_NAMES)
    custom = [contents.name() for number, contents in sections if number == Section.CUSTOM]
    return ModuleSummary("component", custom_sections=tuple(custom))


def _sections(cursor: Cursor, names: Mapping[int, str]) -> Iterator[tuple[int, Cursor]]:
    """Yield the numbers and the contents of the sections; messages call them as `names` does."""
    for count in itertools.count():
        if not cursor.remaining:
            return
        number = cursor.byte()
        if count == MAX_SECTIONS:
            raise cursor.malformed(f"more than {MAX_SECTIONS} sections")
        cursor.place = names.get(number, f"section {number}")
        yield number, cursor.part(cursor.unsigned())


class ModuleReader:
    """Gathers what the sections of a module contain; read_code.py asks them for more."""

    def __init__(self) -> None:
        self._types: list[FuncType | None] = []
        self._known: dict[FuncType | None, FuncType | None] = {}
        self._spaces: dict[ExternKind, list[ExternType]] = {kind: [] for kind in EXTERN_KINDS}
        self._imports: list[ImportSummary] = []
        self._exports: list[ExportSummary] = []
        self._custom: list[str] = []
        self._features: set[str] = set()
        self._functions = 0
        self._bodies = 0
        self._readers: dict[int, Callable[[Cursor], None]] = {
            Section.CUSTOM: self._read_custom,
            Section.TYPE: partial(_read_vector, self._read_type),
            Section.IMPORT: partial(_read_vector, self._read_import),
            Section.FUNCTION: partial(_read_vector, self._read_function),
            Section.TABLE: partial(_read_vector, self._read_table),
            Section.MEMORY: partial(_read_vector, self._read_memory),
            Section.TAG: partial(_read_vector, self._read_tag),
            Section.GLOBAL: partial(_read_vector, self._read_global),
            Section.EXPORT: partial(_read_vector, self._read_export),
            Section.DATA_COUNT: self._read_data_count,
            Section.CODE: self._read_code,
        }

    def read(self, cursor: Cursor) -> ModuleSummary:
        """Read the sections, which follow the preamble."""
        allowed = _ORDER
        for number, contents in _sections(cursor, _NAMES):
            if number in allowed:
                allowed = allowed[allowed.index(number) + 1 :]
            elif number != Section.CUSTOM:
                raise cursor.malformed("unknown, duplicate or misplaced section")
            if number in self._readers:
                self._readers[number](contents)
        if self._bodies != self._functions:
            counts = f"functions declared: {self._functions}, bodies: {self._bodies}"
            raise cursor.malformed(counts)
        return self._summary()

    def _summary(self) -> ModuleSummary:
        memories = cast("list[MemoryType]", self._spaces["memory"])
        if len(memories) > 1:
            self._features.add("multimemory")
        if len(self._spaces["table"]) > 1:
            self._features.add("reference-types")
        return ModuleSummary(
            "module",
            tuple(self._imports),
            tuple(self._exports),
            self._functions,
            tuple(memories),
            tuple(self._custom),
            tuple(sorted(self._features)),
        )

    def _read_custom(self, cursor: Cursor) -> None:
        name = cursor.name()
        self._custom.append(name)
        if name == "target_features":
            # What a custom section holds never makes a module malformed.
            with suppress(MochiError):
                _read_vector(self._read_target_feature, cursor)

    def _read_target_feature(self, cursor: Cursor) -> None:
        is_used = cursor.byte() == ord("+")
        name = cursor.name()
        if is_used:
            self._features.add(name)

    def _read_type(self, cursor: Cursor) -> None:
        for type_ in read_rec_type(cursor, self._features):
            self._types.append(self._known.setdefault(type_, type_))

    def _read_import(self, cursor: Cursor) -> None:
        module, name = cursor.name(), cursor.name()
        kind = _read_kind(cursor)
        type_ = self._read_extern_type(kind, cursor)
        self._spaces[kind].append(type_)
        self._imports.append(ImportSummary(module, name, kind, type_))
        self._note_mutable(type_)

    def _read_function(self, cursor: Cursor) -> None:
        self._functions += 1
        self._spaces["func"].append(self._read_extern_type("func", cursor))

    def _read_table(self, cursor: Cursor) -> None:
        self._spaces["table"].append(read_table(cursor, self._features))

    def _read_memory(self, cursor: Cursor) -> None:
        self._spaces["memory"].append(self._read_extern_type("memory", cursor))

    def _read_tag(self, cursor: Cursor) -> None:
        self._spaces["tag"].append(self._read_extern_type("tag", cursor))

    def _read_global(self, cursor: Cursor) -> None:
        self._spaces["global"].append(self._read_extern_type("global", cursor))
        skip_constant(cursor)

    def _read_export(self, cursor: Cursor) -> None:
        name = cursor.name()
        kind = _read_kind(cursor)
        type_ = _read_indexed(self._spaces[kind], kind, cursor)
        self._exports.append(ExportSummary(name, kind, type_))
        self._note_mutable(type_)

    def _read_data_count(self, cursor: Cursor) -> None:
        cursor.unsigned()
        cursor.finish()
        self._features.add("bulk-memory")

    def _read_code(self, cursor: Cursor) -> None:
        self._bodies = cursor.count()

    def _read_extern_type(self, kind: ExternKind, cursor: Cursor) -> ExternType:
        match kind:
            case "table":
                return read_table_type(cursor, self._features)
            case "memory":
                return read_memory_type(cursor, self._features)
            case "global":
                return read_global_type(cursor, self._features)
            case "tag":
                self._features.add("exception-handling")
                cursor.byte()  # always 0: an exception
        type_ = _read_indexed(self._types, "type", cursor)
        if type_ is None:
            raise cursor.malformed("the type is not that of a function")
        return type_

    def _note_mutable(self, type_: ExternType) -> None:
        if isinstance(type_, GlobalType) and type_.mutable:
            self._features.add("mutable-globals")


def _read_vector(read_item: Callable[[Cursor], None], cursor: Cursor) -> None:
    count = cursor.count()
    if count > _MAX_ITEMS:
        raise cursor.malformed(f"{count} items, more than {_MAX_ITEMS}")
    for _ in range(count):
        read_item(cursor)
    cursor.finish()


def _read_kind(cursor: Cursor) -> ExternKind:
    number = cursor.byte()
    if number not in _KINDS:
        raise cursor.malformed(f"unknown kind of import or export {number}")
    return _KINDS[number]


def _read_indexed(items: list[_Item], what: str, cursor: Cursor) -> _Item:
    """Read an index and return what it stands for."""
    index = cursor.unsigned()
    if index >= len(items):
        raise cursor.malformed(f"no {what} has index {index}")
    return items[index]
