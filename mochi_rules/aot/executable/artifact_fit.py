"""Whether an artifact fits a launcher, as far as its first bytes show.

The launcher compares all of the engine's configuration when it loads; `mochi_rules.elf` can do so
before. Here is what needs no decoding: kind, Wasmtime, architecture and system.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.aot.engine_options import WASMTIME_MAJOR
from mochi_rules.base.diagnostic import fail

if TYPE_CHECKING:
    from mochi_rules.base.diagnostic import MochiError
    from mochi_rules.platforms.platform import Platform

_MAGICS = (b"\x7fELF\x02\x01\x01\xc8", b"\x7fELF\x02\x02\x01\xc8")  # 64 bits, Wasmtime's OS ABI
_FLAGS_AT = 48
_MODULE, _COMPONENT = 1, 2
# `.wasmtime.engine` is the first section: a layout byte, then version and target as short texts.
_ENGINE_AT = 0x40
_MAX_TEXT = 127  # one byte of length


def check_artifact(platform: Platform, artifact: bytes) -> None:
    """Check that an artifact is a module for a platform, compiled by the launcher's Wasmtime.

    Emits: A109.

    Raises:
        MochiError: It is not; both sides are named.
    """
    if not artifact.startswith(_MAGICS):
        raise _unfit("the file to attach is not a compiled artifact", "give a `.cwasm`")
    order = "<" if artifact[5] == 1 else ">"
    try:
        (flags,) = struct.unpack_from(f"{order}I", artifact, _FLAGS_AT)
        version, at = _text(artifact, _ENGINE_AT + 1)
        target, _ = _text(artifact, at)
    except (struct.error, IndexError):
        raise _unfit("the artifact is damaged: its engine section cannot be read") from None
    if flags & (_MODULE | _COMPONENT) != _MODULE:
        raise _unfit(
            "the artifact is a component, and the launcher runs modules",
            "compile the program to a module",
        )
    wanted = (str(WASMTIME_MAJOR), _machine(platform.triple))
    if (version.partition(".")[0], _machine(target)) != wanted:
        raise _unfit(
            f"the artifact is for `{target}` and Wasmtime {version}, "
            f"the launcher for `{platform.name}` and Wasmtime {WASMTIME_MAJOR}"
        )


def _text(artifact: bytes, at: int) -> tuple[str, int]:
    """Return a string, in which whatever is not ASCII is escaped, and where it ends."""
    size, start = artifact[at], at + 1
    end = start + size
    if size > _MAX_TEXT or end > len(artifact):
        raise IndexError
    return artifact[start:end].decode("latin-1").encode("unicode_escape").decode(), end


def _machine(triple: str) -> tuple[str, str]:
    """Return architecture and system of a triple: Wasmtime compares nothing else of it."""
    architecture, _, system, *_ = (*triple.split("-"), "", "")
    return architecture, system


def _unfit(message: str, help: str = "compile the program again") -> MochiError:
    return fail("A109", message, help=help)
