"""Where in a build file a diagnostic points."""

from __future__ import annotations

from pathlib import Path

import pytest
import SCons

from mochi_rules.rules.scons.place import Place, is_of_user, user_place

BUILD_FILE = """\
env = Environment(tools=["mochi"])
mochi_binary(
    name="äpp", srcs=["app.mochi"],
    profile="fast",
)
for n in "ab": mochi_test(name=n, profile=str(n))
broken = 1
"""


@pytest.fixture(name="place")
def _place(tmp_path):
    def make(line: int) -> Place:
        return Place("app/SConscript", line, tmp_path)

    (tmp_path / "app").mkdir()
    (tmp_path / "app/SConscript").write_text(BUILD_FILE, encoding="utf-8")
    return make


@pytest.mark.parametrize(
    ("line", "attribute", "shown"),
    [
        (2, "", ("app/SConscript:2:1", "mochi_binary")),
        (2, "profile", ("app/SConscript:4:5", "profile")),
        (4, "profile", ("app/SConscript:4:5", "profile")),
        (2, "srcs", ("app/SConscript:3:17", "srcs")),
        (2, "deps", ("app/SConscript:2:1", "mochi_binary")),
        (6, "profile", ("app/SConscript:6:35", "profile")),
        (7, "profile", ("app/SConscript:7:1", "b")),
    ],
)
def test_span_is_that_of_the_attribute_or_of_the_call(place, line, attribute, shown) -> None:
    """A call may go over lines; columns count characters; without a call, the line is shown."""
    span = place(line).locate(attribute)
    assert (str(span), span.text) == shown


def test_file_that_python_cannot_parse_is_shown_by_line(place, tmp_path) -> None:
    """SCons reports the syntax error; what was declared before it has a place still."""
    (tmp_path / "app/SConscript").write_text("mochi_binary(\n  (\n")
    assert str(place(2).locate("name")) == "app/SConscript:2:1"


def test_file_that_cannot_be_read_has_no_place(place, tmp_path) -> None:
    """The message is shown without one."""
    (tmp_path / "app/SConscript").unlink()
    assert place(1).locate() is None


def test_frames_of_ours_and_of_scons_are_not_the_users(tmp_path) -> None:
    """A diagnostic points at the build file, however many calls lie between."""
    root = Path(__file__).parents[4]
    ours = root / "mochi_rules/rules/rules.py"
    theirs = Path(SCons.__file__).parent / "Environment.py"
    assert not any(is_of_user(str(path)) for path in (ours, theirs))
    assert all(is_of_user(str(folder / "SConstruct")) for folder in (tmp_path, root))


def test_innermost_line_of_the_user(tmp_path) -> None:
    """The one that calls, not the one that defines the function it is in."""
    scope = {"user_place": user_place, "root": tmp_path}
    code = compile(
        "def helper():\n    return user_place(root)\n\nfound = helper()\n", "/p/site.py", "exec"
    )
    exec(code, scope)  # noqa: S102 - a build file in small
    assert (scope["found"].path, scope["found"].line) == ("/p/site.py", 2)
