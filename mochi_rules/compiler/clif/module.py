"""A whole module to text: its functions in CLIF, and in directives what CLIF has no words for.

`toolchains/clif/src/text.rs` describes the directives.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.compiler.clif import control, overflow, values
from mochi_rules.compiler.clif.exports import print_exports
from mochi_rules.compiler.clif.function import Translator
from mochi_rules.compiler.clif.names import PROGRAM, START, STATIC, TABLE, Names

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterator

    from mochi_rules.compiler.ir.function import CFunction
    from mochi_rules.wasm.module import Function, Global, Module

_HANDLERS = {**control.HANDLERS, **overflow.HANDLERS, **values.HANDLERS}
_REMEMBERED = 1 << 13  # functions, some of them with other addresses than before
_FORMATS = {"i32": "<I", "i64": "<Q", "f64": "<d"}


def print_clif(
    module: Module, files: list[str], exports: list[CFunction], known: dict[Hashable, str]
) -> str:
    """Return the text of a module that `lower/` has made; `files` are what its locations name.

    `exports` are what C can call; `known` keeps what is the same in other modules.
    """
    names = Names(module)
    if len(known) > _REMEMBERED:
        known.clear()
    functions = [_function(function, names, files, known) for function in module.functions]
    lines = [f";! file {file}" for file in files]
    lines += [f";! symbol %{name} {symbol}" for name, symbol in names.symbols.items()]
    lines += _data(module, names)
    lines += [f";! export %{PROGRAM}", "", _program(module, names)]
    if exports:
        lines += print_exports(exports, names)
    return "\n".join([*lines, *functions])


def _function(
    function: Function, names: Names, files: list[str], known: dict[Hashable, str]
) -> str:
    """Translate a function; one that other modules have too, once."""
    translator = Translator(function, names, files, _HANDLERS)
    if not function.is_shared:
        return translator.run()
    key = (function.name, tuple(function.body))
    if key not in known:
        known[key] = translator.run()
    return known[key]


def _data(module: Module, names: Names) -> Iterator[str]:
    for segment in module.data:
        yield f";! data %{STATIC} 16 read {segment.data.hex()}"
    for variable in module.globals:
        yield _variable(variable, names)
    if module.table is not None:
        yield f";! data %{TABLE} 16 read {bytes(8 * module.table.minimum).hex()}"
        for elements in module.elements:
            for index, function in enumerate(elements.functions, elements.offset):
                yield f";! address %{TABLE} {8 * index} %{names.function(function)}"


def _variable(variable: Global, names: Names) -> str:
    """Return the directive of a variable, which is little-endian as the memory is."""
    type_, name = names.variable(variable.name)
    _, initial = variable.initial
    if type_ != "f64":
        initial %= 1 << (32 if type_ == "i32" else 64)
    data = struct.pack(_FORMATS[type_], initial)
    return f";! data %{name} 8 write {data.hex()}"


def _program(module: Module, names: Names) -> str:
    """Return the function that C calls: it has the host make the memory, and runs the program.

    It has the signature of exports, and ignores the address.
    """
    (segment,) = module.data
    assert module.memory is not None
    numbers = (module.memory.minimum, segment.offset, len(segment.data))
    constants = [f"    v{number} = iconst.i64 {value}" for number, value in enumerate(numbers)]
    return "\n".join([
        f"function %{PROGRAM}(i64) {{",
        f"    gv0 = symbol colocated %{STATIC}",
        f"    fn0 = colocated %{START}(i64, i64, i64, i64)",
        f"    fn1 = colocated %{names.function('_start')}() fast",
        "block0(v4: i64):",
        *constants,
        "    v3 = symbol_value.i64 gv0",
        "    call fn0(v0, v1, v3, v2)",
        "    call fn1()",
        "    return",
        "}",
        "",
    ])  # fmt: skip
