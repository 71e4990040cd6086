"""The compiler from end to end: text in, bytes and diagnostics out.

No files, no clock, no environment, no globals: the same request gives the same result anywhere.
"""

from __future__ import annotations

import gc
import itertools
import sys
from contextlib import contextmanager
from functools import cache, partial
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, field
from mochi_rules.base.diagnostic import Diagnostic, Diagnostics, Severity
from mochi_rules.compiler.infer.program import infer_program
from mochi_rules.compiler.irbuild.program import build_program
from mochi_rules.compiler.lower import object_layout as layout
from mochi_rules.compiler.lower.host import IMPORTS
from mochi_rules.compiler.lower.kept import dump_library, restore_library
from mochi_rules.compiler.lower.link import Linker
from mochi_rules.compiler.names.modules import load_modules
from mochi_rules.compiler.names.resolve import resolve_program
from mochi_rules.compiler.passes import run_library_passes, run_passes
from mochi_rules.compiler.runtime.library import Library, load_library
from mochi_rules.compiler.specialize.choose import specialize
from mochi_rules.compiler.syntax import ast
from mochi_rules.compiler.syntax.limits import RECURSION_LIMIT
from mochi_rules.wasm.debug.lines import lines_section
from mochi_rules.wasm.encode import encode_custom_section, encode_module

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from mochi_rules.compiler.ir.function import Program
    from mochi_rules.compiler.names.scopes import Resolution
    from mochi_rules.compiler.names.symbols import ModuleScope
    from mochi_rules.wasm.module import Module

OUTPUT_BUFFER = 8192  # bytes
PRODUCER = "mochi_rules"


@dataclass(frozen=True, slots=True)
class CompileRequest:
    """What to compile. `sources` maps names to contents; `main` is the name of the program.

    An import is looked up relative to the importing source's name. `check_leaks` makes the
    program fail when objects are alive at its end. With `tests`, each test block can be run by
    itself: the module exports `test_0`, `test_1` …, and its custom section `mochi.tests` lists
    their names as JSON; a run of `_start` still runs all of them. `debug_info` adds DWARF.
    Which lines the code comes from is always there, in the section `mochi.lines`. `optimize` is
    0 to 2; see `passes.PASSES`. With `is_library`, all sources are checked, whether `main` imports
    them or not, and there is no wasm. With `native`, the result is CLIF instead of wasm, and C can
    call the exported functions of the sources `exports`, which are all compiled. With `stamp`,
    there is a place for build information, whether the program reads it or not. With `shard`,
    which are two numbers i and n, only every nth `test` block from the ith on is compiled, of those
    that are statements of a file.
    """

    main: str
    sources: Mapping[str, str]
    check_leaks: bool = False
    tests: bool = False
    debug_names: bool = True
    debug_info: bool = False
    optimize: int = 2
    is_library: bool = False
    native: bool = False
    stamp: bool = False
    exports: tuple[str, ...] = ()
    shard: tuple[int, int] = (0, 1)


@dataclass(frozen=True, slots=True)
class CompileResult:
    """The result: `wasm`, or `clif`, is empty when there are errors, and for a library."""

    wasm: bytes
    diagnostics: tuple[Diagnostic, ...] = ()
    module: Module | None = field(default=None, repr=False)
    clif: str = field(default="", repr=False)


@contextmanager
def _paused_collection() -> Iterator[None]:
    """Leave cycles of garbage for later: nearly all that a compilation makes lives to its end.

    The collector would walk it again and again, for a third of the time of a long program.
    """
    is_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_enabled:
            gc.enable()


@_paused_collection()
def compile_program(request: CompileRequest) -> CompileResult:
    """Compile a program to WebAssembly, or to CLIF."""
    diagnostics = Diagnostics()
    program = build_ir(request, diagnostics)
    if program is None:
        return CompileResult(b"", diagnostics.errors)
    if request.is_library:
        return CompileResult(b"", tuple(diagnostics.items))
    library = _library(request, has_bigint=program.has_bigint)
    module = Linker(program, library, has_build_info=request.stamp).link()
    if request.native:
        from mochi_rules.compiler.clif.module import print_clif  # noqa: PLC0415 - few programs are

        clif = print_clif(module, program.files, program.exports, library.printed)
        return CompileResult(b"", tuple(diagnostics.items), module, clif)
    encoded = encode_module(module, names=request.debug_names)
    sections = [lines_section(encoded, program.files)]
    if request.debug_info:
        from mochi_rules.wasm.debug.dwarf import dwarf_sections  # noqa: PLC0415 - few programs have it

        sections += dwarf_sections(encoded, program.files, PRODUCER)
    wasm = encoded.data + b"".join(map(encode_custom_section, sections))
    return CompileResult(wasm, tuple(diagnostics.items), module)


def build_ir(request: CompileRequest, diagnostics: Diagnostics, after: str = "") -> Program | None:
    """Compile a program to the mid-level IR; None when there are errors.

    `after` is the last pass to run, or `passes.BUILD` for none; by default all of them run.
    Whoever checks, prints or compiles a program comes through here, with the same errors.
    """
    try:
        with _deep_recursion():
            return _build_ir(request, diagnostics, after)
    except RecursionError:
        help_ = "bind parts of deeply nested expressions to names, and declare parts of types"
        message = f"the program `{request.main}` is nested too deeply"
        diagnostics.add(Diagnostic("P080", message, help=help_))
        return None


def _build_ir(request: CompileRequest, diagnostics: Diagnostics, after: str) -> Program | None:
    roots = request.sources if request.is_library else (request.exports or (request.main,))
    modules = load_modules(roots, request.sources, diagnostics)
    if diagnostics.errors:
        return None
    resolution = resolve_program(modules, diagnostics)
    load = partial(load_modules, roots, request.sources, Diagnostics())
    resolution = _infer(resolution, load, diagnostics)
    if diagnostics.errors:
        return None
    _leave_out_tests(resolution, *request.shard)
    library = _library(request, has_bigint=resolution.has_bigint)
    program = build_program(
        resolution,
        library,
        diagnostics,
        with_tests=request.tests,
        with_all=request.is_library,
        exports=request.exports,
    )
    if diagnostics.errors:
        return None
    run_passes(program, library, request.optimize, after)
    return program


def _infer(
    resolution: Resolution,
    load: Callable[[], list[ModuleScope]],
    diagnostics: Diagnostics,
) -> Resolution:
    """Infer the types of a program, and copy functions where that makes it faster, or right."""
    found = Diagnostics()
    infer_program(resolution, found)
    has_errors = bool(found.errors)
    copied = None
    if not diagnostics.errors:  # at every level: types decide what a program does
        copied = specialize(load, resolution, has_errors=has_errors)
    for item in found:
        if copied is None or item.severity is not Severity.ERROR:
            diagnostics.add(item)
    return copied or resolution


def _leave_out_tests(resolution: Resolution, index: int, count: int) -> None:
    """Leave out the test blocks of other shards; they were checked as the others."""
    for module in resolution.modules:
        numbers = itertools.count()
        module.tree.body = [node for node in module.tree.body
                            if not isinstance(node, ast.Test)
                            or next(numbers) % count == index]  # fmt: skip


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Let the stages walk whatever is nested in the deepest tree that the parser lets through."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, RECURSION_LIMIT))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _library(request: CompileRequest, *, has_bigint: bool) -> Library:
    return runtime_library(
        check_leaks=request.check_leaks, level=request.optimize, has_bigint=has_bigint
    )


def keep_runtime(level: int) -> bytes | None:
    """Return the runtime functions that this process knows; None where it made none itself.

    With `restore_runtime`, a process that starts later need not make them again. They are of this
    version of Python and of this package alone. What programs become is the same with and without.
    """
    library = runtime_library(check_leaks=False, level=level)
    return dump_library(library) if library.selected.keys() - library.kept.keys() else None


def restore_runtime(level: int, data: bytes) -> None:
    """Use runtime functions that were kept; `data` must be what `keep_runtime` gave."""
    restore_library(runtime_library(check_leaks=False, level=level), data)


def runtime_library(*, check_leaks: bool, level: int = 0, has_bigint: bool = False) -> Library:
    """Return the runtime library, optimized as `level` says.

    It does not depend on the program, so a process shares it, and optimizes each function once.
    """
    return shared_library(check_leaks, level, has_bigint)


@cache
def shared_library(check_leaks: bool, level: int, has_bigint: bool) -> Library:  # noqa: FBT001 - keys
    """Return the one library of a process with these settings."""
    settings = {
        "CHECK_LEAKS": int(check_leaks),
        "HAS_BIGINT": int(has_bigint),
        "OUTPUT_SIZE": OUTPUT_BUFFER,
    }
    library = load_library({**layout.CONSTANTS, **settings}, IMPORTS)
    library.finish = lambda function: run_library_passes(function, library, level)
    return library
