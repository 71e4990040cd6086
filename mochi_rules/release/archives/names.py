"""What other ecosystems call our platforms: one row for each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform


@dataclass(frozen=True, slots=True)
class Names:
    """The names of a platform; None where an ecosystem does not have it.

    `debian` and `oci` are architectures, `wheel` is a platform tag, and `npm` a pair of system and
    processor.
    """

    npm: tuple[str, str]
    wheel: str
    debian: str | None = None
    oci: str | None = None


# Launchers of Linux with musl need no C library; the others need glibc 2.31, or 2.35 on RISC-V.
NAMES: dict[str, Names] = {
    "x86_64-linux": Names(("linux", "x64"), "manylinux_2_31_x86_64", "amd64", "amd64"),
    "aarch64-linux": Names(("linux", "arm64"), "manylinux_2_31_aarch64", "arm64", "arm64"),
    "x86_64-macos": Names(("darwin", "x64"), "macosx_11_0_x86_64"),
    "aarch64-macos": Names(("darwin", "arm64"), "macosx_11_0_arm64"),
    "x86_64-windows": Names(("win32", "x64"), "win_amd64"),
    "aarch64-windows": Names(("win32", "arm64"), "win_arm64"),
    "riscv64-linux": Names(("linux", "riscv64"), "manylinux_2_35_riscv64", "riscv64", "riscv64"),
    "s390x-linux": Names(("linux", "s390x"), "manylinux_2_31_s390x", "s390x", "s390x"),
}


def names_of(platform: Platform) -> Names:
    """Return the names of a platform."""
    return NAMES[platform.name]


def check_form(ecosystem: str, version: str, form: str, example: str) -> None:
    """Refuse a version that an ecosystem does not allow; `form` is a regular expression.

    Emits: R006.
    """
    if not re.fullmatch(form, version):
        message = f"`{version}` cannot be the version of a package for {ecosystem}"
        raise fail("R006", message, help=f"write a version such as `{example}`")
