"""What an artifact must be, said in the words of `elf`: the request as an Expectation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.aot.config import expected_shared_flags, expected_tunables, missing_features
from mochi_rules.aot.options import WASMTIME_MAJOR
from mochi_rules.elf.expectation import Expectation, Kind
from mochi_rules.elf.object_checks import ObjectExpectation
from mochi_rules.elf.schema import SCHEMAS

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.base.digest import Digest
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.wasm.read import ModuleSummary


def artifact_expectation(config: EngineConfig, summary: ModuleSummary | None = None) -> Expectation:
    """Return what an artifact of a configuration must be; `summary` is of the wasm it is from."""
    schema = SCHEMAS[WASMTIME_MAJOR]
    is_component = summary is not None and summary.kind == "component"
    return Expectation(
        kind=Kind.COMPONENT if is_component else Kind.MODULE,
        triple=config.platform.triple,
        isa_flags=frozenset(config.cpu.flags),
        shared_flags={**schema.shared_flags, **expected_shared_flags(config)},
        tunables={**schema.default_tunables(), **expected_tunables(config)},
        features=schema.default_features - missing_features(config),
        functions=summary.defined_functions if summary and not is_component else None,
        debug_info=config.debug_info,
        major=WASMTIME_MAJOR,
    )


def platform_expectation(platform: Platform) -> Expectation:
    """Return what an artifact for a platform must be, whatever its settings."""
    return Expectation(triple=platform.triple, major=WASMTIME_MAJOR)


def object_expectation(platform: Platform, symbol: str, payload: Digest) -> ObjectExpectation:
    """Return what an object that holds an artifact must be."""
    return ObjectExpectation(
        format=platform.object_format,
        cpu=platform.cpu,
        little_endian=platform.endianness == "little",
        symbol_base=symbol,
        payload=payload,
    )
