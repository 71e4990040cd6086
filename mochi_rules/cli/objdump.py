"""`mochi-rules objdump`: machine code, with the lines that it comes from."""

from __future__ import annotations

import os
import sys
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.base.suggest import did_you_mean
from mochi_rules.cli.listings import NATIVE, is_program, list_artifact, list_program
from mochi_rules.cli.options import Option, Verb, color_choice
from mochi_rules.cli.session import BUILDING
from mochi_rules.elf.listing.listing_text import render_listing
from mochi_rules.ui.color import use_color
from mochi_rules.ui.output import Output

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.cli.options import Parsed
    from mochi_rules.elf.listing.listing import CodeFunction, Listing

_AT_ONCE = 256  # lines that are written together


def show_code(parsed: Parsed) -> int:
    """Show the machine code of an artifact, or of a program.

    Emits: as `list_artifact` and `list_program`; B065 (no such function).
    """
    path = Path(parsed.operands[0])
    listed = list_program(parsed, path) if is_program(path) else list_artifact(parsed, path)
    functions = _chosen(listed.listing, parsed.get("function"))
    stream = Output(sys.stdout)
    color = use_color(color_choice[0], os.environ, is_terminal=stream.is_terminal)
    lines = render_listing(listed.listing, functions, listed.texts, color=color)
    while text := "".join(islice(lines, _AT_ONCE)):
        stream.write(text)
    return 0


def _chosen(listing: Listing, name: str) -> Iterable[CodeFunction]:
    """Return the functions of a name; all where no name is given."""
    if not name:
        return listing.functions()
    found = [function for function in listing.functions() if function.name == name]
    if not found:
        names = [function.name for function in listing.functions()]
        hint = did_you_mean(name, names) or "leave `--function` out to see all"
        raise fail("B065", f"no function is named `{name}`", help=hint)
    return found


VERB = Verb(
    "objdump",
    "objdump FILE [OPTIONS]",
    "Show the machine code of a `.cwasm`, of an object or an executable that holds one, of the "
    "object of a native program, or of a program, with the source lines that it comes from.",
    show_code,
    (Option("function", "only this function", "NAME"), NATIVE, *BUILDING),
)
