"""What an artifact must be: the request, as an Expectation of `elf`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.config import (
    engine_config,
    expected_shared_flags,
    expected_tunables,
    missing_features,
)
from mochi_rules.aot.engine_options import OPTIONS, WASMTIME_MAJOR
from mochi_rules.base.dataclass import replace
from mochi_rules.elf.checks.expectation import Expectation, Kind
from mochi_rules.elf.checks.object_files import ObjectExpectation
from mochi_rules.elf.engine_section import decode_engine
from mochi_rules.elf.schema import SCHEMAS

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.aot.executable.settings import LauncherSettings
    from mochi_rules.base.digest import Digest
    from mochi_rules.elf.artifact import Artifact
    from mochi_rules.platforms.architecture import CpuLevel
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.wasm.reader.read_summary import ModuleSummary


def artifact_expectation(config: EngineConfig, summary: ModuleSummary) -> Expectation:
    """Return what an artifact of a configuration must be; `summary` is that of its wasm."""
    schema = SCHEMAS[WASMTIME_MAJOR]
    is_module = summary.kind == "module"
    return replace(
        loadable_expectation(config),
        kind=Kind.MODULE if is_module else Kind.COMPONENT,
        shared_flags={**schema.shared_flags, **expected_shared_flags(config)},
        functions=summary.defined_functions if is_module else None,
    )


def loadable_expectation(config: EngineConfig) -> Expectation:
    """Return what an artifact must be to load under a configuration, whoever made it."""
    schema = SCHEMAS[WASMTIME_MAJOR]
    return Expectation(
        triple=config.platform.triple,
        isa_flags=frozenset(config.cpu.flags),
        tunables={**schema.default_tunables(), **expected_tunables(config)},
        features=schema.default_features - missing_features(config),
        debug_info=config.debug_info,
        major=WASMTIME_MAJOR,
    )


def settings_of(artifact: Artifact) -> dict[str, object]:
    """Return the options of the engine under which an artifact loads, from its own metadata.

    Options that leave no trace in an artifact are left out.

    Emits: A021 (its engine section is missing or damaged).
    """
    section = artifact.section(".wasmtime.engine")
    engine = decode_engine(artifact.content(section) if section else b"")
    found = engine.tunables or {}
    settings: dict[str, object] = {
        option.name: found[option.tunable]
        for option in OPTIONS
        if option.tunable in found and found[option.tunable] != option.default_size
    }
    return {**settings, **({"compiler": "winch"} if found.get("winch_callable") else {})}


def platform_expectation(platform: Platform | None) -> Expectation:
    """Return what an artifact for a platform, or for any, must be, whatever its settings."""
    return Expectation(triple=platform.triple if platform else None, major=WASMTIME_MAJOR)


def executable_expectation(platform: Platform, settings: LauncherSettings) -> Expectation:
    """Return what an artifact must be for its launcher, which has these settings, to load it.

    Emits: A050 to A054 (settings that no engine has).
    """
    options = {
        **settings.engine,
        "consume_fuel": settings.run.fuel is not None,
        "epoch_interruption": settings.run.deadline_ms is not None,
    }
    wanted = loadable_expectation(engine_config(platform, "", options))
    return replace(wanted, kind=Kind.MODULE, isa_flags=None)  # the processor decides


def native_expectation(platform: Platform, level: CpuLevel | None = None) -> ObjectExpectation:
    """Return what an object that Cranelift made of a program must be.

    `level` is the highest CPU level that it may need.
    """
    return ObjectExpectation(
        format=platform.system.object_format,
        cpu=platform.cpu,
        cpu_level=level,
        little_endian=platform.architecture.endianness == "little",
    )


def object_expectation(platform: Platform, symbol: str, payload: Digest) -> ObjectExpectation:
    """Return what an object that holds an artifact must be."""
    return ObjectExpectation(
        format=platform.system.object_format,
        cpu=platform.cpu,
        little_endian=platform.architecture.endianness == "little",
        symbol_base=symbol,
        payload=payload,
    )
