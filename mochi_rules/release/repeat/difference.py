"""Where two files differ that should be equal: the part, the section, the function, the line."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from mochi_rules.aot.executable.payload import find_payload
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.elf.codemap import NO_ORIGIN, decode_origins
from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.read import read_artifact
from mochi_rules.wasm.debug.lines import find_lines
from mochi_rules.wasm.debug.read_lines import read_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mochi_rules.elf.artifact import Artifact, Symbol
    from mochi_rules.release.build_record import StepRecord

_TEXT = ".text"
_MAX_FUNCTIONS = 8  # listed


def executable_difference(old: bytes, new: bytes, wasm: bytes) -> list[str]:
    """Return in which parts two executables differ; `wasm` is what the new one was compiled from.

    A file that is not one of our executables is compared byte by byte.
    """
    try:
        one, two = find_payload(old), find_payload(new)
    except MochiError:
        return [_first_byte(old, new)]
    found = []
    if old[: one.start] != new[: two.start]:
        found.append("the launcher differs")
    if one.settings != two.settings:
        found.append("the settings of the launcher differ")
    if one.artifact != two.artifact:
        found += artifact_difference(one.artifact, two.artifact, wasm)
    return found


def step_difference(old: Sequence[StepRecord], new: Sequence[StepRecord]) -> Iterator[str]:
    """Give the steps that made something else of what is in their keys, and the keys that differ.

    What is different only because a step before it made something else is left out.
    """
    others = {step.output: step for step in new}
    for step in old:
        other = others.get(step.output)
        if other is None:
            yield f"{step.output}: was not made"
            continue
        for kind, was, now in (
            ("tool", step.tools, other.tools),
            ("source", step.sources, other.sources),
        ):
            for name in changed(was, now):
                yield f"{step.output}: {kind} {name} {was.get(name)} → {now.get(name)}"
        if step.arguments != other.arguments:
            yield f"{step.output}: the arguments differ: {_words(step)} → {_words(other)}"
        if step.key == other.key and step.sha256 != other.sha256:
            yield f"{step.output}: {step.verb} made other bytes from the same inputs"
    known = {step.output for step in old}
    yield from (f"{output}: was not made before" for output in sorted(others.keys() - known))


def changed(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """Return the names, sorted, whose values differ, or that only one side has."""
    return sorted(name for name in {*old, *new} if old.get(name) != new.get(name))


def packing_difference(old: Mapping[str, str], new: Mapping[str, str]) -> str:
    """Return how archives of equal files may differ, and which versions of the runtime do."""
    versions = (
        f"{name} {old.get(name, 'unknown')} → {new.get(name, 'missing')}"
        for name in changed(old, new)
    )
    return ", ".join(("its files are equal, but not their order, times or compression", *versions))


def _words(step: StepRecord) -> str:
    return " ".join(step.arguments)


def artifact_difference(old: bytes, new: bytes, wasm: bytes) -> list[str]:
    """Return the sections of artifacts that differ, and of the code the functions with lines.

    Artifacts that cannot be read are compared byte by byte.
    """
    try:
        one, two = read_artifact(old), read_artifact(new)
    except MochiError:
        return [_first_byte(old, new)]
    found = []
    for section in one.sections:
        other = two.section(section.name)
        if other is None:
            found.append(f"section {section.name} is missing")
            continue
        before, after = one.content(section), two.content(other)
        if before != after:
            found.append(f"section {section.name} differs at {_first(before, after):#x}")
            if section.name == _TEXT:
                found += _functions(one, two, wasm)
    names = {section.name for section in one.sections}
    found += [f"section {item.name} is new" for item in two.sections if item.name not in names]
    return found or [_first_byte(old, new)]


def _functions(old: Artifact, new: Artifact, wasm: bytes) -> list[str]:
    """Return functions whose code the old artifact does not have, those of the user's first."""
    known = set(_code(old).values())
    places = _places(new, wasm)
    found = [
        (places.get(symbol.name, ""), symbol)
        for symbol, code in _code(new).items()
        if code not in known
    ]
    found.sort(key=lambda item: (not item[0], item[1].value))
    return [
        f"function `{_name(symbol)}` differs{place}" for place, symbol in found[:_MAX_FUNCTIONS]
    ]


def _code(artifact: Artifact) -> dict[Symbol, bytes]:
    """Return the code of the functions of an artifact."""
    text = artifact.section(_TEXT)
    if text is None:
        return {}
    content, base = artifact.content(text), text.address
    return {
        symbol: content[symbol.value - base : symbol.value - base + symbol.size]
        for symbol in artifact.symbols
        if symbol.function
    }


def _places(artifact: Artifact, wasm: bytes) -> dict[str, str]:
    """Return where the functions of an artifact are in the sources, by symbol, as far as known."""
    section = artifact.section(".wasmtime.addrmap")
    try:
        starts, origins = decode_origins(artifact.content(section) if section else b"")
        lines = read_lines(find_lines(wasm))
    except (Malformed, MochiError):
        return {}
    found: dict[str, str] = {}
    for symbol in artifact.symbols:
        first = bisect_left(starts, symbol.value)
        last = bisect_left(starts, symbol.value + symbol.size)
        places = (lines.find(origin) for origin in origins[first:last] if origin != NO_ORIGIN)
        if symbol.function and (place := next(filter(None, places), None)):
            found[symbol.name] = f", {lines.files[place.file]}:{place.line}"
    return found


def _name(symbol: Symbol) -> str:
    return symbol.function[2] or symbol.name if symbol.function else symbol.name


def _first_byte(old: bytes, new: bytes) -> str:
    return f"they differ at byte {_first(old, new):#x}, of {len(old)} and {len(new)}"


def _first(old: bytes, new: bytes) -> int:
    """Return the offset of the first byte that differs."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (one, two) in pairs if one != two), min(len(old), len(new)))
