"""What a file of machine code is, in the words of a message: format, role and architecture."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.macho import MAGIC as MACHO_MAGIC
from mochi_rules.aot.executable.macho import read_image
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.platforms.platform import PLATFORMS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from mochi_rules.platforms.platform import Platform

_NO_CODE = "not a file of machine code"
EXECUTABLE, LIBRARY, OBJECT = "executable", "library", "object"

_FORMATS = {"elf": "ELF", "coff": "PE", "macho": "Mach-O"}
_ELF_MAGIC = b"\x7fELF\x02"
_ELF_ORDERS = {1: "little", 2: "big"}
_ELF_CPUS = {(row.elf_machine, row.endianness): row.cpu for row in PLATFORMS}
_ELF_OBJECT, _ELF_EXECUTABLE, _ELF_SHARED = 1, 2, 3

_PE_CPUS = {0x8664: "x86_64", 0xAA64: "aarch64"}
_PE_64 = 0x20B
_PE_LIBRARY = 0x2000  # IMAGE_FILE_DLL

_MACHO_CPUS = {0x0100_0007: "x86_64", 0x0100_000C: "aarch64"}
_MACHO_ROLES: Mapping[int, str] = {1: OBJECT, 2: EXECUTABLE, 6: LIBRARY}
_UNIVERSAL_MAGICS = (b"\xca\xfe\xba\xbe", b"\xca\xfe\xba\xbf")


@dataclass(frozen=True, slots=True)
class Binary:
    """What a file is. `format` is as in Platform.object_format; what is unknown is empty."""

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
    wanted = Binary(platform.object_format, role, platform.cpu)
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
        if data.startswith(b"MZ"):
            return _identify_pe(data)
    except (struct.error, OverflowError):
        raise fail(
            "A106", "the file ends before its headers do", help="build it, or copy it, again"
        ) from None
    if data.startswith(MACHO_MAGIC):
        header = read_image(data).header
        return Binary("macho", _MACHO_ROLES.get(header[3], ""), _MACHO_CPUS.get(header[1], ""))
    return None


def _identify_elf(data: bytes) -> Binary:
    """Source: ELF gABI 4.2, Elf64_Ehdr and Elf64_Phdr."""
    order = _ELF_ORDERS.get(data[5], "") if len(data) > 5 else ""
    mark = ">" if order == "big" else "<"
    kind, machine, _, entry, programs, sections = struct.unpack_from(f"{mark}HHIQQQ", data, 16)
    size, count, section_size, section_count = struct.unpack_from(f"{mark}HHHH", data, 54)
    headers = (struct.unpack_from(f"{mark}IIQQQQ", data, programs + i * size) for i in range(count))
    _check_whole(data, (offset + length for _, _, offset, _, _, length in headers))
    _check_whole(data, [sections + section_size * section_count])
    # A program that may lie anywhere is a shared object too; a library has no entry.
    is_program = kind == _ELF_EXECUTABLE or (kind == _ELF_SHARED and entry != 0)
    roles = {_ELF_OBJECT: OBJECT, _ELF_SHARED: LIBRARY}
    role = EXECUTABLE if is_program else roles.get(kind, "")
    return Binary("elf", role, _ELF_CPUS.get((machine, order), ""))


def _identify_pe(data: bytes) -> Binary:
    """Source: PE Format of Microsoft, `COFF File Header` and `Section Table`."""
    (start,) = struct.unpack_from("<I", data, 0x3C)
    fields = struct.unpack_from("<4sHHIIIHHH", data, start)
    magic, machine, count, _, _, _, optional_size, flags, kind = fields
    if magic != b"PE\0\0" or kind != _PE_64:
        return Binary("coff", "", "")
    table = start + 24 + optional_size
    sections = (struct.unpack_from("<8sIIII", data, table + i * 40) for i in range(count))
    _check_whole(data, (offset + size for _, _, _, size, offset in sections))
    role = LIBRARY if flags & _PE_LIBRARY else EXECUTABLE
    return Binary("coff", role, _PE_CPUS.get(machine, ""))


def _check_whole(data: bytes, ends: Iterable[int]) -> None:
    if max(ends, default=0) > len(data):
        raise struct.error
