"""What a file is: `inspect` finds out, as far as the file can be read; it never fails."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass, replace
from mochi_rules.base.diagnostic import MochiError, fail
from mochi_rules.base.digest import digest_bytes
from mochi_rules.elf.artifact import flag_letters
from mochi_rules.elf.checks.expectation import Kind
from mochi_rules.elf.checks.header import OS_ABI
from mochi_rules.elf.checks.table import Failure, verify
from mochi_rules.elf.engine_section import decode_engine, schema_of
from mochi_rules.elf.object_files import COFF_CPUS
from mochi_rules.elf.read import read_artifact
from mochi_rules.elf.triple_layout import layout_of
from mochi_rules.formats import elf, macho
from mochi_rules.formats.build_info import read_build_info
from mochi_rules.wasm.reader.read_summary import read_summary

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mochi_rules.elf.artifact import Artifact
    from mochi_rules.elf.engine_section import Engine
    from mochi_rules.elf.schema import TunableValue

_WASM_MAGIC = b"\0asm"
_ARTIFACT_MAGICS = tuple(
    elf.MAGIC + bytes([elf.CLASS_64, order, 1, OS_ABI]) for order in elf.ORDERS
)
_MAX_CANDIDATES = 8

_FORMATS = (
    (_WASM_MAGIC, "WebAssembly"),
    *((magic, "precompiled artifact") for magic in _ARTIFACT_MAGICS),
    (b"MZ", "Windows executable"),
)
_ELF_TYPES = {1: "ELF object", 2: "ELF executable", 3: "ELF executable or library"}
_MACHO_TYPES = {1: "Mach-O object", 2: "Mach-O executable", 6: "Mach-O library"}


@dataclass(frozen=True, slots=True)
class Setting:
    """An engine setting or a compiler flag, and its default."""

    name: str
    value: TunableValue
    default: TunableValue

    @property
    def is_default(self) -> bool:
        """Whether the value is the default."""
        return self.value == self.default


@dataclass(frozen=True, slots=True)
class SectionRow:
    """A section; `flags` are letters as in readelf, sizes and places in bytes."""

    name: str
    flags: str
    offset: int
    size: int
    alignment: int


@dataclass(frozen=True, slots=True)
class FunctionRow:
    """The code of a function; `index` counts imports too, `offset` from the start of the code."""

    module: int
    index: int
    name: str
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Wasm:
    """What a WebAssembly module asks for and gives: imports and exports by name."""

    imports: tuple[str, ...]
    exports: tuple[str, ...]
    defined_functions: int
    features: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Compiled:
    """What an artifact declares about itself.

    `settings` has those that differ from the defaults first; it is empty for a Wasmtime whose
    schema is not known. `features_added` and `features_missing` are the differences from a
    default engine. `failures` are the structural checks that fail.
    """

    target: str
    wasmtime: str
    cpu_features: tuple[str, ...]
    settings: tuple[Setting, ...]
    features_added: tuple[str, ...]
    features_missing: tuple[str, ...]
    sections: tuple[SectionRow, ...]
    functions: tuple[FunctionRow, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What a file is; `sha256` covers all its bytes, `note` says what could not be read.

    At most one of `wasm` and `compiled` is there. `inner` is the artifact that the file holds,
    at `inner_offset`. `build_info` is None where the file has no place for it, and of `inner`.
    """

    kind: str
    size: int
    sha256: str
    note: str = ""
    wasm: Wasm | None = None
    compiled: Compiled | None = None
    inner: Report | None = None
    inner_offset: int = 0
    build_info: Mapping[str, str] | None = None


def inspect(data: bytes) -> Report:
    """Find out what some bytes are."""
    return replace(_inspect(data), build_info=read_build_info(data))


def _inspect(data: bytes) -> Report:
    digest = digest_bytes(data)
    try:
        kind, wasm, compiled = _recognize(data)
    except MochiError as error:
        kind, note = _format(data), error.diagnostics[0].message
        return Report(f"damaged {kind}", digest.size, digest.hash, note)
    found = None if wasm or compiled else find_artifact(data)
    if found is None:
        return Report(kind, digest.size, digest.hash, wasm=wasm, compiled=compiled)
    inner_offset, inner = found
    return Report(
        f"{kind} that holds an artifact",
        digest.size,
        digest.hash,
        inner=_inspect(inner),
        inner_offset=inner_offset,
    )


def _recognize(data: bytes) -> tuple[str, Wasm | None, Compiled | None]:
    """Return the kind of a file, and what it declares about itself.

    Raises:
        MochiError: It is WebAssembly or an artifact, and damaged.
    """
    if data.startswith(_WASM_MAGIC):
        summary = read_summary(data)
        if summary.kind == "component":  # of which nothing else is read
            return "WebAssembly component", None, None
        wasm = Wasm(
            imports=tuple(f"{item.module}.{item.name}" for item in summary.imports),
            exports=tuple(item.name for item in summary.exports),
            defined_functions=summary.defined_functions,
            features=summary.features,
        )
        return "WebAssembly module", wasm, None
    if data.startswith(_ARTIFACT_MAGICS):
        artifact = read_artifact(data)
        kinds = {kind.value: kind.name.lower() for kind in Kind}
        kind = kinds.get(artifact.header.flags & 3, "artifact of no known kind")
        return f"precompiled {kind}", None, _compiled(artifact)
    return _format(data), None, None


def _format(data: bytes) -> str:
    """Name the format of a file by its first bytes."""
    for magic, name in _FORMATS:
        if data.startswith(magic):
            return name
    if data.startswith(elf.MAGIC):
        kind = int.from_bytes(data[16:18], "big" if data[5:6] == b"\2" else "little")
        return _ELF_TYPES.get(kind, "ELF file")
    if data.startswith(macho.MAGIC):
        return _MACHO_TYPES.get(int.from_bytes(data[12:16], "little"), "Mach-O file")
    if int.from_bytes(data[:2], "little") in COFF_CPUS and data[16:18] == b"\0\0":
        return "COFF object"
    return "unknown file" if data else "empty file"


def find_artifact(data: bytes) -> tuple[int, bytes] | None:
    """Find the artifact inside an object or an executable: its offset and its bytes, or None.

    An artifact ends with its section table, so its header gives its size.
    """
    starts = sorted(place for magic in _ARTIFACT_MAGICS for place in _places(data, magic))
    for start in starts[:_MAX_CANDIDATES]:
        order = "<" if data[start + 5] == 1 else ">"
        if len(data) - start < 64:
            break
        (table,) = struct.unpack_from(order + "Q", data, start + 40)
        (count,) = struct.unpack_from(order + "H", data, start + 60)
        candidate = data[start : start + table + 64 * count]
        try:
            read_artifact(candidate)
        except MochiError:
            continue
        return start, candidate
    return None


def _places(data: bytes, magic: bytes) -> Iterator[int]:
    place = data.find(magic)
    for _ in range(_MAX_CANDIDATES):
        if place < 0:
            return
        yield place
        place = data.find(magic, place + 1)


def _compiled(artifact: Artifact) -> Compiled:
    section = artifact.section(".wasmtime.engine")
    if section is None:
        raise fail("A020", "it is not a .cwasm: it has no engine section")
    engine = decode_engine(artifact.content(section))
    schema = schema_of(engine.version)
    features = engine.features or frozenset()
    usual = schema.default_features if schema else frozenset()
    return Compiled(
        target=engine.target,
        wasmtime=engine.version,
        cpu_features=tuple(sorted(engine.enabled_isa_flags)),
        settings=tuple(sorted(_settings(engine), key=lambda setting: setting.is_default)),
        features_added=tuple(sorted(features - usual)),
        features_missing=tuple(sorted(usual - features)),
        sections=tuple(
            SectionRow(item.name, flag_letters(item.flags), item.offset, item.size, item.alignment)
            for item in artifact.sections[1:]
        ),
        functions=tuple(_functions(artifact)),
        failures=tuple(verify(artifact)),
    )


def _settings(engine: Engine) -> Iterator[Setting]:
    """Yield the settings, then the compiler's flags, in the order of storage."""
    schema = schema_of(engine.version)
    if schema is None or engine.tunables is None:
        return
    layout = layout_of(engine.target)
    tunables = schema.default_tunables(is_pulley=layout is not None and layout.is_pulley)
    for values, defaults in (
        (engine.tunables, tunables),
        (engine.shared_flags, schema.shared_flags),
    ):
        for name, value in values.items():
            yield Setting(name, value, defaults.get(name))


def _functions(artifact: Artifact) -> Iterator[FunctionRow]:
    for symbol in artifact.symbols:
        if number := symbol.function:
            yield FunctionRow(*number, symbol.value, symbol.size)
