"""`mochi-rules`: finds the verb, loads it alone, and turns whatever happens into an exit status.

0 success; 1 the program or a test failed; 2 the user's input is wrong; 3 the environment is
wrong; 70 a bug of ours. `run` passes the program's own status on.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING

from mochi_rules.cli.arguments import parse
from mochi_rules.cli.options import color_choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mochi_rules.cli.options import Verb

# The verbs, in the order of the help, and the module that each is in.
VERBS: dict[str, str] = {
    "run": "run",
    "build": "build",
    "check": "check",
    "test": "test",
    "inspect": "inspect",
    "verify": "verify",
    "rebuild": "rebuild",
    "key": "key",
    "objdump": "objdump",
    "explore": "explore",
    "explain": "explain",
    "cache": "cache",
    "toolchain": "toolchain",
    "doctor": "doctor",
    "init": "init",
    "help": "help",
}
# Modules and programs live to the end: to collect while they load takes a tenth of a cold run.
_GC_THRESHOLD = 200_000
_INTERRUPTED = 130  # as a shell says it: 128 and SIGINT


def entry() -> None:
    """Run the command line, and end the process."""
    gc.set_threshold(_GC_THRESHOLD)
    _open_standard_streams()
    status = main(sys.argv[1:])
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        pass
    # Everything was closed by the verb: to take the interpreter and Wasmtime apart takes 12 ms.
    os._exit(status)


def _open_standard_streams() -> None:
    """Open what the parent has closed; or the next file opened is where a program would write.

    What the encoding of stdout does not have is escaped, as on stderr: a path may hold any bytes.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_RDWR), mode, encoding="utf-8"))
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def main(words: Sequence[str]) -> int:
    """Run a command line, and return its exit status; nothing is raised."""
    try:
        return _dispatch(list(words))
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        return 0  # whoever read our output has seen enough
    except Exception as error:  # noqa: BLE001 - a traceback helps no user
        return _fail(error)


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        words = ["help", *words[1:]]
    if words[0] in ("-V", "--version"):
        words = ["help", "--version"]
    verb = load(words[0])
    parsed = parse(verb, words[1:])
    color_choice[0] = parsed.get("color") or "auto"
    if parsed.has("help"):
        from mochi_rules.cli.usage import describe  # noqa: PLC0415 - of this option only

        sys.stdout.write(describe(verb))
        return 0
    return verb.run(parsed)


def load(name: str) -> Verb:
    """Return a verb.

    Emits: B050.

    Raises:
        MochiError: There is no such verb.
    """
    if name not in VERBS:
        from mochi_rules.cli.usage import unknown_verb  # noqa: PLC0415 - of this error only

        raise unknown_verb(name, VERBS)
    verb: Verb = import_module(f"mochi_rules.cli.{VERBS[name]}").VERB
    return verb


def _fail(error: Exception) -> int:
    from mochi_rules.cli.shown import show  # noqa: PLC0415 - of errors only
    from mochi_rules.steps.exceptions import as_mochi_error  # noqa: PLC0415

    fault = as_mochi_error(error)
    show(fault.diagnostics)
    return fault.exit_status
