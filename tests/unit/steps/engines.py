"""Engines that stand in for the real ones: they count, and answer at once."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Severity, fail
from mochi_rules.steps.engines.engines import Compiled, MochiOptions
from mochi_rules.steps.processes.subprocesses import Subprocesses

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.platforms.platform import Platform

WARNING = Diagnostic("T099", "unused", severity=Severity.WARNING)


class CountingEngines:
    """Makes bytes that show what they were made of, and notes every call."""

    def __init__(self) -> None:
        self.subprocesses = Subprocesses()
        self.calls: list[str] = []

    def compile_mochi(
        self, main: str, sources: Mapping[str, str], options: MochiOptions
    ) -> Compiled:
        """Return the sources; `warn` in the main one gives a warning, `wrong` an error."""
        self.calls.append("mochi")
        if "wrong" in sources[main]:
            raise fail("T001", "wrong")
        warnings = (WARNING,) if "warn" in sources[main] else ()
        return Compiled(repr((sorted(sources.items()), options)).encode(), warnings)

    def compile_wasm(self, config: EngineConfig, wasm: bytes) -> bytes:
        """Return an ELF file with an engine section that holds the configuration."""
        self.calls.append("aot")
        return artifact(repr(config).encode()) + wasm

    def wasmtime(self, _platform: Platform) -> str | None:
        """Report that the wheel compiles."""
        return None

    def close(self) -> None:
        """Do nothing."""


def artifact(engine: bytes) -> bytes:
    """Return the smallest ELF file that has an engine section."""
    names = b"\0.wasmtime.engine\0"
    table = 64 + len(engine) + len(names)
    header = b"\x7fELF\2\1\1" + bytes(9) + bytes(24) + struct.pack("<Q", table) + bytes(10)
    header += struct.pack("<HHH", 64, 2, 0)
    strings = struct.pack("<IIQQQQ", 0, 0, 0, 0, 64 + len(engine), len(names)) + bytes(24)
    section = struct.pack("<IIQQQQ", 1, 0, 0, 0, 64, len(engine)) + bytes(24)
    return header + engine + names + strings + section
