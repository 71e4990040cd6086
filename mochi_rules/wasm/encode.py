"""Modules as binaries: the sections in their order (core 2.0, §5.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.wasm.code import CodeEncoder
from mochi_rules.wasm.indices import Indices
from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.module import CustomSection
from mochi_rules.wasm.name_section import encode_names
from mochi_rules.wasm.types import (
    EXTERN_KINDS,
    FuncType,
    GlobalType,
    MemoryType,
    Section,
    TableType,
    extern_kind,
)
from mochi_rules.wasm.vectors import (
    MAGIC,
    encode_bytes,
    encode_name,
    encode_value_type,
    encode_value_types,
    encode_vector,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.wasm.code import FunctionRange, Location
    from mochi_rules.wasm.module import DataSegment, ElementSegment, Export, Global, Import, Module
    from mochi_rules.wasm.types import ExternType

_VERSION = b"\x01\x00\x00\x00"


@dataclass(frozen=True, slots=True)
class Encoded:
    """A binary module, and the offsets of its functions and locations.

    `code` is the offset in `data` of the contents of the code section, from which those count.
    A custom section may be added to `data` at the end: `data + encode_custom_section(...)`.
    """

    data: bytes
    code: int
    locations: list[Location]
    functions: list[FunctionRange]

    def by_function(self) -> Iterator[tuple[FunctionRange, list[Location]]]:
        """Yield the functions, each with its locations: none for one that comes from no source."""
        locations = iter(self.locations)
        location = next(locations, None)
        for function in self.functions:
            found: list[Location] = []
            while location is not None and location[0] < function.end:
                found.append(location)
                location = next(locations, None)
            yield function, found


def encode_module(module: Module, *, names: bool = True) -> Encoded:
    """Encode a module; equal modules give equal bytes.

    Args:
        module: What to encode; it is not validated.
        names: Write the name section.

    Raises:
        AssertionError: An instruction, a name or a type does not exist: a bug in the caller.
    """
    indices = Indices(module)
    encoder = CodeEncoder(indices)
    # First, because the types come to light here.
    code = encoder.encode(module.functions)
    contents = _encode_declarations(module, indices, encoder)
    if encoder.uses_data_segments:
        contents[Section.DATA_COUNT] = encode_unsigned(len(module.data))
    if module.functions:
        contents[Section.CODE] = code.contents
    data = MAGIC + _VERSION
    start = 0
    for section in Section:
        data += _section(section, contents.get(section, b""))
        if section == Section.CODE:
            start = len(data) - len(code.contents)
    if names and (names_contents := encode_names(module, indices)):
        data += encode_custom_section(CustomSection("name", names_contents))
    data += b"".join(encode_custom_section(section) for section in module.custom_sections)
    return Encoded(data, start, code.locations, code.functions)


def encode_custom_section(section: CustomSection) -> bytes:
    """Encode a custom section, its header included."""
    return _section(Section.CUSTOM, encode_name(section.name) + section.data)


def _section(section: Section, contents: bytes) -> bytes:
    return bytes([section]) + encode_bytes(contents) if contents else b""


def _encode_declarations(
    module: Module, indices: Indices, encoder: CodeEncoder
) -> dict[Section, bytes]:
    """Return the contents of all sections but those that hang on code; empty ones are left out."""
    vectors = {
        Section.TYPE: [_type(type_) for type_ in indices.types],
        Section.IMPORT: [_import(item, indices) for item in module.imports],
        Section.FUNCTION: [encode_unsigned(type_) for type_ in encoder.types],
        Section.TABLE: [_extern_type(module.table, indices)] if module.table else [],
        Section.MEMORY: [_extern_type(module.memory, indices)] if module.memory else [],
        Section.GLOBAL: [_global(item, indices, encoder) for item in module.globals],
        Section.EXPORT: [_export(item, indices) for item in module.exports],
        Section.ELEMENT: [_element(item, indices, encoder) for item in module.elements],
        Section.DATA: [_data(item, encoder) for item in module.data],
    }
    contents = {section: encode_vector(items) for section, items in vectors.items() if items}
    if module.start is not None:
        contents[Section.START] = encode_unsigned(indices.function(module.start))
    return contents


def _type(type_: FuncType) -> bytes:
    return b"\x60" + encode_value_types(type_.params) + encode_value_types(type_.results)


def _import(item: Import, indices: Indices) -> bytes:
    kind = EXTERN_KINDS[extern_kind(item.type)]
    names = encode_name(item.module) + encode_name(item.field)
    return names + bytes([kind]) + _extern_type(item.type, indices)


def _extern_type(type_: ExternType, indices: Indices) -> bytes:
    match type_:
        case FuncType():
            return encode_unsigned(indices.type(type_))
        case TableType(minimum, maximum, element):
            return encode_value_type(element) + _limits(minimum, maximum)
        case MemoryType(minimum, maximum):
            return _limits(minimum, maximum)
        case GlobalType(value, mutable):
            return encode_value_type(value) + bytes([mutable])


def _limits(minimum: int, maximum: int | None) -> bytes:
    if maximum is None:
        return b"\x00" + encode_unsigned(minimum)
    return b"\x01" + encode_unsigned(minimum) + encode_unsigned(maximum)


def _global(item: Global, indices: Indices, encoder: CodeEncoder) -> bytes:
    return _extern_type(item.type, indices) + encoder.encode_constant(item.initial)


def _export(item: Export, indices: Indices) -> bytes:
    index = 0
    if item.kind == "func":
        index = indices.function(item.target)
    elif item.kind == "global":
        index = indices.global_(item.target)
    return encode_name(item.name) + bytes([EXTERN_KINDS[item.kind]]) + encode_unsigned(index)


def _element(item: ElementSegment, indices: Indices, encoder: CodeEncoder) -> bytes:
    functions = [encode_unsigned(indices.function(name)) for name in item.functions]
    offset = encoder.encode_constant(("i32.const", item.offset))
    return b"\x00" + offset + encode_vector(functions)


def _data(item: DataSegment, encoder: CodeEncoder) -> bytes:
    if item.offset is None:
        return b"\x01" + encode_bytes(item.data)
    return b"\x00" + encoder.encode_constant(("i32.const", item.offset)) + encode_bytes(item.data)
