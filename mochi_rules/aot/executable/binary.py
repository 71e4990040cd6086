"""What a file of machine code is, in the words of a message: format, role and architecture."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.formats import coff, elf, macho
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mochi_rules.platforms.platform import Platform

_NO_CODE = "not machine code"
EXECUTABLE, LIBRARY, OBJECT = "executable", "library", "object"

_FORMATS = {"elf": "ELF", "coff": "PE", "macho": "Mach-O"}
_ELF_MAGIC = elf.MAGIC + bytes([elf.CLASS_64])
_ELF_CPUS = {(row.elf_machine, row.endianness): row.name for row in ARCHITECTURES}
_PE_CPUS = {row.coff_machine: row.name for row in ARCHITECTURES}
_MACHO_CPUS = {row.macho_cpu[0]: row.name for row in ARCHITECTURES if row.macho_cpu}
_MACHO_ROLES: Mapping[int, str] = {
    macho.OBJECT: OBJECT,
    macho.EXECUTABLE: EXECUTABLE,
    macho.LIBRARY: LIBRARY,
}
_UNIVERSAL_MAGICS = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")


@dataclass(frozen=True, slots=True)
class Binary:
    """What a file is. `format` is as in System.object_format; what is unknown is empty."""

    format: str
    role: str
    cpu: str

    def __str__(self) -> str:
        """Return such as "an ELF executable for `x86_64`"."""
        name = _FORMATS.get(self.format, self.format)
        article = "an" if name == "ELF" else "a"
        cpu = f"for `{self.cpu}`" if self.cpu else "for another architecture"
        return f"{article} {name} {self.role or 'file'} {cpu}"


def check_binary(what: str, platform: Platform, role: str, data: bytes) -> None:
    """Check that a file has the format, role and architecture of a platform, and is whole.

    `what` names it in messages, such as "launcher".

    Emits: A106 (damaged or cut off), A107 (of another platform or role).

    Raises:
        MochiError: It is not.
    """
    wanted = Binary(platform.system.object_format, role, platform.cpu)
    found = identify(data)
    if found == wanted:
        return
    hint = f"give the {what} that was built for `{platform.name}`"
    if data.startswith(_UNIVERSAL_MAGICS):
        hint = f"take one architecture out of it: `lipo -thin {platform.cpu}`"
    raise fail(
        "A107",
        f"the {what} is {found or _NO_CODE}, and `{platform.name}` needs {wanted}",
        help=hint,
    )


def identify(data: bytes) -> Binary | None:
    """Return what a file is, or None where its format is none of ours.

    Emits: A106.

    Raises:
        MochiError: The file is damaged, or ends before its headers say.
    """
    if data.startswith(_UNIVERSAL_MAGICS):
        return Binary("universal Mach-O", "", "")
    try:
        if data.startswith(_ELF_MAGIC):
            return _identify_elf(data)
        if data.startswith(coff.DOS_MAGIC):
            return _identify_pe(data)
    except (struct.error, OverflowError):
        raise fail(
            "A106", "the file ends before its headers do", help="build or copy it again"
        ) from None
    if data.startswith(macho.MAGIC):
        header = macho.read_image(data).header
        return Binary("macho", _MACHO_ROLES.get(header[3], ""), _MACHO_CPUS.get(header[1], ""))
    return None


def _identify_elf(data: bytes) -> Binary:
    order = elf.ORDERS.get(data[5], "") if len(data) > 5 else ""
    mark = ">" if order == "big" else "<"
    header = struct.unpack_from(mark + elf.HEADER, data, elf.IDENT_SIZE)
    kind, machine, _, entry, programs, sections, _, _, size, count = header[:10]
    section_size, section_count, _ = header[10:]
    starts = (programs + index * size for index in range(count))
    rows = (struct.unpack_from(mark + elf.PROGRAM, data, start) for start in starts)
    _check_whole(data, (row[2] + row[5] for row in rows))
    _check_whole(data, [sections + section_size * section_count])
    # A program that may lie anywhere is a shared object too; a library has no entry.
    is_program = kind == elf.EXECUTABLE or (kind == elf.SHARED and entry != 0)
    roles = {elf.RELOCATABLE: OBJECT, elf.SHARED: LIBRARY}
    role = EXECUTABLE if is_program else roles.get(kind, "")
    return Binary("elf", role, _ELF_CPUS.get((machine, order), ""))


def _identify_pe(data: bytes) -> Binary:
    (start,) = coff.NUMBER.unpack_from(data, coff.PE_OFFSET_AT)
    header_at = start + len(coff.PE_MAGIC)
    machine, count, _, _, _, optional_size, flags = coff.HEADER.unpack_from(data, header_at)
    optional_at = header_at + coff.HEADER.size
    (kind,) = struct.unpack_from("<H", data, optional_at)
    if data[start:header_at] != coff.PE_MAGIC or kind != coff.PE_64:
        return Binary("coff", "", "")
    table = optional_at + optional_size
    starts = (table + index * coff.SECTION.size for index in range(count))
    rows = (coff.SECTION.unpack_from(data, start) for start in starts)
    _check_whole(data, (row[3] + row[4] for row in rows))
    role = LIBRARY if flags & coff.LIBRARY else EXECUTABLE
    return Binary("coff", role, _PE_CPUS.get(machine, ""))


def _check_whole(data: bytes, ends: Iterable[int]) -> None:
    if max(ends, default=0) > len(data):
        raise struct.error
