"""CPU levels by name: how new a processor an artifact may require."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import MochiError, fail
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.platforms.architecture import ARCHITECTURES, CpuLevel

if TYPE_CHECKING:
    from mochi_rules.platforms.platform import Platform


def find_cpu_level(platform: Platform, text: str = "") -> CpuLevel:
    """Return the level of a name, or the platform's default for an empty string.

    Emits: C012 (no such level), C013 (a level of another architecture).

    Raises:
        MochiError: The platform has no level of that name.
    """
    architecture = platform.architecture
    name = text or architecture.default_cpu_level
    for level in architecture.cpu_levels:
        if level.name == name:
            return level
    raise _no_level(platform, text)


def _no_level(platform: Platform, text: str) -> MochiError:
    architecture = platform.architecture
    names = [level.name for level in architecture.cpu_levels]
    notes: tuple[str, ...] = (f"the CPU levels of {architecture.name} are {listing(names)}",)
    default = f"write `cpu={architecture.default_cpu_level}`"
    for other in ARCHITECTURES:
        if text in (level.name for level in other.cpu_levels):
            message = f"`{text}` is a CPU level of {other.name}, but `{platform.name}` is"
            return fail("C013", f"{message} {architecture.name}", notes=notes, help=default)
    if text == "native":
        # The machine that builds must never decide the bytes.
        notes = ("an artifact for `native` would depend on the machine that built it", *notes)
    if text == architecture.name.replace("_", "-"):  # as others call the baseline
        default = f"write `cpu={names[0]}`"
        names = []
    return fail(
        "C012",
        f"no CPU level of {architecture.name} is named `{text}`",
        notes=notes,
        help=did_you_mean(text, names) or default,
    )
