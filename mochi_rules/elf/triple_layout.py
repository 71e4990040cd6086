"""How Wasmtime lays out an artifact for a target triple.

Source: `page_size_align` in crates/environ/src/compile/mod.rs and `Compiler::object` in
crates/cranelift/src/compiler.rs of Wasmtime 48.0.0.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass

_KIB = 1 << 10
_PULLEY32, _PULLEY64 = 0x4, 0x8

# Architecture, e_machine, little-endian, bit of e_flags. Pulley has no number of its own.
_ARCHITECTURES = (
    ("x86_64", "EM_X86_64", True, 0),
    ("aarch64", "EM_AARCH64", True, 0),
    ("riscv64", "EM_RISCV", True, 0),
    ("riscv64gc", "EM_RISCV", True, 0),
    ("s390x", "EM_S390", False, 0),
    ("pulley32", "EM_RISCV", True, _PULLEY32),
    ("pulley64", "EM_RISCV", True, _PULLEY64),
    ("pulley32be", "EM_RISCV", False, _PULLEY32),
    ("pulley64be", "EM_RISCV", False, _PULLEY64),
)
_APPLE = ("darwin", "macosx", "ios", "tvos")


@dataclass(frozen=True, slots=True)
class Layout:
    """What a target decides about the container; sizes are in bytes.

    `pulley_flag` is the bit of e_flags that marks code for the Pulley interpreter, 0 for native
    code. `is_windows` decides the form of the unwind information.
    """

    machine: str
    little_endian: bool
    pulley_flag: int
    page_size: int
    text_alignment: int
    is_windows: bool

    @property
    def is_pulley(self) -> bool:
        """Whether the code is for the Pulley interpreter, not for a processor."""
        return self.pulley_flag != 0


def layout_of(triple: str) -> Layout | None:
    """Return the layout for a target triple, or None for an architecture not known here."""
    architecture, system = [*triple.split("-"), "", ""][0:3:2]
    for name, machine, little_endian, pulley_flag in _ARCHITECTURES:
        if name == architecture:
            page = _page_size(architecture, system)
            text_alignment = 1 if pulley_flag else page
            is_windows = system.startswith("windows")
            return Layout(machine, little_endian, pulley_flag, page, text_alignment, is_windows)
    return None


def _page_size(architecture: str, system: str) -> int:
    if architecture.startswith("pulley"):
        return 64 * _KIB
    if architecture != "aarch64" or system.startswith("windows"):
        return 4 * _KIB
    return 16 * _KIB if system.startswith(_APPLE) else 64 * _KIB
