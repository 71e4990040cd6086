"""The front of the object formats: some bytes become an object of a platform's own format.

Any language links it. In C: `extern const unsigned char app_start[], app_end[];`. There is no
third symbol for the size: as an absolute symbol it would break position-independent programs, and
the difference of the two is the same. A shared library gives the data out by a function of its own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.aot.objects.coff import write_coff
from mochi_rules.aot.objects.elf import write_elf
from mochi_rules.aot.objects.macho import write_macho
from mochi_rules.aot.objects.payload import Payload
from mochi_rules.base.diagnostic import fail

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.platforms.platform import Platform

# COFF has 32 bits for sizes and offsets; leave room for what stands around the bytes.
MAX_PAYLOAD = (1 << 32) - (1 << 16)
ALIGNMENTS = tuple(1 << power for power in range(4, 13))

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_WRITERS: Mapping[str, Callable[[Platform, Payload], bytes]] = {
    "elf": write_elf,
    "macho": write_macho,
    "coff": write_coff,
}


def write_object(
    platform: Platform, symbol_base: str, payload: bytes, alignment: int = 16
) -> bytes:
    """Return an object with `payload` as read-only data from `<symbol_base>_start` to `_end`.

    The same arguments give the same bytes.

    Args:
        platform: Its object format, machine and byte order are the object's.
        symbol_base: A C identifier.
        payload: At most MAX_PAYLOAD bytes; on s390x an even number of them, as every symbol of
            its ABI is at an even address.
        alignment: In bytes, one of ALIGNMENTS.

    Emits: A090 (no identifier), A091 (alignment), A092 (size).

    Raises:
        MochiError: An argument is out of its range.
    """
    if not _IDENTIFIER.fullmatch(symbol_base):
        suggestion = re.sub(r"\W", "_", symbol_base, flags=re.ASCII)
        suggestion = f"_{suggestion}" if suggestion[:1].isdigit() else suggestion or "app"
        raise fail(
            "A090",
            f"`{symbol_base}` is not a C identifier, so no symbol can be named after it",
            help=f"write `{suggestion}`",
        )
    if alignment not in ALIGNMENTS:
        raise fail(
            "A091",
            f"the alignment must be a power of two from 16 to 4096, got `{alignment}`",
            help="leave it out: the default is 16",
        )
    if len(payload) > MAX_PAYLOAD:
        raise fail("A092", f"{len(payload)} bytes do not fit in an object of `{platform.name}`")
    if len(payload) % platform.architecture.symbol_alignment:
        message = f"{len(payload)} bytes end at an odd address, where {platform.cpu} has no symbols"
        raise fail("A092", message)
    write = _WRITERS[platform.system.object_format]
    return write(platform, Payload(symbol_base, payload, alignment))
