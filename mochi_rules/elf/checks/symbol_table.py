"""Checks of the symbol table."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

from mochi_rules.elf.decode import decode_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.elf.checks.expectation import Subject

LOCAL, FUNCTION, SECTION = 0, 2, 3  # STB_LOCAL, STT_FUNC, STT_SECTION
_SYMBOL_SIZE = 24
_NAME_FORM = re.compile(
    r"wasm\[\d+\]::(function\[\d+\](::[!-~]*)?|array_to_wasm_trampoline\[\d+\])"
    r"|signatures\[\d+\]::wasm_to_array_trampoline|module_start\[\d+\]::(Wasm|Array)"
    r"|wasmtime_(patchable_)?builtin_\w+|resource_drop_trampoline"
    r"|component-trampolines\[\d+\]-.+|unsafe-intrinsics-.+",
    re.DOTALL,
)
_STRING = re.compile(rb"([^\0]*)\0")
_LONGEST_REACH = 1 << 27  # bytes, of a call on aarch64

# Without the flag, Cranelift's x86_64 backend calls these builtins instead of an instruction.
# Measured on 48.0.0: with the flag, the symbol is gone. Source: crates/environ/src/builtin.rs.
_BUILTINS_REPLACED_BY = {
    "has_sse41": tuple(
        f"{operation}_{type_}"
        for operation in ("ceil", "floor", "trunc", "nearest")
        for type_ in ("f32", "f64")
    ),
    "has_ssse3": ("i8x16_swizzle", "i8x16_shuffle"),
}


def local_symbols(subject: Subject) -> Iterator[str]:
    """27: every symbol is local and defined in a section. Source: measured on 48.0.0."""
    count = len(subject.artifact.sections)
    for symbol in subject.artifact.symbols:
        if symbol.binding != LOCAL or symbol.visibility:
            yield f"expected `{symbol.name}` to be local, got binding {symbol.binding}"
        if not 0 < symbol.section < count:
            yield f"expected `{symbol.name}` in a section, got section {symbol.section}"
        if symbol.type not in (FUNCTION, SECTION):
            yield f"expected `{symbol.name}` to be a function or section, got type {symbol.type}"


def functions_in_text(subject: Subject) -> Iterator[str]:
    """28: every function is in the code. Source: `ModuleTextBuilder::append_func`."""
    text = subject.artifact.section(".text")
    if text is None:
        return
    for symbol in subject.functions:
        end = symbol.value + symbol.size
        if symbol.section != text.index:
            yield f"expected `{symbol.name}` in `.text`, got section {symbol.section}"
        elif end > text.size:
            yield f"`{symbol.name}` ends at {end}, but the code at {text.size}"


def functions_apart(subject: Subject) -> Iterator[str]:
    """29: no two functions share code or a name. Source: `ModuleTextBuilder::append_func`."""
    ranges = sorted((s.value, s.value + s.size, s.name) for s in subject.functions)
    for (_, end, name), (start, _, other) in pairwise(ranges):
        if start < end:
            yield f"`{other}` starts at {start}, inside `{name}` that ends at {end}"
    counts = Counter(name for _, _, name in ranges)
    yield from (
        f"{count} functions are named `{name}`" for name, count in counts.items() if count > 1
    )


def symbol_names(subject: Subject) -> Iterator[str]:
    """46: every function has a name of a form that Wasmtime gives.

    Source: the symbols in `CompileInputs` of crates/wasmtime/src/compile.rs.
    """
    for symbol in subject.functions:
        if not _NAME_FORM.fullmatch(symbol.name):
            yield f"`{symbol.name}` is not a name that Wasmtime gives"


def string_tables(subject: Subject) -> Iterator[str]:
    """47: the tables of strings hold the names in use and no others, and the first symbol is empty.

    Source: ELF gABI, chapter 4; the `object` crate's writer.
    """
    artifact = subject.artifact
    if (table := artifact.section(".symtab")) and any(artifact.content(table)[:_SYMBOL_SIZE]):
        yield "expected the first symbol to be empty"
    in_use = {
        ".strtab": {symbol.name for symbol in artifact.symbols},
        ".shstrtab": {section.name for section in artifact.sections},
    }
    for name, used in in_use.items():
        section = artifact.section(name)
        if section is None:
            continue
        content = artifact.content(section)
        if not content.startswith(b"\0") or not content.endswith(b"\0"):
            yield f"expected `{name}` to start and end with a zero"
        strings = _STRING.finditer(content, content.find(b"\0") + 1)
        found = (decode_name(match[1]) for match in strings)
        yield from (
            f"`{text}` in `{name}` is not a name in use"
            for text in found
            if not text or text not in used
        )


def code_padding(subject: Subject) -> Iterator[str]:
    """45: the code outside functions is zeros, so no code hides there.

    Source: measured on 48.0.0. Code for Arm so large that a call may not reach its target has
    jumps of the linker's between functions: it is not checked.
    """
    text = subject.artifact.section(".text")
    if text is None or not subject.functions or text.size > _LONGEST_REACH:
        return
    content = subject.artifact.content(text)
    ranges = sorted((s.value, s.value + s.size) for s in subject.functions)
    for (_, end), (start, _) in pairwise([(0, 0), *ranges, (text.size, text.size)]):
        gap = content[end:start]
        if gap.count(0) != len(gap):
            yield f"expected zeros between the functions from {end}, got other bytes"


def function_count(subject: Subject) -> Iterator[str]:
    """43: the functions of each module are numbered without a gap, as many as it defines.

    Source: `compiled_func_symbol`: the numbers count imports, which have no code.
    """
    modules: dict[int, list[int]] = {}
    for symbol in subject.functions:
        if number := symbol.function:
            modules.setdefault(number[0], []).append(number[1])
    for module, numbers in modules.items():
        if max(numbers) - min(numbers) + 1 != len(set(numbers)):
            span = f"{min(numbers)} to {max(numbers)}"
            yield f"module {module} has {len(numbers)} functions, numbered from {span}"
    wanted, found = subject.expectation.functions, sum(map(len, modules.values()))
    if wanted not in (None, found) and subject.setting("debug_symbols") is not False:
        yield f"expected code for {wanted} functions, got {found}"


def builtins(subject: Subject) -> Iterator[str]:
    """44: no builtin replaces an instruction that the CPU features allow (x86_64).

    Source: crates/environ/src/builtin.rs; measured on 48.0.0.
    """
    if subject.engine is None or subject.engine.architecture != "x86_64":
        return
    names = {symbol.name for symbol in subject.functions}
    for flag in sorted(subject.engine.enabled_isa_flags & _BUILTINS_REPLACED_BY.keys()):
        for builtin in _BUILTINS_REPLACED_BY[flag]:
            if f"wasmtime_builtin_{builtin}" in names:
                yield f"`{flag}` is on, but the code calls the builtin `{builtin}`"
