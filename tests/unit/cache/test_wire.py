"""The codec on bytes that nobody should have written, and on values that do not fit."""

from __future__ import annotations

import pytest

from mochi_rules.base.digest import Digest, digest_bytes
from mochi_rules.cache.messages import (
    SCHEMA,
    Action,
    ActionResult,
    Command,
    Directory,
    DirectoryNode,
    FileNode,
    Platform,
    Property,
    SymlinkNode,
    decode,
    duration,
    encode,
)
from mochi_rules.cache.wire import WireError

D = digest_bytes(b"")
HASH = b"\x0a\x40" + D.hash.encode()  # field 1 of a Digest

MALFORMED = {
    "tag without end": (ActionResult, b"\xff"),
    "value without end": (ActionResult, b"\x20" + b"\xff" * 10),
    "tag of six bytes": (ActionResult, b"\xa0\x80\x80\x80\x80\x00\x01"),
    "field number zero": (ActionResult, b"\x00\x01"),
    "bytes cut off": (ActionResult, b"\x2a\x05abc"),
    "length beyond all memory": (ActionResult, b"\x2a\xff\xff\xff\xff\x0f"),
    "unknown fixed field cut off": (ActionResult, b"\x99\x06abc"),
    "group": (ActionResult, b"\x9b\x06\x9c\x06"),
    "wire type seven": (ActionResult, b"\x07"),
    "nested message cut off": (ActionResult, b"\x12\x02\x0a\x05"),
    "text not UTF-8": (Property, b"\x0a\x01\xff"),
    "hash too short": (Digest, b"\x0a\x02ab\x10\x01"),
    "hash absent": (Digest, b"\x10\x01"),
    "size negative": (Digest, HASH + b"\x10" + b"\xff" * 9 + b"\x01"),
    "required digest absent": (FileNode, b"\x0a\x01a"),
    "action without input root": (Action, b"\x0a\x42" + HASH),
    "variables not sorted": (Command, b"\x12\x03\x0a\x01b\x12\x03\x0a\x01a"),
    "output path absolute": (Command, b"\x3a\x02/a"),
}


@pytest.mark.parametrize("case", MALFORMED.values(), ids=MALFORMED)
def test_malformed_bytes_are_refused(case: tuple[type, bytes]) -> None:
    """Each way to be malformed raises the one error of the decoder."""
    message, data = case
    with pytest.raises(WireError):
        decode(message, data)


NOT_CANONICAL = {
    "properties not sorted": lambda: Platform((Property("b"), Property("a"))),
    "property twice": lambda: Platform((Property("a", "1"), Property("a", "1"))),
    "variable twice": lambda: Command(environment_variables=(Property("a"), Property("a", "1"))),
    "output path twice": lambda: Command(output_paths=("a", "a")),
    "output path with trailing slash": lambda: Command(output_paths=("a/",)),
    "output path that climbs": lambda: Command(output_paths=("../a",)),
    "empty output path": lambda: Command(output_paths=("",)),
    "files not sorted": lambda: Directory((FileNode("b", D), FileNode("a", D))),
    "name of file and directory": lambda: Directory((FileNode("a", D),), (DirectoryNode("a", D),)),
    "name of file and link": lambda: Directory((FileNode("a", D),), (), (SymlinkNode("a", "b"),)),
    "name with slash": lambda: Directory((FileNode("a/b", D),)),
    "name dot": lambda: Directory((FileNode(".", D),)),
    "name dot dot": lambda: Directory((), (DirectoryNode("..", D),)),
    "empty name": lambda: Directory((), (), (SymlinkNode("", "a"),)),
    "name with zero byte": lambda: Directory((FileNode("a\0b", D),)),
}


@pytest.mark.parametrize("make", NOT_CANONICAL.values(), ids=NOT_CANONICAL)
def test_message_that_is_not_canonical_cannot_be_made(make: type) -> None:
    """The canonical form is an invariant of the classes, not a wish."""
    with pytest.raises(ValueError, match=r"ascend|twice|not a relative path|directory entry"):
        make()


@pytest.mark.parametrize(
    "message",
    [ActionResult(exit_code=2**31), Digest(D.hash, 2**63), Property("\ud800")],
    ids=["int32", "int64", "lone surrogate"],
)
def test_value_that_does_not_fit_is_refused(message: object) -> None:
    """A value that the wire cannot carry raises instead of being cut."""
    with pytest.raises(ValueError, match=r"does not fit|surrogates"):
        encode(message)


def test_last_value_wins() -> None:
    """A scalar that comes twice has its last value, as proto3 says."""
    assert decode(ActionResult, b"\x20\x01\x20\x02").exit_code == 2


def test_parts_of_a_message_are_merged() -> None:
    """A message that comes in two parts is one message, as proto3 says."""
    halves = b"\x32\x42" + HASH + b"\x32\x02\x10\x07"
    assert decode(ActionResult, halves).stdout_digest == Digest(D.hash, 7)


def test_negative_exit_code_survives() -> None:
    """A negative int32 is sign-extended to ten bytes and comes back."""
    data = encode(ActionResult(exit_code=-1))
    assert data == b"\x20" + b"\xff" * 9 + b"\x01"
    assert decode(ActionResult, data).exit_code == -1


def test_tables_ascend() -> None:
    """Fields are written in the order of the tables, so the tables ascend by number."""
    assert all(list(fields) == sorted(fields) for fields in SCHEMA.values())


def test_duration_keeps_nanoseconds() -> None:
    """A duration is seconds and the nanoseconds below one second."""
    half = duration(2.5)
    assert (half.seconds, half.nanos) == (2, 500_000_000)
