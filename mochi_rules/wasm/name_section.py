"""The name section: what debuggers and profilers call things (core 2.0, §7.4.1).

The names of globals are of the extended-name-section proposal.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.vectors import encode_bytes, encode_name, encode_vector

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.wasm.indices import Indices
    from mochi_rules.wasm.module import Module

_MODULE, _FUNCTIONS, _LOCALS, _GLOBALS = 0, 1, 2, 7


def encode_names(module: Module, indices: Indices) -> bytes:
    """Return the contents of the name section; empty when nothing has a name."""
    out = b""
    if module.name:
        out += _subsection(_MODULE, encode_name(module.name))
    if indices.functions:
        out += _subsection(_FUNCTIONS, _name_map(indices.functions.items()))
    if locals_ := _local_names(module, indices):
        out += _subsection(_LOCALS, encode_vector(locals_))
    if indices.globals:
        out += _subsection(_GLOBALS, _name_map(indices.globals.items()))
    return out


def _local_names(module: Module, indices: Indices) -> list[bytes]:
    maps = []
    for function in module.functions:
        if not function.local_names:
            continue
        named = [(name, index) for index, name in enumerate(function.local_names) if name]
        if named:
            maps.append(encode_unsigned(indices.function(function.name)) + _name_map(named))
    return maps


def _name_map(named: Iterable[tuple[str, int]]) -> bytes:
    return encode_vector([encode_unsigned(index) + encode_name(name) for name, index in named])


def _subsection(number: int, contents: bytes) -> bytes:
    return bytes([number]) + encode_bytes(contents)
