"""Builds a native tool with cargo, in a folder that outlives an interruption.

What cargo has compiled stays there until the tool is built: whoever stops a build loses the
crates that are being compiled, and no others.
"""

from __future__ import annotations

import re
import shutil
from typing import TYPE_CHECKING

from mochi_rules.aot.tools.native_tools import cargo_environment, rust_version
from mochi_rules.base.diagnostic import environment_error
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import write_atomic
from mochi_rules.base.printable import output_notes
from mochi_rules.cache.lock import file_lock
from mochi_rules.platforms.native_files import native_digest, work_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mochi_rules.platforms.toolchain import Recipe
    from mochi_rules.steps.processes.subprocesses import Subprocesses

# Cargo draws its progress for a terminal, and on request for anybody.
_PROGRESS = {"CARGO_TERM_PROGRESS_WHEN": "always", "CARGO_TERM_PROGRESS_WIDTH": "80",
             "CARGO_TERM_COLOR": "never"}  # fmt: skip
_CRATES = re.compile(rb"\] (\d+)/(\d+)[:\r]")
_OVERWRITTEN = re.compile(r"[^\r\n]*\r(?!\n)|\x1b\[K")


def build(
    recipe: Recipe,
    sources: Mapping[str, bytes],
    subprocesses: Subprocesses,
    report: Callable[[str], None],
) -> bytes:
    """Return the program that cargo makes of the sources; `report` hears how far it is.

    Of two processes that build the same, one waits for the other.

    Emits: C022.

    Raises:
        MochiError: Cargo failed.
    """
    work = work_directory() / _key(recipe)
    with file_lock(work.with_name(f"{work.name}.lock")):
        program = _build(recipe, sources, subprocesses, report, work)
        shutil.rmtree(work, ignore_errors=True)  # it is large, and the tool is kept elsewhere
    return program


def _key(recipe: Recipe) -> str:
    """Return a name for all that decides what is in the folder."""
    rust = digest_bytes(rust_version().encode()).hash[:16]
    return f"{recipe.program}-{recipe.triple}-{native_digest(recipe.tree)}-{rust}"


def _build(
    recipe: Recipe,
    sources: Mapping[str, bytes],
    subprocesses: Subprocesses,
    report: Callable[[str], None],
    work: Path,
) -> bytes:
    root, output = work / "native", work / "target"
    for name, data in sources.items():
        _place(root / name, data)
    command = ("cargo", "build", "--locked", "--profile", recipe.profile,
               "--target", recipe.triple)  # fmt: skip
    variables = cargo_environment(recipe.triple) | _PROGRESS | {"CARGO_TARGET_DIR": str(output)}

    def listen(said: bytes) -> None:
        if found := _CRATES.findall(said):
            done, total = (int(number) for number in found[-1])
            report(f"crate {done} of {total}")

    ran = subprocesses.tool(command, root / recipe.folder, variables, listen)
    suffix = ".exe" if "windows" in recipe.triple else ""
    path = output / recipe.triple / recipe.profile / (recipe.program + suffix)
    if ran.status != 0 or not path.is_file():
        raise _failed(recipe, ran.stderr)
    return path.read_bytes()


def _place(path: Path, data: bytes) -> None:
    """Write a source, unless it is there: cargo compiles again what has another time."""
    try:
        if path.read_bytes() == data:
            return
    except OSError:
        pass
    write_atomic(path, data, 0o755 if data.startswith(b"#!") else 0o644)


def _failed(recipe: Recipe, stderr: bytes) -> Exception:
    return environment_error(
        "C022",
        f"cargo could not build `{recipe.program}` for `{recipe.triple}`",
        notes=output_notes("cargo", _OVERWRITTEN.sub("", stderr.decode("utf-8", "replace"))),
        help="cargo needs a C compiler, and crates.io or a mirror of it",
    )
