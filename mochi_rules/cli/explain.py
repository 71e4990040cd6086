"""`mochi-rules explain`: what a diagnostic code means; what the last build did, and why."""

from __future__ import annotations

import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.codes import is_code, registry
from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.cli.options import COLOR, Option, Verb
from mochi_rules.steps.journal import Journal, explain, select

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed

_WIDTH = 80  # columns


def explain_operands(parsed: Parsed) -> int:
    """Explain codes and targets, or all targets of the last build.

    Emits: B001 (no such target), B061 (nothing was built), B067 (no such code).
    """
    codes = [text for text in parsed.operands if is_code(text)]
    targets = [text for text in parsed.operands if not is_code(text)]
    found = [_explain_code(code) for code in codes]
    if targets or not codes:
        found.append(_explain_targets(parsed, targets))
    sys.stdout.write("\n".join(found))
    return 0


def _explain_code(code: str) -> str:
    entry = registry().get(code)
    if entry is None:
        help_ = did_you_mean(code, registry())
        raise fail("B067", f"no diagnostic has the code `{code}`", help=help_)
    paragraphs = (f"{code}: {entry.title}", entry.cause, f"help: {entry.help}")
    return "\n".join(
        textwrap.fill(part, _WIDTH, break_on_hyphens=False) + "\n" for part in paragraphs
    )


def _explain_targets(parsed: Parsed, targets: list[str]) -> str:
    folder = Path(parsed.get("build") or "build")
    entries = Journal(folder).entries()
    if not entries:
        raise fail(
            "B061",
            f"nothing was built in `{folder}`",
            help="run `scons` first, or name the directory: `--build DIR`",
        )
    paths = [path for text in targets for path in select(entries, text)]
    return "".join(f"{line}\n" for path in paths or entries for line in explain(entries[path]))


VERB = Verb(
    "explain",
    "explain [CODE|TARGET]... [OPTIONS]",
    "Explain a diagnostic code, such as B022, or what the last build did with a file: whether it "
    "was built, and which part of its key was new. Without operands, explain every file.",
    explain_operands,
    (Option("build", "the output directory; by default `build`", "DIR"), COLOR),
    operands=(0, 1000),
)
