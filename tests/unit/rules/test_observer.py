"""What is observed while build files are read, and what casts doubt on it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mochi_rules.rules.null_build.manifest import sign_of
from mochi_rules.rules.null_build.observer import Observer

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def observer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Observer]:
    """Observe a thread whose current directory has the file `a`."""
    (tmp_path / "a").write_text("1")
    monkeypatch.chdir(tmp_path)
    made = Observer()
    yield made
    made.stop()


@pytest.mark.parametrize(
    "look",
    [lambda: Path("a").read_text(), lambda: Path("a").stat(), lambda: Path("a").exists()],
    ids=["read", "stat", "exists"],
)
def test_file_is_noted_as_it_was(observer: Observer, tmp_path: Path, look) -> None:
    """With the result of `stat`, however the build file looks at it."""
    look()
    path = str(tmp_path / "a")
    assert observer.paths[path] == sign_of(path)


def test_missing_file_is_noted(observer: Observer, tmp_path: Path) -> None:
    """A build file may do something else when it appears."""
    assert not Path("missing").exists()
    assert observer.paths[str(tmp_path / "missing")] is None


def test_listed_folder_is_noted_by_its_names(observer: Observer, tmp_path: Path) -> None:
    """A glob must notice a new file."""
    [*tmp_path.iterdir()]
    assert f"{tmp_path}{os.sep}" in observer.paths


def test_written_file_is_noted_apart(observer: Observer, tmp_path: Path) -> None:
    """A file that the build file writes is not one of its inputs."""
    Path("b").write_text("2")
    assert observer.written == {str(tmp_path / "b")}
    assert str(tmp_path / "b") not in observer.paths


def test_program_casts_doubt(observer: Observer) -> None:
    """It may print something else next time."""
    subprocess.run([sys.executable, "-I", "-S", "-c", ""], check=True)
    assert observer.doubt.startswith("subprocess.Popen")


@pytest.mark.parametrize(
    ("text", "doubt"),
    [("scons: done reading SConscript files.\n", ""), ("hello\n", "something is printed")],
)
def test_output_of_build_files_casts_doubt(observer: Observer, text: str, doubt: str) -> None:
    """A build that skips them would not print it; messages of SCons can be repeated."""
    observer.watch_output()
    sys.stdout.write(text)
    assert observer.doubt == doubt


def test_other_threads_are_not_observed(observer: Observer, tmp_path: Path) -> None:
    """Workers start while build files are read."""
    thread = threading.Thread(target=lambda: Path("a").read_text())
    thread.start()
    thread.join()
    assert str(tmp_path / "a") not in observer.paths


def test_nothing_is_observed_after_the_end(observer: Observer, tmp_path: Path) -> None:
    """The build itself looks at many files."""
    stat = os.stat
    observer.stop()
    Path("a").read_text()
    assert str(tmp_path / "a") not in observer.paths
    assert os.stat is not stat
