"""Reading: pyelftools agrees, and nothing but MochiError comes out of bad bytes."""

from __future__ import annotations

import io
import random
import struct
import tracemalloc

import pytest
from elftools.elf.elffile import ELFFile

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.elf.artifact import Artifact, flag_letters
from mochi_rules.elf.read import read_artifact

from .image import Image
from .making import CROSS_TRIPLES, VARIANTS, compiled, stored

_BINDINGS = {0: "STB_LOCAL", 1: "STB_GLOBAL"}
_TYPES = {2: "STT_FUNC", 3: "STT_SECTION"}


def code_of(data: bytes) -> tuple[str, str]:
    """Return code and message of the error that reading gives."""
    with pytest.raises(MochiError) as caught:
        read_artifact(data, "app.cwasm")
    diagnostic = caught.value.diagnostics[0]
    return diagnostic.code, diagnostic.message


def artifacts() -> list[bytes]:
    """Return every artifact there is."""
    return [*map(compiled, VARIANTS), *map(stored, CROSS_TRIPLES)]


@pytest.mark.parametrize("name", [*VARIANTS, *CROSS_TRIPLES])
def test_symbols_and_sections_are_those_of_pyelftools(name: str) -> None:
    """The bulk decoding of names and symbols gives what pyelftools' own gives."""
    data = stored(name) if name in CROSS_TRIPLES else compiled(name)
    elf = ELFFile(io.BytesIO(data))
    artifact = read_artifact(data)

    assert [
        (section.name, section["sh_type"], section["sh_size"], section.data())
        for section in elf.iter_sections()
    ] == [
        (section.name, section.type, section.size, artifact.content(section))
        for section in artifact.sections
    ]
    assert [
        (s.name, s["st_value"], s["st_size"], s["st_info"]["bind"], s["st_info"]["type"],
         s["st_shndx"])
        for s in list(elf.get_section_by_name(".symtab").iter_symbols())[1:]
    ] == [
        (s.name, s.value, s.size, _BINDINGS[s.binding], _TYPES[s.type], s.section)
        for s in artifact.symbols
    ]  # fmt: skip


def test_function_symbols_are_taken_apart() -> None:
    """A function's symbol gives module, number and name; a trampoline's gives nothing."""
    found = [symbol.function for symbol in read_artifact(compiled("plain")).symbols]

    assert found[:4] == [(0, 0, "add"), (0, 1, "round"), (0, 2, "begin"), None]


def test_endless_number_in_a_symbol_is_no_function() -> None:
    """A number that no module can have is not converted: Python refuses very long ones."""
    image = Image(compiled("plain"))
    image[".strtab"].data = b"\0wasm[0]::function[" + b"9" * 5000 + b"]\0"
    image[".symtab"].data = bytes(24) + image.symbol(1, name=1)[".symtab"].data[24:48]

    artifact = read_artifact(image.lay_out().build())

    assert [symbol.function for symbol in artifact.symbols] == [None]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (b"\0asm\1\0\0\0", "it starts with `00 61 73 6d`"),
        (b"\x7fEL", "it starts with `7f 45 4c`"),
    ],
    ids=["empty", "wasm", "short"],
)
def test_other_files_are_named(data: bytes, reason: str) -> None:
    """What is no ELF file at all is A020, with the bytes that say so."""
    assert code_of(data) == ("A020", f"app.cwasm is not a .cwasm: not an ELF file, {reason}")


def damaged(**header: int) -> bytes:
    """Return a real artifact with other fields in its header."""
    fields = Image(compiled("plain")).header | header
    return struct.pack("<16sHHIQQQIHHHHHH", *fields.values()) + compiled("plain")[64:]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (compiled("plain")[:40], "ELF header cannot be decoded"),
        (b"\x7fELF\x09\x01\x01", "ELF header cannot be decoded"),
        (compiled("plain")[:-1], "section table ends at"),
        (damaged(shoff=1 << 63), "section table ends at"),
        (damaged(shnum=0xFFFF), "claims 65535 sections"),
        (damaged(shentsize=0), "section headers have 0 bytes"),
        (damaged(shstrndx=999), "section 999 should hold the names"),
    ],
    ids=["cut", "class", "last-byte", "far-table", "many", "no-entry", "no-names"],
)
def test_damage_is_named(data: bytes, words: str) -> None:
    """What is an ELF file but cannot be decoded is A021, with the reason."""
    code, message = code_of(data)

    assert code == "A021"
    assert words in message
    assert message.startswith("app.cwasm is damaged: ")


@pytest.mark.parametrize(
    ("section", "fields", "words"),
    [
        (".symtab", {"entsize": 0}, "in entries of 0"),
        (".symtab", {"size": 1 << 60}, "the symbol table ends at"),
        (".symtab", {"link": 99}, "from section 99"),
        (".strtab", {"offset": 1 << 60}, "the table of symbol names ends at"),
        (".strtab", {"size": 4}, "no name ends after"),
        (".shstrtab", {"size": 1 << 62}, "the table of section names ends at"),
        (".wasmtime.info", {"name_offset": 1 << 30}, "the name of section 10"),
    ],
    ids=["entries", "size", "link", "place", "short", "names", "name"],
)
def test_damaged_tables_are_named(section: str, fields: dict[str, int], words: str) -> None:
    """Tables that lead out of the file are A021."""
    image = Image(compiled("plain"))
    for field, value in fields.items():
        setattr(image[section], field, value)

    code, message = code_of(image.build())

    assert code == "A021"
    assert words in message


def test_names_that_overlap_without_end_are_refused() -> None:
    """Many symbols that share one long name would take quadratic work; they are A021."""
    image = Image(compiled("plain"))
    image[".strtab"].data = b"x" * 9999 + b"\0"
    image[".symtab"].data = bytes(24 * 100)

    code, message = code_of(image.lay_out().build())

    assert code == "A021"
    assert "the names are longer together than the table of symbol names allows" in message


def test_every_prefix_is_refused() -> None:
    """A file cut off anywhere is an error and nothing worse."""
    data = compiled("plain")

    for size in range(0, len(data), 37):
        assert code_of(data[:size])[0] in ("A020", "A021")


def test_garbage_is_refused_or_decoded() -> None:
    """Random damage to the header and the tables gives an artifact or a MochiError."""
    chance = random.Random(48)
    outcomes = set()
    for data in artifacts():
        table = Image(data).header["shoff"]
        for _ in range(15):
            raw = bytearray(data)
            for _ in range(chance.randrange(1, 8)):
                place = chance.choice([chance.randrange(64), chance.randrange(table, len(raw))])
                raw[place] = chance.choice([0, 0x7F, 0x80, 0xFF, chance.randrange(256)])
            try:
                outcomes.add(type(read_artifact(bytes(raw))))
            except MochiError as error:
                outcomes.add(error.diagnostics[0].code)

    assert outcomes == {Artifact, "A020", "A021"}


def test_hostile_sizes_take_no_memory() -> None:
    """A file that claims sections of exabytes is read in a few times its own size."""
    image = Image(compiled("plain"))
    for part in image.parts[1:-3]:
        part.size = 1 << 62
    data = image.build()
    read_artifact(data)

    tracemalloc.start()
    read_artifact(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 20 * len(data)


@pytest.mark.parametrize(
    ("flags", "letters"), [(0, "-"), (2, "A"), (6, "AX"), (0x41, "WI"), (0x802, "A+0x800")]
)
def test_flag_letters(flags: int, letters: str) -> None:
    """Section flags are shown as readelf shows them."""
    assert letters == flag_letters(flags)
