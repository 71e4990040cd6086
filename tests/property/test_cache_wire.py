"""Our codec against the protobuf classes that BuildGrid carries: the same bytes, both ways."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.messages import (
    SCHEMA,
    Action,
    ActionResult,
    Command,
    Directory,
    DirectoryNode,
    Duration,
    ExecutedActionMetadata,
    FileNode,
    OutputDirectory,
    OutputFile,
    OutputSymlink,
    Platform,
    Property,
    SymlinkNode,
    Tree,
    decode,
    encode,
)
from mochi_rules.cache.wire import Kind, WireError

pb = pytest.importorskip(
    "buildgrid._protos.build.bazel.remote.execution.v2.remote_execution_pb2",
    reason="the Python package buildgrid is missing",
)
DecodeError = importlib.import_module("google.protobuf.message").DecodeError

texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12)
names = texts.filter(lambda text: text not in ("", ".", "..") and not set(text) & set("/\0"))
paths = st.lists(names, min_size=1, max_size=3).map("/".join)
digests = st.builds(
    Digest,
    st.binary(max_size=2).map(lambda data: digest_bytes(data).hash),
    st.integers(0, 2**63 - 1),
)
durations = st.builds(Duration, st.integers(-(2**63), 2**63 - 1), st.integers(-(2**31), 2**31 - 1))
properties = st.builds(Property, texts, texts)
platforms = st.builds(Platform, st.sets(properties, max_size=3).map(sorted).map(tuple))


def tuples(items: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return short tuples of some items."""
    return st.lists(items, max_size=3).map(tuple)


@st.composite
def commands(draw: st.DrawFn) -> Command:
    """Return canonical commands."""
    variables = draw(st.dictionaries(texts, texts, max_size=3))
    return Command(
        draw(tuples(texts)),
        tuple(Property(name, value) for name, value in sorted(variables.items())),
        draw(st.none() | platforms),
        draw(texts),
        tuple(sorted(draw(st.sets(paths, max_size=3)))),
    )


@st.composite
def directories(draw: st.DrawFn) -> Directory:
    """Return canonical directories."""
    chosen = sorted(draw(st.sets(names, max_size=6)))
    kinds = [draw(st.sampled_from("fds")) for _ in chosen]
    by_kind = {
        kind: [name for name, its in zip(chosen, kinds, strict=True) if its == kind]
        for kind in "fds"
    }
    return Directory(
        tuple(FileNode(name, draw(digests), draw(st.booleans())) for name in by_kind["f"]),
        tuple(DirectoryNode(name, draw(digests)) for name in by_kind["d"]),
        tuple(SymlinkNode(name, draw(texts)) for name in by_kind["s"]),
    )


results = st.builds(
    ActionResult,
    tuples(st.builds(OutputFile, texts, digests, st.booleans(), st.binary(max_size=300))),
    tuples(
        st.builds(OutputDirectory, texts, st.none() | digests, st.booleans(), st.none() | digests)
    ),
    st.integers(-(2**31), 2**31 - 1),
    st.binary(max_size=300),
    st.none() | digests,
    st.binary(max_size=9),
    st.none() | digests,
    st.none() | st.builds(ExecutedActionMetadata, st.none() | durations),
    tuples(st.builds(OutputSymlink, texts, texts)),
)
actions = st.builds(
    Action,
    digests,
    digests,
    st.none() | durations,
    st.booleans(),
    st.binary(max_size=9),
    st.none() | platforms,
)
messages = (
    digests
    | platforms
    | commands()
    | directories()
    | results
    | actions
    | st.builds(Tree, directories(), tuples(directories()))
)


def theirs(message: type) -> Any:
    """Return the protobuf class that has the name of one of our classes."""
    return getattr(pb, message.__name__)


@given(messages)
def test_bytes_equal_those_of_protobuf(message: Any) -> None:
    """Ours → theirs → ours is the identity, and both write the same bytes."""
    data = encode(message)
    reference = theirs(type(message)).FromString(data)
    assert reference.SerializeToString(deterministic=True) == data
    assert decode(type(message), data) == message


@given(messages)
def test_each_value_is_read_by_protobuf(message: Any) -> None:
    """The protobuf class finds every scalar under the API's name for it."""
    reference = theirs(type(message)).FromString(encode(message))
    for field in SCHEMA[type(message)].values():
        value = getattr(message, field.name)
        if field.kind is not Kind.MESSAGE:
            name = "size_bytes" if field.name == "size" else field.name
            got = getattr(reference, name)
            assert (tuple(got) if field.repeated else got) == value


@pytest.mark.parametrize("message", SCHEMA, ids=lambda message: message.__name__)
def test_table_matches_the_published_descriptor(message: type) -> None:
    """Number, kind and repetition of every field are those of the published messages."""
    metadata = pb.ExecutedActionMetadata.DESCRIPTOR.fields_by_name["auxiliary_metadata"]
    outer = {
        "Property": pb.Platform.Property,
        "Duration": pb.Action.DESCRIPTOR.fields_by_name["timeout"].message_type._concrete_class,
        "Detail": metadata.message_type._concrete_class,
    }
    descriptor = outer.get(message.__name__, getattr(pb, message.__name__, None)).DESCRIPTOR
    published = {field.number: field for field in descriptor.fields}
    assert {field.name for field in SCHEMA[message].values()} == {
        field.name for field in dataclasses.fields(message)
    }
    for number, field in SCHEMA[message].items():
        assert published[number].name == {"size": "size_bytes"}.get(field.name, field.name)
        kind = {8: Kind.BOOL, 5: Kind.INT32, 3: Kind.INT64, 9: Kind.STRING, 12: Kind.BYTES}
        assert kind.get(published[number].type, Kind.MESSAGE) is field.kind
        assert published[number].is_repeated == field.repeated


@st.composite
def damaged(draw: st.DrawFn) -> tuple[type, bytes]:
    """Return the bytes of a message after a few cuts, repetitions and changed bytes."""
    message = draw(messages)
    data = bytearray(encode(message))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(len(data), start + 40)))
        data[start:end] = draw(st.binary(max_size=6) | st.just(bytes(data[start:end]) * 2))
    return type(message), bytes(data)


@given(damaged())
def test_damaged_bytes_are_refused_or_read_as_protobuf_reads_them(
    case: tuple[type, bytes],
) -> None:
    """What both accept, both read alike, also after repeated, cut and changed fields."""
    message, data = case
    try:
        got = decode(message, data)
        # It may still refuse what stands in a field that our tables leave out.
        reference = theirs(message).FromString(data)
    except (WireError, DecodeError):
        return
    reference.DiscardUnknownFields()
    assert decode(message, reference.SerializeToString()) == got


@given(st.binary(max_size=60), st.sampled_from(sorted(SCHEMA, key=lambda item: item.__name__)))
def test_any_bytes_decode_or_raise_one_error(data: bytes, message: type) -> None:
    """No bytes make the decoder raise anything but WireError."""
    with contextlib.suppress(WireError):
        assert isinstance(decode(message, data), message)


@given(messages, st.integers(100, 2**29 - 1), st.binary(max_size=9))
def test_unknown_fields_are_skipped(message: Any, number: int, payload: bytes) -> None:
    """Fields that a later version of the API adds do not change what we read."""
    extra = bytearray()
    for value in (number << 3 | 2, len(payload)):
        while value > 0x7F:
            extra.append(value & 0x7F | 0x80)
            value >>= 7  # noqa: PLW2901 - the shift is the loop
        extra.append(value)
    data = bytes(extra) + payload + encode(message) + bytes(extra) + payload
    assert decode(type(message), data) == message
