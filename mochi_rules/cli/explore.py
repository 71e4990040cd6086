"""`mochi-rules explore`: a program beside its WebAssembly and its machine code, in a browser."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.cli.explore_page import explore_page
from mochi_rules.cli.listings import NATIVE, is_program, list_program
from mochi_rules.cli.options import Option, Verb
from mochi_rules.cli.session import BUILDING, configuration_of
from mochi_rules.steps.outputs import write_output

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed


def explore(parsed: Parsed) -> int:
    """Write a page that shows where the code of each line went.

    Emits: as `list_program`; B066 (no program), B014.
    """
    path = Path(parsed.operands[0])
    if not is_program(path):
        hint = f"name its `.mochi` or its `.wasm`; `mochi-rules objdump {path}` shows the code"
        raise fail(
            "B066", f"`{path}` is compiled already: it has no source and no WebAssembly", help=hint
        )
    listed = list_program(parsed, path)
    title = f"{path.name} · {configuration_of(parsed).name}"
    page = explore_page(title, listed.listing, listed.wasm, listed.texts)
    output = Path(parsed.get("output") or f"{path.stem}.html")
    if str(output) == "-":
        sys.stdout.writelines(page)
    else:
        write_output(output, map(str.encode, page), str(output))
        sys.stdout.write(f"wrote {output}\n")
    return 0


VERB = Verb(
    "explore",
    "explore FILE [OPTIONS]",
    "Write a page that shows a program beside its WebAssembly and its machine code: pointing at a "
    "line shows what it became. FILE is a `.mochi` or a `.wasm`.",
    explore,
    (
        Option("output", "the page to write; `-` is standard output", "OUT", short="o"),
        NATIVE,
        *BUILDING,
    ),
)
