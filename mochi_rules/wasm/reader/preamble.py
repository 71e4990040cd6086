"""The first eight bytes: module, component, or something that is not WebAssembly at all.

Sources: core 2.0, §5.5.16; the component model's Binary.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.wasm.vectors import MAGIC

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.wasm.reader.cursor import Cursor

# (how a file begins, what it is, what to do about it)
_BINARY_FORMATS: tuple[tuple[bytes, str, str], ...] = (
    (b"\x7fELF", "ELF: an object, a program or a `.cwasm`", ""),
    (b"\xcf\xfa\xed\xfe", "a Mach-O file", ""),
    (b"MZ", "a Windows program", ""),
    (b"!<arch>\n", "a static library", "link it with `wasm-ld`"),
    (b"BC\xc0\xde", "LLVM bitcode", "compile it with `llc -march=wasm32 -filetype=obj`"),
    (b"\x1f\x8b", "gzip", "unpack it with `gunzip`"),
    (b"\x28\xb5\x2f\xfd", "zstd", "unpack it with `unzstd`"),
    (b"PK\x03\x04", "a zip archive", "unpack it with `unzip`"),
)
_TEXT_BEGINNINGS = (b"(module", b"(component", b";;", b"(;")
_SPACE = b" \t\r\n"


def read_layer(data: bytes, cursor: Cursor) -> int:
    """Read the preamble; return 0 for a module, 1 for a component of whatever version.

    Emits: A010, A011.
    """
    if not data or not MAGIC.startswith(data[: len(MAGIC)]):
        raise _not_wasm(data)
    cursor.take(len(MAGIC))
    version, layer = (int.from_bytes(cursor.take(2), "little") for _ in range(2))
    if layer > 1 or (layer == 0 and version != 1):
        raise fail("A010", f"unknown WebAssembly: version {version} of layer {layer}")
    return layer


def _not_wasm(data: bytes) -> MochiError:
    if not data:
        return fail("A010", "not WebAssembly: the file is empty")
    if data.lstrip(_SPACE).startswith(_TEXT_BEGINNINGS):
        help_ = "end its name in `.wat`"
        return fail("A010", "not a WebAssembly binary, but WebAssembly text", help=help_)
    for beginning, what, help_ in _BINARY_FORMATS:
        if data.startswith(beginning):
            return fail("A010", f"not WebAssembly, but {what}", help=help_)
    return fail("A010", f"not WebAssembly: the file begins with `{data[:8].hex(' ')}`")
