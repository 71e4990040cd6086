"""The engine section: what the wheel writes is decoded to its last byte, and encoded again."""

from __future__ import annotations

import dataclasses

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.elf.engine_section import Engine, decode_engine, schema_of
from mochi_rules.elf.schema import SCHEMAS
from tests.engine_bytes import encode_engine

from .image import Image
from .making import CROSS_TRIPLES, VARIANTS, compiled, stored

SCHEMA = SCHEMAS[48]

# Reference: the settings that each variant has beside Wasmtime's defaults.
SETTINGS = {
    "plain": {},
    "debug": {"debug_native": True},
    "fuel": {"consume_fuel": True},
    "epoch": {"epoch_interruption": True},
    "reservation": {
        "memory_reservation": 1 << 20,
        "memory_guard_size": 1 << 16,
        "gc_heap_reservation": 1 << 20,
        "gc_heap_guard_size": 1 << 16,
    },
    "no-signals": {"signals_based_traps": False},
    "no-cow": {"memory_init_cow": False},
    "winch": {"winch_callable": True, "collector": None},
}


def section(data: bytes) -> bytes:
    """Return the engine section of an artifact."""
    return Image(data)[".wasmtime.engine"].data


def fault(data: bytes) -> str:
    """Return the message of the error that decoding gives."""
    with pytest.raises(MochiError) as caught:
        decode_engine(data)
    assert caught.value.diagnostics[0].code == "A021"
    return caught.value.diagnostics[0].message.removeprefix("the engine section is damaged: ")


@pytest.mark.parametrize("name", [*VARIANTS, *CROSS_TRIPLES])
def test_real_sections_are_decoded_to_the_byte(name: str) -> None:
    """Encoding what was decoded gives the very bytes, so no byte is left unread."""
    data = section(stored(name) if name in CROSS_TRIPLES else compiled(name))

    assert data == encode_engine(decode_engine(data))


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_are_those_asked_for(name: str) -> None:
    """Each option of the engine shows in the setting it names, and in no other."""
    found = decode_engine(section(compiled(name))).tunables
    assert found is not None
    differing = {key: found[key] for key, value in SCHEMA.default_tunables().items()
                 if found[key] != value}  # fmt: skip

    assert differing == SETTINGS[name]


def test_pulley_defaults_are_those_of_pulley() -> None:
    """An artifact for Pulley has the defaults of Pulley."""
    found = decode_engine(section(compiled("pulley"))).tunables

    assert found == SCHEMA.default_tunables(is_pulley=True)


@pytest.mark.parametrize(
    ("name", "level"),
    [
        ("plain", set()),
        ("v2", {"has_sse3", "has_ssse3", "has_cmpxchg16b", "has_sse41", "has_sse42",
                "has_popcnt"}),
    ],
    ids=["v1", "v2"],
)  # fmt: skip
def test_cpu_features_are_those_asked_for(name: str, level: set[str]) -> None:
    """The CPU level shows in the CPU features."""
    assert decode_engine(section(compiled(name))).enabled_isa_flags == level


def test_schema_is_that_of_the_wheel() -> None:
    """Names, order and defaults of flags and features are those that the wheel writes."""
    engine = decode_engine(section(compiled("plain")))

    assert list(engine.shared_flags.items()) == list(SCHEMA.shared_flags.items())
    assert tuple(engine.isa_flags) == SCHEMA.isa_flags["x86_64"]
    assert engine.features == SCHEMA.default_features


@pytest.mark.parametrize("triple", CROSS_TRIPLES)
def test_cpu_features_are_those_of_the_architecture(triple: str) -> None:
    """The names of the CPU features, in their order, are those of the schema."""
    engine = decode_engine(section(stored(triple)))

    assert tuple(engine.isa_flags) == SCHEMA.isa_flags[engine.architecture]


def test_cost_table_has_the_size_that_wasmtime_reads() -> None:
    """With a table of operator costs, Wasmtime itself decodes the section, and refuses the costs.

    A table of another size fails in its decoder.
    """
    import wasmtime

    config = wasmtime.Config()
    config.consume_fuel = True
    config.target = VARIANTS["fuel"].target
    engine = wasmtime.Engine(config)
    for extra, message in ((0, "Module costs are incompatible"), (1, "bool")):
        costs = bytes([1]) * (SCHEMA.cost_table_size + extra)
        data = Image(compiled("fuel")).engine(tunables={"operator_cost": costs}).build()
        with pytest.raises(wasmtime.WasmtimeError, match=message):
            wasmtime.Module.deserialize(engine, data)


def test_cost_table_is_kept() -> None:
    """A table of operator costs is decoded as its bytes."""
    engine = decode_engine(section(compiled("fuel")))
    costs = bytes(range(256)) * 2 + bytes(SCHEMA.cost_table_size - 512)
    changed = dataclasses.replace(engine, tunables={**engine.tunables, "operator_cost": costs})

    assert decode_engine(encode_engine(changed)) == changed


def test_unknown_major_keeps_the_rest_opaque() -> None:
    """Of another version, the part that describes itself is decoded, the rest kept as bytes."""
    known = decode_engine(section(compiled("plain")))
    data = section(compiled("plain")).replace(b"\x0248", b"\x0299", 1)
    engine = decode_engine(data)

    assert (engine.version, engine.target, engine.major) == ("99", known.target, 99)
    assert engine.isa_flags == known.isa_flags
    assert engine.tunables is None
    assert engine.features is None
    assert data == encode_engine(engine)


def test_bits_without_a_name_survive() -> None:
    """A feature that the schema has no name for is named by its bit."""
    engine = decode_engine(section(compiled("plain")))
    changed = dataclasses.replace(engine, features=frozenset({"simd", "bit 63"}))

    assert decode_engine(encode_engine(changed)) == changed


@pytest.mark.parametrize(
    ("version", "major"),
    [("48", 48), ("48.0.1", 48), ("dev", None), ("٤٨", None), ("9" * 99, None)],
)
def test_major_is_the_leading_number(version: str, major: int | None) -> None:
    """A version may have a suffix; what starts with no short number has no schema."""
    engine = Engine(version, "", {}, {}, None, None)

    assert engine.major == major
    assert (schema_of(version) is not None) == (major == 48)


PLAIN = section(compiled("plain"))


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ends 1 bytes too early"),
        (b"\1", "its layout has version 1, expected 0"),
        (b"\0\2\xff\xfe", "its version is not UTF-8"),
        (PLAIN[:-1], "unexpected end inside an integer"),
        (PLAIN + b"\0", "1 bytes are left over"),
        (b"\0\x0248\0" + b"\xff\xff\xff\xff\x0f", "claims 4294967295 compiler flags"),
        (b"\0\x0248\0" + b"\xff" * 9, "takes more bytes than 32 bits need at offset 5"),
        (b"\0\x0248\0" + b"\xff\xff\xff\xff\x1f", "integer does not fit in 32 bits at offset 5"),
        (b"\0\x0248\0" + b"\x80\x00", "not in its shortest form"),
        (b"\0\x0248\0\2\1a\2\1\1a\2\1", "the flag `a` appears twice"),
        (b"\0\x0248\0\1\1a\3", "unknown kind 3"),
        (b"\0\x0248\0\1\1a\2\2", "expected 0 or 1"),
        (b"\0\x0248\0\0\0\1\3", "`collector`: got choice 3, but there are 3"),
        (b"\0\x0248\0\0\0\2", "`collector`: expected 0 or 1"),
        (b"\0\x0248\1\xff", "is not UTF-8"),
    ],
)  # fmt: skip
def test_damage_is_named(data: bytes, words: str) -> None:
    """Each way to be wrong is A021, and says how."""
    assert words in fault(data)
