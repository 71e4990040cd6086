"""Archives of `ar`: Debian packages are some, and static libraries, which have an index.

The index says which member defines a symbol, as GNU ar writes it for ELF and COFF, and as BSD does
for Mach-O.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MAGIC = b"!<arch>\n"
_HEADER = 60
_BSD_NAME = b"__.SYMDEF SORTED".ljust(20, b"\0")


def ar(members: Mapping[str, bytes], time: int = 0) -> bytes:
    """Return an archive; names have 15 characters at most, `time` is in seconds since 1970."""
    return MAGIC + b"".join(_member(name, data, time) for name, data in members.items())


def static_library(
    members: Mapping[str, bytes], symbols: Mapping[str, Sequence[str]], *, is_macho: bool
) -> bytes:
    """Return a static library; `symbols` are those that members define, by the member's name."""
    index = _bsd_index if is_macho else _gnu_index
    rows = [(symbol, name) for name in members for symbol in symbols[name]]
    if is_macho:
        rows.sort()
    size = len(index(rows, lambda _: 0))
    offsets = {}
    offset = len(MAGIC) + size
    for name, data in members.items():
        offsets[name] = offset
        offset += len(_member(_terminated(name), data))
    listed = index(rows, offsets.__getitem__)
    files = (_member(_terminated(name), data) for name, data in members.items())
    return MAGIC + listed + b"".join(files)


def _terminated(name: str) -> str:
    return f"{name}/"  # so that it may end in a space


def _gnu_index(rows: Sequence[tuple[str, str]], offset: Callable[[str], int]) -> bytes:
    numbers = struct.pack(f">{len(rows) + 1}I", len(rows), *(offset(name) for _, name in rows))
    strings = b"".join(symbol.encode() + b"\0" for symbol, _ in rows)
    return _member("/", numbers + strings)


def _bsd_index(rows: Sequence[tuple[str, str]], offset: Callable[[str], int]) -> bytes:
    strings, pairs = b"", []
    for symbol, name in rows:
        pairs += [len(strings), offset(name)]
        strings += symbol.encode() + b"\0"
    strings += b"\0" * (-len(strings) % 8)
    table = struct.pack(f"<I{len(pairs)}II", 4 * len(pairs), *pairs, len(strings))
    return _member(f"#1/{len(_BSD_NAME)}", _BSD_NAME + table + strings)


def _member(name: str, data: bytes, time: int = 0) -> bytes:
    header = f"{name:<16}{time:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode()
    assert len(header) == _HEADER
    return header + data + b"\n" * (len(data) % 2)
