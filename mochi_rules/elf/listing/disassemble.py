"""Machine code as text: by capstone, or else by the `wasmtime` command."""

from __future__ import annotations

import re
import shutil
import subprocess
from bisect import bisect_left
from typing import TYPE_CHECKING, Any, NamedTuple

from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.elf.artifact import Artifact

_PULLEY = 0xC  # bits of e_flags
_INSTALL = "pip install 'capstone>=5,<6'"
_ROW = re.compile(rb" *([0-9a-f]+): ((?:[0-9a-f]{2} )+) *(\S+) *(.*)")


class Instruction(NamedTuple):
    """An instruction; `address` is the offset in the code. What is none is `.byte`."""

    address: int
    data: bytes
    mnemonic: str
    operands: str


def disassemble(
    artifact: Artifact, ranges: Sequence[tuple[int, int]]
) -> list[tuple[Instruction, ...]]:
    """Return the instructions of each range, a start and an end in the code.

    Emits: A026 (no code), A029 (unknown machine), C020 (nothing to disassemble with).

    Raises:
        MochiError: There is nothing to disassemble, or nothing that does it.
    """
    section = artifact.section(".text")
    if section is None:
        raise fail("A026", "the artifact has no code", help="compile it again")
    capstone = _capstone(artifact)
    if capstone is None:
        return _by_command(artifact, ranges)
    code = artifact.content(section)
    return [
        tuple(
            Instruction(address, code[address : address + size], mnemonic, operands)
            for address, size, mnemonic, operands in capstone.disasm_lite(code[start:end], start)
        )
        for start, end in ranges
    ]


def _capstone(artifact: Artifact) -> Any:
    """Return a disassembler for the machine; None where it is not installed, or knows it not."""
    try:
        import capstone  # noqa: PLC0415 - an extra, and of this only
    except ImportError:
        return None
    if artifact.header.flags & _PULLEY:
        return None
    machine = artifact.header.machine
    names = next((row.capstone for row in ARCHITECTURES if row.elf_name == machine), None)
    if names is None:
        raise fail("A029", f"the artifact is for an unknown machine, `{machine}`")
    architecture, *modes = (getattr(capstone, name) for name in names)
    engine = capstone.Cs(architecture, sum(modes))
    engine.skipdata = True  # constants lie among the code
    return engine


def _by_command(
    artifact: Artifact, ranges: Sequence[tuple[int, int]]
) -> list[tuple[Instruction, ...]]:
    command = shutil.which("wasmtime")
    if command is None:
        raise _nothing(artifact)
    words = [command, "objdump", "--addresses", "--bytes", "--funcs=all", "--color=never", "-"]
    # Of an artifact with debug information, version 48 prints all functions and then panics.
    printed = subprocess.run(words, input=artifact.data, capture_output=True, check=False).stdout
    rows = sorted(_parse(line) for line in printed.splitlines() if _ROW.match(line))
    found = [
        tuple(rows[bisect_left(rows, (start,)) : bisect_left(rows, (end,))])
        for start, end in ranges
    ]
    if not all(found):
        raise _nothing(artifact)
    return found


def _parse(line: bytes) -> Instruction:
    match = _ROW.match(line)
    assert match is not None
    address, data, mnemonic, operands = match.groups()
    return Instruction(
        int(address, 16), bytes.fromhex(data.decode()), mnemonic.decode(), operands.decode().strip()
    )


def _nothing(artifact: Artifact) -> MochiError:
    """Make the error of a machine that cannot disassemble.

    Emits: C020.
    """
    if artifact.header.flags & _PULLEY:
        message = "only the command `wasmtime objdump` disassembles Pulley's instructions"
        return environment_error("C020", message, help="put `wasmtime` on the PATH")
    message = "no disassembler is installed: neither `capstone` nor a `wasmtime` command"
    return environment_error("C020", message, help=f"run `{_INSTALL}`")
