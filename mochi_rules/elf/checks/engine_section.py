"""Checks of the engine section: version, target, flags, settings, features."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.suggest import listing
from mochi_rules.elf.triple_layout import layout_of
from mochi_rules.platforms.architecture import ARCHITECTURES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.elf.checks.expectation import Subject
    from mochi_rules.elf.schema import FlagValue, TunableValue

# The one value that the loader accepts. Source: `check_compatible_with_shared_flag` in
# crates/wasmtime/src/engine.rs.
_MANDATORY_FLAGS: Mapping[str, FlagValue] = {
    "libcall_call_conv": "isa_default",
    "preserve_frame_pointers": True,
    "enable_probestack": True,
    "probestack_strategy": "inline",
    "enable_multi_ret_implicit_sret": True,
    "enable_llvm_abi_extensions": False,
    "enable_pinned_reg": False,
    "use_colocated_libcalls": False,
}

# What is on at every CPU level.
_BASELINE_ISA_FLAGS = {
    name: row.baseline_flags for row in ARCHITECTURES for name in row.triple_names
}

# Sections that are there only with a setting on, and whether they are always there then.
_SECTIONS_OF_SETTINGS = (
    (".debug_info", "debug_native", True),
    (".wasmtime.addrmap", "generate_address_map", True),
    (".wasmtime.dwarf", "parse_wasm_debuginfo", False),
    (".wasmtime.frames", "debug_guest", False),
    (".wasmtime.wasm_bytecode", "debug_guest", True),
    (".wasmtime.wasm_bytecode_ends", "debug_guest", True),
)


def engine_section(subject: Subject) -> Iterator[str]:
    """32: the engine section decodes to its last byte, and names the version of Wasmtime.

    Source: crates/wasmtime/src/engine/serialization.rs.
    """
    if subject.engine is None:
        yield subject.engine_fault
        return
    version, wanted = subject.engine.version, subject.expectation.major
    if subject.engine.major is None:
        yield f"expected a version of Wasmtime, got `{version}`"
    elif wanted is not None and version != str(wanted):
        yield f"expected Wasmtime {wanted}, got {version}"


def target(subject: Subject) -> Iterator[str]:
    """33: the target triple is the requested one, of an architecture that e_machine agrees with.

    Source: `check_triple` in crates/wasmtime/src/engine/serialization.rs.
    """
    if subject.engine is None:
        return
    found, wanted = subject.engine.target, subject.expectation.triple
    if wanted is not None and found != wanted:
        yield f"expected the target `{wanted}`, got `{found}`"
    layout, machine = layout_of(found), subject.artifact.header.machine
    if layout is None:
        yield f"the architecture of the target `{found}` is not known"
    elif layout.machine != machine:
        yield f"the target `{found}` needs the machine `{layout.machine}`, got `{machine}`"


def shared_flags(subject: Subject) -> Iterator[str]:
    """34: the compiler's common flags have the values that the loader insists on.

    With a request, also those that it names. A known version has exactly the flags that its
    schema lists. Source: `check_compatible_with_shared_flag` in crates/wasmtime/src/engine.rs.
    """
    if subject.engine is None:
        return
    found = subject.engine.shared_flags
    yield from _differences("flag", _MANDATORY_FLAGS, found)
    if subject.layout and subject.layout.is_windows:
        yield from _differences("flag", {"unwind_info": True}, found)
    yield from _differences("flag", subject.expectation.shared_flags or {}, found)
    if subject.schema and found.keys() != subject.schema.shared_flags.keys():
        names = listing(found.keys() ^ subject.schema.shared_flags.keys())
        yield f"the flags are not those of Wasmtime {subject.engine.version}: {names}"


def isa_flags(subject: Subject) -> Iterator[str]:
    """34i: the code needs no CPU feature that was not requested.

    A known architecture has no flag that its schema does not list. Source: section "ISA flags" of
    `check_compatible_with_isa_flag` in crates/wasmtime/src/engine.rs.
    """
    if subject.engine is None:
        return
    allowed = subject.expectation.isa_flags
    if allowed is not None:
        baseline = _BASELINE_ISA_FLAGS.get(subject.engine.architecture, frozenset())
        excess = subject.engine.enabled_isa_flags - allowed - baseline
        if excess:
            yield f"expected {listing(allowed) or 'no CPU features'}, got also {listing(excess)}"
    known = subject.schema.isa_flags.get(subject.engine.architecture) if subject.schema else None
    if known is not None and set(known) != subject.engine.isa_flags.keys():
        names = listing(set(known) ^ subject.engine.isa_flags.keys())
        yield f"the CPU features are not those of `{subject.engine.architecture}`: {names}"


def tunables(subject: Subject) -> Iterator[str]:
    """34t: the settings are the requested ones. Source: `check_tunables` of the loader."""
    found = subject.engine.tunables if subject.engine else None
    if found is None:
        return
    yield from _differences("setting", subject.expectation.tunables or {}, found)
    debug_info = subject.expectation.debug_info
    if debug_info is not None:
        yield from _differences("setting", {"debug_native": debug_info}, found)


def features(subject: Subject) -> Iterator[str]:
    """34f: the WebAssembly features are the requested ones. Source: `check_features`."""
    found = subject.engine.features if subject.engine else None
    if found is None:
        return
    if unnamed := [name for name in found if name.startswith("bit ")]:
        yield f"the features {listing(unnamed)} have no name"
    wanted = subject.expectation.features
    if wanted is None:
        return
    if missing := wanted - found:
        yield f"expected the features {listing(missing)}, got none of them"
    if excess := found - wanted:
        yield f"expected no other features, got {listing(excess)}"


def sections_of_settings(subject: Subject) -> Iterator[str]:
    """34s: the sections that settings call for are there, and no others.

    Source: `link_and_append_code` in crates/wasmtime/src/compile.rs.
    """
    for name, setting, always in _SECTIONS_OF_SETTINGS:
        is_there, is_on = subject.artifact.section(name) is not None, subject.setting(setting)
        if is_there and is_on is False:
            yield f"`{name}` is there, but `{setting}` is off"
        if always and is_on and not is_there:
            yield f"`{name}` is missing, but `{setting}` is on"
    if subject.functions and subject.setting("debug_symbols") is False:
        yield "there are symbols, but `debug_symbols` is off"


def _differences(
    what: str, wanted: Mapping[str, TunableValue], found: Mapping[str, TunableValue]
) -> Iterator[str]:
    for name, value in wanted.items():
        if name not in found:
            yield f"expected the {what} `{name}`, got none of that name"
        elif value is not None and found[name] != value:
            yield f"expected `{name}` = {value!r}, got {found[name]!r}"
