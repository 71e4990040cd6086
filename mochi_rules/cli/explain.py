"""`mochi-rules explain`: what a diagnostic code means; what the last build did, and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.codes import explanation, is_code
from mochi_rules.base.diagnostic import fail
from mochi_rules.cli.options import COLOR, Option, Verb
from mochi_rules.cli.shown import show
from mochi_rules.steps.caches import find_remote, open_cache
from mochi_rules.steps.comparison import explain_outputs
from mochi_rules.steps.journal import Journal

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def explain_operands(parsed: Parsed) -> int:
    """Explain codes and targets, or all targets of the last build.

    Emits: B001 (no such target), B061 (nothing was built), B067 (no such code), and as
        `find_remote`.
    """
    codes = [text for text in parsed.operands if is_code(text)]
    targets = [text for text in parsed.operands if not is_code(text)]
    found = [explanation(code) for code in codes]
    if targets or not codes:
        found.append(_explain_targets(parsed, targets))
    sys.stdout.write("\n".join(found))
    return 0


def _explain_targets(parsed: Parsed, targets: list[str]) -> str:
    folder = Path(parsed.get("build") or "build")
    remote = find_remote(Path.cwd(), {})
    cache = open_cache(None, remote, lambda _line: None)
    lines = explain_outputs(Journal(folder), targets, cache)
    cache.flush()
    show(cache.warnings)
    if not lines:
        raise fail(
            "B061",
            f"nothing was built in `{folder}`",
            help="run `scons` first, or name the directory: `--build DIR`",
        )
    return "".join(f"{line}\n" for line in lines)


VERB = Verb(
    "explain",
    "explain [CODE|TARGET]... [OPTIONS]",
    "Explain a diagnostic code, such as B022, or what the last build did with a file: whether it "
    "was built, which part of its key was new, and how its key differs from that of a result in "
    "the remote cache, where one is set. Without operands, explain every file.",
    explain_operands,
    (Option("build", "the output directory; by default `build`", "DIR"), COLOR),
    operands=(0, 1000),
)
