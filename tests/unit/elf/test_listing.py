"""Machine code joined with its WebAssembly and its source, for four architectures."""

from __future__ import annotations

import gzip
import random
import re
import sys
from functools import cache
from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import Fault, MochiError
from mochi_rules.compiler.driver import CompileRequest, compile_program
from mochi_rules.elf.listing.listing import Listing, read_listing
from mochi_rules.elf.listing.listing_text import render_listing
from mochi_rules.elf.read import read_artifact
from mochi_rules.wasm.reader.read_code import read_functions
from tests.needs import need

from .image import Image
from .making import compiled

GOLDEN = Path(__file__).parents[2] / "golden" / "objdump"
TRIPLES = sorted(path.name.removesuffix(".cwasm.gz") for path in GOLDEN.glob("*.gz"))
SOURCE = (GOLDEN / "fib.mochi").read_text(encoding="utf-8")
TEXTS = {"fib.mochi": SOURCE.splitlines()}


@cache
def stored(triple: str) -> bytes:
    """Return the artifact of the program for a target."""
    return gzip.decompress((GOLDEN / f"{triple}.cwasm.gz").read_bytes())


@cache
def made() -> tuple[bytes, bytes]:
    """Return the program's WebAssembly with lines, and its artifact with lines from the wheel."""
    import wasmtime

    request = CompileRequest("fib.mochi", {"fib.mochi": SOURCE}, debug_info=True)
    wasm = compile_program(request).wasm
    config = wasmtime.Config()
    config.parallel_compilation = False
    config.debug_info = True
    return wasm, bytes(wasmtime.Module(wasmtime.Engine(config), wasm).serialize())


def function(listing: Listing, name: str):
    """Return the function of a name."""
    [found] = [item for item in listing.functions() if item.name == name]
    return found


def show(listing: Listing, texts=None, **options) -> str:
    """Return a listing as text."""
    return "".join(render_listing(listing, listing.functions(), texts or {}, **options))


@pytest.mark.parametrize("triple", TRIPLES)
def test_listing_of_a_stored_artifact(triple, golden) -> None:
    """Heading, source lines, addresses, bytes and instructions of a function, as they were."""
    listing = read_listing(stored(triple), "fib.cwasm")
    text = "".join(render_listing(listing, [function(listing, "fib")], TEXTS))

    golden(GOLDEN / f"{triple}.txt", text)


@pytest.mark.parametrize("triple", TRIPLES)
def test_bytes_are_those_of_the_code(triple) -> None:
    """The rows of a function follow each other without a gap, and hold the code's own bytes."""
    code = Image(stored(triple))[".text"].data
    listing = read_listing(stored(triple), "fib.cwasm")

    assert len(list(listing.functions())) > 20
    for item in listing.functions():
        address = next(item.rows()).instruction.address
        for row in item.rows():
            assert row.instruction.address == address
            address += len(row.instruction.data)
            assert code[row.instruction.address : address] == row.instruction.data


@pytest.mark.parametrize("triple", TRIPLES)
def test_nearly_everything_is_an_instruction(triple) -> None:
    """The disassembler is set up for the machine: only constants and traps are bare bytes."""
    rows = [row for item in read_listing(stored(triple), "x").functions() for row in item.rows()]
    bare = [row for row in rows if row.instruction.mnemonic.startswith(".")]

    assert len(bare) < len(rows) / 50


@pytest.mark.parametrize("triple", TRIPLES)
def test_lines_are_those_of_the_source(triple) -> None:
    """A function has its own lines; what comes from no source has none."""
    listing = read_listing(stored(triple), "fib.cwasm")
    lines = {row.place.line for row in function(listing, "fib").rows() if row.place}

    assert lines == {2, 5}
    assert listing.files[function(listing, "main").place.file] == "fib.mochi"
    assert function(listing, "main").place.line == 8
    assert function(listing, "print_int").place is None


def test_both_ways_to_a_line_agree() -> None:
    """The lines by way of the WebAssembly are those of the machine code's own table."""
    wasm, artifact = made()
    own, joined = read_listing(artifact, "x"), read_listing(artifact, "x", wasm)
    pairs = [
        (a.place.line, b.place.line)
        for one, other in zip(own.functions(), joined.functions(), strict=True)
        for a, b in zip(one.rows(), other.rows(), strict=True)
        if a.place and b.place
    ]

    assert len(pairs) > 20
    assert [a for a, _ in pairs] == [b for _, b in pairs]


def test_origins_lie_in_the_function_of_the_same_index() -> None:
    """What an instruction was made of is in the body of its own function in the WebAssembly."""
    wasm, artifact = made()
    bodies = {item.index: item for item in read_functions(wasm)}
    for item in read_listing(artifact, "x", wasm).functions():
        body = bodies[item.index]
        found = [row.origin for row in item.rows() if row.origin is not None]
        assert found
        assert all(body.start <= origin < body.end for origin in found)
        assert set(found) & set(body.offsets)


def test_artifact_without_lines() -> None:
    """Missing lines are not damage, and the code is still shown."""
    listing = read_listing(compiled("many"), "many.cwasm")

    assert (listing.has_lines, listing.damage, len(list(listing.functions()))) == (False, "", 400)


def test_calls_name_their_function() -> None:
    """The operand of a call says which function lies there."""
    rows = function(read_listing(stored(TRIPLES[-1]), "x"), "fib").rows()

    assert sum(row.instruction.operands.endswith(" <fib>") for row in rows) == 2


def test_color_is_only_added() -> None:
    """With color, the text is the same between the marks."""
    listing = read_listing(stored(TRIPLES[0]), "x")
    plain, colored = show(listing, TEXTS), show(listing, TEXTS, color=True)

    assert colored != plain
    assert re.sub("\x1b\\[[0-9;]*m", "", colored) == plain


def test_source_that_is_not_there_is_named() -> None:
    """Without its text, a line is its file and its number."""
    text = show(read_listing(stored(TRIPLES[0]), "x"))

    assert "  ; fib.mochi:5\n" in text


def test_name_of_a_file_cannot_steer_the_terminal() -> None:
    """What is not printable in a foreign artifact is shown as an escape."""
    data = stored(TRIPLES[-1]).replace(b"fib.mochi\0", b"fib\x1b[2Jhi\0", 2)
    text = show(read_listing(data, "x"))

    assert "\x1b" not in text
    assert "fib\\x1b[2Jhi:2" in text


@pytest.mark.parametrize("size", [0, 3, 64, 1000, 5000, 20000])
def test_truncated_artifact_is_refused(size) -> None:
    """An artifact that ends too early is an error with a code."""
    with pytest.raises(MochiError) as caught:
        read_listing(stored("x86_64-unknown-linux-gnu")[:size], "fib.cwasm")

    assert caught.value.diagnostics[0].code in ("A020", "A021")


@pytest.mark.slow
def test_damaged_artifacts_are_shown_or_refused() -> None:
    """With bytes changed anywhere outside of the code, there is a listing or our error."""
    good = stored("x86_64-unknown-linux-gnu")
    code = Image(good)[".text"]
    chance = random.Random(1)
    for _ in range(60):
        data = bytearray(good)
        for _ in range(3):
            place = chance.randrange(len(data) - len(code.data))
            data[place if place < 4096 else place + len(code.data)] = chance.randrange(256)
        try:
            show(read_listing(bytes(data), "x"))
        except MochiError as error:
            assert error.exit_status == Fault.INPUT.value  # noqa: PT017 - one of two outcomes


def test_call_through_memory_names_nothing() -> None:
    """Damaged code may call through an address that only looks like a function's."""
    good = stored("x86_64-unknown-linux-gnu")
    symbol = next(item for item in read_artifact(good).symbols if item.function)
    start = Image(good)[".text"].offset + symbol.value
    call = bytes.fromhex("ff1510000000")  # call qword ptr [rip + 0x10]

    listing = read_listing(good[:start] + call + good[start + len(call) :], "x")

    shown = show(listing)
    assert "call    qword ptr [rip + 0x10]\n" in shown


def test_damaged_lines_are_reported() -> None:
    """A line table that cannot be read leaves the code, and the reason."""
    good = stored("x86_64-unknown-linux-gnu")
    lines = Image(good)[".debug_line"].data
    listing = read_listing(good.replace(lines, b"\x60\0\0\0\x09" + lines[5:]), "x")

    assert (listing.has_lines, any(listing.functions())) == (False, True)
    assert "version 9 of DWARF" in listing.damage


def test_damaged_address_map_is_refused() -> None:
    """An address map that cannot be read is an error."""
    good = stored("x86_64-unknown-linux-gnu")
    entries = Image(good)[".wasmtime.addrmap"].data

    with pytest.raises(MochiError, match=r"x is damaged: in its address map, it claims"):
        read_listing(good.replace(entries, b"\xff" * 8 + entries[8:]), "x")


def test_other_elf_files_are_refused() -> None:
    """A program of the machine itself is not an artifact."""
    with pytest.raises(MochiError, match=r"is not a \.cwasm, and contains none"):
        read_listing(Path(sys.executable).resolve().read_bytes(), "python")


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        (lambda data: data.replace(b"\0.text\0", b"\0.tixt\0"), "A026", "has no code"),
        (lambda data: data[:18] + b"\x28\0" + data[20:], "A029", "an unknown machine, `EM_ARM`"),
    ],
)
def test_code_that_nobody_can_read(change, code, reason) -> None:
    """Without code, or with that of another machine, the error says so."""
    with pytest.raises(MochiError, match=reason) as caught:
        read_listing(change(stored("x86_64-unknown-linux-gnu")), "x")

    assert caught.value.diagnostics[0].code == code


def test_without_a_disassembler(monkeypatch) -> None:
    """Without capstone and without a `wasmtime` command, the error is one command to type."""
    monkeypatch.setitem(sys.modules, "capstone", None)
    monkeypatch.setenv("PATH", "")

    with pytest.raises(MochiError) as caught:
        read_listing(stored(TRIPLES[0]), "x")

    [found] = caught.value.diagnostics
    assert (found.code, found.fault) == ("C020", Fault.ENVIRONMENT)
    assert found.help == "run `pip install 'capstone>=5,<6'`"


def test_pulley_needs_the_command(monkeypatch) -> None:
    """Capstone does not know Pulley: the error names what does."""
    monkeypatch.setenv("PATH", "")

    with pytest.raises(MochiError, match="only the command `wasmtime objdump`") as caught:
        read_listing(compiled("pulley"), "x")

    assert caught.value.diagnostics[0].code == "C020"


def test_command_stands_in(monkeypatch, tmp_path) -> None:
    """Without capstone, what a `wasmtime objdump` prints is read: addresses, bytes, texts."""
    rows = [
        row for item in read_listing(stored(TRIPLES[-1]), "x").functions() for row in item.rows()
    ]
    printed = [
        f"    {row.instruction.address:>6x}: {row.instruction.data.hex(' ')}   "
        f"     {row.instruction.mnemonic}   one, two"
        for row in rows
    ]
    (tmp_path / "printed").write_text("00000000 wasm[0]::function[9]:\n" + "\n".join(printed))
    command = tmp_path / "wasmtime"
    command.write_text(
        f'#!/bin/sh\necho "$@" >{tmp_path}/asked\n'
        f"/bin/cat >/dev/null\n/bin/cat {tmp_path}/printed\n"
    )
    command.chmod(0o755)
    monkeypatch.setitem(sys.modules, "capstone", None)
    monkeypatch.setenv("PATH", str(tmp_path))

    listing = read_listing(stored(TRIPLES[-1]), "x")

    found = [row for item in listing.functions() for row in item.rows()]
    assert [row.instruction[:3] for row in found] == [row.instruction[:3] for row in rows]
    assert {row.instruction.operands for row in found} == {"one, two"}
    asked = (tmp_path / "asked").read_text()
    assert asked == "objdump --addresses --bytes --funcs=all --color=never -\n"


@pytest.mark.slow
@pytest.mark.parametrize("triple", TRIPLES)
def test_command_and_capstone_agree(triple, monkeypatch) -> None:
    """The `wasmtime` command finds the same code in a function, cut in pieces nearly alike."""
    need("wasmtime")
    own = list(function(read_listing(stored(triple), "x"), "main").rows())
    monkeypatch.setitem(sys.modules, "capstone", None)
    other = list(function(read_listing(stored(triple), "x"), "main").rows())

    assert _code(own) == _code(other)
    starts = [{row.instruction.address for row in rows} for rows in (own, other)]
    assert len(starts[0] ^ starts[1]) <= 2


def _code(rows) -> bytes:
    return b"".join(row.instruction.data for row in rows)
