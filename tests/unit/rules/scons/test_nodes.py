"""Nodes of SCons as files."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.rules.scons.nodes import (
    check_exists,
    file_of,
    node_path,
    read_node,
    source_name,
    source_node,
)


def problem(function, *args) -> tuple[str, str, str, tuple[str, ...]]:
    """Return code, message, help and notes of the one error."""
    with pytest.raises(MochiError) as caught:
        function(*args)
    [found] = caught.value.diagnostics
    return found.code, found.message, found.help, found.notes


def test_path_is_that_from_the_root(fs) -> None:
    """With slashes, wherever the build file is."""
    node = fs.File("main.mochi", fs.Dir("app"))
    assert node_path(node) == source_name(node) == "app/main.mochi"
    assert read_node(node) == b"print(1)\n"


def test_copy_in_a_variant_dir_has_the_name_of_its_source(fs) -> None:
    """Names of sources are in the program, and must not depend on where it is built."""
    fs.VariantDir("out", "app", duplicate=0)
    node = fs.File("out/main.mochi")
    assert (node_path(node), source_name(node)) == ("out/main.mochi", "app/main.mochi")
    assert file_of(node).read_text() == "print(1)\n"


def test_source_outside_of_the_workspace_is_refused(fs) -> None:
    """Its path would be another one on another machine."""
    code, message, _, _ = problem(source_name, fs.File("../outside.mochi"))
    assert (code, message) == ("B025", "`../outside.mochi` is outside of the workspace")


def test_directory_is_no_source(fs) -> None:
    """Whether SCons has seen it before or not."""
    fs.Dir("app")
    expected = ("B010", "cannot read `app`: is a directory")
    assert problem(source_node, fs, "app")[:2] == expected


@pytest.mark.parametrize(
    ("name", "help_", "notes"),
    [
        ("app/mian.mochi", "did you mean `main.mochi`?", ()),
        ("app/quite_different.mochi", "", ("the folder has main.mochi, other.mochi",)),
        ("gone/main.mochi", "", ()),
    ],
)
def test_missing_source_is_reported_with_what_is_there(fs, name, help_, notes) -> None:
    """A near name, or the files of the folder."""
    message = f"cannot read `{name}`: no such file or directory"
    assert problem(check_exists, fs.File(name)) == ("B010", message, help_, notes)


def test_source_that_exists_is_accepted(fs) -> None:
    """Nothing is said of it."""
    assert check_exists(fs.File("app/main.mochi")) is None
