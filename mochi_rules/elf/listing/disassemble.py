"""Machine code as text: by capstone, or else by the `wasmtime` command."""

from __future__ import annotations

import mmap
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import takewhile
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, NamedTuple

from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Collection

    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.elf.artifact import Artifact

_PULLEY = 0xC  # bits of e_flags
_INSTALL = "pip install 'capstone>=5,<6'"
_ROW = re.compile(rb"^ *([0-9a-f]+): ((?:[0-9a-f]{2} )+) *(\S+) *(.*)", re.MULTILINE)
_AT_ONCE = 1024  # instructions: capstone takes some 250 bytes for each
_LONGEST = 16  # bytes of an instruction, on any machine


class Instruction(NamedTuple):
    """An instruction; `address` is the offset in the code. What is none is `.byte`."""

    address: int
    data: bytes
    mnemonic: str
    operands: str


Disassembler = Callable[[int, int], Iterator[Instruction]]


def find_disassembler(artifact: Artifact, starts: Collection[int]) -> Disassembler:
    """Return what decodes the code between two offsets, instruction by instruction.

    The first of the two must be one of `starts`.

    Emits: A026 (no code), A029 (unknown machine), C020 (nothing to disassemble with).

    Raises:
        MochiError: There is nothing to disassemble, or nothing that does it.
    """
    section = artifact.section(".text")
    if section is None:
        raise fail("A026", "the artifact has no code", help="compile it again")
    engine = _capstone(artifact)
    if engine is None:
        return _by_command(artifact, starts)
    return _by_capstone(engine, artifact.content(section))


def _by_capstone(engine: Any, code: bytes) -> Disassembler:
    def decode(start: int, end: int) -> Iterator[Instruction]:
        position, start = start, -1
        while start < position < end:
            start = position
            part = code[start : min(end, start + _AT_ONCE * _LONGEST)]
            for address, size, mnemonic, operands in engine.disasm_lite(part, start, _AT_ONCE):
                position = address + size
                yield Instruction(address, code[address:position], mnemonic, operands)

    return decode


def _capstone(artifact: Artifact) -> Any:
    """Return a disassembler for the machine; None where it is not installed, or knows it not."""
    try:
        import capstone  # noqa: PLC0415 - an extra, and of this only
    except ImportError:
        return None
    if _is_pulley(artifact):
        return None
    machine = artifact.header.machine
    names = next((row.capstone for row in ARCHITECTURES if row.elf_name == machine), None)
    if names is None:
        raise fail("A029", f"the artifact is for an unknown machine, `{machine}`")
    architecture, *modes = (getattr(capstone, name) for name in names)
    engine = capstone.Cs(architecture, sum(modes))
    engine.skipdata = True  # constants lie among the code
    return engine


def _is_pulley(artifact: Artifact) -> bool:
    """Only Wasmtime gives the flags this meaning: elsewhere, those of RISC-V are the ABI."""
    is_artifact = artifact.section(".wasmtime.engine") is not None
    return is_artifact and bool(artifact.header.flags & _PULLEY)


def _by_command(artifact: Artifact, starts: Collection[int]) -> Disassembler:
    command = shutil.which("wasmtime")
    if command is None:
        raise _nothing(artifact)
    words = [command, "objdump", "--addresses", "--bytes", "--funcs=all", "--color=never", "-"]
    with TemporaryFile() as file:
        # Of an artifact with debug information, version 48 prints all functions and then panics.
        subprocess.run(
            words, input=artifact.data, stdout=file, stderr=subprocess.DEVNULL, check=False
        )
        if not file.seek(0, os.SEEK_END):
            raise _nothing(artifact)
        printed = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    wanted = frozenset(starts)
    places = {address: row.start() for row in _ROW.finditer(printed)
              if (address := int(row[1], 16)) in wanted}  # fmt: skip
    if wanted - places.keys():
        raise _nothing(artifact)

    def decode(start: int, end: int) -> Iterator[Instruction]:
        rows = map(_parse, _ROW.finditer(printed, places[start]))
        return takewhile(lambda row: start <= row.address < end, rows)

    return decode


def _parse(row: re.Match[bytes]) -> Instruction:
    address, data, mnemonic, operands = row.groups()
    return Instruction(
        int(address, 16), bytes.fromhex(data.decode()), mnemonic.decode(), operands.decode().strip()
    )


def _nothing(artifact: Artifact) -> MochiError:
    """Make the error of a machine that cannot disassemble.

    Emits: C020.
    """
    if _is_pulley(artifact):
        message = "only the command `wasmtime objdump` disassembles Pulley's instructions"
        return environment_error("C020", message, help="put `wasmtime` on the PATH")
    message = "no disassembler is installed: neither `capstone` nor a `wasmtime` command"
    return environment_error("C020", message, help=f"run `{_INSTALL}`")
