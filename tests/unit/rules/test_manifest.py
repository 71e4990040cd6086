"""Tests of manifests of finished builds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from mochi_rules.rules.null_build.manifest import Manifest, command_line, is_settled, sign_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["-Q"],
        ["-j4", "-s"],
        ["-j", "4", "//app:app"],
        ["target=all"],
        ["--ui=plain"],
        ["-u"],
        ["-C", "a"],
    ],
)
def test_plain_build_can_have_a_manifest(arguments: list[str]) -> None:
    """Targets, variables, and options that only say how to build."""
    assert command_line(arguments) == arguments


@pytest.mark.parametrize("argument", ["-n", "-c", "-Qn", "--tree=all", "--debug=explain", "-h"])
def test_other_options_are_for_scons(argument: str) -> None:
    """An option that asks for more than a build cannot be answered by a manifest."""
    assert command_line(["-Q", argument]) is None


def test_manifest_holds_while_files_are_the_same(tmp_path: Path) -> None:
    """What was shown comes back until a file changes."""
    source = tmp_path / "a"
    source.write_text("1")
    manifest = Manifest(str(tmp_path / "notes"), [], "identity")
    manifest.write({str(source): sign_of(str(source))}, {"steps": 4})
    assert manifest.read() == {"steps": 4}
    source.write_text("22")
    assert manifest.read() is None


def test_manifest_notices_a_file_that_appears(tmp_path: Path) -> None:
    """That a file was not there is part of what the build saw."""
    missing = tmp_path / "mochi.toml"
    manifest = Manifest(str(tmp_path / "notes"), [], "identity")
    manifest.write({str(missing): None}, {"steps": 4})
    missing.touch()
    assert manifest.read() is None


def test_manifest_of_another_identity_does_not_hold(tmp_path: Path) -> None:
    """Another version of the tools has a manifest of its own."""
    Manifest(str(tmp_path), [], "one").write({}, {"steps": 4})
    assert Manifest(str(tmp_path), [], "other").read() is None


def test_folder_is_its_names_where_it_was_listed(tmp_path: Path) -> None:
    """A new file changes the list of a folder, and not the folder."""
    folder, names = str(tmp_path), f"{tmp_path}{os.sep}"
    before = sign_of(folder), sign_of(names)
    (tmp_path / "new").touch()
    assert sign_of(folder) == before[0]
    assert sign_of(names) != before[1]
    (tmp_path / "new").unlink()
    assert sign_of(names) == before[1]


def test_whole_seconds_are_not_trusted() -> None:
    """A file system that counts seconds cannot tell what happened within one."""
    second = 10**9
    assert is_settled([0, 0, 0, 5 * second + 1, 0], 6 * second)
    assert not is_settled([0, 0, 0, 5 * second, 0], 6 * second)
