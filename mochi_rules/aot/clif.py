"""Cranelift's own intermediate form of a program, which a `wasmtime` command alone can show."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.config import cli_arguments
from mochi_rules.aot.engine_options import WASMTIME_MAJOR
from mochi_rules.aot.tools.command_line import find_version
from mochi_rules.base.diagnostic import environment_error, fail
from mochi_rules.base.printable import output_notes
from mochi_rules.workers.process_environment import scrubbed_environment

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig

_INSTALL = f"cargo install wasmtime-cli --version ^{WASMTIME_MAJOR} --locked --features all-arch"
_NATIVE = "that of native programs needs no command: add `--link native`"


def emit_clif(config: EngineConfig, wasm: bytes, command: str = "") -> str:
    """Return the intermediate form of all functions, in their order, and of the trampolines.

    `command` is the `wasmtime` to ask; without, it is looked for on PATH.

    Emits: C021 (no command, or not of our version), A079 (it refuses).

    Raises:
        MochiError: There is nothing to show.
    """
    program = _find(command)
    with tempfile.TemporaryDirectory(prefix="mochi-rules-") as name:
        folder = Path(name)
        (folder / "clif").mkdir()
        (folder / "in.wasm").write_bytes(wasm)
        arguments = (*cli_arguments(config), "--emit-clif", "clif", "-o", "out.cwasm", "in.wasm")
        ended = subprocess.run(
            (program, *arguments),
            cwd=folder,
            env=scrubbed_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        files = sorted((folder / "clif").iterdir(), key=_order)
        texts = [file.read_text(encoding="utf-8", errors="replace").strip() for file in files]
    if ended.returncode or not texts:
        notes = output_notes("wasmtime", ended.stderr.decode(errors="replace"), at_start=True)
        message = f"`{program}` wrote no intermediate form"
        raise fail("A079", message, notes=notes or ("it printed nothing",))
    return "\n\n".join(texts) + "\n"


def _find(command: str) -> str:
    program = shutil.which(command or "wasmtime")
    problem = f"`{command}` is not a program" if command else "`wasmtime` is not on PATH"
    if program is not None:
        _, problem = find_version(program)
    if program is None or problem:
        message = f"the intermediate form comes from a `wasmtime` command: {problem}"
        raise environment_error("C021", message, notes=(_NATIVE,), help=f"run `{_INSTALL}`")
    return program


def _order(path: Path) -> tuple[bool, list[tuple[int, str]]]:
    """Return what sorts functions of the program first, and by number."""
    pieces = re.findall(r"(\d+)|(\D+)", path.stem)
    return "function[" not in path.stem, [(int(number or 0), text) for number, text in pieces]
