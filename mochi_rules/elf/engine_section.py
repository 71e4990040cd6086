"""Decodes the engine section: which Wasmtime made the artifact, for what, with what settings.

The section is a layout byte, the version as text, and a record in the postcard format
(https://postcard.jamesmunns.com/wire-format). The record starts with parts that describe
themselves: target and compiler flags. The rest needs the schema of the major version.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mochi_rules.base.dataclass import dataclass
from mochi_rules.base.diagnostic import fail
from mochi_rules.elf.decode import Malformed, Reader
from mochi_rules.elf.schema import COLLECTORS, INLININGS, SCHEMAS, Form

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mochi_rules.elf.schema import FlagValue, Schema, TunableValue

LAYOUT_VERSION = 0
_ENUM, _NUMBER, _SWITCH = 0, 1, 2  # the variants of a flag's value
_COST_KINDS = ("table", "default")
_MAX_FLAGS = 1000


@dataclass(frozen=True, slots=True)
class Engine:
    """The decoded engine section.

    `tunables` and `features` are None where the major version is not known; then `opaque`
    holds their bytes. Features are named by single bits, `bit 42` where a bit has no name.
    """

    version: str
    target: str
    shared_flags: Mapping[str, FlagValue]
    isa_flags: Mapping[str, FlagValue]
    tunables: Mapping[str, TunableValue] | None
    features: frozenset[str] | None
    opaque: bytes = b""

    @property
    def major(self) -> int | None:
        """The number that the version starts with."""
        return _major(self.version)

    @property
    def architecture(self) -> str:
        """The first part of the target triple."""
        return self.target.partition("-")[0]

    @property
    def enabled_isa_flags(self) -> frozenset[str]:
        """The CPU features that the code may use. Pulley's byte order is not one."""
        on = (name for name, value in self.isa_flags.items() if value is True)
        return frozenset(on) - {"big_endian"}


def decode_engine(data: bytes) -> Engine:
    """Decode the content of `.wasmtime.engine`.

    Emits: A021.

    Raises:
        MochiError: The bytes are not an engine section, or some are left over.
    """
    reader = Reader(data)
    try:
        engine = _decode(reader)
        reader.finish()
    except Malformed as error:
        raise fail("A021", f"the engine section is damaged: {error}") from None
    return engine


def schema_of(version: str) -> Schema | None:
    """Return the schema for a version of Wasmtime, or None when there is none."""
    major = _major(version)
    return SCHEMAS.get(major) if major is not None else None


def _major(version: str) -> int | None:
    match = re.match(r"\d{1,6}(?!\d)", version, re.ASCII)
    return int(match[0]) if match else None


def _decode(reader: Reader) -> Engine:
    layout = reader.byte()
    if layout != LAYOUT_VERSION:
        raise Malformed(f"its layout has version {layout}, expected {LAYOUT_VERSION}")
    try:
        version = reader.take(reader.byte()).decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed("its version is not UTF-8") from None
    target = reader.text()
    shared, isa = _decode_flags(reader), _decode_flags(reader)
    schema = schema_of(version)
    if schema is None:
        return Engine(version, target, shared, isa, None, None, reader.rest())
    tunables = _decode_tunables(reader, schema)
    return Engine(version, target, shared, isa, tunables, _decode_features(reader, schema))


def _decode_flags(reader: Reader) -> dict[str, FlagValue]:
    count = reader.varint(32)
    if count > _MAX_FLAGS:
        raise Malformed(f"it claims {count} compiler flags")
    flags: dict[str, FlagValue] = {}
    for _ in range(count):
        name = reader.text()
        if name in flags:
            raise Malformed(f"the flag `{name}` appears twice")
        flags[name] = _decode_flag(reader)
    return flags


def _decode_flag(reader: Reader) -> FlagValue:
    variant = reader.varint(32)
    if variant == _ENUM:
        return reader.text()
    if variant == _NUMBER:
        return reader.byte()
    if variant == _SWITCH:
        return reader.boolean()
    raise Malformed(f"a flag has a value of the unknown kind {variant}")


def _decode_tunables(reader: Reader, schema: Schema) -> dict[str, TunableValue]:
    values: dict[str, TunableValue] = {}
    for tunable in schema.tunables:
        try:
            values[tunable.name] = _DECODERS[tunable.form](reader, schema)
        except Malformed as error:
            raise Malformed(f"the setting `{tunable.name}`: {error}") from None
    return values


def _decode_features(reader: Reader, schema: Schema) -> frozenset[str]:
    bits = reader.varint(64)
    numbers = (number for number in range(64) if bits >> number & 1)
    return frozenset(schema.features.get(number, f"bit {number}") for number in numbers)


def _decode_costs(reader: Reader, schema: Schema) -> TunableValue:
    kind = _decode_choice(reader, _COST_KINDS)
    return kind if kind == "default" else reader.take(schema.cost_table_size)


def _decode_choice(reader: Reader, choices: tuple[str, ...]) -> str:
    number = reader.varint(32)
    if number >= len(choices):
        raise Malformed(f"got choice {number}, but there are {len(choices)}")
    return choices[number]


_DECODERS: Mapping[Form, Callable[[Reader, Schema], TunableValue]] = {
    Form.SWITCH: lambda reader, _: reader.boolean(),
    Form.U32: lambda reader, _: reader.varint(32),
    Form.U64: lambda reader, _: reader.varint(64),
    Form.OPTIONAL_U32: lambda reader, _: reader.varint(32) if reader.boolean() else None,
    Form.COLLECTOR: lambda reader, _: (
        _decode_choice(reader, COLLECTORS) if reader.boolean() else None
    ),
    Form.INLINING: lambda reader, _: _decode_choice(reader, INLININGS),
    Form.COSTS: _decode_costs,
}
