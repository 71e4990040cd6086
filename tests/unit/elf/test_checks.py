"""Every check passes on real artifacts, and fails on the damage it is for."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.elf.checks.expectation import Expectation, Kind
from mochi_rules.elf.checks.table import CHECKS, MAX_MESSAGES, require_sound, verify
from mochi_rules.elf.engine_section import decode_engine
from mochi_rules.elf.read import read_artifact

from .image import Image
from .making import CROSS_TRIPLES, TRIPLE, VARIANTS, compiled, stored

if TYPE_CHECKING:
    from collections.abc import Callable

Damage = "Callable[[Image], Image | None]"


def requested(name: str) -> Expectation:
    """Return the request that a variant answers."""
    variant = VARIANTS[name]
    triple = {"pulley64": "pulley64-unknown-unknown-elf"}.get(variant.target, variant.target)
    return Expectation(
        kind=Kind.COMPONENT if variant.functions is None else Kind.MODULE,
        triple=triple,
        functions=variant.functions,
        debug_info=bool(variant.settings.get("debug_info")),
        major=48,
    )


@pytest.mark.parametrize("name", VARIANTS)
def test_every_check_passes_on_a_real_artifact(name: str) -> None:
    """What the wheel compiles is sound, by itself and as the answer to its request."""
    artifact = read_artifact(compiled(name))

    assert verify(artifact) == []
    assert verify(artifact, requested(name)) == []


@pytest.mark.parametrize("triple", CROSS_TRIPLES)
def test_every_check_passes_on_another_target(triple: str) -> None:
    """What Wasmtime compiles for another machine, byte order or system is sound too."""
    artifact = read_artifact(stored(triple))
    expectation = Expectation(Kind.MODULE, triple, frozenset(), functions=3, major=48)

    assert verify(artifact, expectation) == []


@pytest.mark.parametrize("triple", CROSS_TRIPLES)
def test_artifact_of_another_target_is_refused(triple: str) -> None:
    """An artifact for another target than the requested one fails the check of the target."""
    failures = verify(read_artifact(stored(triple)), Expectation(triple=TRIPLE))

    assert "target" in {failure.check for failure in failures}


@pytest.mark.parametrize("name", VARIANTS)
def test_layout_is_understood_to_the_byte(name: str) -> None:
    """Laying out the sections by the rules of the `packing` check gives the same file."""
    assert compiled(name) == Image(compiled(name)).lay_out().build()


def header(**fields: Any) -> Callable[[Image], None]:
    """Set fields of the ELF header."""
    return lambda image: image.header.update(fields)


def ident(offset: int, value: int) -> Callable[[Image], None]:
    """Set a byte of the identification."""

    def damage(image: Image) -> None:
        raw = bytearray(image.header["ident"])
        raw[offset] = value
        image.header["ident"] = bytes(raw)

    return damage


def section(name: str, **fields: int) -> Callable[[Image], None]:
    """Set fields of a section, without moving anything."""

    def damage(image: Image) -> None:
        for field, value in fields.items():
            setattr(image[name], field, value)

    return damage


def flags(name: str, added: int) -> Callable[[Image], None]:
    """Add flags to a section."""
    return lambda image: setattr(image[name], "flags", image[name].flags | added)


def engine(**changes: Any) -> Callable[[Image], Image]:
    """Change the engine section."""
    return lambda image: image.engine(**changes)


def poke(name: str, offset: int, data: bytes) -> Callable[[Image], Image]:
    """Overwrite bytes of a section."""
    return lambda image: image.poke(name, offset, data)


def symbol(number: int, **fields: int) -> Callable[[Image], Image]:
    """Set fields of a symbol."""
    return lambda image: image.symbol(number, **fields)


def add(name: str, data: bytes = b"x", **fields: int) -> Callable[[Image], Image]:
    """Put in a section."""
    return lambda image: image.add(name, data, **fields)


def drop(name: str) -> Callable[[Image], Image]:
    """Take out a section."""
    return lambda image: image.drop(name)


def resize(name: str, size: int) -> Callable[[Image], Image]:
    """Cut or extend the bytes of a section, and lay out the file anew."""

    def damage(image: Image) -> Image:
        image[name].data = image[name].data[:size].ljust(size, b"\0")
        return image.lay_out()

    return damage


def append(data: bytes) -> Callable[[Image], None]:
    """Append bytes to the file."""
    return lambda image: setattr(image, "tail", data)


def swap(first: int, second: int) -> Callable[[Image], None]:
    """Swap two entries of the section table."""

    def damage(image: Image) -> None:
        parts = image.parts
        parts[first], parts[second] = parts[second], parts[first]

    return damage


def rename(name: str, other: str) -> Callable[[Image], None]:
    """Give a section the name of another."""
    return lambda image: setattr(image[name], "name_offset", image[other].name_offset)


def realign(name: str, align: int) -> Callable[[Image], Image]:
    """Give a section another alignment, and lay out the file anew."""

    def damage(image: Image) -> Image:
        image[name].align = align
        return image.lay_out()

    return damage


def move_gap(image: Image) -> Image:
    """Leave a hole before the data of the module."""
    image.lay_out()
    shift = 4096
    for part in image.parts:
        if part.offset > image[".text"].offset + image[".text"].size + 4096:
            part.offset += shift
    image.header["shoff"] += shift
    return image


def fill_gap(image: Image) -> None:
    """Hide a byte between the branch protection byte and the code."""
    bti = image[".wasmtime.bti"]
    bti.data += b"\x01"


def big_endian(image: Image) -> None:
    """Write the container in the other byte order."""
    image.order = ">"
    ident(5, 2)(image)


def grow_code(image: Image) -> Image:
    """End the code in the middle of a page."""
    image[".text"].data += bytes(8)
    return image.lay_out()


WANTED = Expectation(kind=Kind.MODULE, triple=TRIPLE, functions=3, debug_info=False, major=48)
NO_CPU = dataclasses.replace(WANTED, isa_flags=frozenset())
W, A, X = 1, 2, 4
WINDOWS = "x86_64-pc-windows-msvc"

# Check, variant, damage, the checks that fail beside it, expectation.
DAMAGES: list[tuple[str, str, Any, set[str], Expectation | None]] = [
    ("os-abi", "plain", ident(7, 0), set(), None),
    ("abi-version", "plain", ident(8, 1), set(), None),
    ("byte-order", "empty", big_endian, set(), None),
    ("file-type", "plain", header(type=3), set(), None),
    ("no-program", "plain", header(entry=4096), set(), None),
    ("no-program", "plain", header(phnum=1), set(), None),
    ("machine", "plain", header(machine=183), {"target"}, None),
    ("known-flags", "plain", header(flags=0x11), set(), None),
    ("kind", "plain", header(flags=0), set(), None),
    ("kind", "plain", header(flags=3), set(), None),
    ("kind", "plain", header(flags=2), set(), WANTED),
    ("pulley", "plain", header(flags=9), set(), None),
    ("pulley", "pulley", header(flags=1), set(), None),
    ("file-end", "plain", append(bytes(100)), set(), None),
    ("unique-names", "plain", rename(".name.wasm", ".wasmtime.info"), {"string-tables"}, None),
    ("known-names", "plain", add(".note.gnu.build-id"), set(), None),
    ("leading-sections", "plain", swap(1, 2), set(), None),
    ("no-addresses", "plain", section(".rodata.wasm", addr=4096), set(), None),
    ("not-writable", "plain", flags(".rodata.wasm", W), set(), None),
    ("not-executable", "plain", flags(".rodata.wasm", X), set(), None),
    ("write-xor-execute", "plain", flags(".text", W), {"not-writable", "text-flags"}, None),
    ("text-flags", "plain", section(".text", flags=A), set(), None),
    ("text-flags", "pulley", section(".text", flags=A | X), set(), None),
    ("text-alignment", "empty", realign(".text", 16), set(), None),
    ("text-size", "plain", grow_code, {"eh-frame"}, None),
    ("placement", "plain", section(".wasmtime.info", align=1 << 40), set(), None),
    ("placement", "plain", section(".wasmtime.info", align=3), set(), None),
    ("placement", "plain", section(".wasmtime.info", size=1 << 40),
     {"no-overlap"}, None),
    ("no-overlap", "plain", section(".name.wasm", size=64), {"function-names"}, None),
    ("eh-frame", "plain", poke(".eh_frame", -4, b"\1"), set(), None),
    ("eh-frame", "plain", poke(".eh_frame", 9, b"y"), set(), None),
    ("eh-frame", "plain", poke(".eh_frame", 0x20, b"\xff"), set(), None),
    ("eh-frame", "plain", drop(".eh_frame"), set(), None),
    ("eh-frame", "plain", engine(shared_flags={"unwind_info": False}), set(), None),
    ("eh-frame", "s390x-unknown-linux-gnu", poke(".eh_frame", -4, b"\1"), set(), None),
    ("byte-order", "s390x-unknown-linux-gnu", engine(target=TRIPLE),
     {"machine", "isa-flags", "target"}, None),
    ("windows-unwind", WINDOWS, poke(".pdata", 0, b"\1"), set(), None),
    ("windows-unwind", WINDOWS, poke(".pdata", 8, b"\0\0"), set(), None),
    ("windows-unwind", WINDOWS, drop(".pdata"), set(), None),
    ("windows-unwind", WINDOWS, resize(".pdata", 50), set(), None),
    ("windows-unwind", "aarch64-pc-windows-msvc", poke(".pdata", 4, b"\0\0"), set(), None),
    ("shared-flags", WINDOWS, engine(shared_flags={"unwind_info": False}),
     {"windows-unwind"}, None),
    ("branch-protection", "plain", poke(".wasmtime.bti", 0, b"\1"), set(), None),
    ("branch-protection", "plain", resize(".wasmtime.bti", 2), set(), None),
    ("relocations", "debug", section(".rela.debug_info", info=3), {"section-kinds"}, None),
    ("relocations", "debug", engine(tunables={"debug_native": False}),
     {"sections-of-settings"}, None),
    ("local-symbols", "plain", symbol(1, info=0x12), set(), None),
    ("local-symbols", "plain", symbol(1, section=0), {"functions-in-text"}, None),
    ("local-symbols", "plain", symbol(1, section=0xFFF1), {"functions-in-text"}, None),
    ("local-symbols", "plain", symbol(1, other=2), set(), None),
    ("functions-in-text", "plain", symbol(1, section=4), set(), None),
    ("functions-in-text", "plain", symbol(12, size=1 << 20), {"eh-frame"}, None),
    ("functions-apart", "plain", symbol(1, size=100), {"eh-frame"}, None),
    ("code-maps", "plain", poke(".wasmtime.addrmap", 0, b"\xff"), set(), None),
    ("code-maps", "plain", poke(".wasmtime.addrmap", 4, b"\2"), set(), None),
    ("code-maps", "plain", poke(".wasmtime.addrmap", 9, b"\xff"), set(), None),
    ("code-maps", "plain", poke(".wasmtime.addrmap", 12, b"\1"), set(), None),
    ("code-maps", "many", poke(".wasmtime.traps", 8, b"\xff\xff"), set(), None),
    ("code-maps", "plain", poke(".wasmtime.traps", 16, b"\x80"), set(), None),
    ("code-maps", "plain", resize(".wasmtime.traps", 4), set(), None),
    ("data-alignment", "plain", realign(".rodata.wasm", 65536), set(), None),
    ("data-alignment", "plain", engine(tunables={"memory_init_cow": False}), set(), None),
    ("engine-section", "plain", poke(".wasmtime.engine", 0, b"\1"), set(), None),
    ("engine-section", "plain", poke(".wasmtime.engine", -1, b"\x81"), set(), None),
    ("engine-section", "plain", engine(version="dev"), set(), None),
    ("engine-section", "plain", engine(version="48.1"), set(), WANTED),
    ("target", "plain", engine(target="x86_64-pc-linux-gnu"), set(), WANTED),
    ("target", "plain", engine(target="sparc-sun-solaris"), set(), None),
    ("shared-flags", "plain", engine(shared_flags={"preserve_frame_pointers": False}),
     set(), None),
    ("shared-flags", "plain", engine(shared_flags={"new_flag": True}), set(), None),
    ("isa-flags", "plain", engine(isa_flags={"has_avx": True}), set(), NO_CPU),
    ("isa-flags", "v2", engine(isa_flags={"has_apx": False}), set(), None),
    ("tunables", "plain", engine(tunables={"consume_fuel": True}), set(),
     dataclasses.replace(WANTED, tunables={"consume_fuel": False, "collector": None})),
    ("tunables", "plain", engine(), set(), dataclasses.replace(WANTED, tunables={"fule": True})),
    ("tunables", "empty-debug", engine(), set(), dataclasses.replace(WANTED, functions=0)),
    ("features", "plain", engine(features=frozenset({"simd", "bit 60"})), set(), None),
    ("features", "plain", engine(), set(),
     dataclasses.replace(WANTED, features=frozenset({"simd", "cm_map"}))),
    ("sections-of-settings", "plain", engine(tunables={"debug_native": True}), set(), None),
    ("sections-of-settings", "plain", engine(tunables={"generate_address_map": False}),
     set(), None),
    ("sections-of-settings", "plain", engine(tunables={"debug_symbols": False}), set(), None),
    ("geometry", "plain", ident(6, 2), set(), None),
    ("geometry", "plain", ident(12, 1), set(), None),
    ("geometry", "plain", header(version=2), set(), None),
    ("geometry", "plain", header(ehsize=52), {"packing"}, None),
    ("section-kinds", "plain", section(".wasmtime.info", type=7), set(), None),
    ("section-kinds", "plain", flags(".wasmtime.info", 0x20), set(), None),
    ("section-kinds", "plain", section(".symtab", info=1), set(), None),
    ("packing", "plain", fill_gap, set(), None),
    ("packing", "plain", move_gap, set(), None),
    ("required-sections", "plain", drop(".wasmtime.info"), set(), None),
    ("relocation-entries", "debug", poke(".rela.debug_info", 0, b"\xff\xff"), set(), None),
    ("relocation-entries", "debug", poke(".rela.debug_info", 12, b"\xff\xff"), set(), None),
    ("exception-table", "plain", poke(".wasmtime.exceptions", 0, b"\x04"), set(), None),
    ("exception-table", "plain", poke(".wasmtime.exceptions", 10, b"\xff"), set(), None),
    ("exception-table", "gc", poke(".wasmtime.exceptions", 24, b"\xff"), set(), None),
    ("stack-maps", "gc", poke(".wasmtime.stackmap", 0, b"\x04"), set(), None),
    ("stack-maps", "gc", poke(".wasmtime.stackmap", 4, b"\xff\xff"), set(), None),
    ("stack-maps", "gc", poke(".wasmtime.stackmap", 16, b"\xff"), set(), None),
    ("function-names", "plain", poke(".name.wasm", 0, b"\xff"), set(), None),
    ("function-count", "plain", engine(), set(), dataclasses.replace(WANTED, functions=4)),
    ("code-padding", "plain", poke(".text", -1, b"\x90"), set(), None),
    ("code-padding", "plain", poke(".text", 19, b"\x90"), set(), None),
    ("symbol-names", "plain", poke(".strtab", 1, b"W"), set(), None),
    ("string-tables", "plain", resize(".strtab", 1000), set(), None),
    ("string-tables", "plain", resize(".shstrtab", 1000), set(), None),
    ("string-tables", "empty", resize(".strtab", 0), set(), None),
    ("string-tables", "plain", poke(".symtab", 3, b"\1"), set(), None),
    ("section-kinds", "plain", lambda image: setattr(image.parts[0], "offset", 9), set(), None),
    ("builtins", "plain", engine(isa_flags={"has_sse41": True}), set(), None),
    ("builtins", "simd", engine(isa_flags={"has_ssse3": True}), set(), None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("check", "variant", "damage", "others", "expectation"),
    DAMAGES,
    ids=[f"{number}-{row[0]}-{row[1]}" for number, row in enumerate(DAMAGES)],
)
def test_check_fails_on_its_damage(
    check: str, variant: str, damage: Any, others: set[str], expectation: Expectation | None
) -> None:
    """The check fails on the damage, and no check that the damage does not concern."""
    image = Image(stored(variant) if variant in CROSS_TRIPLES else compiled(variant))
    image = damage(image) or image

    failures = verify(read_artifact(image.build()), expectation)

    assert {failure.check for failure in failures} == {check, *others}


def test_class_fails_on_a_32_bit_file() -> None:
    """A .cwasm is 64-bit on every target; a 32-bit file is read, and refused."""
    artifact = read_artifact(compiled("plain"))
    damaged = dataclasses.replace(artifact.header, elf_class=32)

    failures = verify(dataclasses.replace(artifact, header=damaged))

    assert {failure.check for failure in failures} == {"class"}


def test_every_check_has_a_damage() -> None:
    """No check is without a test that makes it fail."""
    damaged = {"class", *(row[0] for row in DAMAGES)}

    assert damaged == {check.name for check in CHECKS}


def test_checks_are_numbered_and_named_once() -> None:
    """Numbers and names tell checks apart; each docstring has its check's number and source."""
    assert len({check.number for check in CHECKS}) == len(CHECKS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert (check.run.__doc__ or "").startswith(f"{check.number}: ")
        assert "Source:" in (check.run.__doc__ or "")


def test_message_names_both_sides() -> None:
    """A failed check says what was expected and what was got."""
    image = Image(compiled("plain"))
    image.header["machine"] = 183

    failures = verify(read_artifact(image.build()))

    assert str(failures[0]) == "machine: expected machine `EM_X86_64`, got `EM_AARCH64`"


def test_messages_are_few() -> None:
    """An artifact with many faults of one kind has a readable number of messages."""
    image = Image(compiled("plain"))
    for number in range(1, 13):
        image.symbol(number, other=1)

    failures = verify(read_artifact(image.build()))

    assert [failure.check for failure in failures] == ["local-symbols"] * MAX_MESSAGES


def test_unknown_major_is_checked_as_far_as_it_describes_itself() -> None:
    """Another Wasmtime's artifact is sound; only what its version decides is left out."""
    image = Image(compiled("plain"))
    engine_part = image[".wasmtime.engine"]
    engine_part.data = engine_part.data.replace(b"\x0248", b"\x0250", 1)
    artifact = read_artifact(image.lay_out().build())

    assert decode_engine(engine_part.data).tunables is None
    assert verify(artifact) == []
    assert [item.check for item in verify(artifact, WANTED)] == ["engine-section"]


def test_require_sound_returns_the_artifact() -> None:
    """A sound artifact comes back decoded."""
    assert len(require_sound(compiled("plain"), "app.cwasm", WANTED).symbols) == 12


def test_require_sound_notes_every_failure() -> None:
    """An unsound artifact is one error, with a note for each failed check."""
    with pytest.raises(MochiError) as caught:
        require_sound(compiled("fuel"), "app.cwasm", Expectation(Kind.COMPONENT, functions=9))

    diagnostic = caught.value.diagnostics[0]
    assert diagnostic.code == "A023"
    assert diagnostic.message == "app.cwasm is not the expected artifact: 2 checks fail"
    assert diagnostic.notes == (
        "kind: expected a component, got a module",
        "function-count: expected code for 9 functions, got 3",
    )
