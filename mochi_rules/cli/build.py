"""`mochi-rules build`: write what follows from a program to a file."""

from __future__ import annotations

import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostics, fail
from mochi_rules.base.suggest import did_you_mean, listing
from mochi_rules.cli.cache_root import cache_root
from mochi_rules.cli.options import Option, Verb
from mochi_rules.cli.products import Products, kind_of, read_program
from mochi_rules.cli.session import (
    BUILDING,
    configuration_of,
    open_pipeline,
    toolchains_of,
)
from mochi_rules.cli.step_console import open_console
from mochi_rules.project.sources import texts_of
from mochi_rules.steps.engines.lazy_engines import LazyEngines
from mochi_rules.steps.outputs import write_output
from mochi_rules.steps.step import EXECUTABLE_MODE

if TYPE_CHECKING:
    from collections.abc import Callable

    from mochi_rules.cli.native_products import NativeProducts
    from mochi_rules.cli.options import Parsed
    from mochi_rules.compiler.driver import CompileRequest

# What can be written: the suffix of its file, how many steps it takes, and whether it is text.
_STEPS = {"wasm": 1, "clif": 1, "cwasm": 3, "obj": 4, "exe": 4}
_SUFFIXES = {"wasm": ".wasm", "cwasm": ".cwasm", "obj": ".o", "exe": "",
             "ast": ".ast", "ir": ".ir", "wat": ".wat", "clif": ".clif",
             "lib": ".a", "header": ".h"}  # fmt: skip
_LINKS = ("launcher", "bundle", "native")
# What can be written of a program that is linked without Wasmtime, and how many steps it takes.
_NATIVE_STEPS = {"clif": 1, "obj": 2, "exe": 4, "lib": 6, "header": 2}
_FOR_C = ("lib", "header")  # which are linked by others, without Wasmtime
_DEFAULT = "cwasm"


def build(parsed: Parsed) -> int:
    """Build one file.

    Emits: B052 (value of an option), B070 (option that does not apply), B072.
    """
    path = Path(parsed.operands[0])
    link = parsed.get("link")
    emit = parsed.get("emit") or ("exe" if link else _guess(parsed.get("output")))
    is_native = link == "native" or emit in _FOR_C
    if link and emit not in (_NATIVE_STEPS if is_native else ("exe",)):
        raise fail("B070", "`--link` applies only to executables", help="write `--emit exe`")
    if is_native and kind_of(path) != ".mochi":
        option = f"--emit {emit}" if emit in _FOR_C else "--link native"
        raise fail("B070", f"`{option}` applies only to `.mochi` files, not to `{path}`")
    output = Path(parsed.get("output") or _default_output(path, emit, parsed))
    _check_output(path, output)
    after = parsed.get("after")
    if after and emit != "ir":
        raise fail("B070", "`--after` applies only to the IR", help="write `--emit ir`")
    if emit in _TEXTS and kind_of(path) != ".mochi":
        raise fail("B070", f"`--emit {emit}` applies only to `.mochi` files, not to `{path}`")
    if emit in _TEXTS:
        _write_text(output, _TEXTS[emit](path, parsed))
        return 0
    if is_native:
        _build_native(parsed, path, output, emit)
        return 0
    configuration = configuration_of(parsed)
    platform = configuration.platform if emit not in ("wasm", "clif") else None
    toolchains = toolchains_of(parsed)
    steps = _steps(path, emit, is_bundle=link == "bundle")
    engines = LazyEngines(platform, toolchains)
    with open_console(steps) as console, open_pipeline(cache_root(parsed), engines) as pipeline:
        products = Products(
            path, Path.cwd(), pipeline, configuration, console, emit == "clif", toolchains
        )  # with names, where people read them
        if emit == "clif":
            _write_text(output, _clif(products))
        elif emit == "exe":
            _write_executable(products, output, is_bundle=link == "bundle")
        else:
            _write(output, _make(products, emit, output))
    return 0


def _check_output(path: Path, output: Path) -> None:
    """Refuse to write over the source.

    Emits: B072.
    """
    with suppress(OSError, ValueError):  # where one does not exist, they are two
        if path.is_file() and path.samefile(output):
            raise fail("B072", f"`{output}` would be overwritten", help="write another `-o`")


def _default_output(path: Path, emit: str, parsed: Parsed) -> str:
    if emit == "exe":
        return path.stem + configuration_of(parsed).platform.system.executable_suffix
    return ("lib" if emit == "lib" else "") + path.stem + _SUFFIXES[emit]


def _build_native(parsed: Parsed, path: Path, output: Path, emit: str) -> None:
    from mochi_rules.cli.native_products import open_native  # noqa: PLC0415 - of this backend only

    opened = partial(open_native, parsed, path, is_library=emit in _FOR_C)
    with open_console(_NATIVE_STEPS[emit]) as console, opened(console) as products:
        match emit:
            case "clif":
                _write(output, products.clif())
            case "obj":
                _write(output, products.object())
            case "header":
                _write(output, products.header())
            case "lib":
                _write_library(products, output)
            case _:
                _write(output, products.executable(), EXECUTABLE_MODE)


def _write_library(products: NativeProducts, output: Path) -> None:
    """Write a static library, and its header beside it."""
    header, library = products.library()
    beside = output.parent / f"{products.path.stem}.h"
    write_output(beside, header, str(beside))
    _write(output, library)


def _guess(output: str) -> str:
    """Return what to write into a file of this name: one without an ending is an executable.

    Emits: B052 (an ending that says nothing).
    """
    if output in ("", "-"):
        return _DEFAULT
    suffix = Path(output).suffix.removesuffix(".exe")
    form = next((name for name, known in _SUFFIXES.items() if known == suffix), None)
    if form is None:
        extensions = listing(filter(None, _SUFFIXES.values()))
        notes = (f"the extensions are {extensions}; an executable has none",)
        help_ = f"write `--emit FORM -o {output}`"
        raise fail("B052", f"unknown output format: `{output}`", notes=notes, help=help_)
    return form


def _write(output: Path, data: bytes, mode: int = 0o644) -> None:
    if str(output) == "-":
        sys.stdout.buffer.write(data)
    else:
        write_output(output, data, str(output), mode)


def _make(products: Products, emit: str, output: Path) -> bytes:
    match emit:
        case "wasm":
            return products.wasm()
        case "obj":
            from mochi_rules.steps.step import symbol_of  # noqa: PLC0415 - of objects only

            return products.object(symbol_of(output.stem))
        case _:
            return products.artifact()


def _write_executable(products: Products, output: Path, *, is_bundle: bool) -> None:
    """Write an executable, and what belongs beside it."""
    program = products.executable(is_bundle=is_bundle)
    if is_bundle:
        name, library = products.library()
        beside = output.parent / name
        write_output(beside, library, str(beside))
    _write(output, program, EXECUTABLE_MODE)


def _clif(products: Products) -> str:
    from mochi_rules.aot.clif import emit_clif  # noqa: PLC0415 - of this form only

    command = products.toolchains.aot_path if products.toolchains else ""
    return emit_clif(products.config, products.wasm(), command)


def _steps(path: Path, emit: str, *, is_bundle: bool) -> int:
    """Return how many steps it takes to write a form of a file."""
    return _STEPS[emit] - (1 if kind_of(path) == ".cwasm" else 0) + (2 if is_bundle else 0)


def _write_text(output: Path, text: str) -> None:
    _write(output, text.encode())


def _syntax_tree(path: Path, parsed: Parsed) -> str:
    del parsed
    from mochi_rules.compiler.syntax.ast_print import print_module  # noqa: PLC0415 - as below
    from mochi_rules.compiler.syntax.parser import parse_module  # noqa: PLC0415

    diagnostics = Diagnostics()
    tree = parse_module(next(iter(read_program(path, Path.cwd()).values())), diagnostics)
    diagnostics.raise_errors()
    return print_module(tree)


def _mid_level(path: Path, parsed: Parsed) -> str:
    """Return the IR after a pass, or after all.

    Emits: B052 (no such pass).
    """
    from mochi_rules.compiler.driver import build_ir  # noqa: PLC0415
    from mochi_rules.compiler.ir.print import print_program  # noqa: PLC0415
    from mochi_rules.compiler.passes import BUILD, PASSES  # noqa: PLC0415

    after = parsed.get("after")
    names = (BUILD, *(row.name for row in PASSES))
    if after and after not in names:
        notes = (f"it must be one of {listing(names)}",)
        raise fail(
            "B052", f"`--after` cannot be `{after}`", notes=notes, help=did_you_mean(after, names)
        )
    diagnostics = Diagnostics()
    program = build_ir(_request(path, parsed), diagnostics, after)
    diagnostics.raise_errors()
    assert program is not None
    return print_program(program)


def _wat(path: Path, parsed: Parsed) -> str:
    from mochi_rules.compiler.driver import compile_program  # noqa: PLC0415
    from mochi_rules.steps.engines.engines import compiled  # noqa: PLC0415
    from mochi_rules.wasm.wat import print_module  # noqa: PLC0415

    result = compile_program(_request(path, parsed))
    compiled(result.wasm, result.diagnostics)
    assert result.module is not None
    return print_module(result.module)


def _request(path: Path, parsed: Parsed) -> CompileRequest:
    from mochi_rules.compiler.driver import CompileRequest  # noqa: PLC0415 - loads the compiler

    texts = texts_of(read_program(path, Path.cwd()))
    level = configuration_of(parsed).optimize
    return CompileRequest(next(iter(texts)), texts, optimize=level)


# The forms that people read; each loads the compiler, which the others mostly need not.
_TEXTS: dict[str, Callable[[Path, Parsed], str]] = {
    "ast": _syntax_tree,
    "ir": _mid_level,
    "wat": _wat,
}

VERB = Verb(
    "build",
    "build FILE [OPTIONS]",
    "Compile a program, and write the artifact or another form of it to a file.",
    build,
    (
        Option("output", "the file to write; `-` is standard output", "OUT", short="o"),
        Option(
            "emit",
            "the form to write; by default that of the extension of OUT",
            "FORM",
            tuple(_SUFFIXES),
        ),
        Option("after", "with `--emit ir`: the last pass to run, or `build` for none", "PASS"),
        Option(
            "link",
            "the launcher of an executable: `launcher` from cargo, `bundle` from a C "
            "compiler, with Wasmtime's library beside it; or `native`, without Wasmtime",
            "WHAT",
            _LINKS,
        ),
        *BUILDING,
    ),
)
