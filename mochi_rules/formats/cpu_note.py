"""The note in which an object of a program says what CPU level its code needs.

It has the form of ELF's notes in all formats: `toolchains/clif/src/note.rs` writes it.
"""

from __future__ import annotations

import struct

SECTIONS = {"elf": ".note.mochi", "macho": "__DWARF,__mochi", "coff": ".mochi"}  # by format
_HEADER = "III"  # the sizes of owner and text, the type
_OWNER, _CPU_LEVEL = b"mochi\0\0\0", 2
_OWNER_SIZE = 6


def read_cpu_level(note: bytes, *, little_endian: bool) -> str | None:
    """Return the name of a CPU level; None where the bytes are not such a note."""
    form = ("<" if little_endian else ">") + _HEADER
    start = struct.calcsize(form)
    if len(note) < start + len(_OWNER):
        return None
    owner, size, kind = struct.unpack_from(form, note)
    text = note[start + len(_OWNER) :]
    is_ours = (owner, kind) == (_OWNER_SIZE, _CPU_LEVEL) and note[start:].startswith(_OWNER)
    is_whole = len(text) == -(-size // 4) * 4 and not any(text[size:])
    return text[:size].decode("ascii", "replace") if is_ours and is_whole else None
