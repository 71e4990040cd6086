"""The machine code of a file that the user named, with what it comes from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import Diagnostic, Severity, fail
from mochi_rules.base.files import read_input
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.products import Products
from mochi_rules.cli.session import (
    configuration_of,
    open_pipeline,
    toolchains_of,
)
from mochi_rules.cli.shown import show
from mochi_rules.elf.listing.listing import read_listing
from mochi_rules.steps.engines.lazy_engines import LazyEngines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mochi_rules.cli.options import Parsed
    from mochi_rules.elf.listing.listing import Listing

_PROGRAMS = (".mochi", ".wasm", ".wat")


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing, and the lines of its sources by name; `wasm` is empty for an artifact."""

    listing: Listing
    wasm: bytes
    texts: dict[str, list[str]]


def is_program(path: Path) -> bool:
    """Return whether a file is to be compiled, not an artifact or a file that holds one.

    Emits: B010.
    """
    return path.suffix in _PROGRAMS or read_input(path)[:4] == b"\0asm"


def list_program(parsed: Parsed, path: Path) -> Listed:
    """Compile a program with names and lines through the cache, and disassemble it.

    Emits: as `Products.artifact` and `read_listing`; A027 (a warning: no lines).
    """
    configuration = configuration_of(parsed)
    toolchains = toolchains_of(parsed)
    engines = LazyEngines(configuration.platform, toolchains)
    with open_pipeline(cache_root(parsed), engines) as pipeline:
        products = Products(
            path, Path.cwd(), pipeline, configuration, debug_info=True, toolchains=toolchains
        )
        artifact, wasm = products.artifact(), products.wasm()
    listing = read_listing(artifact, f"{path.stem}.cwasm", wasm)
    _warn(listing, str(path), "compile it with `-g`")
    if path.suffix == ".mochi":
        read = products.read.items()
        return Listed(listing, wasm, {name: data.decode().splitlines() for name, data in read})
    return Listed(listing, wasm, _read_texts(listing.files))


def list_artifact(parsed: Parsed, path: Path) -> Listed:
    """Disassemble an artifact, with its own lines.

    Emits: B010, B064 (an option that is for programs), and as `read_listing`; A027.
    """
    for option in ("target", "mode", "optimize", "cpu", "engine", "toolchain", "aot"):
        if parsed.has(option):
            message = f"`--{option}` applies only to programs, and `{path}` is compiled already"
            raise fail("B064", message, help=f"leave `--{option}` out")
    listing = read_listing(read_input(path), str(path))
    _warn(listing, str(path), "build it with `--mode debug`, or name its `.mochi` here")
    return Listed(listing, b"", _read_texts(listing.files))


def _warn(listing: Listing, name: str, hint: str) -> None:
    if listing.has_lines:
        return
    message = f"`{name}` has no line numbers"
    if listing.damage:
        message = f"the line numbers of `{name}` cannot be read: {listing.damage}"
    show([Diagnostic("A027", message, help=hint, severity=Severity.WARNING)])


def _read_texts(names: Iterable[str]) -> dict[str, list[str]]:
    """Read the sources that lie below the current directory: no file may name another."""
    texts = {}
    for name in names:
        path = PurePosixPath(name)
        if path.is_absolute() or ".." in path.parts:
            continue
        with suppress(OSError, ValueError):
            texts[name] = Path(path).read_text(encoding="utf-8").splitlines()
    return texts
