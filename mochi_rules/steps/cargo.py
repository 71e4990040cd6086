"""Builds a native tool with cargo, in a folder of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.aot.native_tools import cargo_environment
from mochi_rules.base.diagnostic import environment_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mochi_rules.platforms.toolchain import Recipe
    from mochi_rules.steps.subprocesses import Guests

_SHOWN_LINES = 12


def build(
    recipe: Recipe, sources: Mapping[str, bytes], guests: Guests, *, shows_progress: bool
) -> bytes:
    """Return the program that cargo makes of the sources.

    Emits: C022.

    Raises:
        MochiError: Cargo failed.
    """
    with tempfile.TemporaryDirectory(prefix="mochi-cargo-") as name:
        root = Path(name, "native")
        for source, data in sources.items():
            file = root / source
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)
            if data.startswith(b"#!"):
                file.chmod(0o755)
        output = Path(name, "target")
        command = ("cargo", "build", "--locked", "--profile", recipe.profile,
                   "--target", recipe.triple)  # fmt: skip
        variables = cargo_environment(recipe.triple) | {"CARGO_TARGET_DIR": str(output)}
        ran = guests.tool(command, root / recipe.folder, variables, shows_progress=shows_progress)
        suffix = ".exe" if "windows" in recipe.triple else ""
        path = output / recipe.triple / recipe.profile / (recipe.program + suffix)
        if ran.status != 0 or not path.is_file():
            raise _failed(recipe, ran.stderr)
        return path.read_bytes()


def _failed(recipe: Recipe, stderr: bytes) -> Exception:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()[-_SHOWN_LINES:]
    notes = ("\n".join(["cargo said", *(f"    {line}" for line in lines)]),) if lines else ()
    return environment_error(
        "C022",
        f"cargo could not build `{recipe.program}` for `{recipe.triple}`",
        notes=notes,
        help="cargo needs a C compiler, and crates.io or a mirror of it",
    )
