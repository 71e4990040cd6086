"""What the engine section of each Wasmtime release holds, as tables.

Source: crates/environ/src/tunables.rs and crates/wasmtime/src/engine.rs of Wasmtime 48.0.0,
crates/wasmparser/src/features.rs of wasm-tools 1.254.0. Names are those of the sources.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Mapping

FlagValue = bool | int | str  # a switch, a number of one byte, the name of a choice
TunableValue = bool | int | str | bytes | None


class Form(Enum):
    """How a tunable is stored."""

    SWITCH = "switch"
    U32 = "u32"
    U64 = "u64"
    OPTIONAL_U32 = "optional u32"
    COLLECTOR = "collector"  # one of COLLECTORS, or None
    INLINING = "inlining"  # one of INLININGS
    COSTS = "costs"  # "default", or the bytes of a table


COLLECTORS = ("drc", "null", "copying")
INLININGS = ("yes", "gc", "inter-module", "intrinsics", "no")


@dataclass(frozen=True, slots=True)
class Tunable:
    """A setting of the engine, with the default of Wasmtime on a 64-bit machine."""

    name: str
    form: Form
    default: TunableValue


@dataclass(frozen=True, slots=True)
class Schema:
    """What one major version stores.

    `tunables` and the flags are in the order of storage, the shared flags with their defaults.
    `features` has a name for each bit that has one. `cost_table_size` is in bytes: one for each
    operator of wasmparser, and one for each cost that grows with an operand. `pulley_defaults`
    are the defaults that differ for Pulley. `trap_codes` are those that a trap table may hold.
    """

    tunables: tuple[Tunable, ...]
    pulley_defaults: Mapping[str, TunableValue]
    cost_table_size: int
    shared_flags: Mapping[str, FlagValue]
    isa_flags: Mapping[str, tuple[str, ...]]
    features: Mapping[int, str]
    default_features: frozenset[str]
    trap_codes: frozenset[int]

    def default_tunables(self, *, is_pulley: bool = False) -> dict[str, TunableValue]:
        """Return the default settings of an engine, by name."""
        values = {tunable.name: tunable.default for tunable in self.tunables}
        return values | (dict(self.pulley_defaults) if is_pulley else {})


_GIB, _MIB = 1 << 30, 1 << 20

_TUNABLES_48 = (
    Tunable("collector", Form.COLLECTOR, "drc"),
    Tunable("memory_reservation", Form.U64, 4 * _GIB),
    Tunable("memory_guard_size", Form.U64, 32 * _MIB),
    Tunable("memory_reservation_for_growth", Form.U64, 2 * _GIB),
    Tunable("debug_native", Form.SWITCH, default=False),
    Tunable("debug_guest", Form.SWITCH, default=False),
    Tunable("debug_symbols", Form.SWITCH, default=True),
    Tunable("parse_wasm_debuginfo", Form.SWITCH, default=False),
    Tunable("consume_fuel", Form.SWITCH, default=False),
    Tunable("operator_cost", Form.COSTS, "default"),
    Tunable("epoch_interruption", Form.SWITCH, default=False),
    Tunable("memory_may_move", Form.SWITCH, default=True),
    Tunable("guard_before_linear_memory", Form.SWITCH, default=True),
    Tunable("table_lazy_init", Form.SWITCH, default=True),
    Tunable("generate_address_map", Form.SWITCH, default=True),
    Tunable("debug_adapter_modules", Form.SWITCH, default=False),
    Tunable("relaxed_simd_deterministic", Form.SWITCH, default=False),
    Tunable("winch_callable", Form.SWITCH, default=False),
    Tunable("signals_based_traps", Form.SWITCH, default=True),
    Tunable("memory_init_cow", Form.SWITCH, default=True),
    Tunable("inlining", Form.INLINING, "no"),
    Tunable("inlining_small_callee_size", Form.U32, 50),
    Tunable("inlining_sum_size_threshold", Form.U32, 2000),
    Tunable("concurrency_support", Form.SWITCH, default=True),
    Tunable("recording", Form.SWITCH, default=False),
    Tunable("gc_zeal_alloc_counter", Form.OPTIONAL_U32, None),
    Tunable("gc_heap_reservation", Form.U64, 4 * _GIB),
    Tunable("gc_heap_guard_size", Form.U64, 32 * _MIB),
    Tunable("gc_heap_reservation_for_growth", Form.U64, 2 * _GIB),
    Tunable("gc_heap_initial_size", Form.U64, 0),
    Tunable("gc_heap_may_move", Form.SWITCH, default=True),
    Tunable("metadata_for_internal_asserts", Form.SWITCH, default=False),
    Tunable("metadata_for_gc_heap_corruption", Form.SWITCH, default=True),
    Tunable("branch_hinting", Form.SWITCH, default=False),
)

_SHARED_FLAGS_48: Mapping[str, FlagValue] = {
    "regalloc_algorithm": "backtracking",
    "opt_level": "speed",
    "tls_model": "none",
    "stack_switch_model": "none",
    "libcall_call_conv": "isa_default",
    "probestack_size_log2": 12,
    "probestack_strategy": "inline",
    "bb_padding_log2_minus_one": 0,
    "log2_min_function_alignment": 0,
    "regalloc_checker": False,
    "regalloc_verbose_logs": False,
    "enable_alias_analysis": True,
    "enable_verifier": False,
    "is_pic": False,
    "use_colocated_libcalls": False,
    "enable_nan_canonicalization": False,
    "enable_pinned_reg": False,
    "enable_llvm_abi_extensions": False,
    "enable_multi_ret_implicit_sret": True,
    "unwind_info": True,
    "preserve_frame_pointers": True,
    "machine_code_cfg_info": False,
    "enable_probestack": True,
    "enable_heap_access_spectre_mitigation": True,
    "enable_table_access_spectre_mitigation": True,
    "enable_incremental_compilation_cache_checks": False,
    "enable_compact_unwind_abi": False,
}

_PULLEY = ("pointer_width", "big_endian")
_ISA_FLAGS_48 = {name: row.isa_flags for row in ARCHITECTURES for name in row.triple_names} | {
    "pulley32": _PULLEY,
    "pulley64": _PULLEY,
    "pulley32be": _PULLEY,
    "pulley64be": _PULLEY,
}

_FEATURES_48 = {
    0: "mutable_global",
    1: "saturating_float_to_int",
    2: "sign_extension",
    3: "reference_types",
    4: "multi_value",
    5: "bulk_memory",
    6: "simd",
    7: "relaxed_simd",
    8: "threads",
    9: "shared_everything_threads",
    10: "tail_call",
    11: "floats",
    12: "multi_memory",
    13: "exceptions",
    14: "memory64",
    15: "extended_const",
    16: "component_model",
    17: "function_references",
    18: "memory_control",
    19: "gc",
    20: "custom_page_sizes",
    21: "cm_values",
    22: "cm_nested_names",
    23: "legacy_exceptions",
    24: "gc_types",
    25: "stack_switching",
    26: "wide_arithmetic",
    27: "cm_async",
    28: "cm_async_stackful",
    29: "cm_more_async_builtins",
    30: "cm_threading",
    31: "cm_error_context",
    32: "cm_fixed_length_lists",
    33: "cm_gc",
    34: "call_indirect_overlong",
    35: "bulk_memory_opt",
    36: "custom_descriptors",
    37: "compact_imports",
    38: "cm_map",
    39: "cm64",
    40: "cm_implements",
    41: "cm_canon_names",
}
_OFF_BY_DEFAULT_48 = {9, 18, 20, 21, 22, 23, 25, 26, 28, 29, 30, 31, 32, 33, *range(36, 42)}

SCHEMAS: Mapping[int, Schema] = {
    48: Schema(
        tunables=_TUNABLES_48,
        pulley_defaults={
            "memory_guard_size": 0,
            "gc_heap_guard_size": 0,
            "signals_based_traps": False,
        },
        cost_table_size=627 + 16,
        shared_flags=_SHARED_FLAGS_48,
        isa_flags=_ISA_FLAGS_48,
        features=_FEATURES_48,
        default_features=frozenset(
            name for bit, name in _FEATURES_48.items() if bit not in _OFF_BY_DEFAULT_48
        ),
        # The 50 members of `Trap`, then the two internal codes of `CompiledTrap`.
        trap_codes=frozenset({*range(50), 0xFE, 0xFF}),
    ),
}
