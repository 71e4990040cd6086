"""Tests of how the sources of a program are found."""

from __future__ import annotations

from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.span import Source
from mochi_rules.compiler.names.imports import find_imports
from mochi_rules.project.folder import Folder, locate
from mochi_rules.project.sources import gather, require_text, texts_of


def imports(text: str, name: str = "app/main.mochi") -> list[str]:
    """Return the names of the sources that a source imports."""
    return [site.target for site in find_imports(Source(name, text))]


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("print(1)", []),
        ('import "text"', ["app/text.mochi"]),
        ('import "text.mochi" as t', ["app/text.mochi"]),
        ('import "../lib/text"\nimport "./a/b"', ["lib/text.mochi", "app/a/b.mochi"]),
        ('import"text"', ["app/text.mochi"]),
        ('import /* why */ "text"', ["app/text.mochi"]),
        ('import // why\n  "text"', ["app/text.mochi"]),
        ('// import "no"', []),
        ('/* import "no" */', []),
        ('let s = "import \\"no\\""', []),
        ('import python "math" as m', []),
        ('important "no"', []),
        ('import "unterminated', []),
    ],
)
def test_imports_are_those_of_the_compiler(text: str, want: list[str]) -> None:
    """What only looks like an import is none."""
    assert imports(text) == want


def test_imports_of_equal_texts_are_in_their_own_files() -> None:
    """What is remembered of a text holds in every folder."""
    sources = [Source(f"{folder}/main.mochi", 'import "text"') for folder in ("a", "b")]
    sites = [site for source in sources for site in find_imports(source)]
    assert [site.target for site in sites] == ["a/text.mochi", "b/text.mochi"]
    assert [site.span.source for site in sites] == sources


def test_place_of_an_import_is_its_path() -> None:
    """A message underlines the text between the quotes and the quotes."""
    [site] = find_imports(Source("a.mochi", '\nimport "text"\n'))
    assert (str(site.span), site.span.text) == ("a.mochi:2:8", '"text"')


def test_sources_are_gathered_once_each(tmp_path: Path) -> None:
    """A diamond of imports has four sources, the main one first."""
    texts = {
        "main.mochi": 'import "a"\nimport "b"\n',
        "a.mochi": 'import "base"\n',
        "b.mochi": 'import "base"\n',
        "base.mochi": "export fun f(): int { return 1 }\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    main = Source("main.mochi", texts["main.mochi"])
    found = gather([main], Folder(tmp_path).read)
    assert texts_of(found) == texts
    assert next(iter(found)) == "main.mochi"


def test_library_has_several_roots() -> None:
    """All of its own sources come first, also one that another imports."""
    texts = {"a.mochi": 'import "c"', "b.mochi": 'import "a"', "c.mochi": ""}
    read = {name: Source(name, text) for name, text in texts.items()}
    assert list(gather([read["a.mochi"], read["b.mochi"]], read.get)) == list(texts)


def test_import_cycle_ends() -> None:
    """The compiler reports a cycle; finding the sources only has to stop."""
    texts = {"a.mochi": 'import "b"', "b.mochi": 'import "a"'}
    found = gather([Source("a.mochi", texts["a.mochi"])], lambda name: Source(name, texts[name]))
    assert list(found) == ["a.mochi", "b.mochi"]


def test_import_of_what_is_not_there_is_left_to_the_compiler() -> None:
    """The compiler has the better message."""
    assert list(gather([Source("a.mochi", 'import "b"')], lambda _: None)) == ["a.mochi"]


def fault(call: object) -> Diagnostic:
    """Return the one diagnostic that a call raises."""
    with pytest.raises(MochiError) as caught:
        call()  # type: ignore[operator]
    [found] = caught.value.diagnostics
    return found


@pytest.mark.parametrize("text", ["", " \n\t\n"])
def test_empty_program_is_refused(text: str) -> None:
    """A file of no program is a mistake, such as an editor that was killed."""
    found = fault(lambda: require_text(Source("a.mochi", text)))
    assert (found.code, found.message) == ("B012", "`a.mochi` is empty")


def test_program_of_comments_is_a_program() -> None:
    """Whoever wrote a comment meant it."""
    assert require_text(Source("a.mochi", "// later\n"))


def test_import_of_a_folder_is_reported_at_the_import(tmp_path: Path) -> None:
    """What is there and cannot be read is named where it is imported."""
    (tmp_path / "x.mochi").mkdir()
    main = Source("a.mochi", 'import "x"')
    found = fault(lambda: gather([main], Folder(tmp_path).read))
    assert found.message == "cannot read `x.mochi`: is a directory"
    assert str(found.span) == "a.mochi:1:8"


def test_import_of_a_name_that_no_file_has_is_left_to_the_compiler(tmp_path: Path) -> None:
    """A file system refuses NUL with an error of its own."""
    main = Source("a.mochi", 'import "x\\x00"')
    assert list(gather([main], Folder(tmp_path).read)) == ["a.mochi"]


def test_import_of_an_absolute_path_is_refused() -> None:
    """It would mean another file on another machine."""
    found = fault(lambda: gather([Source("a.mochi", 'import "/etc/x"')], lambda _: None))
    assert (found.code, found.message) == ("B024", "import of an absolute path")
    assert str(found.span) == "a.mochi:1:8"


@pytest.mark.parametrize(
    ("path", "base", "root", "name"),
    [
        ("app/main.mochi", "/w", "/w", "app/main.mochi"),
        ("./app/../main.mochi", "/w", "/w", "main.mochi"),
        ("/w/app/main.mochi", "/w", "/w", "app/main.mochi"),
        ("../other/main.mochi", "/w/sub", "/w/other", "main.mochi"),
        ("/tmp/main.mochi", "/w", "/tmp", "main.mochi"),
        ("/wider/main.mochi", "/w", "/wider", "main.mochi"),
        ("main.mochi", "/", "/", "main.mochi"),
    ],
)
def test_name_of_a_file_has_no_path_of_this_machine(
    path: str, base: str, root: str, name: str
) -> None:
    """Below the base a name is relative to it, elsewhere to the file's own folder."""
    folder, got = locate(Path(path), Path(base))
    assert (folder.root, got) == (Path(root), name)


def test_name_that_is_not_utf8_is_refused() -> None:
    """No message and no key can hold it."""
    found = fault(lambda: locate(Path("caf\udce9.mochi"), Path("/w")))
    assert (found.code, found.message) == ("B013", "the name of `caf\\udce9.mochi` is not UTF-8")


def test_symlink_loop_is_an_error_not_an_absence(tmp_path: Path) -> None:
    """A link to itself is there, and cannot be read."""
    (tmp_path / "loop.mochi").symlink_to("loop.mochi")
    found = fault(lambda: Folder(tmp_path).read("loop.mochi"))
    assert found.message == "cannot read `loop.mochi`: too many levels of symbolic links"
