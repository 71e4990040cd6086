"""Tests of static libraries: the index finds the members."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

from mochi_rules.formats.ar import static_library
from tests.needs import need

if TYPE_CHECKING:
    from pathlib import Path

MEMBERS = {"one.o": b"first", "two.o": b"second"}
SYMBOLS = {"one.o": ["b", "c"], "two.o": ["a"]}


def _member(data: bytes, offset: int) -> bytes:
    """Return the name and the content of the member at an offset."""
    size = int(data[offset + 48 : offset + 58])
    return data[offset : offset + 16].rstrip() + data[offset + 60 : offset + 60 + size]


def test_index_for_elf_has_the_offsets_of_members() -> None:
    """Big-endian, before the names, as GNU ar writes it."""
    data = static_library(MEMBERS, SYMBOLS, is_macho=False)
    count, *offsets = struct.unpack_from(">4I", data, 68)
    assert count == 3
    members = [b"one.o/first", b"one.o/first", b"two.o/second"]
    assert [_member(data, offset) for offset in offsets] == members
    assert data[84:90] == b"b\0c\0a\0"


def test_index_for_macho_is_sorted() -> None:
    """Pairs of the place of a name and the offset of its member, as BSD's ar writes it."""
    data = static_library(MEMBERS, SYMBOLS, is_macho=True)
    assert data[8:88].startswith(b"#1/20 ")
    assert data[68:84] == b"__.SYMDEF SORTED"
    size, *pairs = struct.unpack_from("<7I", data, 88)
    assert size == 24
    strings = data[88 + 4 + size + 4 :]
    names = [strings[at:].partition(b"\0")[0] for at in pairs[::2]]
    assert names == [b"a", b"b", b"c"]
    members = [b"two.o/second", b"one.o/first", b"one.o/first"]
    assert [_member(data, offset) for offset in pairs[1::2]] == members


def test_ar_lists_a_library(tmp_path: Path) -> None:
    """The tool of others reads what we write."""
    need("ar")
    (tmp_path / "a.a").write_bytes(static_library(MEMBERS, SYMBOLS, is_macho=False))
    command = ["ar", "t", "a.a"]
    listed = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, text=True)
    assert listed.stdout.split() == ["one.o", "two.o"]
