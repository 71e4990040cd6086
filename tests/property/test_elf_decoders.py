"""The decoders of the engine section and of the code maps: inverse to encoding, never surprised."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.elf.codemap import (
    BLOCK_SIZE,
    NO_ORIGIN,
    decode_address_map,
    decode_exceptions,
    decode_origins,
    decode_stack_maps,
    decode_traps,
)
from mochi_rules.elf.decode import Malformed
from mochi_rules.elf.engine_section import Engine, decode_engine
from mochi_rules.elf.schema import COLLECTORS, INLININGS, SCHEMAS, Form
from mochi_rules.elf.unwind import decode_eh_frame
from mochi_rules.wasm.leb128 import encode_signed, encode_unsigned
from tests.engine_bytes import encode_engine

SCHEMA = SCHEMAS[48]

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
flags = st.dictionaries(texts, st.booleans() | st.integers(0, 255) | texts, max_size=5)
u32, u64 = st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1)
VALUES: dict[Form, st.SearchStrategy[Any]] = {
    Form.SWITCH: st.booleans(),
    Form.U32: u32,
    Form.U64: u64,
    Form.OPTIONAL_U32: st.none() | u32,
    Form.COLLECTOR: st.none() | st.sampled_from(COLLECTORS),
    Form.INLINING: st.sampled_from(INLININGS),
    Form.COSTS: st.just("default")
    | st.binary(min_size=SCHEMA.cost_table_size, max_size=SCHEMA.cost_table_size),
}
features = st.frozensets(
    st.integers(0, 63).map(lambda bit: SCHEMA.features.get(bit, f"bit {bit}")), max_size=8
)
known = st.builds(
    Engine,
    version=st.sampled_from(["48", "48.0.8", "48-patched"]),
    target=texts,
    shared_flags=flags,
    isa_flags=flags,
    tunables=st.fixed_dictionaries({t.name: VALUES[t.form] for t in SCHEMA.tunables}),
    features=features,
)
unknown = st.builds(
    Engine,
    version=st.sampled_from(["47", "50", "dev", ""]),
    target=texts,
    shared_flags=flags,
    isa_flags=flags,
    tunables=st.none(),
    features=st.none(),
    opaque=st.binary(max_size=40),
)


@given(known | unknown)
def test_decoding_is_inverse_to_encoding(engine: Engine) -> None:
    """Whatever can be said in an engine section survives encoding and decoding."""
    assert decode_engine(encode_engine(engine)) == engine


@given(known, st.data())
def test_damaged_section_is_refused_or_means_what_it_says(engine: Engine, data: Any) -> None:
    """Damage gives A021 or another section, whose encoding is the damaged bytes themselves."""
    raw = bytearray(encode_engine(engine))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        decoded = decode_engine(bytes(raw))
    except MochiError as error:
        assert error.diagnostics[0].code == "A021"  # noqa: PT017 - raising is one of two outcomes
    else:
        assert encode_engine(decoded) == raw


@given(st.binary(max_size=200))
def test_random_bytes_never_surprise(data: bytes) -> None:
    """No decoder raises anything but its own error."""
    for decode in (
        decode_address_map,
        decode_origins,
        decode_traps,
        decode_exceptions,
        decode_stack_maps,
        lambda data: decode_eh_frame(data, 4096, little_endian=True),
        lambda data: decode_eh_frame(data + bytes(4), 4096, little_endian=False),
    ):
        try:
            decode(data)
        except Malformed as error:
            assert str(error)  # noqa: PT017 - raising is one of two outcomes
    with pytest.raises(MochiError):
        decode_engine(b"\1" + data)


places = st.integers(0, NO_ORIGIN - 1)
entries = st.lists(st.tuples(st.integers(0, 1 << 20), st.none() | places), max_size=300)


@given(entries)
def test_address_map_gives_back_its_offsets(rows: list[tuple[int, int | None]]) -> None:
    """A map encoded as Wasmtime does gives back its rows, over any number of blocks."""
    rows.sort(key=lambda row: row[0])

    starts, origins = decode_origins(encode_address_map(rows))
    assert decode_address_map(encode_address_map(rows)) == starts
    assert starts.tolist() == [offset for offset, _ in rows]
    assert origins.tolist() == [NO_ORIGIN if place is None else place for _, place in rows]


def encode_address_map(rows: list[tuple[int, int | None]]) -> bytes:
    """Encode an address map: the first place of a block is a number, the others differences."""
    index, bodies = b"", b""
    for start in range(0, len(rows), BLOCK_SIZE):
        previous, last = rows[start][0], None
        index += struct.pack("<II", previous, len(bodies))
        for offset, place in rows[start : start + BLOCK_SIZE]:
            bodies += encode_unsigned((offset - previous) << 1 | (place is None))
            previous = offset
            if place is not None:
                bodies += encode_unsigned(place) if last is None else encode_signed(place - last)
                last = place
    return struct.pack("<II", len(rows), len(index) // 8) + index + bodies
