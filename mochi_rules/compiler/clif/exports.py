"""What C calls of a library: functions that take the address of their words, and a list of them.

A word has 64 bits, so that all machines pass them alike; the result takes the place of the first.
Comments say what C needs to know: the layout of objects, and the signature of every function, in
the order of the list. `aot/native/c_interface.py` reads them.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from mochi_rules.compiler.clif.function import signature_of
from mochi_rules.compiler.clif.instructions import I32
from mochi_rules.compiler.clif.names import EXPORTS
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.link import FOR_C

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mochi_rules.compiler.clif.names import Names
    from mochi_rules.compiler.ir.function import CFunction

LAYOUT, SIGNATURE = "; layout ", "; export "
_LAYOUT = {name: layout.CONSTANTS[name] for name in
           ("STRING_BYTES", "STRING_COUNT", "STRING_DATA", "LIST_LEN", "LIST_DATA",
            "SLOT_INT", "SLOT_FLOAT")}  # fmt: skip


def print_exports(exports: list[CFunction], names: Names) -> Iterator[str]:
    """Return the lines of the exports of a library, and of what C needs of the runtime library."""
    numbers = {name.upper(): number for number, name in enumerate(FOR_C)}
    yield LAYOUT + json.dumps(_LAYOUT | numbers)
    for number, export in enumerate(exports, len(FOR_C)):
        row = {"number": number, "name": export.name}
        row |= {"params": export.params, "result": export.result}
        yield SIGNATURE + json.dumps(row, ensure_ascii=False)
    functions = [*FOR_C, *(export.function for export in exports)]
    yield f";! data %{EXPORTS} 16 read {bytes(8 * len(functions)).hex()}"
    for number in range(len(functions)):
        yield f";! address %{EXPORTS} {8 * number} %{_wrapper(number)}"
    yield f";! export %{EXPORTS}"
    yield ""
    for number, function in enumerate(functions):
        yield _function(_wrapper(number), function, names)


def _wrapper(number: int) -> str:
    return f"{EXPORTS}_{number}"


def _function(wrapper: str, name: str, names: Names) -> str:
    """Return the function that loads its words, calls another, and writes what that printed."""
    type_ = names.types[name]
    lines = [
        f"function %{wrapper}(i64) {{",
        f"    fn0 = colocated %{names.function(name)}{signature_of(type_)}",
        f"    fn1 = colocated %{names.function('finish')}() fast",
        "block0(v0: i64):",
    ]
    args = []
    value = 0
    for number, param in enumerate(type_.params):
        value += 1
        wide = "i64" if param == I32 else param
        lines.append(f"    v{value} = load.{wide} notrap aligned v0+{8 * number}")
        if param == I32:
            value += 1
            lines.append(f"    v{value} = ireduce.i32 v{value - 1}")
        args.append(f"v{value}")
    call = f"call fn0({', '.join(args)})"
    if type_.results:
        value += 1
        lines.append(f"    v{value} = {call}")
        if type_.results[0] == I32:
            value += 1
            lines.append(f"    v{value} = uextend.i64 v{value - 1}")
        lines.append(f"    store notrap aligned v{value}, v0")
    else:
        lines.append(f"    {call}")
    return "\n".join([*lines, "    call fn1()", "    return", "}", ""])
