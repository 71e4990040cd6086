"""Tests of the way past the pipeline."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import pytest

from mochi_rules.base.digest import digest_bytes
from mochi_rules.base.files import write_atomic
from mochi_rules.cache.directory import Layout, prepare
from mochi_rules.cache.entry import seal
from mochi_rules.steps import run_cache as shortcut
from mochi_rules.steps.run_cache import Recalled, Shortcut

if TYPE_CHECKING:
    from pathlib import Path


def overwrite(path: Path, data: bytes) -> None:
    """Change a record in place."""
    path.chmod(0o644)
    path.write_bytes(data)


ARTIFACT = b"\x7fELF artifact"
ENGINE = {"target": "x86_64-unknown-linux-gnu", "flags": [["has_sse3", None]], "fuel": None}
FOUND = Recalled(ARTIFACT, ENGINE, b"\1\xff\n")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a cache that holds the artifact."""
    root = tmp_path / "cache"
    prepare(root)
    write_atomic(Layout(root).blob(digest_bytes(ARTIFACT)), ARTIFACT)
    return root


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a program of two sources."""
    folder = tmp_path / "src"
    folder.mkdir()
    (folder / "a.mochi").write_text("one")
    (folder / "b c.mochi").write_text("two")
    return folder


@pytest.fixture
def kept(root: Path, folder: Path) -> Shortcut:
    """Return a request that was kept."""
    made = Shortcut(root, ["a.mochi", "debug"], folder)
    made.keep({"a.mochi": b"one", "b c.mochi": b"two"}, FOUND)
    return made


def test_what_was_kept_is_found(kept: Shortcut) -> None:
    """The artifact, its configuration and its lines come back."""
    assert kept.find() == FOUND


@pytest.mark.parametrize("name", ["a.mochi", "b c.mochi"])
@pytest.mark.parametrize("content", [b"other", None])
def test_changed_source_is_another_request(
    kept: Shortcut, folder: Path, name: str, content: bytes | None
) -> None:
    """A source that changed, or is gone, ends the shortcut."""
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    assert kept.find() is None


def test_other_words_are_another_request(kept: Shortcut, root: Path, folder: Path) -> None:
    """So are another folder and another program of ours."""
    assert Shortcut(root, ["a.mochi", "release"], folder).find() is None
    assert Shortcut(root, ["a.mochi", "debug"], folder.parent).find() is None


def test_another_mochi_rules_is_another_request(
    kept: Shortcut, root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever file of the package changes, the pipeline decides."""
    monkeypatch.setattr(shortcut, "signature", lambda: "another")
    assert Shortcut(root, ["a.mochi", "debug"], folder).find() is None


def test_damaged_artifact_is_not_used(kept: Shortcut, root: Path) -> None:
    """The digest is compared before anything is loaded."""
    blob = Layout(root).blob(digest_bytes(ARTIFACT))
    blob.chmod(0o644)
    blob.write_bytes(ARTIFACT[:-1] + b"?")
    assert kept.find() is None


def test_evicted_artifact_is_made_again(kept: Shortcut, root: Path) -> None:
    """A record outlives what it names."""
    Layout(root).blob(digest_bytes(ARTIFACT)).unlink()
    assert kept.find() is None


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", b"x 1\n{}\n\n", b"0" * 64 + b" 1\n__import__('os')\n\n", b"\n" * 9],
)
@pytest.mark.parametrize("sealed", [True, False])
def test_damaged_record_is_passed_over(
    kept: Shortcut, root: Path, content: bytes, *, sealed: bool
) -> None:
    """Nothing in a record is believed, and nothing in it runs."""
    [record] = (root / "v1" / "runs").iterdir()
    overwrite(record, seal(record.name, content) if sealed else content)
    assert kept.find() is None


def test_record_with_a_changed_letter_is_passed_over(kept: Shortcut, root: Path) -> None:
    """A record that reads well and is wrong would run the program under other settings."""
    [record] = (root / "v1" / "runs").iterdir()
    data = record.read_bytes()
    overwrite(record, data.replace(b"'fuel': None", b"'fuel': 1000"))
    assert record.read_bytes() != data
    assert kept.find() is None


def test_record_of_another_request_is_passed_over(kept: Shortcut, root: Path, folder: Path) -> None:
    """A record belongs to one request: in the place of another it would run the other program."""
    [record] = (root / "v1" / "runs").iterdir()
    other = Shortcut(root, ["b c.mochi", "debug"], folder)
    other.keep({"b c.mochi": b"two"}, FOUND)
    [place] = set((root / "v1" / "runs").iterdir()) - {record}
    overwrite(place, record.read_bytes())
    assert other.find() is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs FIFOs")
def test_record_that_is_a_fifo_is_passed_over(kept: Shortcut, root: Path) -> None:
    """A run does not wait for somebody to write."""
    [record] = (root / "v1" / "runs").iterdir()
    record.unlink()
    os.mkfifo(record)
    assert kept.find() is None


def test_old_record_is_passed_over(kept: Shortcut, root: Path) -> None:
    """Every hour the pipeline runs, which notes that its entries are in use."""
    [record] = (root / "v1" / "runs").iterdir()
    then = time.time() - 3700
    os.utime(record, (then, then))
    assert kept.find() is None


def test_cache_that_is_off_has_no_records(folder: Path) -> None:
    """Nothing is kept, and nothing is found."""
    off = Shortcut(None, ["a.mochi"], folder)
    off.keep({}, FOUND)
    assert off.find() is None


def test_records_do_not_pile_up(root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there are many, they start anew."""
    monkeypatch.setattr(shortcut, "_MAX_RECORDS", 3)
    for number in range(7):
        Shortcut(root, [str(number)], folder).keep({}, FOUND)
    assert len(list((root / "v1" / "runs").iterdir())) <= 3
