"""The platforms that artifacts are made for. One table: a new platform is a new row.

A row names an architecture and a system; a platform of another one adds its row in
`architecture.py` or `system.py`.
"""

from __future__ import annotations

import platform as host

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.platforms.architecture import AARCH64, RISCV64, S390X, X86_64, Architecture
from mochi_rules.platforms.system import LINUX, MACOS, WINDOWS, System


@dataclass(frozen=True, slots=True, order=True)
class Constraint:
    """One value on one axis, such as `cpu` = `aarch64` or `os` = `linux`."""

    axis: str
    value: str

    def __str__(self) -> str:
        """Return `cpu:aarch64`."""
        return f"{self.axis}:{self.value}"


@dataclass(frozen=True, slots=True)
class CCompiler:
    """A C compiler: the program on PATH, the command that installs it, flags always given."""

    program: str
    install: str
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RustTarget:
    """A target of Rust that a launcher can be built for, and what links it."""

    triple: str
    linker: CCompiler


@dataclass(frozen=True, slots=True)
class Platform:
    """What code is made for: a processor architecture under an operating system.

    `page_size` is the alignment in bytes of the code in a `.cwasm`: the largest page a kernel of
    this platform may use. `launchers` are the targets of Rust for the launcher; the first that
    this machine can build is taken. `program_tag` is the platform tag of a wheel that has an
    executable. `gcc` is a cross compiler of Linux distributions. `wheel_tag` is the platform tag of
    Wasmtime's Python wheel, None where there is no wheel. `oldest_system`
    is the version of macOS that the wheel needs: a linker warns of an object that is newer than
    the program it makes.
    """

    architecture: Architecture
    system: System
    triple: str
    page_size: int
    launchers: tuple[RustTarget, ...]
    program_tag: str
    gcc: CCompiler | None = None
    wheel_tag: str | None = None
    oldest_system: tuple[int, int] = (0, 0)

    @property
    def name(self) -> str:
        """Such as `aarch64-linux`."""
        return f"{self.cpu}-{self.os}"

    @property
    def cpu(self) -> str:
        """The name of the architecture."""
        return self.architecture.name

    @property
    def os(self) -> str:
        """The name of the operating system."""
        return self.system.name

    @property
    def constraints(self) -> frozenset[Constraint]:
        """What a toolchain is matched against."""
        return frozenset({Constraint("cpu", self.cpu), Constraint("os", self.os)})


_K = 1024
_CC = CCompiler("cc", "apt-get install gcc")
ZIG = CCompiler("zig", "pip install ziglang")
_GCC_X86_64 = CCompiler("x86_64-linux-gnu-gcc", "apt-get install gcc-x86-64-linux-gnu")
_GCC_AARCH64 = CCompiler("aarch64-linux-gnu-gcc", "apt-get install gcc-aarch64-linux-gnu")
_GCC_RISCV64 = CCompiler("riscv64-linux-gnu-gcc", "apt-get install gcc-riscv64-linux-gnu")
_GCC_S390X = CCompiler("s390x-linux-gnu-gcc", "apt-get install gcc-s390x-linux-gnu")
_MINGW = CCompiler(
    "x86_64-w64-mingw32-gcc",
    "apt-get install gcc-mingw-w64-x86-64",
    ("-Wl,--no-insert-timestamp",),  # the linker would write the time into the file
)

# The page sizes are those of `page_size_align` in Wasmtime 48; the wheel tags are those on PyPI.
# Launchers for musl need no library; the others for Linux need glibc 2.31, or 2.35 on RISC-V.
PLATFORMS: tuple[Platform, ...] = (
    Platform(
        X86_64,
        LINUX,
        "x86_64-unknown-linux-gnu",
        page_size=4 * _K,
        launchers=(
            RustTarget("x86_64-unknown-linux-musl", _CC),
            RustTarget("x86_64-unknown-linux-gnu", _CC),
        ),
        program_tag="manylinux_2_31_x86_64",
        gcc=_GCC_X86_64,
        wheel_tag="manylinux2014_x86_64",
    ),
    Platform(
        AARCH64,
        LINUX,
        "aarch64-unknown-linux-gnu",
        page_size=64 * _K,
        launchers=(RustTarget("aarch64-unknown-linux-musl", _GCC_AARCH64),),
        program_tag="manylinux_2_31_aarch64",
        gcc=_GCC_AARCH64,
        wheel_tag="manylinux2014_aarch64",
    ),
    Platform(
        X86_64,
        MACOS,
        "x86_64-apple-darwin",
        page_size=4 * _K,
        launchers=(RustTarget("x86_64-apple-darwin", ZIG),),
        program_tag="macosx_11_0_x86_64",
        wheel_tag="macosx_10_13_x86_64",
        oldest_system=(10, 13),
    ),
    Platform(
        AARCH64,
        MACOS,
        "aarch64-apple-darwin",
        page_size=16 * _K,
        launchers=(RustTarget("aarch64-apple-darwin", ZIG),),
        program_tag="macosx_11_0_arm64",
        wheel_tag="macosx_11_0_arm64",
        oldest_system=(11, 0),
    ),
    Platform(
        X86_64,
        WINDOWS,
        "x86_64-pc-windows-msvc",
        page_size=4 * _K,
        launchers=(RustTarget("x86_64-pc-windows-gnu", _MINGW),),
        program_tag="win_amd64",
        gcc=_MINGW,
        wheel_tag="win_amd64",
    ),
    Platform(
        AARCH64,
        WINDOWS,
        "aarch64-pc-windows-msvc",
        page_size=4 * _K,
        launchers=(RustTarget("aarch64-pc-windows-gnullvm", ZIG),),
        program_tag="win_arm64",
        wheel_tag="win_arm64",
    ),
    Platform(
        RISCV64,
        LINUX,
        "riscv64gc-unknown-linux-gnu",
        page_size=4 * _K,
        launchers=(RustTarget("riscv64gc-unknown-linux-gnu", _GCC_RISCV64),),
        program_tag="manylinux_2_35_riscv64",
        gcc=_GCC_RISCV64,
    ),
    Platform(
        S390X,
        LINUX,
        "s390x-unknown-linux-gnu",
        page_size=4 * _K,
        launchers=(RustTarget("s390x-unknown-linux-gnu", _GCC_S390X),),
        program_tag="manylinux_2_31_s390x",
        gcc=_GCC_S390X,
    ),
)


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
        help=hint or "write `target=x86_64-linux`, or another name in the list",
    )


def host_platform(machine: str = "", system: str = "") -> Platform:
    """Return the platform this process runs on; the arguments stand in for it in tests.

    Emits: C011 (this machine is none of the platforms).

    Raises:
        MochiError: The machine or its operating system is not in the table.
    """
    machine = (machine or host.machine()).lower()
    system = (system or host.system()).lower()
    for row in PLATFORMS:
        names = (row.cpu, *row.architecture.host_names)
        if machine in names and system == row.system.host_name:
            return row
    raise environment_error(
        "C011",
        f"this machine is not a supported platform: `{machine}` under `{system}`",
        notes=(f"the platforms are {listing(row.name for row in PLATFORMS)}",),
        help="name the platform to build for, such as `target=x86_64-linux`",
    )
