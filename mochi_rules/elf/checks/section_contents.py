"""Checks of what is in the sections, symbols and engine settings apart."""

from __future__ import annotations

import struct
from itertools import pairwise
from typing import TYPE_CHECKING

from mochi_rules.elf.codemap import (
    decode_address_map,
    decode_exceptions,
    decode_stack_maps,
    decode_traps,
)
from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.unwind import decode_eh_frame, decode_pdata
from mochi_rules.platforms.architecture import X86_64

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mochi_rules.elf.artifact import Section
    from mochi_rules.elf.checks.expectation import Subject


def eh_frame(subject: Subject) -> Iterator[str]:
    """24: `.eh_frame` follows the code, and each of its entries describes one function.

    Its addresses are relative, so its distance from the code is part of the format. Source:
    `write_systemv_unwind_info` in crates/cranelift/src/obj.rs.
    """
    yield from _unwind_place(subject, ".eh_frame", windows=False)
    text = subject.artifact.section(".text")
    section = subject.artifact.section(".eh_frame")
    if text is None or section is None:
        return
    content = subject.artifact.content(section)
    little_endian = subject.artifact.header.little_endian
    try:
        ranges = decode_eh_frame(content, text.size, little_endian=little_endian)
    except Malformed as error:
        yield str(error)
        return
    functions = {(s.value, s.value + s.size) for s in subject.functions}
    strangers = [item for item in ranges if item not in functions]
    if functions and strangers:
        start, end = strangers[0]
        yield f"{len(strangers)} entries describe no function, the first {start}..{end}"
    if len(set(ranges)) != len(ranges):
        yield "some functions are described twice"


def windows_unwind(subject: Subject) -> Iterator[str]:
    """24w: on Windows, `.xdata` follows the code and `.pdata` has the range of each function.

    Source: `write_windows_unwind_info` in crates/cranelift/src/obj.rs.
    """
    yield from _unwind_place(subject, ".xdata", windows=True)
    text, codes, table = map(subject.artifact.section, (".text", ".xdata", ".pdata"))
    if text is None or codes is None or table is None:
        if (codes is None) != (table is None):
            yield "of `.xdata` and `.pdata`, one is missing"
        return
    has_end = subject.artifact.header.machine == X86_64.elf_name
    try:
        rows = decode_pdata(subject.artifact.content(table), has_end=has_end)
    except Malformed as error:
        yield f"`.pdata`: {error}"
        return
    starts = {s.value: s.value + s.size for s in subject.functions}
    for start, end, code in rows:
        if not text.size <= code < text.size + codes.size:
            yield f"the function at {start} has its unwind code at {code}, not in `.xdata`"
        if starts and (start not in starts or end not in (None, starts[start])):
            yield f"`.pdata` describes {start}..{end}, where no function is"


def _unwind_place(subject: Subject, name: str, *, windows: bool) -> Iterator[str]:
    """Yield what is wrong with the presence and the place of unwind information."""
    section, text = subject.artifact.section(name), subject.artifact.section(".text")
    if subject.layout is None or text is None:
        return
    applies = subject.layout.is_windows == windows and not subject.layout.is_pulley
    wanted = applies and bool(text.size)
    if subject.engine is not None:
        wanted = wanted and subject.engine.shared_flags.get("unwind_info") is True
    if section is None and wanted:
        yield f"expected `{name}` after the code, got none"
    if section is not None and not wanted:
        yield f"expected no `{name}` for this target, code and `unwind_info`, got one"
    if section is not None and section.offset != text.end:
        yield f"expected `{name}` right after the code at {text.end}, got {section.offset}"


def branch_protection(subject: Subject) -> Iterator[str]:
    """25: `.wasmtime.bti` is one byte, 1 with branch protection. Source: the loader."""
    section = subject.artifact.section(".wasmtime.bti")
    if section is None:
        return
    content = subject.artifact.content(section)
    enabled = subject.engine is not None and "use_bti" in subject.engine.enabled_isa_flags
    if len(content) != 1:
        yield f"expected one byte, got {section.size}"
    elif subject.engine is not None and content[0] != enabled:
        yield f"expected {int(enabled)}, as the flag `use_bti` says, got {content[0]}"


def relocations(subject: Subject) -> Iterator[str]:
    """26: only debug sections have relocations. Source: the loader, code_memory.rs."""
    sections = subject.artifact.sections
    for section in sections:
        if section.type not in ("SHT_REL", "SHT_RELA"):
            continue
        target = sections[section.info].name if section.info < len(sections) else ""
        if not target.startswith(".debug_") or section.name != f".rela{target}":
            yield f"`{section.name}` relocates `{target or section.info}`, not its debug section"
        elif subject.setting("debug_native") is False:
            yield f"`{section.name}` is there, but `debug_native` is off"


def relocation_entries(subject: Subject) -> Iterator[str]:
    """39: every relocation has a symbol and a place in its section. Source: gABI, Elf64_Rela."""
    order = "<" if subject.artifact.header.little_endian else ">"
    entry = struct.Struct(order + "QQq")
    sections, symbols = subject.artifact.sections, len(subject.artifact.symbols)
    for section in sections:
        if section.type != "SHT_RELA" or section.info >= len(sections):
            continue
        content = subject.artifact.content(section)
        if len(content) % entry.size:
            yield f"`{section.name}` has {len(content)} bytes, not a multiple of {entry.size}"
            continue
        room = sections[section.info].size - 4
        rows = entry.iter_unpack(content)
        bad = sum(place > room or not 0 < info >> 32 <= symbols for place, info, _ in rows)
        if bad:
            yield f"{bad} entries of `{section.name}` have no place or no symbol"


def code_maps(subject: Subject) -> Iterator[str]:
    """30: address map and trap table are whole, in order, and stay inside the code.

    Source: `AddressMapSection` and `TrapEncodingBuilder` in crates/environ/src/compile.
    """
    artifact = subject.artifact
    if section := artifact.section(".wasmtime.addrmap"):
        try:
            offsets = decode_address_map(artifact.content(section))
        except Malformed as error:
            yield f"`{section.name}`: {error}"
        else:
            yield from _inside_code(subject, section, offsets)
    if section := artifact.section(".wasmtime.traps"):
        try:
            offsets, codes = decode_traps(artifact.content(section))
        except Malformed as error:
            yield f"`{section.name}`: {error}"
        else:
            yield from _inside_code(subject, section, offsets)
            if subject.schema and not codes <= subject.schema.trap_codes:
                unknown = sorted(codes - subject.schema.trap_codes)
                yield f"`{section.name}` has the unknown trap codes {unknown}"


def exception_table(subject: Subject) -> Iterator[str]:
    """40: the exception table is whole, in order, and stays inside the code.

    Source: `ExceptionTableBuilder` in crates/unwinder/src/exception_table.rs.
    """
    if section := subject.artifact.section(".wasmtime.exceptions"):
        try:
            table = decode_exceptions(subject.artifact.content(section))
        except Malformed as error:
            yield str(error)
            return
        yield from _inside_code(subject, section, table.call_sites)
        yield from _inside_code(subject, section, sorted(table.handlers))


def stack_maps(subject: Subject) -> Iterator[str]:
    """41: the stack maps are whole, in order, and stay inside the code.

    Source: `StackMapSection` in crates/environ/src/compile/stack_maps.rs.
    """
    if section := subject.artifact.section(".wasmtime.stackmap"):
        try:
            offsets = decode_stack_maps(subject.artifact.content(section))
        except Malformed as error:
            yield str(error)
            return
        yield from _inside_code(subject, section, offsets)


def _inside_code(subject: Subject, section: Section, offsets: Sequence[int]) -> Iterator[str]:
    text = subject.artifact.section(".text")
    size = text.size if text else 0
    if any(after < before for before, after in pairwise(offsets)):
        yield f"the code offsets in `{section.name}` are not in order"
    elif offsets and offsets[-1] >= size:
        yield f"`{section.name}` ends at the code offset {offsets[-1]}, but the code at {size}"


def data_alignment(subject: Subject) -> Iterator[str]:
    """31: data that is mapped copy-on-write starts at a page. Source: `finalize_memory_init`.

    The alignment is 1 where the image of memory cannot be known at compile time: with
    `memory_init_cow` off, for an imported memory, for offsets that are not constant.
    """
    section = subject.artifact.section(".rodata.wasm")
    if section is None or subject.layout is None:
        return
    page = subject.layout.page_size
    if section.alignment not in (1, page):
        yield f"expected an alignment of {page} or 1, got {section.alignment}"
    elif section.alignment == page and subject.setting("memory_init_cow") is False:
        yield f"expected an alignment of 1 with `memory_init_cow` off, got {page}"


def function_names(subject: Subject) -> Iterator[str]:
    """42: `.name.wasm` is UTF-8, as every name in WebAssembly. Source: `ObjectBuilder::append`."""
    if section := subject.artifact.section(".name.wasm"):
        try:
            subject.artifact.content(section).decode("utf-8")
        except UnicodeDecodeError as error:
            yield f"expected UTF-8, got another byte at {error.start}"
