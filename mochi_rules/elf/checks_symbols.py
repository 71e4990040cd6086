"""Checks of the symbol table."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.elf.expectation import Subject

LOCAL, FUNCTION, SECTION = 0, 2, 3  # STB_LOCAL, STT_FUNC, STT_SECTION

# Without the flag, Cranelift's x86_64 backend calls these builtins instead of an instruction.
# Measured on 48.0.0: with the flag, the symbol is gone. Source: crates/environ/src/builtin.rs.
_BUILTINS_REPLACED_BY = {
    "has_sse41": tuple(
        f"{operation}_{type_}"
        for operation in ("ceil", "floor", "trunc", "nearest")
        for type_ in ("f32", "f64")
    ),
    "has_ssse3": ("i8x16_swizzle", "i8x16_shuffle"),
    "has_fma": ("fma_f32x4", "fma_f64x2"),
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
    """28: every function lies in the code. Source: `ModuleTextBuilder::append_func`."""
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
    """44: no builtin stands in for an instruction that the CPU features allow (x86_64)."""
    if subject.engine is None or subject.engine.architecture != "x86_64":
        return
    names = {symbol.name for symbol in subject.functions}
    for flag in sorted(subject.engine.enabled_isa_flags & _BUILTINS_REPLACED_BY.keys()):
        for builtin in _BUILTINS_REPLACED_BY[flag]:
            if f"wasmtime_builtin_{builtin}" in names:
                yield f"`{flag}` is on, but the code calls the builtin `{builtin}`"
