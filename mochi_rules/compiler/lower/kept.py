"""Functions of the runtime library as bytes, to be kept between processes.

They are the same for every program, and to build them takes longer than to compile a small one.
The format is that of `marshal`, so it belongs to one version of Python, and to one of this package;
whoever keeps it must make sure that it is whole.
"""

from __future__ import annotations

import marshal
from typing import TYPE_CHECKING, Any

from mochi_rules.compiler.lower.select import Relocation, Selected
from mochi_rules.wasm.module import Function
from mochi_rules.wasm.types import FuncType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.compiler.ir.types import Type
    from mochi_rules.compiler.runtime.library import Library
    from mochi_rules.wasm.module import Piece

_TYPED = "typed"  # begins an instruction whose last operand is a type


def dump_library(library: Library) -> bytes:
    """Return the functions that were selected so far, and those kept before."""
    found = library.kept | {
        name: _dump_function(selected)
        for name, selected in library.selected.items()
        if name not in library.kept
    }
    return marshal.dumps({name: found[name] for name in sorted(found)})


def restore_library(library: Library, data: bytes) -> None:
    """Let a library have the functions that are in what `dump_library` gave."""
    library.kept = marshal.loads(data)  # noqa: S302 - whole, and ours: see the head of this file


def load_function(data: bytes, globals_: Mapping[str, tuple[Type, int]]) -> Selected:
    """Return a function; `globals_` are the variables of the library."""
    loaded = marshal.loads(data)  # noqa: S302 - as above
    name, params, results, locals_, body, places, calls, variables, uses_table = loaded
    body = [_load_piece(packed) for packed in body]
    return Selected(
        Function(name, params, results, locals_, body, is_shared=True),
        [Relocation(*place) for place in places],
        calls,
        {name: globals_[name][0] for name in variables},
        uses_table,
    )


def _dump_function(selected: Selected) -> bytes:
    function = selected.function
    return marshal.dumps(
        (
            function.name,
            function.params,
            function.results,
            function.locals,
            [_dump_piece(piece) for piece in function.body],
            [(place.position, place.kind, place.key) for place in selected.relocations],
            selected.calls,
            list(selected.globals),
            selected.uses_table,
        )
    )


def _dump_piece(piece: Piece) -> Piece:
    if isinstance(piece, tuple) and isinstance(piece[-1], FuncType):
        *start, last = piece
        return (_TYPED, *start, last.params, last.results)
    return piece


def _load_piece(packed: Piece) -> Piece:
    if isinstance(packed, tuple) and packed[0] == _TYPED:
        start: list[Any]
        _, *start, params, results = packed
        return (*start, FuncType(params, results))
    return packed
