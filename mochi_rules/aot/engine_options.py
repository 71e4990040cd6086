"""The engine's options, one row each. Validation, the key, the workers and the CLI read this table.

An option is here only when every tool can set it. What the C API cannot set (collector, inlining,
table initialization and their like) is pinned to the wheel's value in `config.cli_arguments`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field

if TYPE_CHECKING:
    from collections.abc import Mapping

# The options below are those of this version; its loader refuses artifacts of any other.
WASMTIME_MAJOR = 48

Value = bool | int | str | None

# A guard or a reservation is a whole number of the largest page of any platform, which is a page
# of WebAssembly too. One TiB still loads on every 64-bit machine; 128 TiB does on none.
MEMORY_UNIT = 64 * 1024
MEMORY_LIMIT = 1 << 40


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the engine.

    `tunable` is its name in the metadata of an artifact, which the loader compares. `c_name` is
    that in the C API, as in `wasmtime_config_NAME_set`; `cli` is the command line's flag. Both take
    the value through their table when there is one; a CLI value of None leaves the flag out.
    An option of kind int counts bytes and may be None, which means `default_size`.
    """

    name: str
    kind: type[bool | int | str]
    default: Value
    doc: str
    c_name: str
    cli: str
    tunable: str = ""
    choices: tuple[str, ...] = ()
    default_size: int = 0
    c_values: Mapping[Value, int] = field(default_factory=dict)
    cli_values: Mapping[Value, str | None] = field(default_factory=dict)


_YES_NO: Mapping[Value, str | None] = {True: "y", False: "n"}

# Source: Wasmtime 48, crates/c-api/src/config.rs and crates/cli-flags/src/lib.rs.
OPTIONS: tuple[Option, ...] = (
    Option(
        "opt_level", str, "speed",
        "what to optimize for: `none` compiles fastest, `speed_and_size` emits less code",
        "cranelift_opt_level", "-O opt-level={}",
        choices=("none", "speed", "speed_and_size"),
        c_values={"none": 0, "speed": 1, "speed_and_size": 2},
        cli_values={"none": "0", "speed": "2", "speed_and_size": "s"},
    ),
    Option(
        "compiler", str, "cranelift",
        "`winch` compiles 1.6 times as fast, and its code is 2 to 5 times as slow; x86_64 and "
        "aarch64 only, and only an engine with this setting loads it",
        "strategy", "-C compiler={}",
        choices=("cranelift", "winch"),
        c_values={"cranelift": 1, "winch": 2},
        cli_values={"cranelift": "cranelift", "winch": "winch"},
    ),
    Option(
        "debug_info", bool, False,
        "emit native DWARF, so that a debugger shows the program's own lines",
        "debug_info", "-D debug-info={}", "debug_native", cli_values=_YES_NO,
    ),
    Option(
        "consume_fuel", bool, False,
        "count instructions, so that a host can stop a program after a fixed amount of work",
        "consume_fuel", "-W fuel={}", "consume_fuel",
        cli_values={True: "1", False: None},  # any amount turns it on
    ),
    Option(
        "epoch_interruption", bool, False,
        "check a clock of the host at loops and calls, so that a host can stop a program",
        "epoch_interruption", "-W epoch-interruption={}", "epoch_interruption",
        cli_values=_YES_NO,
    ),
    Option(
        "memory_reservation", int, None,
        "bytes of address space set aside for a memory; below 4 GiB every access is checked",
        "memory_reservation", "-O memory-reservation={}", "memory_reservation",
        default_size=4 << 30,
    ),
    Option(
        "memory_guard_size", int, None,
        "bytes of unmapped address space behind a memory, which make checks unnecessary",
        "memory_guard_size", "-O memory-guard-size={}", "memory_guard_size",
        default_size=32 << 20,
    ),
    Option(
        "nan_canonicalization", bool, False,
        "give every NaN the same bits on every machine; makes rounding 6 times as slow",
        "cranelift_nan_canonicalization", "-W nan-canonicalization={}", cli_values=_YES_NO,
    ),
    Option(
        "signals_based_traps", bool, True,
        "trap through signal handlers; without them, for a host that has its own, loops over "
        "memory are 1.75 times as slow",
        "signals_based_traps", "-O signals-based-traps={}", "signals_based_traps",
        cli_values=_YES_NO,
    ),
)  # fmt: skip

BY_NAME: Mapping[str, Option] = {option.name: option for option in OPTIONS}
