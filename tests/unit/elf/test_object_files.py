"""Objects that hold an artifact: sound as written, refused as damaged, in three formats."""

from __future__ import annotations

import random
import struct
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.aot.objects.writer import write_object
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.base.digest import digest_bytes
from mochi_rules.elf.checks.object_files import (
    OBJECT_CHECKS,
    ObjectExpectation,
    require_sound_object,
    verify_object,
)
from mochi_rules.elf.object_files import ObjectImage, read_object
from mochi_rules.platforms.platform import PLATFORMS, find_platform
from tests.needs import need

from .image import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mochi_rules.platforms.platform import Platform

PAYLOAD = b"not really an artifact" * 30


def written(name: str) -> bytes:
    """Return the object for a platform."""
    return write_object(find_platform(name), "app", PAYLOAD)


def request_for(platform: Platform) -> ObjectExpectation:
    """Return the request that the object answers."""
    return ObjectExpectation(
        format=platform.system.object_format,
        cpu=platform.cpu,
        little_endian=platform.architecture.endianness == "little",
        symbol_base="app",
        payload=digest_bytes(PAYLOAD),
    )


@pytest.mark.parametrize("platform", PLATFORMS, ids=lambda platform: platform.name)
def test_written_object_is_sound(platform: Platform) -> None:
    """What the writer makes for each platform passes every check, and gives back its payload."""
    data = written(platform.name)

    assert verify_object(data) == []
    assert verify_object(data, request_for(platform)) == []
    assert read_object(data).payload == PAYLOAD


def elf(damage: Callable[[Image], Any]) -> bytes:
    """Return a damaged ELF object."""
    image = Image(written("x86_64-linux"))
    return (damage(image) or image).build()


def set_section(name: str, **fields: int) -> Callable[[Image], None]:
    """Set fields of a section."""
    return lambda image: (
        [setattr(image[name], key, value) for key, value in fields.items()] and None
    )


def poked(name: str, old: bytes, new: bytes) -> bytes:
    """Return an object with some bytes, found once, replaced."""
    data = written(name)
    assert data.count(old) == 1
    return data.replace(old, new)


MACHO, COFF = "aarch64-macos", "x86_64-windows"
ARM_OBJECT = struct.pack("<III", 0x0100_000C, 0, 1)[:9]  # CPU, all its kinds, MH_OBJECT
RDATA = struct.pack("<I", 0x4050_0040)  # 16 bytes aligned, readable, initialized data
# Name, segment; then address, size, offset, power of the alignment.
CONST = b"__const".ljust(16, b"\0") + b"__TEXT".ljust(16, b"\0")

# What fails, and the damaged object.
DAMAGES: list[tuple[str, Callable[[], bytes]]] = [
    ("relocatable", lambda: elf(lambda image: image.header.update(type=2))),
    ("relocatable", lambda: poked(MACHO, ARM_OBJECT, ARM_OBJECT[:-1] + b"\2")),
    ("symbols", lambda: elf(lambda image: image.symbol(1, info=1))),
    ("symbols", lambda: elf(lambda image: image.symbol(1, section=0))),
    ("symbols", lambda: elf(lambda image: image.symbol(1, section=2))),
    ("symbols", lambda: poked(MACHO, b"_app_start", b"_app_stort")),
    ("symbols", lambda: poked(COFF, b"app_end", b"axp_end")),
    ("span", lambda: elf(lambda image: image.symbol(1, value=1))),
    ("span", lambda: elf(lambda image: image.symbol(2, value=len(PAYLOAD) - 20))),
    ("span", lambda: elf(set_section(".rodata", size=1 << 40))),
    ("alignment", lambda: elf(set_section(".rodata", align=8))),
    ("alignment", lambda: elf(set_section(".rodata", align=4096))),
    ("alignment", lambda: poked(COFF, RDATA, struct.pack("<I", 0x4040_0040))),
    ("read-only", lambda: elf(set_section(".rodata", flags=3))),
    ("stack-note", lambda: elf(set_section(".note.GNU-stack", flags=4))),
    ("read-only", lambda: poked(MACHO, CONST, CONST.replace(b"__TEXT", b"__DATA"))),
    ("read-only", lambda: poked(COFF, RDATA, struct.pack("<I", 0xC050_0040))),
    ("read-only", lambda: poked(COFF, RDATA, struct.pack("<I", 0x6050_0040))),
    ("no-relocations", lambda: elf(lambda image: image.add(".rela", bytes(24), type=4, info=1))),
    ("stack-note", lambda: elf(lambda image: image.drop(".note.GNU-stack"))),
    ("payload", lambda: elf(lambda image: image.poke(".rodata", 5, b"!"))),
    ("payload", lambda: poked(COFF, PAYLOAD, PAYLOAD.swapcase())),
    ("payload", lambda: poked(MACHO, PAYLOAD, PAYLOAD.swapcase())),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "damaged"), DAMAGES, ids=[f"{n}-{row[0]}" for n, row in enumerate(DAMAGES)]
)
def test_check_fails_on_its_damage(check: str, damaged: Callable[[], bytes]) -> None:
    """The check fails; a wrong span makes the payload wrong too."""
    wanted = ObjectExpectation(symbol_base="app", payload=digest_bytes(PAYLOAD))

    failed = {failure.check for failure in verify_object(damaged(), wanted)}

    assert failed - {"payload"} == {check} - {"payload"}
    assert check in failed


def test_every_check_has_a_damage() -> None:
    """No check is without a test that makes it fail."""
    assert {"machine", *(name for name, _ in DAMAGES)} == {name for name, _ in OBJECT_CHECKS}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (ObjectExpectation(format="coff"), "expected an object of the format `coff`, got `elf`"),
        (ObjectExpectation(cpu="aarch64"), "expected an object for aarch64, got s390x"),
        (ObjectExpectation(little_endian=True), "expected little-endian, got big-endian"),
        (ObjectExpectation(symbol_base="x"), "expected the symbol `x_start`, got `app_start`"),
    ],
)
def test_object_for_another_request_is_refused(wanted: ObjectExpectation, message: str) -> None:
    """What was requested, and is not there, is named."""
    assert [failure.message for failure in verify_object(written("s390x-linux"), wanted)] == [
        message
    ]


def test_error_notes_every_failure() -> None:
    """An unsound object is one error, with a note for each failed check."""
    with pytest.raises(MochiError) as caught:
        require_sound_object(written("x86_64-linux"), "app.o", ObjectExpectation(cpu="aarch64"))

    diagnostic = caught.value.diagnostics[0]
    assert (diagnostic.code, diagnostic.message) == (
        "A025",
        "app.o is not the expected object: 1 check fails",
    )
    assert diagnostic.notes == ("machine: expected an object for aarch64, got x86_64",)


@pytest.mark.parametrize(
    ("data", "code", "words"),
    [
        (b"", "A024", "neither an ELF"),
        (b"\x7fELF", "A021", "cannot be decoded"),
        (b"\xcf\xfa\xed\xfe", "A024", "it ends before"),
        (b"\x64\x86\xff\xff" + bytes(16), "A024", "claims 65535 sections"),
        (written(COFF)[:200], "A024", "it ends before"),
        (written(MACHO)[:-8], "A024", "strings end at"),
    ],
)
def test_damage_is_named(data: bytes, code: str, words: str) -> None:
    """What cannot be decoded is an error that says why."""
    with pytest.raises(MochiError) as caught:
        read_object(data)

    assert caught.value.diagnostics[0].code == code
    assert words in caught.value.diagnostics[0].message


@pytest.mark.parametrize("name", ["x86_64-linux", "s390x-linux", MACHO, COFF])
def test_garbage_is_refused_or_decoded(name: str) -> None:
    """Random damage and cuts give an object or a MochiError."""
    chance = random.Random(48)
    data = written(name)
    outcomes = set()
    for _ in range(300):
        raw = bytearray(data[: chance.choice([len(data), chance.randrange(len(data))])])
        for _ in range(chance.randrange(1, 5)):
            if raw:
                raw[chance.randrange(len(raw))] = chance.choice([0, 0xFF, chance.randrange(256)])
        try:
            verify_object(bytes(raw))
            outcomes.add(type(read_object(bytes(raw))))
        except MochiError as error:
            outcomes.add(type(error))

    assert outcomes == {ObjectImage, MochiError}


@pytest.mark.slow
def test_object_of_the_system_assembler_is_sound(tmp_path: Path) -> None:
    """The checks are not about our writer: what gcc makes of `.incbin` passes them too."""
    need("gcc")
    (tmp_path / "payload").write_bytes(PAYLOAD)
    source = tmp_path / "app.s"
    source.write_text(
        f"""
        .section .rodata
        .global app_start, app_end
        .balign 16
        app_start: .incbin "{tmp_path}/payload"
        app_end:
        .section .note.GNU-stack,"",@progbits
        """
    )
    subprocess.run(["gcc", "-c", "app.s", "-o", "app.o"], cwd=tmp_path, check=True)

    data = (tmp_path / "app.o").read_bytes()

    assert verify_object(data) == []
    assert read_object(data).payload == PAYLOAD
