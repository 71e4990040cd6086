"""The structural check of an executable that a linker made of a program."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.binary import EXECUTABLE, Binary, identify
from mochi_rules.aot.executable.macho_insert import check_signed
from mochi_rules.base.diagnostic import fail
from mochi_rules.formats import elf
from mochi_rules.formats.macho import read_image

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.platforms.platform import Platform


def require_sound_linked(platform: Platform, data: bytes) -> None:
    """Check that a linked program is one of the platform, and starts there.

    Under Linux it is static. Under macOS its signature fits to every page.

    Emits: A106 (damaged, or not signed), A111 (a wrong signature), A122 (another kind of file).

    Raises:
        MochiError: The platform would not run it.
    """
    wanted, found = Binary(platform.system.object_format, EXECUTABLE, platform.cpu), identify(data)
    if found != wanted:
        raise _unexpected(platform, f"is {found or 'not machine code'}, expected {wanted}")
    if wanted.format == "elf" and _has_interpreter(data):
        raise _unexpected(platform, "is linked dynamically, expected a static executable")
    if wanted.format == "macho":
        check_signed(read_image(data))


def _has_interpreter(data: bytes) -> bool:
    """Return whether an ELF file needs a program that loads its libraries."""
    mark = ">" if elf.ORDERS[data[5]] == "big" else "<"
    header = struct.unpack_from(mark + elf.HEADER, data, elf.IDENT_SIZE)
    start, size, count = header[4], header[8], header[9]
    kinds = (struct.unpack_from(mark + "I", data, start + at * size)[0] for at in range(count))
    return elf.INTERPRETER in kinds


def _unexpected(platform: Platform, what: str) -> MochiError:
    help_ = f"use a C compiler that links for `{platform.name}`"
    return fail("A122", f"the linked program {what}", help=help_)
