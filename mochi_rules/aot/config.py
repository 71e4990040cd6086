"""The engine configuration: what is compiled for, how, and what that means to each tool.

An invalid configuration aborts the process that makes an engine of it (Wasmtime unwraps), so a
value of `EngineConfig` is always valid.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mochi_rules.aot.engine_options import (
    BY_NAME,
    MEMORY_LIMIT,
    MEMORY_UNIT,
    OPTIONS,
    Option,
    Value,
)
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.platforms.architecture import ARCHITECTURES
from mochi_rules.platforms.cpu import find_cpu_level

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.platforms.architecture import CpuLevel
    from mochi_rules.platforms.platform import Platform

# Names as in the metadata of an artifact.
_NOT_IN_WINCH = frozenset(
    {"relaxed_simd", "tail_call", "exceptions", "function_references", "gc", "gc_types"}
)


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """Everything that decides the bytes of an artifact besides the wasm and the tool's version.

    Always valid: the constructor refuses what Wasmtime would. The options are documented in
    `engine_options.OPTIONS`. A size of None is Wasmtime's default.

    Emits: A051 (value not allowed), A052 (size out of range), A053 (options contradict),
    A054 (no Winch for the target), C013 (CPU level of another architecture).
    """

    platform: Platform
    cpu: CpuLevel
    opt_level: str = "speed"
    compiler: str = "cranelift"
    debug_info: bool = False
    consume_fuel: bool = False
    epoch_interruption: bool = False
    memory_reservation: int | None = None
    memory_guard_size: int | None = None
    nan_canonicalization: bool = False
    signals_based_traps: bool = True

    def __post_init__(self) -> None:
        found = [
            diagnostic
            for option in OPTIONS
            for diagnostic in _check_value(option, getattr(self, option.name))
        ]
        found = found or list(_check_together(self))
        if found:
            raise MochiError(*found)


def engine_config(
    platform: Platform, cpu: str = "", settings: Mapping[str, object] | None = None
) -> EngineConfig:
    """Return the configuration of what a user wrote: a CPU level's name and options by name.

    Emits: A050 (no such option), C012, and those of EngineConfig.

    Raises:
        MochiError: A name or a value is wrong.
    """
    values: dict[str, Any] = dict(settings or {})  # EngineConfig checks them
    if unknown := [name for name in values if name not in BY_NAME]:
        raise MochiError(*(_unknown_option(name) for name in unknown))
    return EngineConfig(platform, find_cpu_level(platform, cpu), **values)


def canonical(config: EngineConfig) -> dict[str, object]:
    """Return the compiler's settings, and so what enters a key; the same for equal artifacts.

    The keys are those of a worker's request without `kind`. A size that is written out but
    equal to the default is None, and a CPU level is its flags: names do not enter.
    """
    fields: dict[str, object] = {
        "target": config.platform.triple,
        "flags": [[flag, None] for flag in config.cpu.flags],
    }
    for option in OPTIONS:
        value = getattr(config, option.name)
        is_default = option.kind is int and value == option.default_size
        fields[option.name] = None if is_default else value
    return fields


def cli_arguments(config: EngineConfig) -> tuple[str, ...]:
    """Return the arguments of an all-arch `wasmtime` command which make the same artifact.

    To be followed by `-o OUT IN`, and run without WASMTIME_BACKTRACE_DETAILS in the environment.
    What the wheel cannot set is pinned to what the wheel does: its collector, no inlining.
    """
    arguments = ["compile", "--target", config.platform.triple]
    for pin in ("collector=drc", "cache=n", "inlining=n"):
        arguments += ["-C", pin]
    arguments += ["-W", "concurrency-support=y", "-D", "symbols=y"]
    for flag in config.cpu.flags:
        arguments += ["-C", f"cranelift-{flag}"]
    for option in OPTIONS:
        value = getattr(config, option.name)
        text = option.cli_values.get(value, str(_effective(option, value)))
        if text is not None:
            arguments += option.cli.format(text).split(" ")
    return tuple(arguments)


def expected_tunables(config: EngineConfig) -> dict[str, Value]:
    """Return the tunables that an artifact of this configuration must carry, by their names in it.

    Those that are missing here have Wasmtime's default on a 64-bit machine.
    """
    is_winch = config.compiler == "winch"
    tunables: dict[str, Value] = {
        option.tunable: _effective(option, getattr(config, option.name))
        for option in OPTIONS
        if option.tunable
    }
    return tunables | {
        "collector": None if is_winch else "drc",
        "winch_callable": is_winch,
        # Wasmtime copies these from the linear memories, unless they are set.
        "gc_heap_reservation": tunables["memory_reservation"],
        "gc_heap_guard_size": tunables["memory_guard_size"],
    }


def expected_shared_flags(config: EngineConfig) -> dict[str, bool | str]:
    """Return the flags that an artifact of this configuration must carry, the others by default."""
    return {
        "opt_level": config.opt_level,
        "enable_nan_canonicalization": config.nan_canonicalization,
        "enable_verifier": config.compiler == "winch",
        "enable_heap_access_spectre_mitigation": config.signals_based_traps,
        "enable_table_access_spectre_mitigation": config.signals_based_traps,
    }


def missing_features(config: EngineConfig) -> frozenset[str]:
    """Return the default features of WebAssembly that an artifact of this configuration lacks.

    It never has one more than a default engine: such an artifact would not load there.
    """
    return _NOT_IN_WINCH if config.compiler == "winch" else frozenset()


def _effective(option: Option, value: Value) -> Value:
    return option.default_size if option.kind is int and value is None else value


def _unknown_option(name: str) -> Diagnostic:
    return Diagnostic(
        "A050",
        f"the engine has no option `{name}`",
        notes=(f"the options are {listing(BY_NAME)}",),
        help=did_you_mean(name, BY_NAME) or "leave it out",
    )


def _check_value(option: Option, value: object) -> Iterator[Diagnostic]:
    """Check one value alone: its type, its choices, its range."""
    if option.kind is int:
        if value is not None:
            yield from _check_size(option, value)
    elif option.kind is bool:
        if not isinstance(value, bool):
            yield _not_allowed(option, value, "`true` or `false`")
    elif value not in option.choices:
        hint = did_you_mean(value, option.choices) if isinstance(value, str) else ""
        yield _not_allowed(option, value, listing(option.choices), hint)


def _check_size(option: Option, value: object) -> Iterator[Diagnostic]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield _not_allowed(option, value, "a whole number of bytes")
        return
    if not 0 <= value <= MEMORY_LIMIT:
        nearest = min(max(value, 0), MEMORY_LIMIT)
        problem = f"is out of range: 0 to {MEMORY_LIMIT} bytes (1 TiB)"
    elif value % MEMORY_UNIT:
        nearest = value - value % MEMORY_UNIT + MEMORY_UNIT
        problem = f"is not a multiple of {MEMORY_UNIT} bytes, the largest page of any platform"
    else:
        return
    yield Diagnostic(
        "A052",
        f"`{option.name}` {problem}",
        notes=(f"it is {value}",),
        help=f"write `{option.name} = {nearest}`",
    )


def _not_allowed(option: Option, value: object, allowed: str, hint: str = "") -> Diagnostic:
    return Diagnostic(
        "A051",
        f"`{option.name}` must be {allowed}, got `{value!r:.80}`",
        notes=(option.doc,),
        help=hint or f"leave it out: the default is `{option.default}`",
    )


def _check_together(config: EngineConfig) -> Iterator[Diagnostic]:
    """Check valid values against each other.

    What contradicts Winch aborts in Wasmtime (crates/winch/src/builder.rs). A guard without signals
    is harmless and useless: nobody notices when it is touched.
    """
    platform, architecture = config.platform, config.platform.architecture
    if foreign := [flag for flag in config.cpu.flags if flag not in architecture.isa_flags]:
        yield Diagnostic(
            "C013",
            f"the CPU level `{config.cpu.name}` uses `{foreign[0]}`, which {platform.cpu} lacks",
            help=f"write `cpu={architecture.default_cpu_level}`",
        )
    if config.compiler == "winch":
        if not architecture.has_winch:
            cpus = [row.name for row in ARCHITECTURES if row.has_winch]
            yield Diagnostic(
                "A054",
                f"the compiler `winch` cannot compile for `{platform.name}`",
                notes=(f"it compiles for {listing(cpus)}",),
                help='write `compiler = "cranelift"`',
            )
        if config.debug_info:
            yield _contradiction("debug_info = true", 'compiler = "winch"')
        if not config.signals_based_traps:
            yield _contradiction("signals_based_traps = false", 'compiler = "winch"')
    if not config.signals_based_traps and config.memory_guard_size:
        guard = f"memory_guard_size = {config.memory_guard_size}"
        yield _contradiction("signals_based_traps = false", guard)


def _contradiction(one: str, other: str) -> Diagnostic:
    return Diagnostic("A053", f"`{one}` contradicts `{other}`", help=f"leave out `{other}`")
