"""Wasmtime's errors about a wasm that it rejects, as diagnostics."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.base.diagnostic import Diagnostic, Fault, MochiError, fail

if TYPE_CHECKING:
    from mochi_rules.aot.config import EngineConfig

# How wasmparser says that a proposal is off; the group is its name.
_FEATURE = tuple(
    re.compile(pattern)
    for pattern in (
        r"^(.+) support is not enabled",
        r"^the (.+) proposal must be enabled",
        r"when (.+) is disabled",
        r"require[sd]? the (.+) (?:proposal|feature)",
        r"^(\S+) feature required",
        r"^(.+) proposal not enabled",
        r"without the (.+) feature",
        r"^(.+) required for",
        r"which requires (.+)",
    )
)
# How a code generator says that it has no code for an operation.
_PANIC = "Wasmtime panicked: "
_NO_RULE = "Unsupported feature: should be implemented in ISLE"
_PREFIX = re.compile(r"^(?:\d+: |Compilation error: |Invalid input WebAssembly code[^:]*: )+")
_OFFSET = re.compile(r"\(at offset (0x[0-9a-f]+)\)|code at offset (\d+)")


def refusal(text: str, config: EngineConfig) -> MochiError:
    """Return the error of a wasm which a worker refused with `text`.

    Emits: A065, A066, A067, A068, A069.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    lines = lines or ["no reason given"]
    cause = lines[0] if text.startswith(_PANIC) else lines[-1]
    where = _OFFSET.search(cause)
    cause = _OFFSET.sub("", _PREFIX.sub("", cause)).strip()
    if cause.startswith((_PANIC, _NO_RULE)):
        return _beyond_compiler(cause, config)
    notes = [f"Wasmtime says: {lines[0]}"] if len(lines) > 1 else []
    if where:
        offset = int(where[1], 16) if where[1] else int(where[2])
        notes.append(f"at byte {offset} of the wasm")
    if "unexpected end" in cause:
        return fail("A066", f"the wasm is truncated: {cause}", notes=tuple(notes))
    for pattern in _FEATURE:
        if found := pattern.search(cause):
            return _feature_off(found[1], config, (cause, *notes))
    if where or "failed to parse" in text:
        return fail("A068", f"the wasm is not valid: {cause}", notes=tuple(notes))
    return fail("A069", f"the wasm cannot be compiled: {cause}", notes=tuple(notes))


def _beyond_compiler(cause: str, config: EngineConfig) -> MochiError:
    message = f"Wasmtime cannot generate code for the wasm on `{config.platform.name}`"
    if not config.platform.architecture.has_simd:
        return fail(
            "A065",
            f"{message}: most likely it uses SIMD",
            notes=(cause,),
            help="compile the program to wasm without SIMD",
        )
    return MochiError(Diagnostic("A065", message, notes=(cause,), fault=Fault.INTERNAL))


def _feature_off(name: str, config: EngineConfig, notes: tuple[str, ...]) -> MochiError:
    name = name.replace("_", " ")
    if config.compiler == "winch":
        return fail(
            "A067",
            f"the wasm needs `{name}`, which the compiler `winch` does not support",
            notes=notes,
            help='write `compiler = "cranelift"`',
        )
    return fail(
        "A067",
        f"the wasm needs `{name}`, which is disabled",
        notes=(*notes, "no engine with default settings would load such an artifact"),
        help=f"compile the program to wasm without {name}",
    )
