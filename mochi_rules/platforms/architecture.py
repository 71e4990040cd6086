"""Processor architectures: CPU levels, and the numbers that file formats and tools have for them.

The flags of a level are written out. Cranelift's own presets `x86-64-v3` and `x86-64-v4` leave out
`has_avx` and `has_avx512f`, without which no AVX instruction is ever emitted, and a preset hides
what the key and the checker have to know.

The default levels run on every machine that is still sold or rented:

- x86_64: `x86-64-v2`, which every processor since 2009 has. Rounding a float in a loop takes 3.1
  to 4.9 ns against 8.2 to 8.6 ns at v1, where it is a call. v3 takes 1.0 ns, but is absent from
  Atom, Celeron and Pentium processors until 2021 and from virtual machines that mask it, and a
  machine refuses an artifact that needs a feature it lacks. v4 gained nothing over v3.
- aarch64, riscv64, s390x: the baseline of Cranelift. The loader never verifies the features of
  riscv64: a level too high ends in SIGILL.
"""

from __future__ import annotations

from mochi_rules.base.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class CpuLevel:
    """A named set of CPU features; `flags` are Cranelift settings, all to be enabled."""

    name: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Architecture:
    """A processor architecture. A format or tool that does not know it has None.

    `host_names` are what Python calls it besides `name`; `triple_names` are its names in target
    triples, the first is Wasmtime's. `endianness` is `little` or `big`.

    `elf_machine` is e_machine, `elf_name` its name in the ELF specification; `object_flags` are
    the e_flags of a relocatable object; `address_relocations` are the types of relocation that
    write an absolute address of 64 and of 32 bits, `code_relocations` those that Cranelift writes
    besides: calls, distances, and entries of the global offset table. `macho_cpu` is type and
    subtype.
    `symbol_alignment` is that of every address that a symbol may have.

    `cpu_levels` begin with the baseline. `isa_flags` are all of Cranelift's settings, in the order
    of its metadata; `baseline_flags` are those that are on at every level. `has_winch` and
    `has_simd` say what Wasmtime compiles at these levels.

    `package_name` is what Debian and OCI call it, `npm_name` what npm does.

    `capstone` names the constants of its disassembler: architecture, modes. `instruction_size` is
    the size in bytes of nearly all instructions, for the width of a listing.
    """

    name: str
    triple_names: tuple[str, ...]
    endianness: str
    elf_machine: int
    elf_name: str
    address_relocations: tuple[int, int]
    code_relocations: tuple[int, ...]
    cpu_levels: tuple[CpuLevel, ...]
    default_cpu_level: str
    isa_flags: tuple[str, ...]
    package_name: str
    npm_name: str
    host_names: tuple[str, ...] = ()
    object_flags: int = 0
    coff_machine: int | None = None
    macho_cpu: tuple[int, int] | None = None
    symbol_alignment: int = 1
    baseline_flags: frozenset[str] = frozenset()
    has_winch: bool = False
    has_simd: bool = True
    capstone: tuple[str, ...] | None = None
    instruction_size: int = 4


_V2 = ("has_sse3", "has_ssse3", "has_cmpxchg16b", "has_sse41", "has_sse42", "has_popcnt")
_V3 = (*_V2, "has_avx", "has_avx2", "has_fma", "has_bmi1", "has_bmi2", "has_lzcnt")
_V4 = (*_V3, "has_avx512f", "has_avx512dq", "has_avx512vl")
_ARM_8_2 = ("has_lse", "has_fp16", "has_dotprod")
_RVA22 = ("has_zca", "has_zcd", "has_zba", "has_zbb", "has_zbs")
_Z15 = ("has_mie3", "has_vxrs_ext2")
_Z17 = (*_Z15, "has_mie4", "has_vxrs_ext3")

# Sources: x86-64 psABI 1.0 table 3.1; the Arm and RISC-V profiles; cranelift/codegen/meta/src/isa
# of Wasmtime 48.0.0; the ELF gABI and its processor supplements; Microsoft's "PE Format";
# mach/machine.h of XNU.
X86_64 = Architecture(
    name="x86_64",
    host_names=("amd64", "x64"),
    triple_names=("x86_64",),
    package_name="amd64",
    npm_name="x64",
    endianness="little",
    elf_machine=62,
    elf_name="EM_X86_64",
    address_relocations=(1, 10),
    code_relocations=(2, 4, 9),
    coff_machine=0x8664,
    macho_cpu=(0x0100_0007, 3),
    cpu_levels=(
        CpuLevel("x86-64-v1", ()),
        CpuLevel("x86-64-v2", _V2),
        CpuLevel("x86-64-v3", _V3),
        CpuLevel("x86-64-v4", _V4),
    ),
    default_cpu_level="x86-64-v2",
    isa_flags=(
        *("has_sse3", "has_ssse3", "has_cmpxchg16b", "has_sse41", "has_sse42", "has_avx"),
        *("has_avx2", "has_fma", "has_avx_vnni", "has_avx512bitalg", "has_avx512dq"),
        *("has_avx512vl", "has_avx512vbmi", "has_avx512f", "has_avx512vnni", "has_popcnt"),
        *("has_bmi1", "has_bmi2", "has_lzcnt"),
    ),
    has_winch=True,
    capstone=("CS_ARCH_X86", "CS_MODE_64"),
    instruction_size=10,
)
AARCH64 = Architecture(
    name="aarch64",
    host_names=("arm64",),
    triple_names=("aarch64",),
    package_name="arm64",
    npm_name="arm64",
    endianness="little",
    elf_machine=183,
    elf_name="EM_AARCH64",
    address_relocations=(257, 258),
    code_relocations=(261, 275, 277, 283, 311, 312),
    coff_machine=0xAA64,
    macho_cpu=(0x0100_000C, 0),
    cpu_levels=(
        CpuLevel("armv8.0", ()),
        CpuLevel("armv8.1", ("has_lse",)),
        CpuLevel("armv8.2", _ARM_8_2),
        CpuLevel("armv8.6", (*_ARM_8_2, "has_i8mm")),
    ),
    default_cpu_level="armv8.0",
    isa_flags=(
        *("has_lse", "has_pauth", "has_fp16", "has_dotprod", "has_i8mm"),
        *("sign_return_address_all", "sign_return_address", "sign_return_address_with_bkey"),
        *("use_bti", "use_csdb"),
    ),
    has_winch=True,
    capstone=("CS_ARCH_ARM64", "CS_MODE_ARM"),
)
RISCV64 = Architecture(
    name="riscv64",
    triple_names=("riscv64gc", "riscv64"),
    package_name="riscv64",
    npm_name="riscv64",
    endianness="little",
    elf_machine=243,
    elf_name="EM_RISCV",
    # Doubles in float registers, compressed instructions: a linker refuses to mix the float ABIs,
    # even of an object without code.
    object_flags=0x4 | 0x1,
    address_relocations=(2, 1),
    code_relocations=(19, 20, 23, 24, 57),
    cpu_levels=(CpuLevel("rv64gc", ()), CpuLevel("rva22", _RVA22)),
    default_cpu_level="rv64gc",
    isa_flags=(
        *("has_m", "has_a", "has_f", "has_d", "has_zfa", "has_zfhmin", "has_zfh", "has_v"),
        *("has_zvfh", "has_zca", "has_zcd", "has_zcb", "has_zbkb", "has_zba", "has_zbb"),
        *("has_zbc", "has_zbs", "has_zicond", "has_zvbb", "has_zicsr", "has_zifencei"),
        *(f"has_zvl{1 << power}b" for power in range(5, 17)),
    ),
    baseline_flags=frozenset(
        {"has_m", "has_a", "has_f", "has_d", "has_zicsr", "has_zifencei"},
    ),
    has_simd=False,  # Cranelift does it with the vector extension, which no level has
    capstone=("CS_ARCH_RISCV", "CS_MODE_RISCV64", "CS_MODE_RISCVC"),
)
S390X = Architecture(
    name="s390x",
    triple_names=("s390x",),
    package_name="s390x",
    npm_name="s390x",
    endianness="big",
    elf_machine=22,
    elf_name="EM_S390",
    address_relocations=(22, 4),
    code_relocations=(5, 19, 20),
    symbol_alignment=2,
    cpu_levels=(
        CpuLevel("z14", ()),
        CpuLevel("z15", _Z15),
        CpuLevel("z17", _Z17),  # Cranelift uses nothing that z16 added
    ),
    default_cpu_level="z14",
    isa_flags=("has_mie3", "has_vxrs_ext2", "has_mie4", "has_vxrs_ext3"),
    capstone=("CS_ARCH_SYSZ", "CS_MODE_BIG_ENDIAN"),
    instruction_size=6,
)
ARCHITECTURES = (X86_64, AARCH64, RISCV64, S390X)
