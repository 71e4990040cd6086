"""Tests of the sources of a target as nodes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from SCons.Environment import Environment

from mochi_rules.base.diagnostic import MochiError
from mochi_rules.project.label import Label
from mochi_rules.project.visibility import Unit, Universe
from mochi_rules.rules.scons.nodes import node_path
from mochi_rules.rules.sources import Sources

if TYPE_CHECKING:
    from SCons.Node.FS import FS


def write(name: str, text: str) -> None:
    """Write a file of the workspace, which is the current folder."""
    path = Path(name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def program(fs: FS, *srcs: str, deps: tuple[str, ...] = (), lib: tuple[str, ...] = ()) -> Sources:
    """Return the sources of `//app:app`, beside a library `//lib:lib` with sources of its own."""
    universe = Universe()
    libraries = tuple(Label("lib", name) for name in deps)
    unit = Unit(Label("app", "app"), "mochi_binary", srcs, libraries, lambda _: None)
    universe.add(unit)
    universe.add(Unit(Label("lib", "lib"), "mochi_library", lib, (), lambda _: None))
    nodes = {name: fs.File(name) for name in srcs}
    return Sources(srcs[:1], nodes, {name: fs.File(name) for name in lib}, fs, universe, unit)


def scanned(sources: Sources) -> list[str]:
    """Return the paths of the nodes that SCons is given."""
    return [node_path(node) for node in sources.scan()]


def made(path: str) -> Any:
    """Declare a file that a builder makes."""
    return Environment(tools=[]).Command(path, [], "true")


def code(call: Any) -> str:
    """Return the code of the error that a call ends with."""
    with pytest.raises(MochiError) as caught:
        call()
    [found] = caught.value.diagnostics
    return str(found.code)


def test_imports_are_followed_from_the_root(fs: FS) -> None:
    """Into a library too, with their contents; SCons gets all but the root itself."""
    write("app/main.mochi", 'import "./part" as part\nimport "../lib/text" as text\n')
    write("app/part.mochi", "let part = 1\n")
    write("lib/text.mochi", "let text = 1\n")
    sources = program(
        fs, "app/main.mochi", "app/part.mochi", deps=("lib",), lib=("lib/text.mochi",)
    )
    assert list(sources.read()) == ["app/main.mochi", "app/part.mochi", "lib/text.mochi"]
    assert sources.read()["lib/text.mochi"] == b"let text = 1\n"
    assert scanned(sources) == ["app/part.mochi", "lib/text.mochi"]


def test_source_that_nothing_imports_is_left_out(fs: FS) -> None:
    """It decides no byte of the program."""
    sources = program(fs, "app/main.mochi", "app/other.mochi")
    assert list(sources.read()) == ["app/main.mochi"]
    assert scanned(sources) == []


def test_source_that_is_still_to_be_made_is_scanned(fs: FS) -> None:
    """What it imports is not known before, so the target waits for it."""
    made("app/gen.mochi")
    assert scanned(program(fs, "app/main.mochi", "app/gen.mochi")) == ["app/gen.mochi"]


def test_root_that_is_still_to_be_made_is_not_read(fs: FS) -> None:
    """The graph is made before the files are."""
    made("app/gen.mochi")
    assert scanned(program(fs, "app/gen.mochi")) == []


def test_undeclared_import_beside_a_made_root_is_the_made_one(fs: FS) -> None:
    """Under a `variant_dir`, both are made there."""
    write("app/main.mochi", 'import "./gen" as gen\n')
    root = fs.File("out/main.mochi")
    fs.VariantDir("out", "app", duplicate=0)
    made("out/gen.mochi")
    sources = Sources(("app/main.mochi",), {"app/main.mochi": root}, {}, fs, Universe())
    assert scanned(sources) == ["out/gen.mochi"]


def test_program_of_a_builder_may_import_any_file(fs: FS) -> None:
    """Nothing was declared that could forbid it."""
    write("app/main.mochi", 'import "../lib/text" as text\n')
    write("lib/text.mochi", "let text = 1\n")
    node = fs.File("app/main.mochi")
    sources = Sources(("app/main.mochi",), {"app/main.mochi": node}, {}, fs, Universe())
    assert scanned(sources) == ["lib/text.mochi"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('import "./other" as other\n', "B022"),
        ('import "../lib/text" as text\n', "B022"),
        ('import "/lib/text" as text\n', "B024"),
        ("", "B012"),
    ],
)
def test_what_may_not_be_imported_is_refused(fs: FS, text: str, expected: str) -> None:
    """A source of nobody's, one of no dependency, an absolute path; and a program without text."""
    write("app/main.mochi", text)
    write("lib/text.mochi", "")
    sources = program(fs, "app/main.mochi", lib=("lib/text.mochi",))
    assert code(sources.gather) == expected


def test_import_that_is_nowhere_is_left_to_the_compiler(fs: FS) -> None:
    """Its message knows the language."""
    write("app/main.mochi", 'import "./gone" as gone\n')
    assert list(program(fs, "app/main.mochi").gather()) == ["app/main.mochi"]


def test_missing_source_and_wrong_dependency_are_refused(fs: FS) -> None:
    """Before anything is compiled."""
    assert code(program(fs, "app/main.mochi", "app/gone.mochi").scan) == "B010"
    assert code(program(fs, "app/main.mochi", deps=("gone",)).gather) == "B016"


def test_import_of_a_folder_is_refused(fs: FS) -> None:
    """One whose name ends like a source's."""
    write("app/main.mochi", 'import "./part" as part\n')
    Path("app/part.mochi").mkdir()
    fs.Dir("app/part.mochi")
    assert code(program(fs, "app/main.mochi").scan) == "B010"
