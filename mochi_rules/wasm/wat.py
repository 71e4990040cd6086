"""Modules as text, one instruction a line, for people and for golden files (core 2.0, §6).

Assembling the text gives the bytes that the encoder gives, except for the name section.
"""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, Any

from mochi_rules.wasm.opcodes import OPCODES, Immediate, natural_alignment
from mochi_rules.wasm.pieces import instructions_of
from mochi_rules.wasm.types import FuncType, GlobalType, MemoryType, TableType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mochi_rules.wasm.module import (
        DataSegment,
        ElementSegment,
        Export,
        Function,
        Global,
        Import,
        Instruction,
        Module,
        Piece,
    )
    from mochi_rules.wasm.types import ExternType, ValueType

_INDENT = "  "
_PLAIN_NAME = re.compile(r"[0-9A-Za-z!#$%&'*+\-./:<=>?@\\^_`|~]+")
_LABELLED = ("block", "loop", "if")
_OPENS = (*_LABELLED, "else")
_CLOSES = ("else", "end")
_CHARACTERS = [
    chr(byte) if 0x20 <= byte < 0x7F and byte not in b'"\\' else f"\\{byte:02x}"
    for byte in range(0x100)
]


def print_module(module: Module, *, locations: bool = False) -> str:
    """Return a module as WAT, ending in a newline.

    `locations` shows each `loc` as a comment `;; @file:line`.
    """
    lines = [f"(module {_id(module.name)}" if module.name else "(module"]
    for field in _fields(module, locations=locations):
        lines += [_INDENT + line for line in field.splitlines()]
    return "\n".join([*lines, ")"]) + "\n"


def print_function(function: Function, *, locations: bool = False) -> str:
    """Return a function as the WAT of a module field, ending in a newline."""
    lines = print_head(function)
    lines += _Body(_local_ids(function)).lines(function.body, locations=locations)
    return "\n".join([*lines, ")"]) + "\n"


def print_head(function: Function) -> list[str]:
    """Return the lines of a function before its instructions: its signature and its locals."""
    ids = _local_ids(function)
    params = _declarations("param", function.params, 0, ids)
    results = _signature(FuncType((), tuple(function.results)))
    locals_ = _declarations("local", function.locals, len(function.params), ids)
    head = _words(f"(func {_id(function.name)}", *params, results)
    return [head, *(_INDENT + declaration for declaration in locals_)]


def print_body(function: Function) -> Iterator[str]:
    """Yield a line for each instruction, indented by blocks; a body with `loc` has none for it."""
    return _Body(_local_ids(function)).lines(function.body, locations=False)


def print_type(type_: ExternType, name: str = "") -> str:
    """Return the type of an import or export as WAT, such as `(func (param i64))`."""
    match type_:
        case FuncType():
            return _words("(func", name, _signature(type_)) + ")"
        case TableType(minimum, maximum, element):
            return _words("(table", name, str(minimum), _maximum(maximum), element) + ")"
        case MemoryType(minimum, maximum):
            return _words("(memory", name, str(minimum), _maximum(maximum)) + ")"
        case GlobalType():
            return _words("(global", name, _global_type(type_)) + ")"


def _fields(module: Module, *, locations: bool) -> Iterator[str]:
    """Yield the fields of a module in the order of the sections."""
    yield from map(_import, module.imports)
    if module.table:
        yield print_type(module.table)
    if module.memory:
        yield print_type(module.memory)
    yield from map(_global, module.globals)
    yield from map(_export, module.exports)
    if module.start is not None:
        yield f"(start {_id(module.start)})"
    yield from map(_element, module.elements)
    for function in module.functions:
        yield print_function(function, locations=locations)
    yield from map(_data, module.data)
    for section in module.custom_sections:
        yield f"(@custom {_quote(section.name)} {_quote(section.data)})"


def _import(item: Import) -> str:
    type_ = print_type(item.type, _id(item.name) if item.name else "")
    return f"(import {_quote(item.module)} {_quote(item.field)} {type_})"


def _global(item: Global) -> str:
    initial = _Body({}).text(item.initial)
    return f"(global {_id(item.name)} {_global_type(item.type)} ({initial}))"


def _export(item: Export) -> str:
    target = _id(item.target) if item.kind in ("func", "global") else "0"
    return f"(export {_quote(item.name)} ({item.kind} {target}))"


def _element(item: ElementSegment) -> str:
    return _words(f"(elem (i32.const {item.offset}) func", *map(_id, item.functions)) + ")"


def _data(item: DataSegment) -> str:
    offset = "" if item.offset is None else f"(i32.const {item.offset})"
    return _words(f"(data {_id(item.name)}", offset, _quote(item.data)) + ")"


def _local_ids(function: Function) -> dict[int, str]:
    """Return the identifiers of the locals that have a name which no other has."""
    uses = Counter(function.local_names)
    return {i: _id(name) for i, name in enumerate(function.local_names) if name and uses[name] == 1}


def _declarations(
    keyword: str, types: list[ValueType], first: int, ids: dict[int, str]
) -> list[str]:
    """Return declarations of locals numbered from `first` on; nameless neighbors share one."""
    runs = groupby(enumerate(types, first), key=lambda numbered: ids.get(numbered[0], ""))
    return [_words(f"({keyword}", name, *(type_ for _, type_ in run)) + ")" for name, run in runs]


class _Body:
    """Prints instructions; remembers how many blocks are open."""

    def __init__(self, locals_: dict[int, str]) -> None:
        self._locals = locals_
        self._depth = 0
        # The kinds that are not here are plain numbers.
        self._immediates: dict[Immediate, Callable[[Any], str]] = {
            Immediate.BLOCK_TYPE: _block_type,
            Immediate.LABEL: self._label,
            Immediate.LABELS: self._labels,
            Immediate.FUNCTION: _id,
            Immediate.FUNC_TYPE: _signature,
            Immediate.LOCAL: self._local,
            Immediate.GLOBAL: _id,
            Immediate.DATA: _id,
            Immediate.F32: _float32,
            Immediate.F64: _float64,
            Immediate.V128: _vector,
        }

    def lines(self, body: list[Piece], *, locations: bool) -> Iterator[str]:
        """Yield the lines of a body, indented by blocks; a block shows its label."""
        for instruction in instructions_of(body):
            mnemonic = instruction[0]
            if mnemonic == "loc":
                if locations:
                    yield f"{_INDENT * (self._depth + 1)};; @{instruction[1]}:{instruction[2]}"
                continue
            self._depth -= mnemonic in _CLOSES
            indent = _INDENT * (self._depth + 1)
            self._depth += mnemonic in _OPENS
            label = f" ;; label = @{self._depth}" if mnemonic in _LABELLED else ""
            yield f"{indent}{self.text(instruction)}{label}"

    def text(self, instruction: Instruction) -> str:
        """Return an instruction."""
        mnemonic, *operands = instruction
        kinds = OPCODES[mnemonic].immediates
        texts = []
        if kinds[:2] == (Immediate.ALIGN, Immediate.OFFSET):
            texts = [_memory_argument(mnemonic, operands[0], operands[1])]
            kinds, operands = kinds[2:], operands[2:]
        for kind, operand in zip(kinds, operands, strict=True):
            texts.append(self._immediates.get(kind, str)(operand))
        return _words(mnemonic, *texts)

    def _label(self, label: int) -> str:
        return f"{label} (;@{self._depth - label};)"

    def _labels(self, labels: tuple[int, ...]) -> str:
        return _words(*map(self._label, labels))

    def _local(self, index: int) -> str:
        return self._locals.get(index, str(index))


def _memory_argument(mnemonic: str, align: int, offset: int) -> str:
    """Return what differs from offset 0 and the natural alignment."""
    return _words(
        f"offset={offset}" if offset else "",
        f"align={1 << align}" if align != natural_alignment(mnemonic) else "",
    )


def _block_type(type_: FuncType | ValueType | None) -> str:
    if isinstance(type_, FuncType):
        return _signature(type_)
    return f"(result {type_})" if type_ else ""


def _signature(type_: FuncType) -> str:
    params = f"(param {' '.join(type_.params)})" if type_.params else ""
    results = f"(result {' '.join(type_.results)})" if type_.results else ""
    return _words(params, results)


def _global_type(type_: GlobalType) -> str:
    return f"(mut {type_.value})" if type_.mutable else type_.value


def _maximum(maximum: int | None) -> str:
    return "" if maximum is None else str(maximum)


def _vector(value: bytes) -> str:
    return _words("i8x16", *map(str, value))


def _float32(value: float) -> str:
    data = struct.pack("<f", value)
    (bits,), (rounded,) = struct.unpack("<I", data), struct.unpack("<f", data)
    return _float(rounded, bits & 0x7FFFFF)


def _float64(value: float) -> str:
    (bits,) = struct.unpack("<Q", struct.pack("<d", value))
    return _float(value, bits & 0xFFFFFFFFFFFFF)


def _float(value: float, payload: int) -> str:
    """Return the shortest text that reads back as the same bits."""
    if not math.isnan(value):
        return repr(value)
    sign = "-" if math.copysign(1, value) < 0 else ""
    return f"{sign}nan:0x{payload:x}"


def _id(name: str) -> str:
    return f"${name}" if _PLAIN_NAME.fullmatch(name) else f"${_quote(name)}"


def _quote(content: str | bytes) -> str:
    data = content.encode() if isinstance(content, str) else content
    return '"' + "".join(_CHARACTERS[byte] for byte in data) + '"'


def _words(*words: str) -> str:
    return " ".join(word for word in words if word)
