"""Tests of how a release gets into its folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.release.publish import checksums, publish


def test_files_of_others_stay(tmp_path: Path) -> None:
    """An earlier version, or what another tool has written."""
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / "old").write_text("old")
    publish(tmp_path / "dist", {"new": b"new"})
    names = {path.name: path.read_text() for path in (tmp_path / "dist").iterdir()}
    assert names == {"old": "old", "new": "new"}


def test_signature_of_an_earlier_file_is_removed(tmp_path: Path) -> None:
    """It would not be that of the new one; those of other files stay."""
    publish(tmp_path, dict.fromkeys(("a", "a.minisig", "a.sig", "b", "b.minisig"), b"1"))
    publish(tmp_path, {"a": b"2", "a.sig": b"2"})
    names = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert names == {"a": b"2", "a.sig": b"2", "b": b"1", "b.minisig": b"1"}


def test_nothing_is_left_where_a_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the files before it, nor the folder beside."""
    write = Path.write_bytes

    def full(path: Path, data: bytes) -> int:
        if path.name == "b":
            raise OSError(28, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(MochiError, match="B014: cannot write `dist`: no space left on device"):
        publish(tmp_path / "dist", {"a": b"a", "b": b"b"})
    assert list((tmp_path / "dist").iterdir()) == []


def test_sums_are_sorted_by_name() -> None:
    """In the form of `sha256sum`."""
    sums = checksums({"b": b"2", "a": b"1"})["SHA256SUMS"].decode().splitlines()
    assert sums[0] == f"{hashlib.sha256(b'1').hexdigest()}  a"
    assert [row[-1] for row in sums] == ["a", "b"]
