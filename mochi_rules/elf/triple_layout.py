"""How Wasmtime lays out an artifact for a target triple.

Source: `page_size_align` in crates/environ/src/compile/mod.rs and `Compiler::object` in
crates/cranelift/src/compiler.rs of Wasmtime 48.0.0.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass
from mochi_rules.platforms.architecture import ARCHITECTURES, RISCV64
from mochi_rules.platforms.platform import PLATFORMS

# Pulley, the interpreter, has no machine number of its own, but a bit of e_flags.
_PULLEY_FLAGS = {"pulley32": 0x4, "pulley64": 0x8}
_PULLEY_PAGE = 64 << 10
_BIG = "be"


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
    """Return the layout for a target triple, or None for an architecture not known here.

    A system that is not in the table of platforms has the largest page of the architecture.
    """
    name, system = [*triple.split("-"), "", ""][0:3:2]
    if flag := _PULLEY_FLAGS.get(name.removesuffix(_BIG)):
        is_little = not name.endswith(_BIG)
        return Layout(RISCV64.elf_name, is_little, flag, _PULLEY_PAGE, 1, is_windows=False)
    for architecture in ARCHITECTURES:
        if name in architecture.triple_names:
            rows = [row for row in PLATFORMS if row.architecture is architecture]
            named = [row for row in rows if system.startswith(row.system.triple_names)]
            page = max(row.page_size for row in named or rows)
            is_windows = any(row.system.object_format == "coff" for row in named)
            is_little = architecture.endianness == "little"
            return Layout(architecture.elf_name, is_little, 0, page, page, is_windows)
    return None
