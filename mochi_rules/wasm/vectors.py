"""The parts that every section is made of: vectors, names, value types (core 2.0, §5.1.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from mochi_rules.wasm.leb128 import encode_unsigned
from mochi_rules.wasm.types import VALUE_TYPES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mochi_rules.wasm.types import ValueType

MAGIC = b"\x00asm"


def encode_vector(items: Sequence[bytes]) -> bytes:
    """Return the number of the items, then the items."""
    return encode_unsigned(len(items)) + b"".join(items)


def encode_bytes(data: bytes) -> bytes:
    """Return the size of some bytes, then the bytes."""
    return encode_unsigned(len(data)) + data


@lru_cache(4096)  # the functions of the runtime library have the same in all modules
def encode_name(text: str) -> bytes:
    """Return a string as UTF-8, its size first."""
    return encode_bytes(text.encode())


def encode_value_type(type_: ValueType) -> bytes:
    """Return the byte that stands for a value type."""
    if type_ not in VALUE_TYPES:
        raise AssertionError(f"no value type is named `{type_}`")
    return bytes([VALUE_TYPES[type_]])


def encode_value_types(types: Iterable[ValueType]) -> bytes:
    """Return a vector of value types."""
    return encode_vector([encode_value_type(type_) for type_ in types])
