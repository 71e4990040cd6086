"""Building native tools with cargo: what survives an interruption, and what is shown meanwhile."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING

import pytest

from mochi_rules.aot.tools.native_tools import rust_host
from mochi_rules.base.diagnostic import MochiError
from mochi_rules.platforms.native_files import work_directory
from mochi_rules.platforms.toolchain import Recipe
from mochi_rules.steps import cargo
from mochi_rules.steps.processes.subprocesses import Subprocesses

if TYPE_CHECKING:
    from pathlib import Path

# Stands for cargo: draws its progress, keeps something in its target directory, and builds.
CARGO = """\
#!/bin/sh
test -e Cargo.toml || exit 9
test -z "$CARGO_ASKED" || { echo "$@"; pwd; env; } > "$CARGO_ASKED"
mkdir -p "$CARGO_TARGET_DIR/x-y-z/release"
echo crate >> "$CARGO_TARGET_DIR/compiled"
printf '    Building [=>   ] 1/3: first\\r' >&2
printf '    Building [==>  ] 2/3: second\\r' >&2
test -z "$CARGO_FAILS" || { echo 'error: no linker' >&2; exit 101; }
test -z "$CARGO_WAITS" || exec sleep 600
cp "$CARGO_TARGET_DIR/compiled" "$CARGO_TARGET_DIR/x-y-z/release/tool"
"""
SOURCES = {"Cargo.toml": b"[workspace]\n", "zig-cc": b"#!/bin/sh\n"}


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recipe:
    """Put a script in the place of cargo, and the user's directories into a folder."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/cargo").write_text(CARGO)
    (tmp_path / "bin/cargo").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(cargo, "cargo_environment", lambda _triple: {})
    monkeypatch.setattr(cargo, "rust_version", lambda: "rustc 1")
    return Recipe("tool", ".", "release", "x-y-z", 1, tmp_path / "tool")


def build(
    recipe: Recipe, subprocesses: Subprocesses | None = None, reports: list[str] | None = None
) -> bytes:
    """Build the tool; it holds a line for each start of cargo in its target directory."""
    heard = [] if reports is None else reports
    return cargo.build(recipe, SOURCES, subprocesses or Subprocesses(), heard.append)


def test_what_cargo_is_asked(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """One profile for one target, with the pinned crates, in the folder of the tool."""
    monkeypatch.setenv("CARGO_ASKED", str(tmp_path / "asked"))
    build(recipe)
    arguments, folder, *variables = (tmp_path / "asked").read_text().splitlines()
    assert arguments == "build --locked --profile release --target x-y-z"
    work = folder.removesuffix("/native/.").removesuffix("/native")
    assert work.startswith(str(work_directory()))
    assert {f"CARGO_TARGET_DIR={work}/target", "CARGO_TERM_COLOR=never"} <= {*variables}


def test_progress_is_reported(recipe: Recipe) -> None:
    """How many crates there are, and which it is at."""
    reports: list[str] = []
    build(recipe, reports=reports)
    assert reports[-1] == "crate 2 of 3"


def test_interrupted_build_goes_on_where_it_was(
    recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cargo has compiled is kept until the tool is built."""
    subprocesses = Subprocesses()
    begun = threading.Event()
    monkeypatch.setenv("CARGO_WAITS", "1")
    threading.Thread(target=lambda: begun.wait(30) and subprocesses.close()).start()
    with pytest.raises(MochiError, match="C022"):
        cargo.build(recipe, SOURCES, subprocesses, lambda _: begun.set())
    monkeypatch.delenv("CARGO_WAITS")
    assert build(recipe) == b"crate\ncrate\n"


def test_nothing_is_left_of_a_build_that_succeeded(recipe: Recipe) -> None:
    """A target directory has a gigabyte."""
    build(recipe)
    assert list(work_directory().iterdir()) == []


def test_failure_shows_what_cargo_said(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """But not its progress."""
    monkeypatch.setenv("CARGO_FAILS", "1")
    with pytest.raises(MochiError) as caught:
        build(recipe)
    [found] = caught.value.diagnostics
    assert (found.code, found.notes) == ("C022", ("output of cargo:\n    error: no linker",))


def test_sources_keep_their_times(recipe: Recipe, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or cargo would compile them again."""
    monkeypatch.setenv("CARGO_FAILS", "1")
    times = []
    for _ in range(2):
        with pytest.raises(MochiError):
            build(recipe)
        times += [path.stat().st_mtime_ns for path in work_directory().glob("*/native/*")]
    assert times[:2] == times[2:]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("cargo"), reason="cargo is missing")
def test_cargo_draws_its_progress_as_expected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a crate without dependencies."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    reports: list[str] = []
    sources = {
        "Cargo.toml": b'[package]\nname = "tiny"\nversion = "0.1.0"\nedition = "2021"\n',
        "Cargo.lock": b'version = 3\n[[package]]\nname = "tiny"\nversion = "0.1.0"\n',
        "src/main.rs": b"fn main() {}\n",
    }
    recipe = Recipe("tiny", ".", "release", rust_host(), 1, tmp_path / "tiny")
    assert cargo.build(recipe, sources, Subprocesses(), reports.append)
    assert reports[0].startswith("crate 0 of ")
