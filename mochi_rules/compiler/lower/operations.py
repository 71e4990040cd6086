"""The lowering of each operation of the IR to WebAssembly, as one table.

The fast path is inlined; whatever is rare or long is a call into the runtime library. A handler
pushes its result, if the operation has one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.compiler.lower import (
    characters,
    checks,
    containers,
    dynamic,
    memory,
    numbers,
    objects,
    overflow,
    strings,
)

if TYPE_CHECKING:
    from mochi_rules.compiler.lower.select import Handler

HANDLERS: dict[str, Handler] = {
    **numbers.HANDLERS, **overflow.HANDLERS, **checks.HANDLERS, **dynamic.HANDLERS,
    **memory.HANDLERS,
    **containers.HANDLERS, **strings.HANDLERS, **characters.HANDLERS, **objects.HANDLERS,
}  # fmt: skip
