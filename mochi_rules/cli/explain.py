"""`mochi-rules explain`: what the last build did with a file, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.cli.options import COLOR, Option, Verb
from mochi_rules.steps.journal import Journal, explain, select

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def explain_target(parsed: Parsed) -> int:
    """Explain targets, or all of the last build.

    Emits: B001 (no such target), B061 (nothing was built).
    """
    folder = Path(parsed.get("build") or "build")
    entries = Journal(folder).entries()
    if not entries:
        raise fail(
            "B061",
            f"nothing was built in `{folder}`",
            help="run `scons` first, or name the directory: `--build DIR`",
        )
    paths = [path for text in parsed.operands for path in select(entries, text)]
    for path in paths or entries:
        sys.stdout.write("\n".join(explain(entries[path])) + "\n")
    return 0


VERB = Verb(
    "explain",
    "explain [TARGET]... [OPTIONS]",
    "Tell what the last build did with each file, and which part of its key was new.",
    explain_target,
    (Option("build", "the output directory; by default `build`", "DIR"), COLOR),
    operands=(0, 1000),
)
