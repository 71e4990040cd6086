"""The machine code of a file that the user named, with what it comes from."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, replace
from mochi_rules.base.diagnostic import Diagnostic, Severity, fail
from mochi_rules.base.files import read_input
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.options import Option
from mochi_rules.cli.products import Products, read_program
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

NATIVE = Option("native", "the code of a native program, without Wasmtime")
_PROGRAMS = (".mochi", ".wasm", ".wat")


@dataclass(frozen=True, slots=True)
class Listed:
    """A listing, and the lines of its sources by name; `wasm` is empty where there is none."""

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
    if parsed.has("native"):
        return _list_native(parsed, path)
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


def _list_native(parsed: Parsed, path: Path) -> Listed:
    """Compile a program without Wasmtime, with lines, through the cache, and disassemble it.

    Emits: as `NativeProducts.object` and `read_listing`; A027 (a warning: no lines); B070.
    """
    from mochi_rules.cli.native_products import open_native  # noqa: PLC0415 - of this backend only

    platform = configuration_of(parsed).platform
    if path.suffix != ".mochi":
        raise fail("B070", f"`--native` applies only to `.mochi` files, not to `{path}`")
    if platform.system.object_format != "elf":
        message = f"`--native` shows objects in ELF, which `{platform.name}` does not use"
        raise fail("B070", message, help="write `--target x86_64-linux`, or another Linux platform")
    with open_native(parsed, path) as products:
        products.config = replace(products.config, debug_info=True)
        data = products.object()
    listing = read_listing(data, f"{path.stem}.o")
    _warn(listing, str(path), "compile it with `--mode debug`")
    sources = read_program(path, Path.cwd())
    texts = {name: source.text.splitlines() for name, source in sources.items()}
    return Listed(listing, b"", texts)


def list_artifact(parsed: Parsed, path: Path) -> Listed:
    """Disassemble an artifact, with its own lines.

    Emits: B010, B064 (an option that is for programs), and as `read_listing`; A027.
    """
    for option in ("target", "mode", "optimize", "cpu", "engine", "toolchain", "aot", "native"):
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
