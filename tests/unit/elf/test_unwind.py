"""Unwind information: pyelftools agrees, and each entry is a function."""

from __future__ import annotations

import io

import pytest
from elftools.dwarf.callframe import FDE
from elftools.elf.elffile import ELFFile

from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.unwind import decode_eh_frame, decode_pdata

from .image import Image
from .making import CROSS_TRIPLES, VARIANTS, compiled, stored

WITH_EH_FRAME = [
    *(name for name in VARIANTS if name not in ("pulley", "empty", "empty-debug", "no-unwind")),
    *(name for name in CROSS_TRIPLES if "windows" not in name and "pulley" not in name),
]


@pytest.mark.parametrize("name", WITH_EH_FRAME)
def test_entries_are_those_of_pyelftools(name: str) -> None:
    """The fast walk finds the same ranges as pyelftools, and these are the functions."""
    data = stored(name) if name in CROSS_TRIPLES else compiled(name)
    image, elf = Image(data), ELFFile(io.BytesIO(data))
    text, little = image[".text"], image.order == "<"
    entries = elf.get_dwarf_info(relocate_dwarf_sections=False).EH_CFI_entries()
    # pyelftools gives distances from the start of the section, in 64 bits.
    theirs = [
        ((entry["initial_location"] + text.size) % (1 << 64), entry["address_range"])
        for entry in entries
        if isinstance(entry, FDE)
    ]

    ours = decode_eh_frame(image[".eh_frame"].data, text.size, little_endian=little)

    assert [(start, end - start) for start, end in ours] == theirs
    functions = [s for s in read_artifact(data).symbols if s.type == 2]
    assert ours == [(s.value, s.value + s.size) for s in functions]


@pytest.mark.parametrize("name", ["x86_64-pc-windows-msvc", "aarch64-pc-windows-msvc"])
def test_windows_entries_are_the_functions(name: str) -> None:
    """`.pdata` lists the functions, with their ends on x86_64 and without them on Arm."""
    has_end = name.startswith("x86_64")
    functions = [s for s in read_artifact(stored(name)).symbols if s.type == 2]

    found = decode_pdata(Image(stored(name))[".pdata"].data, has_end=has_end)

    ends = [s.value + s.size if has_end else None for s in functions]
    assert [row[:2] for row in found] == [
        (s.value, end) for s, end in zip(functions, ends, strict=True)
    ]


REAL = Image(compiled("plain"))[".eh_frame"].data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not end in four zero bytes"),
        (b"\1\0\0\0", "does not end in four zero bytes"),
        (b"\1\0\0\0" + bytes(4), "the entry at 0 is cut off"),
        (b"\xff\xff\xff\xff" + bytes(8), "has a length of 4294967295"),
        (bytes(4) + bytes(8), "has a length of 0"),
        (REAL[:9] + b"y" + REAL[10:], "not of version 1"),
        (REAL[:16] + b"\x1b" + REAL[17:], "another pointer encoding"),
        (REAL[:28] + b"\x20" + REAL[29:], "does not belong to the first entry"),
    ],
)
def test_damage_is_refused(data: bytes, reason: str) -> None:
    """Each way to be wrong says how."""
    with pytest.raises(Malformed, match=reason):
        decode_eh_frame(data, 4096, little_endian=True)


def test_broken_pdata_is_refused() -> None:
    """A part of an entry is an error."""
    with pytest.raises(Malformed, match="not a multiple of 12"):
        decode_pdata(bytes(13), has_end=True)
