"""Runs a C compiler on the inputs of a step."""

from __future__ import annotations

import shlex
import shutil
import tempfile
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.files import reason
from mochi_rules.base.printable import output_notes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mochi_rules.platforms.toolchain import Toolchain
    from mochi_rules.steps.processes.subprocesses import Subprocesses

_HELP = (
    "install the C library of the platform and its headers, or run "
    "`pip install 'mochi-rules[native]'`"
)
_PREFIX = "mochi-cc-"  # of the folders of compilers
_KEPT = 24 * 60 * 60  # seconds


def run_c_compiler(
    subprocesses: Subprocesses,
    compiler: Toolchain,
    arguments: Sequence[str],
    inputs: Mapping[str, bytes],
    output: str,
    source: str = "",
) -> bytes:
    """Run a C compiler in a folder that has the inputs; return its output.

    `source` is the input to compile; without it, the inputs are linked. The folder of a compiler
    that fails is kept for a day at least, so that the command can be repeated.

    Emits: C034 (it cannot compile), C036 (it cannot link).
    """
    command = (*compiler.command, *arguments)
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    with ExitStack() as cleanup:
        cleanup.callback(shutil.rmtree, folder)
        for name, data in inputs.items():
            (folder / name).write_bytes(data)
        try:
            ran = subprocesses.tool(command, folder, _zig_variables())
            if ran.status == 0:
                return (folder / output).read_bytes()
            printed = ran.stderr.decode("utf-8", "replace")
        except OSError as error:
            printed = reason(error)
        cleanup.pop_all()
        _remove_earlier(folder)
    raise environment_error(
        "C034" if source else "C036",
        f"`{compiler.name}` could not " + (f"compile `{source}`" if source else "link the program"),
        notes=(
            f"the command was `cd {shlex.quote(str(folder))} && {shlex.join(command)}`",
            *output_notes(compiler.name, printed, at_start=True),  # the first error causes others
        ),
        help=_HELP,
    )


def _remove_earlier(folder: Path) -> None:
    """Remove what failures of earlier days have left beside a folder."""
    limit = time.time() - _KEPT
    for earlier in folder.parent.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # another process removes it too
            if earlier.stat().st_mtime < limit:
                shutil.rmtree(earlier, ignore_errors=True)  # that of another user stays


def _zig_variables() -> dict[str, str]:
    """Return where Zig keeps what it builds: beside what cargo keeps for us."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - takes 3 ms

    path = str(user_cache_path("mochi_rules-zig", appauthor=False))
    return {"ZIG_GLOBAL_CACHE_DIR": path, "ZIG_LOCAL_CACHE_DIR": path}
