"""The resolution of toolchains."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import Fault
from mochi_rules.base.render import render
from mochi_rules.platforms.platform import Constraint, find_platform
from mochi_rules.platforms.toolchain import (
    Toolchain,
    ToolchainType,
    resolution_error,
    resolve,
)

X86, ARM = find_platform("x86_64-linux"), find_platform("aarch64-linux")
MAC = find_platform("aarch64-macos")
AOT, C = ToolchainType.AOT, ToolchainType.C

WHEEL = Toolchain(AOT, "wheel", "wasmtime 48.0.0", X86.constraints, X86.constraints)
WORKER = Toolchain(AOT, "worker", "/opt/worker", exec=X86.constraints)
ABSENT = Toolchain(AOT, "cli", "$PATH", missing="`wasmtime` is not on the path")
CLANG = Toolchain(C, "clang", "/usr/bin/clang")
MAC_ONLY = Toolchain(AOT, "mac", "/opt/mac", exec=frozenset({Constraint("os", "macos")}))


@pytest.mark.parametrize(
    ("toolchains", "target", "chosen", "reasons"),
    [
        ((), X86, None, []),
        ((WHEEL,), X86, WHEEL, []),
        ((WHEEL,), ARM, None, ["it makes code for cpu `x86_64`, not aarch64-linux"]),
        ((WHEEL,), MAC, None, ["it makes code for cpu `x86_64` and os `linux`, not aarch64-macos"]),
        ((WHEEL, WORKER), X86, WHEEL, []),
        ((WORKER, WHEEL), X86, WORKER, []),
        (
            (WHEEL, WORKER),
            ARM,
            WORKER,
            ["it makes code for cpu `x86_64`, not aarch64-linux"],
        ),
        ((ABSENT, WORKER), ARM, WORKER, ["`wasmtime` is not on the path"]),
        ((CLANG,), X86, None, []),
        ((MAC_ONLY,), X86, None, ["it runs on os `macos`, not x86_64-linux"]),
    ],
)
def test_first_that_fits_is_chosen(toolchains, target, chosen, reasons):
    """The first fitting registration wins; those before it are rejected with a reason."""
    found = resolve(toolchains, AOT, target, X86)
    assert found.chosen == chosen
    assert [item.reason for item in found.rejected] == reasons


def test_later_registration_changes_nothing():
    """A toolchain registered after the chosen one leaves the whole answer as it was."""
    before = resolve((ABSENT, WORKER), AOT, ARM, X86)
    assert resolve((ABSENT, WORKER, WHEEL, ABSENT), AOT, ARM, X86) == before


def test_error_is_the_trace():
    """The error names the type, the target, and each tool tried with where and why."""
    diagnostic = resolution_error(resolve((WHEEL, ABSENT), AOT, ARM, X86))
    assert diagnostic.fault is Fault.ENVIRONMENT
    assert render(diagnostic) == (
        "error[C002]: no toolchain can build `aot` for `aarch64-linux`\n"
        "note: wheel (wasmtime 48.0.0): it makes code for cpu `x86_64`, not aarch64-linux\n"
        "note: cli ($PATH): `wasmtime` is not on the path\n"
        "help: run `mochi-rules doctor` to see what each toolchain is missing\n"
    )


def test_error_without_registrations_says_so():
    """With nothing registered the error says that, not an empty trace."""
    diagnostic = resolution_error(resolve((CLANG,), AOT, ARM, X86))
    assert diagnostic.notes == ("no toolchain of type `aot` is registered",)
