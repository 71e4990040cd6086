"""The checks of an object that Cranelift made of a program, on stored ones."""

from __future__ import annotations

import gzip
import random
import re
import struct
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.elf.checks.native_objects import is_native, level_of, verify_native
from mochi_rules.elf.object_files import read_object
from mochi_rules.elf.object_unwind import UNWIND_SECTIONS
from mochi_rules.formats import cpu_note
from mochi_rules.platforms.cpu import find_cpu_level
from mochi_rules.platforms.platform import find_platform
from mochi_rules.steps.expectations import native_expectation
from tests.unit.elf.image import Image
from tests.unit.elf.test_native_listing import CPUS
from tests.unit.elf.test_native_listing import stored as stored_for_linux

if TYPE_CHECKING:
    from mochi_rules.elf.object_files import ObjectImage

OTHERS = Path(__file__).parents[2] / "golden" / "objects"
PLATFORMS = [
    *(f"{cpu}-linux" for cpu in CPUS),
    *sorted(path.name.removesuffix(".o.gz") for path in OTHERS.glob("*.o.gz")),
]
COPY = 5  # R_X86_64_COPY, which no compiler writes
LEVEL = "x86-64-v2"  # the default, which the stored objects are for


def stored(platform: str) -> bytes:
    """Return the object of the program for a platform."""
    path = OTHERS / f"{platform}.o.gz"
    if path.exists():
        return gzip.decompress(path.read_bytes())
    return stored_for_linux(platform.removesuffix("-linux"))


def faults(data: bytes, platform: str = "x86_64-linux", level: str = "") -> list[str]:
    """Return what is wrong with an object for a platform and a CPU level."""
    row = find_platform(platform)
    wanted = native_expectation(row, find_cpu_level(row, level))
    return [str(item) for item in verify_native(read_object(data), wanted)]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_object_of_the_platform_is_sound(platform: str) -> None:
    """And for another one it is refused, with both names."""
    image = read_object(stored(platform))
    assert is_native(image)
    assert faults(stored(platform), platform) == []
    system = platform.partition("-")[2]
    other = "aarch64" if platform.startswith("x86_64") else "x86_64"
    first, *_ = faults(stored(platform), f"{other}-{system}")
    assert first == f"machine: expected an object for {other}, got {image.cpu}"


def test_unknown_relocation_is_refused() -> None:
    """A linker would write what no code of ours expects."""
    data = bytearray(stored("x86_64-linux"))
    table = Image(bytes(data))[".rela.text"]
    struct.pack_into("<I", data, table.offset + 8, COPY)
    assert faults(bytes(data)) == ["relocations: `.text` has a relocation of the type 5"]


@pytest.mark.parametrize("platform", ["x86_64-linux", "x86_64-macos", "x86_64-windows"])
def test_code_for_a_newer_processor_is_refused(platform: str) -> None:
    """With the names of both CPU levels; for a newer one than it needs it is sound."""
    data = stored(platform)
    assert faults(data, platform, "x86-64-v1") == [
        "cpu-level: expected code for x86-64-v1, got code for x86-64-v2"
    ]
    assert faults(data, platform, "x86-64-v3") == []


@pytest.mark.parametrize("platform", PLATFORMS)
def test_object_names_its_level(platform: str) -> None:
    """That which it was compiled for, in every format."""
    level = level_of(read_object(stored(platform)))
    assert level == find_cpu_level(find_platform(platform))


@pytest.mark.parametrize("change", [(LEVEL, "x86-64-v9"), ("mochi\0\0\0", "other\0\0\0")])
def test_object_without_a_level_is_refused(change: tuple[str, str]) -> None:
    """One that no level has, and the note of someone else."""
    old, new = (text.encode() for text in change)
    data = stored("x86_64-linux")
    start = Image(data)[cpu_note.SECTIONS["elf"]].offset
    data = data[:start] + data[start:].replace(old, new, 1)
    assert faults(data) == ["cpu-level: expected the name of a CPU level of x86_64, got none"]


def moved(image: ObjectImage) -> bytes:
    """Return an object whose first unwind entry describes what begins a byte later."""
    section = image.section(UNWIND_SECTIONS[image.format])
    assert section
    place, form = section.offset, "<I"
    if image.format == "elf":  # an addend in the table of relocations
        form = ("<" if image.little_endian else ">") + "q"
        place = image.data.index(section.relocation_table) + 16
    data = bytearray(image.data)
    struct.pack_into(form, data, place, struct.unpack_from(form, data, place)[0] + 1)
    return bytes(data)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_function_without_an_unwind_entry_is_refused(platform: str) -> None:
    """An entry for another place helps nobody: both are named."""
    image = read_object(stored(platform))
    where = UNWIND_SECTIONS[image.format]
    first, second = faults(moved(image), platform)
    assert re.fullmatch(rf"unwind: `{where}` has no entry for `\w+`", first)
    assert re.fullmatch(
        rf"unwind: `{where}` has an entry for 0x[0-9a-f]+, where no function begins", second
    )


def test_unwind_entry_of_another_size_is_refused() -> None:
    """The rest of the function would have no callers."""
    data = bytearray(stored("x86_64-linux"))
    frames = Image(bytes(data))[".eh_frame"]
    (common,) = struct.unpack_from("<I", data, frames.offset)
    size = frames.offset + 4 + common + 12  # of the code of the first entry
    struct.pack_into("<I", data, size, struct.unpack_from("<I", data, size)[0] - 1)
    [found] = faults(bytes(data))
    assert re.fullmatch(r"unwind: `\.eh_frame` has \d+ bytes of `\w+`, which has \d+", found)


@pytest.mark.parametrize("platform", PLATFORMS)
def test_object_without_unwind_entries_is_refused(platform: str) -> None:
    """The section is expected in every format."""
    where = UNWIND_SECTIONS[read_object(stored(platform)).format]
    name = where.partition(",")[2] or where
    data = stored(platform).replace(name.encode(), name.upper().encode())
    assert faults(data, platform) == [f"unwind: expected `{where}`, got none"]


@pytest.mark.parametrize(
    ("platform", "place", "word", "fault"),
    [
        ("x86_64-linux", 0, -1, "the entry at 0 has a length of 4294967295"),
        ("x86_64-linux", 4, -1, "the entry at 0 does not belong to the first entry"),
        ("x86_64-linux", 8, -1, "the common entry at 0 has another form"),
        ("x86_64-macos", 12, 0, "the entry at 0 says nothing"),
        ("x86_64-windows", 8, -1, "it ends before what should be at"),
        ("aarch64-windows", 4, -1, "it ends before what should be at"),
    ],
)
def test_damaged_unwind_section_is_refused(
    platform: str, place: int, word: int, fault: str
) -> None:
    """And the message says where."""
    image = read_object(stored(platform))
    where = UNWIND_SECTIONS[image.format]
    section = image.section(where)
    assert section
    data = bytearray(image.data)
    struct.pack_into("<i", data, section.offset + place, word)
    [found] = faults(bytes(data), platform)
    assert found.startswith(f"unwind: `{where}` is damaged: {fault}")


@pytest.mark.parametrize("platform", PLATFORMS)
def test_damaged_object_is_judged(platform: str) -> None:
    """Whatever the bytes are, there are messages, or none, or the file cannot be read."""
    data, chance = stored(platform), random.Random(7)
    for _ in range(40):
        changed = bytearray(data)
        for _ in range(3):
            changed[chance.randrange(len(data))] = chance.randrange(256)
        with suppress(MochiError):
            faults(bytes(changed), platform)
