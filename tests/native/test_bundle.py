"""The C launcher and the library that belongs beside it."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from .building import Programs, compile_with_wheel, program, wheel_library

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow


@pytest.fixture
def app(bundle_launcher: Path, tmp_path: Path) -> Path:
    """Make an executable of a bundle, without its library."""
    return Programs(bundle_launcher, tmp_path).attach(compile_with_wheel(program("")))


def refusal(app: Path) -> str:
    """Run what cannot be run and return its sentence."""
    done = subprocess.run([app], capture_output=True, text=True, check=False, timeout=10)
    assert done.returncode == 126
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_missing_library_is_named(app: Path) -> None:
    """A bundle that was taken apart says what belongs where."""
    library = app.parent / "libwasmtime.so"
    assert f"cannot load `{library}`, which belongs beside the program" in refusal(app)


def test_other_library_is_named(app: Path) -> None:
    """A library that is not of this Wasmtime is not called."""
    source = app.parent / "other.c"
    source.write_text("int other;", encoding="utf-8")
    library = app.parent / "libwasmtime.so"
    subprocess.run(["gcc", "-shared", source, "-o", library], check=True)
    assert f"`{library}` is not of Wasmtime 48: it has no `" in refusal(app)


def test_bundle_runs_through_a_symbolic_link(app: Path, tmp_path: Path) -> None:
    """The library is looked for where the executable really is."""
    shutil.copy(wheel_library(), app.parent / "libwasmtime.so")
    link = tmp_path / "elsewhere" / "link"
    link.parent.mkdir()
    link.symlink_to(app)
    assert subprocess.run([link], capture_output=True, check=True, timeout=10).stderr == b""
