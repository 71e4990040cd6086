"""The platforms which artifacts are made for. One table: adding a platform is adding a row."""

from __future__ import annotations

import platform as host

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.base.suggest import did_you_mean, listing


@dataclass(frozen=True, slots=True, order=True)
class Constraint:
    """One value on one axis, such as `cpu` = `aarch64` or `os` = `linux`."""

    axis: str
    value: str

    def __str__(self) -> str:
        """Return `cpu:aarch64`."""
        return f"{self.axis}:{self.value}"


@dataclass(frozen=True, slots=True)
class Platform:
    """What code is made for: a processor architecture under an operating system.

    `page_size` is the alignment in bytes of the code in a `.cwasm`: the largest page a kernel of
    this platform may use. `object_format` is `elf`, `macho` or `coff`; `endianness` is `little`
    or `big`; `elf_machine` is the e_machine of a `.cwasm`, which is an ELF file on every platform.
    `wheel_tag` is the platform tag of Wasmtime's Python wheel, or None where there is no wheel.
    """

    name: str
    triple: str
    cpu: str
    os: str
    object_format: str
    page_size: int
    endianness: str
    elf_machine: int
    executable_suffix: str
    default_cpu_level: str
    wheel_tag: str | None

    @property
    def constraints(self) -> frozenset[Constraint]:
        """What a toolchain is matched against."""
        return frozenset({Constraint("cpu", self.cpu), Constraint("os", self.os)})


# ELF gABI, e_machine.
_EM_S390, _EM_X86_64, _EM_AARCH64, _EM_RISCV = 22, 62, 183, 243
_K = 1024

# The page sizes are those of `page_size_align` in Wasmtime 48; the wheel tags are those on PyPI.
# fmt: off
PLATFORMS: tuple[Platform, ...] = (
    Platform("x86_64-linux", "x86_64-unknown-linux-gnu", "x86_64", "linux", "elf",
             4 * _K, "little", _EM_X86_64, "", "x86-64-v2", "manylinux2014_x86_64"),
    Platform("aarch64-linux", "aarch64-unknown-linux-gnu", "aarch64", "linux", "elf",
             64 * _K, "little", _EM_AARCH64, "", "armv8.0", "manylinux2014_aarch64"),
    Platform("x86_64-macos", "x86_64-apple-darwin", "x86_64", "macos", "macho",
             4 * _K, "little", _EM_X86_64, "", "x86-64-v2", "macosx_10_13_x86_64"),
    Platform("aarch64-macos", "aarch64-apple-darwin", "aarch64", "macos", "macho",
             16 * _K, "little", _EM_AARCH64, "", "armv8.0", "macosx_11_0_arm64"),
    Platform("x86_64-windows", "x86_64-pc-windows-msvc", "x86_64", "windows", "coff",
             4 * _K, "little", _EM_X86_64, ".exe", "x86-64-v2", "win_amd64"),
    Platform("aarch64-windows", "aarch64-pc-windows-msvc", "aarch64", "windows", "coff",
             4 * _K, "little", _EM_AARCH64, ".exe", "armv8.0", "win_arm64"),
    Platform("riscv64-linux", "riscv64gc-unknown-linux-gnu", "riscv64", "linux", "elf",
             4 * _K, "little", _EM_RISCV, "", "rv64gc", None),
    Platform("s390x-linux", "s390x-unknown-linux-gnu", "s390x", "linux", "elf",
             4 * _K, "big", _EM_S390, "", "z14", None),
)
# fmt: on

# What the Python interpreter calls a machine, where that is not our name for it.
_CPU_ALIASES = {"amd64": "x86_64", "x64": "x86_64", "arm64": "aarch64"}
_OS_ALIASES = {"darwin": "macos"}


def find_platform(text: str) -> Platform:
    """Return the platform of a name (`aarch64-linux`) or of a full triple.

    Emits: C010 (no such platform).

    Raises:
        MochiError: There is no platform of that name.
    """
    for row in PLATFORMS:
        if text in (row.name, row.triple):
            return row
    names = [row.name for row in PLATFORMS]
    hint = did_you_mean(text, names + [row.triple for row in PLATFORMS])
    raise fail(
        "C010",
        f"no platform is named `{text}`",
        notes=(f"the platforms are {listing(names)}",),
        help=hint or "write `target=x86_64-linux`, or another name of the list",
    )


def host_platform(machine: str = "", system: str = "") -> Platform:
    """Return the platform this process runs on; the arguments stand in for it in tests.

    Emits: C011 (this machine is none of the platforms).

    Raises:
        MochiError: The machine or its operating system is not in the table.
    """
    machine = (machine or host.machine()).lower()
    system = (system or host.system()).lower()
    cpu, os = _CPU_ALIASES.get(machine, machine), _OS_ALIASES.get(system, system)
    for row in PLATFORMS:
        if (row.cpu, row.os) == (cpu, os):
            return row
    raise environment_error(
        "C011",
        f"this machine is none of the platforms: `{machine}` under `{system}`",
        notes=(f"the platforms are {listing(row.name for row in PLATFORMS)}",),
        help="name the platform to build for, such as `target=x86_64-linux`",
    )
