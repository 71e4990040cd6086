"""CPU levels: how new a processor an artifact may require, as explicit Cranelift flags.

The flags are written out. Cranelift's own presets `x86-64-v3` and `x86-64-v4` leave out `has_avx`
and `has_avx512f`, without which no AVX instruction is ever emitted, and a preset hides what the
key and the checker have to know.

The defaults run on every machine that is still sold or rented:

- x86_64: `x86-64-v2`, which every processor since 2009 has. Rounding a float in a loop takes 3.1
  to 4.9 ns against 8.2 to 8.6 ns at v1, where it is a call. v3 takes 1.0 ns, but is absent from
  Atom, Celeron and Pentium processors until 2021 and from virtual machines that mask it, and an
  artifact which a machine lacks a feature for is refused there. v4 gained nothing over v3.
- aarch64, riscv64, s390x: the baseline of Cranelift. The loader never verifies the features of
  riscv64: a level too high ends in SIGILL.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import MochiError, fail
from mochi_rules.base.suggest import did_you_mean, listing

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform


@dataclass(frozen=True, slots=True)
class CpuLevel:
    """A set of CPU features with a name; `flags` are Cranelift settings, all to be enabled."""

    name: str
    cpu: str
    flags: tuple[str, ...]


_V2 = ("has_sse3", "has_ssse3", "has_cmpxchg16b", "has_sse41", "has_sse42", "has_popcnt")
_V3 = (*_V2, "has_avx", "has_avx2", "has_fma", "has_bmi1", "has_bmi2", "has_lzcnt")
_V4 = (*_V3, "has_avx512f", "has_avx512dq", "has_avx512vl")
_ARM_8_2 = ("has_lse", "has_fp16", "has_dotprod")
_RVA22 = ("has_zca", "has_zcd", "has_zba", "has_zbb", "has_zbs")
_Z15 = ("has_mie3", "has_vxrs_ext2")
_Z17 = (*_Z15, "has_mie4", "has_vxrs_ext3")

# Sources: x86-64 psABI 1.0 table 3.1; the Arm and RISC-V profiles; cranelift/codegen/meta/src/isa.
CPU_LEVELS: tuple[CpuLevel, ...] = (
    CpuLevel("x86-64-v1", "x86_64", ()),
    CpuLevel("x86-64-v2", "x86_64", _V2),
    CpuLevel("x86-64-v3", "x86_64", _V3),
    CpuLevel("x86-64-v4", "x86_64", _V4),
    CpuLevel("armv8.0", "aarch64", ()),
    CpuLevel("armv8.1", "aarch64", ("has_lse",)),
    CpuLevel("armv8.2", "aarch64", _ARM_8_2),
    CpuLevel("armv8.6", "aarch64", (*_ARM_8_2, "has_i8mm")),
    CpuLevel("rv64gc", "riscv64", ()),
    CpuLevel("rva22", "riscv64", _RVA22),
    CpuLevel("z14", "s390x", ()),
    CpuLevel("z15", "s390x", _Z15),
    CpuLevel("z17", "s390x", _Z17),  # Cranelift uses nothing that z16 added
)


def find_cpu_level(platform: Platform, text: str = "") -> CpuLevel:
    """Return the level of a name, or the platform's default for an empty text.

    Emits: C012 (no such level), C013 (a level of another architecture).

    Raises:
        MochiError: The platform has no level of that name.
    """
    name = text or platform.default_cpu_level
    for level in CPU_LEVELS:
        if level.name == name and level.cpu == platform.cpu:
            return level
    raise _no_level(platform, text)


def _no_level(platform: Platform, text: str) -> MochiError:
    names = [level.name for level in CPU_LEVELS if level.cpu == platform.cpu]
    notes: tuple[str, ...] = (f"the CPU levels of {platform.cpu} are {listing(names)}",)
    default = f"write `cpu={platform.default_cpu_level}`"
    for level in CPU_LEVELS:
        if level.name == text:
            message = f"`{text}` is a CPU level of {level.cpu}, but `{platform.name}` is"
            return fail("C013", f"{message} {platform.cpu}", notes=notes, help=default)
    if text == "native":
        # The machine that builds must never decide the bytes.
        notes = ("an artifact for `native` would depend on the machine that built it", *notes)
    return fail(
        "C012",
        f"no CPU level of {platform.cpu} is named `{text}`",
        notes=notes,
        help=did_you_mean(text, names) or default,
    )
