"""The steps of the way from a program to an object, each as data and one function.

A step is what a rule wants done, without its inputs: those come when it runs. Everything in it
that decides the bytes of its output is in `arguments`, `tools` and `engine`, so that the key,
the signature that SCons compares and the reasons of a rebuild all come from one place.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from mochi_rules.aot.config import canonical
from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import about, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.suggest import count_text
from mochi_rules.steps.reports import facts, report_text
from mochi_rules.ui.text import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.aot.config import EngineConfig
    from mochi_rules.base.diagnostic import Diagnostic
    from mochi_rules.base.digest import Digest
    from mochi_rules.platforms.platform import Platform
    from mochi_rules.platforms.toolchain import Recipe
    from mochi_rules.steps.engines.engines import Engines

# What the inputs and outputs are called inside a key, whatever their files are called.
WAT = "program.wat"
WASM, CWASM, REPORT, OBJECT = "program.wasm", "program.cwasm", "program.json", "program.o"
LIBRARY_REPORT = "library.json"
LAUNCHER, PROGRAM = "launcher", "program"

EXECUTABLE_MODE = 0o755


@dataclass(frozen=True, slots=True)
class Made:
    """What a step made, the one thing worth saying about it, warnings, and the digest if known."""

    data: bytes
    remark: str = ""
    warnings: tuple[Diagnostic, ...] = ()
    digest: Digest | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One kind of step with its settings; it has one output.

    `verb` is what people see, at most six letters. `tools` are names of identities. `engine` is
    the engine's configuration, where Wasmtime decides the bytes too. `make` gets the inputs by
    name. `mode` is that of the output file. `check` verifies what the cache has: a
    step whose inputs are those of this one, and its output. A step with `is_stored` False takes no
    longer than the cache would, and is always made. `has_digest` is for an output that outlives
    the build: a file beside it has its digest.
    """

    verb: str
    arguments: tuple[str, ...]
    tools: tuple[str, ...]
    output: str
    make: Callable[[Engines, Mapping[str, bytes]], Made]
    engine: EngineConfig | None = None
    mode: int = 0o644
    check: Step | None = None
    is_stored: bool = True
    has_digest: bool = False


def mochi_step(
    main: str,
    *,
    debug_names: bool,
    debug_info: bool = False,
    optimize: int = 2,
    stamp: bool = False,
    shard: tuple[int, int] = (0, 1),
) -> Step:
    """Compile a program; the inputs are its sources by name.

    `debug_names` keeps the names of functions, and `debug_info` describes lines for a debugger.
    `optimize` is 0 to 2. With `stamp`, the program has a place for build information. `shard` says
    which of its tests it has, as in `driver.CompileRequest`.
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.steps.engines.engines import MochiOptions  # noqa: PLC0415 - loads processes

        texts = {name: data.decode() for name, data in inputs.items()}
        options = MochiOptions(debug_names, debug_info, optimize, stamp=stamp, shard=shard)
        result = engines.compile_mochi(main, texts, options)
        return Made(result.code, warnings=result.warnings)

    arguments = (
        f"--main={main}",
        f"--debug-names={_word(debug_names)}",
        f"--debug-info={_word(debug_info)}",
        f"--optimize={optimize}",
        *(("--stamp",) if stamp else ()),
        *((f"--shard={shard[0]}/{shard[1]}",) if shard != (0, 1) else ()),
    )
    return Step("mochi", arguments, ("mochi",), WASM, make)


def library_step(roots: tuple[str, ...]) -> Step:
    """Compile all sources of a library together, and list what was checked.

    `roots` are its own sources; the inputs are these and what they import, by name.
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.steps.engines.engines import MochiOptions  # noqa: PLC0415 - as above

        texts = {name: inputs[name].decode() for name in sorted(inputs)}
        warnings: tuple[Diagnostic, ...] = ()
        if roots:
            options = MochiOptions(optimize=0, is_library=True)
            warnings = engines.compile_mochi(roots[0], texts, options).warnings
        modules = {name: facts(data) for name, data in inputs.items()}
        data = report_text({"modules": modules})
        return Made(data, count_text(len(modules), "module"), warnings)

    return Step("check", (), ("mochi",), LIBRARY_REPORT, make)


def import_step(name: str, *, is_program: bool = False) -> Step:
    """Check a foreign wasm, and pass it on; `name` is its file, and what messages call it.

    The input is `import_input(name)`. What a component imports is for whoever instantiates it.

    Emits: A010, A011 (no WebAssembly), A012, B011 (not UTF-8), B030 (imports what nobody gives),
    B031 (no program).
    """
    source = import_input(name)

    def make(_engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.steps.import_checks import (  # noqa: PLC0415 - of foreign wasm only
            check_imports,
            check_program,
        )
        from mochi_rules.wasm.reader.read_summary import read_summary  # noqa: PLC0415

        wasm = _assembled(name, inputs[WAT]) if source == WAT else inputs[WASM]
        with about(name):
            summary = read_summary(wasm)
        check_imports(name, summary)
        if is_program:
            check_program(name, summary)
        is_module = summary.kind == "module"
        remark = count_text(summary.defined_functions, "function") if is_module else "component"
        return Made(wasm, remark)

    tools = ("import", "wasmtime") if source == WAT else ("import",)
    return Step("import", (f"--program={_word(is_program)}",), tools, WASM, make)


def import_input(name: str) -> str:
    """Return what a foreign file is called among the inputs of its step: WAT or WASM."""
    return WAT if name.endswith(".wat") else WASM


def _assembled(name: str, text: bytes) -> bytes:
    from mochi_rules.aot.wat_assembler import assemble  # noqa: PLC0415 - of texts only
    from mochi_rules.base.files import decode_source  # noqa: PLC0415

    return assemble(decode_source(name, text))


def aot_step(config: EngineConfig, name: str = WASM) -> Step:
    """Compile ahead of time; `name` is what messages call the wasm."""

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        with about(name):
            return Made(engines.compile_wasm(config, inputs[WASM]))

    check = check_step(config, CWASM)
    tools = ("aot", "wasmtime")
    return Step("aot", _engine_arguments(config), tools, CWASM, make, config, check=check)


def check_step(config: EngineConfig, name: str, sha256: str = "") -> Step:
    """Verify an artifact against what was asked for, and write down what it is.

    `sha256` is its digest, where it is known.

    With the wasm that it was compiled from among the inputs, more is verified.

    Emits: as `artifact_check.check_artifact`; A028 (another digest).
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        if sha256 and (found := digest_bytes(inputs[CWASM]).hash) != sha256:
            help_ = f'if you trust it, write `sha256 = "{found}"`'
            raise fail(
                "A028", f"`{name}` is not the expected file: its SHA-256 differs", help=help_
            )
        data = engines.check_artifact(config, name, inputs[CWASM], inputs.get(WASM))
        found = json.loads(data)
        functions = count_text(found["functions"], "function")
        return Made(data, f"{functions}, {len(found['checks'])} checks")

    arguments = _engine_arguments(config)
    if sha256:
        arguments += (f"--sha256={sha256}",)
    return Step("check", arguments, ("elf",), REPORT, make)


def object_step(platform: Platform, symbol: str) -> Step:
    """Wrap an artifact in an object of the platform, and check the object.

    Emits: A025, A090 to A092.
    """

    def make(_engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.aot.objects.writer import write_object  # noqa: PLC0415 - as above
        from mochi_rules.elf.checks.object_files import require_sound_object  # noqa: PLC0415
        from mochi_rules.steps.expectations import object_expectation  # noqa: PLC0415

        data = write_object(platform, symbol, inputs[CWASM])
        expectation = object_expectation(platform, symbol, digest_bytes(inputs[CWASM]))
        require_sound_object(data, "the object", expectation)
        return Made(data, f"{platform.cpu} {platform.system.object_format}, {symbol}_start")

    arguments = (f"--platform={platform.name}", f"--symbol={symbol}")
    return Step("object", arguments, ("object",), OBJECT, make)


def executable_step(platform: Platform, settings: bytes) -> Step:
    """Attach an artifact to the platform's launcher; the inputs are CWASM and LAUNCHER.

    `settings` is what the launcher reads. With the wasm among the inputs, traps report its lines.

    Emits: as `aot.executable.writer.write_executable`.
    """

    def make(_engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.aot.executable.settings import lines_setting  # noqa: PLC0415 - as above
        from mochi_rules.aot.executable.writer import write_executable  # noqa: PLC0415
        from mochi_rules.wasm.debug.lines import find_lines  # noqa: PLC0415

        lines = lines_setting(find_lines(inputs[WASM])) if WASM in inputs else b""
        launcher = inputs[LAUNCHER]
        data = write_executable(platform, launcher, inputs[CWASM], settings + lines)
        return Made(data, size_text(len(data)), digest=digest_bytes(data, launcher))

    lines = settings.decode().splitlines()
    arguments = (f"--platform={platform.name}", *(f"--set={line}" for line in lines))
    tools = ("executable",)
    return Step("exe", arguments, tools, PROGRAM, make, mode=EXECUTABLE_MODE, is_stored=False)


def recipe_step(recipe: Recipe, report: Callable[[str], None]) -> Step:
    """Build a native tool; the inputs are `platforms.native_files.native_sources`.

    `report` hears how far it is, in another thread.

    Emits: C022 (cargo failed).
    """

    def make(engines: Engines, inputs: Mapping[str, bytes]) -> Made:
        from mochi_rules.steps.cargo import build  # noqa: PLC0415 - once for each machine

        return Made(build(recipe, inputs, engines.subprocesses, report))

    arguments = (f"--target={recipe.triple}", f"--profile={recipe.profile}")
    tools = ("cargo", "rust")
    return Step(
        "cargo", arguments, tools, recipe.program, make, mode=EXECUTABLE_MODE, has_digest=True
    )


def symbol_of(name: str) -> str:
    """Return what the symbols of an object begin with, from the name of its file or target."""
    symbol = re.sub(r"\W", "_", name.removesuffix(".o"), flags=re.ASCII)
    return f"_{symbol}" if symbol[:1].isdigit() else symbol


def _engine_arguments(config: EngineConfig) -> tuple[str, ...]:
    """Return the canonical settings as arguments; what is not set is left out."""
    fields = canonical(config)
    flags = ",".join(config.cpu.flags)
    return tuple(
        f"--{name.replace('_', '-')}={flags if name == 'flags' else _word(value)}"
        for name, value in fields.items()
        if value is not None
    )


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
