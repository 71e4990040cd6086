"""Tests of labels."""

from __future__ import annotations

import pytest

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.project.label import (
    Label,
    Pattern,
    check_name,
    is_label,
    parse_label,
    parse_pattern,
)


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("//examples/hello:hello", Label("examples/hello", "hello")),
        ("//examples/hello", Label("examples/hello", "hello")),
        ("//:app", Label("", "app")),
        (":text", Label("lib", "text")),
        ("text", Label("lib", "text")),
        ("//a/b/:c", Label("a/b", "c")),
    ],
)
def test_label_is_read(text: str, want: Label) -> None:
    """A label is absolute, of a folder's own name, or of the same package."""
    assert parse_label(text, "lib") == want


def test_label_prints_as_it_is_read() -> None:
    """The text of a label means that label everywhere."""
    label = Label("a/b", "c")
    assert parse_label(str(label), "elsewhere") == label


@pytest.mark.parametrize("text", ["//a:", "//", "//../a:b", ":a b", "a/b", ":.hidden"])
def test_what_is_no_label_is_refused(text: str) -> None:
    """Every refused text gets the same help."""
    with pytest.raises(MochiError) as caught:
        parse_label(text, "lib")
    [found] = caught.value.diagnostics
    assert (found.code, found.message) == ("B009", f"`{text}` is not a valid label")
    assert found.help == "write `//folder:name`, or `:name` in the same folder"


@pytest.mark.parametrize("name", ["app", "a", "a.b", "a-b_c+d", "9to5", "_x"])
def test_name_of_a_target_can_be_a_file(name: str) -> None:
    """Letters, digits and a few signs make a name."""
    check_name(name)


@pytest.mark.parametrize(("name", "help_"), [("a b", "a_b"), ("a/b", "a_b"), (".", "app")])
def test_name_that_is_no_file_is_refused(name: str, help_: str) -> None:
    """The help has a name that would do."""
    with pytest.raises(MochiError) as caught:
        check_name(name)
    assert caught.value.diagnostics[0].help == f"write `{help_}`"


def test_name_that_is_too_long_for_a_file_is_refused() -> None:
    """Before a file system does."""
    check_name("x" * 200)
    with pytest.raises(MochiError, match="B009: the name of a target has 201 characters, of 200"):
        check_name("x" * 201)


def test_label_is_distinguished_from_a_path() -> None:
    """Only a label begins with `//` or a colon, and only a pattern ends in three dots."""
    texts = ("//a:b", ":a", "a/...", "...", "a/b", "test", "wait...")
    assert [is_label(text) for text in texts] == [True, True, True, True, False, False, False]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("//a:b", Pattern("a", "b")),
        (":b", Pattern("lib", "b")),
        ("//a:*", Pattern("a", "*")),
        (":*_test", Pattern("lib", "*_test")),
        ("//a/...", Pattern("a", "*", is_recursive=True)),
        ("//...", Pattern("", "*", is_recursive=True)),
        ("...", Pattern("lib", "*", is_recursive=True)),
        ("sub/...", Pattern("lib/sub", "*", is_recursive=True)),
        ("//a/...:*_test", Pattern("a", "*_test", is_recursive=True)),
    ],
)
def test_pattern_is_read(text: str, want: Pattern) -> None:
    """A label is a pattern; `*` matches names, `...` all packages below."""
    found = parse_pattern(text, "lib")
    assert found == want
    assert parse_pattern(str(found), "elsewhere") == want


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("//a:x", ["//a:x"]),
        ("//a:*", ["//a:x", "//a:x_test"]),
        ("//a:*_test", ["//a:x_test"]),
        ("//a/...", ["//a:x", "//a:x_test", "//a/b:x"]),
        ("//...", ["//:x", "//a:x", "//a:x_test", "//a/b:x", "//ab:x"]),
        ("//...:*_test", ["//a:x_test"]),
    ],
)
def test_pattern_matches_whole_names_of_folders(text: str, names: list[str]) -> None:
    """`//a/...` leaves `//ab` out."""
    labels = [Label(*pair) for pair in
              [("", "x"), ("a", "x"), ("a", "x_test"), ("a/b", "x"), ("ab", "x")]]  # fmt: skip
    pattern = parse_pattern(text, "")
    assert [str(label) for label in labels if pattern.matches(label)] == names


@pytest.mark.parametrize("text", ["//../...", "//a/...:b c", "//a/...:x:y", "//a:b*/c"])
def test_what_is_no_pattern_is_refused(text: str) -> None:
    """The help shows both kinds."""
    with pytest.raises(MochiError) as caught:
        parse_pattern(text, "lib")
    [found] = caught.value.diagnostics
    assert (found.code, found.help) == ("B009", "write `//folder:*` or `//folder/...`")
