"""`mochi-rules init`: a new project, four files that build at once."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import fail
from mochi_rules.cli.options import COLOR, Verb
from mochi_rules.steps.outputs import write_output

if TYPE_CHECKING:
    from mochi_rules.cli.options import Parsed

_SCONSTRUCT = """\
import os

SetOption("no_progress", True)
SetOption("num_jobs", os.cpu_count() or 1)
DefaultEnvironment(tools=[])  # looks for no compilers of other languages

env = Environment(
    tools=["mochi"],
    toolpath=[PyPackageDir("mochi_rules.rules.site_tools")],
)
SConscript(Glob("*/SConscript"))
"""
_SCONSCRIPT = """\
mochi_binary(name="hello", srcs=["hello.mochi"])
mochi_test(name="hello_test", program=":hello", expected="expected.txt")
"""
_PROGRAM = """\
let name = "world"
print("hello, " + name)
"""
FILES = {
    "SConstruct": _SCONSTRUCT,
    "hello/SConscript": _SCONSCRIPT,
    "hello/hello.mochi": _PROGRAM,
    "hello/expected.txt": "hello, world\n",
    ".gitignore": "/build/\n/dist/\n.sconsign*.dblite\n",
}


def init(parsed: Parsed) -> int:
    """Write the files of a new project; none of them may be there.

    Emits: B063 (a file is there), B014.
    """
    folder = Path(parsed.operands[0] if parsed.operands else ".")
    taken = [name for name in FILES if (folder / name).exists() and name != ".gitignore"]
    if taken:
        raise fail(
            "B063",
            f"`{folder / taken[0]}` already exists",
            help="name a new directory: `mochi-rules init DIR`",
        )
    for name, text in FILES.items():
        if not (folder / name).exists():
            write_output(folder / name, text.encode(), str(folder / name))
            sys.stdout.write(f"wrote {folder / name}\n")
    where = "" if str(folder) == "." else f"cd {shlex.quote(str(folder))} && "
    sys.stdout.write(f"\nnow build and test it:\n  {where}scons\n  {where}scons test\n")
    return 0


VERB = Verb(
    "init",
    "init [DIR] [OPTIONS]",
    "Create a small project that is ready to build.",
    init,
    (COLOR,),
    operands=(0, 1),
)
