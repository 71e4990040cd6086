"""`mochi-rules rebuild`: proves that a release was built from its source."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.cli.options import COLOR, Option, Verb

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def rebuild_release(parsed: Parsed) -> int:
    """Build a release again; the status is 1 when an archive differs.

    Emits: as `release.rebuild.rebuild`.
    """
    from mochi_rules.release.repeat.rebuild import rebuild  # noqa: PLC0415 - takes 50 ms

    found = rebuild(
        Path(parsed.operands[0]),
        Path(parsed.get("source") or "."),
        is_fresh=parsed.has("fresh"),
    )
    for item in found:
        sys.stdout.write(f"{item.name}: {'differs' if item.differences else 'equal'}\n")
        sys.stdout.write("".join(f"  {text}\n" for text in item.differences))
    return 1 if any(item.differences for item in found) else 0


VERB = Verb(
    "rebuild",
    "rebuild FILE [OPTIONS]",
    "Build a release again from the provenance in FILE, at its commit and without a cache, and "
    "compare every archive; show where one differs, and exit with status 1. Where other tools are "
    "installed than those of the release, they come from its lock.",
    rebuild_release,
    (
        Option("source", "the repository that has the commit; by default this folder", "DIR"),
        Option(
            "fresh", "install the tools of the release from its lock, whatever is installed here"
        ),
        COLOR,
    ),
)
