"""`mochi-rules toolchain list`: what compiles for which platform."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.cli.options import COLOR, Verb
from mochi_rules.cli.usage import table
from mochi_rules.platforms.platform import PLATFORMS
from mochi_rules.rules.toolchains import Toolchains

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def list_toolchains(parsed: Parsed) -> int:
    """Show the toolchains, and for each platform the one that is taken, or why none is.

    Emits: B062.
    """
    if parsed.operands[0] != "list":
        raise fail(
            "B062",
            f"`mochi-rules toolchain` cannot `{parsed.operands[0]}`",
            help="write `mochi-rules toolchain list`",
        )
    toolchains = Toolchains()
    rows = [
        (item.name, f"{item.type.value}, {item.origin}: {item.missing or 'ready'}")
        for item in toolchains.all
    ]
    sys.stdout.write("toolchains\n" + table(rows) + "\nplatforms\n")
    sys.stdout.write(table((row.name, _answer(toolchains, row.name)) for row in PLATFORMS))
    return 0


def _answer(toolchains: Toolchains, name: str) -> str:
    platform = next(row for row in PLATFORMS if row.name == name)
    resolution = toolchains.aot(platform)
    if resolution.chosen:
        return resolution.chosen.name
    reasons = [f"{item.toolchain.name}: {item.reason}" for item in resolution.rejected]
    return f"none ({'; '.join(reasons)})"


VERB = Verb(
    "toolchain",
    "toolchain list [OPTIONS]",
    "List the tools that compile ahead of time, and the one taken for each platform.",
    list_toolchains,
    (COLOR,),
)
