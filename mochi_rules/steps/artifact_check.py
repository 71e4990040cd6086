"""Whether an artifact is what was asked for, and the report that says what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.config import canonical
from mochi_rules.elf.checks.table import CHECKS, require_sound
from mochi_rules.steps.expectations import artifact_expectation, loadable_expectation
from mochi_rules.steps.reports import facts, report_text
from mochi_rules.wasm.reader.read_summary import read_summary

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig


def check_artifact(config: EngineConfig, name: str, artifact: bytes, wasm: bytes | None) -> bytes:
    """Return the report on an artifact, as JSON; `name` is what messages call it.

    With the wasm that it was compiled from, its functions are counted too, and the compiler's
    flags compared; without, only what decides whether it can be loaded.

    Emits: A020, A021 (cannot be read), A023 (not what was asked for).

    Raises:
        MochiError: It is not what was asked for.
    """
    if wasm is None:
        expectation = loadable_expectation(config)
    else:
        expectation = artifact_expectation(config, read_summary(wasm))
    found = require_sound(artifact, name, expectation)
    return report_text(
        {
            "artifact": facts(artifact),
            "wasm": None if wasm is None else facts(wasm),
            "platform": config.platform.name,
            "cpu": config.cpu.name,
            "engine": canonical(config),
            "functions": sum(1 for symbol in found.symbols if symbol.function),
            "checks": [check.name for check in CHECKS],
        }
    )
