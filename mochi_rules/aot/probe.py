"""The engine probe: what the loader will compare, in the bytes it compares.

A module without content, compiled under a configuration, carries the whole of it in its section
`.wasmtime.engine`: target, flags, tunables, features, version. The digest enters every key.
"""

from __future__ import annotations

import struct

from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError

EMPTY_MODULE = b"\0asm\x01\0\0\0"
_SECTION = b".wasmtime.engine"


def engine_section(artifact: bytes) -> bytes:
    """Return the content of `.wasmtime.engine`.

    Emits: A064.

    Raises:
        MochiError: The bytes are not a 64-bit ELF file with such a section.
    """
    try:
        return _find_section(artifact)
    except (struct.error, LookupError, OverflowError):
        message = "the compiler's artifact has no engine section"
        raise MochiError(Diagnostic("A064", message, fault=Fault.INTERNAL)) from None


def _find_section(artifact: bytes) -> bytes:
    """Walk the section headers. Source: ELF gABI 4.2, Elf64_Ehdr and Elf64_Shdr."""
    if artifact[:5] != b"\x7fELF\x02":
        raise LookupError
    order = ">" if artifact[5] == 2 else "<"
    (table,) = struct.unpack_from(f"{order}Q", artifact, 0x28)
    size, count, names_index = struct.unpack_from(f"{order}HHH", artifact, 0x3A)
    headers = [
        struct.unpack_from(f"{order}IIQQQQ", artifact, table + index * size)
        for index in range(count)
    ]
    names_at = headers[names_index][4]
    for name_at, _, _, _, offset, length in headers:
        start = names_at + name_at
        if artifact[start : start + len(_SECTION) + 1] == _SECTION + b"\0":
            section = artifact[offset : offset + length]
            if len(section) == length:
                return section
    raise LookupError
