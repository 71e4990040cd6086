"""The checks of an object that Cranelift made of a program, on stored ones."""

from __future__ import annotations

import struct

import pytest

from mochi_rules.elf.checks.native_objects import is_native, verify_native
from mochi_rules.elf.object_files import read_object
from mochi_rules.platforms.platform import find_platform
from mochi_rules.steps.expectations import native_expectation
from tests.unit.elf.image import Image
from tests.unit.elf.test_native_listing import CPUS, stored

COPY = 5  # R_X86_64_COPY, which no compiler writes


@pytest.mark.parametrize("cpu", CPUS)
def test_object_of_the_platform_is_sound(cpu: str) -> None:
    """And for another one it is refused, with both names."""
    image = read_object(stored(cpu))
    assert is_native(image)
    assert verify_native(image, native_expectation(find_platform(f"{cpu}-linux"))) == []
    other = "aarch64" if cpu == "x86_64" else "x86_64"
    first, *_ = verify_native(image, native_expectation(find_platform(f"{other}-linux")))
    assert str(first) == f"machine: expected an object for {other}, got {cpu}"


def test_unknown_relocation_is_refused() -> None:
    """A linker would write what no code of ours expects."""
    data = bytearray(stored("x86_64"))
    table = Image(bytes(data))[".rela.text"]
    struct.pack_into("<I", data, table.offset + 8, COPY)
    linux = native_expectation(find_platform("x86_64-linux"))
    failures = verify_native(read_object(bytes(data)), linux)
    assert [str(item) for item in failures] == [
        "relocations: `.text` has a relocation of the type 5"
    ]
