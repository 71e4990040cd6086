"""Tests of what stands for a tool in a key."""

from __future__ import annotations

import os
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from mochi_rules.steps import identity
from mochi_rules.steps.identity import SOURCES, WASMTIME, Identities, signature

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a package that stands in for ours, with a compiler of two files."""
    for name, text in {"compiler/a.py": "1", "compiler/run/b.mochi": "2", "wasm/c.py": "3"}.items():
        path = tmp_path / "package" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(identity, "PACKAGE", tmp_path / "package")
    monkeypatch.setattr(identity, "_SETTLED_NS", 0)  # the files are new, but their clock is fine
    return tmp_path / "package"


def test_every_tool_has_an_identity() -> None:
    """Our own are a version and a digest, Wasmtime is a version."""
    identities = Identities(None)
    assert all(identities.of(tool) for tool in (*SOURCES, WASMTIME))
    assert identities.of("wasmtime") == version("wasmtime")


def test_identity_follows_the_sources(package: Path, tmp_path: Path) -> None:
    """A changed file of the compiler is another compiler; a file of something else is not."""
    memo = tmp_path / "memo"
    before = Identities(memo).of("mochi")
    (package / "elf.py").write_text("x")
    (package / "compiler" / "README.md").write_text("x")
    assert Identities(memo).of("mochi") == before
    (package / "compiler" / "run" / "b.mochi").write_text("22")
    assert Identities(memo).of("mochi") != before


def test_identity_does_not_depend_on_the_place(package: Path, tmp_path: Path) -> None:
    """Two checkouts are one compiler, and so are two ways to end a line."""
    before = Identities(None).of("mochi")
    (package / "compiler" / "a.py").write_bytes(b"1\r\n")
    first = Identities(None).of("mochi")
    (package / "compiler" / "a.py").write_bytes(b"1\n")
    os.utime(package / "compiler" / "a.py", (1, 1))
    assert Identities(None).of("mochi") == first != before


def test_memo_saves_reading(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is known of the same files is not read again."""
    memo = tmp_path / "memo"
    known = Identities(memo).of("mochi")
    monkeypatch.setattr(identity, "_digest", lambda _: "read again")
    assert Identities(memo).of("mochi") == known
    assert Identities(None).of("mochi") == "read again"


def test_memo_does_not_trust_the_time_of_a_file(package: Path, tmp_path: Path) -> None:
    """A tool that sets all times, and a change that keeps the size, make another compiler."""
    memo, path = tmp_path / "memo", package / "compiler" / "a.py"
    os.utime(path, (1, 1))
    before = Identities(memo).of("mochi")
    path.write_text("2")
    os.utime(path, (1, 1))
    assert Identities(memo).of("mochi") != before


def test_memo_does_not_remember_what_is_new(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file may change twice between two ticks of its clock."""
    monkeypatch.setattr(identity, "_SETTLED_NS", 10**12)
    assert signature() is None
    Identities(tmp_path / "memo").of("mochi")
    assert not (tmp_path / "memo").exists()


def test_damaged_line_of_a_memo_is_passed_over(package: Path, tmp_path: Path) -> None:
    """An identity of which a digit has changed is not taken for that of a compiler."""
    memo = tmp_path / "memo"
    known = Identities(memo).of("mochi")
    damaged = memo.read_text().replace(known, known[:-1] + "x")
    memo.unlink()  # it is read-only
    memo.write_text(damaged)
    assert Identities(memo).of("mochi") == known


@pytest.mark.parametrize("content", [b"", b"\xff\xff", b"mochi\n\n\t\t", b"mochi x\tsomething\n"])
def test_damaged_memo_is_passed_over(package: Path, tmp_path: Path, content: bytes) -> None:
    """Without a line for these very files, they are read."""
    memo = tmp_path / "memo"
    memo.write_bytes(content)
    assert Identities(memo).of("mochi") == Identities(None).of("mochi")


def test_memo_that_cannot_be_written_is_no_error(package: Path, tmp_path: Path) -> None:
    """It is optional."""
    (tmp_path / "file").write_text("")
    assert Identities(tmp_path / "file" / "memo").of("mochi")


def test_signature_follows_every_file(package: Path) -> None:
    """A changed file anywhere in the package is another program."""
    before = signature()
    (package / "wasm" / "c.py").write_text("33")
    assert signature() != before
