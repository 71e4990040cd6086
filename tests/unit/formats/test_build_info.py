"""Tests of the place for build information."""

from __future__ import annotations

import pytest

from mochi_rules.formats.build_info import MARK, SIZE, build_info_place, read_build_info

VALUES = {"version": "1.4.0", "commit": "0" * 40 + "-dirty"}


def test_values_are_read_from_a_file() -> None:
    """Wherever the place is, and whatever is around it."""
    data = b"before" + build_info_place(VALUES) + b"behind"
    assert read_build_info(data) == VALUES


def test_place_has_one_size() -> None:
    """So it is filled in without moving anything."""
    assert len(build_info_place({})) == len(build_info_place(VALUES)) == SIZE


def test_empty_values_are_left_out() -> None:
    """What is not known is not there."""
    assert read_build_info(build_info_place({"version": "", "commit": "1"})) == {"commit": "1"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        build_info_place({}) * 2,
        build_info_place(VALUES)[:-1],
        MARK + b"\xff" * SIZE,
        MARK + b"\1\0\0\0\xff" + bytes(SIZE),
    ],
    ids=["none", "two", "cut", "too long", "not ASCII"],
)
def test_file_without_a_whole_place_has_no_values(data: bytes) -> None:
    """Nothing is guessed."""
    assert read_build_info(data) is None
