"""The smallest launchers of every format, and artifacts as far as their first bytes go."""

from __future__ import annotations

import struct

from mochi_rules.formats.code_signature import Signer
from mochi_rules.platforms.platform import PLATFORMS, find_platform

LINUX = find_platform("x86_64-linux")
WINDOWS = find_platform("x86_64-windows")
MACOS = find_platform("aarch64-macos")
ALL = PLATFORMS

PE_MACHINES = {"x86_64": 0x8664, "aarch64": 0xAA64}
MACHO_CPUS = {"x86_64": (0x0100_0007, 3), "aarch64": (0x0100_000C, 0)}
CODE = b"\xcc" * 64


def make_artifact(platform, *, version="48", target=None, flags=1, size=5000):
    """Return what begins as an artifact does; it ends in bytes that depend on their place."""
    order = ">" if platform.architecture.endianness == "big" else "<"
    ident = b"\x7fELF\x02" + (b"\x02" if order == ">" else b"\x01") + b"\x01\xc8"
    fields = struct.pack(
        f"{order}8xHHIQQQI12x", 1, platform.architecture.elf_machine, 1, 0, 0, 0, flags
    )
    texts = b"\0"
    for text in (version, target or platform.triple):
        texts += bytes([len(text)]) + text.encode()
    return (ident + fields + texts).ljust(size, b"\x5a")


def make_launcher(platform, **options):
    """Return a launcher of the platform's format."""
    makers = {"elf": make_elf, "coff": make_pe, "macho": make_macho}
    return makers[platform.system.object_format](platform, **options)


def make_elf(platform, *, kind=2, entry=0x400080):
    """Return an ELF file of one segment; an executable, unless another kind is given."""
    order = ">" if platform.architecture.endianness == "big" else "<"
    ident = b"\x7fELF\x02" + (b"\x02" if order == ">" else b"\x01") + b"\x01" + bytes(9)
    fields = (kind, platform.architecture.elf_machine, 1, entry, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    header = ident + struct.pack(f"{order}HHIQQQIHHHHHH", *fields)
    size = 64 + 56 + len(CODE)
    program = struct.pack(f"{order}IIQQQQQQ", 1, 5, 0, 0x400000, 0x400000, size, size, 4096)
    return header + program + CODE


def make_pe(platform, *, flags=0x22):
    """Return a PE file of one section."""
    dos = b"MZ" + bytes(58) + struct.pack("<I", 64)
    machine = PE_MACHINES[platform.cpu]
    header = struct.pack("<4sHHIIIHH", b"PE\0\0", machine, 1, 0, 0, 0, 240, flags)
    optional = struct.pack("<H", 0x20B) + bytes(238)
    section = struct.pack("<8sIIIIIIHHI", b".text", 64, 4096, 512, 512, 0, 0, 0, 0, 0x6000_0020)
    return (dos + header + optional + section).ljust(512, b"\0") + CODE.ljust(512, b"\0")


def segment(name, memory, file, protection, sections=()):
    """Return the load command of a segment; memory and file are (address, size) of each.

    A section is (name, address, size, offset).
    """
    data = struct.pack(
        "<II16sQQQQIIII", 0x19, 72 + 80 * len(sections), name, *memory, *file,
        protection, protection, len(sections), 0,
    )  # fmt: skip
    for title, *place in sections:
        data += struct.pack("<16s16sQQIIIIIIII", title, name, *place, 2, 0, 0, 0, 0, 0, 0)
    return data


def chained_fixups(segments=4):
    """Return fixups of one pointer in the third segment, whose page is the first."""
    starts = 24 if segments == 4 else 32
    header = struct.pack("<7I", 0, 32, 32 + starts + 24, 32 + starts + 24, 0, 1, 0) + bytes(4)
    numbers = [0, 0, starts] + [0] * (segments - 3)
    listed = struct.pack(f"<{segments + 1}I", segments, *numbers).ljust(starts, b"\0")
    # size, page size, 64-bit offsets, segment's offset, no limit, one page, which starts at 0
    pages = struct.pack("<IHHQIHH", 24, 0x4000, 6, 0x4000, 0, 1, 0)
    return header + listed + pages + bytes(8)  # no imports, an empty pool of names


def make_macho(platform, *, room=0x1000, filetype=2, chained=True, signed=True, extra=b""):
    """Return a Mach-O executable of four segments, which dyld's checks let pass.

    `room` is the offset of the first section, `extra` a load command more.
    """
    page, base = 0x4000, 1 << 32
    cpu = MACHO_CPUS[platform.cpu]
    fixups = chained_fixups() if chained else b""
    strings = b"\0_main\0".ljust(16, b"\0")
    tables = fixups + struct.pack("<IBBHQ", 1, 0x0F, 1, 0, base + room) + strings
    tables += bytes(-len(tables) % 16 if signed else 0)
    symbols_at = 2 * page + len(fixups)
    size = 2 * page + len(tables)
    signer = Signer(b"launcher", size, page)
    end = size + (signer.size if signed else 0)
    text = [(b"__text", base + room, len(CODE), room)]
    data = [(b"__data", base + page, 8, page)]
    commands = [
        segment(b"__PAGEZERO", (0, base), (0, 0), 0),
        segment(b"__TEXT", (base, page), (0, page), 5, text),
        segment(b"__DATA", (base + page, page), (page, page), 3, data),
        segment(b"__LINKEDIT", (base + 2 * page, page), (2 * page, end - 2 * page), 1),
        struct.pack("<6I", 0x2, 24, symbols_at, 1, symbols_at + 16, 16),
        struct.pack("<8I12I", 0xB, 80, 0, 0, 0, 1, 1, 0, *[0] * 12),
        struct.pack("<III20s", 0xE, 32, 12, b"/usr/lib/dyld"),
        struct.pack("<II16s", 0x1B, 24, b"0123456789abcdef"),
        struct.pack("<6I", 0x32, 24, 1, 11 << 16, 11 << 16, 0),
        struct.pack("<IIQQ", 0x8000_0028, 24, room, 0),
        struct.pack("<6I32s", 0xC, 56, 24, 2, 1 << 16, 1 << 16, b"/usr/lib/libSystem.B.dylib"),
        *([struct.pack("<4I", 0x8000_0034, 16, 2 * page, len(fixups))] if chained else []),
        *([struct.pack("<4I", 0x1D, 16, size, signer.size)] if signed else []),
        *([extra] if extra else []),
    ]
    content = b"".join(commands)
    header = struct.pack(
        "<8I", 0xFEEDFACF, *cpu, filetype, len(commands), len(content), 0x200085, 0
    )
    code = (header + content).ljust(room, b"\0") + CODE
    # A rebase of DYLD_CHAINED_PTR_64_OFFSET: the offset of `main`, and no next one.
    code = code.ljust(page, b"\0") + struct.pack("<Q", room)
    code = code.ljust(2 * page, b"\0") + tables
    return code + (signer.sign(code) if signed else b"")
