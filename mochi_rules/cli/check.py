"""`mochi-rules check`: find what is wrong with a program, and make nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostics, Fault, MochiError, fail
from mochi_rules.base.render import render_json
from mochi_rules.cli.options import COLOR, Option, Verb
from mochi_rules.cli.products import kind_of, read_program
from mochi_rules.cli.shown import show
from mochi_rules.project.sources import texts_of

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed

_MANY = 1000  # files


def check(parsed: Parsed) -> int:
    """Check programs; the status is that of the worst.

    Emits: B010, B068 (a file of another kind), and as `read_program` and the compiler.
    """
    status = 0
    for operand in parsed.operands:
        diagnostics = Diagnostics()
        try:
            _check(Path(operand), diagnostics)
        except MochiError as error:
            diagnostics.items += error.diagnostics
        if parsed.has("json"):
            sys.stdout.writelines(render_json(item) + "\n" for item in diagnostics)
        else:
            show(tuple(diagnostics))
        if diagnostics.errors:
            status = max(status, Fault.INPUT.value, *(e.fault.value for e in diagnostics.errors))
    return status


def _check(path: Path, diagnostics: Diagnostics) -> None:
    from mochi_rules.compiler.driver import CompileRequest, build_ir  # noqa: PLC0415 - 70 ms

    if kind_of(path) != ".mochi":
        message = f"`mochi-rules check` applies only to Mochi programs, not to `{path}`"
        raise fail("B068", message, help=f"run `mochi-rules verify {path}`")
    texts = texts_of(read_program(path, Path.cwd()))
    build_ir(CompileRequest(next(iter(texts)), texts), diagnostics)


VERB = Verb(
    "check",
    "check FILE... [OPTIONS]",
    "Report the errors in programs. Nothing is written.",
    check,
    (Option("json", "one JSON object a line, for editors"), COLOR),
    operands=(1, _MANY),
)
