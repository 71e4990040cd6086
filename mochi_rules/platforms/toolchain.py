"""Toolchains: which tool makes what, and the rejected ones with the reason. Nothing runs here."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, Fault
from mochi_rules.platforms.native_files import NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from mochi_rules.platforms.platform import Constraint, Platform


# Which tools may compile ahead of time, in this order; for each value of `toolchain=`.
POLICIES: dict[str, tuple[str, ...]] = {
    "auto": ("wheel", "worker", "command", "cargo", "emulated"),
    "system": ("wheel", "worker", "command", "emulated"),
    "off": ("wheel",),
    "worker": ("worker",),
    "command": ("command",),
    "emulated": ("emulated",),
}


class ToolchainType(Enum):
    """What a tool makes; the value is the word in messages."""

    AOT = "aot"
    CLIF = "clif"
    LAUNCHER = "launcher"
    C = "C"


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a tool that is not there yet is built: `cargo build` in a folder of the native sources.

    `tree` is one of those of `native_sources`. `program` is what cargo calls it, `path` where it is
    kept. `minutes` is how long it takes on
    two cores, measured.
    """

    program: str
    folder: str
    profile: str
    triple: str
    minutes: int
    path: Path
    tree: str = NATIVE


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A tool as it was found on this machine.

    `origin` says where it was looked for; `exec` is what it runs on and `target` what it makes
    code for: an axis which neither names is free. `missing` says in a phrase what it lacks here,
    and is empty when it is ready; `remedy` is the command that fixes that. `identity` (name,
    version, digest of the executable) enters the key of everything the tool makes. `command`
    starts it; for a launcher, it is the file. With a `recipe`, it has to be built before.
    """

    type: ToolchainType
    name: str
    origin: str
    exec: frozenset[Constraint] = frozenset()
    target: frozenset[Constraint] = frozenset()
    missing: str = ""
    remedy: str = ""
    identity: str = ""
    command: tuple[str, ...] = ()
    recipe: Recipe | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """A toolchain that was tried and why it was not taken."""

    toolchain: Toolchain
    reason: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """The answer to one question; `rejected` stood before `chosen`, in order of registration."""

    type: ToolchainType
    target: Platform
    exec: Platform
    chosen: Toolchain | None
    rejected: tuple[Rejection, ...]


def resolve(
    toolchains: Iterable[Toolchain], type: ToolchainType, target: Platform, exec: Platform
) -> Resolution:
    """Return the first registered toolchain that runs on `exec`, makes `target`, and is ready."""
    rejected: list[Rejection] = []
    for toolchain in toolchains:
        if toolchain.type is not type:
            continue
        reason = _rejection(toolchain, target, exec)
        if not reason:
            return Resolution(type, target, exec, toolchain, tuple(rejected))
        rejected.append(Rejection(toolchain, reason))
    return Resolution(type, target, exec, None, tuple(rejected))


def resolution_error(resolution: Resolution) -> Diagnostic:
    """Report that no toolchain was found, each one tried in a note.

    Emits: C002.
    """
    tried = [f"{item.toolchain.name} ({item.toolchain.origin}): {item.reason}"
             for item in resolution.rejected]  # fmt: skip
    return Diagnostic(
        "C002",
        f"no toolchain can build `{resolution.type.value}` for `{resolution.target.name}`",
        notes=tuple(tried) or (f"no toolchain of type `{resolution.type.value}` is registered",),
        help=remedy(resolution),
        fault=Fault.ENVIRONMENT,
    )


def remedy(resolution: Resolution) -> str:
    """Return the one command that fixes it."""
    lacking = what_lacks(resolution)
    if lacking is None:
        return "run `mochi-rules doctor` to see what each toolchain is missing"
    command = lacking.toolchain.remedy
    return command if command.startswith("install ") else f"run `{command}`"


def what_lacks(resolution: Resolution) -> Rejection | None:
    """Return which of the rejected fits but for what it lacks, and is easiest to fix.

    What could be built knows better what that takes than what is just not there.
    """
    found = [
        item
        for item in resolution.rejected
        if item.reason == item.toolchain.missing and item.toolchain.remedy
    ]
    return next((item for item in found if item.toolchain.recipe), next(iter(found), None))


def _rejection(toolchain: Toolchain, target: Platform, exec: Platform) -> str:
    """Return why a toolchain does not fit, or an empty string."""
    checks = (("runs on", toolchain.exec, exec), ("makes code for", toolchain.target, target))
    for verb, wanted, platform in checks:
        if unmet := sorted(wanted - platform.constraints):
            values = " and ".join(f"{item.axis} `{item.value}`" for item in unmet)
            return f"it {verb} {values}, not {platform.name}"
    return toolchain.missing
