"""Tests of which source may import which."""

from __future__ import annotations

import gzip
from itertools import pairwise
from pathlib import Path

import pytest

from mochi_rules.base.diagnostic import Diagnostic, MochiError
from mochi_rules.base.span import Source, Span
from mochi_rules.compiler.names.imports import ImportSite, find_imports
from mochi_rules.project.configuration import find_configurations
from mochi_rules.project.label import Label
from mochi_rules.project.objects import describe_object
from mochi_rules.project.visibility import Unit, Universe

OBJECT = Path(__file__).parents[2] / "golden" / "objdump" / "native" / "x86_64.o.gz"
BUILD_FILE = Source("app/SConscript", 'mochi_binary(name = "app", deps = [])\n')


def locate(attribute: str) -> Span | None:
    """Return where an attribute is in the build file."""
    start = BUILD_FILE.text.find(attribute)
    return Span(BUILD_FILE, start, start + len(attribute))


def unit(label: str, srcs: list[str], deps: tuple[str, ...] = (), rule: str = "") -> Unit:
    """Return a target; one whose rule is not told is a library."""
    package, name = label.removeprefix("//").split(":")
    labels = tuple(Label(*dep.removeprefix("//").split(":")) for dep in deps)
    return Unit(Label(package, name), rule or "mochi_library", tuple(srcs), labels, locate)


def world(*deps: str) -> tuple[Universe, Unit]:
    """Return a program that depends on some of three libraries."""
    universe = Universe()
    universe.add(unit("//lib:text", ["lib/text.mochi"], ("//lib:base",)))
    universe.add(unit("//lib:base", ["lib/base.mochi"]))
    universe.add(unit("//tool:app", ["tool/app.mochi"], rule="mochi_binary"))
    program = unit("//app:app", ["app/main.mochi", "app/part.mochi"], deps, "mochi_binary")
    universe.add(program)
    return universe, program


def site(importer: str, path: str) -> ImportSite:
    """Return an import."""
    [found] = find_imports(Source(importer, f'import "{path}"'))
    return found


def refused(universe: Universe, program: Unit, path: str) -> Diagnostic:
    """Return why the program may not import a file that is there."""
    found = site("app/main.mochi", path)
    return fault(lambda: universe.check_import(found, program, lambda _: True))


def fault(call: object) -> Diagnostic:
    """Return the one diagnostic that a call raises."""
    with pytest.raises(MochiError) as caught:
        call()  # type: ignore[operator]
    [found] = caught.value.diagnostics
    return found


@pytest.mark.parametrize(
    ("importer", "path", "deps"),
    [
        ("app/main.mochi", "part", ()),
        ("app/main.mochi", "../lib/text", ("//lib:text",)),
        ("lib/text.mochi", "base", ("//lib:text",)),
        ("app/main.mochi", "nowhere", ()),
    ],
)
def test_declared_import_is_allowed(importer: str, path: str, deps: tuple[str, ...]) -> None:
    """Own sources, those of a direct dependency, and what is left to the compiler."""
    universe, program = world(*deps)
    universe.check_import(site(importer, path), program, lambda _: False)


def test_import_of_another_library_names_the_dependency_to_add() -> None:
    """The message has the label, and the help the attribute as it is typed."""
    universe, program = world()
    found = fault(
        lambda: universe.check_import(
            site("app/main.mochi", "../lib/text"), program, lambda _: True
        )
    )
    assert found.code == "B022"
    assert found.message == (
        "`lib/text.mochi` belongs to `//lib:text`, which `//app:app` does not depend on"
    )
    assert found.help == 'add it to `//app:app`: `deps = ["//lib:text"]`'
    assert str(found.span) == "app/main.mochi:1:8"


def test_dependencies_of_dependencies_are_not_imported() -> None:
    """What a library uses is its own business."""
    universe, program = world("//lib:text")
    found = fault(
        lambda: universe.check_import(
            site("app/main.mochi", "../lib/base"), program, lambda _: True
        )
    )
    assert "`//app:app` does not depend on" in found.message


def test_import_of_a_file_of_no_target_names_the_sources_to_extend() -> None:
    """The path in the help is relative to the target's folder."""
    universe, program = world()
    found = refused(universe, program, "extra/x")
    assert found.message == (
        "`app/extra/x.mochi` is neither in the `srcs` of `//app:app` nor of its `deps`"
    )
    assert found.help == 'add it to `//app:app`: `srcs = [..., "extra/x.mochi"]`'


def test_unknown_dependency_gets_the_nearest_library() -> None:
    """The error stands at the attribute."""
    universe, program = world("//lib:txet")
    found = fault(lambda: universe.check_deps(program))
    assert found.code == "B016"
    assert found.message == "`//app:app` depends on `//lib:txet`, but there is no such target"
    assert found.help == "did you mean `//lib:text`?"
    assert str(found.span) == "app/SConscript:1:28"


def test_library_is_not_suggested_to_itself() -> None:
    """Though its own name is the nearest."""
    universe, text = Universe(), unit("//lib:text", [], ("//lib:txet",))
    universe.add(text)
    assert fault(lambda: universe.check_deps(text)).help == ""


def test_dependency_on_an_object_is_refused() -> None:
    """Of whatever platform: no other language is linked into a program."""
    universe, program = world("//lib:text.o")
    found = fault(lambda: universe.check_deps(program))
    assert found.code == "B016"
    assert found.help == "leave it out: programs are linked from Mochi files alone"


@pytest.mark.parametrize(
    ("target", "level", "found"),
    [
        ("x86_64-linux", "x86-64-v1", "x86_64-linux at x86-64-v2"),
        ("aarch64-linux", "armv8.0", "x86_64-linux at x86-64-v2"),
    ],
)
def test_dependency_on_an_object_names_both_platforms(
    tmp_path: Path, target: str, level: str, found: str
) -> None:
    """That of the object and that of the build, each with its CPU level."""
    (tmp_path / "text.o").write_bytes(gzip.decompress(OBJECT.read_bytes()))
    configurations = find_configurations(target, cpu=level)
    universe = Universe(
        lambda label: describe_object(tmp_path / label.name, f"lib/{label.name}", configurations)
    )
    program = unit("//app:app", ["app/main.mochi"], ("//lib:text.o",), "mochi_binary")
    [note] = fault(lambda: universe.check_deps(program)).notes
    assert note == f"`lib/text.o` is an object for {found}; the build is for {target} at {level}"


def test_dependency_on_a_program_is_refused() -> None:
    """Only libraries can be imported from."""
    universe, program = world("//tool:app")
    found = fault(lambda: universe.check_deps(program))
    assert found.code == "B017"
    assert "is a `mochi_binary`, not a library" in found.message


@pytest.mark.parametrize(
    ("deps", "ring"),
    [
        ({"//a:a": ("//a:a",)}, ["//a:a", "//a:a"]),
        ({"//a:a": ("//b:b",), "//b:b": ("//c:c", "//a:a"), "//c:c": ("//b:b",)},
         ["//a:a", "//b:b", "//a:a"]),
        ({"//a:a": ("//b:b", "//c:c"), "//b:b": ("//c:c",), "//c:c": ("//a:a",)},
         ["//a:a", "//c:c", "//a:a"]),
    ],
)  # fmt: skip
def test_library_that_depends_on_itself_is_refused(
    deps: dict[str, tuple[str, ...]], ring: list[str]
) -> None:
    """The notes go round the shortest way."""
    universe = Universe()
    for label, of_it in deps.items():
        universe.add(unit(label, [], of_it))
    found = fault(lambda: universe.check_deps(universe.units[Label("a", "a")]))
    assert (found.code, found.message) == ("B032", "`//a:a` depends on itself")
    assert found.notes == tuple(f"`{a}` depends on `{b}`" for a, b in pairwise(ring))
    assert str(found.span) == "app/SConscript:1:28"


def test_libraries_may_share_a_dependency() -> None:
    """A diamond is not a cycle, nor is a cycle further down one of this library."""
    universe = Universe()
    deps = {"//a:a": ("//b:b", "//c:c"), "//b:b": ("//d:d",), "//c:c": ("//d:d",)}
    for label, of_it in (deps | {"//d:d": ("//e:e",), "//e:e": ("//d:d",)}).items():
        universe.add(unit(label, [], of_it))
    universe.check_deps(universe.units[Label("a", "a")])


def test_owner_of_a_source_does_not_depend_on_the_order() -> None:
    """Of two libraries that have it, the first by label."""
    units = [unit("//b:b", ["x.mochi"]), unit("//a:a", ["x.mochi"])]
    program = unit("//c:c", ["c.mochi"], rule="mochi_binary")
    for order in (units, units[::-1]):
        universe = Universe()
        for item in order:
            universe.add(item)
        assert universe.owner("x.mochi", program) == units[1]
